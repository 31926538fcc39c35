//! The deprecated: what Infisical has given up and still takes. Each is warned of once a process, when it is used.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::core::events;

/// A thing that is deprecated, and whether its warning was given.
pub(super) struct Deprecated {
    what: &'static str,
    instead: &'static str,
    warned: AtomicBool,
}

impl Deprecated {
    const fn new(what: &'static str, instead: &'static str) -> Self {
        Self { what, instead, warned: AtomicBool::new(false) }
    }

    /// It is used.
    pub(super) fn warn(&self) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(target: events::SERVICE, "{} is deprecated by Infisical: {}", self.what, self.instead);
        }
    }
}

/// The older interface of secrets, which a server without the newer one is asked by, and every server for a project's slug.
pub(super) static OLDER_INTERFACE: Deprecated = Deprecated::new(
    "the older interface of secrets (/v3/secrets/raw)",
    "upgrade the server, and name projects by their ids, not by their slugs",
);

pub(super) static SERVICE_TOKEN: Deprecated =
    Deprecated::new("a service token", "use a machine identity (universal_auth, auth)");

/// Variables that have another name by now.
static VARIABLES: [(&str, Deprecated); 2] = [
    ("INFISICAL_API_URL", Deprecated::new("INFISICAL_API_URL", "call it INFISICAL_DOMAIN")),
    ("INFISICAL_OIDC_AUTH_JWT", Deprecated::new("INFISICAL_OIDC_AUTH_JWT", "call it INFISICAL_JWT")),
];

/// A setting was taken from this variable.
pub(super) fn used_variable(name: &str) {
    if let Some((_, deprecated)) = VARIABLES.iter().find(|(known, _)| *known == name) {
        deprecated.warn();
    }
}
