//! The options of the XtraSecurity client, by name.

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::XtraClientOptions;
use crate::core::{Clock, SecretValue};
use crate::credentials::{Chain, ChainPosition};
use crate::engine::{Async, CacheOptions, EngineOptions};
use crate::http::{CredentialProvider, TransportOptions};
use crate::services::xtra::credentials::STEPS;
use crate::services::xtra::{Rules, shown};

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
#[must_use = "nothing happens before build()"]
pub struct XtraClientBuilder<M = Async> {
    pub(super) chain: Chain,
    pub(super) project_id: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) api_url: Option<String>,
    pub(super) local_file: Option<PathBuf>,
    pub(super) engine: EngineOptions,
    pub(super) caching: bool,
    pub(super) danger_allow_http: bool,
    pub(super) vault_passphrase: Option<SecretValue>,
    pub(super) rules: Rules,
    pub(super) resolve_references: bool,
    pub(super) transport: TransportOptions,
    mode: PhantomData<fn() -> M>,
}

impl<M> XtraClientBuilder<M> {
    pub(super) fn new() -> Self {
        Self {
            chain: Chain::new(STEPS),
            project_id: None,
            environment: None,
            branch: None,
            api_url: None,
            local_file: None,
            engine: EngineOptions::default(),
            caching: true,
            danger_allow_http: false,
            vault_passphrase: None,
            rules: Rules::default(),
            resolve_references: false,
            transport: TransportOptions::default(),
            mode: PhantomData,
        }
    }

    /// The API token. Default: see [`XtraClient::from_env`](crate::Client::from_env).
    pub fn token(mut self, token: impl Into<SecretValue>) -> Self {
        self.chain = self.chain.token(Some(token.into()));
        self
    }

    /// A credential provider of your own, asked at the given position of the chain. May be called more than once.
    pub fn credentials(mut self, position: ChainPosition, provider: Arc<dyn CredentialProvider>) -> Self {
        self.chain = self.chain.provider(position, provider);
        self
    }

    /// The project of calls that name none: 24 hexadecimal digits, unless the base URL is another host's than the vendor's.
    pub fn project_id(mut self, id: impl Into<String>) -> Self {
        self.project_id = Some(id.into());
        self
    }

    /// The environment of calls that name none. Default: `env` in `./.xtrarc`; without it such calls fail.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// The branch of calls that name none. Default: `branch` in `./.xtrarc`, then `main`.
    pub fn branch(mut self, name: impl Into<String>) -> Self {
        self.branch = Some(name.into());
        self
    }

    /// The base URL. It must be https (http on a loopback address) and end in `/api`. Default: the first found of the places
    /// listed at [`XtraClient::from_env`](crate::Client::from_env). A token of whatever place is sent to the one given here.
    pub fn api_url(mut self, url: impl Into<String>) -> Self {
        self.api_url = Some(url.into());
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
        self.local_file = Some(path.into());
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

    /// Whether snapshots are cached. Default `true`; `false` wins over whatever else is said about the cache. Without a cache
    /// every read is a request of its own, and every snapshot is stale from the start.
    pub fn cache(mut self, on: bool) -> Self {
        self.caching = on;
        self
    }

    /// How long a snapshot is served without asking again. Default 30 s; zero turns the cache off.
    pub fn cache_ttl(mut self, ttl: Duration) -> Self {
        self.engine.cache.ttl = ttl;
        self
    }

    /// Everything about the cache at once; replaces what [`cache_ttl`](Self::cache_ttl) said before.
    pub fn cache_options(mut self, options: CacheOptions) -> Self {
        self.engine.cache = options;
        self
    }

    /// How long a read that has an aged snapshot waits for its refresh before that snapshot is served. Default 2 s; see
    /// [`CacheOptions::stale_wait`].
    pub fn stale_wait(mut self, time: Duration) -> Self {
        self.engine.cache.stale_wait = time;
        self
    }

    /// For how long a refusal that is not the service's own counts as a service that cannot be reached. Default 15 min; see
    /// [`CacheOptions::foreign_refusal_grace`].
    pub fn foreign_refusal_grace(mut self, time: Duration) -> Self {
        self.engine.cache.foreign_refusal_grace = time;
        self
    }

    /// Secrets that a refresh must not lose, in whatever scope has them. May be called more than once.
    ///
    /// When an answer lacks one that the snapshot before it had, it [is held back](crate::Client#what-is-held-back): that
    /// snapshot is served on until it is as old as [`max_stale`](CacheOptions::max_stale), and a warning is logged.
    /// [`invalidate`](crate::Client::invalidate) accepts the loss.
    pub fn required(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.engine = self.engine.required(names);
        self
    }

    /// What the age of snapshots is measured with. Default: the system's monotonic clock.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.engine.clock = clock;
        self
    }

