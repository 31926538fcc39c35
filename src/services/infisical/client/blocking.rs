//! The blocking client of Infisical, by the names that people look for.

use std::borrow::Cow;

use crate::blocking::{Blocking, Client, Request, WithSecret};
use crate::core::SecretValue;
use crate::engine::{self, UseError};
use crate::services::infisical::{Infisical, InfisicalScope};

/// The blocking client of Infisical: the [async one](crate::infisical::InfisicalClient), with the same methods, whose requests end
/// in `send()`.
///
/// ```
/// use xtrasecurity::blocking::InfisicalClient;
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let client = InfisicalClient::in_memory([("DATABASE_URL", "postgres://db")])?;
/// let secrets = client.get_secrets("dev").path("/app").send()?;
/// assert_eq!(secrets.require("DATABASE_URL")?.expose(), "postgres://db");
/// # Ok(())
/// # }
/// ```
pub type InfisicalClient = Client<Infisical>;

/// Puts a blocking [`InfisicalClient`] together: every option of the [async builder](crate::infisical::InfisicalClientBuilder).
pub type InfisicalClientBuilder = super::InfisicalClientBuilder<Blocking>;

impl engine::Client<Infisical, Blocking> {
    /// Uses one secret of the [default environment](Self::default_environment), and tries a newer value once when it is
    /// refused; see [`Request::with_secret`].
    ///
    /// # Errors
    ///
    /// As [`Request::with_secret`]; [`ErrorKind::Config`](crate::ErrorKind::Config) when there is no default environment and
    /// none is named.
    pub fn with_secret<'a, F, T, E>(
        &'a self,
        name: impl Into<Cow<'a, str>>,
        closure: F,
    ) -> Request<'a, Infisical, WithSecret<'a, F>>
    where
        F: FnMut(SecretValue) -> Result<T, UseError<E>>,
    {
        self.read(InfisicalScope::default()).with_secret(name, closure)
    }
}
