//! Background work: tasks that end with the last client, the expiry task among them, waits that end by themselves, and threads
//! that drive a runtime only while they call.

use std::cell::Cell;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::single_flight::SingleFlight;
use super::store::Store;
use crate::core::{Clock, Secrets, Tick};

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
pub(crate) fn has_runtime() -> bool {
    runtime().is_some()
}

/// A runtime that is driven by its callers only would leave a task standing as soon as they have their answers.
fn runtime() -> Option<Handle> {
    if is_blocking_call() { None } else { Handle::try_current().ok() }
}

thread_local!(static BLOCKING: Cell<bool> = const { Cell::new(false) });

/// Runs `call` on a thread that drives a runtime of its own for as long as the call takes: nothing goes on after it.
#[cfg(feature = "blocking")]
pub(crate) fn in_blocking_call<T>(call: impl FnOnce() -> T) -> T {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            // a thread that is ending has nothing to restore
            let _ = BLOCKING.try_with(|blocking| blocking.set(self.0));
        }
    }
    let _before = Before(BLOCKING.try_with(|blocking| blocking.replace(true)).unwrap_or_default());
    call()
}

/// Whether the caller is in such a call.
pub(crate) fn is_blocking_call() -> bool {
    BLOCKING.try_with(Cell::get).unwrap_or_default()
}

/// The expiry task: takes values out of memory when they may not be used any more, although nobody asks for them. There is at
/// most one for a store.
#[derive(Default)]
pub(crate) struct ExpiryTask {
    is_running: Arc<AtomicBool>,
}

impl ExpiryTask {
    /// Sweeps `store` whenever an entry dies, for as long as there are any. Where no task can run, each load sweeps.
    pub(crate) fn start(&self, store: &Arc<Store<Arc<Secrets>>>, clock: &Clock, tasks: &Tasks) {
        if !has_runtime() || self.is_running.swap(true, Ordering::SeqCst) {
            return;
        }
        let mut run = ExpiryRun {
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

/// One run of the expiry task. It does not keep the store alive: the last client takes the values with it.
struct ExpiryRun {
    store: Weak<Store<Arc<Secrets>>>,
    clock: Clock,
    is_running: Arc<AtomicBool>,
    /// Another run cannot start while this one holds the place.
    holds_place: bool,
}

impl ExpiryRun {
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
impl Drop for ExpiryRun {
    fn drop(&mut self) {
        if self.holds_place {
            self.is_running.store(false, Ordering::SeqCst);
        }
    }
}

/// The waits that need a thread, by key: whoever waits at the same time shares one.
pub(crate) struct WaitTimers(SingleFlight<()>);

impl Default for WaitTimers {
    fn default() -> Self {
        Self(SingleFlight::new())
    }
}

impl WaitTimers {
    /// Returns after `wait`, counted from its first poll; without a timer of the runtime, from the first poll of whoever has
    /// begun to wait under this key.
    pub(crate) async fn elapsed(&self, key: &[u8], wait: Duration, has_timers: bool) {
        if has_timers {
            tokio::time::sleep(wait).await;
        } else {
            self.0.join(key, || by_thread(wait)).await;
        }
    }
}

/// Waits on a thread, which ends with the wait, or with whoever waits. Never returns where no thread can be had.
async fn by_thread(wait: Duration) {
    let (done, over) = oneshot::channel::<()>();
    let Some(_watch) = SleepingThread::start(wait, done) else { return std::future::pending().await };
    let _ = over.await;
}

/// A thread that sleeps.
struct SleepingThread {
    /// The thread ends when this is dropped.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SleepingThread {
    fn start(wait: Duration, done: oneshot::Sender<()>) -> Option<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let sleep = move || {
            let _ = stopped.recv_timeout(wait);
            let _ = done.send(());
        };
        let thread = Builder::new().name("secrets-wait".to_owned()).spawn(sleep).ok()?;
        Some(Self { stop: Some(stop), thread: Some(thread) })
    }
}

/// No thread is left behind: what counts threads may come next.
impl Drop for SleepingThread {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn without_a_runtime_a_wait_ends_after_its_time_and_who_goes_away_leaves_no_thread() {
        let timers = WaitTimers::default();
        futures_util::future::join_all((0..100).map(|_| timers.elapsed(b"k", Duration::from_millis(5), false)))
            .now_or_never()
            .ok_or(())
            .unwrap_err();
        let (done, over) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(WaitTimers::default().elapsed(b"k", Duration::from_millis(5), false));
            done.send(()).unwrap();
        });
        over.recv_timeout(Duration::from_secs(10)).unwrap();
        let mut long = Box::pin(timers.elapsed(b"k", Duration::MAX, false));
        assert!((&mut long).now_or_never().is_none());
        drop(long); // joins its thread, or this test never ends
    }

    #[tokio::test(start_paused = true)]
    async fn with_timers_it_is_the_runtime_s_time_that_counts() {
        WaitTimers::default().elapsed(b"k", Duration::from_secs(3600), true).await;
    }
}
