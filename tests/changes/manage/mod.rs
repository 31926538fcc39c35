//! What the methods of management promise, against the service in memory.

mod access;
mod accounts;
mod blocking;
mod branches;
mod calls;
mod jit;
mod projects;
mod rewrite;
mod waiting;

use xtrasecurity::dev_server::{DevServer, RateLimits, Seed};
use xtrasecurity::{ErrorKind, XtraClient, XtraClientBuilder, XtraError};

/// An id that nothing has.
const NOBODY: &str = "aaaaaaaaaaaaaaaaaaaaaaaa";

/// The service with the project `demo` in it.
async fn service() -> DevServer {
    DevServer::builder().seed(Seed::demo()).rate_limits(RateLimits::off()).start().await.unwrap()
}

/// A client of the project's owner.
fn client(server: &DevServer) -> XtraClient {
    builder(server).build().unwrap()
}

fn builder(server: &DevServer) -> XtraClientBuilder {
    XtraClient::builder().dev_server(server).max_retries(0)
}

/// A client of somebody else in the seed: `admin`, `developer`, `viewer`, `outsider`, or the account `ci`.
fn client_of(server: &DevServer, name: &str) -> XtraClient {
    builder(server).token(server.token_for(name).unwrap()).build().unwrap()
}

/// The error, checked for its kind and for words that its message must have.
#[track_caller]
fn refused<T>(outcome: Result<T, XtraError>, kind: ErrorKind, words: &[&str]) -> XtraError {
    let Err(error) = outcome else { panic!("not refused, though {kind} was to come") };
    assert_eq!(error.kind(), kind, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{word:?} is not in: {error}");
    }
    error
}

/// The methods and routes of all requests so far that change something, in their order.
fn writes(server: &DevServer, routes: &[&str]) -> Vec<u64> {
    routes.iter().map(|route| server.request_count(route)).collect()
}
