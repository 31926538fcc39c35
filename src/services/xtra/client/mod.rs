//! The client of XtraSecurity: its builder, and the calls that read.

mod build;
mod builder;
mod explain;
mod options;

use std::borrow::Cow;
use std::future::Future;

pub use builder::XtraClientBuilder;
pub use options::XtraClientOptions;

use super::{Xtra, XtraScope};
use crate::core::{SecretValue, SnapshotSource, XtraError};
use crate::engine::{Client, EngineOptions, Loaded, Preload, Read, Request, ScopeHandle, UseError, WithSecret};
use crate::inject::Inject;
#[cfg(feature = "typed")]
use crate::schema::ReadAs;
use crate::services::xtra::raw;

/// The client of XtraSecurity.
///
/// It needs a tokio runtime with its I/O and time drivers, which `#[tokio::main]` and `#[tokio::test]` turn on. One client
/// may be used on several runtimes; reads share a request only within one.
///
/// ```no_run
/// use xtrasecurity::{XtraClient, XtraError};
///
/// # async fn example() -> Result<(), XtraError> {
/// let client = XtraClient::from_env()?;
/// let secrets = client.get_secrets("production").await?;
/// let url = secrets.require("DATABASE_URL")?.expose();
/// # Ok(())
/// # }
/// ```
pub type XtraClient = Client<Xtra>;

/// # Make a client, and read secrets
impl<M> Client<Xtra, M> {
    /// Builds a client from environment variables and configuration files. Nothing is sent yet.
    ///
    /// | what | looked for in, first found |
    /// |---|---|
    /// | token | `XTRA_TOKEN`, `XTRA_MACHINE_TOKEN`, `token` in `~/.xtra/config.json`, the vendor CLI's store |
    /// | project | `XTRA_PROJECT_ID`, `project` in `./.xtrarc`, the project of a service account's key |
    /// | branch | `branch` in `./.xtrarc`, `main` |
    /// | [`default_environment`](Self::default_environment) | `env` in `./.xtrarc` |
    /// | [passphrase](XtraClientBuilder::vault_passphrase) | `XTRA_VAULT_PASSPHRASE`, `XTRA_MASTER_SECRET` |
    /// | base URL | `XTRA_API_URL`, `apiUrl` in `./.xtrarc`, `apiUrl` beside the token, `https://www.xtrasecurity.in/api` |
    ///
    /// An empty variable counts as absent.
    ///
    /// In a repository, a `.xtrarc` of a directory above counts where the working directory has none, up to the one that
    /// holds `.git`; the nearest alone.
    ///
    /// A token goes only to a base URL that its giver named. So `apiUrl` in `./.xtrarc` must have the origin (scheme, host and
    /// port) of the default base URL, of `apiUrl` in `~/.xtra/config.json`, or of the one that a login recorded beside the token;
    /// otherwise there is no client ([`Config`](crate::ErrorKind::Config)). An origin of your own is named by `XTRA_API_URL`,
    /// [`api_url`](XtraClientBuilder::api_url) or `xtrasec login --api-url`. `apiUrl` in `~/.xtra/config.json` is that of the token
    /// there; in a file without a token it is that of tokens in variables and in the program.
    ///
    /// When `XTRA_LOCAL_MODE` is exactly `true`, no token is needed: the client reads
    /// `.env.local` in the working directory instead of the service, and a warning is logged; see
    /// [`local_file`](XtraClientBuilder::local_file).
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn from_env() -> Result<Self, XtraError> {
        Self::builder().build()
    }

    /// Begins a client with options of your own; the builder has them all, by name.
    pub fn builder() -> XtraClientBuilder<M> {
        XtraClientBuilder::of_xtra()
    }

    /// Reads the secrets of an environment: `production`, `staging`, `development` or one of your own (aliases such as `prod`
    /// are not known here). Awaiting the request gives an `Arc<`[`Secrets`](crate::Secrets)`>`.
    ///
    /// Without further options: the client's project, its default branch (`main`), from the cache when the snapshot there is
    /// fresh. The environment's case does not matter. An environment or branch that does not exist is an empty snapshot,
    /// because the service does not tell the two apart; a warning is logged.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) for a name or project id that cannot be sent; [`Masked`](crate::ErrorKind::Masked)
    /// and [`Undecryptable`](crate::ErrorKind::Undecryptable) when values did not come through;
    /// [`Forbidden`](crate::ErrorKind::Forbidden) also for a project that does not exist; and what any call can meet:
    /// [`Unauthorized`](crate::ErrorKind::Unauthorized), [`RateLimited`](crate::ErrorKind::RateLimited),
    /// [`Timeout`](crate::ErrorKind::Timeout), [`Network`](crate::ErrorKind::Network), …
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::XtraClient) -> Result<(), xtrasecurity::XtraError> {
    /// let secrets = client.get_secrets("production").await?;
    /// let preview = client.get_secrets("staging").branch("feature/new-ui").no_cache().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_secrets<'a>(&'a self, environment: impl Into<Cow<'a, str>>) -> Request<'a, Xtra, Read, M> {
        self.read(XtraScope::new(environment))
    }
}

