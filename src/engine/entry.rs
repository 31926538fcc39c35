//! Cached entries: a value with its deadlines, and the order in which entries leave a full store.

use std::cell::Cell;
use std::cmp::Ordering as CmpOrdering;
use std::collections::BinaryHeap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::ThreadId;
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
    pub(crate) value: V,
    pub(crate) about: Arc<About>,
    lent: Mutex<Vec<(ThreadId, V)>>,
}

impl<V: Clone> Held<V> {
    /// So many threads get a value of their own. More of them share the first one's.
    const MOST: usize = 64;

    pub(crate) fn new(value: V, about: About) -> Self {
        Self { value, about: Arc::new(about), lent: Mutex::new(Vec::new()) }
    }

    /// The value as this thread has it, whenever it asks: the entry's own for the first thread that asks, and one that `share`
    /// makes for each other, so that they do not write to the same reference count. It leaves memory with the entry.
    pub(crate) fn lend(&self, share: impl FnOnce(&V) -> V) -> V {
        let this = std::thread::current().id();
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, value)) = lent.iter().find(|(thread, _)| *thread == this) {
            return value.clone();
        }
        let value = if lent.is_empty() || lent.len() >= Self::MOST { self.value.clone() } else { share(&self.value) };
        if lent.len() < Self::MOST {
            lent.push((this, value.clone()));
        }
        value
    }
}

/// What is known of an entry beside its value, which it does not keep in memory.
pub(crate) struct About {
    pub(crate) key: Vec<u8>,
    pub(crate) deadlines: Deadlines,
    /// The order in which loads began: a later one may replace this value, an earlier one may not.
    pub(crate) sequence: u64,
    /// The place in the order of reads.
    pub(crate) read: AtomicU64,
}

impl<V> Deref for Held<V> {
    type Target = About;

    #[inline]
    fn deref(&self) -> &About {
        &self.about
    }
}

impl About {
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

/// Every entry of a store, by when it was read and by when it dies: the dead leave first, then the one read longest ago.
///
/// Reads write a number into the entry and touch nothing here, so a place may be older than what its entry says; it is then
/// put back by the newer number before anything leaves. What has left the store in another way is skipped.
pub(crate) struct EvictionOrder<V> {
    by_read: BinaryHeap<Place<V>>,
    by_death: BinaryHeap<Place<V>>,
}

/// An entry, and the number that it stands under: the smallest comes first.
struct Place<V> {
    number: u64,
    /// Weak, so that a value leaves memory with its entry.
    held: Weak<Held<V>>,
}

/// So many places may be left over from entries that are gone, beside as many as there are entries.
const LEFT_OVER: usize = 64;

impl<V> Default for EvictionOrder<V> {
    fn default() -> Self {
        Self { by_read: BinaryHeap::new(), by_death: BinaryHeap::new() }
    }
}

impl<V> EvictionOrder<V> {
    /// An entry comes into the store, which then has `entries` of them.
    pub(crate) fn enter(&mut self, held: &Arc<Held<V>>, entries: usize) {
        let place = |number| Place { number, held: Arc::downgrade(held) };
        self.by_read.push(place(held.read.load(Ordering::Relaxed)));
        self.by_death.push(place(held.deadlines.dead.number()));
        for places in [&mut self.by_read, &mut self.by_death] {
            if places.len() > 2 * entries + LEFT_OVER {
                places.retain(|place| place.held.strong_count() > 0);
            }
        }
    }

    /// Takes out the entry read longest ago, of those that the store still has.
    pub(crate) fn read_longest_ago(&mut self, is_stored: impl Fn(&Arc<Held<V>>) -> bool) -> Option<Arc<Held<V>>> {
        while let Some(place) = self.by_read.pop() {
            let Some(held) = place.held.upgrade().filter(&is_stored) else { continue };
            let read = held.read.load(Ordering::Relaxed);
            if read == place.number {
                return Some(held);
            }
            self.by_read.push(Place { number: read, ..place });
        }
        None
    }

    /// Takes out an entry that is dead at `now`.
    pub(crate) fn dead(&mut self, now: Tick) -> Option<Arc<Held<V>>> {
        while self.by_death.peek().is_some_and(|place| place.number <= now.number()) {
            if let Some(held) = self.by_death.pop().and_then(|place| place.held.upgrade()) {
                return Some(held);
            }
        }
        None
    }

    /// When the next entry dies.
    pub(crate) fn next_death(&mut self) -> Option<Tick> {
        while let Some(place) = self.by_death.peek() {
            if place.held.strong_count() > 0 {
                return Some(Tick::at(place.number));
            }
            self.by_death.pop();
        }
        None
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many places there are, of those that are left over too.
    #[cfg(test)]
    pub(crate) fn places(&self) -> usize {
        self.by_read.len().max(self.by_death.len())
    }
}

impl<V> Ord for Place<V> {
    /// The smallest number is the greatest place: a heap gives the greatest first.
    fn cmp(&self, other: &Self) -> CmpOrdering {
        other.number.cmp(&self.number)
    }
}

impl<V> PartialOrd for Place<V> {
    fn partial_cmp(&self, other: &Self) -> Option<CmpOrdering> {
        Some(self.cmp(other))
    }
}

impl<V> PartialEq for Place<V> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<V> Eq for Place<V> {}
