//! Infisical.

mod auth;
pub(crate) mod client;
mod copy;
mod credentials;
mod deprecated;
#[cfg(feature = "dev-server")]
pub mod dev;
#[cfg(feature = "watch")]
mod events;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod merge;
mod operations;
mod protocol;
pub mod raw;
#[cfg(test)]
mod recordings;
mod references;
mod refusals;
mod request;
mod scope;
mod source;
mod wire;

pub use client::{InfisicalClient, InfisicalClientBuilder};
pub use credentials::{Auth, DEFAULT_BASE_URL, IdToken};
pub use operations::{GetSecret, ListSecrets, ListedSecret, kms, leases, write};
pub use scope::InfisicalScope;
pub use source::Infisical;
