//! The engine behind every client: options → scope → cache → (miss) flight → source → snapshot → cache → caller.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::hits::Hits;
use super::options::EngineOptions;
use super::refresh::Pauses;
use super::stats::Stats;
use crate::cache::{Clock, Flights, Found, Identity, KeyWriter, Store};
use crate::error::XtraError;
use crate::secrets::{Origin, Secrets};
use crate::services::{Loaded, SecretSource};

pub(super) type Answer = Result<Arc<Secrets>, XtraError>;

pub(super) struct Engine<S> {
    source: S,
    /// Source and API root, in the form that starts every key.
    place: Identity,
    pub(super) cache: Option<Store<Arc<Secrets>>>,
    pub(super) flights: Flights<Answer>,
    pub(super) pauses: Pauses,
    pub(super) clock: Clock,
    ttl: Duration,
    hits: Hits,
    misses: AtomicU64,
}

/// What a load needs to know about the read that started it.
pub(super) struct Ticket<O> {
    pub(super) key: Vec<u8>,
    identity: Identity,
    scope: O,
}

impl<S: SecretSource> Engine<S> {
    pub(super) fn new(source: S, options: EngineOptions) -> Self {
        let EngineOptions { cache, clock } = options;
        let place = Identity::of(&format!("{}\n{}", source.name(), source.root()));
        let ttl = cache.ttl;
        Self {
            source,
            place,
            cache: Store::new(cache),
            flights: Flights::new(),
            pauses: Pauses::default(),
            clock,
            ttl,
            hits: Hits::default(),
            misses: AtomicU64::new(0),
        }
    }

    pub(super) fn source(&self) -> &S {
        &self.source
    }

    pub(super) fn stats(&self) -> Stats {
        let traffic = self.source.traffic();
        Stats {
            hits: self.hits.count(),
            misses: self.misses.load(Ordering::Relaxed),
            cached: self.cache.as_ref().map_or(0, |cache| cache.len() as u64),
            requests: traffic.requests,
            retries: traffic.retries,
        }
    }

    pub(super) fn clear(&self) {
        if let Some(cache) = &self.cache {
            cache.clear();
        }
        self.flights.abandon_all();
    }

    /// The fresh snapshot of `scope`, when the cache holds one. Allocates nothing and waits for nothing.
    pub(super) fn cached(&self, scope: &S::Scope<'_>) -> Option<Arc<Secrets>> {
        let cache = self.cache.as_ref()?;
        let mut key = KeyWriter::new();
        self.write_key(scope, &mut key);
        match cache.find(key.as_slice(), self.clock.now()) {
            Found::Fresh(secrets) => {
                self.hits.add();
                Some(secrets)
            }
            // An aged snapshot is kept for the time when the service cannot be reached, not served in place of an answer.
            Found::Aged(_) | Found::Nothing => None,
        }
    }

    /// The snapshot that a load brings: one's own when `alone`, else the one that every caller of this scope waits for.
    pub(super) fn fetch(
        self: &Arc<Self>,
        scope: &S::Scope<'_>,
        alone: bool,
    ) -> Result<impl Future<Output = Answer> + Send + 'static, XtraError> {
        let ticket = self.ticket(scope)?;
        let engine = Arc::clone(self);
        self.misses.fetch_add(1, Ordering::Relaxed);
        Ok(async move {
            if alone || engine.cache.is_none() {
                return engine.load(&ticket).await;
            }
            let loader = Arc::clone(&engine);
            let key = ticket.key.clone();
            let flight = engine.flights.join(&key, move || async move { loader.load_unless(&ticket, |_| true).await });
            drop(engine);
            flight.await
        })
    }

    /// What it takes to load `scope`, checked.
    pub(super) fn ticket(&self, scope: &S::Scope<'_>) -> Result<Ticket<S::Owned>, XtraError> {
        let mut key = KeyWriter::new();
        let identity = self.write_key(scope, &mut key);
        Ok(Ticket { key: key.as_slice().to_vec(), identity, scope: self.source.prepare(scope)? })
    }

    /// Everything that tells one snapshot from another: source and API root, who asks, and the scope.
    fn write_key(&self, scope: &S::Scope<'_>, key: &mut KeyWriter) -> Identity {
        let identity = self.source.identity();
        key.identity(&self.place);
        key.identity(&identity);
        self.source.write_key(scope, key);
        identity
    }

    /// A caller that looked just before another's flight landed finds its snapshot here, and need not ask again.
    pub(super) async fn load_unless(&self, ticket: &Ticket<S::Owned>, is_enough: impl Fn(&Secrets) -> bool) -> Answer {
        if let Some(cache) = &self.cache
            && let Found::Fresh(secrets) = cache.find(&ticket.key, self.clock.now())
            && is_enough(&secrets)
        {
            return Ok(secrets);
        }
        self.load(ticket).await
    }

    async fn load(&self, ticket: &Ticket<S::Owned>) -> Answer {
        // Both are taken before anything is sent: the snapshot is as old as its request, not as its answer.
        let permit = self.cache.as_ref().map(Store::permit);
        let started = self.clock.now();
        // In a place of its own, because it is large and would be copied with every layer around it.
        match Box::pin(self.source.load(&ticket.scope)).await {
            Ok(loaded) => {
                let secrets = Arc::new(self.assemble(loaded, started));
                // Another account's token may have come in while the answer was under way.
                if let (Some(cache), Some(permit)) = (&self.cache, permit)
                    && self.source.identity() == ticket.identity
                {
                    cache.keep(&ticket.key, Arc::clone(&secrets), permit, started);
                }
                Ok(secrets)
            }
            Err(error) => {
                // The caller may no longer have what the cache holds.
                if let (Some(cache), Some(401 | 403 | 404)) = (&self.cache, error.status()) {
                    cache.forget(&ticket.key, self.clock.now());
                }
                tracing::debug!(source = self.source.name(), kind = error.kind().as_str(), "secrets could not be read");
                Err(error)
            }
        }
    }

    fn assemble(&self, loaded: Loaded, fetched: crate::cache::Tick) -> Secrets {
        let Loaded { values, unreadable, source } = loaded;
        if values.is_empty() && unreadable.is_empty() {
            tracing::warn!(
                source = self.source.name(),
                "the scope holds no secrets; an unknown environment or branch looks the same"
            );
        }
        Secrets::assemble(values, unreadable, Origin { source, clock: self.clock.clone(), fetched, ttl: self.ttl })
    }
}
