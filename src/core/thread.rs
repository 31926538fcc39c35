//! Blocking work that leaves no thread behind.
//!
//! An async runtime keeps the threads of its blocking pool for seconds, and setting an environment variable is sound only
//! in a process of one thread. So each piece of such work runs on a thread of its own that is joined before its answer is
//! used.

use std::sync::mpsc;
use std::time::Duration;
use std::{io, thread};

use tokio::sync::oneshot;

/// Runs `work` on a thread of this name, which is gone when this returns. `Ok(None)` when the work panicked; an error when
/// the operating system would not start a thread.
///
/// Dropping the future leaves the thread to finish by itself.
pub(crate) async fn run<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Option<T>> {
    let (sender, receiver) = oneshot::channel();
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        // nobody listens any more when the caller has met its deadline
        let _ = sender.send(work());
    })?;
    let answer = receiver.await;
    // It has sent, or unwound, and has nothing left to do: this waits for the operating system to take the thread away.
    let _ = thread.join();
    Ok(answer.ok())
}

/// The same, within `limit`. Past it the answer is an error of the kind `TimedOut`, and the thread ends when its work does. It needs
/// no timers of the runtime.
pub(crate) async fn run_within<T: Send + 'static>(
    name: &'static str,
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let waits = move || {
        let (sender, receiver) = mpsc::channel();
        let worker = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _ = sender.send(work());
        })?;
        let answer = receiver.recv_timeout(limit);
        if let Err(mpsc::RecvTimeoutError::Timeout) = answer {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let _ = worker.join();
        answer.map_err(|_| io::ErrorKind::Other.into())
    };
    run(name, waits).await?.unwrap_or_else(|| Err(io::ErrorKind::Other.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_thread_is_gone_when_the_answer_is_there() {
        use std::sync::atomic::{AtomicBool, Ordering};
        static GONE: AtomicBool = AtomicBool::new(false);
        struct SlowEnd;
        impl Drop for SlowEnd {
            fn drop(&mut self) {
                thread::sleep(std::time::Duration::from_millis(50));
                GONE.store(true, Ordering::SeqCst);
            }
        }
        thread_local!(static END: SlowEnd = const { SlowEnd });
        let answer = run("test", || END.with(|_| 7)).await.expect("a thread");
        assert_eq!((answer, GONE.load(Ordering::SeqCst)), (Some(7), true));
    }

    #[tokio::test]
    async fn a_panic_of_the_thread_is_an_error() {
        let answer = run("test", || panic!("in the thread")).await.expect("a thread");
        assert_eq!(answer, None::<()>);
    }
}
