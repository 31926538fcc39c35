//! Reading secrets as a type.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::Strictness;
use crate::core::{ErrorKind, Hint, Secrets, XtraError};
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
}

impl<T: DeserializeOwned + JsonSchema> ReadAs<T> {
    fn of(self, secrets: &Secrets) -> Result<T, XtraError> {
        // with unreadable ones there is something, and the report says what
        if secrets.is_empty() && secrets.unreadable().is_empty() && !self.allow_empty {
            return Err(XtraError::new(
                ErrorKind::EmptyScope,
                "there are no settings to read: the environment and branch hold no secrets, and an unknown name looks the \
                 same",
            )
            .with_hint(Hint::AllowEmpty));
        }
        secrets.parse_strictly(self.strictness)
    }
}

#[cfg(feature = "xtra")]
impl<M> crate::engine::Client<crate::services::xtra::Xtra, M> {
    /// Reads the secrets of an environment as a type of one's own. [`Secrets::parse`] tells which secret feeds which field and
    /// how its text is read.
    ///
    /// The options are those of [`get_secrets`](Self::get_secrets), and
    /// [`deny_unexpected`](Request::deny_unexpected) and [`allow_empty`](Request::allow_empty). The secrets come from the cache
    /// when it has a fresh snapshot; the type is made anew by each call, so keep it rather than reading it for each request
    /// that a server answers.
    ///
    /// # Errors
    ///
    /// Those of [`get_secrets`](Self::get_secrets); [`EmptyScope`](ErrorKind::EmptyScope) when there are no secrets; and one
    /// error for all that is wrong with them, [`MissingSecret`](ErrorKind::MissingSecret) or
    /// [`Invalid`](ErrorKind::Invalid), with every name and no value.
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use serde::Deserialize;
    /// use xtrasecurity::schemars::{self, JsonSchema};
    /// use xtrasecurity::{SecretValue, XtraClient, XtraError};
    ///
    /// #[derive(Debug, Deserialize, JsonSchema)]
    /// struct AppConfig {
    ///     /// where the database is
    ///     database_url: SecretValue,
    ///     /// how long a request may take
    ///     timeout: Option<Duration>,
    ///     #[serde(default)]
    ///     tags: Vec<String>,
    /// }
    ///
    /// # async fn example() -> Result<(), XtraError> {
    /// let config: AppConfig = XtraClient::from_env()?.get_secrets_as("production").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_secrets_as<'a, T: DeserializeOwned + JsonSchema>(
        &'a self,
        environment: impl Into<std::borrow::Cow<'a, str>>,
    ) -> Request<'a, crate::services::xtra::Xtra, ReadAs<T>, M> {
        self.get_secrets(environment).with_operation(ReadAs { method: Some("get_secrets_as"), ..ReadAs::new() })
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
    /// Those of reading, [`ErrorKind::EmptyScope`] when there are no secrets, and those of [`Secrets::parse`].
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
