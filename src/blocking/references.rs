//! Requests that put secrets in the place of their references.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use super::client::Client;
use super::delegate::options;
use super::runtime;
use crate::core::{SecretValue, Secrets, XtraError};
use crate::references;
use crate::references::{Refer, ResolveText, ResolveValues};

impl<S: Refer> Client<S> {
    /// Reads the secret that a [`Reference`](crate::Reference) names. [`send`](Resolve::send) gives a [`SecretValue`].
    ///
    /// # Errors
    ///
    /// Those of the async [`resolve`](crate::XtraClient::resolve); [`Config`](crate::ErrorKind::Config) inside an async
    /// runtime.
    ///
    /// ```
    /// use xtrasecurity::blocking::XtraClient;
    ///
    /// # fn main() -> Result<(), xtrasecurity::XtraError> {
    /// let client = XtraClient::in_memory([("API_KEY", "k-123")])?;
    /// assert_eq!(client.resolve("xtra:///production/API_KEY").send()?.expose(), "k-123");
    /// # Ok(())
    /// # }
    /// ```
    pub fn resolve<'a>(&'a self, reference: impl Into<Cow<'a, str>>) -> Resolve<'a, S, ResolveText<'a>> {
        Resolve(self.as_async().resolve(reference))
    }

    /// Puts secrets in the place of the references in a text; the async [`render`](crate::XtraClient::render) describes the
    /// syntax and what to be careful about. [`send`](Resolve::send) gives a [`SecretValue`].
    ///
    /// # Errors
    ///
    /// Those of the async method; [`Config`](crate::ErrorKind::Config) inside an async runtime.
    pub fn render<'a>(&'a self, text: impl Into<Cow<'a, str>>) -> Resolve<'a, S, ResolveText<'a>> {
        Resolve(self.as_async().render(text))
    }

    /// The same for a file, which is read when the request is sent.
    ///
    /// # Errors
    ///
    /// Those of the async [`render_file`](crate::XtraClient::render_file); [`Config`](crate::ErrorKind::Config) inside an
    /// async runtime.
    pub fn render_file(&self, path: impl AsRef<Path>) -> Resolve<'_, S, ResolveText<'_>> {
        Resolve(self.as_async().render_file(path))
    }

    /// Replaces the references in the values of a snapshot. [`send`](Resolve::send) gives new [`Secrets`] of the same
    /// names.
    ///
    /// # Errors
    ///
    /// Those of the async [`resolve_secrets`](crate::XtraClient::resolve_secrets); [`Config`](crate::ErrorKind::Config)
    /// inside an async runtime.
    pub fn resolve_secrets(&self, secrets: &Secrets) -> Resolve<'_, S, ResolveValues> {
        Resolve(self.as_async().resolve_secrets(secrets))
    }

    /// The same for names and values of any origin.
    ///
    /// # Errors
    ///
    /// As [`resolve_secrets`](Self::resolve_secrets).
    pub fn resolve_pairs<N: Into<String>, V: Into<SecretValue>>(
        &self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Resolve<'_, S, ResolveValues> {
        Resolve(self.as_async().resolve_pairs(pairs))
    }
}

/// A request for texts with secrets in the place of their references. Its async twin is [`Resolve`](crate::Resolve).
#[must_use = "a request does nothing until send()"]
pub struct Resolve<'a, S: Refer, Op>(references::Resolve<'a, S, Op>);

impl<S: Refer, Op> Resolve<'_, S, Op> {
    options! {
        /// Takes the values that references name as they are, and does not look for references in those.
        shallow();
        /// Fetches every environment, whatever the cache holds.
        no_cache();
        /// The project of references in what was given that name none.
        project_id(id: impl Into<String>);
        /// The parameter of references in what was given that have neither project nor parameter.
        parameter(value: impl Into<String>);
    }
}

impl<'a, S: Refer> Resolve<'a, S, ResolveText<'a>> {
    /// Sends the request and waits for the answer.
    ///
    /// # Errors
    ///
    /// See [`XtraClient::render`](Client::render).
    pub fn send(self) -> Result<SecretValue, XtraError> {
        runtime::block_on(self.0.send())?
    }
}

impl<S: Refer> Resolve<'_, S, ResolveValues> {
    /// Sends the request and waits for the answer.
    ///
    /// # Errors
    ///
    /// See [`XtraClient::resolve_secrets`](Client::resolve_secrets).
    pub fn send(self) -> Result<Secrets, XtraError> {
        runtime::block_on(self.0.send())?
    }
}

impl<S: Refer, Op: fmt::Debug> fmt::Debug for Resolve<'_, S, Op> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
