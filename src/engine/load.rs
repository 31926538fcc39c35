//! One load, from the request to the cache: the only place that asks the source.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt;
use tracing::Instrument;

use super::cache::{Found, Kept, Permit};
use super::guard::is_masked;
use super::state::{Answer, Engine, Ticket};
use super::{Loaded, SecretSource};
use crate::core::{ErrorKind, Origin, Secrets, SnapshotSource, Tick, XtraError};

/// What a load brought.
#[derive(Clone)]
pub(crate) struct Landed {
    /// What the source answered.
    answer: Arc<Secrets>,
    /// What is served from now on: the same, unless the shrink guard objects. Nothing, when it does and nothing from before can be
    /// served.
    pub(crate) kept: Option<Arc<Secrets>>,
    /// Why the answer is held back.
    pub(crate) objection: Option<XtraError>,
    /// The answer looks like an error in the place of secrets.
    is_doubtful: bool,
    /// The service lets the caller see names only.
    pub(crate) is_masked: bool,
    /// Whether it has just become what is served.
    #[cfg(feature = "offline")]
    pub(crate) is_current: bool,
}

impl Landed {
    pub(crate) fn as_answered(secrets: Arc<Secrets>) -> Self {
        Self {
            kept: Some(Arc::clone(&secrets)),
            answer: secrets,
            objection: None,
            is_doubtful: false,
            is_masked: false,
            #[cfg(feature = "offline")]
            is_current: false,
        }
    }

    /// The same, which has just become what is served.
    fn as_current(secrets: Arc<Secrets>) -> Self {
        Self {
            #[cfg(feature = "offline")]
            is_current: true,
            ..Self::as_answered(secrets)
        }
    }

    /// What a reader is given who shares the cache with others.
    pub(crate) fn served(self, allow_any_answer: bool) -> Answer {
        match (self.kept, self.objection) {
            (Some(kept), _) => Ok(kept),
            (None, Some(_)) if self.is_doubtful && allow_any_answer => Ok(self.answer),
            (None, Some(objection)) => Err(objection),
            (None, None) => Ok(self.answer),
        }
    }

    /// What is given to who asked for a newer snapshot.
    pub(crate) fn refreshed(self, allow_any_answer: bool) -> Answer {
        match &self.objection {
            Some(objection) if self.kept.is_some() => Err(objection.clone()),
            _ => self.served(allow_any_answer),
        }
    }

    /// What a reader is given who asked for the answer itself.
    pub(crate) fn answered(self, allow_any_answer: bool) -> Answer {
        match self.objection {
            Some(doubt) if self.is_doubtful && !allow_any_answer => Err(doubt),
            _ => Ok(self.answer),
        }
    }
}

/// A copy on disk that an answer is compared with.
#[cfg(feature = "offline")]
pub(crate) type Copy = crate::engine::disk_cache::Saved;
#[cfg(not(feature = "offline"))]
pub(crate) type Copy = std::convert::Infallible;

/// An answer, and what it takes to store it.
struct Arrived {
    secrets: Arc<Secrets>,
    /// Why it may be no secrets at all.
    doubt: Option<XtraError>,
    permit: Option<Permit>,
    started: Tick,
    /// The copy on disk, when memory has nothing to compare with or to serve.
    copy: Option<Copy>,
}

impl<S: SecretSource> Engine<S> {
    /// Asks the source, and stores what it answers. `cause` is for the span: `read`, `refresh`, `renewal` or `watch`. A panic in
    /// the source is an error like others, for everyone who waits.
    pub(crate) async fn load(
        self: Arc<Self>,
        ticket: Ticket<S::Owned>,
        cause: &'static str,
    ) -> Result<Landed, XtraError> {
        let span = tracing::debug_span!(
            "load",
            source = self.source.name(),
            cause,
            secrets = tracing::field::Empty,
            failure = tracing::field::Empty,
        );
        let (engine, key) = (Arc::clone(&self), ticket.key.clone());
        // In a place of its own, because it is large and would be copied with every layer around it.
        let load = Box::pin(self.load_in(ticket, span.clone()).instrument(span));
        let outcome = AssertUnwindSafe(load).catch_unwind().await;
        outcome.unwrap_or_else(|payload| {
            // It may hold anything, and dropping it may panic again.
            std::mem::forget(payload);
            let error = panicked();
            engine.fail(&key, &error);
            Err(error)
        })
    }

