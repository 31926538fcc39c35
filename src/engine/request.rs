//! One request type for every service and operation.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::SecretSource;
use super::client::{Async, Client, Owner};
pub(crate) use super::read_options::Options;

/// A request that is being put together.
///
/// That of an async client is sent by awaiting it, or by `send()`, which gives a future by name; and by `wait()` (feature
/// `blocking`), which waits on the caller's thread. That of a blocking client is sent by its `send()`, which waits.
///
/// The options here are those that every service has; each service adds its own.
#[must_use = "a request does nothing until it is sent"]
pub struct Request<'a, S: SecretSource, Op, M = Async> {
    pub(crate) engine: &'a Arc<Owner<S>>,
    pub(crate) scope: S::Scope<'a>,
    pub(crate) options: Options,
    pub(crate) operation: Op,
    mode: PhantomData<fn() -> M>,
}

/// An operation that reads a snapshot: one that the cache has, or a new one.
pub trait Reads {}

/// # Operations of a source
impl<S: SecretSource, M> Client<S, M> {
    /// A request that carries `operation` out, about `scope`.
    pub fn request<'a, Op>(&'a self, scope: S::Scope<'a>, operation: Op) -> Request<'a, S, Op, M> {
        Request::over(&self.engine, scope, operation)
    }
}

impl<'a, S: SecretSource, Op, M> Request<'a, S, Op, M> {
    pub(crate) fn over(engine: &'a Arc<Owner<S>>, scope: S::Scope<'a>, operation: Op) -> Self {
        Self { engine, scope, options: engine.read_options(), operation, mode: PhantomData }
    }

    /// What the request goes to.
    #[allow(dead_code, reason = "services call it, and there may be none")]
    pub(crate) fn source(&self) -> &S {
        &self.engine.source
    }

    /// The same request with another operation, sent in another way; and the operation that it had.
    pub(crate) fn exchange<New, N>(self, operation: New) -> (Request<'a, S, New, N>, Op) {
        let Self { engine, scope, options, operation: old, .. } = self;
        (Request { engine, scope, options, operation, mode: PhantomData }, old)
    }

    /// The same request, to be sent in another way.
    #[cfg(feature = "blocking")]
    pub(crate) fn in_mode<N>(self) -> Request<'a, S, Op, N> {
        let Self { engine, scope, options, operation, .. } = self;
        Request { engine, scope, options, operation, mode: PhantomData }
    }

    /// The same request of another scope.
    #[allow(dead_code, reason = "for services whose scopes have options")]
    pub(crate) fn map_scope(mut self, change: impl FnOnce(S::Scope<'a>) -> S::Scope<'a>) -> Self
    where
        S::Scope<'a>: Default,
    {
        self.scope = change(std::mem::take(&mut self.scope));
        self
    }

    /// The same request with another operation.
    pub(crate) fn with_operation<New>(self, operation: New) -> Request<'a, S, New, M> {
        self.exchange(operation).0
    }
}

impl<S: SecretSource, Op: Reads, M> Request<'_, S, Op, M> {
    /// Fetches, whatever the cache holds, and stores the answer. The answer is never older than this call. One that
    /// [is held back](Client#what-is-held-back) is returned but not stored.
    pub fn no_cache(mut self) -> Self {
        self.options.no_cache = true;
        self
    }

    /// Accepts a snapshot in which some values did not come through (masked, or ciphertext): those names are left out and
    /// listed by [`Secrets::unreadable`](crate::Secrets::unreadable). Without this, such a read fails.
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

impl<S: SecretSource, Op, M> fmt::Debug for Request<'_, S, Op, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("source", &self.engine.source.name())
            .field("no_cache", &self.options.no_cache)
            .field("allow_unreadable", &self.options.allow_unreadable)
            .field("allow_any_answer", &self.options.allow_any_answer)
            .finish_non_exhaustive()
    }
}
