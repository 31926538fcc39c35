//! The engine's state: what every client of one source shares, and the keys of its scopes.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use super::SecretSource;
use super::adaptive_ttl::AdaptiveTtl;
use super::follow::{Follow, Warned};
use super::outcome::LoadRequest;
use super::policy::{CacheOptions, EngineOptions};
use super::read_options::{Options, References};
use super::refresher::Refresher;
use super::shrink_guard::ShrinkGuard;
use super::source::KeyWriter;
use super::stats::{Counts, Stats};
use super::store::Store;
use super::tasks::ExpiryTask;
use crate::core::{Clock, Identity, KnownNames, Place, Secrets, Tick, XtraError, shown_name};

/// The parts behind a client: options → scope → store → (miss) single flight → source → snapshot → store → caller.
pub(crate) struct Engine<S: SecretSource> {
    pub(crate) source: S,
    /// Source and base URL, in the form that starts every key.
    origin: Identity,
    /// `None`: the cache is off.
    pub(crate) store: Option<Arc<Store<Arc<Secrets>>>>,
    pub(crate) options: CacheOptions,
    pub(crate) adaptive_ttl: AdaptiveTtl,
    pub(crate) refresher: Refresher,
    pub(crate) guard: ShrinkGuard,
    expiry: ExpiryTask,
    pub(crate) clock: Clock,
    pub(crate) counts: Counts,
    /// What reads do with references that say nothing else.
    pub(super) follows: AtomicBool,
    /// How references are followed, once somebody wants that.
    pub(super) follow: OnceLock<Follow<S>>,
    pub(super) warned: Warned,
    /// Scopes that held secrets.
    known: Arc<KnownNames>,
    #[cfg(feature = "watch")]
    pub(crate) watched: super::watch::Topics,
    #[cfg(feature = "offline")]
    pub(crate) disk: Option<super::disk_cache::DiskCache>,
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
        Self {
            origin: Identity::of(&format!("{}\n{}", source.name(), source.base_url())),
            source,
            adaptive_ttl: AdaptiveTtl::new(cache.ttl, cache.max_ttl),
            store: Store::new(cache.clone()).map(Arc::new),
            refresher: Refresher::new(cache.foreign_refusal_grace),
            options: cache,
            guard: ShrinkGuard::new(required),
            expiry: ExpiryTask::default(),
            clock,
            counts: Counts::default(),
            follows: AtomicBool::new(false),
            follow: OnceLock::new(),
            warned: Warned::default(),
            known: Arc::default(),
            #[cfg(feature = "watch")]
            watched: super::watch::Topics::default(),
            #[cfg(feature = "offline")]
            disk: offline.map(super::disk_cache::DiskCache::new),
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        let traffic = self.source.traffic();
        #[cfg(feature = "offline")]
        let (offline, offline_failures) = self.disk.as_ref().map_or((0, 0), |disk| disk.counts());
        #[cfg(not(feature = "offline"))]
        let (offline, offline_failures) = (0, 0);
        Stats {
            offline,
            offline_failures,
            cached: self.store.as_ref().map_or(0, |store| store.len() as u64),
            requests: traffic.requests,
            retries: traffic.retries,
            quota_left: traffic.quota_left,
            stretched: self.adaptive_ttl.stretched(),
            delayed: traffic.delayed,
            withheld: traffic.withheld,
            retries_withheld: traffic.retries_withheld,
            ..self.counts.stats()
        }
    }

    pub(crate) fn clear(&self) {
        if let Some(store) = &self.store {
            store.clear();
        }
        self.refresher.forget_all();
        self.guard.forget_all();
        #[cfg(feature = "offline")]
        self.disk.iter().for_each(|disk| disk.abandon_all());
        #[cfg(feature = "watch")]
        self.watched.ask_all();
    }

