//! The read: at once from the cache, by a load that is waited for, or with what is kept when that does not come.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::{Either, select};
use tracing::Instrument;

use super::backoff::Last;
use super::client::{Client, Owner};
use super::fairness;
use super::outcome::{Answer, LoadOutcome, LoadRequest};
use super::recent_reads;
use super::request::{Options, Reads, Request};
use super::single_flight::{InFlight, Role};
use super::source::{KeyWriter, SecretSource};
use super::state::Engine;
use super::store::{Found, Store};
use super::tasks;
use crate::core::{ErrorKind, Secrets, SnapshotSource, Tick, XtraError, events};

/// The operation of a [`Request`] that reads secrets.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Read;

impl Reads for Read {}

/// # Read a scope of any source
impl<S: SecretSource, M> Client<S, M> {
    /// Reads the secrets of `scope`, from the cache when it has a snapshot that may be served.
    ///
    /// The request is sent when it is awaited. Callers that miss the same scope at the same time share one request; if it
    /// fails, each of them gets the error, nothing is cached, and the next read asks again.
    ///
    /// # Errors
    ///
    /// Those of [`SecretSource::prepare`] and [`SecretSource::load`]; [`ErrorKind::Masked`](crate::ErrorKind::Masked) or
    /// [`ErrorKind::Undecryptable`](crate::ErrorKind::Undecryptable) when values did not come through, unless the request
    /// says `allow_unreadable()`.
    pub fn read<'a>(&'a self, scope: S::Scope<'a>) -> Request<'a, S, Read, M> {
        self.request(scope, Read)
    }
}

impl<'a, S: SecretSource> Request<'a, S, Read> {
    /// The same as awaiting the request, for code that wants a future by name: `runtime.block_on(request.send())`.
    pub fn send(self) -> ReadFuture<'a, S> {
        self.into_future()
    }
}

impl<'a, S: SecretSource> IntoFuture for Request<'a, S, Read> {
    type Output = Result<Arc<Secrets>, XtraError>;
    type IntoFuture = ReadFuture<'a, S>;

    fn into_future(self) -> Self::IntoFuture {
        ReadFuture { step: Step::Start(self) }
    }
}

/// The future of a read. A cached snapshot is returned by its first poll, without any allocation, unless it is the turn of
/// other tasks: a loop of such reads gives way to them every few thousand reads, by Tokio's cooperative budget.
///
/// Dropping it is safe at any time: callers that wait for the same snapshot still get it.
#[must_use = "a read does nothing until it is awaited"]
pub struct ReadFuture<'a, S: SecretSource> {
    step: Step<'a, S>,
}

enum Step<'a, S: SecretSource> {
    Start(Request<'a, S, Read>),
    Waiting(Waiting, &'a Arc<Owner<S>>, S::Scope<'a>),
    Done,
}

type Waiting = Pin<Box<dyn Future<Output = Answer> + Send>>;

impl<S: SecretSource> Future for ReadFuture<'_, S> {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        // By reference, because moving a request takes longer than finding its snapshot.
        if let Step::Start(request) = &self.step {
            ready!(fairness::poll_next(context));
            if let Some(answer) = cached(request) {
                self.step = Step::Done;
                return Poll::Ready(answer);
            }
        }
        self.wait(context)
    }
}

impl<S: SecretSource> ReadFuture<'_, S> {
    /// The answer, when the cache has it. Waits for nothing and needs no runtime.
    #[cfg(feature = "blocking")]
    pub(crate) fn at_once(&self) -> Option<Answer> {
        match &self.step {
            Step::Start(request) => cached(request),
            Step::Waiting(..) | Step::Done => None,
        }
    }

    #[cold]
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<Answer> {
        let (mut waiting, engine, scope) = match std::mem::replace(&mut self.step, Step::Done) {
            Step::Start(request) => {
                let Request { engine, scope, options, .. } = request;
                match begin(engine, &scope, options) {
                    Ok(waiting) => (waiting, engine, scope),
                    Err(error) => return Poll::Ready(Err(engine.of_read(&scope, error))),
                }
            }
            Step::Waiting(waiting, engine, scope) => (waiting, engine, scope),
            Step::Done => return Poll::Pending,
        };
        match waiting.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(answer.map_err(|error| engine.of_read(&scope, error))),
            Poll::Pending => {
                self.step = Step::Waiting(waiting, engine, scope);
                Poll::Pending
            }
        }
    }
}

