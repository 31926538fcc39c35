//! The client of a secrets manager, over any source.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use super::policy::EngineOptions;
use super::source::{KeyWriter, SecretSource};
use super::state::Engine;
use super::stats::Stats;

/// A client of a secrets manager: typed, cached, redacted secrets from the source `S`.
///
/// Each service of this crate has a client of this type under a name of its own. `M` is how its requests are sent: by awaiting
/// them ([`Async`], the default), or by a call that waits (`blocking::Blocking`). Clones share one cache and one connection pool;
/// a clone is one pointer.
///
/// How long a snapshot is served, by its age (the times are [`CacheOptions`](crate::CacheOptions)):
///
/// | age | a read |
/// |---|---|
/// | up to `ttl`, 30 s | is answered at once |
/// | for `stale_while_revalidate`, 30 s, after that | is answered at once, while one refresh runs |
/// | up to `max_stale`, 1 h | waits for the refresh, `stale_wait` (2 s) at most; after that, or if the service cannot be reached, it gets the snapshot all the same |
/// | older | waits for the service, and fails if that does; the values have left memory |
///
/// A refresh that failed is not repeated for a while (1 s, doubled up to 30 s, or what the service asks for up to a minute).
/// Reads do not wait meanwhile, nor for the refreshes after it until one succeeds or nobody has asked for a minute. An answer
/// of 401, 403 or 404 drops the snapshot at once, and so does one in which every value is masked. A refusal that is
/// [not the service's own](crate::XtraError::is_foreign_refusal) drops nothing: for `foreign_refusal_grace` (15 min from the first) it
/// counts as a service that cannot be reached, and each read that is answered so is a warning and a count; then it is the error.
///
/// # What is held back
///
/// An answer is compared with the snapshot that was accepted last; when a process has just started, with the copy on disk, if
/// there is one. It is held back when
///
/// - it has no secrets, where there were some,
/// - it has none of the names that there were,
/// - every value in it is ciphertext, where there were values that could be read,
/// - it lacks a name that there was and that is [required](EngineOptions::required), or
/// - it looks like an error in the place of secrets (a first answer that does is the error [`Decode`](crate::ErrorKind::Decode),
///   unless the request says [`allow_any_answer`](crate::Request::allow_any_answer)).
///
/// It is not stored, however long it lasts. The snapshot from before stays and grows older; reads get it until it is as old as
/// `max_stale`, and from then on the error that says what is wrong. [`invalidate`](Self::invalidate) accepts the next answer,
/// and an answer that is like the snapshot ends it. So a scope whose only secret was renamed needs `invalidate`. After a write of
/// this client's own, the next answer of the environment that it changed is accepted as it is.
///
/// Code that reads one scope very often takes a handle of it: [`scope`](Self::scope).
///
/// Refreshes, and the sweep that takes dead values out of memory, run as tasks of the tokio runtime that the client is used
/// on. Without a runtime a refresh runs on the time of the caller that meets the aged snapshot, and loads do the sweeping.
/// Dropping the last clone ends every task.
pub struct Client<S: SecretSource, M = Async> {
    pub(crate) engine: Arc<Owner<S>>,
    mode: PhantomData<fn() -> M>,
}

/// The mode of a [`Client`] whose requests are awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Async {}

/// What clients share. Tasks hold the engine alone, so that the last client can end them.
pub(crate) struct Owner<S: SecretSource>(Arc<Engine<S>>);

impl<S: SecretSource> Deref for Owner<S> {
    type Target = Arc<Engine<S>>;

    fn deref(&self) -> &Arc<Engine<S>> {
        &self.0
    }
}

impl<S: SecretSource> Drop for Owner<S> {
    fn drop(&mut self) {
        self.0.refresher.tasks.end();
    }
}

/// # Make a client of a source of your own
impl<S: SecretSource> Client<S> {
    /// A client of `source` with default options: snapshots are fresh for 30 s.
    #[must_use]
    pub fn new_with_source(source: S) -> Self {
        Self::with_options(source, EngineOptions::default())
    }

    /// A client of `source` that caches by `options`.
    #[must_use]
    pub fn with_options(source: S, options: EngineOptions) -> Self {
        Self::over(Arc::new(Owner(Arc::new(Engine::new(source, options)))))
    }
}

/// # Cache and statistics
impl<S: SecretSource, M> Client<S, M> {
    pub(crate) fn over(engine: Arc<Owner<S>>) -> Self {
        Self { engine, mode: PhantomData }
    }

    /// A client over the same cache and connections, whose requests are sent in another way.
    pub(crate) fn in_mode<N>(&self) -> Client<S, N> {
        Client::over(Arc::clone(&self.engine))
    }

    /// Drops what the cache holds of `scope`, so that the next read fetches: for programs that learn of a change by another
    /// way than asking. An answer that is under way when this is called is not cached either.
    pub fn invalidate<'a>(&'a self, scope: impl Into<S::Scope<'a>>) {
        self.engine.invalidate(&scope.into());
    }

    /// Drops what the cache holds of every scope whose key begins with the fields that `start` writes, in the order in which
    /// [`SecretSource::write_key`] writes them: for sources that write, and know what a write has changed. Answers that are under
    /// way are not cached either, whatever their scope. The next answers are accepted as they are where a key goes on as `changed`
    /// writes it, and [compared](#what-is-held-back) with what was there elsewhere.
    pub fn invalidate_under(&self, start: impl FnOnce(&mut KeyWriter), changed: impl FnOnce(&mut KeyWriter)) {
        self.engine.invalidate_under(start, changed);
    }

    /// Drops every snapshot that the cache holds in memory; copies on disk stay. Answers that are under way when this is called
    /// are not cached either.
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
        &self.engine.source
    }
}

impl<S: SecretSource> fmt::Debug for Owner<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("source", &self.source.name()).finish_non_exhaustive()
    }
}

impl<S: SecretSource, M> Clone for Client<S, M> {
    fn clone(&self) -> Self {
        self.in_mode()
    }
}

impl<S: SecretSource, M> fmt::Debug for Client<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.engine.fmt(f)
    }
}
