//! The disk cache: encrypted copies of secrets, for the time when the service cannot be reached.
//!
//! Nothing here decides when a copy is used: that is the engine's. This room knows how one is named, sealed, kept and judged.

mod contents;
mod error;
mod folder;
mod io_threads;
mod options;
mod seal;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

pub(crate) use error::DiskError;
pub use options::{OfflineKey, OfflineOptions};

use super::single_flight::SingleFlight;
use crate::core::{SecretValue, Secrets, SortedPairs, Unreadable, events};
use contents::{decode, encode};
use folder::Folder;
use io_threads::{BoundedThreads, IO_TIMEOUT};
use seal::{KeyMaterial, Life};

/// A copy is written anew when it has used up this part of its time, although nothing has changed.
const REWRITTEN_AFTER: u32 = 24;

/// How long the directory is not swept again. A sweep looks into every file, and a start may write hundreds of them.
const SWEPT_AFTER: Duration = Duration::from_secs(60);

/// The disk cache of one client.
pub(crate) struct DiskCache {
    writer: Arc<Writer>,
    threads: BoundedThreads,
    /// The reads of copies that are under way. Whoever looks for one at the same time shares the read.
    pub(super) lookups: SingleFlight<Result<Arc<Secrets>, DiskError>>,
    /// The names of copies that the service has refused since, for as long as they may not have been deleted.
    refused: Mutex<HashSet<String>>,
    /// A failure is logged once, and then again after something was saved.
    reported: AtomicBool,
    served: AtomicU64,
    failures: AtomicU64,
}

/// The blocking half of the disk cache, which its threads share.
struct Writer {
    options: OfflineOptions,
    /// One write at a time: each looks at what is there before it writes. It holds the time of the last sweep.
    last_sweep: Mutex<SystemTime>,
}

/// The key of one scope's copy: the file's name, and what opens it. An error when the copy could not be encrypted.
#[derive(Clone)]
pub(crate) struct FileKey(Result<Arc<KeyParts>, DiskError>);

struct KeyParts {
    name: String,
    material: KeyMaterial,
    /// Everything that tells this scope from others: service, base URL, account and scope.
    context: Vec<u8>,
}

/// The secrets of a copy.
pub(crate) struct Saved {
    pub(crate) values: SortedPairs,
    pub(crate) unreadable: Vec<Unreadable>,
    /// How long ago it was asked for.
    pub(crate) age: Duration,
    /// For how long it may still be used.
    pub(crate) left: Duration,
}

/// The outcome of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WriteOutcome {
    Written,
    /// The copy there is young and says the same.
    Same,
    /// The copy there was asked for later.
    Newer,
    /// The copy there has a secret that is required and that the snapshot has lost.
    Guarded,
}

