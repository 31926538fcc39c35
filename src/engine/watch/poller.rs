//! The poller: one task for all watchers of a scope on one runtime.

use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{Either, select};

use tokio::runtime::Handle;

use super::Watch;
use super::backoff::Backoff;
use super::listener::{self, Listener, Listening};
use super::registry::{WHO, scope_part, who_part};
use super::subscription::{Joined, Source};
use super::topic::Topic;
use crate::core::{Clock, ErrorKind, Hint, Tick, XtraError, events, spread};
use crate::engine::client::{Client, Owner};
use crate::engine::outcome::{LoadOutcome, LoadRequest};
use crate::engine::policy::CacheOptions;
use crate::engine::source::SecretSource;
use crate::engine::state::Engine;
use crate::engine::store::Found;
use crate::engine::tasks;

/// The shortest time from one poll to the next, however short the time to live is.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest time that the time to live puts a poll off for after a failed one.
const LONGEST: Duration = Duration::from_secs(600);
/// The time from one poll to the next while the service tells of changes by itself.
const BESIDE: Duration = Duration::from_secs(600);
/// So long what the service tells may go on before it is answered by a read.
const SETTLE: Duration = Duration::from_millis(100);

/// # Notice changes
impl<S: SecretSource> Client<S> {
    /// Watches a scope: a stream of what is added, changed and removed, that does not end on an error.
    ///
    /// A scope is polled when the snapshot in the cache is no longer fresh, by one task for all its watchers, beginning with
    /// this call (on a tokio runtime; elsewhere, when the watch is first awaited on one). Snapshots that other reads fetch are
    /// seen at once and put the next poll off. [`invalidate`](Self::invalidate) and [`clear_cache`](Self::clear_cache) have it
    /// polled now, or 1 s after the last such poll if that failed. The task ends with the last watcher of the scope, or the last client.
    ///
    /// Where the service tells of changes by itself ([`SecretSource::listen`](crate::SecretSource::listen)), the scope is read when it
    /// does, and polled every 10 minutes beside that. When the connection is lost, it is polled as above until there is another.
    ///
    /// When the client's token becomes that of another account, what the one before could see stays until the next poll, or
    /// until the new one's first answer.
    ///
    /// # What it costs
    ///
    /// Each poll is one call of the service's quota, and leaves one row in its audit log. Every 30 s, that would be 2,880
    /// calls a day for each scope and process, where the free tier allows 1,000 a day for all projects of an owner. So the
    /// time to live stretches, up to `max_ttl` (10 min, 144 calls a day), to make the quota last; see
    /// [`CacheOptions`](crate::CacheOptions). Where a change may take longer to be noticed, raise the time to live. With the
    /// cache off, a scope is polled every 30 s.
    ///
    /// # Errors
    ///
    /// They are items of the stream, each once for every watcher, and those of [`read`](Self::read). After one the next poll
    /// comes 1 s later, then 2 s, up to 60 s; after one that does not pass by itself (401, 403, 404 and the like) 30 s later,
    /// up to 10 min; never before the service's own `Retry-After` (up to 1 h). Each wait is up to a quarter longer at random.
    ///
    /// An answer that [is held back](Self#what-is-held-back) is an error too ([`EmptyScope`](crate::ErrorKind::EmptyScope),
    /// [`MissingSecret`](crate::ErrorKind::MissingSecret) …), and the snapshot from before stays; `invalidate` accepts the answer.
    /// With the cache off and no copies on disk there is nothing to compare with, and it is a change like any other. A scope that
    /// cannot be asked for ([`Invalid`](crate::ErrorKind::Invalid), [`Config`](crate::ErrorKind::Config)) is such an error too,
    /// again and again.
    ///
    /// ```
    /// # use xtrasecurity::{XtraClient, XtraError};
    /// # use xtrasecurity::xtra::XtraScope;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), XtraError> {
    /// let client = XtraClient::in_memory([("API_KEY", "k-1")])?;
    /// let mut changes = client.watch(XtraScope::new("production").branch("feature/new-ui"));
    /// if let Some(Ok(change)) = changes.next().await {
    ///     assert_eq!(change.added, ["API_KEY"]);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch<'a>(&self, scope: impl Into<S::Scope<'a>>) -> Watch {
        Watch::new(self.watched(scope.into()))
    }

    /// A watch that begins when it is first awaited.
    #[cfg(feature = "blocking")]
    pub(crate) fn watch_later<'a>(&self, scope: impl Into<S::Scope<'a>>) -> Watch {
        Watch::later(self.watched(scope.into()))
    }

    fn watched(&self, scope: S::Scope<'_>) -> Arc<Watched<S>> {
        let target = self.engine.load_request(&scope, self.engine.references()).map(Arc::new);
        Arc::new(Watched { owner: Arc::downgrade(&self.engine), target })
    }
}

