//! The options of the XtraSecurity client, by name.

use std::fmt;
use std::path::PathBuf;

use super::XtraClientOptions;
use crate::core::SecretValue;
use crate::engine::{Async, CacheOptions};
use crate::services::client_builder::{ClientBuilder, Service, TokenService};
use crate::services::xtra::credentials::STEPS;
use crate::services::xtra::{Rules, Xtra, shown};

/// Puts an [`XtraClient`](crate::XtraClient) together. Nothing is checked before [`build`](Self::build), and nothing is sent by it.
///
/// ```
/// use std::time::Duration;
/// use xtrasecurity::XtraClient;
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let client = XtraClient::builder()
///     .token("xs_example")
///     .project_id("665f1c2ab7c0de0012345678")
///     .cache_ttl(Duration::from_secs(60))
///     .call_timeout(Duration::from_secs(10))
///     .build()?;
/// # Ok(())
/// # }
/// ```
pub type XtraClientBuilder<M = Async> = ClientBuilder<Xtra, M>;

/// The options of XtraSecurity alone.
#[derive(Default)]
pub struct XtraOptions {
    pub(super) project_id: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) local_file: Option<PathBuf>,
    pub(super) vault_passphrase: Option<SecretValue>,
    pub(super) rules: Rules,
    pub(super) resolve_references: bool,
}

impl Service for Xtra {
    type Options = XtraOptions;
}

impl TokenService for Xtra {}

/// # XtraSecurity: project, base URL and values
impl<M> ClientBuilder<Xtra, M> {
    pub(super) fn of_xtra() -> Self {
        Self::new(STEPS, CacheOptions::default())
    }

    /// The project of calls that name none: 24 hexadecimal digits, unless the base URL is another host's than the vendor's.
    pub fn project_id(mut self, id: impl Into<String>) -> Self {
        self.own.project_id = Some(id.into());
        self
    }

