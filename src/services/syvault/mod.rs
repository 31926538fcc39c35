//! SyVault, by its vendor's documentation: nothing here was seen on the wire.

pub(crate) mod client;
mod copy;
mod credentials;
#[cfg(feature = "dev-server")]
pub mod dev;
mod folder;
mod key;
mod notation;
mod operations;
mod protocol;
mod raw;
mod record;
mod scope;
mod source;

pub use client::{SyVaultClient, SyVaultClientBuilder};
pub use folder::SyVaultFolder;
pub use key::new_client_secret;
pub use notation::Notation;
pub use operations::{
    CreateLease, CreateSecret, CreatedSecret, Lease, LeaseEntry, ListLeases, ListSecrets, ListedSecret, Registration,
    ResolveNotation, RevokeLease, RotateSecret, Rotation,
};
pub use scope::SyVaultScope;
pub use source::SyVault;
