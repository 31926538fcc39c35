//! The client of Infisical: its builder, and the calls that read.

#[cfg(feature = "blocking")]
pub(crate) mod blocking;
mod builder;

use std::borrow::Cow;
use std::future::Future;

pub use builder::InfisicalClientBuilder;

use super::operations::{GetSecret, ListSecrets};
use super::raw;
use super::scope::InfisicalScope;
use super::source::{Infisical, of_memory};
use crate::core::{SecretValue, XtraError};
use crate::engine::{Client, EngineOptions, Loaded, Preload, Read, Request, ScopeHandle, UseError, WithSecret};
use crate::inject::Inject;
#[cfg(feature = "typed")]
use crate::schema::ReadAs;

/// The client of Infisical.
///
/// It needs a tokio runtime with its I/O and time drivers, which `#[tokio::main]` and `#[tokio::test]` turn on.
///
/// ```no_run
/// use xtrasecurity::XtraError;
/// use xtrasecurity::infisical::InfisicalClient;
///
/// # async fn example() -> Result<(), XtraError> {
/// let client = InfisicalClient::from_env()?;
/// let secrets = client.get_secrets("dev").await?;
/// let url = secrets.require("DATABASE_URL")?.expose();
/// let shared = client.get_secrets("prod").path("/shared").recursive().await?;
/// let password = client.get_secret("prod", "DB_PASSWORD").path("/app/db").await?;
/// # Ok(())
/// # }
/// ```
///
/// Servers since 2024 are known, and told apart by their answers: the newer interface (`/v4/secrets`) is asked first, and where
/// the server does not have it, the older one (`/v3/secrets/raw`), which is remembered. A snapshot that is refreshed is asked for
/// by its entity tag: when nothing has changed, the server sends no secrets, and [`Stats::unchanged`](crate::Stats::unchanged)
/// counts it.
///
/// # Changes as the server tells them
///
/// A [watch](crate::Client::watch) (feature `watch`) subscribes to the server's events for the folder that it watches, and reads when
/// there is one, instead of asking every minute. Infisical has them under its Enterprise licence, for identities whose role lets
/// them subscribe to all four events of secrets, and for projects that are named: a service token without a project polls. Where the
/// server refuses, the watch polls, and says so once, to tracing (target `xtrasecurity::service`, level info).
///
/// An event is a hint: its content is not used but for the place that it names. Events within 100 ms are one read, and there is at
/// most one read a second. Nothing is told again that happened without a connection, so each new connection is a read too; beside
/// it there is a poll every 10 minutes. A connection that broke, or over which nothing has come for a minute, is replaced
/// after 1 s, later after up to 60 s. What a folder imports is told of; what a reference names elsewhere is found by the
/// poll.
///
/// It costs one connection for each watched scope and runtime, which servers limit for an identity, and of requests one when it
/// begins, one for each event and 144 a day; those that find nothing new bring no secrets. The blocking client's watch does the
/// same. [`events`](InfisicalClientBuilder::events) turns it off.
pub type InfisicalClient = Client<Infisical>;

