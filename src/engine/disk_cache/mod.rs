//! Encrypted copies of secrets on disk, for the time when the service cannot be reached.
//!
//! Nothing here decides when a copy is used: that is the engine's. This room knows how one is named, sealed, kept and judged.

mod contents;
mod crew;
mod folder;
mod key;
mod options;
mod problem;
mod seal;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

pub use key::OfflineKey;
pub use options::OfflineOptions;
pub(crate) use problem::Problem;

use crate::core::{SecretValue, Secrets, SortedPairs, Unreadable};
use contents::{decode, encode};
use crew::Crew;
use folder::Folder;
use key::Material;
use seal::Life;

/// A copy is written anew when it has used up this part of its time, although nothing has changed.
const REWRITTEN_AFTER: u32 = 24;

/// How long the directory is not swept again. A sweep looks into every file, and a start may write hundreds of them.
const SWEPT_AFTER: Duration = Duration::from_secs(60);

/// The copies of one client.
pub(crate) struct Offline {
    shelf: Arc<Shelf>,
    crew: Crew,
    /// The names of copies that the service has refused since, for as long as they may not have been deleted.
    refused: Mutex<HashSet<String>>,
    /// A problem is told once, and then again after something was saved.
    told: AtomicBool,
    served: AtomicU64,
    failures: AtomicU64,
}

/// What the threads share.
struct Shelf {
    options: OfflineOptions,
    /// One writer at a time: each looks at what is there before it writes. It holds the time of the last sweep.
    writing: Mutex<SystemTime>,
}

/// The place of one scope's copy: what it is called, and what opens it.
#[derive(Clone)]
pub(crate) struct Slot(Arc<Place>);

struct Place {
    name: String,
    material: Material,
    /// Everything that tells this scope from others: service, API root, account and scope.
    context: Vec<u8>,
}

/// What a copy held.
pub(crate) struct Saved {
    pub(crate) values: SortedPairs,
    pub(crate) unreadable: Vec<Unreadable>,
    /// How long ago it was asked for.
    pub(crate) age: Duration,
    /// For how long it may still be used.
    pub(crate) left: Duration,
}

/// What became of a snapshot that should be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Written,
    /// The copy there is young and says the same.
    Same,
    /// The copy there was asked for later.
    Newer,
    /// The copy there has a secret that is required and that the snapshot has lost.
    Guarded,
}

