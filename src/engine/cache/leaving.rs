//! The order in which entries leave a full store: the dead ones first, then the one read longest ago.

use std::cmp::Ordering as Order;
use std::collections::BinaryHeap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use super::entry::Held;
use crate::core::clock::Tick;

/// Every entry of a store, by when it was read and by when it dies.
///
/// Reads write a number into the entry and touch nothing here, so a turn may be older than what its entry says; the turn is
/// then put back by the newer number before anything leaves. What has left the store in another way is skipped.
pub(crate) struct Leaving<V> {
    by_read: BinaryHeap<Turn<V>>,
    by_death: BinaryHeap<Turn<V>>,
}

/// An entry, and the number that it stands under: the smallest comes first.
struct Turn<V> {
    number: u64,
    /// Weak, so that a value leaves memory with its entry.
    held: Weak<Held<V>>,
}

/// So many turns may be left over from entries that are gone, beside as many as there are entries.
const LEFT_OVER: usize = 64;

impl<V> Default for Leaving<V> {
    fn default() -> Self {
        Self { by_read: BinaryHeap::new(), by_death: BinaryHeap::new() }
    }
}

impl<V> Leaving<V> {
    /// An entry comes into the store, which then has `entries` of them.
    pub(crate) fn enter(&mut self, held: &Arc<Held<V>>, entries: usize) {
        let turn = |number| Turn { number, held: Arc::downgrade(held) };
        self.by_read.push(turn(held.read.load(Ordering::Relaxed)));
        self.by_death.push(turn(held.deadlines.dead.number()));
        for turns in [&mut self.by_read, &mut self.by_death] {
            if turns.len() > 2 * entries + LEFT_OVER {
                turns.retain(|turn| turn.held.strong_count() > 0);
            }
        }
    }

    /// Takes out the entry read longest ago, of those that the store still has.
    pub(crate) fn read_longest_ago(&mut self, is_stored: impl Fn(&Arc<Held<V>>) -> bool) -> Option<Arc<Held<V>>> {
        while let Some(turn) = self.by_read.pop() {
            let Some(held) = turn.held.upgrade().filter(&is_stored) else { continue };
            let read = held.read.load(Ordering::Relaxed);
            if read == turn.number {
                return Some(held);
            }
            self.by_read.push(Turn { number: read, ..turn });
        }
        None
    }

    /// Takes out an entry that is dead at `now`.
    pub(crate) fn dead(&mut self, now: Tick) -> Option<Arc<Held<V>>> {
        while self.by_death.peek().is_some_and(|turn| turn.number <= now.number()) {
            if let Some(held) = self.by_death.pop().and_then(|turn| turn.held.upgrade()) {
                return Some(held);
            }
        }
        None
    }

    /// When the next entry dies.
    pub(crate) fn next_death(&mut self) -> Option<Tick> {
        while let Some(turn) = self.by_death.peek() {
            if turn.held.strong_count() > 0 {
                return Some(Tick::at(turn.number));
            }
            self.by_death.pop();
        }
        None
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many turns there are, of those that are left over too.
    #[cfg(test)]
    pub(crate) fn turns(&self) -> usize {
        self.by_read.len().max(self.by_death.len())
    }
}

impl<V> Ord for Turn<V> {
    /// The smallest number is the greatest turn: a heap gives the greatest first.
    fn cmp(&self, other: &Self) -> Order {
        other.number.cmp(&self.number)
    }
}

impl<V> PartialOrd for Turn<V> {
    fn partial_cmp(&self, other: &Self) -> Option<Order> {
        Some(self.cmp(other))
    }
}

impl<V> PartialEq for Turn<V> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<V> Eq for Turn<V> {}
