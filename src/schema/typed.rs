//! Typed reads: secrets as a type of your own.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::Strictness;
use crate::core::{Secrets, XtraError};
use crate::engine::Read;
use crate::engine::SecretSource;
use crate::engine::request::{Reads, Request};

/// The operation of a [`Request`] that reads secrets as a `T`; see [`Secrets::parse`].
#[non_exhaustive]
pub struct ReadAs<T> {
    strictness: Strictness,
    allow_empty: bool,
    /// The method that was called for it, when that is not the source's for reads.
    method: Option<&'static str>,
    /// A request makes a `T` and holds none, so it may go wherever the client may.
    made: PhantomData<fn() -> T>,
}

impl<T> Reads for ReadAs<T> {}

impl<T> ReadAs<T> {
    pub(crate) fn new() -> Self {
        Self { strictness: Strictness::default(), allow_empty: false, method: None, made: PhantomData }
    }

    /// The operation as it is made by a method of this name, which errors name.
    #[allow(dead_code, reason = "a build without any service has no such method")]
    pub(crate) fn made_by(method: &'static str) -> Self {
        Self { method: Some(method), ..Self::new() }
    }
}

impl<T: DeserializeOwned + JsonSchema> ReadAs<T> {
    fn of(self, secrets: &Secrets) -> Result<T, XtraError> {
        // with unreadable ones there is something, and the report says what
        if secrets.is_bare() && !self.allow_empty {
            return Err(secrets.nothing_there("there are no settings to read"));
        }
        secrets.parse_strictly(self.strictness)
    }
}

impl<'a, S: SecretSource, M> Request<'a, S, Read, M> {
    /// Reads the secrets as a `T`, instead of returning them; see [`Secrets::parse`].
    ///
    /// ```
    /// use serde::Deserialize;
    /// use xtrasecurity::schemars::{self, JsonSchema};
    /// use xtrasecurity::{XtraClient, XtraError};
    ///
    /// #[derive(Deserialize, JsonSchema)]
    /// struct Settings {
    ///     port: u16,
    /// }
    ///
    /// # fn main() -> Result<(), XtraError> {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let client = XtraClient::in_memory([("PORT", "8080")])?;
    /// let settings = client.get_secrets("production").typed::<Settings>().await?;
    /// assert_eq!(settings.port, 8080);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    pub fn typed<T: DeserializeOwned + JsonSchema>(self) -> Request<'a, S, ReadAs<T>, M> {
        self.with_operation(ReadAs::new())
    }
}

impl<S: SecretSource, T: DeserializeOwned + JsonSchema, M> Request<'_, S, ReadAs<T>, M> {
    /// Fails when there are secrets that feed nothing in `T`, and names them. Without this they are ignored.
    pub fn deny_unexpected(mut self) -> Self {
        self.operation.strictness.deny_unexpected = true;
        self
    }

    /// Accepts a scope without secrets, for a `T` that needs none. Without this it is an error, because a mistyped name looks
    /// the same.
    pub fn allow_empty(mut self) -> Self {
        self.operation.allow_empty = true;
        self
    }
}

impl<S: SecretSource, T: DeserializeOwned + JsonSchema> Request<'_, S, ReadAs<T>> {
    /// Sends the request; the same as awaiting it.
    ///
    /// # Errors
    ///
    /// Those of reading, [`EmptyScope`](crate::ErrorKind::EmptyScope) when there are no secrets, and those of [`Secrets::parse`].
    pub async fn send(self) -> Result<T, XtraError> {
        let Self { engine, scope, options, operation, .. } = self;
        let method = operation.method.unwrap_or(engine.source.read_method());
        let made = async { operation.of(&*engine.snapshot(&scope, options).await?) };
        made.await.map_err(|error| engine.of_call(method, &scope, error))
    }
}

impl<'a, S: SecretSource, T: DeserializeOwned + JsonSchema + 'a> IntoFuture for Request<'a, S, ReadAs<T>> {
    type Output = Result<T, XtraError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<T> fmt::Debug for ReadAs<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadAs")
            .field("deny_unexpected", &self.strictness.deny_unexpected)
            .field("allow_empty", &self.allow_empty)
            .finish()
    }
}
