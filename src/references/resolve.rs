//! The requests that put secrets in the place of their references.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::future::{Future, IntoFuture};
use std::io::{self, Read};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::graph::MOST_BYTES;
use super::problems::Label;
use super::reference::{Refer, Reference};
use super::search::{Input, Options, Reads, Search};
use crate::core::{ErrorKind, Hint, Origin, SecretValue, Secrets, Unreadable, XtraError, file_reason};
use crate::engine::{Async, Client, Owner};

/// # References in texts and values
///
/// [`Refer`] says what they look like; its implementations have examples.
impl<S: Refer, M> Client<S, M> {
    /// Reads the secret that a [`Reference`] names. Awaiting the request gives a [`SecretValue`].
    ///
    /// The value is rendered in turn, as by [`render`](Self::render), unless [`shallow`](Resolve::shallow) is called.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when the text is anything but one reference; else as [`render`](Self::render).
    pub fn resolve<'a>(&'a self, reference: impl Into<Cow<'a, str>>) -> Resolve<'a, S, ResolveText<'a>, M> {
        Resolve::of_text(&self.engine, What::Reference(reference.into()))
    }

    /// Puts secrets in the place of the references in a text. Awaiting the request gives a [`SecretValue`].
    ///
    /// | in the text | becomes |
    /// |---|---|
    /// | `{{ SCHEME:///ENVIRONMENT/KEY }}` | the secret that the [`Reference`] names |
    /// | `{{ SCHEME:///KEY }}` | the same of the client's default environment |
    /// | a text that is one reference and nothing else | the same, without the white space around it |
    /// | `\{{` | `{{`, whatever follows |
    /// | `\\{{` | `\`, then what `{{` begins |
    /// | `{{` with anything else behind it | itself, so that texts for other template languages pass through |
    /// | `{{` and a scheme in capitals | an error: it was meant as a reference |
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
    /// of its parts. There, a reference without a project means the project and parameter of the secret that it stands in, and its
    /// environment too where it names none. A
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
    ///   in the environment, a project that is refused. [`XtraError::names`] lists them.
    /// - When every reference fails in the same way (a token that is not accepted, a timeout, masked values …), the error is
    ///   of that kind.
    /// - [`Invalid`](ErrorKind::Invalid) for references that lead in a circle, with the names on the way, or on and on; for more
    ///   than 100 environments; and for more than 16 MiB put together.
    pub fn render<'a>(&'a self, text: impl Into<Cow<'a, str>>) -> Resolve<'a, S, ResolveText<'a>, M> {
        Resolve::of_text(&self.engine, What::Text(text.into()))
    }

    /// The same for a file: UTF-8, at most 16 MiB. The file is read when the request is sent, with the thread blocked.
    ///
    /// # Errors
    ///
    /// As [`render`](Self::render); [`Invalid`](ErrorKind::Invalid) with the path when the file cannot be read.
    pub fn render_file(&self, path: impl AsRef<Path>) -> Resolve<'_, S, ResolveText<'_>, M> {
        Resolve::of_text(&self.engine, What::File(path.as_ref().to_owned()))
    }

    /// Replaces the references in the values of a snapshot: the way to resolve composed secrets. Awaiting the request gives
    /// new [`Secrets`] of the same names.
    ///
    /// A reference without a project means the client's project and its default parameter; if the snapshot is of another,
    /// [`project_id`](Resolve::project_id) and [`parameter`](Resolve::parameter) say so. A value without references
    /// stays as it is. The result counts as made by the program ([`SnapshotSource::Memory`](crate::snapshot::SnapshotSource::Memory)); names whose values did not
    /// come through are carried over.
    ///
    /// # Errors
    ///
    /// As [`render`](Self::render). The message tells which of the secrets held the reference, and the reference itself if it
    /// leads nowhere; of a malformed one, and of what is around it, it shows nothing.
    pub fn resolve_secrets(&self, secrets: &Secrets) -> Resolve<'_, S, ResolveValues, M> {
        let pairs = secrets.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        Resolve::new(
            &self.engine,
            ResolveValues { pairs, unreadable: secrets.unreadable().to_vec(), method: "resolve_secrets" },
        )
    }

    /// The same for names and values of any origin: environment variables, or entries of a configuration. When a name comes
    /// twice, the last value counts.
    ///
    /// # Errors
    ///
    /// As [`resolve_secrets`](Self::resolve_secrets).
    pub fn resolve_pairs<N: Into<String>, V: Into<SecretValue>>(
        &self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Resolve<'_, S, ResolveValues, M> {
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Resolve::new(&self.engine, ResolveValues { pairs, unreadable: Vec::new(), method: "resolve_pairs" })
    }
}

