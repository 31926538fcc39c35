//! The client of secr: its builder, and the read of an environment.

#[cfg(feature = "blocking")]
pub(crate) mod blocking;

use std::borrow::Cow;

use super::protocol::SecrProtocol;
use super::{Secr, SecrScope};
use crate::core::{ErrorKind, Hint, SecretValue, SnapshotSource, XtraError};
use crate::credentials::{BaseUrls, ChainPosition, ProcessEnv, Sourced, Step};
use crate::engine::{Async, CacheOptions, Client, EngineOptions, Loaded, Read, Request};
use crate::http::BaseUrl;
use crate::services::client_builder::{ClientBuilder, Service, TokenService};

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
        SecrClientBuilder::new(STEPS, CacheOptions::default())
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
pub type SecrClientBuilder<M = Async> = ClientBuilder<Secr, M>;

impl Service for Secr {
    type Options = ();
}

impl TokenService for Secr {}

/// # secr: base URL
impl<M> ClientBuilder<Secr, M> {
    /// The base URL, without `/v1`, which is added. It must be https (http on a loopback address). Default: `SECR_API_URL`, then
    /// [`DEFAULT_API_URL`].
    pub fn api_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Takes base URL and token from a running [`SecrDevServer`](super::dev::SecrDevServer). Call [`token`](Self::token) after it to
    /// be someone else.
    #[cfg(feature = "dev-server")]
    pub fn dev_server(self, server: &super::dev::SecrDevServer) -> Self {
        self.token(server.token()).api_url(server.url())
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
        let urls = BaseUrls::new(DEFAULT_API_URL).named(Sourced::option(self.base_url.as_deref(), "api_url"));
        let found = urls.named(env.setting("SECR_API_URL")?).variable("SECR_API_URL").choose(token.as_ref().ok())?;
        let base = self.checked_base_url(&found.value, "").and_then(without_version);
        let base = base.map_err(|error| found.explained(error))?;
        let most_bytes = self.transport.max_response_bytes;
        self.client_at(&base, SecrProtocol, token?.provider(), |transport, ()| Ok(Secr::new(transport, most_bytes)))
    }
}

fn without_version(base: BaseUrl) -> Result<BaseUrl, XtraError> {
    if base.as_str().ends_with("/v1") {
        let message = "the base URL ends in /v1, which the client adds by itself";
        return Err(XtraError::new(ErrorKind::Config, message).with_hint(Hint::check_base_url("ends before /v1")));
    }
    Ok(base)
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
