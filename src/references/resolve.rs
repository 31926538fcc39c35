//! Requests that put secrets in the place of their references.

mod problems;
mod search;

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::{Base, Reference};
use crate::core::{Clock, ErrorKind, Origin, SecretValue, Secrets, SnapshotSource, Unreadable, XtraError};
use crate::engine::{Async, Client, Owner};
use crate::references;
use crate::services::xtra::{Xtra, compared_project};
use problems::{Label, not_one_reference};
use search::{Input, Search};

impl<M> Client<Xtra, M> {
    /// Reads the secret that a [`Reference`] names. Awaiting the request gives a [`SecretValue`].
    ///
    /// The value is rendered in turn, as by [`render`](Self::render), unless [`shallow`](Resolve::shallow) is called.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when the text is anything but one reference; else as [`render`](Self::render).
    ///
    /// ```
    /// # use xtrasecurity::{XtraClient, XtraError};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), XtraError> {
    /// let client = XtraClient::in_memory([("API_KEY", "k-123")])?;
    /// let key = client.resolve("xtra:///production/API_KEY").await?;
    /// assert_eq!(key.expose(), "k-123");
    /// # Ok(())
    /// # }
    /// ```
    pub fn resolve<'a>(&'a self, reference: impl Into<Cow<'a, str>>) -> Resolve<'a, ResolveText<'a>, M> {
        Resolve::of_text(&self.engine, What::Reference(reference.into()))
    }

    /// Puts secrets in the place of the references in a text. Awaiting the request gives a [`SecretValue`].
    ///
    /// | in the text | becomes |
    /// |---|---|
    /// | `{{ xtra:///production/API_KEY }}` | the secret that the [`Reference`] names |
    /// | a text that is one reference and nothing else | the same, without the white space around it |
    /// | `\{{` | `{{`, whatever follows |
    /// | `\\{{` | `\`, then what `{{` begins |
    /// | `{{` with anything else behind it | itself, so that texts for other template languages pass through |
    /// | `{{ XTRA://` and other capitals | an error: it was meant as a reference |
    ///
    /// Each environment is read once, by way of the cache, however many references name it; several are read at the same
    /// time. So the whole text is of one moment for each environment. Each read takes as long as the client's call timeout
    /// allows; for a limit on all of it, put `tokio::time::timeout` around the request. Dropping it is safe at any time.
    ///
    /// Values go in as they are: nothing is quoted or escaped for JSON, YAML, a shell or whatever the text is in.
    ///
    /// # References in values
    ///
    /// A value that holds references, in the same forms, is rendered in turn: so that a `DATABASE_URL` can be kept composed
    /// of its parts. There, a reference without a project means the project and branch of the secret that it stands in. A
    /// value without references stands for itself to the byte, whatever braces and backslashes are in it. References may lead
    /// on 16 times, and never in a circle.
    ///
    /// **They are read with this client's token.** Whoever may write a secret that is rendered can so make the program read
    /// whatever else its token may read, and put it into the place of that secret. Where that matters, call
    /// [`shallow`](Resolve::shallow), or use a token that may read no more than it must.
    ///
    /// # Errors
    ///
    /// - [`Invalid`](ErrorKind::Invalid), before anything is sent, for text that was meant as a reference and is none: each
    ///   with its line and column.
    /// - [`MissingSecret`](ErrorKind::MissingSecret) with every reference that leads nowhere, and why: no such secret, nothing
    ///   in the environment, a project that is refused. [`XtraError::keys`] lists them.
    /// - When every reference fails in the same way (a token that is not accepted, a timeout, masked values …), the error is
    ///   of that kind.
    /// - [`Invalid`](ErrorKind::Invalid) for references that lead in a circle, with the names on the way, or on and on; for more
    ///   than 100 environments; and for more than 16 MiB put together.
    ///
    /// ```
    /// # use xtrasecurity::{XtraClient, XtraError};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), XtraError> {
    /// let client = XtraClient::in_memory([("USER", "app"), ("PASSWORD", "hunter2")])?;
    /// let text = client.render("user={{ xtra:///production/USER }} password={{xtra:///production/PASSWORD}}").await?;
    /// assert_eq!(text.expose(), "user=app password=hunter2");
    /// # Ok(())
    /// # }
    /// ```
    pub fn render<'a>(&'a self, text: impl Into<Cow<'a, str>>) -> Resolve<'a, ResolveText<'a>, M> {
        Resolve::of_text(&self.engine, What::Text(text.into()))
    }

    /// The same for a file: UTF-8, at most 16 MiB. The file is read when the request is sent, with the thread blocked.
    ///
    /// # Errors
    ///
    /// As [`render`](Self::render); [`Invalid`](ErrorKind::Invalid) with the path when the file cannot be read.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::XtraClient) -> Result<(), xtrasecurity::XtraError> {
    /// let config = client.render_file("config/app.toml.tpl").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn render_file(&self, path: impl AsRef<Path>) -> Resolve<'_, ResolveText<'_>, M> {
        Resolve::of_text(&self.engine, What::File(path.as_ref().to_owned()))
    }

    /// Replaces the references in the values of a snapshot: the way to resolve composed secrets. Awaiting the request gives
    /// new [`Secrets`] of the same names.
    ///
    /// A reference without a project means the client's project and branch; if the snapshot is of another,
    /// [`project_id`](Resolve::project_id) and [`branch`](Resolve::branch) say so. A value without references
    /// stays as it is. The result counts as made by the program ([`SnapshotSource::Memory`]); names whose values did not
    /// come through are carried over.
    ///
    /// # Errors
    ///
    /// As [`render`](Self::render). The message tells which of the secrets held the reference, and the reference itself if it
    /// leads nowhere; of a malformed one, and of what is around it, it shows nothing.
    ///
    /// ```
    /// # use xtrasecurity::{XtraClient, XtraError};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), XtraError> {
    /// let url = "postgres://app:{{ xtra:///production/PASSWORD }}@db/app";
    /// let client = XtraClient::in_memory([("DATABASE_URL", url), ("PASSWORD", "hunter2")])?;
    /// let stored = client.get_secrets("production").await?;
    /// let secrets = client.resolve_secrets(&stored).await?;
    /// assert_eq!(secrets.require("DATABASE_URL")?.expose(), "postgres://app:hunter2@db/app");
    /// # Ok(())
    /// # }
    /// ```
    pub fn resolve_secrets(&self, secrets: &Secrets) -> Resolve<'_, ResolveValues, M> {
        let pairs = secrets.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        Resolve::new(&self.engine, ResolveValues { pairs, unreadable: secrets.unreadable().to_vec() })
    }

    /// The same for names and values of any origin: environment variables, or entries of a configuration. When a name comes
    /// twice, the last value counts.
    ///
    /// # Errors
    ///
    /// As [`resolve_secrets`](Self::resolve_secrets).
    ///
    /// ```
    /// # use xtrasecurity::{XtraClient, XtraError};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), XtraError> {
    /// let client = XtraClient::in_memory([("API_KEY", "k-123")])?;
    /// let resolved = client.resolve_pairs([("KEY", "xtra:///production/API_KEY"), ("PORT", "8080")]).await?;
    /// assert_eq!(resolved.require("KEY")?.expose(), "k-123");
    /// assert_eq!(resolved.require("PORT")?.expose(), "8080");
    /// # Ok(())
    /// # }
    /// ```
    pub fn resolve_pairs<N: Into<String>, V: Into<SecretValue>>(
        &self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Resolve<'_, ResolveValues, M> {
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Resolve::new(&self.engine, ResolveValues { pairs, unreadable: Vec::new() })
    }
}

