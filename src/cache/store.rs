//! The bounded store: the least recently read entry goes first, an older answer never replaces a newer one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cached::{ShardHasher, ShardedExpiringLruCache};

use super::clock::Tick;
use super::entry::{Entry, Held, at, next};
use super::front::Front;
use super::policy::{CacheOptions, Deadlines, spread};

pub(crate) struct Store<V> {
    /// What is held, within the bound. Whoever changes it says so to `front`.
    entries: ShardedExpiringLruCache<Vec<u8>, Entry<V>, OneShard>,
    /// What was read most lately, from where it is read again.
    front: Front<V>,
    /// The last place in the order of reads. The entries keep that order: the store's own would make each read wait for the
    /// others.
    latest_read: AtomicU64,
    options: CacheOptions,
    /// Counts the loads begun, so that answers can be put in order.
    loads: AtomicU64,
    /// Goes up whenever entries are dropped on purpose. What was asked for before must not come back after.
    /// The lock also makes "look, then set" one step; it guards no read.
    generation: Mutex<u64>,
    /// No entry dies before this point. A sweep looks at nothing until then.
    first_death: AtomicU64,
}

/// A store that holds so many entries drops two at once when it is full, one that holds twice as many three, and so on: to
/// look at each of very many entries for every single one that comes would take too long.
const BATCH: usize = 4096;

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
    /// Past it, and may be served while one refresh runs.
    Stale(V),
    /// Past that too. May be served when the service cannot be reached.
    Old(V),
    /// Nothing that may be used.
    Nothing,
}

/// The right to store one answer, taken when its load begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permit {
    sequence: u64,
    generation: u64,
}

/// An answer to be stored: the right to, and until when it may do what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) permit: Permit,
    pub(crate) deadlines: Deadlines,
}

/// What became of an answer that was to be stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kept<V> {
    /// It is what reads find from now on.
    Stored,
    /// Entries were dropped since its load began, or a later load has stored already.
    Outdated,
    /// The entry that is there was to be kept.
    Refused(V),
}

