//! References in the values of every snapshot that is read: the options that follow them, and what does so.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::problems::Label;
use super::reference::{Base, Refer};
use super::search::{Input, Options, Reads, Search};
use super::template::refers;
use crate::core::{Origin, SecretValue, Secrets, SnapshotSource, XtraError};
use crate::engine::follow::{Followed, Unfollowed};
use crate::engine::read_options::References;
use crate::engine::request::Reads as ReadsSnapshot;
use crate::engine::{Client, Preload, Request, ScopeHandle};

/// # Follow references in what is read
impl<S: Refer, M> Client<S, M> {
    /// Whether reads of this client, and of its clones, put secrets in the place of the references in values: what
    /// [`Request::resolve_references`] says for one request, for all that do not say it. It holds for everything that reads: the
    /// handles, watches and requests that are made from now on. Default: values are as they are stored.
    ///
    /// ```
    /// # use xtrasecurity::{XtraClient, XtraError};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), XtraError> {
    /// let url = "postgres://app:{{ xtra:///PASSWORD }}@db/app";
    /// let client = XtraClient::in_memory([("DATABASE_URL", url), ("PASSWORD", "hunter2")])?.resolve_references(true);
    /// let secrets = client.get_secrets("production").await?;
    /// assert_eq!(secrets.require("DATABASE_URL")?.expose(), "postgres://app:hunter2@db/app");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn resolve_references(self, on: bool) -> Self {
        self.engine.follow_by_default(on, follow::<S>);
        self
    }
}

impl<S: Refer, Op: ReadsSnapshot, M> Request<'_, S, Op, M> {
    /// Whether secrets take the place of the references in values, as [`Client::render`] puts them into a text. Default: what
    /// the [client](Client::resolve_references) was told; without that, values are as they are stored.
    ///
    /// - It is done when the snapshot is loaded, and what is put together is cached apart from the values as they are stored. A
    ///   reference without a project means the project of the scope, and its environment and parameter where it names none.
    /// - A scope that is referred to is one request more, unless the cache has a snapshot of it in the first half of its time to
    ///   live. [`no_cache`](Self::no_cache), [`refresh`](Self::refresh) and what follows a refused credential read it anew. The
    ///   snapshot is as old as its oldest part, and is asked for again when that would be.
    /// - All of it is one call, and has the time of one. The limits are those of [`Client::render`].
    /// - Whatever else the read promises is meant of the whole: what is held back, watched, served while the service is away, or
    ///   kept on disk. A write of this client drops what is put together in the project that it changes; a value elsewhere that
    ///   refers to it follows when its time to live is over.
    ///
    /// **They are read with this client's token**: see [`Client::render`] for what that means for whoever may write a secret. To
    /// compare with what is stored (`if_unchanged` of a write), read with `resolve_references(false)`.
    ///
    /// # Errors
    ///
    /// Those of [`Client::resolve_secrets`] beside those of the read: one for all references that lead nowhere, to values that did
    /// not come through, or in a circle. Nothing is given then, as with any failed load; a snapshot that is kept may still be served.
    pub fn resolve_references(mut self, on: bool) -> Self {
        self.engine.follow_with(follow::<S>);
        self.options.references = References::when(on);
        self
    }
}

impl<S: Refer> ScopeHandle<S> {
    /// The same handle, with secrets in the place of the references in values or without; see [`Request::resolve_references`].
    pub fn resolve_references(self, on: bool) -> Self {
        self.client().engine.follow_with(follow::<S>);
        self.with_references(References::when(on))
    }
}

impl<S: Refer, M> Preload<'_, S, M> {
    /// Whether secrets take the place of the references in values; see [`Request::resolve_references`].
    pub fn resolve_references(self, on: bool) -> Self {
        self.with_references(References::when(on), |engine| engine.follow_with(follow::<S>))
    }
}

impl Secrets {
    /// The names of the secrets whose values hold references of the service `S`, well or badly written, in order.
    pub fn references<S: Refer>(&self) -> impl Iterator<Item = &str> {
        self.iter().filter(|(_, value)| refers::<S>(value.expose())).map(|(name, _)| name)
    }
}

/// Puts an answer together with what its values refer to.
fn follow<S: Refer>(unfollowed: Unfollowed<'_, S>) -> BoxFuture<'_, Result<Followed, XtraError>> {
    Box::pin(put_together(unfollowed))
}

async fn put_together<S: Refer>(unfollowed: Unfollowed<'_, S>) -> Result<Followed, XtraError> {
    let Unfollowed { engine, scope, key, loaded, parts } = unfollowed;
    let (names, inputs): (Vec<&str>, Vec<Input>) = loaded
        .values
        .iter()
        .filter(|(_, value)| refers::<S>(value.expose()))
        .map(|(name, value)| (name, Input::value::<S>(Label::Secret(name.to_owned()), value.clone())))
        .unzip();
    if names.is_empty() {
        return Ok(Followed { values: loaded.values.clone(), older: Duration::ZERO });
    }
    let base = Base {
        project: S::project_of(scope).map(str::to_owned),
        environment: S::environment_of(scope).map(str::to_owned),
        parameter: S::parameter_of(scope).map(str::to_owned),
    };
    let own = Secrets::assemble(
        loaded.values.clone(),
        loaded.unreadable.clone(),
        Origin {
            source: SnapshotSource::Memory,
            clock: engine.clock.clone(),
            fetched: engine.clock.now(),
            ttl: Duration::ZERO,
            passphrase: engine.source.passphrase_variable(),
            place: engine.place(scope),
        },
    );
    let options = Options { base, reads: Reads::Parts(parts), ..Options::default() };
    let mut search = Search::new(engine, options).knowing(key, Arc::new(own));
    let made = search.run(inputs).await?;
    let oldest = search.snapshots().map(Secrets::age).max().unwrap_or_default();
    let mut made = names.into_iter().zip(made).peekable();
    let values = loaded.values.iter().map(|(name, value)| {
        // both are in order of the names
        let value =
            made.next_if(|(next, _)| *next == name).map_or_else(|| value.clone(), |(_, value): (_, SecretValue)| value);
        (name.to_owned(), value)
    });
    Ok(Followed { values: values.collect(), older: parts.older_by(oldest, engine.clock.now()) })
}
