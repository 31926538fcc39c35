//! Requests that put secrets in the place of their references.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use super::client::Client;
use super::delegate::options;
use super::runtime;
use crate::client;
use crate::error::XtraError;
use crate::secrets::{SecretValue, Secrets};
use crate::services::xtra::Xtra;

impl Client<Xtra> {
    /// Reads the secret that a [`Reference`](crate::Reference) names. [`send`](Render::send) gives a [`SecretValue`].
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
    pub fn resolve<'a>(&'a self, reference: impl Into<Cow<'a, str>>) -> Render<'a> {
        Render(self.as_async().resolve(reference))
    }

    /// Puts secrets in the place of the references in a text; the async [`render`](crate::XtraClient::render) describes the
    /// syntax and what to be careful about. [`send`](Render::send) gives a [`SecretValue`].
    ///
    /// # Errors
    ///
    /// Those of the async method; [`Config`](crate::ErrorKind::Config) inside an async runtime.
    pub fn render<'a>(&'a self, text: impl Into<Cow<'a, str>>) -> Render<'a> {
        Render(self.as_async().render(text))
    }

    /// The same for a file, which is read when the request is sent.
    ///
    /// # Errors
    ///
    /// Those of the async [`render_file`](crate::XtraClient::render_file); [`Config`](crate::ErrorKind::Config) inside an
    /// async runtime.
    pub fn render_file(&self, path: impl AsRef<Path>) -> Render<'_> {
        Render(self.as_async().render_file(path))
    }

    /// Replaces the references in the values of a snapshot. [`send`](ResolveSecrets::send) gives new [`Secrets`] of the same
    /// names.
    ///
    /// # Errors
    ///
    /// Those of the async [`resolve_secrets`](crate::XtraClient::resolve_secrets); [`Config`](crate::ErrorKind::Config)
    /// inside an async runtime.
    pub fn resolve_secrets(&self, secrets: &Secrets) -> ResolveSecrets<'_> {
        ResolveSecrets(self.as_async().resolve_secrets(secrets))
    }

    /// The same for names and values of any origin.
    ///
    /// # Errors
    ///
    /// As [`resolve_secrets`](Self::resolve_secrets).
    pub fn resolve_pairs<N: Into<String>, V: Into<SecretValue>>(
        &self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> ResolveSecrets<'_> {
        ResolveSecrets(self.as_async().resolve_pairs(pairs))
    }
}

/// A request for one text; made by [`XtraClient::resolve`](Client::resolve), [`render`](Client::render) and
/// [`render_file`](Client::render_file). Its async twin is [`Render`](crate::Render).
#[must_use = "a request does nothing until send()"]
pub struct Render<'a>(client::Render<'a>);

/// A request for many values; made by [`XtraClient::resolve_secrets`](Client::resolve_secrets) and
/// [`resolve_pairs`](Client::resolve_pairs). Its async twin is [`ResolveSecrets`](crate::ResolveSecrets).
#[must_use = "a request does nothing until send()"]
pub struct ResolveSecrets<'a>(client::ResolveSecrets<'a>);

impl Render<'_> {
    options! {
        /// Takes values as they are, and does not look for references in them.
        shallow();
        /// Fetches every environment, whatever the cache holds.
        no_cache();
        /// The project of references in the text that name none.
        project_id(id: impl Into<String>);
        /// The branch of references in the text that name neither project nor branch.
        branch(name: impl Into<String>);
    }

    /// Sends the request and waits for the answer.
    ///
    /// # Errors
    ///
    /// See [`XtraClient::render`](Client::render).
    pub fn send(self) -> Result<SecretValue, XtraError> {
        runtime::block_on(self.0.send())?
    }
}

impl ResolveSecrets<'_> {
    options! {
        /// Takes the values that references name as they are.
        shallow();
        /// Fetches every environment, whatever the cache holds.
        no_cache();
        /// The project of references that name none.
        project_id(id: impl Into<String>);
        /// The branch of references that name neither project nor branch.
        branch(name: impl Into<String>);
    }

    /// Sends the request and waits for the answer.
    ///
    /// # Errors
    ///
    /// See [`XtraClient::resolve_secrets`](Client::resolve_secrets).
    pub fn send(self) -> Result<Secrets, XtraError> {
        runtime::block_on(self.0.send())?
    }
}

impl fmt::Debug for Render<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ResolveSecrets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
