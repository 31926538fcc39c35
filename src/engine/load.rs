//! The load: the only place that asks the source, and stores what it answers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt;
use tracing::Instrument;

use super::backoff::{is_own_answer, is_own_refusal};
use super::outcome::{LoadOutcome, LoadRequest};
use super::shrink_guard::is_masked;
use super::source::{Loaded, SecretSource};
use super::state::Engine;
use super::store::{Found, InsertOutcome, WriteToken};
use crate::core::{ErrorKind, Hint, Origin, Secrets, SnapshotSource, Tick, XtraError, events};

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
    token: Option<WriteToken>,
    started: Tick,
    /// How much older some of it is, which was taken from elsewhere.
    older: Duration,
    /// The copy on disk, when memory has nothing to compare with or to serve.
    copy: Option<Copy>,
}

impl<S: SecretSource> Engine<S> {
    /// Asks the source, and stores what it answers. `cause` is for the span: `read`, `refresh`, `renewal` or `watch`. A panic in
    /// the source is an error like others, for everyone who waits.
    pub(crate) async fn load(
        self: Arc<Self>,
        request: LoadRequest<S::Owned>,
        cause: &'static str,
    ) -> Result<LoadOutcome, XtraError> {
        let span = tracing::debug_span!(
            "load",
            source = self.source.name(),
            cause,
            secrets = tracing::field::Empty,
            failure = tracing::field::Empty,
        );
        let (engine, key) = (Arc::clone(&self), request.key.clone());
        // In a place of its own, because it is large and would be copied with every layer around it.
        let load = Box::pin(self.load_in(request, span.clone()).instrument(span));
        let outcome = AssertUnwindSafe(load).catch_unwind().await;
        outcome.unwrap_or_else(|payload| {
            // It may hold anything, and dropping it may panic again.
            std::mem::forget(payload);
            let error = panicked();
            engine.fail(&key, &error);
            Err(error)
        })
    }

    async fn load_in(
        self: Arc<Self>,
        request: LoadRequest<S::Owned>,
        span: tracing::Span,
    ) -> Result<LoadOutcome, XtraError> {
        // Both are taken before anything is sent: the snapshot is as old as its request, not as its answer.
        let token = self.store.as_ref().map(|store| store.token());
        let started = self.clock.now();
        self.sweep();
        #[cfg(feature = "offline")]
        let pending = self.pending_write(&request);
        let outcome = match self.load_followed(&request, started).await {
            Ok((loaded, older)) => {
                let (secrets, doubt) = self.assemble(&request.scope, loaded, started);
                let secrets = secrets.older_by(older);
                span.record("secrets", secrets.len());
                let secrets = Arc::new(secrets);
                #[cfg(feature = "offline")]
                let copy = self.recall(pending.as_ref(), &request.key, &secrets, doubt.is_some()).await;
                #[cfg(not(feature = "offline"))]
                let copy = None;
                Ok(self.store_result(&request, Arrived { secrets, doubt, token, started, older, copy }))
            }
            Err(error) => {
                span.record("failure", error.kind().as_str());
                if error.is_foreign_refusal() && !self.refresher.grace.has_begun(&request.key) {
                    #[cfg(feature = "offline")]
                    let spent = self.note_refusal(pending.as_ref()).await;
                    #[cfg(not(feature = "offline"))]
                    let spent = Duration::ZERO;
                    self.refresher.grace.begin(&request.key, spent, self.clock.now());
                }
                self.fail(&request.key, &error);
                Err(error)
            }
        };
        #[cfg(feature = "offline")]
        self.save(pending, &request, outcome.as_ref()).await;
        outcome
    }

