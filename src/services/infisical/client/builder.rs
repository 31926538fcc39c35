//! The options of the Infisical client, by name, and its building.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::core::{Clock, ErrorKind, Hint, SecretValue, XtraError};
use crate::credentials::{Chain, ChainPosition, ProcessEnv, Sourced};
#[cfg(feature = "offline")]
use crate::engine::SecretSource;
use crate::engine::{Async, CacheOptions, Client, EngineOptions};
use crate::http::{BaseUrl, CredentialProvider, Transport, TransportOptions};
use crate::services::infisical::auth::{LoginToken, STEPS, UniversalAuth};
use crate::services::infisical::protocol::{InfisicalProtocol, ROOT_SUFFIX};
use crate::services::infisical::scope::{Defaults, ProjectName};
use crate::services::infisical::settings::{Settings, with_suffix};
use crate::services::infisical::source::Infisical;

/// How long snapshots are served when nothing else is said: as by the vendor's SDKs.
const TTL: Duration = Duration::from_secs(60);

/// Puts an [`InfisicalClient`](super::InfisicalClient) together. Nothing is checked before [`build`](Self::build), and nothing is
/// sent by it.
///
/// ```
/// use std::time::Duration;
/// use xtrasecurity::infisical::InfisicalClient;
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let client = InfisicalClient::builder()
///     .universal_auth("7ae5c3b0-5d7d-4a5f-8d0c-1c5e2b0d9a11", "a-client-secret")
///     .project_id("7e2f1f4a-3f1c-4b0e-9c53-1b2d5a6c7e80")
///     .base_url("https://infisical.example")
///     .cache_ttl(Duration::from_secs(120))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens before build()"]
pub struct InfisicalClientBuilder<M = Async> {
    chain: Chain,
    /// The client id and its secret.
    universal: Option<(String, SecretValue)>,
    organization: Option<String>,
    defaults: Defaults,
    base_url: Option<String>,
    engine: EngineOptions,
    danger_allow_http: bool,
    transport: TransportOptions,
    mode: PhantomData<fn() -> M>,
}

/// # Credentials, project and server
impl<M> InfisicalClientBuilder<M> {
    pub(super) fn new() -> Self {
        let mut engine = EngineOptions::default();
        engine.cache.ttl = TTL;
        Self {
            chain: Chain::new(STEPS),
            universal: None,
            organization: None,
            defaults: Defaults::default(),
            base_url: None,
            engine,
            danger_allow_http: false,
            transport: TransportOptions::default(),
            mode: PhantomData,
        }
    }

    /// The client id and client secret of a machine identity, which are exchanged for a token: at the first call, again before
    /// the token's end, and once when the server refuses it. Calls at the same time share one login. A login that the server
    /// refuses is not tried again for a minute, since servers lock an identity out after a few: calls meanwhile fail with its
    /// error.
    pub fn universal_auth(mut self, client_id: impl Into<String>, client_secret: impl Into<SecretValue>) -> Self {
        self.universal = Some((client_id.into(), client_secret.into()));
        self
    }

    /// The organisation to log in to, by its slug, for an identity of several. Default: that of the identity. Servers of 2024
    /// ignore it.
    pub fn organization_slug(mut self, slug: impl Into<String>) -> Self {
        self.organization = Some(slug.into());
        self
    }

    /// A token that is used as it is: an access token of a machine identity, a service token, or the token of a user. Default: see
    /// [`InfisicalClient::from_env`](crate::Client::from_env).
    pub fn token(mut self, token: impl Into<SecretValue>) -> Self {
        self.chain = self.chain.token(Some(token.into()));
        self
    }

    /// A credential provider of your own, asked at the given position of the chain. May be called more than once.
    pub fn credentials(mut self, position: ChainPosition, provider: Arc<dyn CredentialProvider>) -> Self {
        self.chain = self.chain.provider(position, provider);
        self
    }

    /// The project of calls that name none, by its id.
    pub fn project_id(mut self, id: impl Into<String>) -> Self {
        self.defaults.project = Some(ProjectName::Id(id.into().into()));
        self
    }

    /// The project of calls that name none, by its slug. Its id is better: the newer interface of the server knows ids alone.
    pub fn project_slug(mut self, slug: impl Into<String>) -> Self {
        self.defaults.project = Some(ProjectName::Slug(slug.into().into()));
        self
    }

