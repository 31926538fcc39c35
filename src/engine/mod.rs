//! The engine: a client over any source of secrets, with its cache, its refreshes and its watches. It names no service.

mod adaptive_ttl;
mod backoff;
mod client;
#[cfg(feature = "offline")]
mod disk;
#[cfg(feature = "offline")]
pub(crate) mod disk_cache;
mod entry;
mod fairness;
pub(crate) mod follow;
mod handle;
mod load;
mod operation;
mod outcome;
pub(crate) mod part;
mod policy;
mod preload;
mod read;
pub(crate) mod read_options;
mod recent_reads;
mod refresh;
mod refresher;
pub(crate) mod request;
mod shrink_guard;
mod single_flight;
mod source;
mod state;
mod stats;
mod store;
mod tasks;
#[cfg(feature = "watch")]
pub(crate) mod watch;
mod with_secret;

pub(crate) use backoff::is_own_refusal;
pub use client::{Async, Client};
#[cfg(feature = "offline")]
pub use disk_cache::{OfflineKey, OfflineOptions};
pub use handle::{ScopeHandle, ScopeRead};
pub use operation::{Call, Operation};
pub use policy::{CacheOptions, EngineOptions};
pub use preload::{Preload, Preloaded};
pub use read::{Read, ReadFuture};
pub use refresh::Refresh;
pub use request::{Reads, Request};
#[allow(unused_imports, reason = "services use it, and there may be none")]
pub(crate) use source::PreparedField;
pub use source::{KeyWriter, Loaded, SecretSource, Traffic};
pub use stats::Stats;
#[cfg(feature = "watch")]
pub use watch::{Listener, Listening, Watch, WatchReceiver, WatchSecret};
pub use with_secret::{UseError, WithSecret, WithSecretError};

pub(crate) use client::Owner;
pub(crate) use state::Engine;
#[cfg(feature = "blocking")]
#[allow(unused_imports, reason = "services use it, and there may be none that does")]
pub(crate) use tasks::{in_blocking_call, is_blocking_call};

/// What single flight synchronises with. `tests/interleavings` puts in its place what tries every order of steps.
mod sync {
    pub(crate) use std::sync::atomic::AtomicU64;
    pub(crate) use std::sync::{Mutex, MutexGuard};
}
