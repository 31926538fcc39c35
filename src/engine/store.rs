//! The bounded store: the least recently read entry goes first, an older answer never replaces a newer one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use cached::{Cached, CachedPeek, ExpiringLruCache};

use super::entry::{About, Entry, EvictionOrder, Held, at, next};
use super::policy::{CacheOptions, Deadlines};
use crate::core::clock::Tick;
use crate::core::spread;

pub(crate) struct Store<V> {
    /// What is held, within the bound. Whoever changes it holds a [`Change`]. The crate's map and its expiry are used, but not its
    /// order of reads: each read would write that behind a lock, and a bare look-up then takes longer on two threads than a whole
    /// read (`benches/README.md`).
    entries: RwLock<Entries<V>>,
    /// Tells this store from every other of the process.
    number: u64,
    /// The number of the latest change; odd while one is being made.
    changes: AtomicU64,
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
    generations: Generations,
    eviction: EvictionOrder<V>,
}

type Entries<V> = ExpiringLruCache<Vec<u8>, Entry<V>, foldhash::fast::RandomState>;

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

/// A fresh entry, and the change of the store after which it was found: it counts until the next one.
pub(crate) struct Pinned<V> {
    held: Arc<Held<V>>,
    found: FoundAfter,
}

/// The store in which an entry was found, and the change after which it was.
///
/// A change counts twice, before and after it: while the number is odd, one is being made, and nothing found before counts.
/// Otherwise a thread could read a new entry from the store, and then the one before it from what it has kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FoundAfter {
    store: u64,
    change: u64,
}

impl FoundAfter {
    /// Whether the same store has changed in between.
    pub(crate) fn is_before(self, latest: Self) -> bool {
        self.store == latest.store && self.change != latest.change
    }
}

/// A change of the store that is being made, by one thread at a time.
struct Change<'a>(&'a AtomicU64);

impl<'a> Change<'a> {
    fn of(changes: &'a AtomicU64) -> Self {
        changes.fetch_add(1, Ordering::SeqCst);
        Self(changes)
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl<V> Pinned<V> {
    #[inline]
    pub(crate) fn value(&self) -> &V {
        &self.held.value
    }

    pub(crate) fn about(&self) -> &Arc<About> {
        &self.held.about
    }

    pub(crate) fn found(&self) -> FoundAfter {
        self.found
    }
}

impl<T> Pinned<Arc<T>> {
    /// The value for this thread: see [`Held::lend`].
    pub(crate) fn lend(&self, share: impl FnOnce(&T) -> T) -> Arc<T> {
        self.held.lend(share)
    }
}

impl<V> Clone for Pinned<V> {
    fn clone(&self) -> Self {
        Self { held: Arc::clone(&self.held), found: self.found }
    }
}

/// The right to store one answer, taken when its load begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WriteToken {
    /// Its place among those who may replace each other.
    sequence: u64,
    begun: u64,
}

/// An answer to be stored: the right to, and until when it may do what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewEntry {
    pub(crate) token: WriteToken,
    pub(crate) deadlines: Deadlines,
}

