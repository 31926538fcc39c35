//! One request type for every service and operation.

use std::fmt;
use std::sync::Arc;

use super::{Client, SecretSource};
use crate::core::{Secrets, XtraError};

/// A request that is being put together. It is sent when it is awaited.
///
/// The options here are those that every service has; each service adds its own.
#[must_use = "a request does nothing until it is awaited"]
pub struct Request<'a, S: SecretSource, Op> {
    pub(crate) client: &'a Client<S>,
    pub(crate) scope: S::Scope<'a>,
    pub(crate) options: Options,
    pub(crate) operation: Op,
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Options {
    pub(crate) no_cache: bool,
    pub(crate) allow_unreadable: bool,
    pub(crate) allow_any_answer: bool,
    /// Production is meant.
    #[cfg(feature = "xtra")]
    pub(crate) confirmed: bool,
    /// The environment is spelled as it is meant.
    #[cfg(feature = "xtra")]
    pub(crate) exact: bool,
    /// What is written is not read back.
    #[cfg(feature = "xtra")]
    pub(crate) unconfirmed: bool,
}

/// An operation that reads a snapshot: one that the cache has, or a new one.
pub trait Reads {}

impl Options {
    pub(crate) fn check(self, secrets: Arc<Secrets>) -> Result<Arc<Secrets>, XtraError> {
        if !self.allow_unreadable {
            secrets.all_readable()?;
        }
        Ok(secrets)
    }
}

impl<'a, S: SecretSource, Op> Request<'a, S, Op> {
    pub(crate) fn new(client: &'a Client<S>, scope: S::Scope<'a>, operation: Op) -> Self {
        Self { client, scope, options: Options::default(), operation }
    }

    /// The same request with another operation, and the operation that it had.
    #[cfg(feature = "blocking")]
    pub(crate) fn exchange<New>(self, operation: New) -> (Request<'a, S, New>, Op) {
        let Self { client, scope, options, operation: old } = self;
        (Request { client, scope, options, operation }, old)
    }
}

impl<S: SecretSource, Op: Reads> Request<'_, S, Op> {
    /// Fetches, whatever the cache holds, and stores the answer. The answer is never older than this call. One that
    /// [is held back](Client#what-is-held-back) is returned but not stored.
    pub fn no_cache(mut self) -> Self {
        self.options.no_cache = true;
        self
    }

    /// Accepts a snapshot in which some values did not come through (masked, or ciphertext): those names are left out and
    /// listed by [`Secrets::unreadable`]. Without this, such a read fails.
    pub fn allow_unreadable(mut self) -> Self {
        self.options.allow_unreadable = true;
        self
    }

    /// Accepts a first answer that looks like an error in the place of secrets: one whose names are all among `error`,
    /// `message`, `status` and the like, which no other sign shows to be the service's. Without this, such a read fails with
    /// [`Decode`](crate::ErrorKind::Decode). An answer that is accepted so is returned but not stored. Where there is a
    /// snapshot from before, that is served all the same, until [`invalidate`](crate::Client::invalidate) drops it;
    /// [`no_cache`](Self::no_cache) passes it by.
    pub fn allow_any_answer(mut self) -> Self {
        self.options.allow_any_answer = true;
        self
    }
}

impl<S: SecretSource, Op> fmt::Debug for Request<'_, S, Op> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("source", &self.client.source().name())
            .field("no_cache", &self.options.no_cache)
            .field("allow_unreadable", &self.options.allow_unreadable)
            .field("allow_any_answer", &self.options.allow_any_answer)
            .finish_non_exhaustive()
    }
}
