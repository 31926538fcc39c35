//! Several environments at once: before a program serves, and whenever somebody asks whether it is ready.

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
use super::read::Read;
use super::request::Request;
use crate::core::{ErrorKind, Secrets, XtraError};
use crate::services::xtra::Xtra;
use crate::services::xtra::shown_name;

/// A reading of several environments that is being put together; made by [`XtraClient::preload`](Client::preload). It is sent when it is
/// awaited.
#[derive(Debug)]
#[must_use = "nothing is read until it is awaited"]
pub struct Preload<'a, M = Async> {
    engine: &'a Arc<Owner<Xtra>>,
    environments: Vec<Cow<'a, str>>,
    required: Vec<Cow<'a, str>>,
    project: Option<Cow<'a, str>>,
    branch: Option<Cow<'a, str>>,
    deadline: Duration,
    allow_empty: bool,
    allow_unreadable: bool,
    mode: PhantomData<fn() -> M>,
}

impl<M> Client<Xtra, M> {
    /// Reads several environments at the same time and answers once: all are there, with every secret that is required, or
    /// what is wrong with each.
    ///
    /// At start-up it fills the cache, so that no first visitor waits; later it answers a readiness probe, from the cache as
    /// long as that is fresh, so it may be called often.
    ///
    /// # Errors
    ///
    /// One error that lists every environment that could not be read, with why, and every required name that is missing (the
    /// names are its [`keys`](XtraError::keys) too). Its kind is that of the gravest trouble: first what waiting does not
    /// mend ([`Unauthorized`](ErrorKind::Unauthorized), [`Config`](ErrorKind::Config), [`EmptyScope`](ErrorKind::EmptyScope) …),
    /// then [`MissingSecret`](ErrorKind::MissingSecret), then what may pass ([`Network`](ErrorKind::Network) …), then
    /// [`Timeout`](ErrorKind::Timeout) for environments that were not done at the deadline.
    /// [`Invalid`](ErrorKind::Invalid) when no environment is named.
    ///
    /// ```
    /// use std::time::Duration;
    /// use xtrasecurity::XtraClient;
    ///
    /// # fn main() -> Result<(), xtrasecurity::XtraError> {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let client = XtraClient::in_memory([("DATABASE_URL", "postgres://db")])?;
    /// let ready = client.preload(["production"]).require(["DATABASE_URL"]).deadline(Duration::from_secs(5)).await?;
    /// assert_eq!(ready.get("production").map(|secrets| secrets.len()), Some(1));
    ///
    /// let error = client.preload(["production"]).require(["API_KEY", "PORT"]).await.unwrap_err();
    /// assert_eq!(error.keys(), ["API_KEY", "PORT"]);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    pub fn preload<'a, N: Into<Cow<'a, str>>>(&'a self, environments: impl IntoIterator<Item = N>) -> Preload<'a, M> {
        Preload {
            engine: &self.engine,
            environments: environments.into_iter().map(Into::into).collect(),
            required: Vec::new(),
            project: None,
            branch: None,
            deadline: self.source().call_timeout(),
            allow_empty: false,
            allow_unreadable: false,
            mode: PhantomData,
        }
    }
}

impl<'a, M> Preload<'a, M> {
    /// Secrets that each of the environments must have, with a value that can be read. May be called more than once.
    ///
    /// From then on a refresh that no longer has one of them does not replace the snapshot that has it: see
    /// [`XtraClientBuilder::required`](crate::XtraClientBuilder::required).
    pub fn require<N: Into<Cow<'a, str>>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.required.extend(names.into_iter().map(Into::into));
        self
    }

    /// How long all of it may take. Default: the client's [`call_timeout`](crate::XtraClientBuilder::call_timeout). What
    /// others wait for goes on after it.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Another project than the client's: 24 hexadecimal digits, unless the service is a server of somebody's own.
    pub fn project_id(mut self, id: impl Into<Cow<'a, str>>) -> Self {
        self.project = Some(id.into());
        self
    }

    /// Another branch than the client's default. Case-sensitive.
    pub fn branch(mut self, name: impl Into<Cow<'a, str>>) -> Self {
        self.branch = Some(name.into());
        self
    }

    /// Accepts environments without secrets. Without this they are an error, because a mistyped name looks the same.
    pub fn allow_empty(mut self) -> Self {
        self.allow_empty = true;
        self
    }

    /// Accepts environments in which some values did not come through, as long as they are not required.
    pub fn allow_unreadable(mut self) -> Self {
        self.allow_unreadable = true;
        self
    }

    /// The same, to be sent in another way.
    #[cfg(feature = "blocking")]
    pub(crate) fn in_mode<N>(self) -> Preload<'a, N> {
        let Self { engine, environments, required, project, branch, deadline, allow_empty, allow_unreadable, .. } =
            self;
        let mode = PhantomData;
        Preload { engine, environments, required, project, branch, deadline, allow_empty, allow_unreadable, mode }
    }
}

