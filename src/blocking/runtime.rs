//! The one runtime of all blocking clients of the process, driven by the threads that wait in it.
//!
//! It has no thread of its own. Whoever calls drives it; of several that call at the same time one drives, and when that one
//! has its answer another takes over. So nothing is left behind when the last call returns.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Handle, Runtime, TryCurrentError};

use crate::core::{ErrorKind, Hint, XtraError};
use crate::engine::in_blocking_call;

/// Runs `future` to its end on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output, XtraError> {
    refuse_inside_async()?;
    // SHARED is not locked while the future runs.
    let runtime = SHARED.of_process(std::process::id())?;
    Ok(in_blocking_call(|| {
        runtime.block_on(async {
            catch_up().await;
            future.await
        })
    }))
}

/// The same for a thread that comes back for as long as it lives: what runs beside its calls need not be done within them.
#[cfg(feature = "watch")]
pub(super) fn stay<F: Future>(future: F) -> Result<F::Output, XtraError> {
    refuse_inside_async()?;
    let runtime = SHARED.of_process(std::process::id())?;
    Ok(runtime.block_on(async {
        catch_up().await;
        future.await
    }))
}

/// Lets the connections see what came while nobody drove them. One that the service has closed in between would otherwise
/// be taken for open, and a request written to it be lost.
async fn catch_up() {
    // Once for the event queue, which wakes the connections, and once for them.
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
}

/// Fails where a blocking call would stop the tasks of the caller's own runtime, or could never end.
pub(super) fn refuse_inside_async() -> Result<(), XtraError> {
    match Handle::try_current() {
        Err(error) if error.is_missing_context() => Ok(()),
        current => Err(refusal(current.err())),
    }
}

#[cold]
fn refusal(ending: Option<TryCurrentError>) -> XtraError {
    let (message, advice) = match ending {
        None => (
            "a blocking call was made inside an async runtime (spawn_blocking's threads belong to it too), where it would \
             hold up other tasks",
            "Use the async client and await the call, or make the call on a thread started with std::thread",
        ),
        Some(_) => ("a blocking call was made while its thread was ending", "Make the call before that"),
    };
    XtraError::new(ErrorKind::Config, message).with_hint(Hint::advice(advice))
}

static SHARED: Shared = Shared(Mutex::new(None));

/// A runtime and the process that it belongs to.
struct Shared(Mutex<Option<(u32, &'static Runtime)>>);

impl Shared {
    /// The runtime of `process`, which is this one. A failure to make it is not remembered: the next call tries again.
    ///
    /// After a fork the child would share the parent's event queue and connections, and each would take what is meant for
    /// the other. So the child gets a runtime of its own, and with it connections of its own.
    fn of_process(&self, process: u32) -> Result<&'static Runtime, XtraError> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *shared {
            Some((owner, runtime)) if owner == process => Ok(runtime),
            _ => {
                // Never dropped. At the end of the process there is nothing to wait for, and to drop a parent's would take
                // its connections out of the event queue that the parent still uses.
                let runtime = Box::leak(Box::new(new()?));
                *shared = Some((process, runtime));
                Ok(runtime)
            }
        }
    }
}

fn new() -> Result<Runtime, XtraError> {
    Builder::new_current_thread().enable_all().build().map_err(|error| {
        let message = "the runtime of the blocking client could not be set up: the system gives no event queue";
        XtraError::new(ErrorKind::Config, message)
            .with_os_error(&error)
            .with_hint(Hint::advice("Check the limit of open files"))
    })
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc;
    use std::thread;

    use tokio::sync::oneshot;

    use super::*;

    #[test]
    fn every_call_of_a_process_gets_the_same_runtime_and_a_forked_child_gets_another() {
        let shared = Shared(Mutex::new(None));
        let id = |process| shared.of_process(process).expect("a runtime").handle().id();
        let parent = id(1);
        assert_eq!(id(1), parent);
        let child = id(2);
        assert_ne!(child, parent);
        assert_eq!(id(2), child);
    }

    #[test]
    fn when_the_driving_thread_has_its_answer_another_one_drives_on() {
        let runtime = Shared(Mutex::new(None)).of_process(1).expect("a runtime");
        let (waits, waiting) = mpsc::channel();
        let (release, released) = oneshot::channel();
        let driver = thread::spawn({
            let waits = waits.clone();
            move || {
                runtime.block_on(async move {
                    let _ = waits.send(());
                    released.await
                })
            }
        });
        let _ = waiting.recv();
        let (driver_left, left) = oneshot::channel();
        let next = thread::spawn(move || {
            runtime.block_on(async move {
                let _ = waits.send(());
                let _ = left.await;
                // Only the driving thread turns the timer.
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                7
            })
        });
        let _ = waiting.recv();
        let _ = release.send(());
        let _ = driver.join().expect("no panic");
        let _ = driver_left.send(());
        assert_eq!(next.join().expect("no panic"), 7);
    }

    #[test]
    fn when_the_driving_thread_panics_the_one_that_waits_drives_on() {
        let runtime = Shared(Mutex::new(None)).of_process(1).expect("a runtime");
        let (waits, waiting) = mpsc::channel();
        let (release, released) = oneshot::channel::<()>();
        let driver = thread::spawn({
            let waits = waits.clone();
            move || {
                runtime.block_on(async move {
                    let _ = waits.send(());
                    let _ = released.await;
                    panic!("on purpose")
                })
            }
        });
        let _ = waiting.recv();
        let next = thread::spawn(move || {
            runtime.block_on(async move {
                let _ = waits.send(());
                // Only the driving thread turns the timer.
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                let spawned = tokio::spawn(async { 7 });
                spawned.await.expect("no panic")
            })
        });
        let _ = waiting.recv();
        let _ = release.send(());
        assert!(driver.join().is_err());
        assert_eq!(next.join().expect("no panic"), 7);
    }

    #[test]
    fn a_panic_in_one_call_reaches_its_caller_and_the_next_call_works() {
        let outcome = catch_unwind(AssertUnwindSafe(|| block_on(async { panic!("on purpose") })));
        assert!(outcome.is_err());
        assert_eq!(block_on(async { 3 }).expect("outside of a runtime"), 3);
    }

    #[test]
    fn a_call_from_within_a_call_is_refused() {
        let inner = block_on(async { block_on(async {}) }).expect("outside of a runtime");
        let error = inner.expect_err("inside of one");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("std::thread"), "{error}");
    }

    #[test]
    fn a_call_while_its_thread_is_ending_is_an_error_or_works_but_never_a_panic() {
        struct Last(mpsc::Sender<Option<ErrorKind>>);
        impl Drop for Last {
            fn drop(&mut self) {
                let _ = self.0.send(block_on(async {}).err().map(|error| error.kind()));
            }
        }
        thread_local!(static LAST: std::cell::RefCell<Option<Last>> = const { std::cell::RefCell::new(None) });
        let (tell, told) = mpsc::channel();
        let ended = thread::spawn(move || {
            // Set before and used after the runtime's own thread-local, so that it ends after it.
            LAST.with_borrow_mut(|last| *last = Some(Last(tell)));
            block_on(async {})
        });
        assert!(ended.join().expect("no panic").is_ok());
        assert!(matches!(told.recv().expect("an answer"), None | Some(ErrorKind::Config)));
    }
}
