//! What the connections and the handle share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::faults::{Fault, Script};
use super::hold::Gate;
use super::journal::{Journal, SeenRequest};
use super::state::World;

/// Every lock is short and never held across an await.
pub(super) struct Shared {
    world: Mutex<World>,
    journal: Mutex<Journal>,
    script: Mutex<Script>,
    gates: Mutex<Vec<Arc<Gate>>>,
}

/// State that a panic left behind is as good as any here: nothing spans two locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(world: World) -> Self {
        Shared {
            world: Mutex::new(world),
            journal: Mutex::default(),
            script: Mutex::default(),
            gates: Mutex::default(),
        }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
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