impl Offline {
    pub(crate) fn new(options: OfflineOptions) -> Self {
        Self {
            shelf: Arc::new(Shelf { options, writing: Mutex::new(SystemTime::UNIX_EPOCH) }),
            crew: Crew::new(crew::PATIENCE),
            refused: Mutex::default(),
            told: AtomicBool::new(false),
            served: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    /// How many reads were answered by a copy, and how many times a copy could not be saved or deleted.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.served.load(Ordering::Relaxed), self.failures.load(Ordering::Relaxed))
    }

    /// The place for a scope. `token` is one that lasts; `key` tells the account and the scope.
    pub(crate) fn slot(
        &self,
        token: Option<SecretValue>,
        service: &str,
        root: &str,
        key: &[u8],
    ) -> Result<Slot, Problem> {
        let material = match (&self.shelf.options.key, token) {
            (Some(key), _) => Material::Given(key.clone()),
            (None, Some(token)) => Material::Token(token),
            (None, None) => return Err(Problem::NoKey),
        };
        let mut context = Vec::new();
        for part in [service.as_bytes(), root.as_bytes(), key] {
            context.extend_from_slice(&(part.len() as u64).to_le_bytes());
            context.extend_from_slice(part);
        }
        Ok(Slot(Arc::new(Place { name: material.name(&context)?, material, context })))
    }

    /// Saves a snapshot that was asked for at `asked`, where that is needed, but not over a copy that has a secret of those that
    /// the snapshot is `lacking`. Nothing that goes wrong is the caller's affair.
    pub(crate) async fn keep(
        &self,
        slot: Result<&Slot, Problem>,
        secrets: &Arc<Secrets>,
        lacking: Vec<String>,
        asked: SystemTime,
    ) {
        if secrets.is_empty() && secrets.unreadable().is_empty() {
            // an unknown environment looks like this
            return;
        }
        let done = match slot {
            Ok(slot) => {
                let (shelf, place, secrets) = (Arc::clone(&self.shelf), slot.clone(), Arc::clone(secrets));
                let kept = self.crew.run(move || shelf.keep(&place.0, &secrets, &lacking, asked)).await;
                kept.map(|_| self.clear(slot))
            }
            Err(problem) => Err(problem),
        };
        match done {
            Ok(()) => self.told.store(false, Ordering::Relaxed),
            Err(problem) => self.fail(problem, "secrets could not be saved for times without the service"),
        }
    }

    /// The copy of a scope, when there is one that may be used at `now`.
    pub(crate) async fn find(&self, slot: Result<&Slot, Problem>, now: SystemTime) -> Result<Saved, Problem> {
        let slot = slot?;
        let found = if self.refused().contains(&slot.0.name) {
            self.forget(Ok(slot)).await;
            Err(Problem::Refused)
        } else {
            let (shelf, slot) = (Arc::clone(&self.shelf), slot.clone());
            self.crew.run(move || shelf.find(&slot.0, now)).await
        };
        if let Err(problem) = &found
            && *problem != Problem::Absent
        {
            tracing::warn!(directory = ?self.shelf.options.directory, "no saved secrets can be used: {problem}");
        }
        found
    }

    /// The copy of a scope, to compare an answer with. It may be one that is not to be used; nothing is said of that.
    pub(crate) async fn peek(&self, slot: Result<&Slot, Problem>, now: SystemTime) -> Option<Saved> {
        let slot = slot.ok().filter(|slot| !self.refused().contains(&slot.0.name))?;
        let (shelf, slot) = (Arc::clone(&self.shelf), slot.clone());
        self.crew.run(move || shelf.find(&slot.0, now)).await.ok()
    }

    /// Notes with the copy that a refusal came which is not the service's own, and tells how long ago the first of these was.
    /// `None` when there is no copy to note it with.
    pub(crate) async fn note_refusal(&self, slot: Result<&Slot, Problem>, now: SystemTime) -> Option<Duration> {
        let (shelf, slot) = (Arc::clone(&self.shelf), slot.ok()?.clone());
        self.crew.run(move || shelf.note_refusal(&slot.0, now)).await.ok()
    }

    /// The service itself has answered: what was noted of refusals is over.
    pub(crate) async fn end_refusals(&self, slot: Result<&Slot, Problem>) {
        let Ok(slot) = slot else { return };
        let (shelf, slot) = (Arc::clone(&self.shelf), slot.clone());
        // should that fail, the next snapshot that is saved ends them
        let _ = self.crew.run(move || shelf.end_refusals(&slot.0)).await;
    }

    /// Counts a read that a copy has answered.
    pub(crate) fn count_served(&self) {
        self.served.fetch_add(1, Ordering::Relaxed);
    }

    /// Deletes the copy of a scope. One that cannot be deleted is not used any more, until another one is saved.
    pub(crate) async fn forget(&self, slot: Result<&Slot, Problem>) {
        // without a key nothing was saved
        let Ok(slot) = slot else { return };
        // noted before anything is waited for, as whoever asked may go away
        self.refused().insert(slot.0.name.clone());
        let (shelf, place) = (Arc::clone(&self.shelf), slot.clone());
        match self.crew.run(move || shelf.forget(&place.0)).await {
            Ok(()) => self.clear(slot),
            Err(problem) => self.fail(problem, "saved secrets that the service refuses by now could not be deleted"),
        }
    }

    fn clear(&self, slot: &Slot) {
        self.refused().remove(&slot.0.name);
    }

    fn refused(&self) -> MutexGuard<'_, HashSet<String>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, problem: Problem, what: &str) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(directory = ?self.shelf.options.directory, "{what}: {problem}");
        }
    }
}

