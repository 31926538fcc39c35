//! A test's controls of a running server: the journal of requests, the holds and the script of faults.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use hyper::HeaderMap;
use hyper::body::Bytes;
use tokio::sync::watch;

use super::faults::{Script, matches_route};

/// The controls of one server. Every lock is short and never held across an await.
#[derive(Default)]
pub(crate) struct Controls {
    journal: Mutex<Journal>,
    script: Mutex<Script>,
    holds: Gates,
    write_holds: Gates,
}

impl Controls {
    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        lock(&self.journal)
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        lock(&self.script)
    }

    /// The holds of answers.
    pub(crate) fn holds(&self) -> &Gates {
        &self.holds
    }

    /// The holds of first writes.
    pub(crate) fn write_holds(&self) -> &Gates {
        &self.write_holds
    }
}

/// State that a panic left behind is as good as any here: nothing spans two locks.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of requests that are kept whole. The counts have no bound.
const KEPT: usize = 512;

/// A request that the server saw. `Debug` shows its route alone, because headers carry the token and bodies secrets.
#[derive(Clone)]
#[non_exhaustive]
pub struct SeenRequest {
    route: String,
    target: String,
    headers: HeaderMap,
    body: SeenBody,
}

/// The body of a request, once its handler has read it.
#[derive(Clone, Default)]
pub(crate) struct SeenBody(Arc<OnceLock<Bytes>>);

/// The longest body that is kept, in bytes.
const LONGEST_BODY: usize = 64 * 1024;

impl SeenBody {
    pub(crate) fn keep(&self, body: &Bytes) {
        if body.len() <= LONGEST_BODY {
            // read once
            let _ = self.0.set(body.clone());
        }
    }
}

impl SeenRequest {
    pub(crate) fn new(route: &str, target: String, headers: HeaderMap, body: SeenBody) -> Self {
        SeenRequest { route: route.to_owned(), target, headers, body }
    }

    /// The method and the pattern of the path, as in the module `route`; `GET *` for a path that no route has.
    #[must_use]
    pub fn route(&self) -> &str {
        &self.route
    }

    /// The path and the query as they were sent.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// A header, when it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body, when the server has read it and it has 64 KiB at the most: a fault that answers in the server's place leaves it
    /// unread. It holds what was sent, secrets included.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        self.body.0.get().map(|body| &**body)
    }
}

impl fmt::Debug for SeenRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SeenRequest").field("route", &self.route).finish_non_exhaustive()
    }
}

#[derive(Default)]
pub(crate) struct Journal {
    counts: BTreeMap<String, u64>,
    recent: VecDeque<SeenRequest>,
}

impl Journal {
    pub(crate) fn record(&mut self, request: SeenRequest) {
        if let Some(count) = self.counts.get_mut(&request.route) {
            *count += 1;
        } else {
            self.counts.insert(request.route.clone(), 1);
        }
        if self.recent.len() == KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back(request);
    }

    pub(crate) fn count(&self, pattern: &str) -> u64 {
        self.counts.iter().filter(|(route, _)| matches_route(pattern, route)).map(|(_, count)| count).sum()
    }

    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.counts.clone()
    }

    pub(crate) fn requests(&self, pattern: &str) -> Vec<SeenRequest> {
        self.recent.iter().filter(|request| matches_route(pattern, &request.route)).cloned().collect()
    }

    pub(crate) fn all(&self) -> Vec<SeenRequest> {
        self.recent.iter().cloned().collect()
    }

    pub(crate) fn reset(&mut self) {
        *self = Journal::default();
    }
}

/// Holds the answers of a route back until it is released or dropped; from `DevServer::hold`.
#[must_use = "a hold that is dropped releases at once"]
pub struct Hold(Arc<Gate>);

pub(crate) struct Gate {
    route: String,
    open: watch::Sender<bool>,
    waiting: watch::Sender<usize>,
}

impl Hold {
    fn new(route: String) -> Self {
        Hold(Arc::new(Gate { route, open: watch::Sender::new(false), waiting: watch::Sender::new(0) }))
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
    fn is_open(&self) -> bool {
        *self.open.borrow()
    }

    fn holds(&self, route: &str) -> bool {
        matches_route(&self.route, route)
    }

    /// Waits until the gate opens; a request that goes away is not counted any more.
    pub(crate) async fn pass(&self) {
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

/// The gates of all holds of one kind.
#[derive(Default)]
pub(crate) struct Gates(Mutex<Vec<Arc<Gate>>>);

impl Gates {
    /// Holds the requests to a route from now on.
    pub(crate) fn hold(&self, route: String) -> Hold {
        let hold = Hold::new(route);
        let mut gates = lock(&self.0);
        gates.retain(|gate| !gate.is_open());
        gates.push(Arc::clone(&hold.0));
        hold
    }

    /// The gates that hold the requests to a route now.
    pub(crate) fn closed(&self, route: &str) -> Vec<Arc<Gate>> {
        lock(&self.0).iter().filter(|gate| !gate.is_open() && gate.holds(route)).cloned().collect()
    }
}
