//! The engine behind every client: options → scope → cache → (miss) flight → source → snapshot → cache → caller.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::Instrument;

use super::alarm::Alarms;
use super::cache::{CacheOptions, Flights, Found, KeyWriter, Pace, Store};
use super::failures::{Failures, Last};
use super::grace::Grace;
use super::guard::Guard;
use super::hits::Hits;
use super::landing::Landed;
use super::options::EngineOptions;
use super::renew::Pauses;
use super::request::Options;
use super::stats::Stats;
use super::sweeper::Sweeper;
use super::tasks::Tasks;
use super::{SecretSource, tasks};
use crate::core::{Clock, Identity, Secrets, SnapshotSource, XtraError};

pub(crate) type Answer = Result<Arc<Secrets>, XtraError>;

pub(crate) struct Engine<S> {
    pub(crate) source: S,
    /// Source and API root, in the form that starts every key.
    place: Identity,
    pub(crate) cache: Option<Store<Arc<Secrets>>>,
    pub(crate) options: CacheOptions,
    pub(crate) flights: Flights<Result<Landed, XtraError>>,
    pub(crate) pace: Pace,
    pub(crate) pauses: Pauses,
    pub(crate) failures: Failures,
    pub(crate) guard: Guard,
    pub(crate) grace: Grace,
    pub(crate) alarms: Alarms,
    pub(crate) tasks: Tasks,
    pub(crate) sweeper: Sweeper,
    pub(crate) clock: Clock,
    pub(crate) counts: Counts,
    #[cfg(feature = "watch")]
    pub(crate) watching: crate::engine::watching::Watching,
    #[cfg(feature = "offline")]
    pub(crate) copies: Option<crate::engine::copies::Copies>,
}

/// What happened, for [`Stats`].
#[derive(Default)]
pub(crate) struct Counts {
    hits: Hits,
    misses: AtomicU64,
    stale: AtomicU64,
    pub(crate) refreshes: AtomicU64,
    pub(crate) shrinks_refused: AtomicU64,
    foreign_refusals: AtomicU64,
}

/// What a load needs to know about the read that started it.
pub(crate) struct Ticket<O> {
    pub(crate) key: Vec<u8>,
    pub(crate) identity: Identity,
    pub(crate) scope: Arc<O>,
}

impl<O> Clone for Ticket<O> {
    fn clone(&self) -> Self {
        Self { key: self.key.clone(), identity: self.identity, scope: Arc::clone(&self.scope) }
    }
}

