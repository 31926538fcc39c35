//! What runs beside the callers: refreshes of aged snapshots, sweeps. All of it ends with the last client.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::caller;

/// The tasks that a client has started. They hold what they work on, so they are ended from outside.
#[derive(Default)]
pub(crate) struct Tasks(Mutex<Running>);

#[derive(Default)]
struct Running {
    ended: bool,
    tasks: Vec<AbortHandle>,
}

impl Tasks {
    /// Starts `work` on the runtime that the caller is on. `false` when there is none that runs by itself, or the last client
    /// is gone: then nothing is started.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> bool {
        let Some(runtime) = runtime() else { return false };
        self.start(&runtime, work)
    }

    fn start(&self, runtime: &Handle, work: impl Future<Output = ()> + Send + 'static) -> bool {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if running.ended {
            return false;
        }
        running.tasks.retain(|task| !task.is_finished());
        running.tasks.push(runtime.spawn(work).abort_handle());
        true
    }

    /// Has `work`, which a caller has begun and does not wait for any more, go on wherever it can: on a runtime that its callers
    /// drive, whenever they do. `false` when there is no runtime at all, or the last client is gone.
    pub(crate) fn carry_on(&self, work: impl Future<Output = ()> + Send + 'static) -> bool {
        let Ok(runtime) = Handle::try_current() else { return false };
        self.start(&runtime, work)
    }

    /// Ends them, and lets none start any more.
    pub(crate) fn end(&self) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.ended = true;
        running.tasks.drain(..).for_each(|task| task.abort());
    }
}

/// Whether the caller is on a runtime that goes on while nobody waits.
pub(crate) fn possible() -> bool {
    runtime().is_some()
}

/// A runtime that is driven by its callers only would leave a task standing as soon as they have their answers.
fn runtime() -> Option<Handle> {
    if caller::drives() { None } else { Handle::try_current().ok() }
}
