//! Scopes whose refresh failed lately. They are left alone for a while: an aged snapshot is served meanwhile, and nobody waits
//! for a service that has just been found away.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::core::{Tick, XtraError};

/// The failed refreshes, by key.
#[derive(Default)]
pub(crate) struct Failures(Mutex<HashMap<Vec<u8>, Failed>>);

struct Failed {
    times: u32,
    until: Tick,
    may_pass: bool,
    /// It was a refusal that is not the service's own.
    foreign: bool,
    /// It has not failed, but took longer than readers wait; it may be under way still.
    slow: bool,
}

impl Failed {
    /// One that may pass and asks for no pause.
    fn passing(times: u32, now: Tick) -> Self {
        Self { times, until: now, may_pass: true, foreign: false, slow: false }
    }
}

/// What the last refresh of a scope, which failed, means for the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    /// The service could not be reached. It is not asked for now.
    Away,
    /// It failed in a way that somebody has to see. It is not asked for now.
    Broken,
    /// The service could not be reached a moment ago. It may be asked, but is not worth waiting for.
    AwayLately,
    /// It was refused, not by the service itself, and for longer than that is forgiven. Nothing that is kept is served.
    Refused,
}

/// The first pause, which doubles with every further failure.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause that the client chooses by itself.
const LONGEST: Duration = Duration::from_secs(30);
/// The longest pause at the service's wish. A service that is asked once a minute is not troubled, and a limit that was raised
/// or a window that was reset is noticed.
const LONGEST_ASKED: Duration = Duration::from_secs(60);
/// How long after a pause the failure is still news.
const LATELY: Duration = Duration::from_secs(60);

/// Memory for so many scopes. The one whose pause ends first makes room.
const MOST: usize = 1024;

impl Failures {
    /// Notes that a refresh of `key` failed at `now`. `is_away` tells whether that counts as a service that cannot be reached.
    pub(crate) fn note(&self, key: &[u8], error: &XtraError, is_away: bool, now: Tick) {
        let mut failed = self.lock();
        let times = failed.get(key).map_or(0, |before| before.times).saturating_add(1);
        let own = FIRST.saturating_mul(1 << (times - 1).min(10)).min(LONGEST);
        let pause = own.max(error.retry_after().unwrap_or_default().min(LONGEST_ASKED));
        let foreign = error.is_foreign_refusal();
        remember(&mut failed, key, Failed { times, until: now.after(pause), may_pass: is_away, foreign, slow: false });
    }

    /// Leaves `key` alone for `pause`, without counting it as a failure.
    pub(crate) fn hold(&self, key: &[u8], pause: Duration, now: Tick) {
        remember(&mut self.lock(), key, Failed { until: now.after(pause), ..Failed::passing(0, now) });
    }

    /// Notes that a refresh of `key` takes longer than readers wait. Nobody waits for it any more. `true` for the first to say so.
    pub(crate) fn note_slow(&self, key: &[u8], now: Tick) -> bool {
        let mut failed = self.lock();
        let before = failed.get(key).map(|before| (before.times, before.slow));
        let (times, was_slow) = before.unwrap_or_default();
        remember(&mut failed, key, Failed { slow: true, ..Failed::passing(times.max(1), now) });
        !was_slow
    }

    /// Whether a refresh of `key` was [slow](Self::note_slow) a moment ago.
    pub(crate) fn is_slow(&self, key: &[u8], now: Tick) -> bool {
        self.lock().get(key).is_some_and(|last| last.slow && now < last.until.after(LATELY))
    }

    /// Whether the last refresh of `key` met a refusal that is not the service's own.
    pub(crate) fn is_foreign(&self, key: &[u8]) -> bool {
        self.lock().get(key).is_some_and(|last| last.foreign)
    }

    /// What the last failure of `key` means at `now`.
    pub(crate) fn last(&self, key: &[u8], now: Tick) -> Option<Last> {
        let failed = self.lock();
        let last = failed.get(key)?;
        match (now < last.until, last.may_pass) {
            (true, true) => Some(Last::Away),
            (true, false) => Some(Last::Broken),
            (false, true) if last.times > 0 && now < last.until.after(LATELY) => Some(Last::AwayLately),
            (false, _) => None,
        }
    }

    /// Forgets what was noted of `key`.
    pub(crate) fn clear(&self, key: &[u8]) {
        self.lock().remove(key);
    }

    /// Forgets what was noted of every key that begins like this.
    #[cfg(feature = "xtra")]
    pub(crate) fn clear_under(&self, start: &[u8]) {
        self.lock().retain(|key, _| !key.starts_with(start));
    }

