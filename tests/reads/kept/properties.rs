//! Whatever is answered in whatever order: what reads are given, and how old it is.

use std::time::Duration;

use futures_util::FutureExt;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use xtrasecurity::{CacheOptions, ErrorKind, XtraError, clock::ManualClock, snapshot::UnreadableReason};

use crate::kept::source::{Entries, Says, Scripted};

const SCOPE: &str = "team";
const GRACE: Duration = Duration::from_secs(900);
const MAX_STALE: Duration = Duration::from_secs(3600);
const TTL: Duration = Duration::from_secs(30);

#[derive(Debug, Clone)]
enum Step {
    Answer(Kind),
    Pass(u64),
    Invalidate,
    Read,
    Refresh,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Names(&'static [&'static str]),
    Cipher(&'static [&'static str]),
    /// The first can be read, the others are ciphertext.
    Mixed(&'static [&'static str]),
    Masked,
    Away,
    Broken,
    Foreign,
    Refused,
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        6 => prop::sample::select(vec![
            &["A", "B", "R"][..], &["A", "R"], &["B", "C", "R"], &["X"], &["X", "Y"], &["A"], &["error"], &[],
        ]).prop_map(Kind::Names),
        1 => prop::sample::select(vec![&["A", "B", "R"][..], &["R", "Z"]]).prop_map(Kind::Cipher),
        1 => prop::sample::select(vec![&["A", "B", "R"][..], &["R", "A"]]).prop_map(Kind::Mixed),
        1 => Just(Kind::Masked),
        2 => Just(Kind::Away),
        1 => Just(Kind::Broken),
        3 => Just(Kind::Foreign),
        1 => Just(Kind::Refused),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => kinds().prop_map(Step::Answer),
        2 => prop::sample::select(vec![1, 20, 31, 120, 600, 1200, 4000]).prop_map(Step::Pass),
        5 => Just(Step::Read),
        1 => Just(Step::Refresh),
        1 => Just(Step::Invalidate),
    ];
    prop::collection::vec(step, 1..60)
}

fn says(kind: Kind, value: &str) -> Says {
    let fails = |kind, status| Says::Fails(XtraError::new(kind, "told to fail").with_status(status));
    match kind {
        Kind::Names(names) => Says::names(names, value),
        Kind::Cipher(names) => Says::unreadable(names, UnreadableReason::ServerCiphertext),
        Kind::Mixed(names) => {
            let read = |at: usize| if at == 0 { Ok(value.to_owned()) } else { Err(UnreadableReason::ServerCiphertext) };
            Says::Secrets(names.iter().enumerate().map(|(at, name)| (*name, read(at))).collect())
        }
        Kind::Masked => Says::unreadable(&["A", "B", "R"], UnreadableReason::Masked),
        Kind::Away => fails(ErrorKind::Server, 503),
        Kind::Broken => fails(ErrorKind::Server, 500),
        Kind::Foreign => {
            Says::Fails(XtraError::new(ErrorKind::NotFound, "told to fail").with_status(404).with_foreign_refusal())
        }
        Kind::Refused => fails(ErrorKind::Forbidden, 403),
    }
}

/// What was accepted last, and what has been met since.
#[derive(Default)]
struct Model {
    accepted: Option<(Entries, Duration)>,
    /// What answers are compared with, although it may have left memory.
    compared: Option<Vec<(&'static str, bool)>>,
    grace_until: Option<Duration>,
    last_was_foreign: bool,
}

impl Model {
    fn take(&mut self, says: &Says, now: Duration) {
        match says {
            Says::Secrets(entries)
                if !entries.is_empty() && entries.iter().all(|(_, value)| *value == Err(UnreadableReason::Masked)) =>
            {
                *self = Self::default();
            }
            Says::Secrets(entries) if self.accepts(entries) => {
                let names = entries.iter().map(|(name, value)| (*name, value.is_ok())).collect();
                *self = Self { accepted: Some((entries.clone(), now)), compared: Some(names), ..Self::default() };
            }
            Says::Secrets(_) => self.last_was_foreign = false,
            Says::Fails(error) if error.is_foreign_refusal() => {
                self.grace_until.get_or_insert(now + GRACE);
                self.last_was_foreign = true;
            }
            Says::Fails(error) if error.status() == Some(403) => *self = Self::default(),
            Says::Fails(_) | Says::Panics => self.last_was_foreign = false,
        }
    }

