//! Copies on disk: after each load one is kept, and when a load fails and memory has nothing, one may stand in.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::SecretSource;
use super::cache::{Flights, Found, Kept, Permit};
use super::disk_cache::{Offline, OfflineOptions, Problem, Saved, Slot};
use super::grace::{is_own_answer, is_own_refusal};
use super::guard::is_masked;
use super::landing::Landed;
use super::state::{Engine, Ticket};
use crate::core::{Origin, Secrets, SnapshotSource, XtraError};

/// The copies of a client, and who is looking for one.
pub(crate) struct Copies {
    offline: Offline,
    flights: Flights<Result<Arc<Secrets>, Problem>>,
}

/// What saving needs to know of a load. Taken before anything is sent, as the account may change meanwhile.
pub(crate) struct Draft {
    slot: Result<Slot, Problem>,
    asked: SystemTime,
}

impl Copies {
    pub(crate) fn new(options: OfflineOptions) -> Self {
        Self { offline: Offline::new(options), flights: Flights::new() }
    }

    /// How many times a copy was taken from the disk, and how many times one could not be saved or deleted.
    pub(crate) fn counts(&self) -> (u64, u64) {
        self.offline.counts()
    }

    /// Nobody who looks from now on is given what was being looked for before.
    pub(crate) fn abandon_all(&self) {
        self.flights.abandon_all();
    }
}

impl<S: SecretSource> Engine<S> {
    /// To be called when a load begins.
    pub(crate) fn draft(&self, ticket: &Ticket<S::Owned>) -> Option<Draft> {
        let copies = self.copies.as_ref()?;
        Some(Draft { slot: self.slot(copies, &ticket.key), asked: self.wall() })
    }

    /// To be called when a load has ended: keeps a copy of what is served from now on, and deletes that of what the caller may
    /// no longer have. Nothing that goes wrong with the disk is an error of the load.
    pub(crate) async fn save(
        &self,
        draft: Option<Draft>,
        ticket: &Ticket<S::Owned>,
        landed: Result<&Landed, &XtraError>,
    ) {
        let (Some(copies), Some(draft)) = (&self.copies, draft) else { return };
        let slot = draft.slot.as_ref().map_err(|problem| *problem);
        match landed {
            Ok(landed) if landed.is_masked => copies.offline.forget(slot).await,
            Ok(Landed { is_current: true, kept: Some(kept), .. }) if kept.source() == SnapshotSource::Service => {
                let lacking = self.guard.lacking(&ticket.key, kept);
                copies.offline.keep(slot, kept, lacking, draft.asked).await;
                if kept.is_empty() && kept.unreadable().is_empty() {
                    // it is not saved, but the service has answered
                    copies.offline.end_refusals(slot).await;
                }
            }
            Ok(_) => {}
            Err(error) if is_own_refusal(error) => copies.offline.forget(slot).await,
            Err(error) if is_own_answer(error) => copies.offline.end_refusals(slot).await,
            Err(_) => {}
        }
    }

    /// The copy of a scope whose load failed, or the error of that. Whoever looks at the same time looks once.
    pub(crate) async fn from_disk(self: Arc<Self>, key: &[u8], error: XtraError) -> Result<Arc<Secrets>, XtraError> {
        let Some(copies) = self.copies.as_ref().filter(|_| self.is_away(key, &error)) else {
            return Err(self.explained(key, error));
        };
        let (engine, owned) = (Arc::clone(&self), key.to_vec());
        let found = copies.flights.join(key, move || async move { engine.take(&owned).await }).await;
        match found {
            Ok(secrets) => {
                if error.is_foreign_refusal() {
                    self.count_foreign(&secrets);
                }
                Ok(secrets)
            }
            Err(problem) => Err(error.adding(&format!("; and no saved secrets can be used: {problem}"))),
        }
    }

