//! Infisical.

mod auth;
pub(crate) mod client;
mod merge;
mod operations;
mod protocol;
#[allow(dead_code, reason = "it is generated whole, and not public yet")]
mod raw;
#[cfg(test)]
mod recordings;
mod references;
mod refusals;
mod request;
mod scope;
mod settings;
mod source;
mod wire;

pub use client::{InfisicalClient, InfisicalClientBuilder};
pub use operations::{GetSecret, ListSecrets, ListedSecret};
pub use scope::InfisicalScope;
pub use settings::DEFAULT_BASE_URL;
pub use source::Infisical;
