//! The protocol of Infisical: its root, and how long its connections last.

use std::time::Duration;

use crate::http::Protocol;

/// What Infisical's wire is like, as far as the raw client goes.
pub(crate) struct InfisicalProtocol;

impl Protocol for InfisicalProtocol {
    fn base_url_suffix(&self) -> &'static str {
        "/api"
    }

    /// The service closes idle connections after 72 seconds.
    fn idle_timeout(&self) -> Duration {
        Duration::from_secs(60)
    }
}