    /// Takes a copy from the disk and into memory, as one that is only served while the service is away.
    async fn take(self: &Arc<Self>, key: &[u8]) -> Result<Arc<Secrets>, Problem> {
        let copies = self.copies.as_ref().ok_or(Problem::Absent)?;
        let permit = self.cache.as_ref().map(|cache| cache.permit_of_a_stand_in());
        let slot = self.slot(copies, key);
        let saved = copies.offline.find(slot.as_ref().map_err(|problem| *problem), self.wall()).await?;
        if self.guard.is_cold(key) {
            self.guard.learn(key, saved.values.names(), &saved.unreadable);
        }
        let secrets = self.take_in(key, saved, permit);
        if secrets.source() == SnapshotSource::Offline {
            copies.offline.count_served();
            tracing::warn!(
                source = self.source.name(),
                age_seconds = secrets.age().as_secs(),
                "the service cannot be reached: secrets come from a saved copy"
            );
        }
        Ok(secrets)
    }

    /// Puts a copy into memory, as one that is only served while the service is away, unless a load has succeeded meanwhile.
    fn take_in(self: &Arc<Self>, key: &[u8], saved: Saved, permit: Option<Permit>) -> Arc<Secrets> {
        let Saved { values, unreadable, age, left } = saved;
        let now = self.clock.now();
        let origin =
            Origin { source: SnapshotSource::Offline, clock: self.clock.clone(), fetched: now, ttl: self.options.ttl };
        let secrets = Arc::new(Secrets::assemble(values, unreadable, origin).older_by(age));
        if let (Some(cache), Some(permit)) = (&self.cache, permit) {
            let arrival = cache.stand_in(permit, now, left);
            let kept = cache.keep(key, Arc::clone(&secrets), arrival, now, |_| false);
            if !matches!(kept, Kept::Stored)
                && let Found::Fresh(newer) | Found::Stale(newer) | Found::Old(newer) = cache.find(key, now)
            {
                return newer;
            }
            self.start_sweeping();
        }
        secrets
    }

    /// The copy on disk, when it is what an answer must be compared with, or served in its place: the client has just begun, or
    /// what was in memory has left it.
    pub(crate) async fn recall(
        &self,
        draft: Option<&Draft>,
        key: &[u8],
        new: &Secrets,
        is_doubtful: bool,
    ) -> Option<Saved> {
        let (copies, draft) = (self.copies.as_ref()?, draft?);
        if new.source() != SnapshotSource::Service || is_masked(new) && !is_doubtful {
            return None;
        }
        let is_cold = self.guard.is_cold(key);
        if !is_cold && (self.has(key) || !is_doubtful && self.guard.objection(key, new).is_none()) {
            return None;
        }
        let slot = draft.slot.as_ref().map_err(|problem| *problem);
        let saved = copies.offline.peek(slot, self.wall()).await?;
        if is_cold {
            self.guard.learn(key, saved.values.names(), &saved.unreadable);
        }
        Some(saved)
    }

    fn has(&self, key: &[u8]) -> bool {
        self.cache.as_ref().is_some_and(|cache| !matches!(cache.find(key, self.clock.now()), Found::Nothing))
    }

    /// A copy in place of an answer that is held back: for as long as a snapshot in memory would be served.
    pub(crate) fn serve_copy(self: &Arc<Self>, key: &[u8], copy: Option<Saved>) -> Option<Arc<Secrets>> {
        let copy = copy?;
        let left = copy.left.min(self.options.max_stale.saturating_sub(copy.age));
        if left.is_zero() {
            return None;
        }
        let permit = self.cache.as_ref().map(|cache| cache.permit_of_a_stand_in());
        let secrets = self.take_in(key, Saved { left, ..copy }, permit);
        self.copies.iter().for_each(|copies| copies.offline.count_served());
        Some(secrets)
    }

    /// Notes a refusal that is not the service's own with the copy on disk, and tells how long ago the first was.
    pub(crate) async fn note_refusal(&self, draft: Option<&Draft>) -> Duration {
        let (Some(copies), Some(draft)) = (&self.copies, draft) else { return Duration::ZERO };
        let slot = draft.slot.as_ref().map_err(|problem| *problem);
        copies.offline.note_refusal(slot, self.wall()).await.unwrap_or_default()
    }

    fn slot(&self, copies: &Copies, key: &[u8]) -> Result<Slot, Problem> {
        copies.offline.slot(self.source.lasting_token(), self.source.name(), self.source.root(), key)
    }

    /// The time of day, moved on with a clock that is moved by hand.
    fn wall(&self) -> SystemTime {
        let now = SystemTime::now();
        now.checked_add(self.clock.moved_by().unwrap_or_default()).unwrap_or(now)
    }
}
