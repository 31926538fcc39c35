//! Several environments at once.

use std::borrow::Cow;
use std::time::Duration;

use super::client::Client;
use super::delegate::options;
use super::runtime;
use crate::core::XtraError;
use crate::engine::{self, Preloaded};
use crate::services::xtra::{Xtra, XtraScope};

/// A reading of several environments that is being put together; made by [`XtraClient::preload`](Client::preload). Its async
/// twin is [`Preload`](crate::Preload).
#[derive(Debug)]
#[must_use = "nothing is read until send()"]
pub struct Preload<'a>(engine::Preload<'a, Xtra>);

impl Client<Xtra> {
    /// Reads several environments at the same time and answers once: all are there, with every secret that is required, or
    /// what is wrong with each. [`send`](Preload::send) gives a [`Preloaded`].
    ///
    /// # Errors
    ///
    /// Those of the async [`preload`](crate::XtraClient::preload); [`Config`](crate::ErrorKind::Config) inside an async
    /// runtime.
    ///
    /// ```
    /// use std::time::Duration;
    /// use xtrasecurity::blocking::XtraClient;
    ///
    /// # fn main() -> Result<(), xtrasecurity::XtraError> {
    /// let client = XtraClient::in_memory([("DATABASE_URL", "postgres://db")])?;
    /// let ready = client.preload(["production"]).require(["DATABASE_URL"]).deadline(Duration::from_secs(5)).send()?;
    /// assert_eq!(ready.get("production").map(|secrets| secrets.len()), Some(1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn preload<'a, N: Into<XtraScope<'a>>>(&'a self, environments: impl IntoIterator<Item = N>) -> Preload<'a> {
        Preload(self.as_async().preload(environments))
    }
}

impl<'a> Preload<'a> {
    options! {
        /// Secrets that each of the environments must have.
        require(names: impl IntoIterator<Item = impl Into<Cow<'a, str>>>);
        /// How long all of it may take.
        deadline(limit: Duration);
        /// Another project than the client's.
        project_id(id: impl Into<Cow<'a, str>>);
        /// Another branch than the client's default.
        branch(name: impl Into<Cow<'a, str>>);
        /// Accepts environments without secrets.
        allow_empty();
        /// Accepts environments in which some values did not come through, as long as they are not required.
        allow_unreadable();
    }

    /// Reads them and waits for all.
    ///
    /// # Errors
    ///
    /// See [`XtraClient::preload`](Client::preload).
    pub fn send(self) -> Result<Preloaded, XtraError> {
        runtime::block_on(self.0.send())?
    }
}
