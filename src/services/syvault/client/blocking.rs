//! The blocking client of SyVault.

use crate::blocking::{Blocking, Client};
use crate::services::syvault::SyVault;

/// The blocking client of SyVault: the [async one](crate::syvault::SyVaultClient), with the same methods, whose requests end in
/// `send()`.
///
/// ```no_run
/// use xtrasecurity::XtraError;
/// use xtrasecurity::blocking::SyVaultClient;
///
/// fn main() -> Result<(), XtraError> {
///     let client = SyVaultClient::from_env()?;
///     let secret = client.get("7Kj9mNpQ2xRs").send()?;
///     connect(secret.require("host")?.expose(), secret.require("password")?.expose());
///     Ok(())
/// }
/// # fn connect(_: &str, _: &str) {}
/// ```
pub type SyVaultClient = Client<SyVault>;

/// Puts a blocking [`SyVaultClient`] together: every option of the [async builder](crate::syvault::SyVaultClientBuilder).
pub type SyVaultClientBuilder = super::SyVaultClientBuilder<Blocking>;
