//! The blocking client: a client whose requests wait.

use std::future::Future;

use super::{Blocking, runtime};
use crate::core::XtraError;
use crate::engine::{self, SecretSource};

/// The blocking client of any source: the [async one](crate::Client), whose requests end in `send()`.
///
/// Clones share one cache and one connection pool, also with the async client that it was made from. It may be used from
/// several threads at the same time; those that miss the same scope share one request. For a source of your own it is made
/// from the async client, which is nothing but a pointer: `Client::from(xtrasecurity::Client::new_with_source(source))`.
pub type Client<S> = engine::Client<S, Blocking>;

impl<S: SecretSource> engine::Client<S, Blocking> {
    /// Runs a future to its end on this thread, with the I/O and the timers that requests need: for the raw client, whose
    /// requests are futures.
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
    pub fn to_async(&self) -> engine::Client<S> {
        self.in_mode()
    }
}

/// A blocking client over the cache and connections of an async one.
impl<S: SecretSource> From<engine::Client<S>> for engine::Client<S, Blocking> {
    fn from(client: engine::Client<S>) -> Self {
        client.in_mode()
    }
}
