//! The client of SyVault: its builder, and the read of a secret.

#[cfg(feature = "blocking")]
pub(crate) mod blocking;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;

use super::credentials::SignedTokens;
use super::folder::{Folders, KEYS, SyVaultFolder, with_keys};
use super::key::{BASE64, ClientKey};
use super::operations::{Registration, register};
use super::protocol::SyVaultProtocol;
use super::{SyVault, SyVaultScope};
use crate::core::{ErrorKind, Hint, SecretValue, SnapshotSource, XtraError};
use crate::credentials::{ProcessEnv, Sourced};
use crate::engine::{Async, CacheOptions, Client, EngineOptions, Loaded, Read, Request};
use crate::http::BaseUrl;
use crate::services::client_builder::{ClientBuilder, Service};

/// The client of SyVault. The blocking one is `blocking::SyVaultClient`.
///
/// **It is experimental.** The vendor's own SDKs are not published, and its pages leave the core open: how a secret looks on the wire,
/// and how a client gets the keys of folders. What is documented is followed; what is inferred is labelled in the documentation of
/// each method; and what nobody has confirmed, the unwrapping of folder keys, is not there. An answer of another shape is
/// [`Decode`](ErrorKind::Decode) and says which assumption it breaks; a secret that cannot be decrypted is
/// [`Undecryptable`](ErrorKind::Undecryptable), by its uid, and is never returned in part. Nothing was tried against the service.
///
/// A snapshot is of one secret: its names are those of the fields. So typed reads, injection, watches and copies on disk work on a
/// secret's fields. The SDKs' errors are kinds here: `SecretNotFoundError` is [`NotFound`](ErrorKind::NotFound), with the uid among
/// [`names`](XtraError::names); `AuthError` is [`Unauthorized`](ErrorKind::Unauthorized), or
/// [`Credentials`](ErrorKind::Credentials) before anything is sent.
///
/// ```no_run
/// use xtrasecurity::{XtraError, syvault::SyVaultClient};
///
/// # async fn example() -> Result<(), XtraError> {
/// let client = SyVaultClient::from_env()?; // SY_SERVER, SY_CLIENT_ID, SY_CLIENT_SECRET
/// let secret = client.get("7Kj9mNpQ2xRs").await?; // cached for 60 s
/// println!("{}", secret.require("host")?.expose());
/// # Ok(())
/// # }
/// ```
pub type SyVaultClient = Client<SyVault>;

/// How long a secret is served without asking again.
const TTL: Duration = Duration::from_secs(60);
/// How many secrets are kept.
const MOST: usize = 500;

/// # SyVault: make a client, and read a secret
impl<M> Client<SyVault, M> {
    /// Builds a client from the variables `SY_SERVER`, `SY_CLIENT_ID` and `SY_CLIENT_SECRET`. Nothing is sent yet.
    ///
    /// `SY_FOLDER_KEYS` has the keys of folders, where it is set: `ID=KEY,ID=KEY`, each key 32 bytes in base64. It is this crate's own
    /// name: how a client gets these keys is not published, see [`SyVaultFolder`].
    ///
    /// # Errors
    ///
    /// As [`SyVaultClientBuilder::build`].
    pub fn from_env() -> Result<Self, XtraError> {
        Self::builder().build()
    }

    /// Begins a client with options of your own.
    pub fn builder() -> SyVaultClientBuilder<M> {
        SyVaultClientBuilder::of_syvault()
    }

    /// Reads the fields of a secret; awaiting gives an `Arc<`[`Secrets`](crate::Secrets)`>`, from the cache when the snapshot there is
    /// fresh. Its title is not among them: [`list`](Self::list) has that.
    ///
    /// The route, and what the answer looks like, are inferred: a secret has either `fields` in plain form, or `encrypted_key` and
    /// `encrypted_data` as the vendor documents the records of its vault. The latter opens with the key of its
    /// [folder](SyVaultClientBuilder::folder) alone.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound), with the uid among [`names`](XtraError::names); [`Undecryptable`](ErrorKind::Undecryptable)
    /// when it does not decrypt, with the reason; [`Decode`](ErrorKind::Decode) when it has another shape than is assumed;
    /// [`Unauthorized`](ErrorKind::Unauthorized) when the signed token is refused, with a note when the clock of this machine is off;
    /// [`Forbidden`](ErrorKind::Forbidden); and those of any call.
    pub fn get<'a>(&'a self, uid: impl Into<Cow<'a, str>>) -> Request<'a, SyVault, Read, M> {
        self.read(SyVaultScope::secret(uid))
    }

