//! The back-off of refreshes that failed, and the grace in which foreign refusals are forgiven. A scope whose refresh failed is
//! left alone for a while: an aged snapshot is served meanwhile, and nobody waits for a service that was just found unreachable.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::core::{ErrorKind, Tick, XtraError};

/// The failed refreshes, by key.
#[derive(Default)]
pub(crate) struct RefreshBackoff(Mutex<HashMap<Vec<u8>, Failed>>);

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
    Unreachable,
    /// It failed in a way that somebody has to see. It is not asked for now.
    Rejected,
    /// The service could not be reached a moment ago. It may be asked, but is not worth waiting for.
    RecentlyUnreachable,
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

impl RefreshBackoff {
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
            (true, true) => Some(Last::Unreachable),
            (true, false) => Some(Last::Rejected),
            (false, true) if last.times > 0 && now < last.until.after(LATELY) => Some(Last::RecentlyUnreachable),
            (false, _) => None,
        }
    }

    /// Forgets what was noted of `key`.
    pub(crate) fn clear(&self, key: &[u8]) {
        self.lock().remove(key);
    }

    /// Forgets what was noted of every key that begins like this.
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

/// Until when what is kept is served in place of such refusals, by key. The time counts from the first refusal, and is over as
/// soon as the service itself has answered.
pub(crate) struct ForeignGrace {
    period: Duration,
    until: Mutex<HashMap<Vec<u8>, Tick>>,
}

impl ForeignGrace {
    /// Memory for so many scopes. The one whose time ends first makes room.
    const MOST: usize = 1024;

    pub(crate) fn new(period: Duration) -> Self {
        Self { period, until: Mutex::default() }
    }

    pub(crate) fn period(&self) -> Duration {
        self.period
    }

    /// Whether a refusal has come before.
    pub(crate) fn has_begun(&self, key: &[u8]) -> bool {
        self.lock().contains_key(key)
    }

    /// The first refusal came `spent` before `now`. One that came before that stays the first.
    pub(crate) fn begin(&self, key: &[u8], spent: Duration, now: Tick) {
        let until = now.after(self.period.saturating_sub(spent));
        let mut known = self.lock();
        if known.len() >= Self::MOST
            && !known.contains_key(key)
            && let Some(first) = known.iter().min_by_key(|(_, until)| **until).map(|(key, _)| key.clone())
        {
            known.remove(&first);
        }
        known.entry(key.to_vec()).and_modify(|known| *known = (*known).min(until)).or_insert(until);
    }

    /// Whether what is kept may be served at `now`.
    pub(crate) fn covers(&self, key: &[u8], now: Tick) -> bool {
        self.lock().get(key).is_some_and(|until| now < *until)
    }

    /// Whether the time is over.
    pub(crate) fn is_over(&self, key: &[u8], now: Tick) -> bool {
        self.lock().get(key).is_some_and(|until| now >= *until)
    }