    async fn load_in(self: Arc<Self>, ticket: Ticket<S::Owned>, span: tracing::Span) -> Result<Landed, XtraError> {
        // Both are taken before anything is sent: the snapshot is as old as its request, not as its answer.
        let permit = self.cache.as_ref().map(|cache| cache.permit());
        let started = self.clock.now();
        self.sweep();
        #[cfg(feature = "offline")]
        let draft = self.draft(&ticket);
        let landed = match self.source.load(&ticket.scope).await {
            Ok(loaded) => {
                let (secrets, doubt) = self.assemble(loaded, started);
                span.record("secrets", secrets.len());
                let secrets = Arc::new(secrets);
                #[cfg(feature = "offline")]
                let copy = self.recall(draft.as_ref(), &ticket.key, &secrets, doubt.is_some()).await;
                #[cfg(not(feature = "offline"))]
                let copy = None;
                Ok(self.land(&ticket, Arrived { secrets, doubt, permit, started, copy }))
            }
            Err(error) => {
                span.record("failure", error.kind().as_str());
                if error.is_foreign_refusal() && !self.grace.has_begun(&ticket.key) {
                    #[cfg(feature = "offline")]
                    let spent = self.note_refusal(draft.as_ref()).await;
                    #[cfg(not(feature = "offline"))]
                    let spent = Duration::ZERO;
                    self.grace.begin(&ticket.key, spent, self.clock.now());
                }
                self.fail(&ticket.key, &error);
                Err(error)
            }
        };
        #[cfg(feature = "offline")]
        self.save(draft, &ticket, landed.as_ref()).await;
        landed
    }

    fn land(self: &Arc<Self>, ticket: &Ticket<S::Owned>, arrived: Arrived) -> Landed {
        let key = ticket.key.as_slice();
        let secrets = Arc::clone(&arrived.secrets);
        // Another account's token may have come in while the answer was under way.
        if self.source.identity() != ticket.identity {
            let is_doubtful = arrived.doubt.is_some();
            let kept = Some(Arc::clone(&secrets)).filter(|_| !is_doubtful);
            return Landed { kept, objection: arrived.doubt, is_doubtful, ..Landed::as_answered(secrets) };
        }
        if arrived.doubt.is_none() && is_masked(&secrets) && secrets.source() == SnapshotSource::Service {
            return self.land_masked(key, secrets);
        }
        let objection = if arrived.doubt.is_some() || !self.compares() {
            arrived.doubt.clone()
        } else {
            self.guard.objection(key, &secrets)
        };
        if let Some(objection) = objection {
            return self.hold_back(ticket, arrived, objection);
        }
        let (Some(cache), Some(permit)) = (&self.cache, arrived.permit) else {
            self.accept(key, &secrets);
            return Landed::as_current(secrets);
        };
        let now = self.clock.now();
        let arrival = cache.arrival(permit, arrived.started, self.ttl(ticket, now));
        let mut objection = None;
        let kept = cache.keep(key, Arc::clone(&secrets), arrival, now, |old| {
            objection = self.guard.objection_to(key, old, &secrets);
            objection.is_none()
        });
        match (kept, objection) {
            (Kept::Stored, _) => {
                self.start_sweeping();
                self.accept(key, &secrets);
                Landed::as_current(secrets)
            }
            (Kept::Refused(_), Some(objection)) => self.hold_back(ticket, arrived, objection),
            (Kept::Outdated(Some(newer)) | Kept::Refused(newer), _) => {
                Landed { kept: Some(newer), ..Landed::as_answered(secrets) }
            }
            (Kept::Outdated(None), _) => Landed::as_answered(secrets),
        }
    }

    /// The service lets the caller see names only: the values that were there before are dropped.
    fn land_masked(self: &Arc<Self>, key: &[u8], secrets: Arc<Secrets>) -> Landed {
        let before = self.cache.as_ref().map(|cache| cache.find(key, self.clock.now()));
        let had_values =
            matches!(before, Some(Found::Fresh(old) | Found::Stale(old) | Found::Old(old)) if !is_masked(&old));
        self.grace.end(key);
        self.drop_refused(key);
        self.show(key, &secrets);
        let landed = Landed { is_masked: true, ..Landed::as_answered(secrets) };
        if !had_values {
            self.keep_masked(key, &landed);
        }
        landed
    }

