//! One secret of a watched scope.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::feed::News;
use super::place::Place;
use crate::core::{SecretValue, Secrets};

/// A stream of the values of one secret. Made by [`Watch::key`](crate::Watch::key).
///
/// The first item is the value as it is, or `None` when the scope has no such secret. After that there is an item only when
/// the value is another one: `None` when the secret was removed, `Some` when it is back. Values that changed several times
/// between two items are one item, the newest.
///
/// A value that stops coming through (masked, or ciphertext) is no item: it is neither removed nor known. Nor is an error:
/// those are in the [`Watch`](crate::Watch). The stream ends when the last client is dropped, and only then.
///
/// ```
/// # use xtrasecurity::{XtraClient, XtraError};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), XtraError> {
/// let client = XtraClient::in_memory([("DATABASE_URL", "postgres://db")])?;
/// let mut url = client.watch("production").key("DATABASE_URL");
/// if let Some(Some(url)) = url.next().await {
///     assert_eq!(url.expose(), "postgres://db");
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct WatchKey {
    place: Place,
    name: String,
    /// The value that was shown last, once one was.
    shown: Option<Option<SecretValue>>,
}

impl WatchKey {
    pub(super) fn new(place: Place, name: String) -> Self {
        Self { place, name, shown: None }
    }

    /// The next item of the stream, without a trait to import. The outer `None` is the end.
    ///
    /// Dropping the future is safe: no change is lost.
    pub async fn next(&mut self) -> Option<Option<SecretValue>> {
        poll_fn(|context| self.poll(context)).await
    }

    /// The name of the secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Option<SecretValue>>> {
        loop {
            match std::task::ready!(self.place.poll(context)) {
                Some(News::Landed(newest)) => {
                    if let Some(value) = self.compare(&newest) {
                        return Poll::Ready(Some(value));
                    }
                }
                Some(News::Failed(_)) => {}
                None => return Poll::Ready(None),
            }
        }
    }

    /// The value in `newest`, when that is not what was shown last.
    fn compare(&mut self, newest: &Arc<Secrets>) -> Option<Option<SecretValue>> {
        if newest.unreadable().iter().any(|entry| entry.name == self.name) {
            return None;
        }
        let value = newest.get(&self.name).cloned();
        if self.shown.as_ref() == Some(&value) {
            return None;
        }
        self.shown = Some(value.clone());
        Some(value)
    }
}

impl Stream for WatchKey {
    type Item = Option<SecretValue>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(context)
    }
}

impl fmt::Debug for WatchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchKey").field("name", &self.name).finish_non_exhaustive()
    }
}
