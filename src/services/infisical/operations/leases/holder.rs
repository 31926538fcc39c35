//! The holder of a lease: a task where a runtime goes on by itself, and a thread where it is driven only during calls.

use std::sync::mpsc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::held::{Keeper, Reply};
use crate::core::{ErrorKind, XtraError};

/// What a keeper is going to run on. It is found before anything is sent.
pub(super) enum Holder {
    Task(Handle),
    #[cfg(feature = "blocking")]
    Thread(oneshot::Sender<Work>, KeeperThread),
}

#[cfg(feature = "blocking")]
type Work = (Keeper, oneshot::Receiver<Reply>);

impl Holder {
    /// A holder for the caller's way of calling. `grace` is the time that a revocation has.
    pub(super) fn find(grace: Duration) -> Result<Self, XtraError> {
        #[cfg(feature = "blocking")]
        if crate::engine::is_blocking_call() {
            let (begin, begun) = oneshot::channel();
            return Ok(Self::Thread(begin, KeeperThread::start(begun, grace)?));
        }
        let _ = grace;
        Handle::try_current().map(Self::Task).map_err(|_| {
            XtraError::new(
                ErrorKind::Config,
                "nothing was sent: a lease is held by a task, and there is no tokio runtime",
            )
        })
    }

    /// Begins. Returns the thread, if there is one.
    pub(super) fn hold(self, keeper: Keeper, stopped: oneshot::Receiver<Reply>) -> Option<KeeperThread> {
        match self {
            Self::Task(runtime) => {
                runtime.spawn(keeper.run(stopped));
                None
            }
            #[cfg(feature = "blocking")]
            Self::Thread(begin, thread) => {
                // it waits for nothing else
                let _ = begin.send((keeper, stopped));
                Some(thread)
            }
        }
    }
}

/// A thread that keeps a lease.
pub(super) struct KeeperThread {
    /// It is dropped when the thread ends.
    ended: mpsc::Receiver<()>,
    grace: Duration,
    /// A forked child has the lease, but not the thread.
    process: u32,
}

impl KeeperThread {
    #[cfg(feature = "blocking")]
    fn start(begun: oneshot::Receiver<Work>, grace: Duration) -> Result<Self, XtraError> {
        let (alive, ended) = mpsc::channel::<()>();
        let work = move || {
            let _alive = alive;
            let kept = crate::blocking::stay(async {
                if let Ok((keeper, stopped)) = begun.await {
                    keeper.run(stopped).await;
                }
            });
            if let Err(error) = kept {
                tracing::error!(target: crate::core::events::SERVICE, kind = error.kind().as_str(), "a lease cannot be held");
            }
        };
        let thread = std::thread::Builder::new().name("secrets-lease".to_owned()).spawn(work);
        thread.map(|_| Self { ended, grace, process: std::process::id() }).map_err(|error| {
            XtraError::new(ErrorKind::Config, "nothing was sent: the system gives no thread to hold the lease on")
                .with_os_error(&error)
        })
    }

    /// Waits until the thread has ended: the revocation has its grace, and there is a moment for the rest.
    pub(super) fn wait(self) {
        const REST: Duration = Duration::from_millis(500);
        if self.process == std::process::id() {
            let _ = self.ended.recv_timeout(self.grace.saturating_add(REST));
        }
    }
}
