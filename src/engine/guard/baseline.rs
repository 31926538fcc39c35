//! The names accepted last, by scope, kept as hashes. They outlive the snapshot.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use crate::core::Unreadable;

/// The names of a snapshot, hashed and in order.
pub(crate) struct Names {
    readable: Vec<u64>,
    unreadable: Vec<u64>,
}

impl Names {
    pub(crate) fn of<'n>(
        hasher: &RandomState,
        readable: impl Iterator<Item = &'n str>,
        unreadable: &[Unreadable],
    ) -> Self {
        let unreadable = unreadable.iter().map(|entry| entry.name.as_str());
        Self { readable: hashes(hasher, readable), unreadable: hashes(hasher, unreadable) }
    }
}

fn hashes<'n>(hasher: &RandomState, names: impl Iterator<Item = &'n str>) -> Vec<u64> {
    let mut hashes: Vec<_> = names.map(|name| hasher.hash_one(name)).collect();
    hashes.sort_unstable();
    hashes
}

/// The baselines of a client.
#[derive(Default)]
pub(crate) struct Baselines {
    hasher: RandomState,
    /// With the place of each in the order in which they were set.
    by_key: HashMap<Vec<u8>, (u64, Names)>,
    latest: u64,
    waived: Waived,
}

/// Which scopes need no comparison for their next answer.
#[derive(Default)]
struct Waived {
    keys: HashSet<Vec<u8>>,
    /// What the keys of such scopes begin with.
    #[cfg(feature = "xtra")]
    starts: HashSet<Vec<u8>>,
}

#[cfg(feature = "offline")]
impl Waived {
    fn has(&self, key: &[u8]) -> bool {
        #[cfg(feature = "xtra")]
        if self.starts.iter().any(|start| key.starts_with(start)) {
            return true;
        }
        self.keys.contains(key)
    }
}

/// A baseline and what it takes to look into it.
pub(crate) struct Known<'b> {
    hasher: &'b RandomState,
    names: &'b Names,
}

impl Baselines {
    /// Memory for so many scopes. When there are more, the older half goes.
    const MOST: usize = 4096;

    pub(crate) fn hasher(&self) -> &RandomState {
        &self.hasher
    }

    pub(crate) fn of(&self, key: &[u8]) -> Option<Known<'_>> {
        Some(Known::new(&self.hasher, &self.by_key.get(key)?.1))
    }

    pub(crate) fn set(&mut self, key: &[u8], names: Names) {
        self.latest += 1;
        if self.by_key.len() >= Self::MOST && !self.by_key.contains_key(key) {
            let mut order: Vec<_> = self.by_key.values().map(|(set, _)| *set).collect();
            let middle = *order.select_nth_unstable(Self::MOST / 2).1;
            self.by_key.retain(|_, (set, _)| *set > middle);
        }
        self.by_key.insert(key.to_vec(), (self.latest, names));
        self.waived.keys.remove(key);
    }

    #[cfg(feature = "offline")]
    pub(crate) fn is_cold(&self, key: &[u8]) -> bool {
        !self.waived.has(key) && !self.by_key.contains_key(key)
    }

    pub(crate) fn waive(&mut self, key: &[u8]) {
        self.by_key.remove(key);
        insert(&mut self.waived.keys, key);
    }

    #[cfg(feature = "xtra")]
    pub(crate) fn waive_under(&mut self, start: &[u8]) {
        self.by_key.retain(|key, _| !key.starts_with(start));
        insert(&mut self.waived.starts, start);
    }

    pub(crate) fn forget_all(&mut self) {
        self.by_key.clear();
    }

    pub(crate) fn forget(&mut self, key: &[u8]) {
        self.by_key.remove(key);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }
}

/// A set that has grown too large starts anew: what is not in it is compared once more.
fn insert(set: &mut HashSet<Vec<u8>>, key: &[u8]) {
    if set.len() >= Baselines::MOST {
        set.clear();
    }
    set.insert(key.to_vec());
}

impl<'b> Known<'b> {
    pub(crate) fn new(hasher: &'b RandomState, names: &'b Names) -> Self {
        Self { hasher, names }
    }

    /// How many names there were.
    pub(crate) fn count(&self) -> usize {
        self.names.readable.len() + self.names.unreadable.len()
    }

    /// Whether there was such a name, be it one whose value could not be read.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.has_readable(name) || self.names.unreadable.binary_search(&self.hasher.hash_one(name)).is_ok()
    }

    /// Whether its value could be read.
    pub(crate) fn has_readable(&self, name: &str) -> bool {
        self.names.readable.binary_search(&self.hasher.hash_one(name)).is_ok()
    }
}
