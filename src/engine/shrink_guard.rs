//! The shrink guard: an answer that has lost what was there a moment ago is more often a renamed branch, another project's answer
//! or a lost key than a deletion.

mod baseline;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::core::{ErrorKind, Secrets, SnapshotSource, Unreadable, UnreadableReason, XtraError};
use baseline::{Baselines, Known, Names};

/// Which answers must not take the place of what was there before.
#[derive(Default)]
pub(crate) struct Guard {
    everywhere: Vec<String>,
    by_scope: Mutex<HashMap<Vec<u8>, BTreeSet<String>>>,
    baselines: Mutex<Baselines>,
}

impl Guard {
    /// Memory for the names of so many scopes; those declared after that are not guarded by name.
    #[cfg(any(test, feature = "xtra"))]
    const MOST: usize = 4096;

    /// A guard of these names in every scope.
    pub(crate) fn new(everywhere: Vec<String>) -> Self {
        Self { everywhere, ..Self::default() }
    }

    /// Guards these names in one scope too.
    #[cfg(any(test, feature = "xtra"))]
    pub(crate) fn declare<'a>(&self, key: &[u8], names: impl Iterator<Item = &'a str>) {
        let mut by_scope = self.by_scope.lock().unwrap_or_else(PoisonError::into_inner);
        if by_scope.len() < Self::MOST || by_scope.contains_key(key) {
            by_scope.entry(key.to_vec()).or_default().extend(names.map(str::to_owned));
        }
    }

    /// The guarded names that a snapshot does not have.
    pub(crate) fn lacking(&self, key: &[u8], secrets: &Secrets) -> Vec<String> {
        let by_scope = self.by_scope.lock().unwrap_or_else(PoisonError::into_inner);
        let names = self.everywhere.iter().chain(by_scope.get(key).into_iter().flatten());
        names.filter(|name| !has(secrets, name)).cloned().collect()
    }

    /// From now on answers are compared with this snapshot.
    pub(crate) fn accept(&self, key: &[u8], secrets: &Secrets) {
        self.learn(key, secrets.names(), secrets.unreadable());
    }

    /// From now on answers are compared with a snapshot of these names.
    pub(crate) fn learn<'n>(&self, key: &[u8], readable: impl Iterator<Item = &'n str>, unreadable: &[Unreadable]) {
        let mut baselines = self.lock();
        let names = Names::of(baselines.hasher(), readable, unreadable);
        baselines.set(key, names);
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
    #[cfg(feature = "xtra")]
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
    pub(crate) fn objection(&self, key: &[u8], new: &Secrets) -> Option<XtraError> {
        let baselines = self.lock();
        self.objection_after(key, &baselines.of(key)?, new)
    }

    /// Why `new` must not take the place of `old`, if it must not.
    pub(crate) fn objection_to(&self, key: &[u8], old: &Secrets, new: &Secrets) -> Option<XtraError> {
        if is_masked(old) {
            // it was a refusal, and had nothing to lose
            return None;
        }
        let baselines = self.lock();
        let names = Names::of(baselines.hasher(), old.names(), old.unreadable());
        self.objection_after(key, &Known::new(baselines.hasher(), &names), new)
    }

    fn objection_after(&self, key: &[u8], old: &Known<'_>, new: &Secrets) -> Option<XtraError> {
        if old.count() == 0 {
            return None;
        }
        if new.is_empty() && new.unreadable().is_empty() {
            return Some(emptied(old.count()));
        }
        let lost: BTreeSet<_> = self.lacking(key, new).into_iter().filter(|name| old.has(name)).collect();
        if !lost.is_empty() {
            return Some(missing(lost));
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

/// What every objection ends with.
const KEPT: &str = "The answer is not stored, and the snapshot from before is served until it is as old as max_stale. If this is \
                    right, accept it with invalidate()";

fn emptied(before: usize) -> XtraError {
    let message = format!(
        "the scope held {before} secrets and now holds none; a renamed or deleted environment or branch looks the same. {KEPT}"
    );
    XtraError::new(ErrorKind::EmptyScope, message)
}

fn replaced(before: usize) -> XtraError {
    let message = format!(
        "none of the {before} names that the scope held is in the answer; another project's answer, or an error in the place \
         of one, looks the same. {KEPT}"
    );
    XtraError::new(ErrorKind::MissingSecret, message)
}

fn unreadable(entries: &[Unreadable]) -> XtraError {
    let message = format!(
        "every value in the answer is ciphertext, where there were values that could be read; a key that the service has lost \
         looks the same. {KEPT}"
    );
    XtraError::new(ErrorKind::Undecryptable, message).with_keys(entries.iter().map(|entry| entry.name.as_str()))
}

fn missing(lost: BTreeSet<String>) -> XtraError {
    let message = format!(
        "the scope no longer holds {}, which is required. {KEPT}",
        lost.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
    );
    XtraError::new(ErrorKind::MissingSecret, message).with_keys(lost)
}

#[cfg(test)]
mod tests;
