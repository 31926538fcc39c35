//! Reading a snapshot: at once from the cache, or by a future that is boxed only when something must be fetched.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::SecretSource;
use super::request::{Reads, Request};
use super::state::Answer;
use crate::core::{Secrets, XtraError};

/// The operation of a [`Request`] that reads secrets.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Read;

impl Reads for Read {}

impl<'a, S: SecretSource> Request<'a, S, Read> {
    /// The same as awaiting the request, for code that wants a future by name: `runtime.block_on(request.send())`.
    pub fn send(self) -> ReadFuture<'a, S> {
        self.into_future()
    }
}

impl<'a, S: SecretSource> IntoFuture for Request<'a, S, Read> {
    type Output = Result<Arc<Secrets>, XtraError>;
    type IntoFuture = ReadFuture<'a, S>;

    fn into_future(self) -> Self::IntoFuture {
        ReadFuture { step: Step::Start(self) }
    }
}

/// The future of a read. A cached snapshot is returned by its first poll, without any allocation.
///
/// Dropping it is safe at any time: callers that wait for the same snapshot still get it.
#[must_use = "a read does nothing until it is awaited"]
pub struct ReadFuture<'a, S: SecretSource> {
    step: Step<'a, S>,
}

enum Step<'a, S: SecretSource> {
    Start(Request<'a, S, Read>),
    Waiting(Waiting),
    Done,
}

type Waiting = Pin<Box<dyn Future<Output = Answer> + Send>>;

impl<S: SecretSource> Future for ReadFuture<'_, S> {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        // By reference, because moving a request takes longer than finding its snapshot.
        if let Step::Start(request) = &self.step
            && let Some(answer) = cached(request)
        {
            self.step = Step::Done;
            return Poll::Ready(answer);
        }
        self.wait(context)
    }
}

impl<S: SecretSource> ReadFuture<'_, S> {
    /// The answer, when the cache has it. Waits for nothing and needs no runtime.
    #[cfg(feature = "blocking")]
    pub(crate) fn at_once(&self) -> Option<Answer> {
        match &self.step {
            Step::Start(request) => cached(request),
            Step::Waiting(_) | Step::Done => None,
        }
    }

    #[cold]
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<Answer> {
        let mut waiting = match std::mem::replace(&mut self.step, Step::Done) {
            Step::Start(request) => match begin(request) {
                Ok(waiting) => waiting,
                Err(error) => return Poll::Ready(Err(error)),
            },
            Step::Waiting(waiting) => waiting,
            Step::Done => return Poll::Pending,
        };
        let answer = waiting.as_mut().poll(context);
        if answer.is_pending() {
            self.step = Step::Waiting(waiting);
        }
        answer
    }
}

fn cached<S: SecretSource>(request: &Request<'_, S, Read>) -> Option<Answer> {
    if request.options.no_cache {
        return None;
    }
    let secrets = request.engine.cached(&request.scope)?;
    Some(request.options.check(secrets))
}

fn begin<S: SecretSource>(request: Request<'_, S, Read>) -> Result<Waiting, XtraError> {
    let Request { engine, scope, options, .. } = request;
    let fetch = engine.fetch(&scope, options)?;
    Ok(Box::pin(async move { options.check(fetch.await?) }))
}

impl<S: SecretSource> fmt::Debug for ReadFuture<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadFuture")
    }
}
