//! placeholder crate docs
#![forbid(clippy::undocumented_unsafe_blocks)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod cache;
mod client;
#[cfg(feature = "xtra")]
mod credentials;
#[cfg(feature = "dev-server")]
pub mod dev_server;
mod env;
mod error;
mod secrets;
mod services;
#[cfg(feature = "xtra")]
mod transport;

pub use cache::{CacheOptions, Clock, Identity, KeyWriter, ManualClock};
pub use client::{Client, EngineOptions, Inject, Read, ReadFuture, Request, Stats};
#[cfg(feature = "xtra")]
pub use client::{XtraClient, XtraClientBuilder, XtraClientOptions};
#[cfg(feature = "xtra")]
pub use credentials::{CredentialProvider, FileToken, Place, StaticToken, Token, TokenFuture};
pub use error::{Conflict, ErrorKind, XtraError};
pub use secrets::{
    Injection, InjectionReport, SecretValue, Secrets, Selection, SnapshotSource, Unreadable, UnreadableReason,
};
pub use services::{Loaded, SecretSource, Traffic};
#[cfg(feature = "xtra")]
pub use services::xtra::{Xtra, XtraScope, raw};