impl<S: SecretSource> Engine<S> {
    pub(crate) fn new(source: S, options: EngineOptions) -> Self {
        let EngineOptions {
            cache,
            clock,
            required,
            #[cfg(feature = "offline")]
            offline,
        } = options;
        let place = Identity::of(&format!("{}\n{}", source.name(), source.root()));
        Self {
            source,
            place,
            pace: Pace::new(cache.ttl, cache.max_ttl),
            cache: Store::new(cache.clone()),
            grace: Grace::new(cache.foreign_refusal_grace),
            alarms: Alarms::default(),
            options: cache,
            flights: Flights::new(),
            pauses: Pauses::default(),
            failures: Failures::default(),
            guard: Guard::new(required),
            tasks: Tasks::default(),
            sweeper: Sweeper::default(),
            clock,
            counts: Counts::default(),
            #[cfg(feature = "watch")]
            watching: crate::engine::watching::Watching::default(),
            #[cfg(feature = "offline")]
            copies: offline.map(crate::engine::copies::Copies::new),
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        let traffic = self.source.traffic();
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        #[cfg(feature = "offline")]
        let (offline, offline_failures) = self.copies.as_ref().map_or((0, 0), |copies| copies.counts());
        #[cfg(not(feature = "offline"))]
        let (offline, offline_failures) = (0, 0);
        Stats {
            hits: self.counts.hits.count(),
            misses: read(&self.counts.misses),
            stale: read(&self.counts.stale),
            refreshes: read(&self.counts.refreshes),
            shrinks_refused: read(&self.counts.shrinks_refused),
            foreign_refusals: read(&self.counts.foreign_refusals),
            offline,
            offline_failures,
            cached: self.cache.as_ref().map_or(0, |cache| cache.len() as u64),
            requests: traffic.requests,
            retries: traffic.retries,
            budget_left: traffic.budget_left,
            stretched: self.pace.stretched(),
            delayed: traffic.delayed,
            withheld: traffic.withheld,
            retries_withheld: traffic.retries_withheld,
        }
    }

    pub(crate) fn clear(&self) {
        if let Some(cache) = &self.cache {
            cache.clear();
        }
        self.flights.abandon_all();
        self.failures.clear_all();
        self.guard.forget_all();
        #[cfg(feature = "offline")]
        self.copies.iter().for_each(|copies| copies.abandon_all());
        #[cfg(feature = "watch")]
        self.watching.ask_all();
    }

    /// Drops what is known of one scope. What is under way for it is not stored either.
    pub(crate) fn invalidate(&self, scope: &S::Scope<'_>) {
        let mut key = KeyWriter::new();
        self.write_key(scope, &mut key);
        if let Some(cache) = &self.cache {
            cache.forget(key.as_slice(), self.clock.now());
        }
        self.flights.abandon(key.as_slice());
        self.failures.clear(key.as_slice());
        self.guard.waive(key.as_slice());
        #[cfg(feature = "watch")]
        self.watching.ask(key.as_slice());
    }

    /// Drops what is known of every scope whose key begins like this one. What is under way is not stored either, whatever its
    /// scope: of some loads only their order is known. The next answer is accepted as it is where the key goes on as `changed`
    /// writes it, and compared with what was there elsewhere.
    #[cfg(feature = "xtra")]
    pub(crate) fn invalidate_under(&self, write: impl FnOnce(&mut KeyWriter), changed: impl FnOnce(&mut KeyWriter)) {
        let mut key = KeyWriter::new();
        self.write_start(&mut key);
        write(&mut key);
        let start = key.as_slice();
        if let Some(cache) = &self.cache {
            cache.forget_under(start, self.clock.now());
        }
        self.flights.abandon_under(start);
        self.failures.clear_under(start);
        #[cfg(feature = "offline")]
        self.copies.iter().for_each(|copies| copies.abandon_all());
        #[cfg(feature = "watch")]
        self.watching.ask_under(start);
        changed(&mut key);
        self.guard.waive_under(key.as_slice());
    }

    /// From now on a refresh of `scope` must not lose these secrets.
    #[cfg(feature = "xtra")]
    pub(crate) fn require<'n>(&self, scope: &S::Scope<'_>, names: impl Iterator<Item = &'n str>) {
        let mut names = names.peekable();
        if names.peek().is_some() {
            let mut key = KeyWriter::new();
            self.write_key(scope, &mut key);
            self.guard.declare(key.as_slice(), names);
        }
    }

    /// The snapshot of `scope` that may be served at once, when the cache holds one. Waits for nothing, and allocates nothing
    /// when the snapshot is fresh.
    pub(crate) fn cached(self: &Arc<Self>, scope: &S::Scope<'_>) -> Option<Arc<Secrets>> {
        let cache = self.cache.as_ref()?;
        let mut key = KeyWriter::new();
        self.write_key(scope, &mut key);
        let now = self.clock.now();
        match cache.find(key.as_slice(), now) {
            Found::Fresh(secrets) => {
                self.counts.hits.add();
                Some(secrets)
            }
            Found::Stale(secrets) => match self.last(key.as_slice(), now) {
                Some(Last::Refused) => None,
                last => self.stand_in(scope, key.as_slice(), secrets, last),
            },
            Found::Old(secrets) => match self.last(key.as_slice(), now) {
                Some(Last::Broken | Last::Refused) | None => None,
                away => self.stand_in(scope, key.as_slice(), secrets, away),
            },
            Found::Nothing => None,
        }
    }