/// A scope, and the client that it is watched at.
struct Watched<S: SecretSource> {
    owner: Weak<Owner<S>>,
    target: Target<S>,
}

/// What to poll for, or why that cannot be.
type Target<S> = Result<Arc<LoadRequest<<S as SecretSource>::Owned>>, XtraError>;

impl<S: SecretSource> Source for Watched<S> {
    fn join(&self) -> Joined {
        let Some(owner) = self.owner.upgrade() else { return Joined::Closed };
        let engine: &Arc<Engine<S>> = &owner;
        if !tasks::has_runtime() {
            return Joined::NoRuntime;
        }
        let runtime = Handle::try_current().ok().map(|runtime| runtime.id());
        let mut topics = engine.watched.lock();
        topics.retain(|_, of_scope| {
            of_scope.retain(|(_, topic)| topic.upgrade().is_some_and(|topic| !topic.is_over()));
            !of_scope.is_empty()
        });
        let scope = self.target.as_ref().ok().map(|request| scope_part(&request.key));
        let known = scope.and_then(|scope| topics.get(scope)).into_iter().flatten();
        let known = known.filter(|(of, _)| *of == runtime).find_map(|(_, topic)| topic.upgrade()?.join());
        if let Some(receiver) = known {
            return Joined::Subscribed(receiver);
        }
        let topic = Arc::new(Topic::default());
        let Some(receiver) = topic.join() else { return Joined::Closed };
        if let Some(scope) = scope {
            topics.entry(scope.to_vec()).or_default().push((runtime, Arc::downgrade(&topic)));
        }
        drop(topics);
        let mut poller = Poller::new(Arc::downgrade(engine), self.target.clone(), topic);
        let listening = poller.begin(engine);
        if engine.refresher.tasks.spawn(poller.run(listening)) { Joined::Subscribed(receiver) } else { Joined::Closed }
    }
}

/// The task that polls, for as long as anybody watches.
pub(crate) struct Poller<S: SecretSource> {
    /// Held only while it is at work.
    engine: Weak<Engine<S>>,
    target: Target<S>,
    topic: Arc<Topic>,
    backoff: Backoff,
    /// When the last poll was.
    polled: Option<Tick>,
    /// When the next one is due.
    due: Option<Tick>,
    /// A poll is asked for.
    asked: bool,
    /// The last poll was asked for, and failed. One that is asked for upon that must wait for a moment, or a program that asks
    /// at each error would ask without end.
    in_vain: bool,
    /// The time between two polls that went well.
    interval: Duration,
    /// The service has told of a change that no read has followed yet.
    told: bool,
    /// When the last read began that it has told of: there is at most one a second, in real time.
    answered: Option<Instant>,
    /// On whose behalf the last poll was made.
    polled_for: Vec<u8>,
    /// The time between two polls while the service tells of changes.
    beside: Duration,
}

impl<S: SecretSource> Drop for Poller<S> {
    /// However it ends: with its runtime, with the client, with the last watcher.
    fn drop(&mut self) {
        self.topic.end();
    }
}

impl<S: SecretSource> Poller<S> {
    pub(crate) fn new(engine: Weak<Engine<S>>, target: Target<S>, topic: Arc<Topic>) -> Self {
        Self {
            engine,
            target,
            topic,
            backoff: Backoff::default(),
            polled: None,
            due: None,
            asked: false,
            in_vain: false,
            interval: SHORTEST,
            told: false,
            answered: None,
            polled_for: Vec::new(),
            beside: BESIDE,
        }
    }