fn cached<S: SecretSource>(request: &Request<'_, S, Read>) -> Option<Answer> {
    if request.options.no_cache {
        return None;
    }
    let secrets = request.engine.cached(&request.scope, &request.options)?;
    Some(request.options.check(secrets).map_err(|error| request.engine.of_read(&request.scope, error)))
}

fn begin<S: SecretSource>(
    engine: &Arc<Owner<S>>,
    scope: &S::Scope<'_>,
    options: Options,
) -> Result<Waiting, XtraError> {
    let fetch = engine.fetch(scope, options)?;
    Ok(Box::pin(async move { options.check(fetch.await?) }))
}

impl<S: SecretSource> fmt::Debug for ReadFuture<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadFuture")
    }
}

type Outcome = Result<LoadOutcome, XtraError>;

/// How long a reader on whose time everything happens looks whether a slow load has ended meanwhile.
const GLANCE: Duration = Duration::from_millis(20);

/// What a reader has when it has waited.
enum Waited {
    Over(Outcome),
    /// The load takes longer than a reader waits that has something else. This.
    TooLong(Arc<Secrets>),
}

impl<S: SecretSource> Engine<S> {
    /// An error of a read, with the read as its user wrote it.
    #[cold]
    pub(crate) fn of_read(&self, scope: &S::Scope<'_>, error: XtraError) -> XtraError {
        self.of_call(self.source.read_method(), scope, error)
    }

    /// An error of a call about one scope, with the call as its user wrote it.
    #[cold]
    pub(crate) fn of_call(&self, method: &str, scope: &S::Scope<'_>, error: XtraError) -> XtraError {
        let shown = self.source.show_scope(scope);
        error.in_call(format!("{method}({})", if shown.is_empty() { ".." } else { &shown }))
    }

    /// What an ordinary read gives, for what does something with it.
    pub(crate) async fn snapshot(self: &Arc<Self>, scope: &S::Scope<'_>, options: Options) -> Answer {
        fairness::next().await;
        let kept = if options.no_cache { None } else { self.cached(scope, &options) };
        let secrets = match kept {
            Some(secrets) => secrets,
            None => self.fetch(scope, options)?.await?,
        };
        options.check(secrets)
    }

    /// The snapshot of `scope` that may be served at once, when the cache holds one. Waits for nothing, and allocates nothing
    /// when the snapshot is fresh.
    ///
    /// The options are a reference because they were written one by one just before: to copy them whole, a processor must wait until
    /// each has arrived in memory, an eighth of a hit.
    pub(crate) fn cached(self: &Arc<Self>, scope: &S::Scope<'_>, options: &Options) -> Option<Arc<Secrets>> {
        let store = self.store.as_ref()?;
        let mut key = KeyWriter::new();
        self.write_key(scope, options.references, &mut key);
        let now = self.clock.now();
        if let Some(secrets) = recent_reads::find(store, key.as_slice(), key.hash(), now) {
            self.counts.hits.add();
            return Some(secrets);
        }
        self.find(store, scope, options, &key, now)
    }

    /// The same for what this thread has not read lately.
    #[inline(never)]
    fn find(
        self: &Arc<Self>,
        store: &Store<Arc<Secrets>>,
        scope: &S::Scope<'_>,
        options: &Options,
        key: &KeyWriter,
        now: Tick,
    ) -> Option<Arc<Secrets>> {
        let (key, hash) = (key.as_slice(), key.hash());
        if let Some(pinned) = store.pin(key, now) {
            self.counts.hits.add();
            return Some(recent_reads::note(store, &pinned, hash, now));
        }
        match store.find(key, now) {
            Found::Fresh(secrets) => {
                self.counts.hits.add();
                Some(secrets)
            }
            Found::Stale(secrets) => match self.refresher.last(key, now) {
                Some(Last::Refused) => None,
                last => self.serve_stale_and_refresh(scope, options, key, secrets, last),
            },
            Found::Old(secrets) => match self.refresher.last(key, now) {
                Some(Last::Rejected | Last::Refused) | None => None,
                away => self.serve_stale_and_refresh(scope, options, key, secrets, away),
            },
            Found::Nothing => None,
        }
    }

