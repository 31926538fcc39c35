//! Refreshes on demand: a newer snapshot now, or one that is newer than a known one.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::SecretSource;
use super::client::Client;
use super::outcome::{Answer, LoadOutcome, LoadRequest};
use super::read::Read;
use super::refresher::PAUSE;
use super::request::{Options, Reads, Request};
use super::single_flight::InFlight;
use super::state::Engine;
use super::store::Found;
use crate::core::{Secrets, XtraError};

/// The operation of a [`Request`] that replaces what the cache holds.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Refresh;

impl Reads for Refresh {}

/// # Fetch now
impl<S: SecretSource, M> Client<S, M> {
    /// Fetches a newer snapshot of `scope` now, whatever the cache holds, and returns it when it has come.
    ///
    /// Callers at the same time share one request, which leaves after the first of these calls; with the cache off each sends
    /// its own. A request for this scope that is under way already is waited for first, so this may take as long as two.
    ///
    /// When it fails, the snapshot in the cache stays and is served as before (401, 403 and 404 of the
    /// service itself drop it). Each request counts
    /// against the service's quota and leaves a row in its audit log: for fresher secrets in general, lower the time to live
    /// instead.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read); when the answer [is held back](#what-is-held-back),
    /// [`ErrorKind::EmptyScope`](crate::ErrorKind::EmptyScope) (it has no secrets any more),
    /// [`ErrorKind::MissingSecret`](crate::ErrorKind::MissingSecret) (it has lost one that is required, or every name),
    /// [`ErrorKind::Undecryptable`](crate::ErrorKind::Undecryptable) (all of it is ciphertext now) or
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) (it looks like an error).
    ///
    /// ```
    /// # use xtrasecurity::{XtraClient, XtraError};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), XtraError> {
    /// let client = XtraClient::in_memory([("API_KEY", "k-1")])?;
    /// let secrets = client.refresh("production").await?;
    /// assert_eq!(secrets.age().as_secs(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn refresh<'a>(&'a self, scope: impl Into<S::Scope<'a>>) -> Request<'a, S, Refresh, M> {
        self.read(scope.into()).refresh()
    }
}

impl<'a, S: SecretSource, M> Request<'a, S, Read, M> {
    /// Fetches a newer snapshot now and puts it into the cache, instead of reading from it. For the conditions, see
    /// [`Client::refresh`](crate::Client::refresh).
    pub fn refresh(self) -> Request<'a, S, Refresh, M> {
        self.with_operation(Refresh)
    }
}

impl<S: SecretSource> Request<'_, S, Refresh> {
    /// Sends the request; the same as awaiting it.
    ///
    /// # Errors
    ///
    /// See [`Client::refresh`](crate::Client::refresh).
    pub async fn send(self) -> Result<Arc<Secrets>, XtraError> {
        let Self { engine, scope, options, .. } = self;
        let refreshed = async { options.check(engine.refresh(&scope, options)?.await?) };
        refreshed.await.map_err(|error| engine.of_read(&scope, error))
    }
}

impl<'a, S: SecretSource> IntoFuture for Request<'a, S, Refresh> {
    type Output = Result<Arc<Secrets>, XtraError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<S: SecretSource> Engine<S> {
    /// A snapshot asked for after this call. Callers at the same time share one request; what was under way before does not
    /// count, because it may have left before whatever the caller has just changed.
    pub(crate) fn refresh(
        self: &Arc<Self>,
        scope: &S::Scope<'_>,
        options: Options,
    ) -> Result<impl Future<Output = Answer> + Send + 'static, XtraError> {
        let allow_any = options.allow_any_answer;
        let request = LoadRequest { anew: true, ..self.load_request(scope, options.references)? };
        let engine = Arc::clone(self);
        Ok(async move {
            if engine.store.is_none() {
                engine.counts.refreshes.fetch_add(1, Ordering::Relaxed);
                return engine.load(request, "refresh").await?.refreshed(allow_any);
            }
            let key = request.key.clone();
            if let Some(earlier) = engine.refresher.loads.in_flight(&key) {
                drop(earlier.await);
            }
            let loader = Arc::clone(&engine);
            let load = engine.refresher.loads.join(&key, move || {
                loader.counts.refreshes.fetch_add(1, Ordering::Relaxed);
                loader.load(request, "refresh")
            });
            drop(engine);
            let outcome = load.await?;
            outcome.refreshed(allow_any)
        })
    }

    /// A snapshot of `scope` that is newer than `known` and that `is_enough`: from the cache, or by a request that everyone who
    /// asks meanwhile shares. `None` when the newest there is does not do, or when it is too early to ask for a newer one.
    ///
    /// At most one request in [`PAUSE`] is begun for a scope, failed ones included, and none while the newest snapshot is
    /// younger than that.
    pub(crate) async fn renew(
        self: &Arc<Self>,
        scope: &S::Scope<'_>,
        options: Options,
        mut known: Arc<Secrets>,
        is_enough: impl Fn(&Secrets) -> bool,
    ) -> Result<Option<Arc<Secrets>>, XtraError> {
        let key = self.load_request(scope, options.references)?.key;
        // A load that an ordinary read began may bring what is known already. The one after it does not.
        for _ in 0..2 {
            if let Some(newer) = self.kept_after(&key, &known) {
                known = newer;
            }
            if is_enough(&known) {
                return Ok(Some(known));
            }
            if known.age() < PAUSE {
                return Ok(None);
            }
            let join = || self.refresher.loads.in_flight(&key);
            let request = LoadRequest { anew: true, ..self.load_request(scope, options.references)? };
            let begin = || self.begin_renewal(request, &known);
            let Some(load) = self.refresher.throttle.join_or_start(&key, &self.clock, join, begin) else {
                // what paused the scope may have outcome a moment ago
                return Ok(self.kept_after(&key, &known).filter(|newest| is_enough(newest)));
            };
            let loaded = load.await?.served(false)?;
            if loaded.fetched() > known.fetched() {
                return Ok(is_enough(&loaded).then_some(loaded));
            }
        }
        Ok(None)
    }

    fn begin_renewal(
        self: &Arc<Self>,
        request: LoadRequest<S::Owned>,
        known: &Secrets,
    ) -> InFlight<Result<LoadOutcome, XtraError>> {
        let (engine, known) = (Arc::clone(self), known.fetched());
        let key = request.key.clone();
        self.refresher
            .loads
            .join(&key, move || engine.load_unless(request, "renewal", move |kept| kept.fetched() > known))
    }

    /// What the cache holds, when it is another snapshot than `known` and not an older one.
    fn kept_after(&self, key: &[u8], known: &Arc<Secrets>) -> Option<Arc<Secrets>> {
        match self.store.as_ref()?.find(key, self.clock.now()) {
            Found::Fresh(kept) if !kept.is_same_snapshot(known) && kept.fetched() >= known.fetched() => Some(kept),
            _ => None,
        }
    }
}