/// What a request can be told.
#[derive(Clone, Default)]
struct Options {
    base: Base,
    no_cache: bool,
    shallow: bool,
}

/// A request for texts with secrets in the place of their references. It is sent when it is awaited.
///
/// [`resolve`](Client::resolve), [`render`](Client::render) and [`render_file`](Client::render_file) make one for one text
/// ([`ResolveText`]), which gives a [`SecretValue`]; [`resolve_secrets`](Client::resolve_secrets) and
/// [`resolve_pairs`](Client::resolve_pairs) one for many ([`ResolveValues`]), which gives [`Secrets`].
#[must_use = "a request does nothing until it is awaited"]
pub struct Resolve<'a, Op, M = Async> {
    engine: &'a Arc<Owner<Xtra>>,
    options: Options,
    operation: Op,
    mode: PhantomData<fn() -> M>,
}

/// The operation of a [`Resolve`] that makes one text.
#[non_exhaustive]
pub struct ResolveText<'a>(What<'a>);

enum What<'a> {
    Reference(Cow<'a, str>),
    Text(Cow<'a, str>),
    File(PathBuf),
}

/// The operation of a [`Resolve`] that makes a value for each of many names.
#[non_exhaustive]
pub struct ResolveValues {
    pairs: Vec<(String, SecretValue)>,
    unreadable: Vec<Unreadable>,
}

impl<'a, Op, M> Resolve<'a, Op, M> {
    fn new(engine: &'a Arc<Owner<Xtra>>, operation: Op) -> Self {
        Self { engine, options: Options::default(), operation, mode: PhantomData }
    }

    /// The same, to be sent in another way.
    #[cfg(feature = "blocking")]
    pub(crate) fn in_mode<N>(self) -> Resolve<'a, Op, N> {
        let Self { engine, options, operation, .. } = self;
        Resolve { engine, options, operation, mode: PhantomData }
    }

    /// Takes the values that references name as they are, and does not look for references in those.
    pub fn shallow(mut self) -> Self {
        self.options.shallow = true;
        self
    }

    /// Fetches every environment, whatever the cache holds, and stores the answers. Each is still read once.
    pub fn no_cache(mut self) -> Self {
        self.options.no_cache = true;
        self
    }

    /// The project of references in what was given that name none, in place of the client's: 24 hexadecimal digits,
    /// unless the service is a server of somebody's own.
    pub fn project_id(mut self, id: impl Into<String>) -> Self {
        self.options.base.project = Some(compared_project(id.into()));
        self
    }

    /// The branch of references in what was given that name neither project nor branch, in place of the client's default.
    pub fn branch(mut self, name: impl Into<String>) -> Self {
        self.options.base.branch = Some(name.into());
        self
    }
}