    /// An aged snapshot, while one refresh runs beside the callers. `None` for the one caller on whose time it must run.
    #[cold]
    fn serve_stale_and_refresh(
        self: &Arc<Self>,
        scope: &S::Scope<'_>,
        options: &Options,
        key: &[u8],
        secrets: Arc<Secrets>,
        last: Option<Last>,
    ) -> Option<Arc<Secrets>> {
        if matches!(last, Some(Last::Unreachable | Last::Rejected)) {
            return Some(self.serve_aged(key, secrets));
        }
        // What cannot be asked for is said by the path that asks.
        let request = self.load_request(scope, options.references).ok()?;
        if !tasks::has_runtime() {
            return self.refresher.loads.in_flight(&request.key).map(|_| self.serve_aged(key, secrets));
        }
        let engine = Arc::clone(self);
        let known = secrets.fetched();
        let newer = move |kept: &Secrets| kept.fetched() > known;
        let lead = self.refresher.loads.lead(key, move || engine.load_unless(request, "refresh", newer));
        if let Some(load) = lead {
            self.counts.refreshes.fetch_add(1, Ordering::Relaxed);
            self.refresher.tasks.spawn(async move { drop(load.await) });
        }
        Some(self.serve_aged(key, secrets))
    }

    pub(crate) fn serve_aged(&self, key: &[u8], secrets: Arc<Secrets>) -> Arc<Secrets> {
        if self.refresher.backoff.is_foreign(key) {
            self.count_foreign(&secrets);
        }
        self.counts.stale.fetch_add(1, Ordering::Relaxed);
        tracing::trace!(target: events::ENGINE, source = self.source.name(), cache = "stale", "read");
        secrets
    }

