//! Requests that do something at the service, beside reading a snapshot: what they are made of, and how they are sent.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use super::client::Client;
use super::request::{Options, Request};
use super::source::SecretSource;
use crate::core::XtraError;

/// What a [`Request`] does when it is sent, besides reading a snapshot.
pub trait Operation: Sized + Send {
    /// The source whose service it is carried out at.
    type Source: SecretSource;

    /// What the request gives.
    type Output: Send;

    /// Carries it out. Must not block the thread; may be dropped at any await.
    ///
    /// # Errors
    ///
    /// Those of the operation.
    fn perform(self, call: Call<'_, Self::Source>) -> impl Future<Output = Result<Self::Output, XtraError>> + Send;
}

/// What an operation is carried out with: the client, and where.
pub struct Call<'a, S: SecretSource> {
    pub(crate) client: &'a Client<S>,
    pub(crate) scope: S::Scope<'a>,
    #[cfg_attr(not(feature = "xtra"), allow(dead_code))]
    pub(crate) options: Options,
}

impl<'a, S: SecretSource> Call<'a, S> {
    /// The client that sends the request.
    #[must_use]
    pub fn client(&self) -> &'a Client<S> {
        self.client
    }

    /// The source of the client.
    #[must_use]
    pub fn source(&self) -> &'a S {
        self.client.source()
    }

    /// What the request is about.
    #[must_use]
    pub fn scope(&self) -> &S::Scope<'a> {
        &self.scope
    }
}

impl<S: SecretSource> fmt::Debug for Call<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("client", self.client).finish_non_exhaustive()
    }
}

impl<S: SecretSource> Client<S> {
    /// A request that carries `operation` out, about `scope`.
    pub fn request<'a, Op>(&'a self, scope: S::Scope<'a>, operation: Op) -> Request<'a, S, Op> {
        Request::new(self, scope, operation)
    }
}

impl<Op: Operation> Request<'_, Op::Source, Op> {
    /// Sends the request; the same as awaiting it.
    ///
    /// Dropping the future gives up waiting. A write that was sent by then may be carried out all the same.
    ///
    /// # Errors
    ///
    /// Those of the method of the client that made the request.
    pub async fn send(self) -> Result<Op::Output, XtraError> {
        let Self { client, scope, options, operation } = self;
        operation.perform(Call { client, scope, options }).await
    }
}

impl<'a, Op: Operation + 'a> IntoFuture for Request<'a, Op::Source, Op> {
    type Output = Result<Op::Output, XtraError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
