//! The options of the Infisical client, by name, and its building.

use std::fmt;
use std::time::Duration;

use crate::core::{ErrorKind, Hint, SecretValue, XtraError};
use crate::credentials::{Chain, ProcessEnv, Sourced};
use crate::engine::{Async, CacheOptions, Client};
use crate::services::client_builder::{ClientBuilder, Service, TokenService};
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
pub type InfisicalClientBuilder<M = Async> = ClientBuilder<Infisical, M>;

/// The options of Infisical alone.
#[derive(Default)]
pub struct InfisicalOptions {
    /// How the program proves who it is, but for a token.
    auth: Option<Auth>,
    organization: Option<String>,
    defaults: Defaults,
}

impl Service for Infisical {
    type Options = InfisicalOptions;
}

impl TokenService for Infisical {}

/// # Infisical: credentials, project and server
impl<M> ClientBuilder<Infisical, M> {
    pub(super) fn of_infisical() -> Self {
        Self::new(STEPS, CacheOptions::default().ttl(TTL))
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
        self.own.auth = Some(auth);
        self
    }

    /// The organisation to log in to, by its slug, for an identity of several. Default: that of the identity. Servers of 2024
    /// ignore it.
    pub fn organization_slug(mut self, slug: impl Into<String>) -> Self {
        self.own.organization = Some(slug.into());
        self
    }

    /// The project of calls that name none, by its id.
    pub fn project_id(mut self, id: impl Into<String>) -> Self {
        self.own.defaults.project = Some(ProjectName::Id(id.into().into()));
        self
    }

    /// The project of calls that name none, by its slug. Its id is better: the newer interface of the server knows ids alone.
    pub fn project_slug(mut self, slug: impl Into<String>) -> Self {
        self.own.defaults.project = Some(ProjectName::Slug(slug.into().into()));
        self
    }

    /// The environment of calls that name none, by its slug. Without it such calls fail.
    pub fn environment(mut self, slug: impl Into<String>) -> Self {
        self.own.defaults.environment = Some(slug.into());
        self
    }

    /// The folder of calls that name none. Default: `/`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.own.defaults.path = Some(path.into());
        self
    }

    /// The base URL of the server, with or without `/api` at its end. It must be https, or http on a loopback address. Default: the
    /// first of the variables listed at [`InfisicalClient::from_env`](crate::Client::from_env), then
    /// [`DEFAULT_BASE_URL`](crate::infisical::DEFAULT_BASE_URL); the European cloud is `https://eu.infisical.com`.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Takes base URL, token and project from a running [`InfisicalDevServer`](crate::infisical::dev::InfisicalDevServer): those of its
    /// first identity and its first project. Call [`token`](Self::token) or [`project_id`](Self::project_id) after it to be someone
    /// else, or somewhere else.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use xtrasecurity::infisical::InfisicalClient;
    /// use xtrasecurity::infisical::dev::InfisicalDevServer;
    ///
    /// let server = InfisicalDevServer::start().await?;
    /// let client = InfisicalClient::builder().dev_server(&server).build()?;
    /// client.set_secret("dev", "PORT", "8080").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "dev-server")]
    pub fn dev_server(self, server: &crate::infisical::dev::InfisicalDevServer) -> Self {
        self.token(server.token()).project_id(server.project_id()).base_url(server.url())
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

    pub(crate) fn build_in(mut self, env: &ProcessEnv) -> Result<Client<Infisical, M>, XtraError> {
        let settings = Settings::load(env)?;
        let chain = self.chain_with_auth(env)?;
        let mut defaults = std::mem::take(&mut self.own.defaults);
        let text = |found: &Option<Sourced>| found.as_ref().map(|found| found.value.clone());
        defaults.project = defaults.project.or_else(|| settings.project());
        defaults.environment = defaults.environment.or_else(|| text(&settings.environment));
        defaults.path = defaults.path.or_else(|| text(&settings.path));
        defaults.check()?;
        let resolved = chain.resolve(env);
        let option = Sourced::option(self.base_url.as_deref(), "base_url");
        let found = settings.base_urls(option, base_url_of_login(env)).choose(resolved.as_ref().ok())?;
        let base = self.checked_base_url(&found.value, ROOT_SUFFIX).map_err(|error| found.explained(error))?;
        self.client_at(&base, InfisicalProtocol, resolved?.provider(), |transport, _| {
            Ok(Infisical::new(transport, defaults))
        })
    }

    /// The chain of credentials; those that the program gives come first.
    fn chain_with_auth(&self, env: &ProcessEnv) -> Result<Chain, XtraError> {
        let Some(auth) = &self.own.auth else { return Ok(self.chain.clone()) };
        if self.chain.has_token() {
            let message =
                "both a token and another way to prove who the program is are given, and may be two accounts'";
            return Err(XtraError::new(ErrorKind::Config, message).with_hint(Hint::LeaveOut { option: "token" }));
        }
        auth.check("the given id", "the given secret")?;
        let auth = auth.clone().organization_or(self.own.organization.clone());
        Ok(self.chain.clone().first(auth.provider(env)?))
    }
}

impl fmt::Debug for InfisicalOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // names and ids may be something else that was passed by mistake
        f.debug_struct("InfisicalOptions").field("auth", &self.auth).finish_non_exhaustive()
    }
}

/// # How changes are noticed
#[cfg(feature = "watch")]
impl<M> ClientBuilder<Infisical, M> {
    /// Whether a watch has the server tell it of changes, where the server does; see
    /// [`InfisicalClient`](super::InfisicalClient#changes-as-the-server-tells-them). Default: it has. Without, it polls.
    pub fn events(mut self, on: bool) -> Self {
        self.own.defaults.polls_only = !on;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::SecretSource;

    fn build(builder: InfisicalClientBuilder, variables: &[(&str, &str)]) -> Result<Client<Infisical>, XtraError> {
        builder.build_in(&ProcessEnv::of(variables))
    }

    fn builder() -> InfisicalClientBuilder {
        InfisicalClientBuilder::of_infisical()
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
