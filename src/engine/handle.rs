//! The handle of a scope: the way to read one scope again and again on a hot path.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::client::Client;
use super::fairness::Hits;
use super::outcome::Answer;
use super::read_options::References;
use super::request::Options;
use super::source::{KeyWriter, SecretSource};
use super::store::Pinned;
use crate::core::{Identity, Secrets, XtraError};

/// One scope of a client, for code that reads it very often. Made by [`Client::scope`].
///
/// [`get`](Self::get) gives what an ordinary read gives, at any age of the snapshot, and costs a fraction of it while the snapshot
/// is fresh: the handle has written the key of its scope once, and keeps the snapshot that it found last, so that a hit is a few
/// loads and a look at the clock. It takes no lock, allocates nothing, writes nothing that another thread reads often, and lends the
/// snapshot instead of sharing it.
///
/// Reading takes `&mut self`: give each thread or task a clone of its own. A clone is a few reference counts.
///
/// It holds the client, and the snapshot that it gave last until it is asked again or dropped.
///
/// ```
/// # use xtrasecurity::{XtraClient, XtraError};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), XtraError> {
/// let client = XtraClient::in_memory([("API_KEY", "k-1")])?;
/// let mut secrets = client.scope("production");
/// for _ in 0..1000 {
///     let key = secrets.get().await?.require("API_KEY")?;
///     assert_eq!(key.expose(), "k-1");
/// }
/// assert_eq!(client.stats().hits, 999);
/// # Ok(())
/// # }
/// ```
#[non_exhaustive]
#[must_use = "a handle reads nothing until get()"]
pub struct ScopeHandle<S: SecretSource> {
    client: Client<S>,
    scope: Arc<S::Scope<'static>>,
    options: Options,
    /// The key of the scope, and whose it is: another account's token may come in.
    key: Option<(Identity, Arc<[u8]>)>,
    kept: Kept,
    hits: Hits,
}

/// The snapshot that was given last.
#[derive(Clone)]
enum Kept {
    Nothing,
    /// It may be given again, for as long as the store would.
    Pinned(Pinned<Arc<Secrets>>, Identity),
    /// It was good for one answer.
    Given(Arc<Secrets>),
}

/// # Read on a hot path
impl<S: SecretSource, M> Client<S, M> {
    /// A handle of `scope`, for code that reads it on a hot path: see [`ScopeHandle`]. Nothing is sent yet.
    pub fn scope(&self, scope: impl Into<S::Scope<'static>>) -> ScopeHandle<S> {
        ScopeHandle {
            client: self.in_mode(),
            scope: Arc::new(scope.into()),
            options: self.engine.read_options(),
            key: None,
            kept: Kept::Nothing,
            hits: Hits::default(),
        }
    }
}

impl<S: SecretSource> ScopeHandle<S> {
    /// Accepts a snapshot in which some values did not come through, as
    /// [`Request::allow_unreadable`](crate::Request::allow_unreadable) does.
    pub fn allow_unreadable(mut self) -> Self {
        self.options.allow_unreadable = true;
        self
    }

    /// The same handle of the values whose references are followed, or are not: for what asks for it by name.
    pub(crate) fn with_references(mut self, references: References) -> Self {
        self.options.references = references;
        self.key = None;
        self.kept = Kept::Nothing;
        self
    }

    /// The client that the handle reads by.
    #[must_use]
    pub fn client(&self) -> &Client<S> {
        &self.client
    }

    /// What the handle reads.
    #[must_use]
    pub fn target(&self) -> &S::Scope<'static> {
        &self.scope
    }

    /// A handle of another scope, with the same options: for options that a service adds.
    pub fn with_target(mut self, scope: S::Scope<'static>) -> Self {
        self.scope = Arc::new(scope);
        self.key = None;
        self.kept = Kept::Nothing;
        self
    }

    /// The snapshot, lent until the handle is asked again. It is an [`Arc`], so what must last longer can be cloned.
    ///
    /// Answered by the first poll when the cache has a snapshot that may be served at once; otherwise it waits for the service as
    /// [`Client::read`] does. A loop of such reads gives way to the other tasks of its thread every few thousand reads, by
    /// Tokio's cooperative budget. Dropping the future is safe at any time. Code that is not async calls `get().wait()` (feature
    /// `blocking`).
    ///
    /// # Errors
    ///
    /// Those of [`Client::read`].
    #[inline]
    pub fn get(&mut self) -> ScopeRead<'_, S> {
        ScopeRead { step: Step::Start(self) }
    }

    /// Whether the snapshot that was given last may be given again. That counts as a read.
    #[inline]
    fn is_fresh(&mut self) -> bool {
        let engine = &self.client.engine;
        if let (Kept::Pinned(pinned, identity), Some(store)) = (&self.kept, &engine.store)
            && store.is_fresh(pinned.about(), pinned.found(), engine.clock.now())
            && engine.source.identity() == *identity
        {
            engine.counts.hits.add();
            return true;
        }
        false
    }

    /// Takes what the cache has and may serve at once.
    #[cold]
    fn find(&mut self) -> bool {
        self.kept = self.look().unwrap_or(Kept::Nothing);
        !matches!(self.kept, Kept::Nothing)
    }

    fn look(&mut self) -> Option<Kept> {
        let engine = &self.client.engine;
        let identity = engine.source.identity();
        let key = match &self.key {
            Some((whose, key)) if *whose == identity => Arc::clone(key),
            _ => {
                let mut writer = KeyWriter::new();
                // the identity in the key is the one that counts
                let whose = engine.write_key(&self.scope, self.options.references, &mut writer);
                let key: Arc<[u8]> = writer.as_slice().into();
                self.key = Some((whose, Arc::clone(&key)));
                key
            }
        };
        let whose = self.key.as_ref().map(|(whose, _)| *whose)?;
        if let Some(pinned) = engine.store.as_ref()?.pin(&key, engine.clock.now()) {
            engine.counts.hits.add();
            return Some(Kept::Pinned(pinned, whose));
        }
        engine.cached(&self.scope, &self.options).map(Kept::Given)
    }

    #[inline]
    fn checked(&self) -> Result<&Arc<Secrets>, XtraError> {
        let secrets = match &self.kept {
            Kept::Pinned(pinned, _) => pinned.value(),
            Kept::Given(secrets) => secrets,
            Kept::Nothing => return Err(nothing_kept()),
        };
        if !self.options.allow_unreadable {
            secrets.all_readable().map_err(|error| self.of_read(error))?;
        }
        Ok(secrets)
    }

    #[cold]
    fn of_read(&self, error: XtraError) -> XtraError {
        self.client.engine.of_read(&self.scope, error)
    }
}

