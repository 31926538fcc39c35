//! The calls of one handler to the database, between which other requests go on.
//!
//! The service keeps its state in a database, and every request makes several calls to it. Two requests that both look for
//! a row before they write one may both find none.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use super::hold::Gate;
use super::shared::Shared;
use super::state::World;

/// The database as one request sees it.
pub(super) struct Database {
    shared: Arc<Shared>,
    route: String,
    has_written: AtomicBool,
    turn: Mutex<Option<OwnedMutexGuard<()>>>,
}

/// What a handler of several calls returns.
pub(super) type Answering<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Database {
    pub(super) async fn new(shared: Arc<Shared>, route: String) -> Self {
        let turn = Mutex::new(shared.turn().await);
        Database { shared, route, has_written: AtomicBool::new(false), turn }
    }

    /// A call that reads.
    pub(super) async fn look<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        self.shared.latency().await;
        look(&self.shared.world())
    }

    /// A call that writes. The first one of a request waits for the holds that
    /// [`DevServer::hold_writes`](crate::services::xtra::dev::DevServer::hold_writes) made.
    pub(super) async fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        if !self.has_written.swap(true, Ordering::Relaxed) {
            let gates = self.shared.write_gates(&self.route);
            if !gates.is_empty() {
                self.let_others_on(gates).await;
            }
        }
        self.shared.latency().await;
        change(&mut self.shared.world())
    }

    async fn let_others_on(&self, gates: Vec<Arc<Gate>>) {
        self.set_turn(None);
        for gate in gates {
            gate.pass().await;
        }
        self.set_turn(self.shared.turn().await);
    }

    fn set_turn(&self, turn: Option<OwnedMutexGuard<()>>) {
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = turn;
    }

    /// Looks, and then writes what follows from it: what was seen may be gone by then.
    pub(super) async fn look_and_change<P, T, E>(
        &self,
        look: impl FnOnce(&World) -> Result<P, E>,
        change: impl FnOnce(&mut World, P) -> Result<T, E>,
    ) -> Result<T, E> {
        let seen = self.look(look).await?;
        self.change(|world| change(world, seen)).await
    }
}