    /// Stores an answer, unless another account asks by now, something newer is there, or the shrink guard objects.
    fn store_result(self: &Arc<Self>, request: &LoadRequest<S::Owned>, arrived: Arrived) -> LoadOutcome {
        let key = request.key.as_slice();
        let secrets = Arc::clone(&arrived.secrets);
        // Another account's token may have come in while the answer was under way.
        if self.source.identity() != request.identity {
            return match arrived.doubt {
                Some(doubt) => LoadOutcome::Doubtful { answer: secrets, kept: None, doubt },
                None => LoadOutcome::PassedOn(secrets),
            };
        }
        if arrived.doubt.is_none() && is_masked(&secrets) && secrets.source() == SnapshotSource::Service {
            return self.store_masked(key, secrets);
        }
        let objection = if arrived.doubt.is_some() || !self.compares() {
            arrived.doubt.clone()
        } else {
            self.guard.check(key, &secrets)
        };
        if let Some(objection) = objection {
            return self.hold_back(request, arrived, objection);
        }
        let (Some(store), Some(token)) = (&self.store, arrived.token) else {
            self.accept(key, &secrets);
            return LoadOutcome::Current(secrets);
        };
        let now = self.clock.now();
        // what is put together is fresh for no longer than the oldest of it
        let ttl = self.ttl(request, now).saturating_sub(arrived.older);
        let new_entry = store.new_entry(token, arrived.started, ttl);
        let mut objection = None;
        let kept = store.insert(key, Arc::clone(&secrets), new_entry, now, |old| {
            objection = self.guard.check_against(key, old, &secrets);
            objection.is_none()
        });
        match (kept, objection) {
            (InsertOutcome::Stored, _) => {
                self.start_expiry();
                self.accept(key, &secrets);
                LoadOutcome::Current(secrets)
            }
            (InsertOutcome::Refused(_), Some(objection)) => self.hold_back(request, arrived, objection),
            (InsertOutcome::Outdated(Some(newer)) | InsertOutcome::Refused(newer), _) => {
                LoadOutcome::Superseded { answer: secrets, newer }
            }
            (InsertOutcome::Outdated(None), _) => LoadOutcome::PassedOn(secrets),
        }
    }

    /// The service lets the caller see names only: the values that were there before are dropped.
    fn store_masked(self: &Arc<Self>, key: &[u8], secrets: Arc<Secrets>) -> LoadOutcome {
        let before = self.store.as_ref().map(|store| store.find(key, self.clock.now()));
        let had_values =
            matches!(before, Some(Found::Fresh(old) | Found::Stale(old) | Found::Old(old)) if !is_masked(&old));
        self.refresher.grace.end(key);
        self.drop_refused(key);
        self.show(key, &secrets);
        if !had_values {
            self.keep_masked(key, &secrets);
        }
        LoadOutcome::Masked(secrets)
    }

    /// Whether there is anything that an answer could be compared with.
    fn compares(&self) -> bool {
        #[cfg(feature = "offline")]
        let has_disk = self.disk.is_some();
        #[cfg(not(feature = "offline"))]
        let has_disk = false;
        self.store.is_some() || has_disk
    }

    fn ttl(&self, request: &LoadRequest<S::Owned>, now: Tick) -> Duration {
        self.adaptive_ttl.ttl(&request.key, self.source.quota(&request.scope), now)
    }

    /// The service has answered, and this is served from now on.
    fn accept(&self, key: &[u8], secrets: &Arc<Secrets>) {
        self.refresher.answered(key);
        self.guard.accept(key, secrets);
        self.show(key, secrets);
    }

    /// What was there before stays, and does not get younger.
    fn hold_back(
        self: &Arc<Self>,
        request: &LoadRequest<S::Owned>,
        arrived: Arrived,
        objection: XtraError,
    ) -> LoadOutcome {
        let key = request.key.as_slice();
        self.counts.shrinks_refused.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(
        target: events::ENGINE,
                   source = self.source.name(),
                   kind = objection.kind().as_str(),
                   secrets = objection.names().len(),
                   "an answer is held back: it is not stored, and the snapshot from before is served as long as it may be"
               );
        let now = self.clock.now();
        let ttl = self.ttl(request, now);
        let kept = match self.store.as_ref().map(|store| store.find(key, now)) {
            Some(Found::Fresh(kept) | Found::Stale(kept) | Found::Old(kept)) => {
                // a copy may be older than that, but only in an outage
                Some(kept)
                    .filter(|kept| kept.source() != SnapshotSource::Offline || kept.age() < self.options.max_stale)
            }
            Some(Found::Nothing) | None => self.serve_copy(request, arrived.copy),
        };
        match &kept {
            // asked again when it would have been, had the answer been stored
            Some(_) => self.refresher.backoff.hold(key, ttl, now),
            None => self.refresher.backoff.note(key, &objection, false, now),
        }
        match arrived.doubt {
            Some(doubt) => LoadOutcome::Doubtful { answer: arrived.secrets, kept, doubt },
            None => LoadOutcome::HeldBack { answer: arrived.secrets, kept, objection },
        }
    }

