//! The preload: several scopes at once, before a program serves and for readiness probes.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::client::{Async, Client, Owner};
use super::fairness;
use super::outcome::Answer;
use super::read_options::References;
use super::request::Options;
use super::source::SecretSource;
use super::state::Engine;
use crate::core::{ErrorKind, Hint, Secrets, XtraError};

/// The call as errors name it.
const NAME: &str = "preload";

/// A reading of several scopes that is being put together; made by [`Client::preload`]. It is sent when it is awaited.
#[must_use = "nothing is read until it is awaited"]
pub struct Preload<'a, S: SecretSource, M = Async> {
    engine: &'a Arc<Owner<S>>,
    scopes: Vec<S::Scope<'a>>,
    required: Vec<Cow<'a, str>>,
    deadline: Duration,
    allow_empty: bool,
    options: Options,
    mode: PhantomData<fn() -> M>,
}

/// # Start-up and readiness
impl<S: SecretSource, M> Client<S, M> {
    /// Reads several scopes at the same time and answers once: all are there, with every secret that is required, or what is
    /// wrong with each.
    ///
    /// At start-up it fills the cache, so that no first visitor waits; later it answers a readiness probe, from the cache as
    /// long as that is fresh, so it may be called often.
    ///
    /// # Errors
    ///
    /// One error that lists every scope that could not be read, with why, and every required name that is missing (the
    /// names are its [`names`](XtraError::names) too). Its kind is that of the gravest trouble: first what waiting does not
    /// mend ([`Unauthorized`](ErrorKind::Unauthorized), [`Config`](ErrorKind::Config), [`EmptyScope`](ErrorKind::EmptyScope) …),
    /// then [`MissingSecret`](ErrorKind::MissingSecret), then what may pass ([`Network`](ErrorKind::Network) …), then
    /// [`Timeout`](ErrorKind::Timeout) for scopes that were not done at the deadline.
    /// [`Invalid`](ErrorKind::Invalid) when no scope is named.
    ///
    /// ```
    /// use std::time::Duration;
    /// use xtrasecurity::XtraClient;
    ///
    /// # fn main() -> Result<(), xtrasecurity::XtraError> {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let client = XtraClient::in_memory([("DATABASE_URL", "postgres://db")])?;
    /// let ready = client.preload(["production"]).required(["DATABASE_URL"]).deadline(Duration::from_secs(5)).await?;
    /// assert_eq!(ready.get("production").map(|secrets| secrets.len()), Some(1));
    ///
    /// let error = client.preload(["production"]).required(["API_KEY", "PORT"]).await.unwrap_err();
    /// assert_eq!(error.names(), ["API_KEY", "PORT"]);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    pub fn preload<'a, N: Into<S::Scope<'a>>>(&'a self, scopes: impl IntoIterator<Item = N>) -> Preload<'a, S, M> {
        Preload {
            engine: &self.engine,
            scopes: scopes.into_iter().map(Into::into).collect(),
            required: Vec::new(),
            deadline: self.source().call_timeout(),
            allow_empty: false,
            options: self.engine.read_options(),
            mode: PhantomData,
        }
    }
}

impl<'a, S: SecretSource, M> Preload<'a, S, M> {
    /// Changes every scope: for options that a service adds.
    pub fn map_scopes(mut self, change: impl FnMut(S::Scope<'a>) -> S::Scope<'a>) -> Self {
        self.scopes = self.scopes.into_iter().map(change).collect();
        self
    }

    /// Secrets that each of the scopes must have, with a value that can be read. May be called more than once.
    ///
    /// From then on a refresh that no longer has one of them does not replace the snapshot that has it: see
    /// [`EngineOptions::required`](crate::EngineOptions::required).
    pub fn required<N: Into<Cow<'a, str>>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.required.extend(names.into_iter().map(Into::into));
        self
    }

    /// How long all of it may take. Default: the source's [`call_timeout`](SecretSource::call_timeout). What others wait for
    /// goes on after it.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Accepts scopes without secrets. Without this they are an error, because a mistyped name looks the same.
    pub fn allow_empty(mut self) -> Self {
        self.allow_empty = true;
        self
    }