impl DiskCache {
    pub(crate) fn new(options: OfflineOptions) -> Self {
        Self {
            writer: Arc::new(Writer { options, last_sweep: Mutex::new(SystemTime::UNIX_EPOCH) }),
            threads: BoundedThreads::new(IO_TIMEOUT),
            lookups: SingleFlight::new(),
            refused: Mutex::default(),
            reported: AtomicBool::new(false),
            served: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    /// How many reads were answered by a copy, and how many times a copy could not be saved or deleted.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.served.load(Ordering::Relaxed), self.failures.load(Ordering::Relaxed))
    }

    /// Nobody who looks for a copy from now on is given one that was being read before.
    pub(crate) fn abandon_all(&self) {
        self.lookups.abandon_all();
    }

    /// The key of a scope's copy. `token` is one that lasts; `key` tells the account and the scope.
    pub(crate) fn file_key(&self, token: Option<SecretValue>, service: &str, root: &str, key: &[u8]) -> FileKey {
        let material = match (&self.writer.options.key, token) {
            (Some(key), _) => KeyMaterial::Given(key.clone()),
            (None, Some(token)) => KeyMaterial::Token(token),
            (None, None) => return FileKey(Err(DiskError::NoKey)),
        };
        let mut context = Vec::new();
        for part in [service.as_bytes(), root.as_bytes(), key] {
            context.extend_from_slice(&(part.len() as u64).to_le_bytes());
            context.extend_from_slice(part);
        }
        FileKey(material.name(&context).map(|name| Arc::new(KeyParts { name, material, context })))
    }

    /// Saves a snapshot that was asked for at `asked`, where that is needed, but not over a copy that has a secret of those that
    /// are `missing` from the snapshot. A failure is counted, and is no error of the caller's.
    pub(crate) async fn save(&self, key: &FileKey, secrets: &Arc<Secrets>, missing: Vec<String>, asked: SystemTime) {
        if secrets.is_empty() && secrets.unreadable().is_empty() {
            // an unknown environment looks like this
            return;
        }
        let secrets = Arc::clone(secrets);
        match self.on_thread(key, move |writer, key| writer.save(key, &secrets, &missing, asked)).await {
            Ok(_) => {
                self.no_longer_refused(key);
                self.reported.store(false, Ordering::Relaxed);
            }
            Err(error) => self.fail(error, "secrets could not be saved for times without the service"),
        }
    }

    /// The copy of a scope, when there is one that may be used at `now`.
    pub(crate) async fn load(&self, key: &FileKey, now: SystemTime) -> Result<Saved, DiskError> {
        let found = if self.is_refused(key) {
            self.delete(key).await;
            Err(DiskError::Refused)
        } else {
            self.on_thread(key, move |writer, key| writer.load(key, now)).await
        };
        if let Err(error) = &found
            && *error != DiskError::Absent
        {
            tracing::warn!(target: events::ENGINE, directory = ?self.writer.options.directory, "no saved secrets can be used: {error}");
        }
        found
    }

    /// The copy of a scope, to compare an answer with. It may be one that is not to be used; nothing is logged then.
    pub(crate) async fn peek(&self, key: &FileKey, now: SystemTime) -> Option<Saved> {
        if self.is_refused(key) {
            return None;
        }
        self.on_thread(key, move |writer, key| writer.load(key, now)).await.ok()
    }

    /// Notes with the copy that a refusal came which is not the service's own, and tells how long ago the first of these was.
    /// `None` when there is no copy to note it with.
    pub(crate) async fn note_refusal(&self, key: &FileKey, now: SystemTime) -> Option<Duration> {
        self.on_thread(key, move |writer, key| writer.note_refusal(key, now)).await.ok()
    }

    /// The service itself has answered: what was noted of refusals is over.
    pub(crate) async fn end_refusals(&self, key: &FileKey) {
        // should that fail, the next snapshot that is saved ends them
        let _ = self.on_thread(key, Writer::end_refusals).await;
    }

    /// Counts a read that a copy has answered.
    pub(crate) fn count_served(&self) {
        self.served.fetch_add(1, Ordering::Relaxed);
    }

    /// Deletes the copy of a scope. One that cannot be deleted is not used any more, until another one is saved.
    pub(crate) async fn delete(&self, key: &FileKey) {
        // without a key nothing was saved
        let Ok(parts) = &key.0 else { return };
        // noted before anything is waited for, as whoever asked may go away
        self.refused().insert(parts.name.clone());
        match self.on_thread(key, Writer::delete).await {
            Ok(()) => self.no_longer_refused(key),
            Err(error) => self.fail(error, "saved secrets that the service refuses by now could not be deleted"),
        }
    }

    async fn on_thread<T: Send + 'static>(
        &self,
        key: &FileKey,
        work: impl FnOnce(&Writer, &KeyParts) -> Result<T, DiskError> + Send + 'static,
    ) -> Result<T, DiskError> {
        let (writer, key) = (Arc::clone(&self.writer), key.0.clone()?);
        self.threads.run(move || work(&writer, &key)).await
    }

    fn is_refused(&self, key: &FileKey) -> bool {
        key.0.as_ref().is_ok_and(|parts| self.refused().contains(&parts.name))
    }

    fn no_longer_refused(&self, key: &FileKey) {
        if let Ok(parts) = &key.0 {
            self.refused().remove(&parts.name);
        }
    }

    fn refused(&self) -> MutexGuard<'_, HashSet<String>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, error: DiskError, what: &str) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        if !self.reported.swap(true, Ordering::Relaxed) {
            tracing::warn!(target: events::ENGINE, directory = ?self.writer.options.directory, "{what}: {error}");
        }
    }
}