    /// Shows the snapshot that the cache has, if that is fresh, before the first step. Returns what the source listens with.
    pub(crate) fn begin(&mut self, engine: &Engine<S>) -> Option<Listening> {
        let target = self.target.clone().ok()?;
        let key = engine.request_now(&target).key;
        self.look(engine, &key);
        engine.source.listen(&target.scope, Listener::new(&self.topic))
    }

    pub(crate) async fn run(mut self, listening: Option<Listening>) {
        let topic = Arc::clone(&self.topic);
        let listening = async {
            listener::listen(listening, &topic).await;
            pending::<()>().await;
        };
        // When the last watcher goes, a poll that is under way goes with it, unless somebody else waits for it.
        let (listening, polling) = (pin!(listening), pin!(self.poll_on()));
        select(pin!(topic.closed()), select(listening, polling)).await;
    }

    async fn poll_on(&mut self) {
        while let Some((clock, next)) = self.step().await {
            let asleep = pin!(AssertUnwindSafe(clock.sleep_until(next)).catch_unwind());
            let changed = pin!(self.topic.changed());
            if let Either::Left((Err(_), _)) = select(asleep, changed).await {
                // Ending here would have the watchers look for another poller, which would meet the same at once.
                self.topic.failed(without_timer());
                pending::<()>().await;
            }
        }
    }

    /// Polls, if that is due. Tells when it will be; never, when the client is gone.
    async fn step(&mut self) -> Option<(Clock, Tick)> {
        let engine = self.engine.upgrade()?;
        let clock = engine.clock.clone();
        let request = match &self.target {
            Ok(target) => engine.request_now(target),
            Err(error) => {
                let error = error.clone();
                return Some((clock, self.failed(&engine, error)));
            }
        };
        self.asked |= self.topic.was_asked();
        self.told |= self.topic.was_told();
        // one that was told of while reads fail is made when the next is due
        let told = self.told && !self.backoff.is_on();
        let found = if told { None } else { self.look(&engine, &request.key) };
        if let Some(due) = found.filter(|_| !self.told) {
            self.asked = false;
            return Some((clock, due));
        }
        let told = self.told && !self.backoff.is_on();
        let due = if self.asked {
            self.polled.filter(|_| self.in_vain).map(|polled| polled.after(SHORTEST))
        } else {
            self.due.map(|due| self.put_off(due, &request.key))
        };
        if let Some(due) = due.filter(|due| !told && clock.now() < *due) {
            return Some((clock, due));
        }
        if told {
            self.settle(&engine, &request.key).await;
        }
        self.polled = Some(clock.now());
        self.polled_for = who_part(&request.key).to_vec();
        self.beside = BESIDE - BESIDE.mul_f64(0.1 * spread());
        let asked = std::mem::take(&mut self.asked);
        self.told = false;
        let (key, scope) = (request.key.clone(), Arc::clone(&request.scope));
        let request = LoadRequest { anew: told, ..request };
        let due = match engine.poll(request).await {
            Ok(outcome) => match outcome.into_objection() {
                Some((error, kept)) => {
                    if let Some(kept) = kept.filter(|_| self.topic.newest().is_none()) {
                        self.topic.show(who_part(&key), &kept);
                    }
                    self.failed(&engine, error)
                }
                None => self.succeeded(&engine, &key),
            },
            Err(error) => {
                let error = self.stand_in(&engine, &key, &scope, error).await;
                self.failed(&engine, error)
            }
        };
        self.in_vain = asked && self.backoff.is_on();
        Some((clock, due))
    }

    /// Waits until what the service tells has come to a rest and the last read that it told of is long enough ago, and for the load
    /// that is under way, which may have left before the change.
    async fn settle(&mut self, engine: &Engine<S>, key: &[u8]) {
        let early = self.answered.map_or(Duration::ZERO, |answered| SHORTEST.saturating_sub(answered.elapsed()));
        let has_timers = engine.source.has_timers();
        engine.refresher.timers.elapsed(key, SETTLE.max(early), has_timers).await;
        if let Some(earlier) = engine.refresher.loads.in_flight(key) {
            drop(earlier.await);
        }
        self.topic.was_told();
        self.answered = Some(Instant::now());
    }

    /// When a poll is due that would be at `due` if the service told nothing.
    fn put_off(&self, due: Tick, key: &[u8]) -> Tick {
        let polled = self.polled.filter(|_| self.topic.listens() && !self.backoff.is_on());
        match polled.filter(|_| self.polled_for == who_part(key)) {
            Some(polled) => due.max(polled.after(self.beside)),
            None => due,
        }
    }