impl<V: Clone + Send + Sync + 'static> Store<V> {
    /// A store by `options`, or `None` when they turn caching off.
    pub(crate) fn new(options: CacheOptions) -> Option<Self> {
        if options.ttl.is_zero() {
            return None;
        }
        // One shard: with more, the bound holds for each shard apart and the total is not exact.
        let builder = ShardedExpiringLruCache::builder().max_size(options.capacity()).shards(1);
        let entries = builder.hasher(OneShard).build().ok()?;
        Some(Self {
            entries,
            front: Front::default(),
            latest_read: AtomicU64::new(0),
            options,
            loads: AtomicU64::new(0),
            generation: Mutex::new(0),
            first_death: AtomicU64::new(u64::MAX),
        })
    }

    #[inline]
    pub(crate) fn find(&self, key: &[u8], now: Tick) -> Found<V> {
        match self.front.find(key, now, &self.latest_read) {
            Some(value) => Found::Fresh(value),
            None => self.find_behind(key, now),
        }
    }

    fn find_behind(&self, key: &[u8], now: Tick) -> Found<V> {
        let change = self.front.latest_change();
        let Some(entry) = at(now, || self.entries.peek(key)) else {
            // peeking leaves a dead entry where it is; getting it takes it out of memory
            let _ = at(now, || self.entries.get(key));
            self.front.forget(key);
            return Found::Nothing;
        };
        entry.touch(&self.latest_read);
        let value = entry.value.clone();
        if now >= entry.deadlines.revalidate {
            return Found::Old(value);
        }
        if now >= entry.deadlines.fresh {
            return Found::Stale(value);
        }
        self.front.offer(entry.into_held(), change, now);
        Found::Fresh(value)
    }

    pub(crate) fn permit(&self) -> Permit {
        let generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        Permit { sequence: self.loads.fetch_add(1, Ordering::Relaxed), generation: *generation }
    }

    /// An answer asked for at `started` under `permit` that is to be fresh for `ttl`.
    pub(crate) fn arrival(&self, permit: Permit, started: Tick, ttl: Duration) -> Arrival {
        Arrival { permit, deadlines: self.options.deadlines(started, ttl, spread(permit.sequence)) }
    }

    /// Keeps `value`, unless entries were dropped since its permit was taken, a later load has stored already, or
    /// `may_replace` says no to what is there.
    pub(crate) fn keep(
        &self,
        key: &[u8],
        value: V,
        arrival: Arrival,
        now: Tick,
        may_replace: impl FnOnce(&V) -> bool,
    ) -> Kept<V> {
        let Arrival { permit, deadlines } = arrival;
        let generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = at(now, || self.entries.peek(key));
        let newer = kept.as_ref().is_some_and(|kept| kept.sequence > permit.sequence);
        if *generation != permit.generation || newer {
            return Kept::Outdated;
        }
        if let Some(kept) = &kept
            && !may_replace(&kept.value)
        {
            return Kept::Refused(kept.value.clone());
        }
        let is_full = kept.is_none() && self.entries.len() >= self.entries.capacity();
        if is_full {
            at(now, || self.make_room());
        }
        let entry = Entry::new(Held {
            key: key.to_vec(),
            value,
            deadlines,
            sequence: permit.sequence,
            read: AtomicU64::new(next(&self.latest_read)),
            found_after: AtomicU64::new(self.front.latest_change()),
        });
        at(now, || self.entries.set(key.to_vec(), entry));
        match is_full {
            true => self.front.changed(),
            false => self.front.changed_at(key),
        }
        self.first_death.fetch_min(deadlines.dead.number(), Ordering::SeqCst);
        Kept::Stored
    }

    /// Until when the entry under `key` is fresh, when there is one.
    #[cfg(feature = "watch")]
    pub(crate) fn fresh_until(&self, key: &[u8], now: Tick) -> Option<Tick> {
        at(now, || self.entries.peek(key)).map(|entry| entry.deadlines.fresh)
    }

    /// Takes what is dead out of memory, and tells when the next entry will be.
    pub(crate) fn sweep(&self, now: Tick) -> Option<Tick> {
        if now.number() >= self.first_death.load(Ordering::SeqCst) {
            let _order = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
            let mut first = u64::MAX;
            at(now, || self.entries.retain(|_, entry| {
                let lives = now < entry.deadlines.dead;
                if lives {
                    first = first.min(entry.deadlines.dead.number());
                }
                lives
            }));
            self.front.sweep(now);
            self.first_death.store(first, Ordering::SeqCst);
        }
        (self.len() > 0).then(|| Tick::at(self.first_death.load(Ordering::SeqCst)))
    }

    /// Drops the dead entries of a full store, and the least recently read one if none was dead. It looks at every entry, but
    /// only after a request to the service, which takes far longer; in return, reads need not keep a list in order.
    fn make_room(&self) {
        let mut reads = Vec::with_capacity(self.entries.len());
        self.entries.retain(|_, entry| {
            reads.push(entry.read.load(Ordering::Relaxed));
            true
        });
        reads.sort_unstable();
        if let Some(last) = reads.get(reads.len() / BATCH)
            && reads.len() == self.entries.capacity()
        {
            // what has been read meanwhile stays; if that is all of it, the store drops the entry that was set first
            self.entries.retain(|_, entry| entry.read.load(Ordering::Relaxed) > *last);
        }
    }

    /// Drops one entry, because the service has said that the caller may not have it.
    pub(crate) fn forget(&self, key: &[u8], now: Tick) {
        let _order = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        at(now, || self.entries.remove(key));
        self.front.changed_at(key);
    }

    /// Drops one entry because it is out of date: what was asked for before this will not be kept either.
    pub(crate) fn invalidate(&self, key: &[u8], now: Tick) {
        let mut generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        *generation += 1;
        at(now, || self.entries.remove(key));
        self.front.changed_at(key);
    }

    /// Drops everything, and what is under way will not be kept either.
    pub(crate) fn clear(&self) {
        let mut generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        *generation += 1;
        self.entries.clear();
        self.front.changed();
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use super::*;
    use crate::cache::{Clock, ManualClock};

    fn keep<V: Clone + Send + Sync + 'static>(store: &Store<V>, key: &[u8], value: V, permit: Permit, now: Tick) {
        store.keep(key, value, store.arrival(permit, now, store.options.ttl), now, |_| true);
    }

    fn store(max_entries: usize) -> Store<u32> {
        let options = CacheOptions { max_entries, jitter: 0.0, ..CacheOptions::default() };
        Store::new(options).expect("the cache is on")
    }

    #[test]
    fn a_value_is_fresh_for_the_ttl_then_stale_then_old_until_max_stale_then_gone() {
        let (store, clock) = (store(4), ManualClock::new());
        let now = || clock.clock().now();
        keep(&store, b"k", 7, store.permit(), now());
        clock.advance(Duration::from_secs(29));
        assert_eq!(store.find(b"k", now()), Found::Fresh(7));
        clock.advance(Duration::from_secs(1));
        assert_eq!(store.find(b"k", now()), Found::Stale(7));
        clock.advance(Duration::from_secs(29));
        assert_eq!(store.find(b"k", now()), Found::Stale(7));
        clock.advance(Duration::from_secs(1));
        assert_eq!(store.find(b"k", now()), Found::Old(7));
        clock.advance(Duration::from_secs(3539));
        assert_eq!(store.find(b"k", now()), Found::Old(7));
        clock.advance(Duration::from_secs(1));
        assert_eq!(store.find(b"k", now()), Found::Nothing);
        assert_eq!(store.len(), 0, "a dead entry leaves memory when it is met");
    }

    #[test]
    fn the_bound_is_exact_and_the_least_recently_read_goes_first() {
        let (store, clock) = (store(2), ManualClock::new());
        let now = clock.clock().now();
        keep(&store, b"a", 1, store.permit(), now);
        keep(&store, b"b", 2, store.permit(), now);
        assert_eq!(store.find(b"a", now), Found::Fresh(1));
        keep(&store, b"c", 3, store.permit(), now);
        assert_eq!(store.len(), 2);
        assert_eq!(store.find(b"b", now), Found::Nothing);
        assert_eq!(store.find(b"a", now), Found::Fresh(1));
    }

    #[test]
    fn an_answer_asked_for_earlier_never_replaces_one_asked_for_later() {
        let (store, clock) = (store(2), ManualClock::new());
        let (earlier, later) = (store.permit(), store.permit());
        keep(&store, b"k", 2, later, clock.clock().now());
        keep(&store, b"k", 1, earlier, clock.clock().now());
        assert_eq!(store.find(b"k", clock.clock().now()), Found::Fresh(2));
    }

    #[test]
    fn what_was_asked_for_before_a_clear_does_not_come_back_after_it() {
        let (store, clock) = (store(2), ManualClock::new());
        let before = store.permit();
        store.clear();
        keep(&store, b"k", 1, before, clock.clock().now());
        assert_eq!(store.find(b"k", clock.clock().now()), Found::Nothing);
        keep(&store, b"k", 2, store.permit(), clock.clock().now());
        assert_eq!(store.find(b"k", clock.clock().now()), Found::Fresh(2));
    }

    #[test]
    fn what_was_asked_for_before_an_entry_was_invalidated_does_not_come_back() {
        let (store, clock) = (store(2), ManualClock::new());
        let now = clock.clock().now();
        let before = store.permit();
        keep(&store, b"k", 1, store.permit(), now);
        keep(&store, b"other", 2, store.permit(), now);
        store.invalidate(b"k", now);
        keep(&store, b"k", 1, before, now);
        assert_eq!(store.find(b"k", now), Found::Nothing);
        assert_eq!(store.find(b"other", now), Found::Fresh(2));
    }

    #[test]
    fn an_entry_that_must_not_be_replaced_stays_as_old_as_it_is() {
        let (store, clock) = (store(2), ManualClock::new());
        let now = || clock.clock().now();
        keep(&store, b"k", 1, store.permit(), now());
        clock.advance(Duration::from_secs(31));
        let arrival = store.arrival(store.permit(), now(), Duration::from_secs(30));
        assert_eq!(store.keep(b"k", 2, arrival, now(), |kept| *kept != 1), Kept::Refused(1));
        assert_eq!(store.find(b"k", now()), Found::Stale(1));
        let arrival = store.arrival(store.permit(), now(), Duration::from_secs(30));
        assert_eq!(store.keep(b"k", 3, arrival, now(), |kept| *kept == 1), Kept::Stored);
        assert_eq!(store.find(b"k", now()), Found::Fresh(3));
    }

    #[test]
    fn a_sweep_takes_out_what_is_dead_without_its_being_met_and_tells_when_to_sweep_next() {
        let store = Store::<Arc<u32>>::new(CacheOptions { jitter: 0.0, ..CacheOptions::default() }).expect("on");
        let clock = ManualClock::new();
        let now = || clock.clock().now();
        assert_eq!(store.sweep(now()), None);
        let value = Arc::new(1);
        let weak = Arc::downgrade(&value);
        keep(&store, b"k", value, store.permit(), now());
        // read twice, so that it is in front too
        for _ in 0..2 {
            clock.advance(Duration::from_secs(1));
            assert!(matches!(store.find(b"k", now()), Found::Fresh(_)));
        }
        clock.advance(Duration::from_secs(8));
        keep(&store, b"later", Arc::new(2), store.permit(), now());
        let dead = now().after(Duration::from_secs(3590));
        assert_eq!(store.sweep(now()), Some(dead));
        clock.advance(Duration::from_secs(3590));
        assert_eq!(store.sweep(now()), Some(dead.after(Duration::from_secs(10))));
        assert!(weak.upgrade().is_none(), "it has left memory");
        assert_eq!(store.len(), 1);
        clock.advance(Duration::from_secs(10));
        assert_eq!(store.sweep(now()), None);
    }

    #[test]
    fn what_is_dropped_or_replaced_is_not_found_although_it_was_just_read() {
        let (store, clock) = (store(2), ManualClock::new());
        let now = clock.clock().now();
        let drop_it: [fn(&Store<u32>, Tick); 2] = [|store, now| store.forget(b"k", now), |store, _| store.clear()];
        for drop_it in drop_it {
            keep(&store, b"k", 1, store.permit(), now);
            assert_eq!(store.find(b"k", now), Found::Fresh(1));
            assert_eq!(store.find(b"k", now), Found::Fresh(1));
            keep(&store, b"k", 2, store.permit(), now);
            assert_eq!(store.find(b"k", now), Found::Fresh(2));
            drop_it(&store, now);
            assert_eq!(store.find(b"k", now), Found::Nothing);
        }
    }

    #[test]
    fn what_is_dropped_replaced_or_dead_leaves_memory_although_it_was_just_read() {
        let options = CacheOptions { max_entries: 1, ..CacheOptions::default() };
        let store = Store::<Arc<u32>>::new(options).expect("the cache is on");
        let clock = ManualClock::new();
        let leave: [&dyn Fn(); 5] = [
            &|| store.forget(b"k", clock.clock().now()),
            &|| store.clear(),
            &|| keep(&store, b"k", Arc::new(2), store.permit(), clock.clock().now()),
            &|| keep(&store, b"other", Arc::new(2), store.permit(), clock.clock().now()),
            &|| {
                clock.advance(Duration::from_secs(3600));
                assert_eq!(store.find(b"k", clock.clock().now()), Found::Nothing);
            },
        ];
        for leave in leave {
            let value = Arc::new(1);
            let weak = Arc::downgrade(&value);
            keep(&store, b"k", value, store.permit(), clock.clock().now());
            clock.advance(Duration::from_millis(1));
            for _ in 0..3 {
                assert!(matches!(store.find(b"k", clock.clock().now()), Found::Fresh(_)));
            }
            leave();
            assert!(weak.upgrade().is_none());
        }
    }

    #[test]
    fn readers_on_other_threads_never_see_a_value_after_a_newer_one() {
        let (store, clock) = (store(4), Clock::system());
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut newest = 0;
                    while !done.load(Ordering::Relaxed) {
                        if let Found::Fresh(value) = store.find(b"k", clock.now()) {
                            assert!(value >= newest, "{value} after {newest}");
                            newest = value;
                        }
                    }
                });
            }
            for value in 1..20_000 {
                keep(&store, b"k", value, store.permit(), clock.now());
                assert_eq!(store.find(b"k", clock.now()), Found::Fresh(value));
            }
            done.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn many_entries_are_told_apart_and_the_order_of_reads_is_exact() {
        let (store, clock) = (store(100), ManualClock::new());
        let key = |number: u32| format!("key-{number}").into_bytes();
        for number in 0..100 {
            keep(&store, &key(number), number, store.permit(), clock.clock().now());
        }
        for number in (0..100).rev().chain(50..100) {
            clock.advance(Duration::from_micros(1));
            assert_eq!(store.find(&key(number), clock.clock().now()), Found::Fresh(number));
        }
        // read longest ago: 49, 48, … 0, and then 50, 51, …
        for (newcomer, gone) in (1000..).zip((0..50).rev().chain(50..100)) {
            keep(&store, &key(newcomer), newcomer, store.permit(), clock.clock().now());
            assert_eq!(store.find(&key(gone), clock.clock().now()), Found::Nothing, "{gone}");
            assert_eq!(store.len(), 100);
        }
    }

    #[test]
    fn a_ttl_of_zero_turns_the_cache_off() {
        assert!(Store::<u32>::new(CacheOptions { ttl: Duration::ZERO, ..CacheOptions::default() }).is_none());
    }
}
