//! The newest snapshot, kept at hand.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::feed::News;
use super::place::Place;
use super::shown::Shown;
use crate::core::{Secrets, XtraError};

/// The newest snapshot of a watched scope, for the parts of a program that want the secrets as they are now and not what
/// became of them. Made by [`Watch::receiver`](crate::Watch::receiver).
///
/// Clones are watchers of their own: each is told of every change. As long as there is one, the scope is polled.
///
/// ```
/// # use xtrasecurity::{XtraClient, XtraError};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), XtraError> {
/// let client = XtraClient::in_memory([("API_KEY", "k-1")])?;
/// let mut secrets = client.watch("production").receiver();
/// let first = secrets.changed().await.expect("the client is still there");
/// assert_eq!(first.require("API_KEY")?.expose(), "k-1");
/// assert!(secrets.latest().is_some() && secrets.error().is_none());
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping it ends it"]
pub struct WatchReceiver {
    place: Place,
    shown: Shown,
}

impl WatchReceiver {
    pub(super) fn new(place: Place, shown: Shown) -> Self {
        Self { place, shown }
    }

    /// The newest snapshot; `None` before the first has come. Waits for nothing. It does not count as seen:
    /// [`changed`](Self::changed) still tells of it.
    ///
    /// While polls fail the last one stays, however old it becomes: [`Secrets::age`] and [`error`](Self::error) tell.
    ///
    /// A snapshot in which values did not come through is passed over, unless the watch allowed that: then this is the newest
    /// one in which all did.
    ///
    /// It is kept up to date by the tokio runtime on which the handle was made, or cloned, and by no other: when that runtime
    /// has ended, or was none, this stays as it is and [`error`](Self::error) says so. Once this handle has been awaited on a
    /// runtime, it is that one.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<Secrets>> {
        let newest = self.place.newest().filter(|newest| self.shown.objection(newest).is_none());
        newest.or_else(|| self.place.readable()).or_else(|| self.shown.snapshot.clone())
    }

    /// Why the newest poll brought nothing that [`latest`](Self::latest) could be, or why there are no polls any more; `None` when
    /// all is well.
    #[must_use]
    pub fn error(&self) -> Option<XtraError> {
        let unreadable = || self.place.newest().and_then(|newest| self.shown.objection(&newest));
        self.place.failing().or_else(unreadable)
    }

    /// Waits until there is a snapshot that differs from the one seen last, and gives it; the first one, too. What changed
    /// several times meanwhile is one change. `None` when the last client is gone.
    ///
    /// Dropping the future is safe: no change is lost.
    pub async fn changed(&mut self) -> Option<Arc<Secrets>> {
        poll_fn(|context| self.poll_changed(context)).await
    }

    fn poll_changed(&mut self, context: &mut Context<'_>) -> Poll<Option<Arc<Secrets>>> {
        loop {
            match std::task::ready!(self.place.poll(context)) {
                Some(News::Landed(newest)) => {
                    if let Some(Ok(change)) = self.shown.compare(newest) {
                        return Poll::Ready(Some(change.snapshot));
                    }
                }
                Some(News::Failed(_)) => {}
                None => return Poll::Ready(None),
            }
        }
    }
}

/// A watcher that has seen what this one has seen.
impl Clone for WatchReceiver {
    fn clone(&self) -> Self {
        Self { place: self.place.another(), shown: self.shown.clone() }
    }
}

impl fmt::Debug for WatchReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchReceiver").field("latest", &self.latest()).finish_non_exhaustive()
    }
}
