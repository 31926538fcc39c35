//! The hot slots in front of the store: the entries read most lately, found without a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;

use super::entry::Held;
use crate::core::clock::Tick;

const SLOTS: usize = 8;

/// A few entries that are in the store too. It answers only for what the store would answer itself: every change of the store
/// has a number, an entry knows the number under which it was last found there, and counts only while that is the latest.
///
/// A change counts twice, before and after it: while the number is odd, one is being made, and nothing here counts. Otherwise a
/// thread could read a new entry from the store, and then the one before it from here.
pub(crate) struct HotSlots<V> {
    slots: [Slot<V>; SLOTS],
    changes: AtomicU64,
}

struct Slot<V> {
    held: ArcSwapOption<Held<V>>,
    /// When it was last filled, as the clock's number.
    filled: AtomicU64,
}

/// A slot that was never filled, or was emptied.
const EMPTY: u64 = u64::MAX;

impl<V> Default for HotSlots<V> {
    fn default() -> Self {
        let empty = || Slot { held: ArcSwapOption::empty(), filled: AtomicU64::new(EMPTY) };
        Self { slots: std::array::from_fn(|_| empty()), changes: AtomicU64::new(0) }
    }
}

impl<V: Clone> HotSlots<V> {
    /// The value under `key`, when it is here and fresh; it then becomes the one read last.
    #[inline]
    pub(crate) fn find(&self, key: &[u8], now: Tick, latest: &AtomicU64) -> Option<V> {
        let slot = self.slot(key)?.held.load();
        let held = slot.as_deref()?;
        // in this order: an entry that was found after a change which this thread does not know yet is left alone
        let is_current = held.found_after.load(Ordering::Relaxed) == self.changes.load(Ordering::SeqCst);
        if !is_current || now >= held.deadlines.fresh || held.key != key {
            return None;
        }
        held.touch(latest);
        Some(held.value.clone())
    }
}

impl<V> HotSlots<V> {
    /// The number of the latest change. To be taken before the store is asked.
    #[inline]
    pub(crate) fn latest_change(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Whether a change of that number has begun and not ended.
    pub(crate) fn is_being_changed(change: u64) -> bool {
        change % 2 == 1
    }

    /// Takes in what the store had after the change of that number. A slot takes one entry for each step of the clock: keys
    /// that are read in turn and share one would otherwise fill it at every read.
    pub(crate) fn offer(&self, held: Arc<Held<V>>, change: u64, now: Tick) {
        let Some(slot) = self.slot(&held.key).filter(|_| !Self::is_being_changed(change)) else { return };
        if slot.filled.swap(now.number(), Ordering::Relaxed) == now.number() {
            return;
        }
        held.found_after.store(change, Ordering::Relaxed);
        slot.held.store(Some(held));
        // a change may have passed this slot before it was filled, and the slot would keep what the store has dropped
        if self.latest_change() != change {
            slot.empty();
        }
    }

    /// Lets go of `key`, which the store has not.
    pub(crate) fn forget(&self, key: &[u8]) {
        if let Some(slot) = self.slot(key)
            && slot.held.load().as_ref().is_some_and(|held| held.key == key)
        {
            slot.empty();
        }
    }

    /// To be called before anything is set or removed in the store, by one thread at a time.
    pub(crate) fn changing(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// To be called after `key` alone was set or removed in the store: nothing found before counts any more, and what was
    /// under `key` is not kept in memory.
    pub(crate) fn changed_at(&self, key: &[u8]) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        if let Some(slot) = self.slot(key) {
            slot.empty();
        }
    }

    /// The same for changes of any other extent.
    pub(crate) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.slots.iter().for_each(Slot::empty);
    }

    /// Lets go of what is dead.
    pub(crate) fn sweep(&self, now: Tick) {
        for slot in &self.slots {
            if slot.held.load().as_ref().is_some_and(|held| now >= held.deadlines.dead) {
                slot.empty();
            }
        }
    }

    /// The end of a key is what differs most: the environment and the branch.
    #[inline]
    fn slot(&self, key: &[u8]) -> Option<&Slot<V>> {
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let end = key.last_chunk().map_or(0, |end| u64::from_le_bytes(*end));
        let mixed = (end ^ key.len() as u64).wrapping_mul(SPREAD);
        self.slots.get((mixed >> 32) as usize % SLOTS)
    }
}

impl<V> Slot<V> {
    fn empty(&self) {
        self.held.store(None);
        self.filled.store(EMPTY, Ordering::Relaxed);
    }
}
