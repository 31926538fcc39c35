//! Reading secrets as a type.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::client::Client;
use super::delegate::options;
use super::request::Request;
use super::runtime;
use crate::core::XtraError;
use crate::engine::{Read, SecretSource};
use crate::schema::ReadAs;
use crate::services::xtra::Xtra;

impl Client<Xtra> {
    /// Reads the secrets of an environment as a type of one's own; [`Secrets::parse`](crate::Secrets::parse) tells which
    /// secret feeds which field and how its text is read.
    ///
    /// # Errors
    ///
    /// Those of the async [`get_secrets_as`](crate::XtraClient::get_secrets_as); [`Config`](crate::ErrorKind::Config) inside
    /// an async runtime.
    ///
    /// ```
    /// use serde::Deserialize;
    /// use xtrasecurity::schemars::JsonSchema;
    /// use xtrasecurity::{SecretValue, blocking::XtraClient};
    ///
    /// #[derive(Debug, Deserialize, JsonSchema)]
    /// #[schemars(crate = "xtrasecurity::schemars")]
    /// struct AppConfig {
    ///     /// where the database is
    ///     database_url: SecretValue,
    ///     port: u16,
    /// }
    ///
    /// # fn main() -> Result<(), xtrasecurity::XtraError> {
    /// let client = XtraClient::in_memory([("DATABASE_URL", "postgres://db"), ("PORT", "8080")])?;
    /// let config: AppConfig = client.get_secrets_as("production").send()?;
    /// assert_eq!(config.port, 8080);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_secrets_as<'a, T: DeserializeOwned + JsonSchema>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
    ) -> Request<'a, Xtra, ReadAs<T>> {
        self.get_secrets(environment).typed()
    }
}

impl<'a, S: SecretSource> Request<'a, S, Read> {
    /// Reads the secrets as a `T`, instead of returning them; see [`Secrets::parse`](crate::Secrets::parse).
    pub fn typed<T: DeserializeOwned + JsonSchema>(self) -> Request<'a, S, ReadAs<T>> {
        Request(self.0.typed())
    }
}

impl<S: SecretSource, T: DeserializeOwned + JsonSchema> Request<'_, S, ReadAs<T>> {
    options! {
        /// Fails when there are secrets that feed nothing in `T`, and names them.
        deny_unexpected();
        /// Accepts a scope without secrets, for a `T` that needs none.
        allow_empty();
    }

    /// Reads the secrets, unless the cache has them, and makes a `T` of them.
    ///
    /// # Errors
    ///
    /// As [`get_secrets_as`](super::XtraClient::get_secrets_as).
    pub fn send(self) -> Result<T, XtraError> {
        runtime::block_on(self.0.send())?
    }
}
