//! The client of secr: its builder, and the read of an environment.

#[cfg(feature = "blocking")]
pub(crate) mod blocking;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::protocol::SecrProtocol;
use super::{Secr, SecrScope};
use crate::core::{ErrorKind, Hint, SecretValue, SnapshotSource, XtraError};
use crate::credentials::{BaseUrls, Chain, ChainPosition, ProcessEnv, Sourced, Step};
use crate::engine::{Async, Client, EngineOptions, Loaded, Read, Request};
use crate::http::{BaseUrl, CredentialProvider, Transport, TransportOptions};

/// The base URL of secr itself, which a client uses when none is given.
pub const DEFAULT_API_URL: &str = "https://api.secr.dev";

/// The client of secr. The blocking one is `blocking::SecrClient`.
///
/// It speaks as the vendor's pages say, and where they say nothing, by what follows from them: what is inferred is labelled in the
/// documentation of each method. An answer of another shape is [`Decode`](crate::ErrorKind::Decode) and says which assumption it
/// breaks. Nothing was tried against the service.
///
/// Errors are [`XtraError`]s: `message()`, `status()` and `code()` are the SDKs' `message`, `status_code` and `code`. Where the
/// SDKs have the status 0, because no answer came, [`status`](XtraError::status) is `None`, and [`hop`](XtraError::hop) tells how far
/// the call got.
///
/// ```no_run
/// use xtrasecurity::{XtraError, secr::SecrClient};
///
/// # async fn example() -> Result<(), XtraError> {
/// let client = SecrClient::builder().token("secr_tok_...").build()?;
/// let secrets = client.get_secrets("my-org", "my-project", "production").await?; // cached for 30 s
/// let url = secrets.require("DATABASE_URL")?.expose();
/// client.set_secret("my-org", "my-project", "development", "API_KEY", "sk-…").await?;
/// # Ok(())
/// # }
/// ```
pub type SecrClient = Client<Secr>;

/// Where a token is looked for.
const STEPS: &[Step] = &[
    Step::Explicit,
    Step::Custom(ChainPosition::First),
    Step::Variable("SECR_TOKEN"),
    Step::Variable("SECR_AGENT_TOKEN"),
    Step::Custom(ChainPosition::AfterEnvironment),
    Step::Custom(ChainPosition::Last),
];

/// # secr: make a client, and read secrets
impl<M> Client<Secr, M> {
    /// Builds a client from environment variables. Nothing is sent yet.
    ///
    /// The token is that of `SECR_TOKEN`, or else of `SECR_AGENT_TOKEN`; the base URL that of `SECR_API_URL`, or else
    /// [`DEFAULT_API_URL`]. Of these, `SECR_TOKEN` is this crate's own name: no page of the vendor has one.
    ///
    /// # Errors
    ///
    /// As [`SecrClientBuilder::build`].
    pub fn from_env() -> Result<Self, XtraError> {
        Self::builder().build()
    }

    /// Begins a client with options of your own.
    pub fn builder() -> SecrClientBuilder<M> {
        SecrClientBuilder::new()
    }

