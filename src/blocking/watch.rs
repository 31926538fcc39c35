//! Watching with callbacks, on a thread of its own.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use futures_util::future::{Either, select};
use tokio::sync::Notify;

use super::client::Client;
use super::runtime;
use crate::core::{Change, ErrorKind, Hint, XtraError, events};
use crate::engine::{SecretSource, watch};

/// The name of the thread, as tools that list threads show it.
const THREAD: &str = "secrets-watch";

/// # Notice changes
impl<S: SecretSource> Client<S> {
    /// Watches a scope: calls `callback` with each change, and with each error of a poll. It does not end on an error.
    ///
    /// What it is called with, how often the service is polled and what that costs are those of the async
    /// [`watch`](crate::Client::watch): the first call has the snapshot as it is, and all watchers of a scope share one poll.
    ///
    /// # The thread
    ///
    /// The callback runs on one thread, named `secrets-watch`, that this call starts and that has ended when the [`Watch`] that
    /// it returns has been dropped. The callback may block and make calls of this client. Until it returns, changes are put
    /// together for the next call. If it panics, it is not called again.
    ///
    /// While the thread runs, the process has more than one, and
    /// [`inject_secrets`](super::XtraClient::inject_secrets) refuses: **inject first, then watch.**
    ///
    /// May be called inside an async runtime too, although the stream of the async client suits better there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the system gives no thread. All else is told to the callback; it is called a last time, with
    /// that kind, when the system gives no event queue either.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use xtrasecurity::blocking::XtraClient;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = XtraClient::in_memory([("API_KEY", "k-1")])?;
    /// let (tell, told) = mpsc::channel();
    /// let watch = client.watch("production", move |item| match item {
    ///     Ok(change) => tell.send(change.added).unwrap_or_default(),
    ///     Err(error) => eprintln!("{error}"), // it goes on by itself
    /// })?;
    /// assert_eq!(told.recv()?, ["API_KEY"]);
    /// drop(watch); // the callback is not called any more, and its thread has ended
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch<'a, F>(&self, scope: impl Into<S::Scope<'a>>, callback: F) -> Result<Watch, XtraError>
    where
        F: FnMut(Result<Change, XtraError>) + Send + 'static,
    {
        // Found where the pollers live: they need the runtime of the blocking clients, not one that the caller may be on.
        let changes = self.to_async().watch_later(scope);
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        // The thread keeps the client, so that a watch goes on although nobody else has it any more.
        let client = self.clone();
        let work = move || {
            watch_on(changes, &stopped, callback);
            drop(client);
        };
        let thread = thread::Builder::new().name(THREAD.to_owned()).spawn(work).map_err(|error| {
            XtraError::new(ErrorKind::Config, "the system gives no thread to watch on")
                .with_os_error(&error)
                .with_hint(Hint::advice("Check the limits of processes and memory"))
        })?;
        Ok(Watch { stop, thread: Some(thread), process: std::process::id() })
    }
}

/// Calls `callback`, outside of the runtime, with what comes, until the handle is dropped.
fn watch_on(mut changes: watch::Watch, stopped: &Notify, mut callback: impl FnMut(Result<Change, XtraError>)) {
    loop {
        let next = runtime::stay(async {
            match select(std::pin::pin!(stopped.notified()), std::pin::pin!(changes.next())).await {
                Either::Left(_) => None,
                Either::Right((item, _)) => item,
            }
        });
        let (item, is_last) = match next {
            Ok(Some(item)) => (item, false),
            Ok(None) => break,
            // There is no runtime to go on with.
            Err(error) => (Err(error), true),
        };
        if catch_unwind(AssertUnwindSafe(|| callback(item))).is_err() {
            tracing::error!(target: events::ENGINE, "the callback of a watch panicked; it is not called any more");
            break;
        }
        if is_last {
            break;
        }
    }
    // Lets the poller see that nobody watches any more, while somebody drives it.
    drop(changes);
    let _ = runtime::stay(tokio::task::yield_now());
}

/// A watch that calls back; made by [`Client::watch`]. It ends when this is dropped.
///
/// Dropping it waits until the callback has returned, if that is running, and until the thread has ended; except on that
/// thread itself, where the callback that dropped it is then the last.
#[must_use = "the watch ends when this is dropped"]
pub struct Watch {
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
    /// A forked child has the handle, but not the thread.
    process: u32,
}

impl Watch {
    /// Whether it still calls back: not after a panic of the callback, or what else ends it.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
            && self.process == std::process::id()
        {
            // it has caught what panics there were
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("is_running", &self.is_running()).finish_non_exhaustive()
    }
}
