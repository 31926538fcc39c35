//! The expiry task: takes values out of memory when they may not be used any more, although nobody asks for them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use super::store::Store;
use super::tasks::{self, Tasks};
use crate::core::{Clock, Secrets, Tick};

/// At most one task a store.
#[derive(Default)]
pub(crate) struct ExpiryTask {
    is_running: Arc<AtomicBool>,
}

impl ExpiryTask {
    /// Sweeps `store` whenever an entry dies, for as long as there are any. Where no task can run, each load sweeps.
    pub(crate) fn start(&self, store: &Arc<Store<Arc<Secrets>>>, clock: &Clock, tasks: &Tasks) {
        if !tasks::has_runtime() || self.is_running.swap(true, Ordering::SeqCst) {
            return;
        }
        let mut run = Run {
            store: Arc::downgrade(store),
            clock: clock.clone(),
            is_running: Arc::clone(&self.is_running),
            holds_place: true,
        };
        tasks.spawn(async move {
            while let Some(next) = run.sweep() {
                run.clock.sleep_until(next).await;
            }
        });
    }
}

/// One run of the task. It does not keep the store alive: the last client takes the values with it.
struct Run {
    store: Weak<Store<Arc<Secrets>>>,
    clock: Clock,
    is_running: Arc<AtomicBool>,
    /// Another run cannot start while this one holds the place.
    holds_place: bool,
}

impl Run {
    /// When to sweep next. `None` when there is nothing left to wait for.
    fn sweep(&mut self) -> Option<Tick> {
        let store = self.store.upgrade()?;
        if let Some(next) = store.sweep(self.clock.now()) {
            return Some(next);
        }
        // Whoever stores something from here on starts a task; what was stored a moment ago is seen by looking again.
        self.holds_place = false;
        self.is_running.store(false, Ordering::SeqCst);
        let next = store.sweep(self.clock.now())?;
        self.holds_place = !self.is_running.swap(true, Ordering::SeqCst);
        self.holds_place.then_some(next)
    }
}

/// However the task ends, another may start.
impl Drop for Run {
    fn drop(&mut self) {
        if self.holds_place {
            self.is_running.store(false, Ordering::SeqCst);
        }
    }
}
