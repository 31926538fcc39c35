//! Answers held back, so that a test can look at what happens meanwhile without sleeping.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use super::faults::names;

/// Holds the answers of a route back until it is released or dropped; from
/// [`DevServer::hold`](crate::services::xtra::dev::DevServer::hold).
#[must_use = "a hold that is dropped releases at once"]
pub struct Hold(Arc<Gate>);

pub(super) struct Gate {
    route: String,
    open: watch::Sender<bool>,
    waiting: watch::Sender<usize>,
}

impl Hold {
    pub(super) fn new(route: String) -> Self {
        Hold(Arc::new(Gate { route, open: watch::Sender::new(false), waiting: watch::Sender::new(0) }))
    }

    pub(super) fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.0)
    }

    /// Waits until at least this many requests are held back.
    pub async fn waiting_for(&self, requests: usize) {
        let mut waiting = self.0.waiting.subscribe();
        // The sender is alive as long as `self` is, so this ends only with the number.
        let _ = waiting.wait_for(|count| *count >= requests).await;
    }

    /// How many requests are held back now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        *self.0.waiting.borrow()
    }

    /// Lets all of them go on, and those that come later.
    pub fn release(self) {
        drop(self);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.open.send_replace(true);
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Hold").field("route", &self.0.route).field("waiting", &self.waiting()).finish()
    }
}

impl Gate {
    pub(super) fn is_open(&self) -> bool {
        *self.open.borrow()
    }

    pub(super) fn holds(&self, route: &str) -> bool {
        names(&self.route, route)
    }

    /// Waits until the gate opens; a request that goes away is not counted any more.
    pub(super) async fn pass(&self) {
        let mut open = self.open.subscribe();
        self.waiting.send_modify(|count| *count += 1);
        let _leave = Leave(&self.waiting);
        let _ = open.wait_for(|open| *open).await;
    }
}

struct Leave<'a>(&'a watch::Sender<usize>);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
