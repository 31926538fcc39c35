//! The bounded store: the least recently read entry goes first, an older answer never replaces a newer one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use cached::{ShardHasher, ShardedExpiringLruCache};

use super::clock::Tick;
use super::entry::{Entry, at};
use super::policy::{CacheOptions, spread};

pub(crate) struct Store<V> {
    entries: ShardedExpiringLruCache<Vec<u8>, Entry<V>, OneShard>,
    options: CacheOptions,
    /// Counts the loads begun, so that answers can be put in order.
    loads: AtomicU64,
    /// Goes up whenever entries are dropped on purpose. What was asked for before must not come back after.
    /// The lock also makes "look, then set" one step; it guards no read.
    generation: Mutex<u64>,
    /// How many of the entries that the store has counted as found were not fresh, or asked for a second time.
    no_hits: AtomicU64,
}

/// Sends every key to the only shard, without hashing it for that.
#[derive(Clone)]
struct OneShard;

impl<K: ?Sized> ShardHasher<K> for OneShard {
    fn shard_hash(&self, _: &K) -> u64 {
        0
    }
}

/// What a lookup found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found<V> {
    /// Within its time to live.
    Fresh(V),
    /// Past it, but not dead. Held for serving while the service is away.
    Aged(V),
    /// Nothing that may be used.
    Nothing,
}

/// The right to store one answer, taken when its load begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permit {
    sequence: u64,
    generation: u64,
}

impl<V: Clone + Send + Sync + 'static> Store<V> {
    /// A store by `options`, or `None` when they turn caching off.
    pub(crate) fn new(options: CacheOptions) -> Option<Self> {
        if options.ttl.is_zero() {
            return None;
        }
        // One shard: with more, the bound holds for each shard apart and the total is not exact.
        let builder = ShardedExpiringLruCache::builder().max_size(options.max_entries.max(1)).shards(1);
        let entries = builder.hasher(OneShard).build().ok()?;
        Some(Self { entries, options, loads: AtomicU64::new(0), generation: Mutex::new(0), no_hits: AtomicU64::new(0) })
    }

    pub(crate) fn find(&self, key: &[u8], now: Tick) -> Found<V> {
        match at(now, || self.entries.get(key)) {
            Some(entry) if now < entry.deadlines.fresh => Found::Fresh(entry.value),
            Some(entry) => {
                self.no_hits.fetch_add(1, Ordering::Relaxed);
                Found::Aged(entry.value)
            }
            None => Found::Nothing,
        }
    }

    /// [`find`](Self::find) for a caller that has looked already: what it finds is not one more hit.
    pub(crate) fn find_again(&self, key: &[u8], now: Tick) -> Found<V> {
        let found = self.find(key, now);
        if matches!(found, Found::Fresh(_)) {
            self.no_hits.fetch_add(1, Ordering::Relaxed);
        }
        found
    }

    /// How many lookups found a fresh entry. The store counts them anyway; a counter beside it would make threads that read
    /// at the same time wait for one more thing.
    pub(crate) fn hits(&self) -> u64 {
        let found = self.entries.metrics().hits.unwrap_or_default();
        found.saturating_sub(self.no_hits.load(Ordering::Relaxed))
    }

    pub(crate) fn permit(&self) -> Permit {
        let generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        Permit { sequence: self.loads.fetch_add(1, Ordering::Relaxed), generation: *generation }
    }

    /// Keeps `value`, unless entries were dropped since `permit` was taken or a later load has stored already.
    pub(crate) fn keep(&self, key: &[u8], value: V, permit: Permit, now: Tick) {
        let generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = at(now, || self.entries.peek(key)).is_some_and(|kept| kept.sequence > permit.sequence);
        if *generation != permit.generation || newer {
            return;
        }
        let deadlines = self.options.deadlines(now, spread(permit.sequence));
        let entry = Entry { value, deadlines, sequence: permit.sequence };
        at(now, || self.entries.set(key.to_vec(), entry));
    }

    /// Drops one entry, because the service has said that the caller may not have it.
    pub(crate) fn forget(&self, key: &[u8], now: Tick) {
        let _order = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        at(now, || self.entries.remove(key));
    }

    /// Drops everything, and what is under way will not be kept either.
    pub(crate) fn clear(&self) {
        let mut generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        *generation += 1;
        self.entries.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cache::ManualClock;

    fn store(max_entries: usize) -> Store<u32> {
        let options = CacheOptions { max_entries, jitter: 0.0, ..CacheOptions::default() };
        Store::new(options).expect("the cache is on")
    }

    #[test]
    fn a_value_is_fresh_for_the_ttl_then_aged_until_max_stale_then_gone() {
        let (store, clock) = (store(4), ManualClock::new());
        let now = || clock.clock().now();
        store.keep(b"k", 7, store.permit(), now());
        clock.advance(Duration::from_secs(29));
        assert_eq!(store.find(b"k", now()), Found::Fresh(7));
        clock.advance(Duration::from_secs(1));
        assert_eq!(store.find(b"k", now()), Found::Aged(7));
        clock.advance(Duration::from_secs(3569));
        assert_eq!(store.find(b"k", now()), Found::Aged(7));
        clock.advance(Duration::from_secs(1));
        assert_eq!(store.find(b"k", now()), Found::Nothing);
        assert_eq!(store.len(), 0, "a dead entry leaves memory when it is met");
    }

    #[test]
    fn the_bound_is_exact_and_the_least_recently_read_goes_first() {
        let (store, clock) = (store(2), ManualClock::new());
        let now = clock.clock().now();
        store.keep(b"a", 1, store.permit(), now);
        store.keep(b"b", 2, store.permit(), now);
        assert_eq!(store.find(b"a", now), Found::Fresh(1));
        store.keep(b"c", 3, store.permit(), now);
        assert_eq!(store.len(), 2);
        assert_eq!(store.find(b"b", now), Found::Nothing);
        assert_eq!(store.find(b"a", now), Found::Fresh(1));
    }

    #[test]
    fn an_answer_asked_for_earlier_never_replaces_one_asked_for_later() {
        let (store, clock) = (store(2), ManualClock::new());
        let (earlier, later) = (store.permit(), store.permit());
        store.keep(b"k", 2, later, clock.clock().now());
        store.keep(b"k", 1, earlier, clock.clock().now());
        assert_eq!(store.find(b"k", clock.clock().now()), Found::Fresh(2));
    }

    #[test]
    fn what_was_asked_for_before_a_clear_does_not_come_back_after_it() {
        let (store, clock) = (store(2), ManualClock::new());
        let before = store.permit();
        store.clear();
        store.keep(b"k", 1, before, clock.clock().now());
        assert_eq!(store.find(b"k", clock.clock().now()), Found::Nothing);
        store.keep(b"k", 2, store.permit(), clock.clock().now());
        assert_eq!(store.find(b"k", clock.clock().now()), Found::Fresh(2));
    }

    #[test]
    fn a_ttl_of_zero_turns_the_cache_off() {
        assert!(Store::<u32>::new(CacheOptions { ttl: Duration::ZERO, ..CacheOptions::default() }).is_none());
    }
}