    /// Forgets everything.
    pub(crate) fn clear_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Failed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remember(failed: &mut HashMap<Vec<u8>, Failed>, key: &[u8], last: Failed) {
    if failed.len() >= MOST
        && !failed.contains_key(key)
        && let Some(first) = failed.iter().min_by_key(|(_, failed)| failed.until).map(|(key, _)| key.clone())
    {
        failed.remove(&first);
    }
    failed.insert(key.to_vec(), last);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ErrorKind;
    use crate::core::ManualClock;

    fn pause(failures: &Failures, error: &XtraError) -> Duration {
        let now = ManualClock::new().clock().now();
        failures.note(b"k", error, true, now);
        let ends = |millis: u64| {
            !matches!(failures.last(b"k", now.after(Duration::from_millis(millis))), Some(Last::Away | Last::Broken))
        };
        let end = (0..200_000).step_by(500).find(|millis| ends(*millis));
        Duration::from_millis(end.expect("it ends"))
    }

    #[test]
    fn pauses_double_from_a_second_to_half_a_minute_and_start_anew_after_a_success() {
        let (failures, error) = (Failures::default(), XtraError::new(ErrorKind::Network, "down"));
        let pauses: Vec<_> = (0..7).map(|_| pause(&failures, &error).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        failures.clear(b"k");
        assert_eq!(pause(&failures, &error), FIRST);
    }

    #[test]
    fn a_wait_that_the_service_asks_for_is_kept_to_up_to_a_minute() {
        let asked =
            |seconds| XtraError::new(ErrorKind::RateLimited, "slowly").with_retry_after(Duration::from_secs(seconds));
        assert_eq!(pause(&Failures::default(), &asked(37)), Duration::from_secs(37));
        assert_eq!(pause(&Failures::default(), &asked(86_400)), LONGEST_ASKED);
    }

    #[test]
    fn what_may_pass_is_told_from_what_does_not() {
        let (failures, now) = (Failures::default(), ManualClock::new().clock().now());
        failures.note(b"k", &XtraError::new(ErrorKind::Timeout, "late"), true, now);
        assert_eq!(failures.last(b"k", now), Some(Last::Away));
        failures.note(b"k", &XtraError::new(ErrorKind::Decode, "html"), false, now);
        assert_eq!(failures.last(b"k", now), Some(Last::Broken));
        assert_eq!(failures.last(b"other", now), None);
    }

    #[test]
    fn a_failure_that_may_pass_is_news_for_a_minute_after_its_pause_and_a_pause_without_one_is_not() {
        let (failures, start) = (Failures::default(), ManualClock::new().clock().now());
        let after = |millis| start.after(Duration::from_millis(millis));
        failures.note(b"k", &XtraError::new(ErrorKind::Network, "down"), true, start);
        assert_eq!(failures.last(b"k", after(1_000)), Some(Last::AwayLately));
        assert_eq!(failures.last(b"k", after(60_999)), Some(Last::AwayLately));
        assert_eq!(failures.last(b"k", after(61_000)), None);
        failures.note(b"broken", &XtraError::new(ErrorKind::Decode, "html"), false, start);
        assert_eq!(failures.last(b"broken", after(1_000)), None);
        failures.hold(b"held", FIRST, start);
        assert_eq!(failures.last(b"held", start), Some(Last::Away));
        assert_eq!(failures.last(b"held", after(1_000)), None);
    }

    #[test]
    fn failures_of_what_begins_alike_are_forgotten_together() {
        let (failures, now) = (Failures::default(), ManualClock::new().clock().now());
        for key in [b"one/a", b"one/b", b"two/a"] {
            failures.note(key, &XtraError::new(ErrorKind::Network, "down"), true, now);
        }
        failures.clear_under(b"one/");
        assert_eq!((failures.last(b"one/b", now), failures.last(b"two/a", now)), (None, Some(Last::Away)));
    }

    #[test]
    fn the_memory_of_failures_is_bounded() {
        let (failures, now) = (Failures::default(), ManualClock::new().clock().now());
        for number in 0..3 * MOST {
            failures.note(&number.to_le_bytes(), &XtraError::new(ErrorKind::Network, "down"), true, now);
            failures.hold(&(number as u32).to_le_bytes(), FIRST, now);
        }
        assert_eq!(failures.lock().len(), MOST);
    }

    #[test]
    fn a_refresh_that_is_slow_is_waited_for_by_nobody_until_it_ends_or_a_minute_has_passed() {
        let (failures, now) = (Failures::default(), ManualClock::new().clock().now());
        assert!(failures.note_slow(b"k", now) && !failures.note_slow(b"k", now));
        assert_eq!((failures.last(b"k", now), failures.is_slow(b"k", now)), (Some(Last::AwayLately), true));
        let later = now.after(LATELY);
        assert_eq!((failures.last(b"k", later), failures.is_slow(b"k", later)), (None, false));
        failures.note(b"k", &XtraError::new(ErrorKind::Timeout, "late"), true, now);
        assert!(!failures.is_slow(b"k", now));
    }
}