    /// Counts a read that is answered with what is kept, in place of a refusal that is not the service's own.
    pub(crate) fn count_foreign(&self, secrets: &Secrets) {
        self.counts.foreign_refusals.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(
        target: events::ENGINE,
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
        let request = LoadRequest {
            anew: options.no_cache,
            quiet: options.quiet,
            ..self.load_request(scope, options.references)?
        };
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
            let is_cached = engine.store.is_some();
            let answer = engine.answer(request, options).await;
            match &answer {
                Ok(secrets) if secrets.source() == SnapshotSource::Offline => span.record("cache", "copy"),
                Ok(secrets) if is_cached && secrets.is_stale() => span.record("cache", "stale"),
                Ok(_) => span.record("cache", "miss"),
                Err(error) => span.record("failure", error.kind().as_str()),
            };
            answer
        }
        .instrument(around))
    }

    pub(crate) async fn answer(self: Arc<Self>, request: LoadRequest<S::Owned>, options: Options) -> Answer {
        let (key, scope) = (request.key.clone(), Arc::clone(&request.scope));
        if options.no_cache || self.store.is_none() {
            return match Arc::clone(&self).load(request, "read").await {
                Ok(outcome) if options.no_cache => outcome.answered(options.allow_any_answer),
                Ok(outcome) => outcome.served(options.allow_any_answer),
                Err(error) if options.no_cache => Err(error),
                Err(error) => self.from_disk(&key, &scope, error).await,
            };
        }
        let again = request.clone();
        let waited = match self.join_or_start(request) {
            Role::Leader(load) => self.wait(&key, load, true).await,
            Role::Follower(load) => match self.wait(&key, load, false).await {
                // It began on a runtime that then stood still. This caller has come just now, and has its own time to wait.
                Waited::Over(Err(error)) if error.is_stalled() => {
                    let load = self.join_or_start(again).into_load();
                    self.wait(&key, load, true).await
                }
                waited => waited,
            },
        };
        match waited {
            Waited::TooLong(secrets) => Ok(secrets),
            Waited::Over(Ok(outcome)) => {
                if let LoadOutcome::Masked(names) = &outcome
                    && options.allow_unreadable
                {
                    self.keep_masked(&key, names);
                }
                outcome.served(options.allow_any_answer)
            }
            Waited::Over(Err(error)) => match self.stale_if_error(&key, &error) {
                Some(secrets) => Ok(secrets),
                None => self.from_disk(&key, &scope, error).await,
            },
        }
    }

    fn join_or_start(self: &Arc<Self>, request: LoadRequest<S::Owned>) -> Role<Outcome> {
        let (loader, key) = (Arc::clone(self), request.key.clone());
        self.refresher.loads.join_or_start(&key, move || loader.load_unless(request, "read", |_| true))
    }

    /// Waits for a load; for `stale_wait` at most, when there is something that may be served instead.
    async fn wait(self: &Arc<Self>, key: &[u8], mut load: InFlight<Outcome>, leads: bool) -> Waited {
        loop {
            if self.usable(key).is_none() {
                return Waited::Over(load.await);
            }
            let wait = self.options.stale_wait;
            let wait = if self.refresher.backoff.is_slow(key, self.clock.now()) { wait.min(GLANCE) } else { wait };
            let alarm = pin!(self.refresher.timers.elapsed(key, wait, self.source.has_timers()));
            match select(&mut load, alarm).await {
                Either::Left((outcome, _)) => return Waited::Over(outcome),
                Either::Right(((), _)) => {}
            }
            // It may have come to its end while this one waited.
            if let Some(secrets) = self.usable(key) {
                self.leave(key, load, leads);
                return Waited::TooLong(self.serve_aged(key, secrets));
            }
        }
    }

    /// What may be served in place of a load that is under way.
    pub(super) fn usable(&self, key: &[u8]) -> Option<Arc<Secrets>> {
        let now = self.clock.now();
        match self.store.as_ref()?.find(key, now) {
            Found::Fresh(secrets) => Some(secrets),
            Found::Stale(secrets) | Found::Old(secrets) => {
                Some(secrets).filter(|_| self.refresher.last(key, now) != Some(Last::Refused))
            }
            Found::Nothing => None,
        }
    }

    /// Sees to it that a load goes on whose reader does not wait any more, and that others do not wait either.
    fn leave(&self, key: &[u8], load: InFlight<Outcome>, leads: bool) {
        let now = self.clock.now();
        tracing::debug!(target: events::ENGINE, source = self.source.name(), "a refresh takes longer than a read waits");
        if !leads && self.refresher.backoff.is_slow(key, now) {
            return;
        }
        if self.refresher.tasks.carry_on(async move { drop(load.await) }) {
            self.refresher.backoff.note_slow(key, now);
        } else {
            // Nobody is there to end it. It is dropped, and the scope left alone for a while.
            let late = XtraError::new(ErrorKind::Timeout, "the refresh took longer than a read waits");
            self.refresher.backoff.note(key, &late, true, now);
        }
    }

    /// There is no disk.
    #[cfg(not(feature = "offline"))]
    pub(crate) async fn from_disk(self: Arc<Self>, key: &[u8], _scope: &Arc<S::Owned>, error: XtraError) -> Answer {
        Err(self.refresher.explained(key, error, self.clock.now()))
    }

    /// What the cache has in place of an answer that did not come.
    pub(crate) fn stale_if_error(&self, key: &[u8], error: &XtraError) -> Option<Arc<Secrets>> {
        let is_away = self.refresher.is_unreachable(key, error, self.clock.now());
        match self.store.as_ref()?.find(key, self.clock.now()) {
            Found::Fresh(secrets) => Some(secrets),
            Found::Stale(secrets) if is_away || !error.is_foreign_refusal() => Some(self.serve_aged(key, secrets)),
            Found::Old(secrets) if is_away => Some(self.serve_aged(key, secrets)),
            Found::Stale(_) | Found::Old(_) | Found::Nothing => None,
        }
    }
}