impl Shelf {
    fn keep(&self, place: &Place, secrets: &Secrets, lacking: &[String], asked: SystemTime) -> Result<Kept, Problem> {
        let OfflineOptions { directory, max_age, max_bytes, .. } = &self.options;
        let life = Life::new(asked, *max_age);
        let bytes = encode(secrets, seal::HEADER, seal::TAG, *max_bytes)?;
        let mut swept = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Folder::create_at(directory)?;
        folder.wait_for_turn();
        // Whatever is wrong with what is there: it is replaced.
        if let Ok(mut there) = folder.read(&place.name, *max_bytes)
            && let Ok((other, contents)) = seal::open(&place.material, &place.context, &mut there)
        {
            let is_same = bytes.get(seal::HEADER..) == Some(contents);
            if let Some(kept) = spared(life, other, is_same) {
                return Ok(kept);
            }
            if !lacking.is_empty()
                && other.age(asked, *max_age).is_ok()
                && decode(contents).is_some_and(|contents| contents.has_any(lacking))
            {
                return Ok(Kept::Guarded);
            }
        }
        let sealed = seal::seal(&place.material, &place.context, life, bytes)?;
        folder.replace(&place.name, &sealed)?;
        let apart = asked.duration_since(*swept).unwrap_or_else(|ahead| ahead.duration());
        if apart >= SWEPT_AFTER {
            folder.sweep(asked);
            *swept = asked;
        }
        Ok(Kept::Written)
    }

    fn find(&self, place: &Place, now: SystemTime) -> Result<Saved, Problem> {
        let OfflineOptions { directory, max_age, max_bytes, .. } = &self.options;
        let mut bytes = Folder::open_at(directory)?.read(&place.name, *max_bytes)?;
        let (life, contents) = seal::open(&place.material, &place.context, &mut bytes)?;
        let age = life.age(now, *max_age)?;
        let contents = decode(contents).ok_or(Problem::Unopened)?;
        Ok(Saved { values: contents.values, unreadable: contents.unreadable, age, left: life.left(age, *max_age) })
    }

    fn note_refusal(&self, place: &Place, now: SystemTime) -> Result<Duration, Problem> {
        let mut spent = Duration::ZERO;
        self.change_life(place, |life| match life.refused_for(now) {
            Some(before) => {
                spent = before;
                life
            }
            None => life.refused_at(now),
        })?;
        Ok(spent)
    }

    fn end_refusals(&self, place: &Place) -> Result<(), Problem> {
        self.change_life(place, |life| Life { refused: 0, ..life })
    }

    /// Writes a copy anew whose header is to say something else.
    fn change_life(&self, place: &Place, change: impl FnOnce(Life) -> Life) -> Result<(), Problem> {
        let OfflineOptions { directory, max_bytes, .. } = &self.options;
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Folder::open_at(directory)?;
        folder.wait_for_turn();
        let mut there = folder.read(&place.name, *max_bytes)?;
        let (life, contents) = seal::open(&place.material, &place.context, &mut there)?;
        let changed = change(life);
        if changed == life {
            return Ok(());
        }
        let bytes = seal::unsealed(contents);
        let sealed = seal::seal(&place.material, &place.context, changed, bytes)?;
        folder.replace(&place.name, &sealed)
    }

    fn forget(&self, place: &Place) -> Result<(), Problem> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        match Folder::open_own_at(&self.options.directory) {
            Ok(folder) => {
                folder.wait_for_turn();
                folder.delete(&place.name)
            }
            Err(Problem::Absent) => Ok(()),
            Err(problem) => Err(problem),
        }
    }
}

/// Why a new copy need not be written over another one that opens.
fn spared(new: Life, there: Life, is_same: bool) -> Option<Kept> {
    let later = there.saved.saturating_sub(new.saved);
    // further ahead than calls take, it is not a later answer but a clock that was put back
    if later > 0 && Duration::from_millis(later) <= seal::TOLERANCE {
        return Some(Kept::Newer);
    }
    let is_young = new.saved.saturating_sub(there.saved) < new.lasts / u64::from(REWRITTEN_AFTER);
    (is_same && is_young && later == 0 && there.lasts == new.lasts && there.refused == 0).then_some(Kept::Same)
}

#[cfg(test)]
mod tests;