    /// Accepts scopes in which some values did not come through, as long as they are not required.
    pub fn allow_unreadable(mut self) -> Self {
        self.options.allow_unreadable = true;
        self
    }

    /// The same of the values whose references are followed, or are not, by an engine that `prepare` has told how.
    pub(crate) fn with_references(mut self, references: References, prepare: impl FnOnce(&Engine<S>)) -> Self {
        prepare(self.engine);
        self.options.references = references;
        self
    }

    /// The same, to be sent in another way.
    #[cfg(feature = "blocking")]
    pub(crate) fn in_mode<N>(self) -> Preload<'a, S, N> {
        let Self { engine, scopes, required, deadline, allow_empty, options, .. } = self;
        Preload { engine, scopes, required, deadline, allow_empty, options, mode: PhantomData }
    }
}

impl<'a, S: SecretSource> Preload<'a, S> {
    /// Sends it; the same as awaiting it.
    ///
    /// # Errors
    ///
    /// See [`Client::preload`].
    pub async fn send(self) -> Result<Preloaded, XtraError> {
        if self.scopes.is_empty() {
            let error = XtraError::new(ErrorKind::Invalid, "there is nothing to preload");
            return Err(error.with_hint(Hint::advice("Name at least one scope")).in_call(NAME));
        }
        let answers = self.answers().await;
        let mut ready = Vec::with_capacity(answers.len());
        let mut troubles = Vec::new();
        let source = &self.engine.source;
        for (nth, (scope, answer)) in (1..).zip(self.scopes.iter().zip(answers)) {
            match self.judge(answer) {
                Ok(secrets) => ready.push((source.scope_name(scope).into_owned(), secrets)),
                Err(trouble) => {
                    let shown = source.show_scope(scope);
                    troubles.push((if shown.is_empty() { format!("scope {nth}") } else { shown }, trouble));
                }
            }
        }
        if troubles.is_empty() { Ok(Preloaded { scopes: ready }) } else { Err(self.error(troubles)) }
    }

    /// The answers in the order of the scopes; `None` for those that were not there at the deadline.
    async fn answers(&self) -> Vec<Option<Answer>> {
        let mut answers: Vec<_> = self.scopes.iter().map(|_| None).collect();
        let mut reads: FuturesUnordered<_> =
            self.scopes.iter().enumerate().map(|(at, scope)| async move { (at, self.read(scope).await) }).collect();
        // Made only when something must be waited for: what is in memory needs no timer, and perhaps there is none.
        let mut deadline = None;
        poll_fn(|context| {
            while let Poll::Ready(next) = reads.poll_next_unpin(context) {
                let Some((at, answer)) = next else { return Poll::Ready(()) };
                if let Some(place) = answers.get_mut(at) {
                    *place = Some(answer);
                }
            }
            let deadline = deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.deadline)));
            deadline.as_mut().poll(context)
        })
        .await;
        drop(reads);
        answers
    }

    async fn read(&self, scope: &S::Scope<'a>) -> Answer {
        let engine = self.engine;
        engine.require(scope, self.options, self.required.iter().map(Cow::as_ref));
        fairness::next().await;
        let secrets = match engine.cached(scope, &self.options) {
            Some(secrets) => secrets,
            None => engine.fetch(scope, self.options)?.await?,
        };
        self.options.check(secrets)
    }

    fn judge(&self, answer: Option<Answer>) -> Result<Arc<Secrets>, Trouble> {
        let secrets = answer.ok_or(Trouble::Late(self.deadline))?.map_err(Trouble::Read)?;
        if !self.allow_empty {
            secrets.require_any().map_err(Trouble::Empty)?;
        }
        let required = || self.required.iter().map(Cow::as_ref);
        match secrets.lacks(required()) {
            None => Ok(secrets),
            Some(told) => {
                let names = required().filter(|name| !secrets.contains(name)).map(str::to_owned).collect();
                Err(Trouble::Missing { names, told })
            }
        }
    }

    /// One error for all of them.
    fn error(&self, troubles: Vec<(String, Trouble)>) -> XtraError {
        // Scopes mostly fail alike: what is wrong is told once.
        let mut told: Vec<(String, Vec<&str>)> = Vec::new();
        for (name, trouble) in &troubles {
            let text = trouble.to_string();
            match told.iter_mut().find(|(known, _)| *known == text) {
                Some((_, names)) => names.push(name),
                None => told.push((text, vec![name])),
            }
        }
        let mut message = format!("{} of {} scopes cannot be used", troubles.len(), self.scopes.len());
        for (text, names) in told {
            message.push_str(&format!("; {}: {text}", names.join(", ")));
        }
        let keys: BTreeSet<String> = troubles.iter().flat_map(|(_, trouble)| trouble.names()).cloned().collect();
        let gravest = troubles.iter().map(|(_, trouble)| trouble).min_by_key(|trouble| trouble.rank());
        let error = match gravest {
            Some(Trouble::Read(error)) => error.clone().within(message),
            Some(Trouble::Empty(_)) => XtraError::new(ErrorKind::EmptyScope, message),
            Some(Trouble::Missing { .. }) => XtraError::new(ErrorKind::MissingSecret, message),
            Some(Trouble::Late(_)) | None => XtraError::new(ErrorKind::Timeout, message),
        };
        let hints = troubles.iter().flat_map(|(_, trouble)| trouble.hints());
        error.with_hints(hints).with_names(keys).in_call(NAME)
    }
}

