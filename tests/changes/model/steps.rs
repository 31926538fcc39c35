//! What is done: few names, so that they collide.

use proptest::prelude::*;
use proptest::sample::select;

pub(crate) const LONGEST: usize = 24;

/// What the project may have. It begins with `main` and `a`, and without secrets.
pub(crate) const BRANCHES: [&str; 3] = ["main", "a", "b"];
pub(crate) const ENVIRONMENTS: [&str; 3] = ["dev", "qa", "live"];
pub(crate) const KEYS: [&str; 3] = ["A", "B", "50%"];
/// One that the service shows in the place of values, and that no write takes.
pub(crate) const MASK: &str = "***";
const VALUES: [&str; 8] = ["1", "2", "", " ", "ü€𝄞\u{2028}", "{\"a\":1}", "null", "\"\\\r\n\t"];

/// An environment on a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At(pub(crate) &'static str, pub(crate) &'static str);

type Key = &'static str;
type Value = &'static str;

/// One call.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Set { at: At, key: Key, value: Value, expect: Option<u64>, skip_unchanged: bool },
    SetAll { at: At, pairs: Vec<(Key, Value)> },
    Create { at: At, key: Key, value: Value },
    Delete { at: At, key: Key, if_exists: bool },
    RollBack { at: At, key: Key, version: u64 },
    Rotate { at: At, key: Key, value: Option<Value> },
    Promote { from: At, to: At, overwrite: bool },
    Clone { branch: Key, from: Key, to: Key, overwrite: bool },
    Link { environment: Key, key: Key, source: (Key, Key) },
    CreateBranch(Key),
    DeleteBranch(Key),
    RenameBranch(Key, Key),
}

fn environment() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just("dev"), 4 => Just("qa"), 1 => Just("live")]
}

fn branch() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just("main"), 3 => Just("a"), 1 => Just("b")]
}

fn at() -> impl Strategy<Value = At> {
    (environment(), branch()).prop_map(|(environment, branch)| At(environment, branch))
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![5 => Just("A"), 2 => Just("B"), 1 => Just("50%")]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![30 => select(&VALUES[..]), 1 => Just(MASK)]
}

fn pairs() -> impl Strategy<Value = Vec<(Key, Value)>> {
    prop::collection::btree_map(key(), value(), 1..=KEYS.len()).prop_map(|pairs| pairs.into_iter().collect())
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (at(), key(), value(), prop::option::weighted(0.3, 1..4_u64), any::<bool>())
            .prop_map(|(at, key, value, expect, skip_unchanged)| Step::Set { at, key, value, expect, skip_unchanged }),
        2 => (at(), pairs()).prop_map(|(at, pairs)| Step::SetAll { at, pairs }),
        1 => (at(), key(), value()).prop_map(|(at, key, value)| Step::Create { at, key, value }),
        2 => (at(), key(), any::<bool>()).prop_map(|(at, key, if_exists)| Step::Delete { at, key, if_exists }),
        2 => (at(), key(), 1..4_u64).prop_map(|(at, key, version)| Step::RollBack { at, key, version }),
        2 => (at(), key(), prop::option::of(value())).prop_map(|(at, key, value)| Step::Rotate { at, key, value }),
        2 => (at(), at(), any::<bool>()).prop_map(|(from, to, overwrite)| Step::Promote { from, to, overwrite }),
        3 => (branch(), environment(), environment(), any::<bool>())
            .prop_map(|(branch, from, to, overwrite)| Step::Clone { branch, from, to, overwrite }),
        3 => (environment(), key(), (environment(), key()))
            .prop_map(|(environment, key, source)| Step::Link { environment, key, source }),
        1 => branch().prop_map(Step::CreateBranch),
        1 => branch().prop_map(Step::DeleteBranch),
        1 => (branch(), branch()).prop_map(|(name, new)| Step::RenameBranch(name, new)),
    ]
}

pub(crate) fn sequences() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..=LONGEST)
}