/// # Make a client of Infisical, and read secrets
impl<M> Client<Infisical, M> {
    /// Builds a client from environment variables and files. Nothing is sent yet.
    ///
    /// | what | looked for in, first found |
    /// |---|---|
    /// | credentials | the steps below |
    /// | organisation | `INFISICAL_AUTH_ORGANIZATION_SLUG` |
    /// | project | `INFISICAL_PROJECT_ID`, `INFISICAL_PROJECT_SLUG`, `.infisical.json`; a service token knows its own |
    /// | default environment | `INFISICAL_ENVIRONMENT`, `.infisical.json` |
    /// | default folder | `INFISICAL_SECRET_PATH`, `.infisical.json` |
    /// | base URL, with or without `/api` | `INFISICAL_DOMAIN`, `INFISICAL_API_URL`, `INFISICAL_URL`, `.infisical.json`, the command's login for its own token, `https://app.infisical.com/api` |
    ///
    /// The credentials are the first of these:
    ///
    /// 1. A client: `INFISICAL_UNIVERSAL_AUTH_CLIENT_ID` and `…_CLIENT_SECRET`, or `INFISICAL_CLIENT_ID` and `…_CLIENT_SECRET`. One of a
    ///    pair alone is an error.
    /// 2. A token: `INFISICAL_TOKEN`, `INFISICAL_ACCESS_TOKEN`, `INFISICAL_UNIVERSAL_AUTH_ACCESS_TOKEN`.
    /// 3. A machine identity, which needs no stored secret: `INFISICAL_KUBERNETES_IDENTITY_ID`, `INFISICAL_AWS_IAM_AUTH_IDENTITY_ID`,
    ///    `INFISICAL_GCP_AUTH_IDENTITY_ID`, `INFISICAL_AZURE_AUTH_IDENTITY_ID`, `INFISICAL_OIDC_AUTH_IDENTITY_ID`,
    ///    `INFISICAL_LDAP_AUTH_IDENTITY_ID`, or `INFISICAL_MACHINE_IDENTITY_ID` for any method. `INFISICAL_AUTH_METHOD` chooses the method, by
    ///    the names that the `infisical` command has (`kubernetes`, `aws-iam`, `gcp-id-token`, `gcp-iam`, `azure`, `oidc-auth`, `jwt-auth`,
    ///    `ldap-auth`); then other clients and identities in variables do not count. Without it an identity for any method logs in by
    ///    the token in `INFISICAL_JWT`, `INFISICAL_OIDC_AUTH_JWT` or `INFISICAL_ID_TOKEN` (as a job of GitLab has it), by that of a job of
    ///    GitHub Actions, or as a pod; where there is none of these, it is an error.
    /// 4. The login of the `infisical` command: `~/.infisical/infisical-config.json`, with a token in a file, or in the keyring of the
    ///    operating system (feature `keyring`: Keychain, Credential Manager, or the Secret Service by D-Bus, which leaves threads
    ///    behind, so that [`inject_secrets`](Self::inject_secrets) refuses then; it is waited for 10 s at most). It ends, and is not renewed.
    ///
    /// A [provider](crate::infisical::InfisicalClientBuilder::credentials) of the program's own stands before the first, after the third, or behind
    /// the last. When it names a [base URL](crate::credentials::CredentialProvider::base_url), its tokens go there, unless the option
    /// `base_url` names another.
    ///
    /// An empty variable counts as absent. What can be exchanged is preferred to a token, because it is exchanged anew when a token
    /// ends. `.infisical.json` is looked for in the working directory, then above it up to the root of the repository. The
    /// environment is `INFISICAL_ENVIRONMENT`, else the one that the file's `gitBranchToEnvironmentMapping` has for the branch that is
    /// checked out (worktrees have their own), else its `defaultEnvironment`. A base URL that it names is used only when that is known otherwise: a token is not
    /// sent anywhere on the word of such a file.
    ///
    /// # Errors
    ///
    /// [`Credentials`](crate::ErrorKind::Credentials) when no usable credentials are found, with what each place held;
    /// [`Config`](crate::ErrorKind::Config) or [`Invalid`](crate::ErrorKind::Invalid) when a setting cannot be used.
    pub fn from_env() -> Result<Self, XtraError> {
        Self::builder().build()
    }

    /// Begins a client with options of your own; the builder has them all, by name.
    pub fn builder() -> InfisicalClientBuilder<M> {
        InfisicalClientBuilder::of_infisical()
    }

