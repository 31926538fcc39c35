//! The engine's use of the disk cache: a copy is saved after each load, and stands in when a load fails and memory has nothing.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::SecretSource;
use super::backoff::{is_own_answer, is_own_refusal};
use super::disk_cache::{DiskCache, DiskError, FileKey, Saved};
use super::outcome::{LoadOutcome, LoadRequest};
use super::shrink_guard::is_masked;
use super::state::Engine;
use super::store::{Found, InsertOutcome, WriteToken};
use crate::core::{Origin, Secrets, SnapshotSource, XtraError, events};

/// What saving needs to know of a load. Taken before anything is sent, as the account may change meanwhile.
pub(crate) struct PendingWrite {
    key: FileKey,
    asked: SystemTime,
}

impl<S: SecretSource> Engine<S> {
    /// To be called when a load begins.
    pub(crate) fn pending_write(&self, request: &LoadRequest<S::Owned>) -> Option<PendingWrite> {
        let disk = self.disk.as_ref()?;
        Some(PendingWrite { key: self.file_key(disk, &request.key), asked: self.wall() })
    }

    /// To be called when a load has ended: keeps a copy of what is served from now on, and deletes that of what the caller may
    /// no longer have. Nothing that goes wrong with the disk is an error of the load.
    pub(crate) async fn save(
        &self,
        pending: Option<PendingWrite>,
        request: &LoadRequest<S::Owned>,
        outcome: Result<&LoadOutcome, &XtraError>,
    ) {
        let (Some(disk), Some(pending)) = (&self.disk, pending) else { return };
        match outcome {
            Ok(LoadOutcome::Masked(_)) => disk.delete(&pending.key).await,
            Ok(LoadOutcome::Current(kept)) if kept.source() == SnapshotSource::Service => {
                let missing = self.guard.missing(&request.key, kept);
                // a copy is as old as the oldest of what was put together
                let asked = pending.asked.checked_sub(kept.older()).unwrap_or(pending.asked);
                disk.save(&pending.key, kept, missing, asked).await;
                if kept.is_empty() && kept.unreadable().is_empty() {
                    // it is not saved, but the service has answered
                    disk.end_refusals(&pending.key).await;
                }
            }
            Ok(_) => {}
            Err(error) if is_own_refusal(error) => disk.delete(&pending.key).await,
            Err(error) if is_own_answer(error) => disk.end_refusals(&pending.key).await,
            Err(_) => {}
        }
    }

    /// The copy of a scope whose load failed, or the error of that. Whoever looks at the same time looks once.
    pub(crate) async fn from_disk(
        self: Arc<Self>,
        key: &[u8],
        scope: &Arc<S::Owned>,
        error: XtraError,
    ) -> Result<Arc<Secrets>, XtraError> {
        let Some(disk) = self.disk.as_ref().filter(|_| self.refresher.is_unreachable(key, &error, self.clock.now()))
        else {
            return Err(self.refresher.explained(key, error, self.clock.now()));
        };
        let (engine, owned, scope) = (Arc::clone(&self), key.to_vec(), Arc::clone(scope));
        let found = disk.lookups.join(key, move || async move { engine.take(&owned, &scope).await }).await;
        match found {
            Ok(secrets) => {
                if error.is_foreign_refusal() {
                    self.count_foreign(&secrets);
                }
                Ok(secrets)
            }
            Err(why) => Err(error.with_note(format!("No saved secrets can be used either: {why}"))),
        }
    }

    /// Takes a copy from the disk and into memory, as one that is only served while the service is away.
    async fn take(self: &Arc<Self>, key: &[u8], scope: &S::Owned) -> Result<Arc<Secrets>, DiskError> {
        let disk = self.disk.as_ref().ok_or(DiskError::Absent)?;
        let token = self.store.as_ref().map(|store| store.token_of_a_stand_in());
        let saved = disk.load(&self.file_key(disk, key), self.wall()).await?;
        if self.guard.is_cold(key) {
            self.guard.learn(key, saved.values.names(), &saved.unreadable);
        }
        let secrets = self.take_in(key, scope, saved, token);
        if secrets.source() == SnapshotSource::Offline {
            disk.count_served();
            tracing::warn!(
            target: events::ENGINE,
                           source = self.source.name(),
                           age_seconds = secrets.age().as_secs(),
                           "the service cannot be reached: secrets come from a saved copy"
                       );
        }
        Ok(secrets)
    }