    /// Reads all secrets of an environment; awaiting gives an `Arc<`[`Secrets`](crate::Secrets)`>`, from the cache when the
    /// snapshot there is fresh. Typed reads, injection, watches, references and copies on disk are those of any source.
    ///
    /// The service gives all secrets in one answer when it is not asked for a part (inferred). If it sends pages all the same, they
    /// are read to the end; when secrets change meanwhile, from the start, three times at most.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) for a name that cannot be sent; [`NotFound`](crate::ErrorKind::NotFound) for an unknown
    /// organisation, project or environment; [`Forbidden`](crate::ErrorKind::Forbidden), also for an agent's token outside of its
    /// environment; [`Masked`](crate::ErrorKind::Masked) and [`Undecryptable`](crate::ErrorKind::Undecryptable) when values did not
    /// come through; [`Conflict`](crate::ErrorKind::Conflict) when secrets change faster than they are read;
    /// [`Decode`](crate::ErrorKind::Decode) when the answer has another shape than is assumed; and those of any call.
    pub fn get_secrets<'a>(
        &'a self,
        org: impl Into<Cow<'a, str>>,
        project: impl Into<Cow<'a, str>>,
        environment: impl Into<Cow<'a, str>>,
    ) -> Request<'a, Secr, Read, M> {
        self.read(SecrScope::new(org, project, environment))
    }

    /// A client without a service, for unit tests: every environment holds these secrets. Writes, and everything else but reading,
    /// fail with [`ErrorKind::Credentials`] before anything is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when no HTTP client can be made on this system.
    ///
    /// ```
    /// use xtrasecurity::secr::SecrClient;
    ///
    /// # fn main() -> Result<(), xtrasecurity::XtraError> {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let client = SecrClient::in_memory([("PORT", "8080")])?;
    /// assert_eq!(client.get_secrets("org", "proj", "dev").await?.require("PORT")?.expose(), "8080");
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    pub fn in_memory<N: Into<String>, V: Into<SecretValue>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, XtraError> {
        let loaded = Loaded::from_iter(pairs).from_source(SnapshotSource::Memory);
        Ok(Client::with_options(Secr::in_memory(loaded)?, EngineOptions::default()).in_mode())
    }

    /// Drops what is cached and this client. Its connections end with the last of its clones.
    pub fn close(self) {
        self.clear_cache();
    }
}

/// Puts a [`SecrClient`] together. Nothing is checked before [`build`](Self::build), and nothing is sent by it.
///
/// ```
/// use std::time::Duration;
/// use xtrasecurity::secr::SecrClient;
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let client = SecrClient::builder().token("secr_cli_0123456789").call_timeout(Duration::from_secs(10)).build()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens before build()"]
pub struct SecrClientBuilder<M = Async> {
    chain: Chain,
    api_url: Option<String>,
    engine: EngineOptions,
    danger_allow_http: bool,
    transport: TransportOptions,
    mode: PhantomData<fn() -> M>,
}

impl<M> SecrClientBuilder<M> {
    fn new() -> Self {
        Self {
            chain: Chain::new(STEPS),
            api_url: None,
            engine: EngineOptions::default(),
            danger_allow_http: false,
            transport: TransportOptions::default(),
            mode: PhantomData,
        }
    }

    /// The token: a user's, the command's or an agent's. Its beginning is not looked at.
    pub fn token(mut self, token: impl Into<SecretValue>) -> Self {
        self.chain = self.chain.token(Some(token.into()));
        self
    }

    /// A credential provider of your own, asked at the given position of the chain. May be called more than once.
    pub fn credentials(mut self, position: ChainPosition, provider: Arc<dyn CredentialProvider>) -> Self {
        self.chain = self.chain.provider(position, provider);
        self
    }

    /// The base URL, without `/v1`, which is added. It must be https (http on a loopback address). Default: `SECR_API_URL`, then
    /// [`DEFAULT_API_URL`].
    pub fn api_url(mut self, url: impl Into<String>) -> Self {
        self.api_url = Some(url.into());
        self
    }

    /// Takes base URL and token from a running [`SecrDevServer`](super::dev::SecrDevServer). Call [`token`](Self::token) after it to
    /// be someone else.
    #[cfg(feature = "dev-server")]
    pub fn dev_server(self, server: &super::dev::SecrDevServer) -> Self {
        self.token(server.token()).api_url(server.url())
    }

    /// How long a call may take in all, retries and waits included. Default 30 s; zero is refused. The SDKs call it `timeout`.
    #[doc(alias = "timeout")]
    pub fn call_timeout(mut self, limit: Duration) -> Self {
        self.transport.call_timeout = limit;
        self
    }