    /// An aged snapshot, while one refresh runs beside the callers. `None` for the one caller on whose time it must run.
    #[cold]
    fn stand_in(
        self: &Arc<Self>,
        scope: &S::Scope<'_>,
        key: &[u8],
        secrets: Arc<Secrets>,
        last: Option<Last>,
    ) -> Option<Arc<Secrets>> {
        if matches!(last, Some(Last::Away | Last::Broken)) {
            return Some(self.serve_aged(key, secrets));
        }
        // What cannot be asked for is said by the path that asks.
        let ticket = self.ticket(scope).ok()?;
        if !tasks::possible() {
            return self.flights.under_way(&ticket.key).map(|_| self.serve_aged(key, secrets));
        }
        let engine = Arc::clone(self);
        let known = secrets.fetched();
        let newer = move |kept: &Secrets| kept.fetched() > known;
        let lead = self.flights.lead(key, move || engine.load_unless(ticket, "refresh", newer));
        if let Some(flight) = lead {
            self.counts.refreshes.fetch_add(1, Ordering::Relaxed);
            self.tasks.spawn(async move { drop(flight.await) });
        }
        Some(self.serve_aged(key, secrets))
    }

    pub(crate) fn serve_aged(&self, key: &[u8], secrets: Arc<Secrets>) -> Arc<Secrets> {
        if self.failures.is_foreign(key) {
            self.count_foreign(&secrets);
        }
        self.counts.stale.fetch_add(1, Ordering::Relaxed);
        tracing::trace!(source = self.source.name(), cache = "stale", "read");
        secrets
    }

    /// Counts a read that is answered with what is kept, in place of a refusal that is not the service's own.
    pub(crate) fn count_foreign(&self, secrets: &Secrets) {
        self.counts.foreign_refusals.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(
            source = self.source.name(),
            age_seconds = secrets.age().as_secs(),
            "a read was refused, but not by the service itself (a proxy, a firewall, a wrong deployment?); the secrets kept \
             from before are served for a while"
        );
    }

    /// The snapshot that a load brings: one's own with `no_cache`, else the one that every caller of this scope waits for.
    /// When it fails, the aged snapshot may still do.
    pub(crate) fn fetch(
        self: &Arc<Self>,
        scope: &S::Scope<'_>,
        options: Options,
    ) -> Result<impl Future<Output = Answer> + Send + 'static, XtraError> {
        let ticket = self.ticket(scope)?;
        let engine = Arc::clone(self);
        self.counts.misses.fetch_add(1, Ordering::Relaxed);
        let span = tracing::debug_span!(
            "read",
            source = self.source.name(),
            shared = !options.no_cache,
            cache = tracing::field::Empty,
            failure = tracing::field::Empty
        );
        let around = span.clone();
        Ok(async move {
            let cached = engine.cache.is_some();
            let answer = engine.answer(ticket, options).await;
            match &answer {
                Ok(secrets) if secrets.source() == SnapshotSource::Offline => span.record("cache", "copy"),
                Ok(secrets) if cached && secrets.is_stale() => span.record("cache", "stale"),
                Ok(_) => span.record("cache", "miss"),
                Err(error) => span.record("failure", error.kind().as_str()),
            };
            answer
        }
        .instrument(around))
    }

    /// What it takes to load `scope`, checked.
    pub(crate) fn ticket(&self, scope: &S::Scope<'_>) -> Result<Ticket<S::Owned>, XtraError> {
        let mut key = KeyWriter::new();
        let identity = self.write_key(scope, &mut key);
        Ok(Ticket { key: key.as_slice().to_vec(), identity, scope: Arc::new(self.source.prepare(scope)?) })
    }

    /// Everything that tells one snapshot from another: source and API root, who asks, and the scope.
    pub(crate) fn write_key(&self, scope: &S::Scope<'_>, key: &mut KeyWriter) -> Identity {
        let identity = self.write_start(key);
        self.source.write_key(scope, key);
        identity
    }

    /// What every key begins with.
    fn write_start(&self, key: &mut KeyWriter) -> Identity {
        let identity = self.source.identity();
        key.identity(&self.place);
        key.identity(&identity);
        identity
    }

    /// A caller that looked just before another's flight landed finds its snapshot here, and need not ask again.
    pub(crate) async fn load_unless(
        self: Arc<Self>,
        ticket: Ticket<S::Owned>,
        cause: &'static str,
        is_enough: impl Fn(&Secrets) -> bool,
    ) -> Result<Landed, XtraError> {
        if let Some(cache) = &self.cache
            && let Found::Fresh(secrets) = cache.find(&ticket.key, self.clock.now())
            && is_enough(&secrets)
        {
            return Ok(Landed::as_answered(secrets));
        }
        self.load(ticket, cause).await
    }
}