impl Writer {
    fn save(
        &self,
        key: &KeyParts,
        secrets: &Secrets,
        missing: &[String],
        asked: SystemTime,
    ) -> Result<WriteOutcome, DiskError> {
        let OfflineOptions { directory, max_age, max_bytes, .. } = &self.options;
        let life = Life::new(asked, *max_age);
        let bytes = encode(secrets, seal::HEADER, seal::TAG, *max_bytes)?;
        let mut last_sweep = self.last_sweep.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Folder::create_at(directory)?;
        folder.wait_for_turn();
        // Whatever is wrong with what is there: it is replaced.
        if let Ok(mut there) = folder.read(&key.name, *max_bytes)
            && let Ok((other, contents)) = seal::open(&key.material, &key.context, &mut there)
        {
            let is_same = bytes.get(seal::HEADER..) == Some(contents);
            if let Some(outcome) = unneeded(life, other, is_same) {
                return Ok(outcome);
            }
            if !missing.is_empty()
                && other.age(asked, *max_age).is_ok()
                && decode(contents).is_some_and(|contents| contents.has_any(missing))
            {
                return Ok(WriteOutcome::Guarded);
            }
        }
        let sealed = seal::seal(&key.material, &key.context, life, bytes)?;
        folder.replace(&key.name, &sealed)?;
        let apart = asked.duration_since(*last_sweep).unwrap_or_else(|ahead| ahead.duration());
        if apart >= SWEPT_AFTER {
            folder.sweep(asked);
            *last_sweep = asked;
        }
        Ok(WriteOutcome::Written)
    }

    fn load(&self, key: &KeyParts, now: SystemTime) -> Result<Saved, DiskError> {
        let OfflineOptions { directory, max_age, max_bytes, .. } = &self.options;
        let mut bytes = Folder::open_at(directory)?.read(&key.name, *max_bytes)?;
        let (life, contents) = seal::open(&key.material, &key.context, &mut bytes)?;
        let age = life.age(now, *max_age)?;
        let contents = decode(contents).ok_or(DiskError::Unopened)?;
        Ok(Saved { values: contents.values, unreadable: contents.unreadable, age, left: life.left(age, *max_age) })
    }

    fn note_refusal(&self, key: &KeyParts, now: SystemTime) -> Result<Duration, DiskError> {
        let mut spent = Duration::ZERO;
        self.change_life(key, |life| match life.refused_for(now) {
            Some(before) => {
                spent = before;
                life
            }
            None => life.refused_at(now),
        })?;
        Ok(spent)
    }

    fn end_refusals(&self, key: &KeyParts) -> Result<(), DiskError> {
        self.change_life(key, |life| Life { refused: 0, ..life })
    }

    /// Writes a copy anew whose header is to say something else.
    fn change_life(&self, key: &KeyParts, change: impl FnOnce(Life) -> Life) -> Result<(), DiskError> {
        let OfflineOptions { directory, max_bytes, .. } = &self.options;
        let _turn = self.last_sweep.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Folder::open_at(directory)?;
        folder.wait_for_turn();
        let mut there = folder.read(&key.name, *max_bytes)?;
        let (life, contents) = seal::open(&key.material, &key.context, &mut there)?;
        let changed = change(life);
        if changed == life {
            return Ok(());
        }
        let bytes = seal::unsealed(contents);
        let sealed = seal::seal(&key.material, &key.context, changed, bytes)?;
        folder.replace(&key.name, &sealed)
    }

    fn delete(&self, key: &KeyParts) -> Result<(), DiskError> {
        let _turn = self.last_sweep.lock().unwrap_or_else(PoisonError::into_inner);
        match Folder::open_own_at(&self.options.directory) {
            Ok(folder) => {
                folder.wait_for_turn();
                folder.delete(&key.name)
            }
            Err(DiskError::Absent) => Ok(()),
            Err(problem) => Err(problem),
        }
    }
}

/// The outcome when a new copy need not be written over another one that opens.
fn unneeded(new: Life, there: Life, is_same: bool) -> Option<WriteOutcome> {
    let later = there.saved.saturating_sub(new.saved);
    // further ahead than calls take, it is not a later answer but a clock that was put back
    if later > 0 && Duration::from_millis(later) <= seal::TOLERANCE {
        return Some(WriteOutcome::Newer);
    }
    let is_young = new.saved.saturating_sub(there.saved) < new.lasts / u64::from(REWRITTEN_AFTER);
    (is_same && is_young && later == 0 && there.lasts == new.lasts && there.refused == 0).then_some(WriteOutcome::Same)
}

#[cfg(test)]
mod tests;
