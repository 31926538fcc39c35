//! The listener of a watched scope: where a source says that the service has told of a change.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;

use super::topic::Topic;
use crate::core::events;

/// What a source listens with; see [`SecretSource::listen`](crate::SecretSource::listen).
pub type Listening = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The part of a watch that is told of changes by its source; see [`SecretSource::listen`](crate::SecretSource::listen).
///
/// It carries no secrets: each call says only that the scope is to be read. Calls that come close together, or while the scope is
/// being read, are one read; there is at most one a second.
pub struct Listener(Arc<Topic>);

impl Listener {
    pub(super) fn new(topic: &Arc<Topic>) -> Self {
        Self(Arc::clone(topic))
    }

    /// From now on every change is told. The scope is read, because nobody has told what changed before, and from then on polled
    /// every 10 minutes.
    pub fn connected(&self) {
        self.0.set_listens(true);
        self.0.tell();
    }

    /// Something in the scope may have changed: it is read, unless the last read has failed. Then the next one comes when it would
    /// have come.
    pub fn changed(&self) {
        self.0.tell();
    }

    /// Changes are not told any more until [`connected`](Self::connected) is called again: the scope is polled as without a
    /// listener. What was told before still counts.
    pub fn lost(&self) {
        self.0.set_listens(false);
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("is_connected", &self.0.listens()).finish_non_exhaustive()
    }
}

/// Listens until the source has nothing to listen to any more.
pub(super) async fn listen(listening: Option<Listening>, topic: &Topic) {
    let Some(listening) = listening else { return };
    if let Err(payload) = AssertUnwindSafe(listening).catch_unwind().await {
        // It may hold anything, and dropping it may panic again.
        std::mem::forget(payload);
        tracing::error!(target: events::ENGINE, "what listens for changes panicked; the watch goes on with polls");
    }
    topic.set_listens(false);
}
