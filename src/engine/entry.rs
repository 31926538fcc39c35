//! One cached value with its deadlines, in the form that the store wants.

use std::cell::Cell;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::policy::Deadlines;
use crate::core::clock::{Clock, Tick};

thread_local! {
    /// The time that the store's questions are answered with. The store asks an entry whether it has expired without saying
    /// what time it is; reading the clock again for each question would double the cost of a hit.
    static NOW: Cell<Option<Tick>> = const { Cell::new(None) };
}

/// Runs `ask`, a synchronous call into the store, with `now` as the time that entries expire by.
pub(crate) fn at<T>(now: Tick, ask: impl FnOnce() -> T) -> T {
    NOW.set(Some(now));
    let answer = ask();
    NOW.set(None);
    answer
}

/// A value and what must be known to serve it.
pub(crate) struct Held<V> {
    pub(crate) key: Vec<u8>,
    pub(crate) value: V,
    pub(crate) deadlines: Deadlines,
    /// The order in which loads began: a later one may replace this value, an earlier one may not.
    pub(crate) sequence: u64,
    /// The place in the order of reads.
    pub(crate) read: AtomicU64,
    /// Which change of the store it was last found after. See [`Front`](crate::engine::cache::front::Front).
    pub(crate) found_after: AtomicU64,
}

impl<V> Held<V> {
    /// Makes this the entry read last. Reading the same one again and again writes nothing, so that threads which do it do
    /// not wait for each other.
    #[inline]
    pub(crate) fn touch(&self, latest: &AtomicU64) {
        if self.read.load(Ordering::Relaxed) != latest.load(Ordering::Relaxed) {
            self.read.store(next(latest), Ordering::Relaxed);
        }
    }
}

/// The place in the order of reads after the latest.
pub(crate) fn next(latest: &AtomicU64) -> u64 {
    latest.fetch_add(1, Ordering::Relaxed) + 1
}

/// What the store holds: it hands out clones, and moves what it holds.
pub(crate) struct Entry<V>(Arc<Held<V>>);

impl<V> Entry<V> {
    /// Whether this is that very entry, and no other one of the same key.
    pub(crate) fn is(&self, held: &Arc<Held<V>>) -> bool {
        Arc::ptr_eq(&self.0, held)
    }

    pub(crate) fn into_held(self) -> Arc<Held<V>> {
        self.0
    }
}

impl<V> From<Arc<Held<V>>> for Entry<V> {
    fn from(held: Arc<Held<V>>) -> Self {
        Self(held)
    }
}

impl<V> Clone for Entry<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V> Deref for Entry<V> {
    type Target = Held<V>;

    fn deref(&self) -> &Held<V> {
        &self.0
    }
}

impl<V> cached::Expires for Entry<V> {
    fn is_expired(&self) -> bool {
        let now = NOW.get().unwrap_or_else(|| Clock::system().now().after(Duration::ZERO));
        now >= self.deadlines.dead
    }
}