    /// Reads the secrets of a folder of an environment, given by its slug. Awaiting the request gives an
    /// `Arc<`[`Secrets`](crate::Secrets)`>`.
    ///
    /// Without further options: the client's project and folder (`/`), without the folders below, with what it imports, and with
    /// references in values expanded by the server; from the cache when the snapshot there is fresh.
    ///
    /// A secret of the folder wins over imports, and of two imports the last wins, as when the server reads one by name. A name
    /// that is there twice has no value ([`Conflict`](crate::ErrorKind::Conflict)), since the server may read one and change
    /// another; with [`recursive`](Request::recursive) that is so for names in two folders too.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) for a name or path that cannot be sent; [`NotFound`](crate::ErrorKind::NotFound) for a
    /// folder, environment or project that is not there; [`Masked`](crate::ErrorKind::Masked) when values are hidden from the
    /// caller; [`Conflict`](crate::ErrorKind::Conflict) and [`Invalid`](crate::ErrorKind::Invalid) with the names whose values are
    /// ambiguous or hold a reference that cannot be followed (the rest is had with
    /// [`allow_unreadable`](Request::allow_unreadable)); [`Forbidden`](crate::ErrorKind::Forbidden),
    /// [`Unauthorized`](crate::ErrorKind::Unauthorized), and what any call can meet.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::infisical::InfisicalClient) -> Result<(), xtrasecurity::XtraError> {
    /// let secrets = client.get_secrets("dev").await?;
    /// let stored = client.get_secrets("dev").path("/app").include_imports(false).expand_references(false).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_secrets<'a>(&'a self, environment: impl Into<Cow<'a, str>>) -> Request<'a, Infisical, Read, M> {
        self.read(InfisicalScope::new(environment))
    }

    /// Reads one secret by its name, as the server gives it: with what the folder imports, and its references expanded. The
    /// answer is cached, apart from the snapshots of the folder.
    ///
    /// # Errors
    ///
    /// As [`get_secrets`](Self::get_secrets); [`NotFound`](crate::ErrorKind::NotFound) when there is no such secret;
    /// [`Decode`](crate::ErrorKind::Decode) when a [version](Request::version) is asked for and the server answers with another,
    /// as those of 2024 do.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::infisical::InfisicalClient) -> Result<(), xtrasecurity::XtraError> {
    /// let key = client.get_secret("prod", "API_KEY").path("/app").await?;
    /// let before = client.get_secret("prod", "API_KEY").path("/app").version(3).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        name: impl Into<Cow<'a, str>>,
    ) -> Request<'a, Infisical, GetSecret, M> {
        self.request(InfisicalScope::new(environment).secret(name), GetSecret)
    }

    /// Lists the secrets of a folder, or of a tree, one by one and in the order in which the server sends them: with their
    /// folders, versions, comments, tags and metadata. What is imported is left out. Nothing is cached.
    ///
    /// # Errors
    ///
    /// As [`get_secrets`](Self::get_secrets), but for names that come twice or are masked: each row is listed as it is.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::infisical::InfisicalClient) -> Result<(), xtrasecurity::XtraError> {
    /// for secret in client.list_secrets("dev").path("/app").recursive().await? {
    ///     println!("{}/{} in version {:?}", secret.folder, secret.name, secret.version);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_secrets<'a>(&'a self, environment: impl Into<Cow<'a, str>>) -> Request<'a, Infisical, ListSecrets, M> {
        self.request(InfisicalScope::new(environment), ListSecrets)
    }

    /// Reads the secrets of a folder of an environment and sets them as variables of this process, when that is sound: when the
    /// process has exactly one thread. Otherwise give them to a child with [`Secrets::apply_to`](crate::Secrets::apply_to).
    /// Variables that exist already are kept unless [`override_existing`](Request::override_existing) is called.
    ///
    /// # Errors
    ///
    /// As [`get_secrets`](Self::get_secrets); [`EmptyScope`](crate::ErrorKind::EmptyScope) when there is nothing to set;
    /// [`Invalid`](crate::ErrorKind::Invalid) for names that cannot or may not be set;
    /// [`UnsoundInjection`](crate::ErrorKind::UnsoundInjection).
    pub fn inject_secrets<'a>(&'a self, environment: impl Into<Cow<'a, str>>) -> Request<'a, Infisical, Inject, M> {
        self.request(InfisicalScope::new(environment), Inject::by("inject_secrets"))
    }

    /// A client without a server, for unit tests: every environment and folder holds these secrets.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) when no HTTP client can be made on this system.
    ///
    /// ```
    /// use xtrasecurity::infisical::InfisicalClient;
    ///
    /// # fn main() -> Result<(), xtrasecurity::XtraError> {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let client = InfisicalClient::in_memory([("PORT", "8080")])?;
    /// assert_eq!(client.get_secrets("dev").await?.require("PORT")?.expose(), "8080");
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    pub fn in_memory<N: Into<String>, V: Into<SecretValue>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, XtraError> {
        let source = Infisical::in_memory(of_memory(Loaded::from_iter(pairs)))?;
        Ok(Client::with_options(source, EngineOptions::default()).in_mode())
    }

    /// The environment of calls that name none.
    #[must_use]
    pub fn default_environment(&self) -> Option<&str> {
        self.source().default_environment()
    }
}

