//! Operations: what a request does at the service, beside reading a snapshot.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use super::client::{Client, Owner};
use super::read::Read;
use super::request::{Options, Request};
use super::source::SecretSource;
use crate::core::XtraError;

/// What a [`Request`] does when it is sent, beside reading a snapshot.
///
/// Whoever has an operation can send it: [`Client::request`] makes a request of it. So a program adds what a service can do and
/// this crate does not know of, with the client's cache and options.
///
/// ```
/// use xtrasecurity::{XtraClient, XtraError, source::{Call, Operation}};
/// use xtrasecurity::xtra::{Xtra, XtraScope};
///
/// /// Counts the secrets of an environment.
/// struct Count;
///
/// impl Operation for Count {
///     const NAME: &'static str = "count";
///     type Source = Xtra;
///     type Output = usize;
///
///     async fn perform(self, call: Call<'_, Xtra>) -> Result<usize, XtraError> {
///         Ok(call.read(call.scope().clone()).await?.len())
///     }
/// }
///
/// # fn main() -> Result<(), XtraError> {
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let client = XtraClient::in_memory([("API_KEY", "k-1"), ("PORT", "8080")])?;
/// let scope = XtraScope::new("production");
/// assert_eq!(client.request(scope, Count).await?, 2);
/// # Ok(())
/// # })
/// # }
/// ```
pub trait Operation: Sized + Send {
    /// The method of the client that makes it, as its caller writes it: errors name it.
    const NAME: &'static str;

    /// The scope is among the arguments of the method, so errors show it behind the name, as those of a read do. Default: it is not.
    const NAMES_SCOPE: bool = false;

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
    engine: &'a Arc<Owner<S>>,
    scope: S::Scope<'a>,
    options: Options,
}

impl<'a, S: SecretSource> Call<'a, S> {
    /// A client over the same cache and connections as the one that made the request.
    #[must_use]
    pub fn client(&self) -> Client<S> {
        Client::over(Arc::clone(self.engine))
    }

    /// A read with the options that the request was given as one that [`Reads`](super::Reads), such as
    /// [`no_cache`](Request::no_cache).
    pub fn read<'s>(&'s self, scope: S::Scope<'s>) -> Request<'s, S, Read> {
        let mut request = Request::over(self.engine, scope, Read);
        request.options = self.options;
        request
    }

    /// The source of the client.
    #[must_use]
    pub fn source(&self) -> &'a S {
        &self.engine.source
    }

    /// What the request is about.
    #[must_use]
    pub fn scope(&self) -> &S::Scope<'a> {
        &self.scope
    }
}

impl<S: SecretSource> fmt::Debug for Call<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("source", &self.engine.source.name()).finish_non_exhaustive()
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
        let Self { engine, scope, options, operation, .. } = self;
        let shown = if Op::NAMES_SCOPE { engine.source.show_scope(&scope) } else { String::new() };
        operation.perform(Call { engine, scope, options }).await.map_err(|error| error.in_call_of(Op::NAME, &shown))
    }
}

impl<'a, Op: Operation + 'a> IntoFuture for Request<'a, Op::Source, Op> {
    type Output = Result<Op::Output, XtraError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
