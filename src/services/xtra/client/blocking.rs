//! The blocking client of XtraSecurity, by the names that people look for.

use std::borrow::Cow;

use crate::blocking::{Blocking, Client, Request, WithSecret};
use crate::core::SecretValue;
use crate::engine::{self, UseError};
use crate::services::xtra::{Xtra, XtraScope};

/// The blocking client of XtraSecurity: the [async one](crate::XtraClient), with the same methods, whose requests end in
/// `send()`.
///
/// ```no_run
/// use xtrasecurity::XtraError;
/// use xtrasecurity::blocking::XtraClient;
///
/// fn main() -> Result<(), XtraError> {
///     let client = XtraClient::from_env()?; // XTRA_TOKEN, XTRA_PROJECT_ID
///     let secrets = client.get_secrets("production").send()?; // branch "main", cached for 30 s
///     let url = secrets.require("DATABASE_URL")?; // a SecretValue: prints as [REDACTED]
///     client.set_secret("staging", "SIGNING_KEY", "s-2").verify().send()?;
///     connect(url.expose());
///     Ok(())
/// }
/// # fn connect(_: &str) {}
/// ```
///
/// Injection: the process must have exactly one thread, and after this call it still has. So `main` can inject before it
/// starts a runtime with many:
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
///
/// Typed reads, references and several environments at once:
///
/// ```
/// use std::time::Duration;
/// use serde::Deserialize;
/// use xtrasecurity::schemars::JsonSchema;
/// use xtrasecurity::{SecretValue, blocking::XtraClient};
///
/// #[derive(Debug, Deserialize, JsonSchema)]
/// #[schemars(crate = "xtrasecurity::schemars")]
/// struct AppConfig {
///     /// where the database is
///     database_url: SecretValue,
///     port: u16,
/// }
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let client = XtraClient::in_memory([("DATABASE_URL", "postgres://db"), ("PORT", "8080")])?;
/// let config: AppConfig = client.get_secrets_as("production").send()?;
/// assert_eq!(config.port, 8080);
/// assert_eq!(client.resolve("xtra:///production/PORT").send()?.expose(), "8080");
/// let ready = client.preload(["production"]).required(["PORT"]).deadline(Duration::from_secs(5)).send()?;
/// assert_eq!(ready.get("production").map(|secrets| secrets.len()), Some(2));
/// # Ok(())
/// # }
/// ```
pub type XtraClient = Client<Xtra>;

/// Puts a blocking [`XtraClient`] together: every option of the [async builder](crate::XtraClientBuilder).
///
/// A credential provider of your own is asked on the runtime of the blocking clients, so it may not make blocking calls of
/// this crate itself. A dev server must run on a thread of its own: one on this thread could not answer while a call blocks
/// it.
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
pub type XtraClientBuilder = super::XtraClientBuilder<Blocking>;

impl engine::Client<Xtra, Blocking> {
    /// Uses one secret of the [default environment](Self::default_environment), and tries a newer value once when it is
    /// refused; see [`Request::with_secret`]. For another environment, branch or project, call the methods of those names on
    /// what this returns.
    ///
    /// # Errors
    ///
    /// As [`Request::with_secret`]; [`ErrorKind::Config`](crate::ErrorKind::Config) when there is no default environment and
    /// none is named.
    pub fn with_secret<'a, F, T, E>(
        &'a self,
        name: impl Into<Cow<'a, str>>,
        closure: F,
    ) -> Request<'a, Xtra, WithSecret<'a, F>>
    where
        F: FnMut(SecretValue) -> Result<T, UseError<E>>,
    {
        self.read(XtraScope::default()).with_secret(name, closure)
    }
}