    /// When the next poll is due, if the cache has a fresh snapshot; it is shown, too, if it has not been.
    fn look(&mut self, engine: &Engine<S>, key: &[u8]) -> Option<Tick> {
        let (store, now) = (engine.store.as_ref()?, engine.clock.now());
        let Found::Fresh(secrets) = store.find(key, now) else { return None };
        let fresh_until = store.fresh_until(key, now)?;
        if !self.topic.newest().is_some_and(|newest| newest.is_same_snapshot(&secrets)) {
            self.topic.show(who_part(key), &secrets);
        }
        Some(self.went_well(engine, key, fresh_until))
    }

    fn succeeded(&mut self, engine: &Engine<S>, key: &[u8]) -> Tick {
        self.look(engine, key).unwrap_or_else(|| {
            // The cache is off, or has dropped it already.
            let ttl = Some(engine.options.ttl).filter(|ttl| !ttl.is_zero());
            let wait = ttl.unwrap_or(CacheOptions::default().ttl);
            self.went_well(engine, key, engine.clock.now().after(wait - wait.mul_f64(0.1 * spread())))
        })
    }

    fn went_well(&mut self, engine: &Engine<S>, key: &[u8], due: Tick) -> Tick {
        if self.backoff.is_on() {
            self.backoff.reset();
            tracing::info!(target: events::ENGINE, source = engine.source.name(), "a watched scope can be read again");
        }
        let due = self.polled.map_or(due, |polled| due.max(polled.after(SHORTEST)));
        self.interval = due.since(engine.clock.now());
        self.due = Some(due);
        self.put_off(due, key)
    }

    fn failed(&mut self, engine: &Engine<S>, error: XtraError) -> Tick {
        if !self.backoff.is_on() {
            let (source, kind) = (engine.source.name(), error.kind().as_str());
            tracing::warn!(target: events::ENGINE, source, kind, "a watched scope could not be read; the watch goes on");
        }
        let mut wait = self.backoff.after(&error);
        if !error.is_retryable() {
            // It was answered, so it counts as any other poll does.
            wait = wait.max(self.interval.min(LONGEST));
        }
        self.topic.failed(error);
        let due = engine.clock.now().after(wait);
        self.due = Some(due);
        due
    }

    /// Shows watchers that have nothing yet what reads are given in place of an answer that did not come. Returns the
    /// error to tell them.
    async fn stand_in(
        &self,
        engine: &Arc<Engine<S>>,
        key: &[u8],
        scope: &Arc<S::Owned>,
        error: XtraError,
    ) -> XtraError {
        if self.topic.newest().is_some() {
            return error;
        }
        let found = match engine.stale_if_error(key, &error) {
            Some(secrets) => Ok(secrets),
            None => Arc::clone(engine).from_disk(key, scope, error.clone()).await,
        };
        match found {
            Ok(secrets) => {
                self.topic.show(who_part(key), &secrets);
                error
            }
            Err(error) => error,
        }
    }
}

impl<S: SecretSource> Engine<S> {
    /// The answer of a load that whoever misses this scope at the same time shares.
    async fn poll(self: &Arc<Self>, request: LoadRequest<S::Owned>) -> Result<LoadOutcome, XtraError> {
        let (engine, key) = (Arc::clone(self), request.key.clone());
        let load = self.refresher.loads.join(&key, move || {
            engine.counts.refreshes.fetch_add(1, Ordering::Relaxed);
            engine.load(request, "watch")
        });
        load.await
    }

    /// The request of a scope that was checked before, for whoever asks now.
    fn request_now(&self, before: &LoadRequest<S::Owned>) -> LoadRequest<S::Owned> {
        let (identity, mut key) = (self.source.identity(), before.key.clone());
        if let Some(who) = key.get_mut(WHO) {
            who.copy_from_slice(identity.as_bytes());
        }
        LoadRequest { key, identity, ..before.clone() }
    }
}

fn without_timer() -> XtraError {
    XtraError::new(ErrorKind::Config, "this tokio runtime has no time driver, so that nothing can be polled on it")
        .with_hint(Hint::advice("Build the runtime with enable_all()"))
}
