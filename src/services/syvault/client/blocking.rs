//! The blocking client of SyVault.

use crate::blocking::{Blocking, Client, runtime};
use crate::core::{SecretValue, XtraError};
use crate::services::syvault::{Registration, SyVault};

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

impl SyVaultClientBuilder {
    /// Registers a new client, as [the async builder](crate::syvault::SyVaultClientBuilder::bootstrap) does, and waits for the answer.
    ///
    /// # Errors
    ///
    /// As there; [`Config`](crate::ErrorKind::Config) inside an async runtime.
    pub fn bootstrap(self, token: impl Into<SecretValue>) -> Result<Registration, XtraError> {
        runtime::block_on(self.register(token.into()))?
    }
}
