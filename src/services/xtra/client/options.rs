//! The options of the XtraSecurity client under the vendor's names.

use std::fmt;
use std::time::Duration;

use crate::core::SecretValue;
use crate::engine::CacheOptions;
use crate::services::xtra::shown;

/// The options of [`XtraClient::new`](crate::XtraClient::new), under the names that the vendor's other SDKs use.
///
/// What is `None` is looked up: see [`XtraClient::from_env`](crate::XtraClient::from_env). The
/// [builder](crate::XtraClient::builder) has many more options; this struct will not grow. An option that is given must not
/// be empty.
///
/// ```
/// use std::time::Duration;
/// use xtrasecurity::{XtraClient, XtraClientOptions};
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let client = XtraClient::new(XtraClientOptions {
///     token: Some("xs_example".into()),
///     project_id: Some("665f1c2ab7c0de0012345678".into()),
///     cache_ttl: Duration::from_secs(60),
///     ..Default::default()
/// })?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct XtraClientOptions {
    /// The API token: an access key or a service account's key. Default: the first found of the places listed at
    /// [`XtraClient::from_env`](crate::XtraClient::from_env).
    pub token: Option<SecretValue>,
    /// The project of calls that name none: 24 hexadecimal digits, unless the base URL is another host's than the vendor's.
    /// Default: `XTRA_PROJECT_ID`, then `.xtrarc`; a service account's key also knows its project.
    pub project_id: Option<String>,
    /// The base URL, which ends in `/api`. Default: the first found of the places listed at
    /// [`XtraClient::from_env`](crate::XtraClient::from_env).
    pub api_url: Option<String>,
    /// Whether snapshots are cached. Default `true`.
    pub cache: bool,
    /// How long a snapshot is served without asking again. Default 30 s; zero turns the cache off.
    pub cache_ttl: Duration,
}

impl Default for XtraClientOptions {
    fn default() -> Self {
        Self { token: None, project_id: None, api_url: None, cache: true, cache_ttl: CacheOptions::default().ttl }
    }
}

impl fmt::Debug for XtraClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A base URL may carry credentials until it has been checked, so it is not printed.
        f.debug_struct("XtraClientOptions")
            .field("token", &self.token)
            .field("project_id", &self.project_id.as_deref().map(shown))
            .field("api_url", &self.api_url.as_ref().map(|_| ".."))
            .field("cache", &self.cache)
            .field("cache_ttl", &self.cache_ttl)
            .finish()
    }
}
