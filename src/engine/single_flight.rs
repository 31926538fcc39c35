//! The single-flight table: at most one load per key. Callers that miss the same key at the same time share it.
//!
//! The load is a shared future, not a task. Whoever waits drives it, so a caller that goes away takes nothing with it: the
//! rest drive on. When the last one goes, the load is dropped too, and nothing runs that nobody wants.
//!
//! Only callers on one runtime share. A load's timers and connections belong to the runtime that it began on, and a caller on
//! another one would wait for as long as nobody drives that.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};

use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};
use tokio::runtime::{Handle, Id};

use super::sync::{AtomicU64, Mutex, MutexGuard};

/// A load that others may share.
pub(crate) type InFlight<T> = Shared<Load<T>>;

type Load<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The loads under way, by key. Holds them weakly: the callers own them.
pub(crate) struct SingleFlight<T: Clone> {
    in_flight: Arc<Map<T>>,
    next: AtomicU64,
}

type Map<T> = Mutex<HashMap<Route, Running<T>>>;

/// What is loaded, and where. Sources that need no runtime can be read outside of one.
type Route = (Vec<u8>, Option<Id>);

/// A caller's part in a load.
pub(crate) enum Role<T> {
    /// The caller has started it.
    Leader(InFlight<T>),
    /// It was under way already.
    Follower(InFlight<T>),
}

impl<T> Role<T> {
    pub(crate) fn into_load(self) -> InFlight<T> {
        match self {
            Self::Leader(load) | Self::Follower(load) => load,
        }
    }
}

struct Running<T: Clone> {
    number: u64,
    load: WeakShared<Load<T>>,
}

impl<T: Clone + Send + Sync + 'static> SingleFlight<T> {
    pub(crate) fn new() -> Self {
        Self { in_flight: Arc::new(Mutex::new(HashMap::new())), next: AtomicU64::new(0) }
    }

    /// The load of `key` that is under way, or the one that `start` makes.
    pub(crate) fn join<F>(&self, key: &[u8], start: impl FnOnce() -> F) -> InFlight<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        self.join_or_start(key, start).into_load()
    }

    /// The load that `start` makes, unless one of `key` is under way: of several callers at the same time exactly one gets it,
    /// and with it the duty to drive it.
    pub(crate) fn lead<F>(&self, key: &[u8], start: impl FnOnce() -> F) -> Option<InFlight<T>>
    where
        F: Future<Output = T> + Send + 'static,
    {
        match self.join_or_start(key, start) {
            Role::Leader(load) => Some(load),
            Role::Follower(_) => None,
        }
    }

    /// The load of `key` that is under way, or the one that `start` makes, and which of them it is.
    pub(crate) fn join_or_start<F>(&self, key: &[u8], start: impl FnOnce() -> F) -> Role<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let route = route(key);
        let mut loads = lock(&self.in_flight);
        if let Some(load) = loads.get(&route).and_then(|running| running.load.upgrade()) {
            return Role::Follower(load);
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let remove = RemoveOnDrop { loads: Arc::downgrade(&self.in_flight), route: route.clone(), number };
        let work = start();
        let load = async move {
            let answer = work.await;
            drop(remove);
            answer
        };
        let load: InFlight<T> = (Box::pin(load) as Load<T>).shared();
        if let Some(weak) = load.downgrade() {
            loads.insert(route, Running { number, load: weak });
        }
        Role::Leader(load)
    }

    /// The load of `key` that is under way, where the caller is.
    pub(crate) fn in_flight(&self, key: &[u8]) -> Option<InFlight<T>> {
        lock(&self.in_flight).get(&route(key)).and_then(|running| running.load.upgrade())
    }

    /// Callers from now on start a load of their own; those that wait already still get their answer.
    pub(crate) fn abandon_all(&self) {
        lock(&self.in_flight).clear();
    }

    /// The same for one key.
    pub(crate) fn abandon(&self, key: &[u8]) {
        lock(&self.in_flight).retain(|(known, _), _| known != key);
    }

    /// The same for every key that begins like this.
    pub(crate) fn abandon_under(&self, start: &[u8]) {
        lock(&self.in_flight).retain(|(known, _), _| !known.starts_with(start));
    }

    #[cfg(test)]
    fn count(&self) -> usize {
        lock(&self.in_flight).len()
    }
}

fn route(key: &[u8]) -> Route {
    (key.to_vec(), Handle::try_current().ok().map(|runtime| runtime.id()))
}