impl<'a, M> Resolve<'a, ResolveText<'a>, M> {
    fn of_text(engine: &'a Arc<Owner<Xtra>>, what: What<'a>) -> Self {
        Self::new(engine, ResolveText(what))
    }
}

impl<'a> Resolve<'a, ResolveText<'a>> {
    /// Sends the request; the same as awaiting it.
    ///
    /// # Errors
    ///
    /// See [`XtraClient::render`](Client::render).
    pub async fn send(self) -> Result<SecretValue, XtraError> {
        let Self { engine, options, operation: ResolveText(what), .. } = self;
        let input = match what {
            What::Reference(text) => {
                text.trim().parse::<Reference>().map_err(not_one_reference)?;
                Input::text(Label::Text, text.into_owned().into())
            }
            What::Text(text) => Input::text(Label::Text, text.into_owned().into()),
            What::File(path) => Input::text(Label::File(path.display().to_string()), references::read(&path)?),
        };
        let made = Search::new(&Client::over(Arc::clone(engine)), options).run(vec![input]).await?;
        made.into_iter().next().ok_or_else(|| XtraError::new(ErrorKind::Invalid, "there is no text"))
    }
}

impl Resolve<'_, ResolveValues> {
    /// Sends the request; the same as awaiting it.
    ///
    /// # Errors
    ///
    /// See [`XtraClient::resolve_secrets`](Client::resolve_secrets).
    pub async fn send(self) -> Result<Secrets, XtraError> {
        let Self { engine, options, operation: ResolveValues { pairs, unreadable }, .. } = self;
        let inputs = pairs.iter().map(|(name, value)| Input::value(Label::Secret(name.clone()), value.clone()));
        let made = Search::new(&Client::over(Arc::clone(engine)), options).run(inputs.collect()).await?;
        let values = pairs.into_iter().map(|(name, _)| name).zip(made).collect::<Vec<_>>();
        let clock = Clock::system();
        let fetched = clock.now();
        let origin = Origin { source: SnapshotSource::Memory, clock, fetched, ttl: Duration::ZERO };
        Ok(Secrets::assemble(values.into(), unreadable, origin))
    }
}

impl<'a> IntoFuture for Resolve<'a, ResolveText<'a>> {
    type Output = Result<SecretValue, XtraError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<'a> IntoFuture for Resolve<'a, ResolveValues> {
    type Output = Result<Secrets, XtraError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("no_cache", &self.no_cache)
            .field("shallow", &self.shallow)
            .finish_non_exhaustive()
    }
}

impl<Op: fmt::Debug, M> fmt::Debug for Resolve<'_, Op, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolve")
            .field("operation", &self.operation)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ResolveText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResolveText")
    }
}

impl fmt::Debug for ResolveValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolveValues").field("secrets", &self.pairs.len()).finish_non_exhaustive()
    }
}
