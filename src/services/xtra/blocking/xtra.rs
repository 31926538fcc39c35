//! The blocking client of XtraSecurity: how it is made, and what it reads.

use std::borrow::Cow;

use super::builder::XtraClientBuilder;
use crate::blocking::Client;
use crate::blocking::Request;
use crate::core::{SecretValue, XtraError};
use crate::engine::Read;
use crate::inject::Inject;
use crate::raw;
use crate::services::xtra;
use crate::services::xtra::{Xtra, XtraClientOptions};

/// The blocking client of XtraSecurity.
///
/// ```no_run
/// use xtrasecurity::XtraError;
/// use xtrasecurity::blocking::XtraClient;
///
/// fn main() -> Result<(), XtraError> {
///     let client = XtraClient::from_env()?; // XTRA_TOKEN, XTRA_PROJECT_ID
///     let secrets = client.get_secrets("production").send()?; // branch "main", cached for 30 s
///     let url = secrets.require("DATABASE_URL")?; // a SecretValue: prints as [REDACTED]
///     connect(url.expose());
///     Ok(())
/// }
/// # fn connect(_: &str) {}
/// ```
pub type XtraClient = Client<Xtra>;

impl Client<Xtra> {
    /// A client by `options`; what they leave open is looked up as [`from_env`](Self::from_env) does.
    ///
    /// # Errors
    ///
    /// Those of the async [`new`](crate::XtraClient::new).
    pub fn new(options: XtraClientOptions) -> Result<Self, XtraError> {
        XtraClientBuilder::from(options).build()
    }

    /// A client by what the surroundings say; the async [`from_env`](crate::XtraClient::from_env) lists where it looks.
    /// Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn from_env() -> Result<Self, XtraError> {
        Self::builder().build()
    }

    /// Every option, by name.
    pub fn builder() -> XtraClientBuilder {
        XtraClientBuilder::new()
    }

    /// A client that has these secrets in every environment and branch, and sends nothing: for tests.
    ///
    /// # Errors
    ///
    /// Those of the async [`in_memory`](crate::XtraClient::in_memory).
    ///
    /// ```
    /// use xtrasecurity::blocking::XtraClient;
    ///
    /// # fn main() -> Result<(), xtrasecurity::XtraError> {
    /// let client = XtraClient::in_memory([("API_KEY", "k-1")])?;
    /// assert_eq!(client.get_secrets("production").send()?.require("API_KEY")?.expose(), "k-1");
    /// # Ok(())
    /// # }
    /// ```
    pub fn in_memory<N, V>(secrets: impl IntoIterator<Item = (N, V)>) -> Result<Self, XtraError>
    where
        N: Into<String>,
        V: Into<SecretValue>,
    {
        xtra::XtraClient::in_memory(secrets).map(Self::from)
    }

    /// Reads the secrets of an environment. [`send`](Request::send) gives an `Arc<`[`Secrets`](crate::Secrets)`>`.
    ///
    /// It does what the async [`get_secrets`](crate::XtraClient::get_secrets) does, and fails as that does; also with
    /// [`Config`](crate::ErrorKind::Config) inside an async runtime, whether the answer is cached or not.
    ///
    /// ```no_run
    /// # fn example(client: &xtrasecurity::blocking::XtraClient) -> Result<(), xtrasecurity::XtraError> {
    /// let secrets = client.get_secrets("production").send()?;
    /// let preview = client.get_secrets("staging").branch("feature/new-ui").no_cache().send()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_secrets<'a>(&'a self, environment: impl Into<Cow<'a, str>>) -> Request<'a, Xtra, Read> {
        Request(self.as_async().get_secrets(environment))
    }

    /// Reads the secrets of an environment and sets them as variables of this process.
    ///
    /// The process must have exactly one thread, and after this call it still has: so `main` can inject before it starts a
    /// runtime with many. The async [`inject_secrets`](crate::XtraClient::inject_secrets) says what is refused and why.
    ///
    /// On Linux a variable of more than 128 KiB can be set, but while it is set the kernel refuses to start any child that
    /// inherits it ("Argument list too long"). Leave such a secret out with [`except`](Request::except) and read it from the
    /// [`Secrets`](crate::Secrets), or call `env_remove` on the child's command.
    ///
    /// # Errors
    ///
    /// Those of the async method; [`Config`](crate::ErrorKind::Config) inside an async runtime.
    ///
    /// ```no_run
    /// use xtrasecurity::{XtraError, blocking};
    ///
    /// fn main() -> Result<(), XtraError> {
    ///     // before anything starts a thread
    ///     blocking::XtraClient::from_env()?.inject_secrets("production").send()?;
    ///     run()
    /// }
    ///
    /// #[tokio::main]
    /// async fn run() -> Result<(), XtraError> {
    ///     // std::env::var("DATABASE_URL") …
    ///     Ok(())
    /// }
    /// ```
    pub fn inject_secrets<'a>(&'a self, environment: impl Into<Cow<'a, str>>) -> Request<'a, Xtra, Inject> {
        Request(self.as_async().inject_secrets(environment))
    }

    /// The generated client: every documented operation of the API. Its requests are futures; run them with
    /// [`block_on`](Self::block_on).
    ///
    /// What the async [`raw`](crate::XtraClient::raw) says about the cache holds here too.
    #[must_use]
    pub fn raw(&self) -> &raw::Client {
        self.as_async().raw()
    }

    /// The environment of calls that name none; see the async
    /// [`default_environment`](crate::XtraClient::default_environment).
    #[must_use]
    pub fn default_environment(&self) -> Option<&str> {
        self.as_async().default_environment()
    }
}
