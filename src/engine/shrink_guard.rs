//! The shrink guard: an answer that has lost what was there a moment ago is more often a renamed branch, another project's answer
//! or a lost key than a deletion.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, Hash as _, Hasher, RandomState};
use std::sync::{Mutex, PoisonError};

use crate::core::{ErrorKind, Hint, Secrets, SnapshotSource, Unreadable, UnreadableReason, XtraError};

/// Which answers must not take the place of what was there before.
#[derive(Default)]
pub(crate) struct ShrinkGuard {
    everywhere: Vec<String>,
    by_scope: Mutex<HashMap<Vec<u8>, BTreeSet<String>>>,
    baselines: Mutex<Baselines>,
}

impl ShrinkGuard {
    /// Memory for the names of so many scopes; those declared after that are not guarded by name.
    const MOST: usize = 4096;

    /// A guard of these names in every scope.
    pub(crate) fn new(everywhere: Vec<String>) -> Self {
        Self { everywhere, ..Self::default() }
    }

    /// Guards these names in one scope too.
    pub(crate) fn declare<'a>(&self, key: &[u8], names: impl Iterator<Item = &'a str>) {
        let mut by_scope = self.by_scope.lock().unwrap_or_else(PoisonError::into_inner);
        if by_scope.len() < Self::MOST || by_scope.contains_key(key) {
            by_scope.entry(key.to_vec()).or_default().extend(names.map(str::to_owned));
        }
    }

    /// The guarded names that a snapshot does not have.
    pub(crate) fn missing(&self, key: &[u8], secrets: &Secrets) -> Vec<String> {
        let by_scope = self.by_scope.lock().unwrap_or_else(PoisonError::into_inner);
        let names = self.everywhere.iter().chain(by_scope.get(key).into_iter().flatten());
        names.filter(|name| !has(secrets, name)).cloned().collect()
    }

    /// From now on answers are compared with this snapshot.
    pub(crate) fn accept(&self, key: &[u8], secrets: &Secrets) {
        self.lock().set(key, secrets.names(), secrets.unreadable());
    }

    /// From now on answers are compared with a snapshot of these names.
    #[cfg(feature = "offline")]
    pub(crate) fn learn<'n>(
        &self,
        key: &[u8],
        readable: impl Iterator<Item = &'n str> + Clone,
        unreadable: &[Unreadable],
    ) {
        self.lock().set(key, readable, unreadable);
    }

    /// Whether nothing is known that an answer could be compared with, and nobody has said that it need not be.
    #[cfg(feature = "offline")]
    pub(crate) fn is_cold(&self, key: &[u8]) -> bool {
        self.lock().is_cold(key)
    }

    /// The next answer is compared with nothing.
    pub(crate) fn waive(&self, key: &[u8]) {
        self.lock().waive(key);
    }

    /// The same for every key that begins like this.
    pub(crate) fn waive_under(&self, start: &[u8]) {
        self.lock().waive_under(start);
    }

    /// Nothing is known any more of what was accepted.
    pub(crate) fn forget_all(&self) {
        self.lock().forget_all();
    }

    /// What was there may not be used any more.
    pub(crate) fn forget(&self, key: &[u8]) {
        self.lock().forget(key);
    }

    /// Why `new` must not take the place of what was accepted last, if it must not. That holds although the snapshot itself has
    /// left memory.
    pub(crate) fn check(&self, key: &[u8], new: &Secrets) -> Option<XtraError> {
        let baselines = self.lock();
        self.compare(key, &baselines.of(key)?, new)
    }

    /// Why `new` must not take the place of `old`, if it must not.
    pub(crate) fn check_against(&self, key: &[u8], old: &Secrets, new: &Secrets) -> Option<XtraError> {
        if is_masked(old) {
            // it was a refusal, and had nothing to lose
            return None;
        }
        self.compare(key, old, new)
    }

    fn compare(&self, key: &[u8], old: &impl Baseline, new: &Secrets) -> Option<XtraError> {
        if old.count() == 0 {
            return None;
        }
        if new.is_empty() && new.unreadable().is_empty() {
            return Some(emptied(old.count()));
        }
        let lost: BTreeSet<_> = self.missing(key, new).into_iter().filter(|name| old.has(name)).collect();
        if !lost.is_empty() {
            return Some(without_required(lost));
        }
        // A file or a program changes as a whole when somebody wants it so.
        if new.source() != SnapshotSource::Service {
            return None;
        }
        if !names(new).any(|name| old.has(name)) {
            return Some(replaced(old.count()));
        }
        if new.is_empty() && new.unreadable().iter().any(|entry| old.has_readable(&entry.name)) {
            return Some(unreadable(new.unreadable()));
        }
        None
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Baselines> {
        self.baselines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an answer is the service's way of saying that the caller may see names only.
pub(crate) fn is_masked(secrets: &Secrets) -> bool {
    let mut unreadable = secrets.unreadable().iter().peekable();
    secrets.is_empty()
        && unreadable.peek().is_some()
        && unreadable.all(|entry| entry.reason == UnreadableReason::Masked)
}

/// Whether there is such a secret, be it one that cannot be read.
fn has(secrets: &Secrets, name: &str) -> bool {
    secrets.contains(name) || secrets.unreadable_of(name).is_some()
}

fn names(secrets: &Secrets) -> impl Iterator<Item = &str> {
    secrets.names().chain(secrets.unreadable().iter().map(|entry| entry.name.as_str()))
}

/// An objection to an answer.
fn objection(kind: ErrorKind, message: impl Into<String>) -> XtraError {
    XtraError::new(kind, message)
        .with_note("The answer is not stored, and the snapshot from before is served until it is as old as max_stale")
        .with_hint(Hint::Invalidate)
}

fn emptied(before: usize) -> XtraError {
    let message = format!(
        "the scope held {before} secrets and now holds none; a renamed or deleted environment or branch looks the same"
    );
    objection(ErrorKind::EmptyScope, message)
}

fn replaced(before: usize) -> XtraError {
    let message = format!(
        "none of the {before} names that the scope held is in the answer; another project's answer, or an error in the place \
         of one, looks the same"
    );
    objection(ErrorKind::MissingSecret, message)
}

fn unreadable(entries: &[Unreadable]) -> XtraError {
    let message = "every value in the answer is ciphertext, where there were values that could be read; a key that the service has lost \
         looks the same";
    objection(ErrorKind::Undecryptable, message).with_names(entries.iter().map(|entry| entry.name.as_str()))
}

fn without_required(lost: BTreeSet<String>) -> XtraError {
    let message = format!(
        "the scope no longer holds {}, which is required",
        lost.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
    );
    objection(ErrorKind::MissingSecret, message).with_names(lost)
}

/// A name, hashed with a secret of this process. Six bytes are enough: of 100,000 other names one in 3,000 lists has one that
/// looks the same, and then the guard takes a name that is gone for one that is still there.
type Hash = [u8; 6];

fn hash(hasher: &RandomState, name: &str) -> Hash {
    let [a, b, c, d, e, f, _, _] = hasher.hash_one(name).to_ne_bytes();
    [a, b, c, d, e, f]
}

/// The names of a snapshot: each hashed, in order, and all in one hash, which tells quickly that an answer has the same.
#[derive(Default)]
struct Names {
    all: Option<u64>,
    readable: Vec<Hash>,
    unreadable: Vec<Hash>,
}

impl Names {
    /// Holds these names, in the memory of the ones before. Most answers have those, and then nothing is to be done.
    fn replace<'n>(
        &mut self,
        hasher: &RandomState,
        readable: impl Iterator<Item = &'n str> + Clone,
        unreadable: &[Unreadable],
    ) {
        let all = hash_of_all(hasher, readable.clone(), unreadable);
        if self.all.replace(all) == Some(all) {
            return;
        }
        refill(&mut self.readable, readable.map(|name| hash(hasher, name)));
        refill(&mut self.unreadable, unreadable.iter().map(|entry| hash(hasher, &entry.name)));
    }
}

fn hash_of_all<'n>(hasher: &RandomState, readable: impl Iterator<Item = &'n str>, unreadable: &[Unreadable]) -> u64 {
    let mut all = hasher.build_hasher();
    readable.for_each(|name| name.hash(&mut all));
    for entry in unreadable {
        // no name is followed by this byte
        all.write_u8(0xfe);
        entry.name.hash(&mut all);
    }
    all.finish()
}