    /// A client without a service, for unit tests: every secret has these fields. Writes, and everything else but
    /// [`get`](Self::get), fail with [`ErrorKind::Credentials`] before anything is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when no HTTP client can be made on this system.
    ///
    /// ```
    /// use xtrasecurity::syvault::SyVaultClient;
    ///
    /// # fn main() -> Result<(), xtrasecurity::XtraError> {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let client = SyVaultClient::in_memory([("host", "db.example.com")])?;
    /// assert_eq!(client.get("7Kj9mNpQ2xRs").await?.require("host")?.expose(), "db.example.com");
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    pub fn in_memory<N: Into<String>, V: Into<SecretValue>>(
        fields: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, XtraError> {
        let loaded = Loaded::from_iter(fields).from_source(SnapshotSource::Memory);
        Ok(Client::with_options(SyVault::in_memory(loaded)?, EngineOptions::default()).in_mode())
    }

    /// Drops what is cached and this client. Its connections end with the last of its clones.
    pub fn close(self) {
        self.clear_cache();
    }
}

/// Puts a [`SyVaultClient`] together. Nothing is checked before [`build`](Self::build), and nothing is sent by it.
///
/// ```
/// use xtrasecurity::syvault::SyVaultClient;
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// # let client_secret = "jpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LI=";
/// let client = SyVaultClient::builder()
///     .server("https://vault.example.com")
///     .client_id("c9a1b2d3-4e5f-6789-abcd-ef0123456789")
///     .client_secret(client_secret)
///     .build()?;
/// # Ok(())
/// # }
/// ```
pub type SyVaultClientBuilder<M = Async> = ClientBuilder<SyVault, M>;

/// The options of SyVault alone.
#[derive(Default)]
pub struct SyVaultOptions {
    client_id: Option<String>,
    client_secret: Option<SecretValue>,
    folders: Vec<SyVaultFolder>,
}

impl Service for SyVault {
    type Options = SyVaultOptions;
}

/// # SyVault: server, client and folders
impl<M> ClientBuilder<SyVault, M> {
    fn of_syvault() -> Self {
        // it signs its tokens itself: nothing is looked for
        Self::new(&[], CacheOptions::default().ttl(TTL).max_entries(MOST))
    }

    /// The server, as `https://vault.example.com`. It is also what tokens are signed for, letter by letter but for a slash at its
    /// end: write it as the service itself does. Default: `SY_SERVER`.
    pub fn server(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The id of the client, a UUID. Default: `SY_CLIENT_ID`.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.own.client_id = Some(id.into());
        self
    }

    /// The secret of the client: the private key that was made when it was registered, ECDSA on P-256. In which form it is written is
    /// not documented, so each is read: the number itself, SEC1 or PKCS#8, in base64 (either alphabet, with padding or without) or PEM.
    /// Default: `SY_CLIENT_SECRET`.
    pub fn client_secret(mut self, secret: impl Into<SecretValue>) -> Self {
        self.own.client_secret = Some(secret.into());
        self
    }

    /// What the program knows of a folder: its names, for [notations](super::Notation), and its key, for the secrets in it. May be
    /// called more than once. A key that is not given here is looked for in `SY_FOLDER_KEYS`.
    pub fn folder(mut self, folder: SyVaultFolder) -> Self {
        self.own.folders.push(folder);
        self
    }

    /// How many secrets the cache keeps at most. Default 500.
    pub fn cache_max(mut self, entries: usize) -> Self {
        self.engine.cache.max_entries = entries;
        self
    }

