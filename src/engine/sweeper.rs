//! Taking values out of memory when they may not be used any more, although nobody asks for them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use super::state::Engine;
use super::{SecretSource, tasks};
use crate::core::{Clock, Tick};

/// Whether a task is there that sweeps.
#[derive(Default)]
pub(crate) struct Sweeper(AtomicBool);

/// The task's turn. Holds no client: the last one takes the values with it.
struct Shift<S: SecretSource> {
    engine: Weak<Engine<S>>,
    on_duty: bool,
}

impl<S: SecretSource> Shift<S> {
    /// When to sweep next, by which clock. `None` when there is nothing left to wait for.
    fn sweep(&mut self) -> Option<(Clock, Tick)> {
        let engine = self.engine.upgrade()?;
        if let Some(next) = engine.sweep() {
            return Some((engine.clock.clone(), next));
        }
        // Whoever stores something from here on starts a task; what was stored a moment ago is seen by looking again.
        self.on_duty = false;
        engine.sweeper.0.store(false, Ordering::SeqCst);
        let next = engine.sweep()?;
        self.on_duty = !engine.sweeper.0.swap(true, Ordering::SeqCst);
        self.on_duty.then(|| (engine.clock.clone(), next))
    }
}

/// However the task ends, another may start.
impl<S: SecretSource> Drop for Shift<S> {
    fn drop(&mut self) {
        if let Some(engine) = self.engine.upgrade().filter(|_| self.on_duty) {
            engine.sweeper.0.store(false, Ordering::SeqCst);
        }
    }
}

impl<S: SecretSource> Engine<S> {
    /// Drops what is dead, and tells when there will be more to drop; never, when nothing is held.
    pub(crate) fn sweep(&self) -> Option<Tick> {
        self.cache.as_ref()?.sweep(self.clock.now())
    }

    /// Sweeps whenever an entry dies, for as long as there are any. Where no task can run, or none can wait, each load sweeps.
    pub(crate) fn start_sweeping(self: &Arc<Self>) {
        if !self.source.has_timers() || !tasks::possible() || self.sweeper.0.swap(true, Ordering::SeqCst) {
            return;
        }
        let mut shift = Shift { engine: Arc::downgrade(self), on_duty: true };
        self.tasks.spawn(async move {
            while let Some((clock, next)) = shift.sweep() {
                clock.sleep_until(next).await;
            }
        });
    }
}
