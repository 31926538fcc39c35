//! The secret at its point of use: fetched anew once when it is refused there, and tried once more.

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use super::client::Owner;
use super::read::Read;
use super::request::{Options, Reads, Request};
use super::source::SecretSource;
use crate::core::{SecretValue, Secrets, XtraError, events};

/// Why the use of a secret came to nothing: what the closure of [`with_secret`](Request::with_secret) returns.
///
/// Any error becomes [`Failed`](Self::Failed) by `?`, so only a refusal has to be named:
///
/// ```
/// use std::io;
/// use xtrasecurity::UseError;
///
/// fn log_in(password: &str) -> Result<(), UseError<io::Error>> {
///     let greeting = greet()?; // Failed: another password would not help
///     match greeting == password {
///         true => Ok(()),
///         false => Err(UseError::Refused(io::Error::other("wrong password"))),
///     }
/// }
/// # fn greet() -> io::Result<&'static str> { Ok("hunter2") }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UseError<E> {
    /// The credential was refused: it may have been replaced. A newer one is looked for, and tried once.
    Refused(E),
    /// Anything else. Returned as it is.
    Failed(E),
}

impl<E> From<E> for UseError<E> {
    fn from(error: E) -> Self {
        Self::Failed(error)
    }
}

/// What [`with_secret`](Request::with_secret) fails with.
///
/// What the closure's own error says is left to [`source`](std::error::Error::source).
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum WithSecretError<E> {
    /// The secret could not be read, so that nothing was tried.
    #[error(transparent)]
    Secrets(#[from] XtraError),
    /// The credential was refused, and there was no other to try, or that was refused too.
    #[error("the credential was refused, and no newer one was accepted")]
    Refused(#[source] E),
    /// The use failed for another reason.
    #[error("the use of a secret failed")]
    Failed(#[source] E),
}

impl<E> From<UseError<E>> for WithSecretError<E> {
    fn from(error: UseError<E>) -> Self {
        match error {
            UseError::Refused(error) => Self::Refused(error),
            UseError::Failed(error) => Self::Failed(error),
        }
    }
}

/// The operation of a [`Request`] that reads one secret and uses it.
#[non_exhaustive]
pub struct WithSecret<'a, F> {
    name: Cow<'a, str>,
    closure: F,
}

impl<F> Reads for WithSecret<'_, F> {}

impl<F> fmt::Debug for WithSecret<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithSecret").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<'a, S: SecretSource> Request<'a, S, Read> {
    /// Uses one secret of the scope: calls `closure` with its value, from the cache when that is fresh. When the closure says
    /// that the credential was [refused](UseError::Refused), a newer one is looked for and tried once.
    ///
    /// Made for credentials that are rotated while the program runs. After a refusal:
    ///
    /// - A newer snapshot in the cache with another value is used at once. Otherwise the scope is fetched again, with one
    ///   request for everyone who was refused meanwhile.
    /// - At most one such request is made for a scope in 10 s, failed ones included, and none while the snapshot is younger
    ///   than that: a wrong password must not become a flood.
    /// - The closure is called a second time only if the value has changed (repeating a refused password locks accounts), and
    ///   never a third time.
    /// - When the request fails, or the new snapshot has no such secret, the refusal is returned, and the reason is logged as a
    ///   warning.
    ///
    /// Dropping the future is safe at any time, and takes nothing from others.
    ///
    /// # Errors
    ///
    /// [`WithSecretError::Secrets`] when the secret could not be read at first (the errors of the read, and
    /// [`MissingSecret`](crate::ErrorKind::MissingSecret)); [`WithSecretError::Refused`] and [`WithSecretError::Failed`] with
    /// the closure's own error.
    ///
    /// ```
    /// use xtrasecurity::{UseError, XtraClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let client = XtraClient::in_memory([("DATABASE_PASSWORD", "hunter2")])?;
    /// let connection = client
    ///     .get_secrets("production")
    ///     .with_secret("DATABASE_PASSWORD", |password| async move {
    ///         match connect(password.expose()).await {
    ///             Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(UseError::Refused(error)),
    ///             answer => Ok(answer?),
    ///         }
    ///     })
    ///     .await?;
    /// # assert_eq!(connection, "connected");
    /// # Ok(())
    /// # })
    /// # }
    /// # async fn connect(_: &str) -> std::io::Result<&'static str> { Ok("connected") }
    /// ```
    pub fn with_secret<F, Fut, T, E>(
        self,
        name: impl Into<Cow<'a, str>>,
        closure: F,
    ) -> Request<'a, S, WithSecret<'a, F>>
    where
        F: FnMut(SecretValue) -> Fut,
        Fut: Future<Output = Result<T, UseError<E>>>,
    {
        self.with_operation(WithSecret { name: name.into(), closure })
    }
}

impl<'a, S: SecretSource, F> Request<'a, S, WithSecret<'a, F>> {
    /// The same as awaiting the request, also for a closure whose future cannot move to another thread.
    ///
    /// # Errors
    ///
    /// See [`with_secret`](Request::with_secret).
    pub async fn send<Fut, T, E>(self) -> Result<T, WithSecretError<E>>
    where
        F: FnMut(SecretValue) -> Fut,
        Fut: Future<Output = Result<T, UseError<E>>>,
    {
        let Self { engine, scope, options, operation: WithSecret { name, mut closure }, .. } = self;
        let (used, value) = first(engine, &scope, options, &name)
            .await
            .map_err(|error| WithSecretError::Secrets(engine.of_read(&scope, error)))?;
        let refusal = match closure(value.clone()).await {
            Ok(done) => return Ok(done),
            Err(UseError::Failed(error)) => return Err(WithSecretError::Failed(error)),
            Err(UseError::Refused(error)) => error,
        };
        match another(engine, &scope, options, &name, used, &value).await {
            Some(other) => Ok(closure(other).await?),
            None => Err(WithSecretError::Refused(refusal)),
        }
    }
}

/// The snapshot that an ordinary read gives, and the value in it.
async fn first<S: SecretSource>(
    engine: &Arc<Owner<S>>,
    scope: &S::Scope<'_>,
    options: Options,
    name: &str,
) -> Result<(Arc<Secrets>, SecretValue), XtraError> {
    let secrets = engine.snapshot(scope, options).await?;
    let value = secrets.require(name)?.clone();
    Ok((secrets, value))
}

/// A value that is not the refused one, from a newer snapshot.
async fn another<S: SecretSource>(
    engine: &Arc<Owner<S>>,
    scope: &S::Scope<'_>,
    options: Options,
    name: &str,
    used: Arc<Secrets>,
    refused: &SecretValue,
) -> Option<SecretValue> {
    let is_another = |secrets: &Secrets| secrets.get(name) != Some(refused);
    let found = match engine.renew(scope, options, used, is_another).await {
        Ok(newer) => newer?.require(name).cloned(),
        Err(error) => Err(error),
    };
    found
        .map_err(|error| {
            let (source, kind) = (engine.source.name(), error.kind().as_str());
            tracing::warn!(target: events::ENGINE, source, kind, "a credential was refused, and no newer one could be read");
        })
        .ok()
}

impl<'a, S, F, Fut, T, E> IntoFuture for Request<'a, S, WithSecret<'a, F>>
where
    S: SecretSource,
    F: FnMut(SecretValue) -> Fut + Send + 'a,
    Fut: Future<Output = Result<T, UseError<E>>> + Send + 'a,
    T: Send + 'a,
    E: Send + 'a,
{
    type Output = Result<T, WithSecretError<E>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