    /// Drops what is known of one scope. What is under way for it is not stored either.
    pub(crate) fn invalidate(&self, scope: &S::Scope<'_>) {
        for references in [References::Kept, References::Followed] {
            let mut key = KeyWriter::new();
            self.write_key(scope, references, &mut key);
            self.invalidate_key(key.as_slice());
        }
    }

    fn invalidate_key(&self, key: &[u8]) {
        if let Some(store) = &self.store {
            store.forget(key, self.clock.now());
        }
        self.refresher.forget(key);
        self.guard.waive(key);
        #[cfg(feature = "watch")]
        self.watched.ask(key);
    }

    /// Drops what is known of every scope whose key begins like this one. What is under way is not stored either, whatever its
    /// scope: of some loads only their order is known. The next answer is accepted as it is where the key goes on as `changed`
    /// writes it, and compared with what was there elsewhere.
    pub(crate) fn invalidate_under(&self, write: impl FnOnce(&mut KeyWriter), changed: impl FnOnce(&mut KeyWriter)) {
        let mut key = KeyWriter::new();
        self.write_start(&mut key);
        write(&mut key);
        let start = key.as_slice();
        if let Some(store) = &self.store {
            store.forget_under(start, self.clock.now());
        }
        self.refresher.forget_under(start);
        #[cfg(feature = "offline")]
        self.disk.iter().for_each(|disk| disk.abandon_all());
        #[cfg(feature = "watch")]
        self.watched.ask_under(start);
        changed(&mut key);
        self.guard.waive_under(key.as_slice());
    }

    /// From now on a refresh of `scope` must not lose these secrets.
    pub(crate) fn require<'n>(&self, scope: &S::Scope<'_>, options: Options, names: impl Iterator<Item = &'n str>) {
        let mut names = names.peekable();
        if names.peek().is_some() {
            let mut key = KeyWriter::new();
            self.write_key(scope, options.references, &mut key);
            self.guard.declare(key.as_slice(), names);
        }
    }

    /// What it takes to load `scope`, checked.
    pub(crate) fn load_request(
        &self,
        scope: &S::Scope<'_>,
        references: References,
    ) -> Result<LoadRequest<S::Owned>, XtraError> {
        let mut key = KeyWriter::new();
        let identity = self.write_key(scope, references, &mut key);
        let scope = Arc::new(self.source.prepare(scope)?);
        Ok(LoadRequest { key: key.as_slice().to_vec(), identity, scope, references, anew: false, quiet: false })
    }

    /// Everything that tells one snapshot from another: source and base URL, who asks, the scope, and whether references in the
    /// values are followed.
    #[inline]
    pub(crate) fn write_key(&self, scope: &S::Scope<'_>, references: References, key: &mut KeyWriter) -> Identity {
        let identity = self.write_start(key);
        self.source.write_key(scope, key);
        if references == References::Followed {
            key.mark();
        }
        identity
    }

    /// The place of a snapshot of `scope`, for errors about what it does not hold.
    pub(crate) fn place(&self, scope: &S::Owned) -> Option<Arc<Place>> {
        let description = self.source.describe(scope)?;
        Some(Arc::new(Place::new(description, Arc::clone(&self.known), S::looks_like_a_token)))
    }

    /// A secret's name for a message.
    pub(crate) fn shown_name(&self, name: &str) -> String {
        shown_name(name, S::looks_like_a_token)
    }

    /// What every key begins with.
    #[inline]
    fn write_start(&self, key: &mut KeyWriter) -> Identity {
        let identity = self.source.identity();
        key.start(&self.origin, &identity);
        identity
    }

    /// Drops what is dead, and tells when there will be more to drop; never, when nothing is held.
    pub(crate) fn sweep(&self) -> Option<Tick> {
        self.store.as_ref()?.sweep(self.clock.now())
    }

    /// Has what the store holds leave memory when it is dead. Without timers each load does that.
    pub(crate) fn start_expiry(&self) {
        if let Some(store) = self.store.as_ref().filter(|_| self.source.has_timers()) {
            self.expiry.start(store, &self.clock, &self.refresher.tasks);
        }
    }
}
