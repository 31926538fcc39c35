//! Name lookups that leave no thread behind: each runs on a thread of its own that is joined before its answer is used.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::core::thread;

/// The addresses of a name, whatever their ports. It may block.
pub(crate) type Lookup = Arc<dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// The system's resolver (`getaddrinfo`), or what was given in its place, on one short-lived thread a lookup.
#[derive(Clone, Default)]
pub(crate) struct ThreadResolver(Option<Lookup>);

impl ThreadResolver {
    pub(crate) fn new(in_place_of_the_system: Option<Lookup>) -> Self {
        Self(in_place_of_the_system)
    }
}

impl Resolve for ThreadResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = self.0.clone();
        Box::pin(async move {
            let addresses = look_up(name.as_str().to_owned(), lookup).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Why a lookup gave no address. It names no host.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookupError {
    /// The operating system would not start a thread.
    #[error("no thread could be started for the name lookup")]
    NoThread(io::Error),
    /// The resolver failed or does not know the name.
    #[error("the host name could not be resolved")]
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

async fn look_up(host: String, lookup: Option<Lookup>) -> Result<Vec<SocketAddr>, LookupError> {
    let answer = thread::run("name-lookup", move || match lookup {
        Some(lookup) => lookup(&host),
        None => system(&host),
    });
    match answer.await.map_err(LookupError::NoThread)? {
        Some(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Some(Ok(_)) | None => Err(LookupError::Unresolved(None)),
        Some(Err(error)) => Err(LookupError::Unresolved(Some(error))),
    }
}

fn system(host: &str) -> io::Result<Vec<SocketAddr>> {
    // port 0: the connector puts the port of the request there
    (host, 0).to_socket_addrs().map(Vec::from_iter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn localhost_resolves_to_this_machine() {
        let addresses = look_up("localhost".to_owned(), None).await.expect("every machine knows localhost");
        assert!(addresses.iter().all(|address| address.ip().is_loopback()));
    }

    #[tokio::test]
    async fn an_unknown_name_is_an_error_that_does_not_repeat_it() {
        let error = look_up("canary.invalid".to_owned(), None).await.expect_err("reserved to be unknown");
        assert!(matches!(error, LookupError::Unresolved(_)));
        assert!(!error.to_string().contains("canary"));
    }

    #[tokio::test]
    async fn a_name_that_no_resolver_takes_is_an_error() {
        assert!(look_up("nul\0inside".to_owned(), None).await.is_err());
        assert!(look_up("a".repeat(300), None).await.is_err());
    }
}