    /// Puts a copy into memory, as one that is only served while the service is away, unless a load has succeeded meanwhile.
    fn take_in(
        self: &Arc<Self>,
        key: &[u8],
        scope: &S::Owned,
        saved: Saved,
        token: Option<WriteToken>,
    ) -> Arc<Secrets> {
        let Saved { values, unreadable, age, left } = saved;
        let now = self.clock.now();
        let origin = Origin {
            source: SnapshotSource::Offline,
            clock: self.clock.clone(),
            fetched: now,
            ttl: self.options.ttl,
            passphrase: self.source.passphrase_variable(),
            place: self.place(scope),
        };
        let secrets = Arc::new(Secrets::assemble(values, unreadable, origin).older_by(age));
        if let (Some(store), Some(token)) = (&self.store, token) {
            let entry = store.stand_in(token, now, left);
            let inserted = store.insert(key, Arc::clone(&secrets), entry, now, |_| false);
            if !matches!(inserted, InsertOutcome::Stored)
                && let Found::Fresh(newer) | Found::Stale(newer) | Found::Old(newer) = store.find(key, now)
            {
                return newer;
            }
            self.start_expiry();
        }
        secrets
    }

    /// The copy on disk, when it is what an answer must be compared with, or served in its place: the client has just begun, or
    /// what was in memory has left it.
    pub(crate) async fn recall(
        &self,
        pending: Option<&PendingWrite>,
        key: &[u8],
        new: &Secrets,
        is_doubtful: bool,
    ) -> Option<Saved> {
        let (disk, pending) = (self.disk.as_ref()?, pending?);
        if new.source() != SnapshotSource::Service || is_masked(new) && !is_doubtful {
            return None;
        }
        let is_cold = self.guard.is_cold(key);
        if !is_cold && (self.has(key) || !is_doubtful && self.guard.check(key, new).is_none()) {
            return None;
        }
        let saved = disk.peek(&pending.key, self.wall()).await?;
        if is_cold {
            self.guard.learn(key, saved.values.names(), &saved.unreadable);
        }
        Some(saved)
    }

    fn has(&self, key: &[u8]) -> bool {
        self.store.as_ref().is_some_and(|store| !matches!(store.find(key, self.clock.now()), Found::Nothing))
    }

    /// A copy in place of an answer that is held back: for as long as a snapshot in memory would be served.
    pub(crate) fn serve_copy(
        self: &Arc<Self>,
        request: &LoadRequest<S::Owned>,
        copy: Option<Saved>,
    ) -> Option<Arc<Secrets>> {
        let copy = copy?;
        let left = copy.left.min(self.options.max_stale.saturating_sub(copy.age));
        if left.is_zero() {
            return None;
        }
        let token = self.store.as_ref().map(|store| store.token_of_a_stand_in());
        let secrets = self.take_in(&request.key, &request.scope, Saved { left, ..copy }, token);
        self.disk.iter().for_each(|disk| disk.count_served());
        Some(secrets)
    }

    /// Notes a refusal that is not the service's own with the copy on disk, and tells how long ago the first was.
    pub(crate) async fn note_refusal(&self, pending: Option<&PendingWrite>) -> Duration {
        let (Some(disk), Some(pending)) = (&self.disk, pending) else { return Duration::ZERO };
        disk.note_refusal(&pending.key, self.wall()).await.unwrap_or_default()
    }

    fn file_key(&self, disk: &DiskCache, key: &[u8]) -> FileKey {
        disk.file_key(self.source.lasting_token(), self.source.name(), self.source.base_url(), key)
    }

    /// The time of day, moved on with a clock that is moved by hand.
    fn wall(&self) -> SystemTime {
        let now = SystemTime::now();
        now.checked_add(self.clock.moved_by().unwrap_or_default()).unwrap_or(now)
    }
}
