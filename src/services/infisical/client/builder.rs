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
use crate::services::infisical::credentials::{Auth, STEPS, Settings, base_url_of_login};
use crate::services::infisical::protocol::{InfisicalProtocol, ROOT_SUFFIX};
use crate::services::infisical::scope::{Defaults, ProjectName};
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
    /// How the program proves who it is, but for a token.
    auth: Option<Auth>,
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
            auth: None,
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
    pub fn universal_auth(self, client_id: impl Into<String>, client_secret: impl Into<SecretValue>) -> Self {
        self.auth(Auth::universal(client_id, client_secret))
    }

    /// How to prove who the program is, by one of the methods that Infisical has. Of the token that a login gives, what
    /// [`universal_auth`](Self::universal_auth) says is true of every method.
    ///
    /// ```
    /// use xtrasecurity::infisical::{Auth, IdToken, InfisicalClient};
    ///
    /// # fn main() -> Result<(), xtrasecurity::XtraError> {
    /// let pod = InfisicalClient::builder().auth(Auth::kubernetes("7ae5c3b0-5d7d-4a5f-8d0c-1c5e2b0d9a11")).build()?;
    /// let job = Auth::oidc("7ae5c3b0-5d7d-4a5f-8d0c-1c5e2b0d9a11", IdToken::github());
    /// let job = InfisicalClient::builder().auth(job).base_url("https://eu.infisical.com").build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = Some(auth);
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
        let chain = self.chain_with_auth(env)?;
        let Self { mut defaults, base_url, engine, danger_allow_http, transport, .. } = self;
        let text = |found: &Option<Sourced>| found.as_ref().map(|found| found.value.clone());
        defaults.project = defaults.project.or_else(|| settings.project());
        defaults.environment = defaults.environment.or_else(|| text(&settings.environment));
        defaults.path = defaults.path.or_else(|| text(&settings.path));
        defaults.check()?;
        let resolved = chain.resolve(env);
        let option = Sourced::option(base_url.as_deref(), "base_url");
        let found = settings.base_urls(option, base_url_of_login(env)).choose(resolved.as_ref().ok())?;
        let base =
            BaseUrl::parse(&found.value, ROOT_SUFFIX, danger_allow_http).map_err(|error| found.explained(error))?;
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
    fn chain_with_auth(&self, env: &ProcessEnv) -> Result<Chain, XtraError> {
        let Some(auth) = &self.auth else { return Ok(self.chain.clone()) };
        if self.chain.has_token() {
            let message =
                "both a token and another way to prove who the program is are given, and may be two accounts'";
            return Err(XtraError::new(ErrorKind::Config, message).with_hint(Hint::LeaveOut { option: "token" }));
        }
        auth.check("the given id", "the given secret")?;
        let auth = auth.clone().organization_or(self.organization.clone());
        Ok(self.chain.clone().first(auth.provider(env)?))
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
            .field("auth", &self.auth)
            .field("base_url", &self.base_url.as_ref().map(|_| ".."))
            .finish_non_exhaustive()
    }
}

/// # How changes are noticed
#[cfg(feature = "watch")]
impl<M> InfisicalClientBuilder<M> {
    /// Whether a watch has the server tell it of changes, where the server does; see
    /// [`InfisicalClient`](super::InfisicalClient#changes-as-the-server-tells-them). Default: it has. Without, it polls.
    pub fn events(mut self, on: bool) -> Self {
        self.defaults.polls_only = !on;
        self
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
            (build(builder().auth(Auth::kubernetes("\"hunter2\"")), &[]), ErrorKind::Credentials, "is in quotes"),
            (build(builder().universal_auth("", "hunter2"), &[]), ErrorKind::Credentials, "the given id is empty"),
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
    fn files_complete_what_variables_leave_open_and_no_token_goes_where_only_a_file_of_the_directory_says() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(".infisical.json");
        let client = |content: &str, variables: &[(&str, &str)]| {
            std::fs::write(&file, content).unwrap();
            let env = ProcessEnv::of(variables).with_working_dir(directory.path());
            builder().build_in(&env).map(|client| client.source().base_url().to_owned())
        };
        let token = ("INFISICAL_TOKEN", "t");
        let own = r#"{"workspaceId":"7e2f","defaultEnvironment":"dev"}"#;
        assert_eq!(client(own, &[token]).unwrap(), crate::infisical::DEFAULT_BASE_URL);
        let elsewhere = r#"{"domain":"https://attacker.example"}"#;
        let error = client(elsewhere, &[token]).unwrap_err();
        assert!(error.kind() == ErrorKind::Config && error.to_string().contains("attacker.example"), "{error}");
        let named = [token, ("INFISICAL_DOMAIN", "https://own.example")];
        assert_eq!(client(elsewhere, &named).unwrap(), "https://own.example/api");
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
