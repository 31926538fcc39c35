//! Handles of a watched scope: on its newest snapshot, and on one of its secrets.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::Shown;
use super::subscription::Subscription;
use super::topic::Event;
use crate::core::{SecretValue, Secrets, XtraError};

/// The newest snapshot of a watched scope, for the parts of a program that want the secrets as they are now and not what
/// became of them. Made by [`Watch::receiver`](crate::watch::Watch::receiver).
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
    subscription: Subscription,
    shown: Shown,
}

impl WatchReceiver {
    pub(super) fn new(subscription: Subscription, shown: Shown) -> Self {
        Self { subscription, shown }
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
        let newest = self.subscription.newest().filter(|newest| self.shown.objection(newest).is_none());
        newest.or_else(|| self.subscription.readable()).or_else(|| self.shown.snapshot.clone())
    }

    /// Why the newest poll brought nothing that [`latest`](Self::latest) could be, or why there are no polls any more; `None` when
    /// all is well.
    #[must_use]
    pub fn error(&self) -> Option<XtraError> {
        let unreadable = || self.subscription.newest().and_then(|newest| self.shown.objection(&newest));
        self.subscription.failing().or_else(unreadable)
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
            match std::task::ready!(self.subscription.poll(context)) {
                Some(Event::Updated(newest)) => {
                    if let Some(Ok(change)) = self.shown.compare(newest) {
                        return Poll::Ready(Some(change.snapshot));
                    }
                }
                Some(Event::Failed(_)) => {}
                None => return Poll::Ready(None),
            }
        }
    }
}

/// A watcher that has seen what this one has seen.
impl Clone for WatchReceiver {
    fn clone(&self) -> Self {
        Self { subscription: self.subscription.another(), shown: self.shown.clone() }
    }
}

impl fmt::Debug for WatchReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchReceiver").field("latest", &self.latest()).finish_non_exhaustive()
    }
}

/// A stream of the values of one secret. Made by [`Watch::secret`](crate::watch::Watch::secret).
///
/// The first item is the value as it is, or `None` when the scope has no such secret. After that there is an item only when
/// the value is another one: `None` when the secret was removed, `Some` when it is back. Values that changed several times
/// between two items are one item, the newest.
///
/// A value that stops coming through (masked, or ciphertext) is no item: it is neither removed nor known. Nor is an error:
/// those are in the [`Watch`](crate::watch::Watch). The stream ends when the last client is dropped, and only then.
///
/// ```
/// # use xtrasecurity::{XtraClient, XtraError};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), XtraError> {
/// let client = XtraClient::in_memory([("DATABASE_URL", "postgres://db")])?;
/// let mut url = client.watch("production").secret("DATABASE_URL");
/// if let Some(Some(url)) = url.next().await {
///     assert_eq!(url.expose(), "postgres://db");
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct WatchSecret {
    subscription: Subscription,
    name: String,
    /// The value that was shown last, once one was.
    shown: Option<Option<SecretValue>>,
}

impl WatchSecret {
    pub(super) fn new(subscription: Subscription, name: String) -> Self {
        Self { subscription, name, shown: None }
    }

    /// The next item of the stream, without a trait to import. The outer `None` is the end.
    ///
    /// Dropping the future is safe: no change is lost.
    pub async fn next(&mut self) -> Option<Option<SecretValue>> {
        poll_fn(|context| self.poll(context)).await
    }

    /// The name of the secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Option<SecretValue>>> {
        loop {
            match std::task::ready!(self.subscription.poll(context)) {
                Some(Event::Updated(newest)) => {
                    if let Some(value) = self.compare(&newest) {
                        return Poll::Ready(Some(value));
                    }
                }
                Some(Event::Failed(_)) => {}
                None => return Poll::Ready(None),
            }
        }
    }

    /// The value in `newest`, when that is not what was shown last.
    fn compare(&mut self, newest: &Arc<Secrets>) -> Option<Option<SecretValue>> {
        if newest.unreadable().iter().any(|entry| entry.name == self.name) {
            return None;
        }
        let value = newest.get(&self.name).cloned();
        if self.shown.as_ref() == Some(&value) {
            return None;
        }
        self.shown = Some(value.clone());
        Some(value)
    }
}

impl Stream for WatchSecret {
    type Item = Option<SecretValue>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(context)
    }
}

impl fmt::Debug for WatchSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchSecret").field("name", &self.name).finish_non_exhaustive()
    }
}
