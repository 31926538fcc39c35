//! A newer snapshot now, whatever the cache holds.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::SecretSource;
use super::read::Read;
use super::request::{Reads, Request};
use super::state::{Answer, Engine};
use crate::core::{Secrets, XtraError};

/// The operation of a [`Request`] that replaces what the cache holds.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Refresh;

impl Reads for Refresh {}

impl<'a, S: SecretSource, M> Request<'a, S, Read, M> {
    /// Fetches a newer snapshot now and puts it into the cache, instead of reading from it. For the conditions, see
    /// [`Client::refresh`](crate::Client::refresh).
    pub fn refresh(self) -> Request<'a, S, Refresh, M> {
        self.with_operation(Refresh)
    }
}

impl<S: SecretSource> Request<'_, S, Refresh> {
    /// Sends the request; the same as awaiting it.
    ///
    /// # Errors
    ///
    /// See [`Client::refresh`](crate::Client::refresh).
    pub async fn send(self) -> Result<Arc<Secrets>, XtraError> {
        let Self { engine, scope, options, .. } = self;
        options.check(engine.refresh(&scope, options.allow_any_answer)?.await?)
    }
}

impl<'a, S: SecretSource> IntoFuture for Request<'a, S, Refresh> {
    type Output = Result<Arc<Secrets>, XtraError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<S: SecretSource> Engine<S> {
    /// A snapshot asked for after this call. Callers at the same time share one request; what was under way before does not
    /// count, because it may have left before whatever the caller has just changed.
    pub(crate) fn refresh(
        self: &Arc<Self>,
        scope: &S::Scope<'_>,
        allow_any: bool,
    ) -> Result<impl Future<Output = Answer> + Send + 'static, XtraError> {
        let ticket = self.ticket(scope)?;
        let engine = Arc::clone(self);
        Ok(async move {
            if engine.cache.is_none() {
                engine.counts.refreshes.fetch_add(1, Ordering::Relaxed);
                return engine.load(ticket, "refresh").await?.refreshed(allow_any);
            }
            let key = ticket.key.clone();
            if let Some(earlier) = engine.flights.under_way(&key) {
                drop(earlier.await);
            }
            let loader = Arc::clone(&engine);
            let flight = engine.flights.join(&key, move || {
                loader.counts.refreshes.fetch_add(1, Ordering::Relaxed);
                loader.load(ticket, "refresh")
            });
            drop(engine);
            let landed = flight.await?;
            landed.refreshed(allow_any)
        })
    }
}
