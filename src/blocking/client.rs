//! The blocking client over any source of secrets.

use std::fmt;
use std::future::Future;

use super::request::Request;
use super::runtime;
use crate::core::XtraError;
use crate::engine::{self, EngineOptions, Read, Refresh, SecretSource, Stats};

/// The blocking twin of the async [`Client`](crate::Client).
///
/// Clones share one cache and one connection pool, also with the async client that it was made from. It may be used from
/// several threads at the same time; those that miss the same scope share one request.
pub struct Client<S: SecretSource> {
    twin: engine::Client<S>,
}

impl<S: SecretSource> Client<S> {
    /// A client of `source` with default options: snapshots are fresh for 30 s.
    #[must_use]
    pub fn new_with_source(source: S) -> Self {
        engine::Client::new_with_source(source).into()
    }

    /// A client of `source` that caches by `options`.
    #[must_use]
    pub fn with_options(source: S, options: EngineOptions) -> Self {
        engine::Client::with_options(source, options).into()
    }

    /// Reads the secrets of `scope`, from the cache when it has a fresh snapshot.
    ///
    /// # Errors
    ///
    /// Those of the async [`read`](crate::Client::read); [`Config`](crate::ErrorKind::Config) inside an async runtime.
    pub fn read<'a>(&'a self, scope: S::Scope<'a>) -> Request<'a, S, Read> {
        Request(self.twin.read(scope))
    }

    /// Fetches a newer snapshot of `scope` now, whatever the cache holds, and returns it when it has come.
    ///
    /// # Errors
    ///
    /// Those of the async [`refresh`](crate::Client::refresh); [`Config`](crate::ErrorKind::Config) inside an async runtime.
    pub fn refresh<'a>(&'a self, scope: impl Into<S::Scope<'a>>) -> Request<'a, S, Refresh> {
        Request(self.twin.refresh(scope))
    }

    /// Drops what the cache holds of `scope`, so that the next read fetches.
    pub fn invalidate<'a>(&'a self, scope: impl Into<S::Scope<'a>>) {
        self.twin.invalidate(scope);
    }

    /// Drops every snapshot that the cache holds. Answers that are under way when this is called are not cached either.
    pub fn clear_cache(&self) {
        self.twin.clear_cache();
    }

    /// What the client has done so far. Clones of a client count together.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.twin.stats()
    }

    /// The source that this client reads.
    #[must_use]
    pub fn source(&self) -> &S {
        self.twin.source()
    }

    /// Runs a future to its end on this thread, with the I/O and the timers that requests need: for the
    /// [raw client](super::XtraClient::raw), whose requests are futures.
    ///
    /// What the future spawns runs only while some thread is in a call of a blocking client. A future that blocks its thread
    /// (a `std::thread::sleep`, a lock) holds up the calls of all other threads.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) inside an async runtime. What the future itself gives is in the `Ok`.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use xtrasecurity::blocking::XtraClient;
    ///
    /// let client = XtraClient::from_env()?;
    /// let projects = client.block_on(client.raw().projects_list().send())??;
    /// # Ok(())
    /// # }
    /// ```
    pub fn block_on<F: Future>(&self, future: F) -> Result<F::Output, XtraError> {
        runtime::block_on(future)
    }

    /// The async client over the same cache and connections, for the parts of a program that are async.
    #[must_use]
    pub fn as_async(&self) -> &engine::Client<S> {
        &self.twin
    }
}

/// A blocking client over the cache and connections of an async one.
impl<S: SecretSource> From<engine::Client<S>> for Client<S> {
    fn from(twin: engine::Client<S>) -> Self {
        Self { twin }
    }
}

impl<S: SecretSource> Clone for Client<S> {
    fn clone(&self) -> Self {
        Self { twin: self.twin.clone() }
    }
}

impl<S: SecretSource> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.twin.fmt(f)
    }
}