    /// Takes server, client and folders from a running [`SyVaultDevServer`](super::dev::SyVaultDevServer): the first client that has
    /// a key. Call [`client_id`](Self::client_id) and [`client_secret`](Self::client_secret) after it to be another one.
    #[cfg(feature = "dev-server")]
    pub fn dev_server(mut self, server: &super::dev::SyVaultDevServer) -> Self {
        if let Some((id, secret)) = server.credentials() {
            self = self.client_id(id).client_secret(secret);
        }
        self.own.folders.extend(server.folders());
        self.server(server.url())
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Credentials`] when the client's id or secret is missing or cannot be used; [`ErrorKind::Config`] when the server is
    /// missing, or an option cannot be used, by name.
    pub fn build(self) -> Result<Client<SyVault, M>, XtraError> {
        self.build_in(&ProcessEnv::current())
    }

    fn build_in(self, env: &ProcessEnv) -> Result<Client<SyVault, M>, XtraError> {
        let id = given(self.own.client_id.as_deref(), env, "client_id", "SY_CLIENT_ID", ErrorKind::Credentials);
        Ok(self.client_named(env, || id.map(|id| id.value))?.0)
    }

    /// The client of this id, and its public key.
    fn client_named(
        self,
        env: &ProcessEnv,
        id: impl FnOnce() -> Result<String, XtraError>,
    ) -> Result<(Client<SyVault, M>, Vec<u8>), XtraError> {
        let server = given(self.base_url.as_deref(), env, "server", "SY_SERVER", ErrorKind::Config)?;
        let base = self.checked_base_url(&server.value, "").and_then(server_alone);
        let base = base.map_err(|error| server.explained(error))?;
        let id = id()?;
        let secret = self.own.client_secret.as_ref().map(SecretValue::expose);
        let secret = given(secret, env, "client_secret", "SY_CLIENT_SECRET", ErrorKind::Credentials)?;
        let (secret, origin) = (secret.clone().map(SecretValue::new), secret.map(|_| String::new()));
        let key = ClientKey::parse(&secret.value).map_err(|error| origin.explained(error))?;
        let (point, keys) = (key.point(), env.setting(KEYS)?.map(|keys| SecretValue::new(keys.value)));
        let tokens = Arc::new(SignedTokens::new(key, id.trim(), &server.value, self.engine.clock.clone()));
        let client = self.client_at(&base, SyVaultProtocol, Arc::clone(&tokens) as _, |transport, own| {
            Ok(SyVault::new(transport, tokens, Folders::of(with_keys(own.folders, keys)?)?))
        })?;
        Ok((client, point))
    }

    /// Registers the key of the client by a token, which is good once.
    async fn register(self, token: SecretValue) -> Result<Registration, XtraError> {
        let (client, point) = self.client_named(&ProcessEnv::current(), || Ok(String::new()))?;
        register(client.source(), BASE64.encode(point), token).await
    }
}

impl ClientBuilder<SyVault> {
    /// Registers a new client, whose private key is the [`client_secret`](Self::client_secret): the service is told the public one.
    /// `token` is the one-time token that an administrator gets for the client, `vft_…`. Awaiting gives the id that the client is
    /// built with from then on.
    ///
    /// The token is good once, and the request is sent once. Save the private key before: see
    /// [`new_client_secret`](super::new_client_secret).
    ///
    /// The route and the names are documented. In which form the public key is meant is inferred: the point on the curve, not
    /// compressed, in base64.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`](ErrorKind::Unauthorized) for a token that is used up; [`Timeout`](ErrorKind::Timeout) and the like when no
    /// answer came, after which the token [may be used up](XtraError::may_have_been_applied); [`Decode`](ErrorKind::Decode) when the
    /// answer is not the documented one; and those of [`build`](Self::build), but for the id.
    ///
    /// ```no_run
    /// use xtrasecurity::syvault::{SyVaultClient, new_client_secret};
    /// # use xtrasecurity::{SecretValue, XtraError};
    ///
    /// # async fn example(save: fn(&SecretValue)) -> Result<(), XtraError> {
    /// let key = new_client_secret()?;
    /// save(&key); // before the token is spent
    /// let builder = || SyVaultClient::builder().server("https://vault.example.com").client_secret(key.clone());
    /// let registration = builder().bootstrap("vft_…").await?;
    /// let client = builder().client_id(registration.client_id).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn bootstrap(self, token: impl Into<SecretValue>) -> Result<Registration, XtraError> {
        self.register(token.into()).await
    }
}

