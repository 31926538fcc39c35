//! A secret at the point of use: a plain closure, called outside of the runtime.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use super::{Blocking, Request, runtime};
use crate::core::SecretValue;
use crate::engine::{self, Async, Read, Reads, SecretSource, UseError, WithSecretError};

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

impl<'a, S: SecretSource> engine::Request<'a, S, Read, Blocking> {
    /// Uses one secret of the scope: calls `closure` with its value. When the closure says that the credential was
    /// [refused](UseError::Refused), a newer one is looked for and, if there is one, tried once.
    ///
    /// The async [`with_secret`](crate::Request::with_secret) tells when a newer one is asked for, and when not. The closure
    /// runs on this thread and may make blocking calls, of this client too.
    ///
    /// # Errors
    ///
    /// Those of the async method; [`WithSecretError::Secrets`] with the kind [`Config`](crate::ErrorKind::Config) inside an
    /// async runtime.
    ///
    /// ```
    /// use xtrasecurity::{UseError, blocking::XtraClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = XtraClient::in_memory([("DATABASE_PASSWORD", "hunter2")])?;
    /// let connection = client
    ///     .get_secrets("production")
    ///     .with_secret("DATABASE_PASSWORD", |password| match connect(password.expose()) {
    ///         Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(UseError::Refused(error)),
    ///         answer => Ok(answer?),
    ///     })
    ///     .send()?;
    /// # assert_eq!(connection, "connected");
    /// # Ok(())
    /// # }
    /// # fn connect(_: &str) -> std::io::Result<&'static str> { Ok("connected") }
    /// ```
    pub fn with_secret<F, T, E>(self, name: impl Into<Cow<'a, str>>, closure: F) -> Request<'a, S, WithSecret<'a, F>>
    where
        F: FnMut(SecretValue) -> Result<T, UseError<E>>,
    {
        self.with_operation(WithSecret { name: name.into(), closure })
    }
}

impl<'a, S: SecretSource, F> engine::Request<'a, S, WithSecret<'a, F>, Blocking> {
    /// Reads the secret, unless the cache has it, and uses it.
    ///
    /// # Errors
    ///
    /// See [`with_secret`](Request::with_secret).
    pub fn send<T, E>(self) -> Result<T, WithSecretError<E>>
    where
        F: FnMut(SecretValue) -> Result<T, UseError<E>>,
    {
        let (request, WithSecret { name, mut closure }) = self.exchange::<_, Async>(Read);
        // The async request runs up to where it would call the closure; then the closure is called out here, where it may
        // block; and the request goes on with its answer.
        let (to_use, used) = (Cell::new(None), Cell::new(None));
        let ask = |value: SecretValue| {
            to_use.set(Some(value));
            poll_fn(|_| used.take().map_or(Poll::Pending, Poll::Ready))
        };
        let mut request = pin!(request.with_secret(name, ask).send());
        loop {
            let step = runtime::block_on(poll_fn(|context| match request.as_mut().poll(context) {
                Poll::Ready(outcome) => Poll::Ready(Step::Done(outcome)),
                Poll::Pending => to_use.take().map_or(Poll::Pending, |value| Poll::Ready(Step::Use(value))),
            }));
            match step.map_err(WithSecretError::Secrets)? {
                Step::Done(outcome) => return outcome,
                Step::Use(value) => used.set(Some(closure(value))),
            }
        }
    }
}

enum Step<T> {
    Use(SecretValue),
    Done(T),
}
