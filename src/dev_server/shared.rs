//! What the connections and the handle share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
}

/// State that a panic left behind is as good as any here: nothing spans two locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(world: World, store: Option<Store>) -> Self {
        Shared {
            world: Mutex::new(world),
            store,
            journal: Mutex::default(),
            script: Mutex::default(),
            gates: Mutex::default(),
        }
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
        let mut gates = lock(&self.gates);
        gates.retain(|gate| !gate.is_open());
        gates.push(gate);
    }

    /// The gates that hold a route now.
    pub(super) fn gates(&self, route: &str) -> Vec<Arc<Gate>> {
        lock(&self.gates).iter().filter(|gate| !gate.is_open() && gate.holds(route)).cloned().collect()
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