    /// The environment of calls that name none, by its slug. Without it such calls fail.
    pub fn environment(mut self, slug: impl Into<String>) -> Self {
        self.defaults.environment = Some(slug.into());
        self
    }

    /// The folder of calls that name none. Default: `/`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.defaults.path = Some(path.into());
        self
    }

    /// The base URL of the server, with or without `/api` at its end. It must be https, or http on a loopback address. Default: the
    /// first of the variables listed at [`InfisicalClient::from_env`](crate::Client::from_env), then
    /// [`DEFAULT_BASE_URL`](crate::infisical::DEFAULT_BASE_URL); the European cloud is `https://eu.infisical.com`.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Credentials`] when no usable credentials are found, with what each place held; [`ErrorKind::Config`] or
    /// [`ErrorKind::Invalid`] when an option cannot be used, by name.
    pub fn build(self) -> Result<Client<Infisical, M>, XtraError> {
        self.build_in(&ProcessEnv::current())
    }

    pub(crate) fn build_in(self, env: &ProcessEnv) -> Result<Client<Infisical, M>, XtraError> {
        let settings = Settings::load(env)?;
        let chain = self.chain_with_login()?;
        let Self { mut defaults, base_url, engine, danger_allow_http, transport, .. } = self;
        defaults.project =
            defaults.project.or_else(|| settings.project.as_ref().map(|id| ProjectName::Id(id.value.clone().into())));
        defaults.environment =
            defaults.environment.or_else(|| settings.environment.as_ref().map(|slug| slug.value.clone()));
        defaults.check()?;
        let resolved = chain.resolve(env);
        let found =
            settings.base_urls(Sourced::option(base_url.as_deref(), "base_url")).choose(resolved.as_ref().ok())?;
        let base = BaseUrl::parse(&with_suffix(&found.value), ROOT_SUFFIX, danger_allow_http)
            .map_err(|error| found.explained(error))?;
        let options = TransportOptions { clock: engine.clock.clone(), ..transport };
        let transport = Transport::new(&base, Arc::new(InfisicalProtocol), resolved?.provider(), options)?;
        let source = Infisical::new(transport, defaults);
        #[cfg(feature = "offline")]
        if let Some(options) = &engine.offline {
            options.check(SecretSource::lasting_token(&source).is_some())?;
        }
        Ok(Client::with_options(source, engine).in_mode())
    }

    /// The chain of credentials; those that the program gives come first.
    fn chain_with_login(&self) -> Result<Chain, XtraError> {
        let Some((client_id, client_secret)) = &self.universal else { return Ok(self.chain.clone()) };
        if self.chain.has_token() {
            let message = "both a token and credentials of a machine identity are given, and may be two accounts'";
            return Err(XtraError::new(ErrorKind::Config, message).with_hint(Hint::LeaveOut { option: "token" }));
        }
        let places = ["the given client id", "the given client secret"];
        let login = UniversalAuth::new(client_id, client_secret, self.organization.clone(), places)?;
        Ok(self.chain.clone().first(Arc::new(LoginToken::new(login))))
    }
}

/// # Cache, connection and the rest
impl<M> InfisicalClientBuilder<M> {
    /// How long a snapshot is served without asking again. Default 60 s; `None` and zero turn the cache off: then every read is a
    /// request of its own, and every snapshot is stale from the start.
    pub fn cache_ttl(mut self, ttl: impl Into<Option<Duration>>) -> Self {
        self.engine.cache.ttl = ttl.into().unwrap_or_default();
        self
    }

    /// Everything about the cache at once; replaces what [`cache_ttl`](Self::cache_ttl) said before, with a time to live of 30 s
    /// unless it says another.
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

    /// For how long a refusal that is not the server's own counts as a server that cannot be reached. Default 15 min; see
    /// [`CacheOptions::foreign_refusal_grace`].
    pub fn foreign_refusal_grace(mut self, time: Duration) -> Self {
        self.engine.cache.foreign_refusal_grace = time;
        self
    }

    /// Secrets that a refresh must not lose, in whatever scope has them. May be called more than once. See
    /// [what is held back](crate::Client#what-is-held-back).
    pub fn required(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.engine = self.engine.required(names);
        self
    }

