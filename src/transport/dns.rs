//! Name lookups that leave no thread behind.
//!
//! An async runtime keeps the threads of its blocking pool for seconds, and setting an environment variable is sound only
//! in a process of one thread. So each lookup runs on a thread of its own that is joined before its answer is used.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::thread;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::oneshot;

/// The system's resolver (`getaddrinfo`), on one short-lived thread a lookup.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ThreadResolver;

impl Resolve for ThreadResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses = look_up(name.as_str().to_owned()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Why a lookup gave no address. It names no host.
#[derive(Debug)]
pub(crate) enum LookupError {
    /// The operating system would not start a thread.
    NoThread(io::Error),
    /// The resolver failed or does not know the name.
    Unresolved(Option<io::Error>),
}

impl LookupError {
    pub(crate) fn os_error(&self) -> Option<&io::Error> {
        match self {
            Self::NoThread(error) => Some(error),
            Self::Unresolved(error) => error.as_ref(),
        }
    }
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoThread(_) => "no thread could be started for the name lookup",
            Self::Unresolved(_) => "the host name could not be resolved",
        })
    }
}

impl std::error::Error for LookupError {}

async fn look_up(host: String) -> Result<Vec<SocketAddr>, LookupError> {
    // port 0: the connector puts the port of the request there
    let answer = on_own_thread(move || (host.as_str(), 0).to_socket_addrs().map(Vec::from_iter)).await?;
    match answer {
        Some(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Some(Ok(_)) | None => Err(LookupError::Unresolved(None)),
        Some(Err(error)) => Err(LookupError::Unresolved(Some(error))),
    }
}

/// Runs `work` on a thread of its own, which is gone when this returns. `None` when the work panicked.
async fn on_own_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<Option<T>, LookupError> {
    let (sender, receiver) = oneshot::channel();
    let thread = thread::Builder::new()
        .name("xtra-dns".to_owned())
        .spawn(move || {
            // nobody listens any more when the call has met its deadline
            let _ = sender.send(work());
        })
        .map_err(LookupError::NoThread)?;
    let answer = receiver.await;
    // It has sent, or unwound, and has nothing left to do: this waits for the operating system to take the thread away.
    let _ = thread.join();
    Ok(answer.ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn localhost_resolves_to_this_machine() {
        let addresses = look_up("localhost".to_owned()).await.expect("every machine knows localhost");
        assert!(addresses.iter().all(|address| address.ip().is_loopback()));
    }

    #[tokio::test]
    async fn an_unknown_name_is_an_error_that_does_not_repeat_it() {
        let error = look_up("canary.invalid".to_owned()).await.expect_err("reserved to be unknown");
        assert!(matches!(error, LookupError::Unresolved(_)));
        assert!(!error.to_string().contains("canary"));
    }

    #[tokio::test]
    async fn a_name_that_no_resolver_takes_is_an_error() {
        assert!(look_up("nul\0inside".to_owned()).await.is_err());
        assert!(look_up("a".repeat(300)).await.is_err());
    }

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
        let answer = on_own_thread(|| END.with(|_| 7)).await.expect("a thread");
        assert_eq!((answer, GONE.load(Ordering::SeqCst)), (Some(7), true));
    }

    #[tokio::test]
    async fn a_panic_of_the_thread_is_an_error() {
        let answer = on_own_thread(|| panic!("in the thread")).await.expect("a thread");
        assert_eq!(answer, None::<()>);
    }
}