/// # Secrets as a type of your own
#[cfg(feature = "typed")]
impl<M> Client<Xtra, M> {
    /// Reads the secrets of an environment as a type of your own. [`Secrets::parse`](crate::Secrets::parse) tells which secret feeds which field and
    /// how its text is read.
    ///
    /// The options are those of [`get_secrets`](Self::get_secrets), and
    /// [`deny_unexpected`](Request::deny_unexpected) and [`allow_empty`](Request::allow_empty). The secrets come from the cache
    /// when it has a fresh snapshot; the type is made anew by each call, so keep it rather than reading it for each request
    /// that a server answers.
    ///
    /// # Errors
    ///
    /// Those of [`get_secrets`](Self::get_secrets); [`EmptyScope`](crate::ErrorKind::EmptyScope) when there are no secrets; and one
    /// error for all that is wrong with them, [`MissingSecret`](crate::ErrorKind::MissingSecret) or
    /// [`Invalid`](crate::ErrorKind::Invalid), with every name and no value.
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use serde::Deserialize;
    /// use xtrasecurity::schemars::{self, JsonSchema};
    /// use xtrasecurity::{SecretValue, XtraClient, XtraError};
    ///
    /// #[derive(Debug, Deserialize, JsonSchema)]
    /// struct AppConfig {
    ///     /// where the database is
    ///     database_url: SecretValue,
    ///     /// how long a request may take
    ///     timeout: Option<Duration>,
    ///     #[serde(default)]
    ///     tags: Vec<String>,
    /// }
    ///
    /// # async fn example() -> Result<(), XtraError> {
    /// let config: AppConfig = XtraClient::from_env()?.get_secrets_as("production").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_secrets_as<'a, T: serde::de::DeserializeOwned + schemars::JsonSchema>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
    ) -> Request<'a, Xtra, ReadAs<T>, M> {
        self.get_secrets(environment).with_operation(ReadAs::made_by("get_secrets_as"))
    }
}

/// # Secrets as environment variables
impl<M> Client<Xtra, M> {
    /// Reads the secrets of an environment and sets them as variables of this process.
    ///
    /// Setting a variable while another thread may read one is undefined behaviour on most systems. So this refuses
    /// ([`UnsoundInjection`](crate::ErrorKind::UnsoundInjection)), with nothing set, unless the process has exactly one
    /// thread: a current-thread runtime will do, a multi-threaded one will not. For the latter, give the secrets to a child
    /// process with [`Secrets::apply_to`](crate::Secrets::apply_to), or use the values directly. Linux and Windows only;
    /// elsewhere it always refuses.
    ///
    /// Variables that exist already are kept unless [`override_existing`](Request::override_existing) is called. All names
    /// are checked before the first is set.
    ///
    /// # Errors
    ///
    /// As [`get_secrets`](Self::get_secrets); [`EmptyScope`](crate::ErrorKind::EmptyScope) when there is nothing to set;
    /// [`Invalid`](crate::ErrorKind::Invalid) for names that cannot or may not be set;
    /// [`UnsoundInjection`](crate::ErrorKind::UnsoundInjection).
    ///
    /// ```no_run
    /// use xtrasecurity::{XtraClient, XtraError};
    ///
    /// #[tokio::main(flavor = "current_thread")]
    /// async fn main() -> Result<(), XtraError> {
    ///     let report = XtraClient::from_env()?.inject_secrets("production").await?;
    ///     println!("set {:?}", report.set());
    ///     Ok(())
    /// }
    /// ```
    pub fn inject_secrets<'a>(&'a self, environment: impl Into<Cow<'a, str>>) -> Request<'a, Xtra, Inject, M> {
        self.request(XtraScope::new(environment), Inject::by("inject_secrets"))
    }
}

/// # Other clients: from options, and without a service
impl<M> Client<Xtra, M> {
    /// Builds a client from `options`. What they leave open is looked up as [`from_env`](Self::from_env) does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Credentials`](crate::ErrorKind::Credentials) when no usable token is found, with what each place held;
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when an option cannot be used.
    pub fn new(options: XtraClientOptions) -> Result<Self, XtraError> {
        XtraClientBuilder::<M>::from(options).build()
    }

    /// A client without a service, for unit tests: every environment and branch holds these secrets.
    ///
    /// Its [`raw`](Self::raw) client fails with [`ErrorKind::Credentials`](crate::ErrorKind::Credentials) before anything
    /// is sent. For a service that can be written to and made to fail, use the dev server (feature `dev-server`).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when no HTTP client can be made on this system.
    ///
    /// ```
    /// use xtrasecurity::{XtraClient, XtraError};
    ///
    /// async fn port(client: &XtraClient) -> Result<u16, XtraError> {
    ///     let secrets = client.get_secrets("production").await?;
    ///     Ok(secrets.require("PORT")?.expose().parse().unwrap_or(80))
    /// }
    ///
    /// # fn main() -> Result<(), XtraError> {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let client = XtraClient::in_memory([("PORT", "8080")])?;
    /// assert_eq!(port(&client).await?, 8080);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    pub fn in_memory<N: Into<String>, V: Into<SecretValue>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, XtraError> {
        let loaded = Loaded::from_iter(pairs).from_source(SnapshotSource::Memory);
        Ok(Client::with_options(Xtra::in_memory(loaded)?, EngineOptions::default()).in_mode())
    }

    /// The environment of calls that name none: the [builder's](XtraClientBuilder::environment), or the one that `env` in
    /// `./.xtrarc` names (aliases such as `prod` spelled out). A client without a service, where every environment is the
    /// same, has `local`.
    #[must_use]
    pub fn default_environment(&self) -> Option<&str> {
        self.source().default_environment()
    }
}

