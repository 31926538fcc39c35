//! Tests of the shrink guard.

use std::time::Duration;

use super::*;
use crate::core::{Clock, Origin, SnapshotSource, Unreadable, UnreadableReason};
use crate::engine::Loaded;

fn secrets(names: &[&str]) -> Secrets {
    Secrets::from_iter(names.iter().map(|name| (*name, "v")))
}

#[test]
fn what_was_there_and_is_empty_now_is_objected_to_and_what_was_empty_before_is_not() {
    let guard = ShrinkGuard::default();
    let error = guard.check_against(b"k", &secrets(&["A", "B"]), &secrets(&[])).expect("it shrank to nothing");
    assert_eq!(error.kind(), ErrorKind::EmptyScope);
    assert!(guard.check_against(b"k", &secrets(&[]), &secrets(&[])).is_none());
    assert!(guard.check_against(b"k", &secrets(&["A", "B"]), &secrets(&["B"])).is_none());
}

#[test]
fn a_required_name_that_is_lost_is_objected_to_where_it_is_required() {
    let guard = ShrinkGuard::new(vec!["EVERYWHERE".to_owned()]);
    guard.declare(b"k", ["HERE"].into_iter());
    let old = secrets(&["EVERYWHERE", "HERE", "OTHER"]);
    let error = guard.check_against(b"k", &old, &secrets(&["OTHER"])).expect("both are lost");
    assert_eq!((error.kind(), error.names()), (ErrorKind::MissingSecret, &["EVERYWHERE".into(), "HERE".into()][..]));
    let error = guard.check_against(b"elsewhere", &old, &secrets(&["OTHER"])).expect("one is lost");
    assert_eq!(error.names(), ["EVERYWHERE"]);
    assert!(guard.check_against(b"k", &secrets(&["OTHER"]), &secrets(&["NEW"])).is_none(), "it never had them");
}

#[test]
fn a_name_whose_value_cannot_be_read_any_more_is_not_lost() {
    let guard = ShrinkGuard::new(vec!["A".to_owned()]);
    let masked = Loaded::from_iter([("B", "v")]).with_unreadable([Unreadable::new("A", UnreadableReason::Masked)]);
    let clock = Clock::system();
    let origin = Origin {
        source: SnapshotSource::Memory,
        fetched: clock.now(),
        clock,
        ttl: Duration::ZERO,
        passphrase: None,
        place: None,
    };
    let new = Secrets::assemble(masked.values, masked.unreadable, origin);
    assert!(guard.check_against(b"k", &secrets(&["A"]), &new).is_none());
}

fn answer(readable: &[&str], unreadable: &[(&str, UnreadableReason)]) -> Secrets {
    let loaded = Loaded::from_iter(readable.iter().map(|name| (*name, "v")))
        .with_unreadable(unreadable.iter().map(|(name, reason)| Unreadable::new(*name, *reason)));
    let clock = Clock::system();
    let origin = Origin {
        source: SnapshotSource::Service,
        fetched: clock.now(),
        clock,
        ttl: Duration::ZERO,
        passphrase: None,
        place: None,
    };
    Secrets::assemble(loaded.values, loaded.unreadable, origin)
}

#[test]
fn a_service_s_answer_without_any_of_the_names_or_without_any_of_the_values_is_objected_to() {
    use UnreadableReason::{ClientEnvelope, ServerCiphertext};
    let (guard, old) = (ShrinkGuard::default(), answer(&["A", "B"], &[("C", ClientEnvelope)]));
    let kind = |new: &Secrets| guard.check_against(b"k", &old, new).map(|error| error.kind());
    assert_eq!(kind(&answer(&["X"], &[])), Some(ErrorKind::MissingSecret));
    assert_eq!(kind(&answer(&[], &[("X", ServerCiphertext)])), Some(ErrorKind::MissingSecret));
    assert_eq!(kind(&answer(&[], &[("A", ServerCiphertext)])), Some(ErrorKind::Undecryptable));
    assert_eq!(kind(&answer(&[], &[("A", ClientEnvelope), ("NEW", ServerCiphertext)])), Some(ErrorKind::Undecryptable));
    assert_eq!(kind(&answer(&[], &[("C", ClientEnvelope)])), None, "it could not be read before");
    assert_eq!(kind(&answer(&["B"], &[("A", ServerCiphertext)])), None, "the rest is stored");
    assert_eq!(kind(&answer(&["C"], &[])), None, "it can be read now");
    let hidden = answer(&[], &[("A", UnreadableReason::Masked)]);
    assert!(guard.check_against(b"k", &hidden, &answer(&["X"], &[])).is_none(), "a refusal has nothing to lose");
}

#[test]
fn what_was_accepted_is_compared_with_for_as_long_as_nobody_waives_it() {
    let guard = ShrinkGuard::default();
    let objects = |key: &[u8], new: &Secrets| guard.check(key, new).is_some();
    let (good, other) = (answer(&["A"], &[]), answer(&["X"], &[]));
    assert!(!objects(b"one/k", &other));
    for key in [b"one/k", b"one/l", b"two/k"] {
        guard.accept(key, &good);
    }
    assert!(objects(b"one/k", &other) && !objects(b"one/k", &good));
    guard.waive(b"one/k");
    assert!(!objects(b"one/k", &other) && objects(b"one/l", &other));
    guard.waive_under(b"one/");
    assert!(!objects(b"one/l", &other) && objects(b"two/k", &other));
    #[cfg(feature = "offline")]
    assert!(!guard.is_cold(b"one/l") && !guard.is_cold(b"two/k") && guard.is_cold(b"three/k"));
    guard.forget(b"two/k");
    assert!(!objects(b"two/k", &other));
}

#[test]
fn the_memory_of_what_was_accepted_is_bounded_and_keeps_the_newest() {
    let (guard, good) = (ShrinkGuard::default(), answer(&["A"], &[]));
    let key = |number: usize| number.to_le_bytes();
    for number in 0..3 * ShrinkGuard::MOST {
        guard.accept(&key(number), &good);
    }
    assert!(guard.lock().len() <= ShrinkGuard::MOST);
    assert!(guard.check(&key(3 * ShrinkGuard::MOST - 1), &answer(&["X"], &[])).is_some());
}

#[cfg(feature = "offline")]
#[test]
fn a_waiver_is_used_up_by_what_is_accepted_next() {
    let guard = ShrinkGuard::default();
    assert!(guard.is_cold(b"k"));
    guard.waive(b"k");
    assert!(!guard.is_cold(b"k"));
    guard.accept(b"k", &secrets(&["A"]));
    guard.forget_all();
    assert!(guard.is_cold(b"k"), "a copy on disk is compared with again");
}