    /// What the age of snapshots and tokens is measured with. Default: the system's monotonic clock.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.engine.clock = clock;
        self
    }

    /// Keeps encrypted copies of the secrets on disk, for the time when the server cannot be reached and memory holds nothing.
    /// Default: none are kept. [`OfflineOptions`](crate::OfflineOptions) tells what is saved, when it is served, and what protects
    /// it. Without a key of their own, copies are encrypted under one made from the client secret, or from a token without an end.
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

    /// How long a call may take in all, retries, waits and a login included. Default 30 s; zero is refused.
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
    /// the same number. Default: no limit but those that the server tells of, by address and route.
    pub fn requests_per_minute(mut self, limit: u32) -> Self {
        self.transport.requests_per_minute = Some(limit);
        self
    }

    /// The largest answer that is read, in bytes. Default 16 MiB; zero is refused.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.transport.max_response_bytes = bytes;
        self
    }

    /// Trusts the certificates in this PEM text too, beside the system's (or, where there are none, the bundled ones).
    pub fn add_root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.transport.root_certificates.push(pem.into());
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

impl<M> fmt::Debug for InfisicalClientBuilder<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InfisicalClientBuilder")
            .field("chain", &self.chain)
            .field("universal_auth", &self.universal.as_ref().map(|_| ".."))
            .field("base_url", &self.base_url.as_ref().map(|_| ".."))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(builder: InfisicalClientBuilder, variables: &[(&str, &str)]) -> Result<Client<Infisical>, XtraError> {
        builder.build_in(&ProcessEnv::of(variables))
    }

    fn builder() -> InfisicalClientBuilder {
        InfisicalClientBuilder::new()
    }

    #[test]
    fn variables_complete_what_the_program_leaves_open() {
        let variables = [
            ("INFISICAL_TOKEN", "st.a.b"),
            ("INFISICAL_API_URL", "https://own.example"),
            ("INFISICAL_ENVIRONMENT", "staging"),
        ];
        let client = build(builder(), &variables).unwrap();
        assert_eq!(client.source().base_url(), "https://own.example/api");
        assert_eq!(client.source().default_environment(), Some("staging"));
        let client = build(builder().environment("dev").base_url("https://b.example/api/"), &variables).unwrap();
        assert_eq!(client.source().base_url(), "https://b.example/api");
        assert_eq!(client.source().default_environment(), Some("dev"));
    }

    #[test]
    fn what_cannot_be_used_is_named_and_not_quoted() {
        let token = [("INFISICAL_TOKEN", "hunter2")];
        for (built, kind, word) in [
            (build(builder(), &[]), ErrorKind::Credentials, "INFISICAL_TOKEN"),
            (build(builder().token("hunter2").universal_auth("i", "s"), &[]), ErrorKind::Config, "both a token"),
            (build(builder().universal_auth("", "hunter2"), &[]), ErrorKind::Credentials, "client id is empty"),
            (build(builder().base_url("http://own.example"), &token), ErrorKind::Config, "https"),
            (build(builder().base_url("own.example"), &token), ErrorKind::Config, "base_url"),
            (build(builder().path("/../hunter2"), &token), ErrorKind::Invalid, "path"),
            (build(builder().project_id(""), &token), ErrorKind::Invalid, "project id"),
        ] {
            let error = built.err().unwrap();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(word), "{error}");
        }
        let shown =
            format!("{:?}", builder().token("hunter2").universal_auth("hunter2", "hunter2").base_url("hunter2"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn credentials_of_the_program_win_over_variables_and_are_an_identity_of_their_own() {
        let variables = [("INFISICAL_TOKEN", "t"), ("INFISICAL_CLIENT_ID", "i"), ("INFISICAL_CLIENT_SECRET", "s")];
        let of = |builder, variables| build(builder, variables).unwrap().source().identity();
        let given = of(builder().universal_auth("mine", "s"), &variables);
        assert_eq!(given, of(builder().universal_auth("mine", "other"), &[]), "a client id is who asks");
        assert_ne!(given, of(builder(), &variables));
        assert_ne!(of(builder().token("t2"), &variables), of(builder(), &variables));
    }
}
