//! The order of loads: which answers were asked for before something was dropped.

use std::collections::HashMap;

/// Numbers the loads, and knows which of them must not be stored any more.
#[derive(Default)]
pub(crate) struct Order {
    begun: u64,
    /// What was begun before this load is out of date.
    floor: u64,
    /// The same for single keys.
    floors: HashMap<Vec<u8>, u64>,
}

impl Order {
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
mod tests {
    use super::*;

    #[test]
    fn what_began_before_a_drop_is_out_of_date_for_its_key_alone() {
        let mut order = Order::default();
        let before = order.begin();
        order.drop_key(b"k");
        assert!(!order.admits(b"k", before));
        assert!(order.admits(b"other", before));
        let after = order.begin();
        assert!(order.admits(b"k", after));
        order.drop_all();
        assert!(!order.admits(b"k", after) && !order.admits(b"other", before));
        let last = order.begin();
        assert!(order.admits(b"k", last));
    }

    #[test]
    fn the_memory_of_drops_is_bounded_and_forgets_none_of_them() {
        let mut order = Order::default();
        let before = order.begin();
        for number in 0..3 * Order::MOST {
            order.drop_key(&number.to_le_bytes());
            assert!(order.floors.len() <= Order::MOST);
        }
        for number in 0..3 * Order::MOST {
            assert!(!order.admits(&number.to_le_bytes(), before), "{number}");
        }
    }
}