/// Cannot happen: what is lent was taken a moment before.
#[cold]
fn nothing_kept() -> XtraError {
    XtraError::new(crate::core::ErrorKind::Server, "a handle had no snapshot to give; read the scope again")
}

impl<S: SecretSource> Clone for ScopeHandle<S> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            scope: Arc::clone(&self.scope),
            options: self.options,
            key: self.key.clone(),
            kept: self.kept.clone(),
            hits: self.hits,
        }
    }
}

impl<S: SecretSource> fmt::Debug for ScopeHandle<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allow_unreadable = self.options.allow_unreadable;
        f.debug_struct("ScopeHandle")
            .field("client", &self.client)
            .field("allow_unreadable", &allow_unreadable)
            .finish_non_exhaustive()
    }
}

/// The future of [`ScopeHandle::get`].
#[must_use = "a read does nothing until it is awaited"]
pub struct ScopeRead<'h, S: SecretSource> {
    step: Step<'h, S>,
}

enum Step<'h, S: SecretSource> {
    Start(&'h mut ScopeHandle<S>),
    Waiting(&'h mut ScopeHandle<S>, Pin<Box<dyn Future<Output = Answer> + Send>>),
    Done,
}

impl<'h, S: SecretSource> Future for ScopeRead<'h, S> {
    type Output = Result<&'h Arc<Secrets>, XtraError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match std::mem::replace(&mut self.step, Step::Done) {
            Step::Start(handle) => {
                if handle.hits.poll_next(context).is_pending() {
                    self.step = Step::Start(handle);
                    return Poll::Pending;
                }
                if handle.is_fresh() || handle.find() {
                    return Poll::Ready(handle.checked());
                }
                self.begin(handle, context)
            }
            Step::Waiting(handle, load) => self.poll_load(handle, load, context),
            Step::Done => Poll::Pending,
        }
    }
}

impl<'h, S: SecretSource> ScopeRead<'h, S> {
    /// The answer, when the cache has it; else what it takes to wait for it.
    #[cfg(feature = "blocking")]
    #[inline]
    pub(crate) fn at_once(mut self) -> Result<<Self as Future>::Output, Self> {
        match std::mem::replace(&mut self.step, Step::Done) {
            Step::Start(handle) => {
                if handle.is_fresh() || handle.find() {
                    return Ok(handle.checked());
                }
                Err(Self { step: Step::Start(handle) })
            }
            step => Err(Self { step }),
        }
    }

    #[cold]
    fn begin(&mut self, handle: &'h mut ScopeHandle<S>, context: &mut Context<'_>) -> Poll<<Self as Future>::Output> {
        match handle.client.engine.fetch(&handle.scope, handle.options) {
            Ok(load) => self.poll_load(handle, Box::pin(load), context),
            Err(error) => Poll::Ready(Err(handle.of_read(error))),
        }
    }

    #[cold]
    fn poll_load(
        &mut self,
        handle: &'h mut ScopeHandle<S>,
        mut load: Pin<Box<dyn Future<Output = Answer> + Send>>,
        context: &mut Context<'_>,
    ) -> Poll<<Self as Future>::Output> {
        match load.as_mut().poll(context) {
            Poll::Pending => {
                self.step = Step::Waiting(handle, load);
                Poll::Pending
            }
            Poll::Ready(Ok(secrets)) => {
                handle.kept = Kept::Given(secrets);
                Poll::Ready(handle.checked())
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(handle.of_read(error))),
        }
    }
}

impl<S: SecretSource> fmt::Debug for ScopeRead<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScopeRead")
    }
}
