//! A snapshot that is newer than a known one: one request for everyone who asks at the same time, and not again for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::SecretSource;
use super::cache::{Flight, Found};
use super::landing::Landed;
use super::state::{Engine, Ticket};
use crate::core::{Clock, Secrets, Tick, XtraError};

/// How long a scope is left alone after a refresh of it began, and how old a snapshot must be to be worth one.
pub(crate) const PAUSE: Duration = Duration::from_secs(10);

/// The scopes that were refreshed lately, by key.
#[derive(Default)]
pub(crate) struct Pauses(Mutex<HashMap<Vec<u8>, Tick>>);

impl Pauses {
    /// Memory for so many scopes. When more are refreshed within one pause, the pause that began first ends early.
    const MOST: usize = 1024;

    /// What `begin` makes, unless the scope is paused; then the pause starts anew. `join` comes first: whoever can share what
    /// is under way needs no leave. All of it is one step, so that nobody is turned away from a refresh that is just starting.
    fn pass<T>(
        &self,
        key: &[u8],
        clock: &Clock,
        join: impl FnOnce() -> Option<T>,
        begin: impl FnOnce() -> T,
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
        Some(begin())
    }
}

impl<S: SecretSource> Engine<S> {
    /// A snapshot of `scope` that is newer than `known` and that `is_enough`: from the cache, or by a request that everyone who
    /// asks meanwhile shares. `None` when the newest there is does not do, or when it is too early to ask for a newer one.
    ///
    /// At most one request in [`PAUSE`] is begun for a scope, failed ones included, and none while the newest snapshot is
    /// younger than that.
    pub(crate) async fn renew(
        self: &Arc<Self>,
        scope: &S::Scope<'_>,
        mut known: Arc<Secrets>,
        is_enough: impl Fn(&Secrets) -> bool,
    ) -> Result<Option<Arc<Secrets>>, XtraError> {
        let key = self.ticket(scope)?.key;
        // A flight that an ordinary read began may bring what is known already. The one after it does not.
        for _ in 0..2 {
            if let Some(newer) = self.kept_after(&key, &known) {
                known = newer;
            }
            if is_enough(&known) {
                return Ok(Some(known));
            }
            if known.age() < PAUSE {
                return Ok(None);
            }
            let join = || self.flights.under_way(&key);
            let ticket = self.ticket(scope)?;
            let begin = || self.begin_renewal(ticket, &known);
            let Some(flight) = self.pauses.pass(&key, &self.clock, join, begin) else {
                // what paused the scope may have landed a moment ago
                return Ok(self.kept_after(&key, &known).filter(|newest| is_enough(newest)));
            };
            let loaded = flight.await?.served(false)?;
            if loaded.fetched() > known.fetched() {
                return Ok(is_enough(&loaded).then_some(loaded));
            }
        }
        Ok(None)
    }

    fn begin_renewal(self: &Arc<Self>, ticket: Ticket<S::Owned>, known: &Secrets) -> Flight<Result<Landed, XtraError>> {
        let (engine, known) = (Arc::clone(self), known.fetched());
        let key = ticket.key.clone();
        self.flights.join(&key, move || engine.load_unless(ticket, "renewal", move |kept| kept.fetched() > known))
    }

    /// What the cache holds, when it is another snapshot than `known` and not an older one.
    fn kept_after(&self, key: &[u8], known: &Arc<Secrets>) -> Option<Arc<Secrets>> {
        match self.cache.as_ref()?.find(key, self.clock.now()) {
            Found::Fresh(kept) if !Arc::ptr_eq(&kept, known) && kept.fetched() >= known.fetched() => Some(kept),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ManualClock;

    fn begins(pauses: &Pauses, clock: &ManualClock, key: &[u8]) -> bool {
        pauses.pass(key, &clock.clock(), || None, || ()).is_some()
    }

    #[test]
    fn a_scope_is_refreshed_at_most_once_in_ten_seconds_and_each_for_itself() {
        let (pauses, clock) = (Pauses::default(), ManualClock::new());
        assert!(begins(&pauses, &clock, b"a"));
        assert!(begins(&pauses, &clock, b"b"));
        clock.advance(Duration::from_millis(9_999));
        assert!(!begins(&pauses, &clock, b"a"));
        clock.advance(Duration::from_millis(1));
        assert!(begins(&pauses, &clock, b"a"));
        assert!(!begins(&pauses, &clock, b"a"));
    }

    #[test]
    fn who_can_join_needs_no_leave_and_takes_none() {
        let (pauses, clock) = (Pauses::default(), ManualClock::new());
        assert_eq!(pauses.pass(b"a", &clock.clock(), || Some(1), || 2), Some(1));
        assert_eq!(pauses.pass(b"a", &clock.clock(), || None, || 2), Some(2));
        assert_eq!(pauses.pass(b"a", &clock.clock(), || Some(1), || 2), Some(1));
        assert_eq!(pauses.pass(b"a", &clock.clock(), || None, || 2), None);
    }

    #[test]
    fn the_memory_of_refreshes_is_bounded_and_gives_up_the_oldest_first() {
        let (pauses, clock) = (Pauses::default(), ManualClock::new());
        let key = |number: usize| number.to_le_bytes();
        for number in 0..3 * Pauses::MOST {
            assert!(begins(&pauses, &clock, &key(number)));
            clock.advance(Duration::from_millis(1));
        }
        assert_eq!(pauses.0.lock().unwrap().len(), Pauses::MOST);
        assert!(!begins(&pauses, &clock, &key(3 * Pauses::MOST - 1)));
        clock.advance(PAUSE);
        assert!(begins(&pauses, &clock, b"one more"));
        assert_eq!(pauses.0.lock().unwrap().len(), 1, "what has passed leaves memory");
    }
}
