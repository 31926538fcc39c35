//! One load, from the request to the cache: the only place that asks the source.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tracing::Instrument;

use super::engine::{Engine, Ticket};
use crate::cache::{Kept, Permit, Tick};
use crate::error::XtraError;
use crate::secrets::{Origin, Secrets};
use crate::services::{Loaded, SecretSource};

/// What a load brought.
#[derive(Clone)]
pub(super) struct Landed {
    /// What the source answered.
    pub(super) answered: Arc<Secrets>,
    /// What is served from now on: the same, unless the shrink guard objects.
    pub(super) served: Arc<Secrets>,
    /// The guard's objection.
    pub(super) objection: Option<XtraError>,
    /// Whether it has just become what is served.
    #[cfg(feature = "offline")]
    pub(super) is_current: bool,
}

impl Landed {
    pub(super) fn as_answered(secrets: Arc<Secrets>) -> Self {
        Self {
            answered: Arc::clone(&secrets),
            served: secrets,
            objection: None,
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
}

impl<S: SecretSource> Engine<S> {
    /// Asks the source, and stores what it answers. `cause` is for the span: `read`, `refresh`, `renewal` or `watch`.
    pub(super) async fn load(
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
        let around = span.clone();
        async move {
            // Both are taken before anything is sent: the snapshot is as old as its request, not as its answer.
            let permit = self.cache.as_ref().map(|cache| cache.permit());
            let started = self.clock.now();
            self.sweep();
            #[cfg(feature = "offline")]
            let draft = self.draft(&ticket);
            // In a place of its own, because it is large and would be copied with every layer around it.
            let landed = match Box::pin(self.source.load(&ticket.scope)).await {
                Ok(loaded) => {
                    let secrets = Arc::new(self.assemble(loaded, started));
                    span.record("secrets", secrets.len());
                    Ok(self.land(&ticket, secrets, permit, started))
                }
                Err(error) => {
                    span.record("failure", error.kind().as_str());
                    self.fail(&ticket.key, &error);
                    Err(error)
                }
            };
            #[cfg(feature = "offline")]
            self.save(draft, &ticket, landed.as_ref()).await;
            landed
        }
        .instrument(around)
        .await
    }

    fn land(
        self: &Arc<Self>,
        ticket: &Ticket<S::Owned>,
        secrets: Arc<Secrets>,
        permit: Option<Permit>,
        started: Tick,
    ) -> Landed {
        // Another account's token may have come in while the answer was under way.
        if self.source.identity() != ticket.identity {
            return Landed::as_answered(secrets);
        }
        let (Some(cache), Some(permit)) = (&self.cache, permit) else {
            self.show(&ticket.key, &secrets);
            return Landed::as_current(secrets);
        };
        let now = self.clock.now();
        let ttl = self.pace.ttl(&ticket.key, self.source.budget(&ticket.scope), now);
        let mut objection = None;
        let kept = cache.keep(&ticket.key, Arc::clone(&secrets), cache.arrival(permit, started, ttl), now, |old| {
            objection = self.guard.objection(&ticket.key, old, &secrets);
            objection.is_none()
        });
        match kept {
            Kept::Stored => {
                self.failures.clear(&ticket.key);
                self.start_sweeping();
                self.show(&ticket.key, &secrets);
                Landed::as_current(secrets)
            }
            Kept::Outdated(newer) => {
                Landed { served: newer.unwrap_or_else(|| Arc::clone(&secrets)), ..Landed::as_answered(secrets) }
            }
            Kept::Refused(old) => {
                self.hold_back(&ticket.key, objection.as_ref(), ttl);
                Landed { answered: secrets, objection, ..Landed::as_answered(old) }
            }
        }
    }

    fn hold_back(&self, key: &[u8], objection: Option<&XtraError>, ttl: Duration) {
        self.counts.shrinks_refused.fetch_add(1, Ordering::Relaxed);
        // asked again when it would have been, had the answer been stored
        self.failures.hold(key, ttl, self.clock.now());
        if let Some(error) = objection {
            tracing::warn!(
                source = self.source.name(),
                kind = error.kind().as_str(),
                secrets = error.keys().len(),
                "an answer that has lost required secrets, or all, is held back; the snapshot from before is kept"
            );
        }
    }

    /// Shows a snapshot that is served from now on to whoever watches its scope.
    fn show(&self, key: &[u8], secrets: &Arc<Secrets>) {
        #[cfg(feature = "watch")]
        self.watching.landed(key, secrets);
        #[cfg(not(feature = "watch"))]
        let _ = (key, secrets);
    }

    fn fail(&self, key: &[u8], error: &XtraError) {
        let now = self.clock.now();
        match (&self.cache, error.status()) {
            // The caller may no longer have what the cache holds.
            (Some(cache), Some(401 | 403 | 404)) => {
                cache.forget(key, now);
                self.failures.clear(key);
            }
            // tells nothing of the service
            _ if error.is_stalled() => {}
            _ => self.failures.note(key, error, now),
        }
        tracing::debug!(source = self.source.name(), kind = error.kind().as_str(), "secrets could not be read");
    }

    fn assemble(&self, loaded: Loaded, fetched: Tick) -> Secrets {
        let Loaded { values, unreadable, source } = loaded;
        if values.is_empty() && unreadable.is_empty() {
            tracing::warn!(
                source = self.source.name(),
                "the scope holds no secrets; an unknown environment or branch looks the same"
            );
        }
        Secrets::assemble(
            values,
            unreadable,
            Origin { source, clock: self.clock.clone(), fetched, ttl: self.options.ttl },
        )
    }
}
