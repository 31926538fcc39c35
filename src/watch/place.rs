//! A watcher's way to a feed: it finds one, and another when that one ends before the client does.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::feed::{News, Seat};
use crate::error::{ErrorKind, XtraError};
use crate::secrets::Secrets;

/// The scope that is watched, at a client.
pub(crate) trait Home: Send + Sync {
    /// A seat at the feed of the runtime that the caller is on; a poller runs for it from now on.
    fn join(&self) -> Joined;
}

pub(crate) enum Joined {
    Seated(Seat),
    /// There is no runtime here that a poller could run on.
    Nowhere,
    /// The last client is gone.
    Over,
}

/// One watcher of one scope.
pub(crate) struct Place {
    home: Arc<dyn Home>,
    seat: Option<Seat>,
    /// It has been said that there is no runtime here.
    stranded: bool,
}

impl Place {
    /// A place that is taken at once where there is a runtime, and else when it is first polled on one.
    pub(crate) fn new(home: Arc<dyn Home>) -> Self {
        let seat = match home.join() {
            Joined::Seated(seat) => Some(seat),
            Joined::Nowhere | Joined::Over => None,
        };
        Self { seat, ..Self::later(home) }
    }

    /// A place that is taken when it is first polled.
    pub(crate) fn later(home: Arc<dyn Home>) -> Self {
        Self { home, seat: None, stranded: false }
    }

    /// Another watcher of the same scope, who has not been told anything.
    pub(crate) fn another(&self) -> Self {
        Self::new(Arc::clone(&self.home))
    }

    /// What this watcher has not been told yet; `None` when the last client is gone.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<News>> {
        // A feed ends with its runtime. Two that end while they are looked at mean that this runtime is ending too.
        for _ in 0..3 {
            if let Some(seat) = &mut self.seat {
                match seat.poll(context) {
                    Poll::Ready(None) => {}
                    news => return news,
                }
            }
            match self.home.join() {
                Joined::Seated(seat) => self.seat = Some(seat),
                Joined::Nowhere => return self.strand(),
                Joined::Over => break,
            }
            self.stranded = false;
        }
        Poll::Ready(None)
    }

    fn strand(&mut self) -> Poll<Option<News>> {
        let was_told = std::mem::replace(&mut self.stranded, true);
        Poll::Ready((!was_told).then(|| {
            let message = "a watch was awaited outside of a tokio runtime, where nothing can poll for it. Await it in one; \
                           code without one has the blocking client's watch";
            News::Failed(XtraError::new(ErrorKind::Config, message))
        }))
    }

    /// The newest snapshot, whether this watcher has been shown it or not.
    pub(crate) fn newest(&self) -> Option<Arc<Secrets>> {
        self.seat.as_ref()?.newest()
    }

    /// Why the newest poll failed, when it did.
    pub(crate) fn failing(&self) -> Option<XtraError> {
        self.seat.as_ref()?.failing()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("seated", &self.seat.is_some()).finish_non_exhaustive()
    }
}
