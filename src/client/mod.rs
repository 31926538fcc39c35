//! The front room: a client over any source of secrets, and its requests.

mod engine;
mod hits;
mod inject;
mod options;
#[cfg(feature = "xtra")]
mod preload;
mod read;
#[cfg(feature = "xtra")]
mod references;
mod refresh;
mod request;
mod stats;
#[cfg(feature = "typed")]
mod typed;
mod with_secret;
#[cfg(feature = "xtra")]
mod xtra;

use std::fmt;
use std::sync::Arc;

pub use inject::Inject;
pub use options::EngineOptions;
#[cfg(feature = "xtra")]
pub use preload::{Preload, Preloaded};
pub use read::{Read, ReadFuture};
#[cfg(feature = "xtra")]
pub use references::{Resolve, ResolveText, ResolveValues};
pub use request::Request;
pub use stats::Stats;
#[cfg(feature = "typed")]
pub use typed::ReadAs;
pub use with_secret::{UseError, WithSecret, WithSecretError};
#[cfg(feature = "xtra")]
pub use xtra::{Configuration, Setting, XtraClient, XtraClientBuilder, XtraClientOptions};

use crate::services::SecretSource;
use engine::Engine;

/// A client of a secrets manager: typed, cached, redacted secrets from the source `S`.
///
/// [`XtraClient`] is the client of XtraSecurity. Clones share one cache and one connection pool; a clone is one pointer.
/// Nothing runs in the background, so dropping the last clone leaves nothing behind.
pub struct Client<S: SecretSource> {
    engine: Arc<Engine<S>>,
}

impl<S: SecretSource> Client<S> {
    /// A client of `source` with default options: snapshots are fresh for 30 s.
    #[must_use]
    pub fn new_with_source(source: S) -> Self {
        Self::with_options(source, EngineOptions::default())
    }

    /// A client of `source` that caches by `options`.
    #[must_use]
    pub fn with_options(source: S, options: EngineOptions) -> Self {
        Self { engine: Arc::new(Engine::new(source, options)) }
    }

    /// Reads the secrets of `scope`, from the cache when it has a fresh snapshot.
    ///
    /// The request is sent when it is awaited. Callers that miss the same scope at the same time share one request; if it
    /// fails, each of them gets the error, nothing is cached, and the next read asks again.
    ///
    /// # Errors
    ///
    /// Those of [`SecretSource::prepare`] and [`SecretSource::load`]; [`ErrorKind::Masked`](crate::ErrorKind::Masked) or
    /// [`ErrorKind::Undecryptable`](crate::ErrorKind::Undecryptable) when values did not come through, unless the request
    /// says `allow_unreadable()`.
    pub fn read<'a>(&'a self, scope: S::Scope<'a>) -> Request<'a, S, Read> {
        Request::new(self, scope, Read)
    }

    /// Drops every snapshot that the cache holds. Answers that are under way when this is called are not cached either.
    pub fn clear_cache(&self) {
        self.engine.clear();
    }

    /// What the client has done so far. Clones of a client count together.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.engine.stats()
    }

    /// The source that this client reads.
    #[must_use]
    pub fn source(&self) -> &S {
        self.engine.source()
    }
}

impl<S: SecretSource> Clone for Client<S> {
    fn clone(&self) -> Self {
        Self { engine: Arc::clone(&self.engine) }
    }
}

impl<S: SecretSource> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("source", &self.source().name()).finish_non_exhaustive()
    }
}