/// # Every endpoint of Infisical
impl<M> Client<Infisical, M> {
    /// The generated client: every operation of the service's document, on this client's connections, token and retries.
    ///
    /// **It is exempt from semantic versioning**: it follows the document, and may change in any release.
    ///
    /// Its answers are not cached, and it is up to the caller what they mean; see [`raw`](crate::infisical::raw). A write by this way
    /// does not touch the cache either: call [`clear_cache`](Self::clear_cache) after it, or read with
    /// [`no_cache`](Request::no_cache).
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::infisical::InfisicalClient) -> Result<(), xtrasecurity::XtraError> {
    /// let status = client.raw().status_get().send().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn raw(&self) -> &raw::Client {
        self.source().raw()
    }
}

/// # Secrets of Infisical as a type of your own
#[cfg(feature = "typed")]
impl<M> Client<Infisical, M> {
    /// Reads the secrets of a folder of an environment as a type of your own. [`Secrets::parse`](crate::Secrets::parse) tells which
    /// secret feeds which field and how its text is read.
    ///
    /// # Errors
    ///
    /// Those of [`get_secrets`](Self::get_secrets); [`EmptyScope`](crate::ErrorKind::EmptyScope) when there are no secrets; and one
    /// error for all that is wrong with them, [`MissingSecret`](crate::ErrorKind::MissingSecret) or
    /// [`Invalid`](crate::ErrorKind::Invalid), with every name and no value.
    pub fn get_secrets_as<'a, T: serde::de::DeserializeOwned + schemars::JsonSchema>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
    ) -> Request<'a, Infisical, ReadAs<T>, M> {
        self.get_secrets(environment).with_operation(ReadAs::made_by("get_secrets_as"))
    }
}

/// # What a request to Infisical reads
impl<'a, Op, M> Request<'a, Infisical, Op, M> {
    /// Another project than the client's, by its id.
    pub fn project_id(self, id: impl Into<Cow<'a, str>>) -> Self {
        self.map_scope(|scope| scope.project_id(id))
    }

    /// Another project than the client's, by its slug.
    pub fn project_slug(self, slug: impl Into<Cow<'a, str>>) -> Self {
        self.map_scope(|scope| scope.project_slug(slug))
    }

    /// Another environment than the one named so far, or the one of a call that names none, by its slug.
    pub fn environment(self, slug: impl Into<Cow<'a, str>>) -> Self {
        self.map_scope(|scope| scope.environment(slug))
    }

    /// Another folder than the client's: `/app`, `/app/db`.
    pub fn path(self, path: impl Into<Cow<'a, str>>) -> Self {
        self.map_scope(|scope| scope.path(path))
    }

    /// The secrets of the folders below as well. Of a name that is in several folders no value counts; their rows are had with
    /// [`list_secrets`](crate::Client::list_secrets). What folders below import is there as far as the server sends it; servers of
    /// 2024 do not.
    pub fn recursive(self) -> Self {
        self.map_scope(InfisicalScope::recursive)
    }

    /// Whether what the folder imports is read too. Default: it is, unless a [tag](Self::tag) or [metadata](Self::metadata) is asked
    /// for, which servers do not look for in imports.
    pub fn include_imports(self, on: bool) -> Self {
        self.map_scope(|scope| scope.include_imports(on))
    }