    fn accepts(&self, new: &[(&'static str, Result<String, UnreadableReason>)]) -> bool {
        let Some(old) = self.compared.as_ref().filter(|old| !old.is_empty()) else { return true };
        let had = |name: &str| old.iter().any(|(known, _)| *known == name);
        let had_readable = |name: &str| old.iter().any(|(known, readable)| *known == name && *readable);
        let has = |name: &str| new.iter().any(|(known, _)| *known == name);
        let lost_required = had("R") && !has("R");
        let lost_keys = new.iter().all(|(_, value)| value.is_err()) && new.iter().any(|(name, _)| had_readable(name));
        new.iter().any(|(name, _)| had(name)) && !lost_required && !lost_keys
    }
}

fn holds(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let (clock, source) = (ManualClock::new(), Scripted::new(says(Kind::Names(&["A", "B", "R"]), "0")));
    let cache = CacheOptions::default().jitter(0.0).stale_while_revalidate(Duration::ZERO);
    let client = source.client(&clock, |options| options.cache(cache).required(["R"]));
    let (mut model, mut now) = (Model::default(), Duration::ZERO);
    for (at, step) in steps.into_iter().enumerate() {
        let read = match step {
            Step::Answer(kind) => {
                source.says(says(kind, &at.to_string()));
                continue;
            }
            Step::Pass(seconds) => {
                now += Duration::from_secs(seconds);
                clock.advance(Duration::from_secs(seconds));
                continue;
            }
            Step::Invalidate => {
                client.invalidate(SCOPE);
                (model.accepted, model.compared, model.last_was_foreign) = (None, None, false);
                continue;
            }
            Step::Refresh => {
                let refreshed = client.read(SCOPE).allow_unreadable().refresh().into_future().now_or_never().unwrap();
                let log = source.take_log();
                log.iter().for_each(|says| model.take(says, now));
                let brought = refreshed.is_ok();
                let accepted = model.accepted.as_ref().is_some_and(|(_, since)| *since == now);
                prop_assert!(!brought || accepted || is_masked(&log), "a refresh brings what is accepted, or fails");
                continue;
            }
            Step::Read => client.read(SCOPE).into_future().now_or_never().unwrap(),
        };
        let log = source.take_log();
        log.iter().for_each(|says| model.take(says, now));
        let usable = model.accepted.as_ref().filter(|(_, since)| now - *since < MAX_STALE);
        let is_over = model.last_was_foreign && model.grace_until.is_some_and(|until| now >= until);
        match (read, usable) {
            (Ok(secrets), Some((entries, since))) => {
                prop_assert_eq!(secrets.age(), now - *since, "it does not get younger");
                let mut expected: Vec<_> =
                    entries.iter().filter_map(|(name, value)| Some((*name, value.as_ref().ok()?.as_str()))).collect();
                expected.sort_unstable();
                let served: Vec<_> = secrets.iter().map(|(name, value)| (name, value.expose())).collect();
                prop_assert_eq!(served, expected, "what was accepted last, and nothing else");
                prop_assert!(!is_over || now - *since < TTL, "the time for refusals of others is over");
            }
            (Ok(_), None) => prop_assert!(false, "nothing that could be served"),
            (Err(error), Some((entries, since))) => {
                let is_unreadable = entries.iter().any(|(_, value)| value.is_err());
                let is_failure = !log.is_empty() && !error.is_retryable() && now - *since >= TTL;
                prop_assert!(is_unreadable || is_over || is_failure && error.status().is_some(), "{error} {log:?}");
                prop_assert!(!error.is_foreign_refusal() || is_over, "{error}");
            }
            (Err(_), None) => {}
        }
    }
    Ok(())
}

fn is_masked(log: &[Says]) -> bool {
    matches!(log, [Says::Secrets(entries)] if entries.iter().all(|(_, value)| *value == Err(UnreadableReason::Masked)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn a_read_is_given_what_was_accepted_last_at_its_true_age_or_an_error_and_never_what_is_held_back(steps in steps()) {
        holds(steps)?;
    }
}