impl<T: Clone> fmt::Debug for SingleFlight<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SingleFlight")
    }
}

/// Takes a load off the table when it ends, however it ends.
struct RemoveOnDrop<T: Clone> {
    loads: Weak<Map<T>>,
    route: Route,
    number: u64,
}

impl<T: Clone> Drop for RemoveOnDrop<T> {
    fn drop(&mut self) {
        let Some(loads) = self.loads.upgrade() else { return };
        let mut loads = lock(&loads);
        if loads.get(&self.route).is_some_and(|running| running.number == self.number) {
            loads.remove(&self.route);
        }
    }
}

fn lock<T: Clone>(loads: &Map<T>) -> MutexGuard<'_, HashMap<Route, Running<T>>> {
    loads.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures_util::future::join_all;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn ten_thousand_callers_of_one_key_start_one_load() {
        let (loads, starts) = (SingleFlight::<u32>::new(), AtomicUsize::new(0));
        let (release, gate) = oneshot::channel::<()>();
        let mut gate = Some(gate);
        let mut callers = Vec::new();
        for _ in 0..10_000 {
            callers.push(loads.join(b"k", || {
                starts.fetch_add(1, Ordering::Relaxed);
                let gate = gate.take();
                async move {
                    if let Some(gate) = gate {
                        let _ = gate.await;
                    }
                    7
                }
            }));
        }
        let _ = release.send(());
        assert!(join_all(callers).await.iter().all(|answer| *answer == 7));
        assert_eq!(starts.load(Ordering::Relaxed), 1);
        assert_eq!(loads.count(), 0);
    }

    #[tokio::test]
    async fn one_caller_leads_and_after_its_load_another_may() {
        let loads = SingleFlight::<u32>::new();
        let lead = || loads.lead(b"k", || async { 1 });
        let leader = lead().expect("nobody leads");
        assert!(lead().is_none());
        assert_eq!(loads.join(b"k", || async { 2 }).await, 1);
        drop(leader);
        let dropped = lead().expect("it has ended");
        drop(dropped);
        assert!(lead().is_some(), "a leader that goes away leaves its place");
    }

    #[tokio::test]
    async fn who_comes_after_a_load_was_abandoned_starts_one_and_who_waited_still_gets_an_answer() {
        let loads = SingleFlight::<u32>::new();
        let (abandoned, other) = (loads.join(b"k", || async { 1 }), loads.join(b"o", || async { 3 }));
        loads.abandon(b"k");
        let newer = loads.join(b"k", || async { 2 });
        loads.abandon_under(b"k");
        let newest = loads.join(b"k", || async { 5 });
        assert_eq!((abandoned.await, newer.await, newest.await), (1, 2, 5));
        assert_eq!(loads.join(b"o", || async { 4 }).await, 3);
        drop(other);
    }

    #[tokio::test]
    async fn when_every_caller_goes_away_the_load_is_dropped_and_the_next_caller_starts_anew() {
        let loads = SingleFlight::<u32>::new();
        let (alive, dropped) = oneshot::channel::<()>();
        let mut first = loads.join(b"k", || async move {
            let _alive = alive;
            std::future::pending::<u32>().await
        });
        assert!((&mut first).now_or_never().is_none());
        drop(first);
        assert!(dropped.await.is_err(), "the load went with its last caller");
        assert_eq!(loads.join(b"k", || async { 2 }).await, 2);
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_does_not_stop_the_others() {
        let loads = SingleFlight::<u32>::new();
        let (release, gate) = oneshot::channel::<()>();
        let mut leader = loads.join(b"k", || async move {
            let _ = gate.await;
            5
        });
        let follower = loads.join(b"k", || async { 9 });
        assert!((&mut leader).now_or_never().is_none());
        drop(leader);
        let _ = release.send(());
        assert_eq!(follower.await, 5);
    }

    #[test]
    fn a_load_that_began_on_a_runtime_that_stands_still_holds_up_nobody_on_another() {
        let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (loads, stands_still) = (SingleFlight::<u32>::new(), runtime());
        let mut stuck = {
            let _inside = stands_still.enter();
            loads.join(b"k", std::future::pending::<u32>)
        };
        assert!((&mut stuck).now_or_never().is_none());
        assert_eq!(runtime().block_on(async { loads.join(b"k", || async { 2 }).await }), 2);
    }
}