    /// Whether the server replaces references in values (`${KEY}`, `${env.folder.KEY}`) by what they name. Default: it does. In an
    /// import servers of 2024 do it whatever is said here.
    ///
    /// A value of a list that still holds `${` is read by its name as well, since some servers leave references in lists at
    /// random; what the name gives the same counts as the value. One whose references the server refuses to follow is not
    /// readable ([`UnreadableReason::Unexpanded`](crate::snapshot::UnreadableReason::Unexpanded)).
    pub fn expand_references(self, on: bool) -> Self {
        self.map_scope(|scope| scope.expand_references(on))
    }

    /// Takes no value that holds `${` after references were expanded, for secrets that never do so by themselves: a reference to
    /// what is not there stays in a value as it is. Default: such values are taken.
    pub fn refuse_unexpanded(self) -> Self {
        self.map_scope(InfisicalScope::refuse_unexpanded)
    }

    /// Only secrets with this tag, by its slug; of several calls, those with any of the tags.
    pub fn tag(self, slug: impl Into<Cow<'a, str>>) -> Self {
        self.map_scope(|scope| scope.tag(slug))
    }

    /// Only secrets with this metadata; of several calls, those with all of it. Servers of 2024 have no metadata, and such a read
    /// fails ([`Invalid`](crate::ErrorKind::Invalid)).
    pub fn metadata(self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        self.map_scope(|scope| scope.metadata(name, value))
    }

    /// Whether values are asked for. Default: they are. Without, every secret is
    /// [unreadable](crate::Secrets::unreadable), for callers that want names alone and say
    /// [`allow_unreadable`](Request::allow_unreadable). Servers of 2024 send the values all the same, which are dropped.
    pub fn view_secret_value(self, on: bool) -> Self {
        self.map_scope(|scope| scope.view_secret_value(on))
    }

    /// Takes a user's personal value in the place of the shared one, where there is one. Default: shared values alone. Machine
    /// identities have no personal values.
    pub fn personal(self) -> Self {
        self.map_scope(InfisicalScope::personal)
    }
}

impl<M> Request<'_, Infisical, GetSecret, M> {
    /// This version of the secret, from 1, instead of the newest.
    pub fn version(self, version: u64) -> Self {
        self.map_scope(|scope| InfisicalScope { version: Some(version), ..scope })
    }
}

/// # A secret of Infisical where it is used
impl Client<Infisical> {
    /// Uses one secret of the [default environment](Self::default_environment), and tries a newer value once when it is
    /// refused; see [`Request::with_secret`]. For another environment, folder or project, call the methods of those names on what
    /// this returns.
    ///
    /// # Errors
    ///
    /// As [`Request::with_secret`]; [`ErrorKind::Config`](crate::ErrorKind::Config) when there is no default environment and
    /// none is named.
    pub fn with_secret<'a, F, Fut, T, E>(
        &'a self,
        name: impl Into<Cow<'a, str>>,
        closure: F,
    ) -> Request<'a, Infisical, WithSecret<'a, F>>
    where
        F: FnMut(SecretValue) -> Fut,
        Fut: Future<Output = Result<T, UseError<E>>>,
    {
        self.read(InfisicalScope::default()).with_secret(name, closure)
    }
}

impl<'a, M> Preload<'a, Infisical, M> {
    /// Another project than the client's, for every environment, by its id.
    pub fn project_id(self, id: impl Into<Cow<'a, str>>) -> Self {
        let id = id.into();
        self.map_scopes(|scope| scope.project_id(id.clone()))
    }

    /// Another folder than the client's, for every environment.
    pub fn path(self, path: impl Into<Cow<'a, str>>) -> Self {
        let path = path.into();
        self.map_scopes(|scope| scope.path(path.clone()))
    }
}

impl ScopeHandle<Infisical> {
    /// The same handle in another project than the client's, by its id.
    pub fn project_id(self, id: impl Into<Cow<'static, str>>) -> Self {
        let scope = self.target().clone().project_id(id);
        self.with_target(scope)
    }

    /// The same handle of another folder than the client's.
    pub fn path(self, path: impl Into<Cow<'static, str>>) -> Self {
        let scope = self.target().clone().path(path);
        self.with_target(scope)
    }
}