    /// The service itself has answered.
    pub(crate) fn end(&self, key: &[u8]) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Tick>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the service itself refuses: the caller may no longer have what is kept. By its status, and for a service that tells
/// by its words, by these: then another status may be a refusal, and one of these none.
pub(crate) fn is_own_refusal(error: &XtraError) -> bool {
    let refuses = match error.status() {
        Some(401 | 403 | 404) => error.kind() != ErrorKind::Invalid,
        Some(400 | 500) => {
            let kinds = [ErrorKind::Unauthorized, ErrorKind::Forbidden, ErrorKind::NotFound];
            error.is_own_answer() && kinds.contains(&error.kind())
        }
        _ => false,
    };
    refuses && !error.is_foreign_refusal()
}

/// Whether an error is certainly the service's own answer.
pub(crate) fn is_own_answer(error: &XtraError) -> bool {
    let tells =
        || error.is_own_answer() || is_own_refusal(error) || error.status() == Some(410) || error.code().is_some();
    !error.is_foreign_refusal() && tells()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ManualClock;

    fn pause(backoff: &RefreshBackoff, error: &XtraError) -> Duration {
        let now = ManualClock::new().clock().now();
        backoff.note(b"k", error, true, now);
        let ends = |millis: u64| {
            !matches!(
                backoff.last(b"k", now.after(Duration::from_millis(millis))),
                Some(Last::Unreachable | Last::Rejected)
            )
        };
        let end = (0..200_000).step_by(500).find(|millis| ends(*millis));
        Duration::from_millis(end.expect("it ends"))
    }

    #[test]
    fn pauses_double_from_a_second_to_half_a_minute_and_start_anew_after_a_success() {
        let (backoff, error) = (RefreshBackoff::default(), XtraError::new(ErrorKind::Network, "down"));
        let pauses: Vec<_> = (0..7).map(|_| pause(&backoff, &error).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        backoff.clear(b"k");
        assert_eq!(pause(&backoff, &error), FIRST);
    }

    #[test]
    fn a_wait_that_the_service_asks_for_is_kept_to_up_to_a_minute() {
        let asked =
            |seconds| XtraError::new(ErrorKind::RateLimited, "slowly").with_retry_after(Duration::from_secs(seconds));
        assert_eq!(pause(&RefreshBackoff::default(), &asked(37)), Duration::from_secs(37));
        assert_eq!(pause(&RefreshBackoff::default(), &asked(86_400)), LONGEST_ASKED);
    }

    #[test]
    fn what_may_pass_is_told_from_what_does_not() {
        let (backoff, now) = (RefreshBackoff::default(), ManualClock::new().clock().now());
        backoff.note(b"k", &XtraError::new(ErrorKind::Timeout, "late"), true, now);
        assert_eq!(backoff.last(b"k", now), Some(Last::Unreachable));
        backoff.note(b"k", &XtraError::new(ErrorKind::Decode, "html"), false, now);
        assert_eq!(backoff.last(b"k", now), Some(Last::Rejected));
        assert_eq!(backoff.last(b"other", now), None);
    }

    #[test]
    fn a_failure_that_may_pass_is_news_for_a_minute_after_its_pause_and_a_pause_without_one_is_not() {
        let (backoff, start) = (RefreshBackoff::default(), ManualClock::new().clock().now());
        let after = |millis| start.after(Duration::from_millis(millis));
        backoff.note(b"k", &XtraError::new(ErrorKind::Network, "down"), true, start);
        assert_eq!(backoff.last(b"k", after(1_000)), Some(Last::RecentlyUnreachable));
        assert_eq!(backoff.last(b"k", after(60_999)), Some(Last::RecentlyUnreachable));
        assert_eq!(backoff.last(b"k", after(61_000)), None);
        backoff.note(b"broken", &XtraError::new(ErrorKind::Decode, "html"), false, start);
        assert_eq!(backoff.last(b"broken", after(1_000)), None);
        backoff.hold(b"held", FIRST, start);
        assert_eq!(backoff.last(b"held", start), Some(Last::Unreachable));
        assert_eq!(backoff.last(b"held", after(1_000)), None);
    }

    #[test]
    fn failures_of_what_begins_alike_are_forgotten_together() {
        let (backoff, now) = (RefreshBackoff::default(), ManualClock::new().clock().now());
        for key in [b"one/a", b"one/b", b"two/a"] {
            backoff.note(key, &XtraError::new(ErrorKind::Network, "down"), true, now);
        }
        backoff.clear_under(b"one/");
        assert_eq!((backoff.last(b"one/b", now), backoff.last(b"two/a", now)), (None, Some(Last::Unreachable)));
    }

    #[test]
    fn the_memory_of_failures_is_bounded() {
        let (backoff, now) = (RefreshBackoff::default(), ManualClock::new().clock().now());
        for number in 0..3 * MOST {
            backoff.note(&number.to_le_bytes(), &XtraError::new(ErrorKind::Network, "down"), true, now);
            backoff.hold(&(number as u32).to_le_bytes(), FIRST, now);
        }
        assert_eq!(backoff.lock().len(), MOST);
    }

    #[test]
    fn a_refresh_that_is_slow_is_waited_for_by_nobody_until_it_ends_or_a_minute_has_passed() {
        let (backoff, now) = (RefreshBackoff::default(), ManualClock::new().clock().now());
        assert!(backoff.note_slow(b"k", now) && !backoff.note_slow(b"k", now));
        assert_eq!((backoff.last(b"k", now), backoff.is_slow(b"k", now)), (Some(Last::RecentlyUnreachable), true));
        let later = now.after(LATELY);
        assert_eq!((backoff.last(b"k", later), backoff.is_slow(b"k", later)), (None, false));
        backoff.note(b"k", &XtraError::new(ErrorKind::Timeout, "late"), true, now);
        assert!(!backoff.is_slow(b"k", now));
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_time_counts_from_the_first_refusal_and_anew_after_an_answer() {
        let (grace, now) = (ForeignGrace::new(15 * MINUTE), ManualClock::new().clock().now());
        assert!(!grace.has_begun(b"k") && !grace.covers(b"k", now) && !grace.is_over(b"k", now));
        grace.begin(b"k", Duration::ZERO, now);
        grace.begin(b"k", Duration::ZERO, now.after(10 * MINUTE));
        assert!(grace.covers(b"k", now.after(14 * MINUTE)) && grace.is_over(b"k", now.after(15 * MINUTE)));
        grace.end(b"k");
        grace.begin(b"k", Duration::ZERO, now.after(20 * MINUTE));
        assert!(grace.covers(b"k", now.after(34 * MINUTE)));
    }

    #[test]
    fn what_another_process_has_used_up_is_not_given_twice() {
        let (grace, now) = (ForeignGrace::new(15 * MINUTE), ManualClock::new().clock().now());
        grace.begin(b"k", 14 * MINUTE, now);
        assert!(grace.covers(b"k", now) && grace.is_over(b"k", now.after(MINUTE)));
        grace.begin(b"old", Duration::MAX, now);
        assert!(grace.is_over(b"old", now));
        let none = ForeignGrace::new(Duration::ZERO);
        none.begin(b"k", Duration::ZERO, now);
        assert!(none.is_over(b"k", now));
    }

    #[test]
    fn the_memory_of_refusals_is_bounded() {
        let (grace, now) = (ForeignGrace::new(MINUTE), ManualClock::new().clock().now());
        (0..3 * ForeignGrace::MOST).for_each(|number| grace.begin(&number.to_le_bytes(), Duration::ZERO, now));
        assert_eq!(grace.lock().len(), ForeignGrace::MOST);
    }

    #[test]
    fn a_refusal_is_the_service_s_own_unless_it_is_told_otherwise() {
        for status in [401, 403, 404] {
            let error = XtraError::new(ErrorKind::Forbidden, "no").with_status(status);
            assert!(is_own_refusal(&error) && is_own_answer(&error));
            let foreign = error.with_foreign_refusal();
            assert!(!is_own_refusal(&foreign) && !is_own_answer(&foreign));
        }
        assert!(!is_own_answer(&XtraError::new(ErrorKind::Server, "html").with_status(500)));
    }
}