/// A request for texts with secrets in the place of their references. It is sent when it is awaited.
///
/// [`resolve`](Client::resolve), [`render`](Client::render) and [`render_file`](Client::render_file) make one for one text
/// ([`ResolveText`]), which gives a [`SecretValue`]; [`resolve_secrets`](Client::resolve_secrets) and
/// [`resolve_pairs`](Client::resolve_pairs) one for many ([`ResolveValues`]), which gives [`Secrets`].
#[must_use = "a request does nothing until it is awaited"]
pub struct Resolve<'a, S: Refer, Op, M = Async> {
    engine: &'a Arc<Owner<S>>,
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

impl What<'_> {
    /// The method that was called for it.
    fn method(&self) -> &'static str {
        match self {
            Self::Reference(_) => "resolve",
            Self::Text(_) => "render",
            Self::File(_) => "render_file",
        }
    }
}

/// The operation of a [`Resolve`] that makes a value for each of many names.
#[non_exhaustive]
pub struct ResolveValues {
    pairs: Vec<(String, SecretValue)>,
    unreadable: Vec<Unreadable>,
    method: &'static str,
}

impl<'a, S: Refer, Op, M> Resolve<'a, S, Op, M> {
    fn new(engine: &'a Arc<Owner<S>>, operation: Op) -> Self {
        Self { engine, options: Options::default(), operation, mode: PhantomData }
    }

    /// The same, to be sent in another way.
    #[cfg(feature = "blocking")]
    pub(crate) fn in_mode<N>(self) -> Resolve<'a, S, Op, N> {
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
        self.options.reads = Reads::Fetched;
        self
    }

    /// The project of references in what was given that name none, in place of the client's: its id.
    pub fn project_id(mut self, id: impl Into<String>) -> Self {
        self.options.base.project = Some(S::normalized_project(id.into()));
        self
    }

    /// The parameter of references in what was given that have neither project nor parameter, in place of the client's default.
    pub fn parameter(mut self, value: impl Into<String>) -> Self {
        self.options.base.parameter = Some(value.into());
        self
    }
}

impl<'a, S: Refer, M> Resolve<'a, S, ResolveText<'a>, M> {
    fn of_text(engine: &'a Arc<Owner<S>>, what: What<'a>) -> Self {
        Self::new(engine, ResolveText(what))
    }
}

impl<'a, S: Refer> Resolve<'a, S, ResolveText<'a>> {
    /// Sends the request; the same as awaiting it.
    ///
    /// # Errors
    ///
    /// See [`Client::render`].
    pub async fn send(self) -> Result<SecretValue, XtraError> {
        let method = self.operation.0.method();
        self.make().await.map_err(|error| error.in_call(method))
    }

    async fn make(self) -> Result<SecretValue, XtraError> {
        let Self { engine, options, operation: ResolveText(what), .. } = self;
        let input = match what {
            What::Reference(text) => {
                Reference::of::<S>(text.trim()).map_err(not_one_reference)?;
                Input::text::<S>(Label::Text, text.into_owned().into())
            }
            What::Text(text) => Input::text::<S>(Label::Text, text.into_owned().into()),
            What::File(path) => Input::text::<S>(Label::File(path.display().to_string()), read(&path)?),
        };
        let made = Search::new(engine, options).run(vec![input]).await?;
        made.into_iter().next().ok_or_else(|| XtraError::new(ErrorKind::Invalid, "there is no text"))
    }
}

impl<S: Refer> Resolve<'_, S, ResolveValues> {
    /// Sends the request; the same as awaiting it.
    ///
    /// # Errors
    ///
    /// See [`Client::resolve_secrets`].
    pub async fn send(self) -> Result<Secrets, XtraError> {
        let Self { engine, options, operation: ResolveValues { pairs, unreadable, method }, .. } = self;
        let inputs = pairs.iter().map(|(name, value)| Input::value::<S>(Label::Secret(name.clone()), value.clone()));
        let made = Search::new(engine, options).run(inputs.collect()).await;
        let made = made.map_err(|error| error.in_call(method))?;
        let values = pairs.into_iter().map(|(name, _)| name).zip(made).collect::<Vec<_>>();
        Ok(Secrets::assemble(values.into_iter().collect(), unreadable, Origin::of_memory()))
    }
}