/// Why a scope cannot be used.
enum Trouble {
    Read(XtraError),
    Empty(XtraError),
    Missing { names: Vec<String>, told: String },
    Late(Duration),
}

impl Trouble {
    /// Lower is graver. The first of the gravest gives the error its kind.
    fn rank(&self) -> u8 {
        match self {
            Self::Read(error) if !error.is_retryable() => 0,
            Self::Empty(_) => 0,
            Self::Missing { .. } => 1,
            Self::Read(_) => 2,
            Self::Late(_) => 3,
        }
    }

    fn names(&self) -> &[String] {
        match self {
            Self::Read(error) => error.names(),
            Self::Missing { names, .. } => names,
            Self::Empty(_) | Self::Late(_) => &[],
        }
    }
}

impl Trouble {
    /// What to do about it.
    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Read(error) => error.hints().to_vec(),
            Self::Empty(error) => error.hints().iter().cloned().chain([Hint::AllowEmpty]).collect(),
            Self::Missing { .. } => Vec::new(),
            Self::Late(_) => vec![Hint::Retry, Hint::Raise { limit: "deadline" }],
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => f.write_str(&error.facts()),
            Self::Empty(error) => {
                f.write_str("it holds no secrets")?;
                error.notes().try_for_each(|note| write!(f, ". {note}"))
            }
            Self::Missing { told, .. } => f.write_str(told),
            Self::Late(limit) => write!(f, "not done within {limit:?}"),
        }
    }
}

impl<'a, S: SecretSource> IntoFuture for Preload<'a, S> {
    type Output = Result<Preloaded, XtraError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<S: SecretSource, M> fmt::Debug for Preload<'_, S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preload").field("source", &&self.engine.source.name()).finish_non_exhaustive()
    }
}

/// Scopes that were read, with everything that was required of them; from [`Client::preload`].
///
/// `Debug` shows how many secrets each holds and how old they are, and neither names nor values of secrets.
#[derive(Clone)]
#[non_exhaustive]
pub struct Preloaded {
    scopes: Vec<(String, Arc<Secrets>)>,
}

impl Preloaded {
    /// The snapshot of a scope, by its [name](SecretSource::scope_name): an environment, say, as it was asked for.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Secrets>> {
        self.scopes.iter().find(|(known, _)| known == name).map(|(_, secrets)| secrets)
    }

    /// The names of the scopes and their snapshots, in the order that they were asked for in.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Arc<Secrets>)> {
        self.scopes.iter().map(|(name, secrets)| (name.as_str(), secrets))
    }

    /// The age of the oldest snapshot.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.iter().map(|(_, secrets)| secrets.age()).max().unwrap_or_default()
    }
}

impl fmt::Debug for Preloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries =
            self.iter().map(|(name, secrets)| (name, format!("{} secrets, {:?} old", secrets.len(), secrets.age())));
        f.write_str("Preloaded ")?;
        f.debug_map().entries(entries).finish()
    }
}