    /// How long establishing a connection may take. Default 5 s; zero is refused.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.transport.connect_timeout = limit;
        self
    }

    /// The largest answer that is read, in bytes; of an environment that comes in pages, all of them together. Default 16 MiB; zero
    /// is refused.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.transport.max_response_bytes = bytes;
        self
    }

    /// How often a failed read is repeated. Default 3; zero turns retries off.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.transport.retry.max_retries = retries;
        self
    }

    /// How long a snapshot is served without asking again. Default 30 s; zero turns the cache off.
    pub fn cache_ttl(mut self, ttl: Duration) -> Self {
        self.engine.cache.ttl = ttl;
        self
    }

    /// Cache, clock, required names and copies on disk, all at once; replaces what was said of them before.
    pub fn engine_options(mut self, options: EngineOptions) -> Self {
        self.engine = options;
        self
    }

    /// Trusts the certificates in this PEM text too, beside the system's (or, where there are none, the bundled ones).
    pub fn add_root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.transport.root_certificates.push(pem.into());
        self
    }

    /// Connects directly, whatever `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` say.
    pub fn no_proxy(mut self) -> Self {
        self.transport.use_proxies = false;
        self
    }

    /// Allows an `http` base URL on an address that is not loopback. **The token and every secret then cross the network in the
    /// clear.** For isolated test networks only.
    pub fn danger_allow_http(mut self) -> Self {
        self.danger_allow_http = true;
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Credentials`] when no usable token is found, with what each place held; [`ErrorKind::Config`] when an option
    /// cannot be used, by name.
    pub fn build(self) -> Result<Client<Secr, M>, XtraError> {
        self.build_in(&ProcessEnv::current())
    }

    fn build_in(self, env: &ProcessEnv) -> Result<Client<Secr, M>, XtraError> {
        let token = self.chain.resolve(env);
        let urls = BaseUrls::new(DEFAULT_API_URL).named(Sourced::option(self.api_url.as_deref(), "api_url"));
        let found = urls.named(env.setting("SECR_API_URL")?).variable("SECR_API_URL").choose(token.as_ref().ok())?;
        let base = checked_base_url(&found.value, self.danger_allow_http).map_err(|error| found.explained(error))?;
        let options = TransportOptions { clock: self.engine.clock.clone(), ..self.transport };
        let most_bytes = options.max_response_bytes;
        let transport = Transport::new(&base, Arc::new(SecrProtocol), token?.provider(), options)?;
        let source = Secr::new(transport, most_bytes);
        #[cfg(feature = "offline")]
        if let Some(options) = &self.engine.offline {
            options.check(crate::engine::SecretSource::lasting_token(&source).is_some())?;
        }
        Ok(Client::with_options(source, self.engine).in_mode())
    }
}

fn checked_base_url(url: &str, allow_http: bool) -> Result<BaseUrl, XtraError> {
    let base = BaseUrl::parse(url, "", allow_http)?;
    if base.as_str().ends_with("/v1") {
        let message = "the base URL ends in /v1, which the client adds by itself";
        return Err(XtraError::new(ErrorKind::Config, message).with_hint(Hint::check_base_url("ends before /v1")));
    }
    Ok(base)
}

impl<M> fmt::Debug for SecrClientBuilder<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecrClientBuilder")
            .field("chain", &self.chain)
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(variables: &[(&str, &str)], api_url: Option<&str>) -> Result<SecrClient, XtraError> {
        let env = ProcessEnv::of_variables(variables.iter().copied());
        let builder = SecrClient::builder();
        match api_url {
            Some(url) => builder.api_url(url).build_in(&env),
            None => builder.build_in(&env),
        }
    }

    #[test]
    fn the_token_and_the_base_url_come_from_the_services_own_variables() {
        let root = |client: SecrClient| client.source().transport().base_url().to_owned();
        assert_eq!(root(build(&[("SECR_TOKEN", "secr_tok_1")], None).unwrap()), DEFAULT_API_URL);
        let variables = [("SECR_AGENT_TOKEN", "secr_agent_1"), ("SECR_API_URL", "https://secr.example/")];
        assert_eq!(root(build(&variables, None).unwrap()), "https://secr.example");
        assert_eq!(root(build(&variables, Some("https://own.example")).unwrap()), "https://own.example");
        let error = build(&[("XTRA_TOKEN", "another service's")], None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
        assert!(error.to_string().contains("SECR_TOKEN") && !error.to_string().contains("XTRA"), "{error}");
    }

    #[test]
    fn a_base_url_with_the_version_in_it_is_refused_before_anything_is_sent() {
        let error = build(&[("SECR_TOKEN", "t")], Some("https://api.secr.dev/v1/")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("/v1") && error.to_string().contains("api_url"), "{error}");
    }
}
