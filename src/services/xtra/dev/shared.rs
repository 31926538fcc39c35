//! What the connections and the handle share.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedMutexGuard, oneshot};
use tokio::task::{JoinSet, yield_now};

use super::error::DevServerError;
use super::faults::{Fault, Script};
use super::hold::Gate;
use super::journal::{Journal, SeenRequest};
use super::persist::Store;
use super::state::World;

/// Every lock is short and never held across an await.
pub(super) struct Shared {
    world: Mutex<World>,
    store: Option<Store>,
    journal: Mutex<Journal>,
    script: Mutex<Script>,
    gates: Mutex<Vec<Arc<Gate>>>,
    write_gates: Mutex<Vec<Arc<Gate>>>,
    /// How long a call to the database takes; nothing when a handler makes all its calls without a pause.
    database_latency: Option<Duration>,
    /// Whose handler runs, when a handler makes all its calls without a pause.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// The handlers that are not done: they go on when their clients go away, as the service's do.
    handlers: Mutex<JoinSet<()>>,
}

/// State that a panic left behind is as good as any here: nothing spans two locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(world: World, store: Option<Store>, database_latency: Option<Duration>) -> Self {
        Shared {
            database_latency,
            world: Mutex::new(world),
            store,
            journal: Mutex::default(),
            script: Mutex::default(),
            gates: Mutex::default(),
            write_gates: Mutex::default(),
            handlers: Mutex::default(),
            turn: Arc::default(),
        }
    }

    /// Lets other requests go on for as long as a call to the database takes.
    pub(super) async fn latency(&self) {
        match self.database_latency {
            None => {}
            Some(Duration::ZERO) => yield_now().await,
            Some(latency) => tokio::time::sleep(latency).await,
        }
    }

    /// Waits until no other handler is between its calls to the database; nothing where they may be.
    pub(super) async fn turn(&self) -> Option<OwnedMutexGuard<()>> {
        match self.database_latency {
            None => Some(Arc::clone(&self.turn).lock_owned().await),
            Some(_) => None,
        }
    }

    /// Runs a handler to its end, whether or not somebody waits for it; nothing when the server stops before.
    pub(super) async fn run<T: Send + 'static>(&self, handler: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let (done, answer) = oneshot::channel();
        {
            let mut handlers = lock(&self.handlers);
            while handlers.try_join_next().is_some() {}
            handlers.spawn(async move {
                // A client that went away does not wait for it.
                let _ = done.send(handler.await);
            });
        }
        answer.await.ok()
    }

    /// Ends the handlers that are not done.
    pub(super) fn stop_handlers(&self) {
        lock(&self.handlers).abort_all();
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    /// Changes the world, and writes it down before anybody else sees it.
    pub(super) fn change<T>(
        &self,
        change: impl FnOnce(&mut World) -> Result<T, DevServerError>,
    ) -> Result<T, DevServerError> {
        let mut world = self.world();
        let changed = change(&mut world)?;
        self.store.as_ref().map_or(Ok(()), |store| store.save(&world))?;
        Ok(changed)
    }

    pub(super) fn journal(&self) -> MutexGuard<'_, Journal> {
        lock(&self.journal)
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Script> {
        lock(&self.script)
    }

    pub(super) fn add_gate(&self, gate: Arc<Gate>) {
        add(&self.gates, gate);
    }

    pub(super) fn add_write_gate(&self, gate: Arc<Gate>) {
        add(&self.write_gates, gate);
    }

    /// The gates that hold the requests to a route now.
    pub(super) fn gates(&self, route: &str) -> Vec<Arc<Gate>> {
        closed(&self.gates, route)
    }

    /// The gates that hold the writes of a route now.
    pub(super) fn write_gates(&self, route: &str) -> Vec<Arc<Gate>> {
        closed(&self.write_gates, route)
    }

    /// Counts a request.
    pub(super) fn record(&self, request: SeenRequest) {
        self.journal().record(request);
    }

    /// The fault that hits a request.
    pub(super) fn fault(&self, route: &str) -> Option<Fault> {
        self.script().take(route)
    }
}

fn add(gates: &Mutex<Vec<Arc<Gate>>>, gate: Arc<Gate>) {
    let mut gates = lock(gates);
    gates.retain(|gate| !gate.is_open());
    gates.push(gate);
}

fn closed(gates: &Mutex<Vec<Arc<Gate>>>, route: &str) -> Vec<Arc<Gate>> {
    lock(gates).iter().filter(|gate| !gate.is_open() && gate.holds(route)).cloned().collect()
}