/// What became of an answer that was to be stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum InsertOutcome<V> {
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
        static STORES: AtomicU64 = AtomicU64::new(0);
        if options.ttl.is_zero() {
            return None;
        }
        let builder = ExpiringLruCache::builder().max_size(options.capacity());
        let entries = builder.hasher(foldhash::fast::RandomState::default()).build().ok()?;
        Some(Self {
            entries: RwLock::new(entries),
            number: STORES.fetch_add(1, Ordering::Relaxed),
            changes: AtomicU64::new(0),
            latest_read: AtomicU64::new(0),
            options,
            ledger: Mutex::new(Ledger { generations: Generations::default(), eviction: EvictionOrder::default() }),
            first_death: AtomicU64::new(u64::MAX),
        })
    }

    pub(crate) fn find(&self, key: &[u8], now: Tick) -> Found<V> {
        let Some(entry) = at(now, || self.look(key)) else {
            at(now, || self.drop_if_dead(key));
            return Found::Nothing;
        };
        entry.touch(&self.latest_read);
        let value = entry.value.clone();
        match entry.deadlines {
            deadlines if now >= deadlines.revalidate => Found::Old(value),
            deadlines if now >= deadlines.fresh => Found::Stale(value),
            _ => Found::Fresh(value),
        }
    }

    /// The fresh entry under `key`, to be given again without looking for it for as long as [`is_fresh`](Self::is_fresh) says.
    /// `None` also while the store is being changed.
    pub(crate) fn pin(&self, key: &[u8], now: Tick) -> Option<Pinned<V>> {
        // before looking, so that no change in between goes by unnoticed
        let found = self.latest_change();
        let entry = at(now, || self.look(key))?;
        if now >= entry.deadlines.fresh || found.change % 2 == 1 {
            return None;
        }
        entry.touch(&self.latest_read);
        Some(Pinned { held: entry.into_held(), found })
    }

    /// Whether a read of this entry's key would find this very entry, and fresh. It then becomes the one read last.
    #[inline]
    pub(crate) fn is_fresh(&self, about: &About, found: FoundAfter, now: Tick) -> bool {
        let is_fresh = self.latest_change() == found && now < about.deadlines.fresh;
        if is_fresh {
            about.touch(&self.latest_read);
        }
        is_fresh
    }

    #[inline]
    pub(crate) fn latest_change(&self) -> FoundAfter {
        FoundAfter { store: self.number, change: self.changes.load(Ordering::SeqCst) }
    }

    pub(crate) fn token(&self) -> WriteToken {
        let begun = self.ledger().generations.begin();
        WriteToken { sequence: begun, begun }
    }

    /// The right to store what only stands in for an answer: it takes the place of nothing, and any answer takes its place.
    #[cfg(feature = "offline")]
    pub(crate) fn token_of_a_stand_in(&self) -> WriteToken {
        WriteToken { sequence: 0, begun: self.ledger().generations.begin() }
    }

    /// What is not fresh any more and may be served in the place of an answer, from `now` on and for `time` at most.
    #[cfg(feature = "offline")]
    pub(crate) fn stand_in(&self, token: WriteToken, now: Tick, time: Duration) -> NewEntry {
        let dead = now.after(self.options.max_stale.min(time));
        NewEntry { token, deadlines: Deadlines { fresh: now, revalidate: now, dead } }
    }

    /// An answer asked for at `started` under `token` that is to be fresh for `ttl`.
    pub(crate) fn new_entry(&self, token: WriteToken, started: Tick, ttl: Duration) -> NewEntry {
        NewEntry { token, deadlines: self.options.deadlines(started, ttl, spread()) }
    }

    /// Keeps `value`, unless entries were dropped since its token was taken, a later load has stored already, or
    /// `may_replace` says no to what is there.
    pub(crate) fn insert(
        &self,
        key: &[u8],
        value: V,
        new_entry: NewEntry,
        now: Tick,
        may_replace: impl FnOnce(&V) -> bool,
    ) -> InsertOutcome<V> {
        let NewEntry { token, deadlines } = new_entry;
        let mut ledger = self.ledger();
        let kept = at(now, || self.look(key));
        let newer = kept.as_ref().filter(|kept| kept.sequence > token.sequence);
        if newer.is_some() || !ledger.generations.admits(key, token.begun) {
            return InsertOutcome::Outdated(newer.map(|kept| kept.value.clone()));
        }
        if let Some(kept) = &kept
            && !may_replace(&kept.value)
        {
            return InsertOutcome::Refused(kept.value.clone());
        }
        let is_full = kept.is_none() && self.len() >= self.options.capacity();
        let _change = Change::of(&self.changes);
        if is_full {
            self.make_room(&mut ledger.eviction, now);
        }
        let about = About {
            key: key.to_vec(),
            deadlines,
            sequence: token.sequence,
            read: AtomicU64::new(next(&self.latest_read)),
        };
        let held = Arc::new(Held::new(value, about));
        at(now, || self.write().cache_set(key.to_vec(), Entry::from(Arc::clone(&held))));
        ledger.eviction.enter(&held, self.len());
        self.first_death.fetch_min(deadlines.dead.number(), Ordering::SeqCst);
        InsertOutcome::Stored
    }

    /// Until when the entry under `key` is fresh, when there is one.
    #[cfg(feature = "watch")]
    pub(crate) fn fresh_until(&self, key: &[u8], now: Tick) -> Option<Tick> {
        at(now, || self.look(key)).map(|entry| entry.deadlines.fresh)
    }

    /// Takes what is dead out of memory, and tells when the next entry will be.
    pub(crate) fn sweep(&self, now: Tick) -> Option<Tick> {
        if now.number() >= self.first_death.load(Ordering::SeqCst) {
            let mut ledger = self.ledger();
            self.drop_dead(&mut ledger.eviction, now);
            let next = ledger.eviction.next_death().map_or(u64::MAX, Tick::number);
            self.first_death.store(next, Ordering::SeqCst);
        }
        (self.len() > 0).then(|| Tick::at(self.first_death.load(Ordering::SeqCst)))
    }

    /// Drops the dead entries of a full store, and the least recently read one if none was dead.
    fn make_room(&self, eviction: &mut EvictionOrder<V>, now: Tick) {
        self.drop_dead(eviction, now);
        if self.len() >= self.options.capacity()
            && let Some(held) = eviction.read_longest_ago(|held| self.has(held, now))
        {
            at(now, || self.write().cache_remove(&held.key));
        }
    }

    fn drop_dead(&self, eviction: &mut EvictionOrder<V>, now: Tick) {
        while let Some(held) = eviction.dead(now) {
            // what lives under the same key by now stays
            at(now, || self.drop_if_dead(&held.key));
        }
    }

    /// Whether the store has this very entry.
    fn has(&self, held: &Arc<Held<V>>, now: Tick) -> bool {
        at(now, || self.look(&held.key)).is_some_and(|entry| entry.is(held))
    }

    /// Drops one entry, and what is under way for it will not be kept either.
    pub(crate) fn forget(&self, key: &[u8], now: Tick) {
        let mut ledger = self.ledger();
        ledger.generations.drop_key(key);
        let _change = Change::of(&self.changes);
        at(now, || self.write().cache_remove(key));
    }

    /// Drops every entry whose key begins like this, and nothing that is under way will be kept.
    pub(crate) fn forget_under(&self, start: &[u8], now: Tick) {
        let mut ledger = self.ledger();
        ledger.generations.drop_all();
        let _change = Change::of(&self.changes);
        at(now, || self.write().retain(|key, _| !key.starts_with(start)));
    }

    /// Drops everything, and what is under way will not be kept either.
    pub(crate) fn clear(&self) {
        let mut ledger = self.ledger();
        ledger.generations.drop_all();
        ledger.eviction.clear();
        let _change = Change::of(&self.changes);
        self.write().cache_clear();
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger<V>> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn len(&self) -> usize {
        self.read().cache_size()
    }

    /// What lives under `key`.
    fn look(&self, key: &[u8]) -> Option<Entry<V>> {
        self.read().cache_peek(key).cloned()
    }

    /// A look leaves a dead entry where it is; getting it takes it out of memory.
    fn drop_if_dead(&self, key: &[u8]) {
        let _ = self.write().cache_get(key);
    }

    fn read(&self) -> RwLockReadGuard<'_, Entries<V>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries<V>> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Numbers the loads, and knows which of them must not be stored any more.
#[derive(Default)]
pub(crate) struct Generations {
    begun: u64,
    /// What was begun before this load is out of date.
    floor: u64,
    /// The same for single keys.
    floors: HashMap<Vec<u8>, u64>,
}

impl Generations {
    /// Memory for so many keys. When there are more, what is under way for any key counts as out of date, once: it is fetched
    /// again when it is next asked for.
    const MOST: usize = 1024;

    /// The number of a load that begins now.
    pub(crate) fn begin(&mut self) -> u64 {
        self.begun += 1;
        self.begun
    }

    /// Whether an answer may be stored under `key`.
    pub(crate) fn admits(&self, key: &[u8], begun: u64) -> bool {
        begun > self.floor && self.floors.get(key).is_none_or(|floor| begun > *floor)
    }

    /// What is under way for `key` is out of date.
    pub(crate) fn drop_key(&mut self, key: &[u8]) {
        if self.floors.len() >= Self::MOST && !self.floors.contains_key(key) {
            self.drop_all();
        }
        self.floors.insert(key.to_vec(), self.begun);
    }

    /// What is under way for any key is out of date.
    pub(crate) fn drop_all(&mut self) {
        self.floor = self.begun;
        self.floors.clear();
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