    /// The environment of calls that name none. Default: `env` in `./.xtrarc`; without it such calls fail.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.own.environment = Some(name.into());
        self
    }

    /// The branch of calls that name none. Default: `branch` in `./.xtrarc`, then `main`.
    pub fn branch(mut self, name: impl Into<String>) -> Self {
        self.own.branch = Some(name.into());
        self
    }

    /// The base URL. It must be https (http on a loopback address) and end in `/api`. Default: the first found of the places
    /// listed at [`XtraClient::from_env`](crate::Client::from_env). A token of whatever place is sent to the one given here.
    pub fn api_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Local mode: reads the secrets from this `.env` file instead of the service. No token is needed, and nothing is sent.
    ///
    /// Every environment and branch holds the secrets of the file, which is read as
    /// [`Secrets::from_dotenv`](crate::Secrets::from_dotenv) does, and anew whenever the cache has no fresh snapshot. A file
    /// that is missing or cannot be used fails the reads with [`ErrorKind::Config`](crate::ErrorKind::Config). The
    /// [raw](crate::Client::raw) client fails with [`ErrorKind::Credentials`](crate::ErrorKind::Credentials).
    ///
    /// The variable `XTRA_LOCAL_MODE`, set to exactly `true`, does the same with `.env.local` in the working directory, for
    /// every client that is built while it is set, whatever token or base URL the program gives: it is how somebody runs a
    /// program on a machine without access to the service. A warning is logged then.
    ///
    /// ```
    /// use xtrasecurity::{XtraClient, snapshot::SnapshotSource};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("secrets.env");
    /// std::fs::write(&path, "DATABASE_URL='postgres://localhost/app'\n")?;
    /// let client = XtraClient::builder().local_file(&path).build()?;
    /// let secrets = client.get_secrets("production").await?;
    /// assert_eq!(secrets.require("DATABASE_URL")?.expose(), "postgres://localhost/app");
    /// assert_eq!(secrets.source(), SnapshotSource::LocalFile);
    /// # Ok(())
    /// # }
    /// ```
    pub fn local_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.own.local_file = Some(path.into());
        self
    }

    /// Everything that it takes to reach a dev server: its base URL, the token of its first project's owner, and that
    /// project. Call [`token`](Self::token) after it to be someone else.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use xtrasecurity::XtraClient;
    /// use xtrasecurity::dev_server::DevServer;
    ///
    /// let server = DevServer::start().await?;
    /// let client = XtraClient::builder().dev_server(&server).build()?;
    /// assert!(client.get_secrets("production").await?.contains("API_KEY"));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "dev-server")]
    pub fn dev_server(self, server: &crate::services::xtra::dev::DevServer) -> Self {
        self.token(server.token()).project_id(server.project_id()).api_url(server.url())
    }

    /// The passphrase of values that clients encrypt before the service stores them, so that it never sees them. Default: the
    /// variable `XTRA_VAULT_PASSPHRASE`, then `XTRA_MASTER_SECRET`; an empty variable counts as absent. An empty option is
    /// refused.
    ///
    /// Reads open such values by themselves: those that were encrypted with this passphrase, and, with or without one, those
    /// that other clients encrypted where no passphrase had been chosen. What cannot be opened is never passed on as a value:
    /// the read fails with [`ErrorKind::Undecryptable`](crate::ErrorKind::Undecryptable) and names the secrets, unless it says
    /// [`allow_unreadable`](crate::Request::allow_unreadable). Values in plain form are read as ever. Calls of the
    /// [raw](crate::XtraClient::raw) client give what the service sends.
    ///
    /// The key is made from the passphrase by one hash, as the other clients do it, which does not slow guessing down: give a
    /// random passphrase, such as `openssl rand -base64 32` prints.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::dev_server::{DevServer, ProjectSeed};
    /// use xtrasecurity::XtraClient;
    ///
    /// let stored = r#"{"ciphertext":"b57eebd0e8","iv":"000102030405060708090a0b","authTag":"48af7c3ec76f419d915963633316133d"}"#;
    /// # let project = ProjectSeed::new("web").id("665f1c2ab7c0de0012345678").secret("production", "GREETING", stored);
    /// # let server = DevServer::builder().project(project).start().await?;
    /// let client =
    ///     XtraClient::builder().dev_server(&server).vault_passphrase("correct horse battery staple").build()?;
    /// assert_eq!(client.get_secrets("production").await?.require("GREETING")?.expose(), "hello");
    /// # Ok(())
    /// # }
    /// ```
    pub fn vault_passphrase(mut self, passphrase: impl Into<SecretValue>) -> Self {
        self.own.vault_passphrase = Some(passphrase.into());
        self
    }

    /// Encrypts every value that this client writes, with the [passphrase](Self::vault_passphrase), before it is sent. Default:
    /// values are sent as they are, and the service encrypts them under a key of its own.
    ///
    /// Names are not encrypted. Every reader needs the passphrase, and nobody can restore a value once it is lost. Calls of the
    /// [raw](crate::XtraClient::raw) client send what they are given.
    ///
    /// [`build`](Self::build) fails with [`ErrorKind::Config`](crate::ErrorKind::Config) when there is no passphrase. In local mode, where nothing is
    /// written, it needs none.
    pub fn seal_writes(mut self) -> Self {
        self.own.rules.seal_writes = true;
        self
    }

    /// Whether secrets take the place of the references (`xtra://…`) in values, in everything that this client reads: by
    /// `get_secrets`, handles, typed reads, injection, watches, providers and the rest. Default: values are as they are stored,
    /// and one that looks like a reference is warned of once.
    ///
    /// [`resolve_references`](crate::Request::resolve_references) of a request says it for that alone, and what it costs. Texts,
    /// files and configurations with references are rendered by [`render`](crate::Client::render) in either case.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), xtrasecurity::XtraError> {
    /// use xtrasecurity::XtraClient;
    ///
    /// // DATABASE_URL is stored as postgres://app:{{ xtra:///production/DB_PASSWORD }}@db/app
    /// let client = XtraClient::builder().resolve_references(true).build()?;
    /// let url = client.get_secret("production", "DATABASE_URL").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn resolve_references(mut self, on: bool) -> Self {
        self.own.resolve_references = on;
        self
    }

    /// Protects the environment `production` (also spelled `prod`, in any case): what would change it must be confirmed call by
    /// call. Default: nothing needs to be confirmed.
    ///
    /// Writes, deletions, rollbacks and rotations there, and deletions of branches and projects, then fail with
    /// [`ErrorKind::Unconfirmed`](crate::ErrorKind::Unconfirmed) unless the request says
    /// [`confirm_production`](crate::Request::confirm_production). Nothing is sent. Calls of the [raw](crate::Client::raw) client are not checked.
    pub fn protect_production(mut self) -> Self {
        self.own.rules.protect_production = true;
        self
    }
}

impl<M> From<XtraClientOptions> for ClientBuilder<Xtra, M> {
    fn from(options: XtraClientOptions) -> Self {
        let XtraClientOptions { token, project_id, api_url, cache, cache_ttl } = options;
        let mut builder = Self::of_xtra().cache(cache).cache_ttl(cache_ttl);
        builder.chain = builder.chain.token(token);
        builder.own.project_id = project_id;
        builder.base_url = api_url;
        builder
    }
}

impl fmt::Debug for XtraOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("XtraOptions")
            .field("vault_passphrase", &self.vault_passphrase)
            .field("project_id", &self.project_id.as_deref().map(shown))
            .field("environment", &self.environment.as_deref().map(shown))
            .field("branch", &self.branch.as_deref().map(shown))
            .field("local_file", &self.local_file)
            .finish_non_exhaustive()
    }
}
