//! The subscription of a watcher: it finds a topic, and another when that one ends before the client does.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::topic::{Event, Receiver};
use crate::core::{ErrorKind, Secrets, XtraError};

/// The scope that is watched, at a client.
pub(crate) trait Source: Send + Sync {
    /// A receiver of the topic on the caller's runtime; a poller runs for it from now on.
    fn join(&self) -> Joined;
}

pub(crate) enum Joined {
    Subscribed(Receiver),
    /// There is no runtime here that a poller could run on.
    NoRuntime,
    /// The last client is gone.
    Closed,
}

/// One watcher of one scope.
pub(crate) struct Subscription {
    source: Arc<dyn Source>,
    receiver: Option<Receiver>,
    /// It has been said that there is no runtime here.
    told_no_runtime: bool,
}

impl Subscription {
    /// A subscription that begins at once where there is a runtime, and else when it is first polled on one.
    pub(crate) fn new(source: Arc<dyn Source>) -> Self {
        let receiver = match source.join() {
            Joined::Subscribed(receiver) => Some(receiver),
            Joined::NoRuntime | Joined::Closed => None,
        };
        Self { receiver, ..Self::later(source) }
    }

    /// A subscription that begins when it is first polled.
    pub(crate) fn later(source: Arc<dyn Source>) -> Self {
        Self { source, receiver: None, told_no_runtime: false }
    }

    /// Another watcher of the same scope, who has not been told anything. Where no poller could run it joins the
    /// topic of this one: a handle that is cloned on a thread without a runtime is kept up to date as well.
    pub(crate) fn another(&self) -> Self {
        let mut another = Self::new(Arc::clone(&self.source));
        if another.receiver.is_none() {
            another.receiver = self.receiver.as_ref().and_then(Receiver::beside);
        }
        another
    }

    /// What this watcher has not been told yet; `None` when the last client is gone.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        // A topic ends with its runtime. Two that end while they are looked at mean that this runtime is ending too.
        for _ in 0..3 {
            if let Some(receiver) = &mut self.receiver {
                match receiver.poll(context) {
                    Poll::Ready(None) => {}
                    event => return event,
                }
            }
            match self.source.join() {
                Joined::Subscribed(receiver) => self.receiver = Some(receiver),
                Joined::NoRuntime => return self.no_runtime(),
                Joined::Closed => break,
            }
            self.told_no_runtime = false;
        }
        Poll::Ready(None)
    }

    fn no_runtime(&mut self) -> Poll<Option<Event>> {
        let was_told = std::mem::replace(&mut self.told_no_runtime, true);
        Poll::Ready((!was_told).then(|| {
            let message = "a watch was awaited where nothing can poll for it: outside of a tokio runtime, or in the block_on of a \
                           blocking client. Await it in a runtime; code without one has the blocking client's watch";
            Event::Failed(XtraError::new(ErrorKind::Config, message))
        }))
    }

    /// The newest snapshot, whether this watcher has been shown it or not.
    pub(crate) fn newest(&self) -> Option<Arc<Secrets>> {
        self.receiver.as_ref()?.newest()
    }

    /// The newest snapshot in which everything came through.
    pub(crate) fn readable(&self) -> Option<Arc<Secrets>> {
        self.receiver.as_ref()?.readable()
    }

    /// Why the newest poll failed, when it did, or why there are none.
    pub(crate) fn failing(&self) -> Option<XtraError> {
        match self.receiver.as_ref().filter(|receiver| !receiver.is_over()) {
            Some(receiver) => receiver.failing(),
            None => Some(unpolled()),
        }
    }
}

fn unpolled() -> XtraError {
    let message = "nothing polls for this handle: its client is gone, or the tokio runtime on which it was made, or it was made \
                   outside of one. While there is a client, awaiting changed() in a runtime begins anew";
    XtraError::new(ErrorKind::Config, message)
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("seated", &self.receiver.is_some()).finish_non_exhaustive()
    }
}