    #[cfg(not(feature = "offline"))]
    fn serve_copy(&self, _: &LoadRequest<S::Owned>, copy: Option<Copy>) -> Option<Arc<Secrets>> {
        copy.map(|never| match never {})
    }

    /// Puts names without values into the cache, so that not each reader who may see no more, or accepts that, asks the service.
    pub(crate) fn keep_masked(self: &Arc<Self>, key: &[u8], secrets: &Arc<Secrets>) {
        let Some(store) = &self.store else { return };
        let now = self.clock.now();
        let new_entry = store.new_entry(store.token(), secrets.fetched(), self.options.ttl);
        let _ = store.insert(key, Arc::clone(secrets), new_entry, now, |_| false);
        self.start_expiry();
    }

    /// Loads, unless the cache has a fresh snapshot by now that is enough: a caller that missed just before another's load ended
    /// need not ask again.
    pub(crate) async fn load_unless(
        self: Arc<Self>,
        request: LoadRequest<S::Owned>,
        cause: &'static str,
        is_enough: impl Fn(&Secrets) -> bool,
    ) -> Result<LoadOutcome, XtraError> {
        if let Some(store) = &self.store
            && let Found::Fresh(secrets) = store.find(&request.key, self.clock.now())
            && is_enough(&secrets)
        {
            return Ok(LoadOutcome::PassedOn(secrets));
        }
        self.load(request, cause).await
    }

    /// A load has failed.
    pub(crate) fn fail(&self, key: &[u8], error: &XtraError) {
        let now = self.clock.now();
        if is_own_answer(error) {
            self.refresher.grace.end(key);
        }
        if is_own_refusal(error) {
            self.drop_refused(key);
        } else if !error.is_stalled() {
            // what nobody drove tells nothing of the service
            self.refresher.backoff.note(key, error, self.refresher.is_unreachable(key, error, now), now);
        }
        tracing::debug!(target: events::ENGINE, source = self.source.name(), kind = error.kind().as_str(), "secrets could not be read");
    }

    /// The service has said that the caller may no longer have what the cache holds.
    pub(crate) fn drop_refused(&self, key: &[u8]) {
        if let Some(store) = &self.store {
            store.forget(key, self.clock.now());
        }
        self.refresher.backoff.clear(key);
        self.guard.forget(key);
    }

    /// Shows a snapshot that is served from now on to whoever watches its scope.
    fn show(&self, key: &[u8], secrets: &Arc<Secrets>) {
        #[cfg(feature = "watch")]
        self.watched.show(key, secrets);
        #[cfg(not(feature = "watch"))]
        let _ = (key, secrets);
    }

    fn assemble(&self, scope: &S::Owned, loaded: Loaded, fetched: Tick) -> (Secrets, Option<XtraError>) {
        let Loaded { values, unreadable, source, doubt, validator, layers, older: _ } = loaded;
        if values.is_empty() && unreadable.is_empty() {
            tracing::warn!(
            target: events::ENGINE,
                           source = self.source.name(),
                           "the scope holds no secrets; an unknown environment or branch looks the same"
                       );
        }
        let place = self.place(scope);
        if let Some(place) = place.as_ref().filter(|_| !values.is_empty() && doubt.is_none()) {
            place.holds_secrets();
        }
        let origin = Origin {
            source,
            clock: self.clock.clone(),
            fetched,
            ttl: self.options.ttl,
            passphrase: self.source.passphrase_variable(),
            place,
        };
        (Secrets::assemble(values, unreadable, origin).told_by(validator).of_layers(layers), doubt)
    }
}

fn panicked() -> XtraError {
    XtraError::new(ErrorKind::Server, "the source of the secrets panicked when it was asked")
        .with_note("That is a bug in it, unless this tokio runtime is without its I/O or time driver")
        .with_hint(Hint::advice("Build the runtime with enable_all()"))
}
