//! The options of the blocking client: those of the async one, under the same names.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::blocking::XtraClient;
use crate::blocking::options;
use crate::core::{Clock, SecretValue, XtraError};
use crate::credentials::{ChainPosition, Configuration, CredentialProvider};
use crate::engine::CacheOptions;
use crate::services::xtra;

/// Puts a blocking [`XtraClient`] together: every option of the [async builder](crate::XtraClientBuilder).
///
/// It is a builder of its own, and not a second `build` of the async one, so that a program changes from one client to the
/// other by its `use` line alone.
///
/// ```
/// use std::time::Duration;
/// use xtrasecurity::blocking::XtraClient;
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let client = XtraClient::builder()
///     .token("xs_example")
///     .project_id("665f1c2ab7c0de0012345678")
///     .cache_ttl(Duration::from_secs(60))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens before build()"]
pub struct XtraClientBuilder(xtra::XtraClientBuilder);

impl XtraClientBuilder {
    options! {
        /// The API token.
        token(token: impl Into<SecretValue>);
        /// A credential provider of one's own. It is asked on the runtime of the blocking clients, so it may not make
        /// blocking calls of this crate itself.
        credentials(position: ChainPosition, provider: Arc<dyn CredentialProvider>);
        /// The project of calls that name none.
        project_id(id: impl Into<String>);
        /// The environment of calls that name none.
        environment(name: impl Into<String>);
        /// The branch of calls that name none.
        branch(name: impl Into<String>);
        /// The API root.
        api_url(url: impl Into<String>);
        /// Whether snapshots are cached.
        cache(on: bool);
        /// How long a snapshot is served without asking again.
        cache_ttl(ttl: Duration);
        /// Everything about the cache at once.
        cache_options(options: CacheOptions);
        /// How long a read that has an aged snapshot waits for its refresh before that snapshot is served.
        stale_wait(time: Duration);
        /// For how long a refusal that is not the service's own counts as a service that cannot be reached.
        foreign_refusal_grace(time: Duration);
        /// Secrets that a refresh must not lose.
        required(names: impl IntoIterator<Item = impl Into<String>>);
        /// What the age of snapshots is measured with.
        clock(clock: Clock);
        /// How long establishing a connection may take.
        connect_timeout(limit: Duration);
        /// How long a call may take in all.
        call_timeout(limit: Duration);
        /// How often a failed read is repeated.
        max_retries(retries: u32);
        /// How many requests a minute are sent to the API root at most; zero is without a limit.
        requests_per_minute(limit: u32);
        /// The largest answer that is read, in bytes.
        max_response_bytes(bytes: usize);
        /// Trusts the certificates in this PEM text too.
        add_root_certificate(pem: impl Into<Vec<u8>>);
        /// Connects directly, whatever the variables for proxies say.
        no_proxy();
        /// The passphrase of values that clients encrypt before the service stores them.
        vault_passphrase(passphrase: impl Into<SecretValue>);
        /// Encrypts every value that this client writes, with the passphrase, before it is sent.
        seal_writes();
        /// What would change production must be confirmed call by call.
        protect_production();
        /// Reads this dotenv file instead of the service.
        local_file(path: impl Into<PathBuf>);
        /// Allows an `http` API root on an address that is not loopback. **The token and every secret then cross the
        /// network in the clear.**
        danger_allow_http();
    }

    pub(crate) fn new() -> Self {
        Self(xtra::XtraClient::builder())
    }

    /// Keeps encrypted copies of the secrets on disk, for the time when the service cannot be reached; see
    /// [`offline`](crate::XtraClientBuilder::offline) of the async builder.
    #[cfg(feature = "offline")]
    pub fn offline(self, options: crate::OfflineOptions) -> Self {
        Self(self.0.offline(options))
    }

    /// Everything that it takes to reach a dev server; see [`dev_server`](crate::XtraClientBuilder::dev_server) of the async
    /// builder. The server must run on a thread of its own: one on this thread could not answer while a call blocks it.
    #[cfg(feature = "dev-server")]
    pub fn dev_server(self, server: &crate::services::xtra::dev::DevServer) -> Self {
        Self(self.0.dev_server(server))
    }

    /// Looks host names up by this function in place of the system's resolver, for tests.
    #[cfg(feature = "dev-server")]
    pub fn name_lookup(
        self,
        lookup: impl Fn(&str) -> std::io::Result<Vec<std::net::SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self(self.0.name_lookup(lookup))
    }

    /// What the client would be made with, and where it was found; see [`explain`](crate::XtraClientBuilder::explain) of the
    /// async builder.
    #[must_use]
    pub fn explain(&self) -> Configuration {
        self.0.explain()
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// Those of the async builder's [`build`](crate::XtraClientBuilder::build).
    pub fn build(self) -> Result<XtraClient, XtraError> {
        self.0.build().map(XtraClient::from)
    }
}

impl From<xtra::XtraClientOptions> for XtraClientBuilder {
    fn from(options: xtra::XtraClientOptions) -> Self {
        Self(options.into())
    }
}

impl fmt::Debug for XtraClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