/// Advice for whoever gives a text to `resolve`.
fn not_one_reference(error: XtraError) -> XtraError {
    error.with_hint(Hint::Use { call: "render", purpose: "fill in a text with references in it" })
}

impl<'a, S: Refer> IntoFuture for Resolve<'a, S, ResolveText<'a>> {
    type Output = Result<SecretValue, XtraError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<'a, S: Refer> IntoFuture for Resolve<'a, S, ResolveValues> {
    type Output = Result<Secrets, XtraError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("no_cache", &matches!(self.reads, Reads::Fetched))
            .field("shallow", &self.shallow)
            .finish_non_exhaustive()
    }
}

impl<S: Refer, Op: fmt::Debug, M> fmt::Debug for Resolve<'_, S, Op, M> {
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

/// The text of a regular file. It may hold secrets beside its references, so that it is wiped after use.
///
/// Blocks the thread, on purpose: to hand the work over to another thread would leave that one behind for a while, and then
/// the environment of the process could not be set.
fn read(path: &Path) -> Result<SecretValue, XtraError> {
    // looked at before it is opened: to open a pipe could wait for ever
    let about = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !about.is_file() {
        return Err(problem(path, "is not a regular file"));
    }
    let too_large = || problem(path, &format!("is larger than {} MiB", MOST_BYTES / 1024 / 1024));
    let told = usize::try_from(about.len()).ok().filter(|told| *told <= MOST_BYTES).ok_or_else(too_large)?;
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    whole(path, file, told)
}

/// All of the file, which was `told` bytes long a moment ago.
fn whole(path: &Path, file: File, told: usize) -> Result<SecretValue, XtraError> {
    // one buffer that is large enough: growing would leave copies behind that are not wiped
    let room = told.max(16 * 1024) + 1;
    let mut content = Zeroizing::new(Vec::with_capacity(room));
    let mut bounded = file.take(room as u64);
    bounded.read_to_end(&mut content).map_err(|error| unreadable(path, &error))?;
    if bounded.limit() == 0 {
        return Err(problem(path, "grew while it was read"));
    }
    match std::str::from_utf8(&content) {
        Ok(text) => Ok(SecretValue::from(text)),
        Err(_) => Err(problem(path, "is not UTF-8 text")),
    }
}

fn problem(path: &Path, what: &str) -> XtraError {
    XtraError::new(ErrorKind::Invalid, format!("the file {} {what}", path.display()))
}

fn unreadable(path: &Path, error: &io::Error) -> XtraError {
    problem(path, &format!("cannot be read ({})", file_reason(error.kind()))).with_os_error(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_grows_while_it_is_read_is_not_cut() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "x".repeat(20_000)).unwrap();
        let read = |told| whole(file.path(), File::open(file.path()).unwrap(), told);
        assert!(read(10).unwrap_err().to_string().contains("grew while it was read"));
        assert!(read(19_999).unwrap_err().to_string().contains("grew while it was read"));
        assert_eq!(read(20_000).unwrap().len(), 20_000);
        assert_eq!(read(30_000).unwrap().len(), 20_000, "one that shrank is what it is");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_cannot_be_used_is_named_and_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("bytes"), b"hunter2\xff").unwrap();
        std::fs::File::create(at("large")).unwrap().set_len(MOST_BYTES as u64 + 1).unwrap();
        for (name, reason) in
            [("bytes", "UTF-8"), ("large", "16 MiB"), ("nowhere", "cannot be read"), (".", "regular file")]
        {
            let error = read(&at(name)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            let text = format!("{error} {error:?}");
            assert!(text.contains(reason) && text.contains(folder.path().to_str().unwrap()), "{text}");
            assert!(!text.contains("hunter2"));
        }
        let error = read(std::path::Path::new("/dev/zero")).unwrap_err();
        assert!(error.to_string().contains("regular file"));
        std::fs::write(at("text"), "é\n").unwrap();
        assert_eq!(read(&at("text")).unwrap().expose(), "é\n");
    }
}
