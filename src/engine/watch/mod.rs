//! The watch: a stream of what changes in a scope, and handles on its newest state.

mod backoff;
mod handles;
mod listener;
mod poller;
mod registry;
mod relay;
mod subscription;
mod topic;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

pub use handles::{WatchReceiver, WatchSecret};
pub use listener::{Listener, Listening};
pub(crate) use relay::relay;

pub(crate) use registry::Topics;

use crate::core::{Change, Secrets, Unreadable, XtraError};
use subscription::{Source, Subscription};
use topic::Event;

/// A stream of what changes in a scope. Made by [`Client::watch`](crate::Client::watch), which says how it is polled and what
/// that costs.
///
/// The first item is the snapshot as it is: everything in it is [`added`](Change::added). So one loop does the start and what
/// comes after, and nothing is missed in between. After that there is an item when something has changed, and an error when a
/// poll failed.
///
/// **It does not end on an error.** After one it waits, longer each time, and goes on; the last snapshot stays as it is. The
/// stream ends when the last client is dropped, and only then. (Outside of a tokio runtime, where nothing can be polled, it
/// gives one error of the kind [`Config`](crate::ErrorKind::Config) and no more until it is awaited in one.)
///
/// There is no queue. What changed several times between two items is one item, with the difference to the one before, and of
/// several errors the newest is given: a watcher that is slow misses no state that lasts, and costs no memory. It holds the
/// snapshot that it showed last, however old that becomes.
///
/// A snapshot in which values did not come through is an error that names them, and the one before stays; see
/// [`allow_unreadable`](Self::allow_unreadable).
///
/// ```
/// # use xtrasecurity::{XtraClient, XtraError};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), XtraError> {
/// let client = XtraClient::in_memory([("API_KEY", "k-1")])?;
/// let mut changes = client.watch("production");
/// while let Some(item) = changes.next().await {
///     match item {
///         Ok(change) if change.concerns("API_KEY") => log_in(change.snapshot.require("API_KEY")?.expose()),
///         Ok(_) => {}
///         Err(error) => eprintln!("{error}"), // it goes on by itself
///     }
///     # break;
/// }
/// # Ok(())
/// # }
/// # fn log_in(key: &str) { assert_eq!(key, "k-1") }
/// ```
#[must_use = "a watch that is dropped tells nothing"]
pub struct Watch {
    subscription: Subscription,
    shown: Shown,
}

impl Watch {
    pub(crate) fn new(source: Arc<dyn Source>) -> Self {
        Self { subscription: Subscription::new(source), shown: Shown::default() }
    }

    /// A watch that begins when it is first polled.
    #[cfg(feature = "blocking")]
    pub(crate) fn later(source: Arc<dyn Source>) -> Self {
        Self { subscription: Subscription::later(source), shown: Shown::default() }
    }

    /// Accepts snapshots in which some values did not come through (masked, or ciphertext). Their names are in
    /// [`Secrets::unreadable`](crate::Secrets::unreadable); one that could be read before has changed.
    pub fn allow_unreadable(mut self) -> Self {
        self.shown.allow_unreadable = true;
        self
    }

    /// The next item of the stream, without a trait to import. `None` when the last client is gone.
    ///
    /// Dropping the future is safe: no change is lost.
    pub async fn next(&mut self) -> Option<Result<Change, XtraError>> {
        poll_fn(|context| self.poll(context)).await
    }

    /// A watcher of one secret of the same scope. It goes on when this one is dropped.
    pub fn secret(&self, name: impl Into<String>) -> WatchSecret {
        WatchSecret::new(self.subscription.another(), name.into())
    }

    /// A handle on the newest snapshot of the same scope. It goes on when this one is dropped.
    pub fn receiver(&self) -> WatchReceiver {
        WatchReceiver::new(self.subscription.another(), self.shown.anew())
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Change, XtraError>>> {
        loop {
            match std::task::ready!(self.subscription.poll(context)) {
                Some(Event::Updated(newest)) => {
                    if let Some(item) = self.shown.compare(newest) {
                        return Poll::Ready(Some(item));
                    }
                }
                Some(Event::Failed(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl Stream for Watch {
    type Item = Result<Change, XtraError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(context)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("shown", &self.shown.snapshot).finish_non_exhaustive()
    }
}

/// The snapshot that a watcher was shown last, and what it takes to be shown the next.
#[derive(Debug, Clone, Default)]
struct Shown {
    allow_unreadable: bool,
    snapshot: Option<Arc<Secrets>>,
    /// What could not be read in the snapshot that was refused last.
    refused: Vec<Unreadable>,
}

impl Shown {
    /// Nothing so far, with the same demands.
    fn anew(&self) -> Self {
        Self { allow_unreadable: self.allow_unreadable, ..Self::default() }
    }

    /// What there is to say of `newest`: a change, or an error when some of it did not come through; nothing, when it is as
    /// the one before.
    fn compare(&mut self, newest: Arc<Secrets>) -> Option<Result<Change, XtraError>> {
        if let Some(error) = self.objection(&newest) {
            let is_new = self.refused != newest.unreadable();
            self.refused = newest.unreadable().to_vec();
            return is_new.then_some(Err(error));
        }
        self.refused = Vec::new();
        let before = self.snapshot.replace(Arc::clone(&newest));
        let change = Change::between(before.as_deref(), newest);
        (before.is_none() || !change.is_empty()).then_some(Ok(change))
    }

    /// Why this watcher cannot be shown `snapshot`.
    fn objection(&self, snapshot: &Secrets) -> Option<XtraError> {
        if self.allow_unreadable { None } else { snapshot.all_readable().err() }
    }
}
