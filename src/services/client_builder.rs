//! The builder of clients: the options that every service has. A service's own stand in its folder.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::core::{Clock, SecretValue, XtraError};
use crate::credentials::{Chain, ChainPosition, Step};
use crate::engine::{Async, CacheOptions, Client, EngineOptions, SecretSource};
use crate::http::{BaseUrl, CredentialProvider, Protocol, Transport, TransportOptions};

/// A service that a [`ClientBuilder`] makes clients of.
pub trait Service: SecretSource {
    /// The options that no other service has.
    type Options: fmt::Debug + Default;
}

/// A service that is given a token, or exchanges something for one.
pub trait TokenService: Service {}

/// Puts a client together. Nothing is checked before `build()`, and nothing is sent by it.
///
/// A program meets it by the name of its service: [`XtraClientBuilder`](crate::XtraClientBuilder),
/// `infisical::InfisicalClientBuilder`, `secr::SecrClientBuilder`, `syvault::SyVaultClientBuilder`. Each has the options below and
/// the service's own. Made by the client's `builder()`.
#[must_use = "nothing happens before build()"]
pub struct ClientBuilder<S: Service, M = Async> {
    pub(super) own: S::Options,
    pub(super) chain: Chain,
    pub(super) base_url: Option<String>,
    pub(super) engine: EngineOptions,
    pub(super) transport: TransportOptions,
    caching: bool,
    danger_allow_http: bool,
    mode: PhantomData<fn() -> M>,
}

impl<S: Service, M> ClientBuilder<S, M> {
    /// A builder for a service that looks for its token at `steps`.
    pub(super) fn new(steps: &'static [Step], cache: CacheOptions) -> Self {
        Self {
            own: S::Options::default(),
            chain: Chain::new(steps),
            base_url: None,
            engine: EngineOptions::default().cache(cache),
            transport: TransportOptions::default(),
            caching: true,
            danger_allow_http: false,
            mode: PhantomData,
        }
    }

    /// A base URL in its checked form: one that ends in `suffix`, or is given it where that is empty.
    pub(super) fn checked_base_url(&self, url: &str, suffix: &'static str) -> Result<BaseUrl, XtraError> {
        BaseUrl::parse(url, suffix, self.danger_allow_http)
    }

    /// The client of the source that `source` makes over a connection to `base`.
    pub(super) fn client_at(
        mut self,
        base: &BaseUrl,
        protocol: impl Protocol,
        credentials: Arc<dyn CredentialProvider>,
        source: impl FnOnce(Transport, S::Options) -> Result<S, XtraError>,
    ) -> Result<Client<S, M>, XtraError> {
        let transport = TransportOptions { clock: self.engine.clock.clone(), ..std::mem::take(&mut self.transport) };
        let transport = Transport::new(base, Arc::new(protocol), credentials, transport)?;
        let source = source(transport, std::mem::take(&mut self.own))?;
        self.client_of(source)
    }

    /// The client of a source.
    pub(super) fn client_of(mut self, source: S) -> Result<Client<S, M>, XtraError> {
        if !self.caching {
            self.engine.cache.ttl = Duration::ZERO;
        }
        #[cfg(feature = "offline")]
        if let Some(options) = &self.engine.offline {
            options.check(source.lasting_token().is_some())?;
        }
        Ok(Client::with_options(source, self.engine).in_mode())
    }
}

/// # Credentials
impl<S: TokenService, M> ClientBuilder<S, M> {
    /// A token that is used as it is. Default: where the client's `from_env` looks for one.
    pub fn token(mut self, token: impl Into<SecretValue>) -> Self {
        self.chain = self.chain.token(Some(token.into()));
        self
    }

    /// A credential provider of your own, asked at the given position of the chain. May be called more than once.
    ///
    /// The blocking client asks it on the runtime of the blocking clients, so it may not make blocking calls of this crate itself.
    pub fn credentials(mut self, position: ChainPosition, provider: Arc<dyn CredentialProvider>) -> Self {
        self.chain = self.chain.provider(position, provider);
        self
    }
}

/// # Cache and copies on disk
impl<S: Service, M> ClientBuilder<S, M> {
    /// Whether snapshots are cached. Default `true`; `false` wins over whatever else is said about the cache. Without a cache
    /// every read is a request of its own, and every snapshot is stale from the start.
    pub fn cache(mut self, on: bool) -> Self {
        self.caching = on;
        self
    }

    /// How long a snapshot is served without asking again. Default: 30 s for XtraSecurity and secr, 60 s for Infisical and SyVault, as
    /// by the vendors' SDKs. `None` and zero turn the cache off.
    pub fn cache_ttl(mut self, ttl: impl Into<Option<Duration>>) -> Self {
        self.engine.cache.ttl = ttl.into().unwrap_or_default();
        self
    }

    /// Everything about the cache at once; replaces what [`cache_ttl`](Self::cache_ttl) said before, and the service's defaults by
    /// those of [`CacheOptions`].
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

    /// What the age of snapshots and tokens is measured with. Default: the system's monotonic clock.
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
    /// Without a key of their own, copies are encrypted under one made from the credential that lasts: the token, or the secret
    /// that is exchanged for tokens. `build()` fails with [`ErrorKind::Config`](crate::ErrorKind::Config) when there is none. They have no effect where a
    /// client reads a local file in the service's place.
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

    /// Cache, clock, required names and copies on disk, all at once; replaces what was said of them before, and the service's
    /// defaults by those of [`EngineOptions`].
    pub fn engine_options(mut self, options: EngineOptions) -> Self {
        self.engine = options;
        self
    }
}

/// # Connection
impl<S: Service, M> ClientBuilder<S, M> {
    /// How long establishing a connection may take. Default 5 s; zero is refused.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.transport.connect_timeout = limit;
        self
    }

    /// How long a call may take in all, retries, waits and a login included. Default 30 s; zero is refused.
    #[doc(alias = "timeout")]
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
    /// the same number. Default: 100 for XtraSecurity, which is what it takes from one address, and no limit for the others; without
    /// a limit when the base URL is on this machine. Zero turns the limit off.
    ///
    /// A call that comes too soon waits for its turn, when that comes before its deadline; otherwise it fails at once with
    /// [`ErrorKind::RateLimited`](crate::ErrorKind::RateLimited) and is not sent. Retries count as requests.
    pub fn requests_per_minute(mut self, limit: u32) -> Self {
        self.transport.requests_per_minute = Some(limit);
        self
    }

    /// The largest answer that is read, in bytes; of a read that comes in pages, all of them together. Default 16 MiB; zero is
    /// refused. A refusal that is larger is cut, and keeps its status.
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

    /// What the client calls itself. Default: the name and version of this crate.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.transport.user_agent = name.into();
        self
    }

    /// Allows an `http` base URL on an address that is not loopback. **The token and every secret then cross the network
    /// in the clear.** For isolated test networks only.
    pub fn danger_allow_http(mut self) -> Self {
        self.danger_allow_http = true;
        self
    }
}

impl<S: Service, M> fmt::Debug for ClientBuilder<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("chain", &self.chain)
            .field("base_url", &self.base_url.as_ref().map(|_| ".."))
            .field("engine", &self.engine)
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}
