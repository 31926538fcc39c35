//! The engine: a client over any source of secrets, with its cache, its refreshes and its watches. It names no service.

mod alarm;
mod answer;
pub(crate) mod cache;
mod caller;
mod client;
#[cfg(feature = "offline")]
mod copies;
#[cfg(feature = "offline")]
pub(crate) mod disk_cache;
mod failures;
mod grace;
mod guard;
mod hits;
mod landing;
mod operation;
mod options;
#[cfg(feature = "xtra")]
mod preload;
mod read;
mod refresh;
mod renew;
pub(crate) mod request;
mod source;
mod state;
mod stats;
mod sweeper;
mod tasks;
#[cfg(feature = "watch")]
pub(crate) mod watch;
#[cfg(feature = "watch")]
mod watching;
mod with_secret;

pub use cache::{CacheOptions, KeyWriter};
pub(crate) use client::Owner;
pub use client::{Async, Client};
#[cfg(feature = "offline")]
pub use disk_cache::{OfflineKey, OfflineOptions};
pub use operation::{Call, Operation};
pub use options::EngineOptions;
#[cfg(feature = "xtra")]
pub use preload::{Preload, Preloaded};
pub use read::{Read, ReadFuture};
pub use refresh::Refresh;
pub use request::{Reads, Request};
pub use source::{Loaded, SecretSource, Traffic};
pub use stats::Stats;
#[cfg(feature = "watch")]
pub use watch::{Watch, WatchKey, WatchReceiver};
pub use with_secret::{UseError, WithSecret, WithSecretError};

#[cfg(feature = "blocking")]
pub(crate) use caller::driving;
