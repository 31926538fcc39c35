//! The refresher: what is known of loads that run, ran lately or failed, and what that means for the next read of a scope.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::backoff::{ForeignGrace, Last, RefreshBackoff};
use super::outcome::LoadOutcome;
use super::single_flight::SingleFlight;
use super::tasks::{Tasks, WaitTimers};
use crate::core::{Clock, Tick, XtraError};

/// One client's loads and what came of them, by the key of the scope.
pub(crate) struct Refresher {
    /// The loads that run.
    pub(crate) loads: SingleFlight<Result<LoadOutcome, XtraError>>,
    pub(crate) throttle: RefreshThrottle,
    pub(crate) backoff: RefreshBackoff,
    pub(crate) grace: ForeignGrace,
    pub(crate) timers: WaitTimers,
    pub(crate) tasks: Tasks,
}

impl Refresher {
    pub(crate) fn new(foreign_refusal_grace: Duration) -> Self {
        Self {
            loads: SingleFlight::new(),
            throttle: RefreshThrottle::default(),
            backoff: RefreshBackoff::default(),
            grace: ForeignGrace::new(foreign_refusal_grace),
            timers: WaitTimers::default(),
            tasks: Tasks::default(),
        }
    }

    /// Whether an error counts as a service that cannot be reached, where it is to be decided whether what is kept is served.
    pub(crate) fn is_unreachable(&self, key: &[u8], error: &XtraError, now: Tick) -> bool {
        error.is_retryable() || error.is_foreign_refusal() && self.grace.covers(key, now)
    }

    /// What the last refresh of a scope, which failed, means for the next.
    pub(crate) fn last(&self, key: &[u8], now: Tick) -> Option<Last> {
        match self.backoff.last(key, now) {
            _ if self.backoff.is_foreign(key) && self.grace.is_over(key, now) => Some(Last::Refused),
            last => last,
        }
    }

    /// An error that says why nothing is served in its place, where that is not plain.
    pub(crate) fn explained(&self, key: &[u8], error: XtraError, now: Tick) -> XtraError {
        if !error.is_foreign_refusal() || self.grace.period().is_zero() || !self.grace.is_over(key, now) {
            return error;
        }
        error.with_note(format!(
            "The refusal is not the service's own, so what was kept has been served in its place; that ends {:?} after the first \
             (foreign_refusal_grace). Nothing was deleted",
            self.grace.period()
        ))
    }

    /// The service has answered for this scope.
    pub(crate) fn answered(&self, key: &[u8]) {
        self.backoff.clear(key);
        self.grace.end(key);
    }

    /// Later readers of this scope wait for no load that runs now, and for no pause.
    pub(crate) fn forget(&self, key: &[u8]) {
        self.loads.abandon(key);
        self.backoff.clear(key);
    }

    /// The same for every key that begins like this.
    pub(crate) fn forget_under(&self, start: &[u8]) {
        self.loads.abandon_under(start);
        self.backoff.clear_under(start);
    }

    /// The same for every scope.
    pub(crate) fn forget_all(&self) {
        self.loads.abandon_all();
        self.backoff.clear_all();
    }
}

/// How long a scope is left alone after a refresh of it began, and how old a snapshot must be to be worth one.
pub(crate) const PAUSE: Duration = Duration::from_secs(10);

/// The scopes that were refreshed lately, by key.
#[derive(Default)]
pub(crate) struct RefreshThrottle(Mutex<HashMap<Vec<u8>, Tick>>);

impl RefreshThrottle {
    /// Memory for so many scopes. When more are refreshed within one pause, the pause that began first ends early.
    const MOST: usize = 1024;

    /// What `start` makes, unless the scope is paused; then the pause starts anew. `join` comes first: whoever can share what
    /// is under way needs no leave. All of it is one step, so that nobody is turned away from a refresh that is just starting.
    pub(crate) fn join_or_start<T>(
        &self,
        key: &[u8],
        clock: &Clock,
        join: impl FnOnce() -> Option<T>,
        start: impl FnOnce() -> T,
    ) -> Option<T> {
        let mut begun = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = join() {
            return Some(shared);
        }
        let now = clock.now();
        if begun.get(key).is_some_and(|tick| now.since(*tick) < PAUSE) {
            return None;
        }
        if begun.len() >= Self::MOST {
            begun.retain(|_, tick| now.since(*tick) < PAUSE);
        }
        if begun.len() >= Self::MOST
            && let Some(first) = begun.iter().min_by_key(|(_, tick)| **tick).map(|(key, _)| key.clone())
        {
            begun.remove(&first);
        }
        begun.insert(key.to_vec(), now);
        Some(start())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ManualClock;

    fn starts(throttle: &RefreshThrottle, clock: &ManualClock, key: &[u8]) -> bool {
        throttle.join_or_start(key, &clock.clock(), || None, || ()).is_some()
    }

    #[test]
    fn a_scope_is_refreshed_at_most_once_in_ten_seconds_and_each_for_itself() {
        let (throttle, clock) = (RefreshThrottle::default(), ManualClock::new());
        assert!(starts(&throttle, &clock, b"a"));
        assert!(starts(&throttle, &clock, b"b"));
        clock.advance(Duration::from_millis(9_999));
        assert!(!starts(&throttle, &clock, b"a"));
        clock.advance(Duration::from_millis(1));
        assert!(starts(&throttle, &clock, b"a"));
        assert!(!starts(&throttle, &clock, b"a"));
    }

    #[test]
    fn who_can_join_needs_no_leave_and_takes_none() {
        let (throttle, clock) = (RefreshThrottle::default(), ManualClock::new());
        assert_eq!(throttle.join_or_start(b"a", &clock.clock(), || Some(1), || 2), Some(1));
        assert_eq!(throttle.join_or_start(b"a", &clock.clock(), || None, || 2), Some(2));
        assert_eq!(throttle.join_or_start(b"a", &clock.clock(), || Some(1), || 2), Some(1));
        assert_eq!(throttle.join_or_start(b"a", &clock.clock(), || None, || 2), None);
    }

    #[test]
    fn the_memory_of_refreshes_is_bounded_and_gives_up_the_oldest_first() {
        let (throttle, clock) = (RefreshThrottle::default(), ManualClock::new());
        let key = |number: usize| number.to_le_bytes();
        for number in 0..3 * RefreshThrottle::MOST {
            assert!(starts(&throttle, &clock, &key(number)));
            clock.advance(Duration::from_millis(1));
        }
        assert_eq!(throttle.0.lock().unwrap().len(), RefreshThrottle::MOST);
        assert!(!starts(&throttle, &clock, &key(3 * RefreshThrottle::MOST - 1)));
        clock.advance(PAUSE);
        assert!(starts(&throttle, &clock, b"one more"));
        assert_eq!(throttle.0.lock().unwrap().len(), 1, "what has passed leaves memory");
    }
}
