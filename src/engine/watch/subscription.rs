//! A watcher's way to a feed: it finds one, and another when that one ends before the client does.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::feed::{News, Seat};
use crate::core::{ErrorKind, Secrets, XtraError};

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

    /// Another watcher of the same scope, who has not been told anything. Where no poller could run it sits down beside this
    /// one: a handle that is cloned on a thread without a runtime is kept up to date as well.
    pub(crate) fn another(&self) -> Self {
        let mut another = Self::new(Arc::clone(&self.home));
        if another.seat.is_none() {
            another.seat = self.seat.as_ref().and_then(Seat::beside);
        }
        another
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
            let message = "a watch was awaited where nothing can poll for it: outside of a tokio runtime, or in the block_on of a \
                           blocking client. Await it in a runtime; code without one has the blocking client's watch";
            News::Failed(XtraError::new(ErrorKind::Config, message))
        }))
    }

    /// The newest snapshot, whether this watcher has been shown it or not.
    pub(crate) fn newest(&self) -> Option<Arc<Secrets>> {
        self.seat.as_ref()?.newest()
    }

    /// The newest snapshot in which everything came through.
    pub(crate) fn readable(&self) -> Option<Arc<Secrets>> {
        self.seat.as_ref()?.readable()
    }

    /// Why the newest poll failed, when it did, or why there are none.
    pub(crate) fn failing(&self) -> Option<XtraError> {
        match self.seat.as_ref().filter(|seat| !seat.is_over()) {
            Some(seat) => seat.failing(),
            None => Some(unpolled()),
        }
    }
}

fn unpolled() -> XtraError {
    let message = "nothing polls for this handle: its client is gone, or the tokio runtime on which it was made, or it was made \
                   outside of one. While there is a client, awaiting changed() in a runtime begins anew";
    XtraError::new(ErrorKind::Config, message)
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("seated", &self.seat.is_some()).finish_non_exhaustive()
    }
}