/// What an option or else a variable gives.
fn given(
    option: Option<&str>,
    env: &ProcessEnv,
    name: &'static str,
    variable: &'static str,
    kind: ErrorKind,
) -> Result<Sourced, XtraError> {
    match Sourced::option(option, name) {
        Some(given) if given.value.trim().is_empty() => {
            // going on to the environment would use what the program did not mean
            Err(XtraError::new(kind, format!("the {name} option is empty")).with_hint(Hint::LeaveOut { option: name }))
        }
        Some(given) => Ok(given),
        None => env.setting(variable)?.ok_or_else(|| {
            XtraError::new(kind, format!("there is no {name}: the program gives none, and {variable} is not set"))
                .with_hint(Hint::advice(format!("Set {variable}, or pass {name}(..)")))
        }),
    }
}

fn server_alone(base: BaseUrl) -> Result<BaseUrl, XtraError> {
    if base.as_str().ends_with("/v1") || base.as_str().ends_with("/api") {
        let message = "the server ends in the path of the API, which the client adds by itself";
        let hint = Hint::check_base_url("is that of the server alone, as https://vault.example.com");
        return Err(XtraError::new(ErrorKind::Config, message).with_hint(hint));
    }
    Ok(base)
}

impl fmt::Debug for SyVaultOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyVaultOptions")
            .field("client_secret", &self.client_secret)
            .field("folders", &self.folders)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::tests::SCALAR;
    use super::*;

    const GOOD: [(&str, &str); 3] = [
        ("SY_SERVER", "https://vault.example.com/"),
        ("SY_CLIENT_ID", "c9a1b2d3-4e5f-6789-abcd-ef0123456789"),
        ("SY_CLIENT_SECRET", SCALAR),
    ];

    fn build(variables: &[(&str, &str)]) -> Result<SyVaultClient, XtraError> {
        SyVaultClient::builder().build_in(&ProcessEnv::of_variables(variables.iter().copied()))
    }

    #[test]
    fn server_id_and_secret_come_from_the_variables_and_each_that_is_missing_is_named() {
        assert_eq!(build(&GOOD).unwrap().source().transport().base_url(), "https://vault.example.com");
        for (at, (variable, _)) in GOOD.iter().enumerate() {
            let mut without = GOOD.to_vec();
            without.remove(at);
            for value in [None, Some("")] {
                let mut variables = without.clone();
                variables.extend(value.map(|value| (*variable, value)));
                let error = build(&variables).unwrap_err();
                let kind = if at == 0 { ErrorKind::Config } else { ErrorKind::Credentials };
                assert_eq!(error.kind(), kind);
                assert!(error.to_string().contains(variable), "{error}");
            }
        }
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_origin_and_not_shown() {
        let with = |at: usize, value: &'static str| {
            let mut variables = GOOD;
            variables[at].1 = value;
            build(&variables).unwrap_err()
        };
        let error = with(2, "hunter2-canary");
        assert_eq!(error.kind(), ErrorKind::Credentials);
        assert!(error.to_string().contains("SY_CLIENT_SECRET") && !error.to_string().contains("hunter2"), "{error}");
        for server in
            ["https://vault.example.com/api/sm/v1", "http://vault.example.com", "https://u:p@vault.example.com"]
        {
            let error = with(0, server);
            assert_eq!(error.kind(), ErrorKind::Config, "{server}");
            assert!(error.to_string().contains("SY_SERVER"), "{error}");
        }
        let error = SyVaultClient::builder().client_id(" ").build_in(&ProcessEnv::of_variables(GOOD)).unwrap_err();
        assert!(error.to_string().contains("client_id"), "{error}");
    }

    #[test]
    fn the_cache_has_the_defaults_of_the_sdks_and_the_builder_shows_no_secret() {
        let builder = SyVaultClient::builder().client_secret("hunter2");
        assert_eq!((builder.engine.cache.ttl, builder.engine.cache.max_entries), (Duration::from_secs(60), 500));
        assert!(!format!("{builder:?}").contains("hunter2"));
    }
}
