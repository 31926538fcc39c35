//! Polling for watchers: one task a scope and runtime, whatever the number of watchers.

use std::collections::HashMap;
use std::future::pending;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::select;
use tokio::runtime::{Handle, Id};

use super::engine::{Engine, Ticket};
use super::landing::Landed;
use super::{Client, Owner, tasks};
use crate::cache::{CacheOptions, Clock, Found, Tick};
use crate::error::{ErrorKind, XtraError};
use crate::secrets::Secrets;
use crate::services::SecretSource;
use crate::watch::{self, Backoff, Feed, Home, Joined, Watch};

/// The shortest time from one poll to the next, however short the time to live is.
const SHORTEST: Duration = Duration::from_secs(1);

/// The feeds of a client's watched scopes, by the part of the key that names the scope: who asks may change meanwhile.
#[derive(Default)]
pub(super) struct Watching(Mutex<HashMap<Vec<u8>, Vec<OnRuntime>>>);

type OnRuntime = (Option<Id>, Weak<Feed>);

impl Watching {
    /// Shows a snapshot that the cache has taken in to whoever watches its scope.
    pub(super) fn landed(&self, key: &[u8], secrets: &Arc<Secrets>) {
        self.of(key).iter().for_each(|feed| feed.landed(secrets));
    }

    /// Has the scope polled now: what is known of it is out of date.
    pub(super) fn ask(&self, key: &[u8]) {
        self.of(key).iter().for_each(|feed| feed.ask());
    }

    /// The same for every scope.
    pub(super) fn ask_all(&self) {
        let feeds: Vec<_> = self.lock().values().flatten().filter_map(|(_, feed)| feed.upgrade()).collect();
        feeds.iter().for_each(|feed| feed.ask());
    }