/// # Every endpoint of the API
impl<M> Client<Xtra, M> {
    /// The generated client: every documented operation of the API, on this client's connections, token and retries.
    ///
    /// **It is exempt from semantic versioning**: it follows the service's document, and may change in any release.
    ///
    /// Its answers are not cached, and it is up to the caller what they mean; see [`raw`](crate::xtra::raw). A write by this way
    /// does not touch the cache either: call [`clear_cache`](Self::clear_cache) after it, or read with
    /// [`no_cache`](Request::no_cache).
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::XtraClient) -> Result<(), Box<dyn std::error::Error>> {
    /// let project = client.raw().projects_get().id("665f1c2ab7c0de0012345678").send().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn raw(&self) -> &raw::Client {
        self.source().raw()
    }
}

impl<'a, Op, M> Request<'a, Xtra, Op, M> {
    /// Another project than the client's: 24 hexadecimal digits, unless the service is a server of somebody's own.
    pub fn project_id(mut self, id: impl Into<Cow<'a, str>>) -> Self {
        self.scope = self.scope.project(id);
        self
    }

    /// Another environment than the one named so far, or the one of a call that names none.
    pub fn environment(mut self, name: impl Into<Cow<'a, str>>) -> Self {
        self.scope = self.scope.environment(name);
        self
    }

    /// Another branch than the client's default. Case-sensitive.
    pub fn branch(mut self, name: impl Into<Cow<'a, str>>) -> Self {
        self.scope = self.scope.branch(name);
        self
    }
}

/// # A secret where it is used
impl Client<Xtra> {
    /// Uses one secret of the [default environment](Self::default_environment), and tries a newer value once when it is
    /// refused; see [`Request::with_secret`]. For another environment, branch or project, call
    /// [`environment`](Request::environment), [`branch`](Request::branch) or [`project_id`](Request::project_id) on what this
    /// returns.
    ///
    /// # Errors
    ///
    /// As [`Request::with_secret`]; [`ErrorKind::Config`](crate::ErrorKind::Config) when there is no default environment and
    /// none is named.
    ///
    /// ```
    /// use xtrasecurity::{UseError, XtraClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let client = XtraClient::in_memory([("API_KEY", "k-1")])?;
    /// let answer = client.with_secret("API_KEY", |key| async move {
    ///     match ask(key.expose()) {
    ///         401 => Err(UseError::Refused(std::io::Error::other("the key was refused"))),
    ///         status => Ok(status),
    ///     }
    /// });
    /// assert_eq!(answer.await?, 200);
    /// # Ok(())
    /// # })
    /// # }
    /// # fn ask(key: &str) -> u16 { if key == "k-1" { 200 } else { 401 } }
    /// ```
    pub fn with_secret<'a, F, Fut, T, E>(
        &'a self,
        name: impl Into<Cow<'a, str>>,
        closure: F,
    ) -> Request<'a, Xtra, WithSecret<'a, F>>
    where
        F: FnMut(SecretValue) -> Fut,
        Fut: Future<Output = Result<T, UseError<E>>>,
    {
        self.read(XtraScope::default()).with_secret(name, closure)
    }
}

impl<'a, M> Preload<'a, Xtra, M> {
    /// Another project than the client's, for every environment: 24 hexadecimal digits, unless the service is a server of
    /// somebody's own.
    pub fn project_id(self, id: impl Into<Cow<'a, str>>) -> Self {
        let id = id.into();
        self.map_scopes(|scope| XtraScope { project: Some(id.clone()), ..scope })
    }

    /// Another branch than the client's default, for every environment. Case-sensitive.
    pub fn branch(self, name: impl Into<Cow<'a, str>>) -> Self {
        let name = name.into();
        self.map_scopes(|scope| XtraScope { branch: Some(name.clone()), ..scope })
    }
}

impl ScopeHandle<Xtra> {
    /// The same handle in another project than the client's: 24 hexadecimal digits, unless the service is a server of somebody's
    /// own.
    pub fn project_id(self, id: impl Into<Cow<'static, str>>) -> Self {
        let scope = XtraScope { project: Some(id.into()), ..self.target().clone() };
        self.with_target(scope)
    }

    /// The same handle on another branch than the client's default. Case-sensitive.
    pub fn branch(self, name: impl Into<Cow<'static, str>>) -> Self {
        let scope = XtraScope { branch: Some(name.into()), ..self.target().clone() };
        self.with_target(scope)
    }
}

// last, so that the page of the client begins with what is above
#[cfg(feature = "blocking")]
pub(crate) mod blocking;
