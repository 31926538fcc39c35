//! Watching a scope: who polls for whom.

mod poller;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::runtime::{Handle, Id};

use super::client::Owner;
use super::state::{Engine, Ticket};
use super::watch::{Feed, Home, Joined, Watch};
use super::{Client, SecretSource, tasks};
use crate::core::{Secrets, XtraError};
use poller::Poller;

/// The feeds of a client's watched scopes, by the part of the key that names the scope: who asks may change meanwhile.
#[derive(Default)]
pub(crate) struct Watching(Mutex<HashMap<Vec<u8>, Vec<OnRuntime>>>);

type OnRuntime = (Option<Id>, Weak<Feed>);

impl Watching {
    /// Shows a snapshot that the cache has taken in to whoever watches its scope.
    pub(crate) fn landed(&self, key: &[u8], secrets: &Arc<Secrets>) {
        self.of(key).iter().for_each(|feed| feed.landed(who_part(key), secrets));
    }

    /// Has the scope polled now: what is known of it is out of date.
    pub(crate) fn ask(&self, key: &[u8]) {
        self.of(key).iter().for_each(|feed| feed.ask());
    }

    /// The same for every scope whose key begins like this.
    #[cfg(feature = "xtra")]
    pub(crate) fn ask_under(&self, start: &[u8]) {
        let start = scope_part(start);
        let is_under = |(scope, _): &(&Vec<u8>, &Vec<OnRuntime>)| scope.starts_with(start);
        let feeds: Vec<_> =
            self.lock().iter().filter(is_under).flat_map(|(_, of)| of).filter_map(|(_, feed)| feed.upgrade()).collect();
        feeds.iter().for_each(|feed| feed.ask());
    }

    /// The same for every scope.
    pub(crate) fn ask_all(&self) {
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
    /// polled now, or 1 s after the last such poll if that failed. The task ends with the last watcher of the scope, or the last client.
    ///
    /// When the client's token becomes that of another account, what the one before could see stays until the next poll, or
    /// until the new one's first answer.
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
    /// An answer that [is held back](Self#what-is-held-back) is an error too ([`EmptyScope`](crate::ErrorKind::EmptyScope),
    /// [`MissingSecret`](crate::ErrorKind::MissingSecret) …), and the snapshot from before stays; `invalidate` accepts the answer.
    /// With the cache off and no copies on disk there is nothing to compare with, and it is a change like any other. A scope that cannot be asked for ([`Invalid`](crate::ErrorKind::Invalid),
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
        Watch::new(self.watched(scope.into()))
    }

    /// A watch that begins when it is first awaited.
    #[cfg(feature = "blocking")]
    pub(crate) fn watch_later<'a>(&self, scope: impl Into<S::Scope<'a>>) -> Watch {
        Watch::later(self.watched(scope.into()))
    }

    fn watched(&self, scope: S::Scope<'_>) -> Arc<Watched<S>> {
        let target = self.engine.ticket(&scope).map(Arc::new);
        Arc::new(Watched { owner: Arc::downgrade(&self.engine), target })
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
        let mut poller = Poller::new(Arc::downgrade(engine), self.target.clone(), feed);
        poller.begin(engine);
        if engine.tasks.spawn(poller.run()) { Joined::Seated(seat) } else { Joined::Over }
    }
}

/// Where a key says who asks; before it stands the source, behind it the scope.
const WHO: Range<usize> = 16..32;

fn who_part(key: &[u8]) -> &[u8] {
    key.get(WHO).unwrap_or_default()
}

fn scope_part(key: &[u8]) -> &[u8] {
    key.get(WHO.end..).unwrap_or_default()
}