/// A list of which less than half is needed gives its memory back.
fn refill(list: &mut Vec<Hash>, hashes: impl Iterator<Item = Hash>) {
    list.clear();
    list.extend(hashes);
    if list.len() < list.capacity() / 2 {
        list.shrink_to_fit();
    }
    list.sort_unstable();
}

/// The names accepted last, by scope, kept as hashes. They outlive the snapshot.
#[derive(Default)]
struct Baselines {
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
    starts: HashSet<Vec<u8>>,
}

#[cfg(feature = "offline")]
impl Waived {
    fn has(&self, key: &[u8]) -> bool {
        if self.starts.iter().any(|start| key.starts_with(start)) {
            return true;
        }
        self.keys.contains(key)
    }
}

/// A baseline and what it takes to look into it.
struct Known<'b> {
    hasher: &'b RandomState,
    names: &'b Names,
}

impl Baselines {
    /// Memory for so many scopes. When there are more, the older half goes.
    const MOST: usize = 4096;

    fn of(&self, key: &[u8]) -> Option<Known<'_>> {
        Some(Known::new(&self.hasher, &self.by_key.get(key)?.1))
    }

    fn set<'n>(&mut self, key: &[u8], readable: impl Iterator<Item = &'n str> + Clone, unreadable: &[Unreadable]) {
        self.latest += 1;
        if !self.by_key.contains_key(key) {
            self.make_room();
            self.by_key.insert(key.to_vec(), Default::default());
        }
        if let Some((set, names)) = self.by_key.get_mut(key) {
            *set = self.latest;
            names.replace(&self.hasher, readable, unreadable);
        }
        self.waived.keys.remove(key);
    }

    fn make_room(&mut self) {
        if self.by_key.len() >= Self::MOST {
            let mut order: Vec<_> = self.by_key.values().map(|(set, _)| *set).collect();
            let middle = *order.select_nth_unstable(Self::MOST / 2).1;
            self.by_key.retain(|_, (set, _)| *set > middle);
        }
    }

    #[cfg(feature = "offline")]
    fn is_cold(&self, key: &[u8]) -> bool {
        !self.waived.has(key) && !self.by_key.contains_key(key)
    }

    fn waive(&mut self, key: &[u8]) {
        self.by_key.remove(key);
        insert(&mut self.waived.keys, key);
    }

    fn waive_under(&mut self, start: &[u8]) {
        self.by_key.retain(|key, _| !key.starts_with(start));
        insert(&mut self.waived.starts, start);
    }

    fn forget_all(&mut self) {
        self.by_key.clear();
    }

    fn forget(&mut self, key: &[u8]) {
        self.by_key.remove(key);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
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
    fn new(hasher: &'b RandomState, names: &'b Names) -> Self {
        Self { hasher, names }
    }

    fn has_unreadable(&self, name: &str) -> bool {
        self.names.unreadable.binary_search(&hash(self.hasher, name)).is_ok()
    }
}

/// What a new answer is compared with: the names accepted last, or the snapshot that is still there.
trait Baseline {
    /// How many names there were.
    fn count(&self) -> usize;

    /// Whether there was such a name, be it one whose value could not be read.
    fn has(&self, name: &str) -> bool;

    /// Whether its value could be read.
    fn has_readable(&self, name: &str) -> bool;
}

impl Baseline for Secrets {
    fn count(&self) -> usize {
        self.len() + self.unreadable().len()
    }

    fn has(&self, name: &str) -> bool {
        has(self, name)
    }

    fn has_readable(&self, name: &str) -> bool {
        self.contains(name)
    }
}

impl Baseline for Known<'_> {
    fn count(&self) -> usize {
        self.names.readable.len() + self.names.unreadable.len()
    }

    fn has(&self, name: &str) -> bool {
        self.has_readable(name) || self.has_unreadable(name)
    }

    fn has_readable(&self, name: &str) -> bool {
        self.names.readable.binary_search(&hash(self.hasher, name)).is_ok()
    }
}

#[cfg(test)]
mod tests;