    /// Keeps encrypted copies of the secrets on disk, for the time when the service cannot be reached and memory holds nothing:
    /// a program can then start during an outage. Default: none are kept. [`OfflineOptions`](crate::OfflineOptions) tells what
    /// is saved, when it is served, and what protects it.
    ///
    /// An outage is found out by waiting: a first read fails, and is answered with the copy, only after its retries, which take
    /// up to [`call_timeout`](Self::call_timeout). Reads after it do not wait for as long as the service is left alone.
    ///
    /// [`build`](Self::build) fails with [`ErrorKind::Config`](crate::ErrorKind::Config) when the options have no key and the token does not last. In
    /// local mode they have no effect.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::dev_server::DevServer;
    /// use xtrasecurity::{OfflineOptions, XtraClient, snapshot::SnapshotSource};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let server = DevServer::start().await?;
    /// let options = OfflineOptions::new(directory.path().join("secrets"));
    /// let builder = || XtraClient::builder().dev_server(&server).max_retries(0).offline(options.clone());
    /// builder().build()?.get_secrets("production").await?; // saves a copy
    /// # let builder_of_the_next_start = builder();
    /// # server.stop().await;
    /// # let builder = || builder_of_the_next_start;
    /// let client = builder().build()?; // the program starts again, while the service is away
    /// let secrets = client.get_secrets("production").await?;
    /// assert_eq!(secrets.source(), SnapshotSource::Offline);
    /// assert!(secrets.is_stale() && secrets.contains("API_KEY"));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "offline")]
    pub fn offline(mut self, options: crate::OfflineOptions) -> Self {
        self.engine.offline = Some(options);
        self
    }

    /// How long establishing a connection may take. Default 5 s; zero is refused.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.transport.connect_timeout = limit;
        self
    }

    /// How long a call may take in all, retries and waits included. Default 30 s; zero is refused.
    pub fn call_timeout(mut self, limit: Duration) -> Self {
        self.transport.call_timeout = limit;
        self
    }

    /// How often a failed read is repeated. Default 3; zero turns retries off.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.transport.retry.max_retries = retries;
        self
    }

    /// How many requests a minute are sent to the base URL at most, by all clients of the process together that are built with
    /// the same number. Default: 100, which is what the service takes from one address; without a limit when the base URL is on
    /// this machine. Zero turns the limit off.
    ///
    /// A call that comes too soon waits for its turn, when that comes before its deadline; otherwise it fails at once with
    /// [`ErrorKind::RateLimited`](crate::ErrorKind::RateLimited) and is not sent. Retries count as requests.
    pub fn requests_per_minute(mut self, limit: u32) -> Self {
        self.transport.requests_per_minute = Some(limit);
        self
    }

    /// The largest answer that is read, in bytes. Default 16 MiB; zero is refused. A refusal that is larger is cut, and keeps its
    /// status.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.transport.max_response_bytes = bytes;
        self
    }

    /// Trusts the certificates in this PEM text too, beside the system's (or, where there are none, the bundled ones).
    pub fn add_root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.transport.root_certificates.push(pem.into());
        self
    }

    /// Looks host names up by this function in place of the system's resolver, for tests of what a program does when names are
    /// slow or unknown. It runs on a thread of its own and may block; the ports of the addresses do not matter.
    #[cfg(feature = "dev-server")]
    pub fn name_lookup(
        mut self,
        lookup: impl Fn(&str) -> std::io::Result<Vec<std::net::SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        self.transport.lookup = Some(Arc::new(lookup));
        self
    }

    /// Connects directly, whatever `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` say. By default they are honoured, and
    /// `NO_PROXY` too.
    pub fn no_proxy(mut self) -> Self {
        self.transport.use_proxies = false;
        self
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
        self.vault_passphrase = Some(passphrase.into());
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
        self.rules.seal_writes = true;
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
        self.resolve_references = on;
        self
    }

    /// Protects the environment `production` (also spelled `prod`, in any case): what would change it must be confirmed call by
    /// call. Default: nothing needs to be confirmed.
    ///
    /// Writes, deletions, rollbacks and rotations there, and deletions of branches and projects, then fail with
    /// [`ErrorKind::Unconfirmed`](crate::ErrorKind::Unconfirmed) unless the request says
    /// [`confirm_production`](crate::Request::confirm_production). Nothing is sent. Calls of the [raw](crate::Client::raw) client are not checked.
    pub fn protect_production(mut self) -> Self {
        self.rules.protect_production = true;
        self
    }

    /// Allows an `http` base URL on an address that is not loopback. **The token and every secret then cross the network
    /// in the clear.** For isolated test networks only.
    pub fn danger_allow_http(mut self) -> Self {
        self.danger_allow_http = true;
        self
    }
}

impl<M> From<XtraClientOptions> for XtraClientBuilder<M> {
    fn from(options: XtraClientOptions) -> Self {
        let XtraClientOptions { token, project_id, api_url, cache, cache_ttl } = options;
        let chain = Chain::new(STEPS).token(token);
        Self { chain, project_id, api_url, ..Self::new() }.cache(cache).cache_ttl(cache_ttl)
    }
}

impl<M> fmt::Debug for XtraClientBuilder<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("XtraClientBuilder")
            .field("chain", &self.chain)
            .field("vault_passphrase", &self.vault_passphrase)
            .field("project_id", &self.project_id.as_deref().map(shown))
            .field("environment", &self.environment.as_deref().map(shown))
            .field("branch", &self.branch.as_deref().map(shown))
            .field("api_url", &self.api_url.as_ref().map(|_| ".."))
            .field("local_file", &self.local_file)
            .finish_non_exhaustive()
    }
}
