//! The blocking client, for programs and parts of programs that are not async.
//!
//! ```no_run
//! use xtrasecurity::{XtraError, blocking};
//!
//! fn main() -> Result<(), XtraError> {
//!     let client = blocking::XtraClient::from_env()?;
//!     let secrets = client.get_secrets("production").send()?;
//!     let url = secrets.require("DATABASE_URL")?;
//!     # let _ = url;
//!     Ok(())
//! }
//! ```
//!
//! # One runtime, no threads
//!
//! All blocking clients of a process share one tokio runtime without threads of its own. A call drives it on the caller's
//! thread; threads that call at the same time share requests, connections and the driving. When the last call returns,
//! nothing runs any more, names are looked up by threads that have ended by then, and the process may change its own
//! environment: [`inject_secrets`](XtraClient::inject_secrets) at the start of `main` is sound, and `#[tokio::main]` can
//! follow it. A read that the cache answers does not touch the runtime.
//!
//! # Inside an async runtime
//!
//! Every call that could fetch fails inside an async runtime (kind [`Config`](crate::ErrorKind::Config)), whether the
//! answer is cached or not: it would hold up the tasks of that runtime. Await the async [`XtraClient`](crate::XtraClient)
//! there; [`to_async`](Client::to_async) gives the one that shares this client's cache. Or call from a thread started with
//! `std::thread`. The threads of tokio's `spawn_blocking` belong to their runtime and are refused too. Clients may be made
//! and dropped anywhere.
//!
//! # After a fork
//!
//! A child process that was forked without `exec` gets a runtime and connections of its own. Fork while no other thread is
//! in a call.
//!
//! # What differs from the async client
//!
//! It is the same client, with the same methods and options, whose documentation shows them awaited. But:
//!
//! - a request ends in `send()`, not in `.await`. (A request of the async client can be sent so too, by its `wait()`.);
//! - the closure of `with_secret` returns its outcome, and not a future of it;
//! - `raw()` gives the same generated client, whose requests are futures: [`block_on`](Client::block_on) runs them;
//! - `watch` (with the feature of that name) calls back, where the async one gives a stream. It has a thread, named
//!   `secrets-watch`, one for each watch, which has ended when that is dropped. A lease that is held has one too, `secrets-lease`.
//!   There are no others: inject secrets before you watch, or hold a lease;
//! - [`to_async`](Client::to_async) gives the async client that shares its cache.

mod client;
pub(crate) mod runtime;
mod send;
#[cfg(feature = "watch")]
mod watch;
mod with_secret;

#[allow(unused_imports, reason = "services use them, and there may be none that does")]
pub(crate) use runtime::{block_on, stay};

use crate::{engine, references};

pub use client::Client;
#[cfg(feature = "watch")]
pub use watch::Watch;
pub use with_secret::WithSecret;

#[cfg(feature = "infisical")]
pub use crate::services::infisical::client::blocking::{InfisicalClient, InfisicalClientBuilder};
#[cfg(feature = "secr")]
pub use crate::services::secr::client::blocking::{SecrClient, SecrClientBuilder};
#[cfg(feature = "syvault")]
pub use crate::services::syvault::client::blocking::{SyVaultClient, SyVaultClientBuilder};
#[cfg(feature = "xtra")]
pub use crate::services::xtra::client::blocking::{XtraClient, XtraClientBuilder};

/// The mode of a [`Client`] whose requests wait on the caller's thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocking {}

/// A request that is being put together. It is sent by its `send()`, which waits for the answer.
pub type Request<'a, S, Op> = engine::Request<'a, S, Op, Blocking>;

/// A reading of several scopes that is being put together; made by [`preload`](Client::preload).
pub type Preload<'a, S> = engine::Preload<'a, S, Blocking>;

/// A request for texts with secrets in the place of their references.
pub type Resolve<'a, S, Op> = references::Resolve<'a, S, Op, Blocking>;
