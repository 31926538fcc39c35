//! Refusals that are not the service's own, a proxy's or a firewall's, and for how long they are forgiven.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::core::{Tick, XtraError};

/// Until when what is kept is served in place of such refusals, by key. The time counts from the first refusal, and is over as
/// soon as the service itself has answered.
pub(crate) struct Grace {
    period: Duration,
    until: Mutex<HashMap<Vec<u8>, Tick>>,
}

impl Grace {
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

/// Whether the service itself refuses: the caller may no longer have what is kept.
pub(crate) fn is_own_refusal(error: &XtraError) -> bool {
    matches!(error.status(), Some(401 | 403 | 404)) && !error.is_foreign_refusal()
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
    use crate::core::ErrorKind;
    use crate::core::ManualClock;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_time_counts_from_the_first_refusal_and_anew_after_an_answer() {
        let (grace, now) = (Grace::new(15 * MINUTE), ManualClock::new().clock().now());
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
        let (grace, now) = (Grace::new(15 * MINUTE), ManualClock::new().clock().now());
        grace.begin(b"k", 14 * MINUTE, now);
        assert!(grace.covers(b"k", now) && grace.is_over(b"k", now.after(MINUTE)));
        grace.begin(b"old", Duration::MAX, now);
        assert!(grace.is_over(b"old", now));
        let none = Grace::new(Duration::ZERO);
        none.begin(b"k", Duration::ZERO, now);
        assert!(none.is_over(b"k", now));
    }

    #[test]
    fn the_memory_of_refusals_is_bounded() {
        let (grace, now) = (Grace::new(MINUTE), ManualClock::new().clock().now());
        (0..3 * Grace::MOST).for_each(|number| grace.begin(&number.to_le_bytes(), Duration::ZERO, now));
        assert_eq!(grace.lock().len(), Grace::MOST);
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
