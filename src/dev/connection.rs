//! The state of a server, and the connection of one handler to it, between whose calls other requests go on.
//!
//! A service keeps its state in a database, and every request makes several calls to it. Two requests that both look for a
//! row before they write one may both find none.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{OwnedMutexGuard, oneshot};
use tokio::task::{JoinSet, yield_now};

use super::control::{Controls, Gate, lock};
use super::error::DevServerError;
use super::snapshot::StateFile;

/// The state that the connections of a server and its handle share. Every lock is short and never held across an await.
pub(crate) struct Shared<S> {
    state: Mutex<S>,
    file: Option<StateFile>,
    controls: Controls,
    /// How long a call to the database takes; nothing when a handler makes all its calls without a pause.
    latency: Option<Duration>,
    /// The turn of one handler, when a handler makes all its calls without a pause.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// The handlers that are not done: they go on when their clients go away.
    handlers: Mutex<JoinSet<()>>,
}

impl<S> Shared<S> {
    pub(crate) fn new(state: S, file: Option<StateFile>, latency: Option<Duration>) -> Self {
        Shared {
            state: Mutex::new(state),
            file,
            controls: Controls::default(),
            latency,
            turn: Arc::default(),
            handlers: Mutex::default(),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, S> {
        lock(&self.state)
    }

    pub(crate) fn controls(&self) -> &Controls {
        &self.controls
    }

    /// Lets other requests go on for as long as a call to the database takes.
    pub(crate) async fn latency(&self) {
        match self.latency {
            None => {}
            Some(Duration::ZERO) => yield_now().await,
            Some(latency) => tokio::time::sleep(latency).await,
        }
    }

    /// Waits until no other handler is between its calls to the database; nothing where they may be.
    async fn turn(&self) -> Option<OwnedMutexGuard<()>> {
        match self.latency {
            None => Some(Arc::clone(&self.turn).lock_owned().await),
            Some(_) => None,
        }
    }

    /// Runs a handler to its end, whether or not somebody waits for it; nothing when the server stops before.
    pub(crate) async fn run<T: Send + 'static>(&self, handler: impl Future<Output = T> + Send + 'static) -> Option<T> {
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
    pub(crate) fn stop_handlers(&self) {
        lock(&self.handlers).abort_all();
    }
}

impl<S: Serialize> Shared<S> {
    /// Changes the state, and writes it to its file before anybody else sees it.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut S) -> Result<T, DevServerError>,
    ) -> Result<T, DevServerError> {
        let mut state = self.state();
        let changed = change(&mut state)?;
        self.file.as_ref().map_or(Ok(()), |file| file.save(&*state))?;
        Ok(changed)
    }
}

/// The database as one request sees it.
pub(crate) struct Connection<S> {
    shared: Arc<Shared<S>>,
    route: String,
    has_written: AtomicBool,
    turn: Mutex<Option<OwnedMutexGuard<()>>>,
}

impl<S> Connection<S> {
    pub(crate) async fn new(shared: Arc<Shared<S>>, route: String) -> Self {
        let turn = Mutex::new(shared.turn().await);
        Connection { shared, route, has_written: AtomicBool::new(false), turn }
    }

    /// A call that reads.
    pub(crate) async fn read<T>(&self, read: impl FnOnce(&S) -> T) -> T {
        self.shared.latency().await;
        read(&self.shared.state())
    }

    /// A call that writes. The first one of a request waits for the holds that `DevServer::hold_writes` made.
    pub(crate) async fn write<T>(&self, write: impl FnOnce(&mut S) -> T) -> T {
        if !self.has_written.swap(true, Ordering::Relaxed) {
            let gates = self.shared.controls.write_holds().closed(&self.route);
            if !gates.is_empty() {
                self.let_others_on(gates).await;
            }
        }
        self.shared.latency().await;
        write(&mut self.shared.state())
    }

    /// Reads, and then writes what follows from it: what was seen may be gone by then.
    pub(crate) async fn read_then_write<P, T, E>(
        &self,
        read: impl FnOnce(&S) -> Result<P, E>,
        write: impl FnOnce(&mut S, P) -> Result<T, E>,
    ) -> Result<T, E> {
        let seen = self.read(read).await?;
        self.write(|state| write(state, seen)).await
    }

    async fn let_others_on(&self, gates: Vec<Arc<Gate>>) {
        self.set_turn(None);
        for gate in gates {
            gate.pass().await;
        }
        self.set_turn(self.shared.turn().await);
    }

    fn set_turn(&self, turn: Option<OwnedMutexGuard<()>>) {
        *lock(&self.turn) = turn;
    }
}
