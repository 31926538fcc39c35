//! The blocking client of secr.

use crate::blocking::{Blocking, Client};
use crate::services::secr::Secr;

/// The blocking client of secr: the [async one](crate::secr::SecrClient), with the same methods, whose requests end in `send()`.
///
/// ```no_run
/// use xtrasecurity::XtraError;
/// use xtrasecurity::blocking::SecrClient;
///
/// fn main() -> Result<(), XtraError> {
///     let client = SecrClient::builder().token("secr_cli_...").build()?;
///     let secrets = client.get_secrets("my-org", "my-project", "production").send()?;
///     let url = secrets.require("DATABASE_URL")?.expose();
///     client.set_secret("my-org", "my-project", "development", "API_KEY", "sk-…").send()?;
///     connect(url);
///     Ok(())
/// }
/// # fn connect(_: &str) {}
/// ```
pub type SecrClient = Client<Secr>;

/// Puts a blocking [`SecrClient`] together: every option of the [async builder](crate::secr::SecrClientBuilder).
pub type SecrClientBuilder = super::SecrClientBuilder<Blocking>;
