//! The HTTP clients, set up so that nothing travels where it should not, and a pool of connections for each runtime.
//!
//! A connection is driven by the runtime that opened it. Handed to a request on another one it answers only while the first
//! is being polled, which may be never.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use tokio::runtime::{Handle, Id};

use super::base_url::BaseUrl;
use super::dns::ThreadResolver;
use super::options::TransportOptions;
use super::route::Route;
use super::tls;
use super::tls::Roots;
use crate::core::{ErrorKind, Hint, XtraError};

/// A client for one root. It has no deadline of its own beyond that of connecting: a call's deadline covers all of its
/// attempts.
pub(super) fn client(
    base: &BaseUrl,
    route: &Route,
    idle_timeout: Duration,
    options: &TransportOptions,
) -> Result<reqwest::Client, XtraError> {
    let Ok(user_agent) = HeaderValue::from_str(&options.user_agent) else {
        return Err(XtraError::new(ErrorKind::Config, "the user agent holds characters that no header may hold"));
    };
    let roots = if base.is_https() { Roots::SystemAnd(&options.root_certificates) } else { Roots::Nobody };
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls::config(&roots)?)
        .https_only(base.is_https())
        .http1_only()
        .dns_resolver(ThreadResolver::new(options.lookup.clone()))
        // a redirect could carry the token and the body elsewhere, or end on a login page
        .redirect(Policy::none())
        .referer(false)
        // retries are ours to decide; this also spares a copy of each request
        .retry(reqwest::retry::never())
        .connect_timeout(options.connect_timeout)
        .pool_idle_timeout(idle_timeout)
        .tcp_nodelay(true)
        .user_agent(user_agent);
    let unusable = |_| XtraError::new(ErrorKind::Config, "the HTTP client could not be set up");
    // the environment has been read already, with errors for what cannot be used
    builder = builder.no_proxy();
    if let Some(proxy) = &route.proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy.url.clone()).map_err(unusable)?);
    }
    builder.build().map_err(unusable)
}

/// Runtimes that have a pool at the same time. The pool that was used least lately makes room for a new one.
const MOST: usize = 8;

/// The HTTP clients, each with the connections of one runtime.
pub(super) struct Pools(Mutex<Clients>);

struct Clients {
    /// For the first runtime that asks.
    unused: Option<reqwest::Client>,
    /// The one used last is at the end.
    by_runtime: Vec<(Id, reqwest::Client)>,
}

impl Pools {
    pub(super) fn new(first: reqwest::Client) -> Self {
        Self(Mutex::new(Clients { unused: Some(first), by_runtime: Vec::with_capacity(1) }))
    }

    /// The client of the runtime that this is called on; `make` makes one for a runtime that has none.
    pub(super) fn current(
        &self,
        make: impl FnOnce() -> Result<reqwest::Client, XtraError>,
    ) -> Result<reqwest::Client, XtraError> {
        let runtime = Handle::try_current().map_err(|_| {
            XtraError::new(
                ErrorKind::Config,
                "requests need a tokio runtime with its I/O and time drivers, and there is none here",
            )
            .with_hint(Hint::advice("Call from within a runtime that was built with enable_all()"))
        })?;
        let runtime = runtime.id();
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Clients { unused, by_runtime } = &mut *clients;
        let known = by_runtime.iter().position(|(known, _)| *known == runtime);
        let (_, client) = match known {
            Some(place) => by_runtime.remove(place),
            None => (runtime, unused.take().map_or_else(make, Ok)?),
        };
        if by_runtime.len() == MOST {
            by_runtime.remove(0);
        }
        by_runtime.push((runtime, client.clone()));
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime")
    }

    fn client() -> reqwest::Client {
        reqwest::Client::builder().tls_backend_preconfigured(plain()).build().expect("a client")
    }

    fn plain() -> rustls::ClientConfig {
        crate::http::tls::config(&crate::http::tls::Roots::Nobody).expect("no roots")
    }

    #[test]
    fn the_first_runtime_takes_the_client_that_is_there_and_each_further_one_is_made_once() {
        let pools = Pools::new(client());
        let made = Cell::new(0);
        let make = || {
            made.set(made.get() + 1);
            Ok(client())
        };
        let (one, two) = (runtime(), runtime());
        for expected in [0, 0] {
            one.block_on(async { pools.current(make) }).expect("a client");
            assert_eq!(made.get(), expected);
        }
        for expected in [1, 1] {
            two.block_on(async { pools.current(make) }).expect("a client");
            one.block_on(async { pools.current(make) }).expect("a client");
            assert_eq!(made.get(), expected);
        }
    }

    #[test]
    fn a_runtime_in_use_keeps_its_pool_however_many_others_come_and_go() {
        let pools = Pools::new(client());
        let made = Cell::new(0);
        let make = || {
            made.set(made.get() + 1);
            Ok(client())
        };
        let busy = runtime();
        let others: Vec<_> = (0..3 * MOST).map(|_| runtime()).collect();
        for other in &others {
            busy.block_on(async { pools.current(make) }).expect("a client");
            other.block_on(async { pools.current(make) }).expect("a client");
        }
        assert_eq!(made.get(), others.len());
        assert_eq!(pools.0.lock().expect("not poisoned").by_runtime.len(), MOST);
    }

    #[test]
    fn outside_of_a_runtime_the_error_says_what_is_needed() {
        let error = Pools::new(client()).current(|| Ok(client())).expect_err("no runtime");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("enable_all"), "{error}");
    }
}
