//! Sending on the caller's thread: the requests of blocking clients, and `wait` for those of async ones.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use super::{Blocking, runtime};
use crate::core::{Secrets, XtraError};
use crate::engine::{Async, Preload, ReadFuture, Request, ScopeRead, SecretSource};
use crate::inject::{Inject, InjectionReport};
use crate::references::{Refer, Resolve};

/// A future whose answer may be there before anything runs.
pub trait AtOnce: Future {
    /// That answer. Waits for nothing and needs no runtime.
    fn at_once(&self) -> Option<Self::Output>;
}

impl<S: SecretSource> AtOnce for ReadFuture<'_, S> {
    fn at_once(&self) -> Option<Self::Output> {
        ReadFuture::at_once(self)
    }
}

impl<T> AtOnce for Pin<Box<dyn Future<Output = T> + Send + '_>> {
    fn at_once(&self) -> Option<T> {
        None
    }
}

/// Sends a request and waits for its answer. One that the cache has does not touch the runtime.
fn wait<R, T, E>(request: R) -> Result<T, E>
where
    R: IntoFuture<Output = Result<T, E>, IntoFuture: AtOnce>,
    E: From<XtraError>,
{
    runtime::refuse_inside_async()?;
    let future = request.into_future();
    match future.at_once() {
        Some(answer) => answer,
        None => runtime::block_on(future)?,
    }
}

/// The method of an async request that waits, and the one of a blocking request.
macro_rules! sent_by_waiting {
    ($(#[$doc:meta])* $request:ident<'a $(, $parameter:ident $(: $bound:path)?)*>) => {
        impl<'a $(, $parameter $(: $bound)?)*, T, E> $request<'a $(, $parameter)*>
        where
            Self: IntoFuture<Output = Result<T, E>, IntoFuture: AtOnce>,
            E: From<XtraError>,
        {
            /// Sends the request and waits for the answer on this thread, which runs what there is to run meanwhile. No
            /// runtime is needed; the [blocking](crate::blocking) client sends so too.
            ///
            /// # Errors
            ///
            /// Those of awaiting it; [`Config`](crate::ErrorKind::Config) inside an async runtime.
            pub fn wait(self) -> Result<T, E> {
                wait(self)
            }
        }

        impl<'a $(, $parameter $(: $bound)?)*, T, E> $request<'a $(, $parameter)*, Blocking>
        where
            $request<'a $(, $parameter)*>: IntoFuture<Output = Result<T, E>, IntoFuture: AtOnce>,
            E: From<XtraError>,
        {
            /// Sends the request and waits for the answer.
            ///
            /// # Errors
            ///
            /// Those of the method of the client that made the request; [`Config`](crate::ErrorKind::Config) inside an async
            /// runtime.
            pub fn send(self) -> Result<T, E> {
                wait(self.in_mode::<Async>())
            }
        }
    };
}

sent_by_waiting!(Request<'a, S: SecretSource, Op>);
sent_by_waiting!(Preload<'a, S: SecretSource>);
sent_by_waiting!(Resolve<'a, S: Refer, Op>);

impl<'h, S: SecretSource> ScopeRead<'h, S> {
    /// Reads, and waits on this thread where the cache does not have the answer.
    ///
    /// # Errors
    ///
    /// Those of awaiting it; [`Config`](crate::ErrorKind::Config) inside an async runtime.
    pub fn wait(self) -> Result<&'h Arc<Secrets>, XtraError> {
        runtime::refuse_inside_async()?;
        match self.at_once() {
            Ok(answer) => answer,
            Err(read) => runtime::block_on(read)?,
        }
    }
}

impl<S: SecretSource> Request<'_, S, Inject, Blocking> {
    /// Sets the variables without asking how many threads the process has.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), but never [`UnsoundInjection`](crate::ErrorKind::UnsoundInjection).
    ///
    /// # Safety
    ///
    /// Until this returns, no other thread of the process may read or write the environment, by whatever way; see
    /// [`Request::send_unchecked`](crate::Request::send_unchecked) of the async request.
    #[allow(unsafe_code)] // the caller's promise is passed on unchanged; the deed itself is in env.rs
    pub unsafe fn send_unchecked(self) -> Result<InjectionReport, XtraError> {
        // SAFETY: the caller promises what the async request asks for.
        runtime::block_on(unsafe { self.in_mode::<Async>().send_unchecked() })?
    }
}
