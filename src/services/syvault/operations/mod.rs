//! The operations of SyVault: a file for each family, with the methods of the client that make them.

mod bootstrap;
mod create;
mod leases;
mod list;
mod notation;
mod rotate;

pub use bootstrap::Registration;
pub(super) use bootstrap::register;
pub use create::{CreateSecret, CreatedSecret};
pub use leases::{CreateLease, Lease, LeaseEntry, ListLeases, RevokeLease};
pub use list::{ListSecrets, ListedSecret};
pub use notation::ResolveNotation;
pub use rotate::{RotateSecret, Rotation};

use super::scope::{SyVaultScope, TITLED};
use super::source::SyVault;
use crate::engine::Client;

/// What is being changed: its snapshots leave the cache when this is dropped, because a write that was given up half-way may have
/// been carried out too.
#[must_use = "the cache is cleared when this is dropped"]
struct Changing {
    client: Client<SyVault>,
    scopes: Vec<SyVaultScope<'static>>,
}

impl Drop for Changing {
    fn drop(&mut self) {
        for scope in std::mem::take(&mut self.scopes) {
            self.client.invalidate(scope);
        }
        // which title a secret has, a change of it by its uid does not know
        self.client.engine.invalidate_under(|key| key.field(TITLED), |_| {});
    }
}