    /// Whether there is anything that an answer could be compared with.
    fn compares(&self) -> bool {
        #[cfg(feature = "offline")]
        let has_copies = self.copies.is_some();
        #[cfg(not(feature = "offline"))]
        let has_copies = false;
        self.cache.is_some() || has_copies
    }

    fn ttl(&self, ticket: &Ticket<S::Owned>, now: Tick) -> Duration {
        self.pace.ttl(&ticket.key, self.source.budget(&ticket.scope), now)
    }

    /// The service has answered, and this is served from now on.
    fn accept(&self, key: &[u8], secrets: &Arc<Secrets>) {
        self.failures.clear(key);
        self.grace.end(key);
        self.guard.accept(key, secrets);
        self.show(key, secrets);
    }

    /// What was there before stays, and does not get younger.
    fn hold_back(self: &Arc<Self>, ticket: &Ticket<S::Owned>, arrived: Arrived, objection: XtraError) -> Landed {
        let key = ticket.key.as_slice();
        self.counts.shrinks_refused.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(
            source = self.source.name(),
            kind = objection.kind().as_str(),
            secrets = objection.keys().len(),
            "an answer is held back: it is not stored, and the snapshot from before is served as long as it may be"
        );
        let now = self.clock.now();
        let ttl = self.ttl(ticket, now);
        let kept = match self.cache.as_ref().map(|cache| cache.find(key, now)) {
            Some(Found::Fresh(kept) | Found::Stale(kept) | Found::Old(kept)) => {
                // a copy may be older than that, but only in an outage
                Some(kept)
                    .filter(|kept| kept.source() != SnapshotSource::Offline || kept.age() < self.options.max_stale)
            }
            Some(Found::Nothing) | None => self.serve_copy(key, arrived.copy),
        };
        match &kept {
            // asked again when it would have been, had the answer been stored
            Some(_) => self.failures.hold(key, ttl, now),
            None => self.failures.note(key, &objection, false, now),
        }
        let is_doubtful = arrived.doubt.is_some();
        Landed { kept, objection: Some(objection), is_doubtful, ..Landed::as_answered(arrived.secrets) }
    }

    #[cfg(not(feature = "offline"))]
    fn serve_copy(&self, _key: &[u8], copy: Option<Copy>) -> Option<Arc<Secrets>> {
        copy.map(|never| match never {})
    }

    /// Puts names without values into the cache, so that not each reader who may see no more, or accepts that, asks the service.
    pub(crate) fn keep_masked(self: &Arc<Self>, key: &[u8], landed: &Landed) {
        let Some(cache) = &self.cache else { return };
        let (now, secrets) = (self.clock.now(), &landed.answer);
        let arrival = cache.arrival(cache.permit(), secrets.fetched(), self.options.ttl);
        let _ = cache.keep(key, Arc::clone(secrets), arrival, now, |_| false);
        self.start_sweeping();
    }

    /// Shows a snapshot that is served from now on to whoever watches its scope.
    fn show(&self, key: &[u8], secrets: &Arc<Secrets>) {
        #[cfg(feature = "watch")]
        self.watching.landed(key, secrets);
        #[cfg(not(feature = "watch"))]
        let _ = (key, secrets);
    }

    fn assemble(&self, loaded: Loaded, fetched: Tick) -> (Secrets, Option<XtraError>) {
        let Loaded { values, unreadable, source, doubt } = loaded;
        if values.is_empty() && unreadable.is_empty() {
            tracing::warn!(
                source = self.source.name(),
                "the scope holds no secrets; an unknown environment or branch looks the same"
            );
        }
        let origin = Origin { source, clock: self.clock.clone(), fetched, ttl: self.options.ttl };
        (Secrets::assemble(values, unreadable, origin), doubt)
    }
}

fn panicked() -> XtraError {
    let message = "the source of the secrets panicked when it was asked. That is a bug in it, unless this tokio runtime is \
                   without its I/O or time driver: build it with enable_all()";
    XtraError::new(ErrorKind::Server, message)
}