    /// The feeds of a scope, on whatever runtime.
    fn of(&self, key: &[u8]) -> Vec<Arc<Feed>> {
        let feeds = self.lock();
        let of = feeds.get(scope_part(key)).into_iter().flatten();
        of.filter_map(|(_, feed)| feed.upgrade()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Vec<OnRuntime>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: SecretSource> Client<S> {
    /// Watches a scope: a stream of what is added, changed and removed, that does not end on an error.
    ///
    /// A scope is polled when the snapshot in the cache is no longer fresh, by one task for all its watchers, beginning with
    /// this call (on a tokio runtime; elsewhere, when the watch is first awaited on one). Snapshots that other reads fetch are
    /// seen at once and put the next poll off. [`invalidate`](Self::invalidate) and [`clear_cache`](Self::clear_cache) have it
    /// polled now. The task ends with the last watcher of the scope, or the last client.
    ///
    /// # What it costs
    ///
    /// Each poll is one call of the service's budget, and leaves one row in its audit log. Every 30 s, that would be 2,880
    /// calls a day for each scope and process, where the free tier allows 1,000 a day for all projects of an owner. So the
    /// time to live stretches, up to `max_ttl` (10 min, 144 calls a day), to make the budget last; see
    /// [`CacheOptions`](crate::CacheOptions). Where a change may take longer to be noticed, raise the time to live. With the
    /// cache off, a scope is polled every 30 s.
    ///
    /// # Errors
    ///
    /// They are items of the stream, each once for every watcher, and those of [`read`](Self::read). After one the next poll
    /// comes 1 s later, then 2 s, up to 60 s; after one that does not pass by itself (401, 403, 404 and the like) 30 s later,
    /// up to 10 min; never before the service's own `Retry-After` (up to 1 h). Each wait is up to a quarter longer at random.
    ///
    /// An answer that has lost everything, or a secret that is required, is the error
    /// [`EmptyScope`](crate::ErrorKind::EmptyScope) or [`MissingSecret`](crate::ErrorKind::MissingSecret), and the snapshot
    /// from before stays; `invalidate` accepts the loss. A scope that cannot be asked for ([`Invalid`](crate::ErrorKind::Invalid),
    /// [`Config`](crate::ErrorKind::Config)) is such an error too, again and again.
    ///
    /// ```
    /// # use xtrasecurity::{XtraClient, XtraError, XtraScope};
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
        let engine: &Arc<Engine<S>> = &self.engine;
        let target = engine.ticket(&scope.into()).map(Arc::new);
        Watch::new(Arc::new(Watched { owner: Arc::downgrade(&self.engine), target }))
    }
}

/// A scope, and the client that it is watched at.
struct Watched<S: SecretSource> {
    owner: Weak<Owner<S>>,
    target: Target<S>,
}

/// What to poll for, or why that cannot be.
type Target<S> = Result<Arc<Ticket<<S as SecretSource>::Owned>>, XtraError>;

impl<S: SecretSource> Home for Watched<S> {
    fn join(&self) -> Joined {
        let Some(owner) = self.owner.upgrade() else { return Joined::Over };
        let engine: &Arc<Engine<S>> = &owner;
        if !tasks::possible() {
            return Joined::Nowhere;
        }
        let runtime = Handle::try_current().ok().map(|runtime| runtime.id());
        let mut feeds = engine.watching.lock();
        feeds.retain(|_, of_scope| {
            of_scope.retain(|(_, feed)| feed.upgrade().is_some_and(|feed| !feed.is_over()));
            !of_scope.is_empty()
        });
        let scope = self.target.as_ref().ok().map(|ticket| scope_part(&ticket.key));
        let known = scope.and_then(|scope| feeds.get(scope)).into_iter().flatten();
        let known = known.filter(|(of, _)| *of == runtime).find_map(|(_, feed)| feed.upgrade()?.join());
        if let Some(seat) = known {
            return Joined::Seated(seat);
        }
        let feed = Arc::new(Feed::default());
        let Some(seat) = feed.join() else { return Joined::Over };
        if let Some(scope) = scope {
            feeds.entry(scope.to_vec()).or_default().push((runtime, Arc::downgrade(&feed)));
        }
        drop(feeds);
        let poller = Poller::new(Arc::downgrade(engine), self.target.clone(), feed);
        if engine.tasks.spawn(poller.run()) { Joined::Seated(seat) } else { Joined::Over }
    }
}

/// The one that polls, for as long as anybody watches.
struct Poller<S: SecretSource> {
    /// Held only while it is at work.
    engine: Weak<Engine<S>>,
    target: Target<S>,
    feed: Arc<Feed>,
    backoff: Backoff,
    /// When the last poll was.
    polled: Option<Tick>,
    /// When the next one is due.
    due: Option<Tick>,
    /// The time between two polls that went well.
    interval: Duration,
}

impl<S: SecretSource> Drop for Poller<S> {
    /// However it ends: with its runtime, with the client, with the last watcher.
    fn drop(&mut self) {
        self.feed.end();
    }
}

impl<S: SecretSource> Poller<S> {
    fn new(engine: Weak<Engine<S>>, target: Target<S>, feed: Arc<Feed>) -> Self {
        Self { engine, target, feed, backoff: Backoff::default(), polled: None, due: None, interval: SHORTEST }
    }

    async fn run(mut self) {
        let feed = Arc::clone(&self.feed);
        // When the last watcher goes, a poll that is under way goes with it, unless somebody else waits for it.
        select(pin!(feed.deserted()), pin!(self.poll_on())).await;
    }

    async fn poll_on(&mut self) {
        while let Some((clock, next)) = self.step().await {
            let waited = async { select(pin!(clock.sleep_until(next)), pin!(self.feed.stirred())).await };
            if AssertUnwindSafe(waited).catch_unwind().await.is_err() {
                // Ending here would have the watchers look for another poller, which would meet the same at once.
                self.feed.failed(without_timer());
                pending::<()>().await;
            }
        }
    }

    /// Polls, if that is due. Tells when it will be; never, when the client is gone.
    async fn step(&mut self) -> Option<(Clock, Tick)> {
        let engine = self.engine.upgrade()?;
        let clock = engine.clock.clone();
        let ticket = match &self.target {
            Ok(target) => engine.ticket_now(target),
            Err(error) => {
                let error = error.clone();
                return Some((clock, self.failed(&engine, error)));
            }
        };
        let (asked, now) = (self.feed.was_asked(), clock.now());
        if let Some(due) = self.look(&engine, &ticket.key) {
            return Some((clock, due));
        }
        if let Some(due) = self.due.filter(|due| now < *due && !asked) {
            return Some((clock, due));
        }
        self.polled = Some(now);
        let key = ticket.key.clone();
        let due = match engine.poll(ticket).await {
            Ok(Landed { objection: Some(error), served, .. }) => {
                self.show_first(Some(served));
                self.failed(&engine, error)
            }
            Ok(_) => self.succeeded(&engine, &key),
            Err(error) => {
                self.show_first(engine.fall_back(&key, &error));
                self.failed(&engine, error)
            }
        };
        Some((clock, due))
    }

    /// When the next poll is due, if the cache has a fresh snapshot; it is shown, too, if it has not been.
    fn look(&mut self, engine: &Engine<S>, key: &[u8]) -> Option<Tick> {
        let (cache, now) = (engine.cache.as_ref()?, engine.clock.now());
        let Found::Fresh(secrets) = cache.find(key, now) else { return None };
        let fresh_until = cache.fresh_until(key, now)?;
        if !self.feed.newest().is_some_and(|newest| Arc::ptr_eq(&newest, &secrets)) {
            self.feed.landed(&secrets);
        }
        Some(self.went_well(engine, fresh_until))
    }

    fn succeeded(&mut self, engine: &Engine<S>, key: &[u8]) -> Tick {
        self.look(engine, key).unwrap_or_else(|| {
            // The cache is off, or has dropped it already.
            let ttl = Some(engine.options.ttl).filter(|ttl| !ttl.is_zero());
            let wait = ttl.unwrap_or(CacheOptions::default().ttl);
            self.went_well(engine, engine.clock.now().after(wait - wait.mul_f64(0.1 * watch::random())))
        })
    }

    fn went_well(&mut self, engine: &Engine<S>, due: Tick) -> Tick {
        if self.backoff.is_on() {
            self.backoff.reset();
            tracing::info!(source = engine.source.name(), "a watched scope can be read again");
        }
        let due = self.polled.map_or(due, |polled| due.max(polled.after(SHORTEST)));
        self.interval = due.since(engine.clock.now());
        self.due = Some(due);
        due
    }

    fn failed(&mut self, engine: &Engine<S>, error: XtraError) -> Tick {
        if !self.backoff.is_on() {
            let (source, kind) = (engine.source.name(), error.kind().as_str());
            tracing::warn!(source, kind, "a watched scope could not be read; the watch goes on");
        }
        let mut wait = self.backoff.after(&error);
        if !error.is_retryable() {
            // It was answered, so it counts as any other poll.
            wait = wait.max(self.interval);
        }
        self.feed.failed(error);
        let due = engine.clock.now().after(wait);
        self.due = Some(due);
        due
    }

    /// While the service is away, watchers that have nothing yet are shown what reads are given.
    fn show_first(&self, secrets: Option<Arc<Secrets>>) {
        if let Some(secrets) = secrets.filter(|_| self.feed.newest().is_none()) {
            self.feed.landed(&secrets);
        }
    }
}

impl<S: SecretSource> Engine<S> {
    /// The answer of a load that whoever misses this scope at the same time shares.
    async fn poll(self: &Arc<Self>, ticket: Ticket<S::Owned>) -> Result<Landed, XtraError> {
        let (engine, key) = (Arc::clone(self), ticket.key.clone());
        let flight = self.flights.join(&key, move || {
            engine.counts.refreshes.fetch_add(1, Ordering::Relaxed);
            engine.load(ticket, "watch")
        });
        AssertUnwindSafe(flight).catch_unwind().await.unwrap_or_else(|_| Err(panicked()))
    }

    /// The ticket of a scope that was checked before, for whoever asks now.
    fn ticket_now(&self, before: &Ticket<S::Owned>) -> Ticket<S::Owned> {
        let (identity, mut key) = (self.source.identity(), before.key.clone());
        if let Some(who) = key.get_mut(WHO) {
            who.copy_from_slice(identity.as_bytes());
        }
        Ticket { key, identity, scope: Arc::clone(&before.scope) }
    }
}

/// Where a key says who asks; before it stands the source, behind it the scope.
const WHO: Range<usize> = 16..32;

fn scope_part(key: &[u8]) -> &[u8] {
    key.get(WHO.end..).unwrap_or_default()
}

fn panicked() -> XtraError {
    XtraError::new(ErrorKind::Server, "the source of the secrets panicked when it was polled. That is a bug in it")
}

fn without_timer() -> XtraError {
    let message = "this tokio runtime has no time driver, so that nothing can be polled on it. Build it with enable_all()";
    XtraError::new(ErrorKind::Config, message)
}