impl Preload<'_> {
    /// Sends it; the same as awaiting it.
    ///
    /// # Errors
    ///
    /// See [`XtraClient::preload`](Client::preload).
    pub async fn send(self) -> Result<Preloaded, XtraError> {
        if self.environments.is_empty() {
            return Err(XtraError::new(
                ErrorKind::Invalid,
                "there is nothing to preload: name at least one environment",
            ));
        }
        let answers = self.answers().await;
        let mut ready = Vec::with_capacity(answers.len());
        let mut troubles = Vec::new();
        for (environment, answer) in self.environments.iter().zip(answers) {
            match self.judge(answer) {
                Ok(secrets) => ready.push((environment.clone().into_owned(), secrets)),
                Err(trouble) => troubles.push((environment.as_ref(), trouble)),
            }
        }
        if troubles.is_empty() { Ok(Preloaded { environments: ready }) } else { Err(self.error(troubles)) }
    }

    /// The answers in the order of the environments; `None` for those that were not there at the deadline.
    async fn answers(&self) -> Vec<Option<Result<Arc<Secrets>, XtraError>>> {
        let mut answers: Vec<_> = self.environments.iter().map(|_| None).collect();
        let mut reads: FuturesUnordered<_> =
            self.environments.iter().enumerate().map(|(at, name)| async move { (at, self.read(name).await) }).collect();
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

    async fn read(&self, environment: &str) -> Result<Arc<Secrets>, XtraError> {
        let client = Client::over(Arc::clone(self.engine));
        let mut request: Request<'_, Xtra, Read> = client.get_secrets(environment);
        if let Some(id) = &self.project {
            request = request.project_id(id.as_ref());
        }
        if let Some(name) = &self.branch {
            request = request.branch(name.as_ref());
        }
        if self.allow_unreadable {
            request = request.allow_unreadable();
        }
        request.must_keep(self.required.iter().map(Cow::as_ref));
        request.await
    }

    fn judge(&self, answer: Option<Result<Arc<Secrets>, XtraError>>) -> Result<Arc<Secrets>, Trouble> {
        let secrets = answer.ok_or(Trouble::Late(self.deadline))?.map_err(Trouble::Read)?;
        if secrets.is_empty() && secrets.unreadable().is_empty() && !self.allow_empty {
            return Err(Trouble::Empty);
        }
        let missing: Vec<_> = self.required.iter().filter(|name| !secrets.contains(name)).map(Cow::to_string).collect();
        if missing.is_empty() { Ok(secrets) } else { Err(Trouble::Missing(missing)) }
    }

    /// One error for all of them.
    fn error(&self, troubles: Vec<(&str, Trouble)>) -> XtraError {
        // Environments mostly fail alike: what is wrong is told once.
        let mut told: Vec<(String, Vec<String>)> = Vec::new();
        for (environment, trouble) in &troubles {
            let (name, text) = (shown_name(environment), trouble.to_string());
            match told.iter_mut().find(|(known, _)| *known == text) {
                Some((_, names)) => names.push(name),
                None => told.push((text, vec![name])),
            }
        }
        let mut message = format!("{} of {} environments cannot be used", troubles.len(), self.environments.len());
        for (text, names) in told {
            message.push_str(&format!("; {}: {text}", names.join(", ")));
        }
        let keys: BTreeSet<String> = troubles.iter().flat_map(|(_, trouble)| trouble.keys()).cloned().collect();
        let gravest = troubles.iter().map(|(_, trouble)| trouble).min_by_key(|trouble| trouble.rank());
        let error = match gravest {
            Some(Trouble::Read(error)) => error.clone().saying(message),
            Some(Trouble::Empty) => XtraError::new(ErrorKind::EmptyScope, message),
            Some(Trouble::Missing(_)) => XtraError::new(ErrorKind::MissingSecret, message),
            Some(Trouble::Late(_)) | None => XtraError::new(ErrorKind::Timeout, message),
        };
        error.with_keys(keys)
    }
}

/// Why an environment cannot be used.
enum Trouble {
    Read(XtraError),
    Empty,
    Missing(Vec<String>),
    Late(Duration),
}

impl Trouble {
    /// Lower is graver. The first of the gravest gives the error its kind.
    fn rank(&self) -> u8 {
        match self {
            Self::Read(error) if !error.is_retryable() => 0,
            Self::Empty => 0,
            Self::Missing(_) => 1,
            Self::Read(_) => 2,
            Self::Late(_) => 3,
        }
    }

    fn keys(&self) -> &[String] {
        match self {
            Self::Read(error) => error.keys(),
            Self::Missing(names) => names,
            Self::Empty | Self::Late(_) => &[],
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Empty => f.write_str(
                "it holds no secrets, and an unknown name looks the same. Check the name and the branch, or accept it with \
                 allow_empty()",
            ),
            Self::Missing(names) => {
                let names: Vec<_> = names.iter().map(|name| plain_or_quoted(name)).collect();
                write!(f, "missing, or not readable: {}", names.join(", "))
            }
            Self::Late(limit) => write!(f, "not done within {limit:?}. Try again, or raise the deadline"),
        }
    }
}

/// A secret's name as it is, or in quotes when it would not read as one word.
fn plain_or_quoted(name: &str) -> Cow<'_, str> {
    let is_plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if is_plain { name.into() } else { format!("{name:?}").into() }
}

impl<'a> IntoFuture for Preload<'a> {
    type Output = Result<Preloaded, XtraError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Environments that were read, with everything that was required of them; from [`XtraClient::preload`](Client::preload).
///
/// `Debug` shows how many secrets each holds and how old they are, and neither names nor values of secrets.
#[derive(Clone)]
#[non_exhaustive]
pub struct Preloaded {
    environments: Vec<(String, Arc<Secrets>)>,
}

impl Preloaded {
    /// The snapshot of an environment, by the name that it was asked for with.
    #[must_use]
    pub fn get(&self, environment: &str) -> Option<&Arc<Secrets>> {
        self.environments.iter().find(|(name, _)| name == environment).map(|(_, secrets)| secrets)
    }

    /// The environments and their snapshots, in the order that they were asked for in.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Arc<Secrets>)> {
        self.environments.iter().map(|(name, secrets)| (name.as_str(), secrets))
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
