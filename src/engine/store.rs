//! The bounded store: the least recently read entry goes first, an older answer never replaces a newer one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cached::{ShardHasher, ShardedExpiringLruCache};

use super::entry::{Entry, Held, at, next};
use super::front::Front;
use super::leaving::Leaving;
use super::order::Order;
use super::policy::{CacheOptions, Deadlines};
use crate::core::clock::Tick;
use crate::core::spread;

pub(crate) struct Store<V> {
    /// What is held, within the bound. Whoever changes it says so to `front`.
    entries: ShardedExpiringLruCache<Vec<u8>, Entry<V>, OneShard>,
    /// What was read most lately, from where it is read again.
    front: Front<V>,
    /// The last place in the order of reads. The entries keep that order: the store's own would make each read wait for the
    /// others.
    latest_read: AtomicU64,
    options: CacheOptions,
    /// The lock also makes "look, then set" one step; it guards no read.
    ledger: Mutex<Ledger<V>>,
    /// No entry dies before this point. A sweep looks at nothing until then.
    first_death: AtomicU64,
}

/// What whoever changes the store needs to know.
struct Ledger<V> {
    /// What was asked for before an entry was dropped on purpose must not come back after.
    order: Order,
    leaving: Leaving<V>,
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
    /// Its place among those who may replace each other.
    sequence: u64,
    begun: u64,
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
    /// The entry was dropped since its load began, or a later load has stored already: this.
    Outdated(Option<V>),
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
            ledger: Mutex::new(Ledger { order: Order::default(), leaving: Leaving::default() }),
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
        let begun = self.ledger().order.begin();
        Permit { sequence: begun, begun }
    }

    /// The right to store what only stands in for an answer: it takes the place of nothing, and any answer takes its place.
    #[cfg(feature = "offline")]
    pub(crate) fn permit_of_a_stand_in(&self) -> Permit {
        Permit { sequence: 0, begun: self.ledger().order.begin() }
    }

    /// What is not fresh any more and may be served in the place of an answer, from `now` on and for `time` at most.
    #[cfg(feature = "offline")]
    pub(crate) fn stand_in(&self, permit: Permit, now: Tick, time: Duration) -> Arrival {
        let dead = now.after(self.options.max_stale.min(time));
        Arrival { permit, deadlines: Deadlines { fresh: now, revalidate: now, dead } }
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
        let mut ledger = self.ledger();
        let kept = at(now, || self.entries.peek(key));
        let newer = kept.as_ref().filter(|kept| kept.sequence > permit.sequence);
        if newer.is_some() || !ledger.order.admits(key, permit.begun) {
            return Kept::Outdated(newer.map(|kept| kept.value.clone()));
        }
        if let Some(kept) = &kept
            && !may_replace(&kept.value)
        {
            return Kept::Refused(kept.value.clone());
        }
        let is_full = kept.is_none() && self.entries.len() >= self.entries.capacity();
        self.front.changing();
        if is_full {
            self.make_room(&mut ledger.leaving, now);
        }
        let held = Arc::new(Held {
            key: key.to_vec(),
            value,
            deadlines,
            sequence: permit.sequence,
            read: AtomicU64::new(next(&self.latest_read)),
            found_after: AtomicU64::new(self.front.latest_change()),
        });
        at(now, || self.entries.set(key.to_vec(), Entry::from(Arc::clone(&held))));
        match is_full {
            true => self.front.changed(),
            false => self.front.changed_at(key),
        }
        ledger.leaving.enter(&held, self.entries.len());
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
            let mut ledger = self.ledger();
            self.drop_dead(&mut ledger.leaving, now);
            self.front.sweep(now);
            let next = ledger.leaving.next_death().map_or(u64::MAX, Tick::number);
            self.first_death.store(next, Ordering::SeqCst);
        }
        (self.len() > 0).then(|| Tick::at(self.first_death.load(Ordering::SeqCst)))
    }

    /// Drops the dead entries of a full store, and the least recently read one if none was dead.
    fn make_room(&self, leaving: &mut Leaving<V>, now: Tick) {
        self.drop_dead(leaving, now);
        if self.entries.len() >= self.entries.capacity()
            && let Some(held) = leaving.read_longest_ago(|held| self.has(held, now))
        {
            at(now, || self.entries.remove(&held.key));
        }
    }

    fn drop_dead(&self, leaving: &mut Leaving<V>, now: Tick) {
        while let Some(held) = leaving.dead(now) {
            // getting takes out what is dead, and leaves what lives under the same key by now
            let _ = at(now, || self.entries.get(&held.key));
        }
    }

    /// Whether the store has this very entry.
    fn has(&self, held: &Arc<Held<V>>, now: Tick) -> bool {
        at(now, || self.entries.peek(&held.key)).is_some_and(|entry| entry.is(held))
    }

    /// Drops one entry, and what is under way for it will not be kept either.
    pub(crate) fn forget(&self, key: &[u8], now: Tick) {
        let mut ledger = self.ledger();
        ledger.order.drop_key(key);
        self.front.changing();
        at(now, || self.entries.remove(key));
        self.front.changed_at(key);
    }

    /// Drops every entry whose key begins like this, and nothing that is under way will be kept.
    #[cfg(feature = "xtra")]
    pub(crate) fn forget_under(&self, start: &[u8], now: Tick) {
        let mut ledger = self.ledger();
        ledger.order.drop_all();
        self.front.changing();
        at(now, || self.entries.retain(|key, _| !key.starts_with(start)));
        self.front.changed();
    }

    /// Drops everything, and what is under way will not be kept either.
    pub(crate) fn clear(&self) {
        let mut ledger = self.ledger();
        ledger.order.drop_all();
        ledger.leaving.clear();
        self.front.changing();
        self.entries.clear();
        self.front.changed();
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger<V>> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests;
