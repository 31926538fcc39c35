//! secr as a source of secrets.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::raw;
use super::scope::{SecrScope, looks_like_a_token};
use crate::core::{Identity, ScopeDescription, SecretValue, XtraError};
use crate::engine::{KeyWriter, Loaded, SecretSource, Traffic};
use crate::http::Transport;

/// secr. [`SecrClient`](super::SecrClient) is the client over it.
pub struct Secr {
    pub(super) raw: raw::Client,
}

impl Secr {
    pub(super) fn new(transport: Transport) -> Self {
        let root = transport.base_url().to_owned();
        Self { raw: raw::Client::new_with_client(&root, transport.http().clone(), transport) }
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.raw.inner
    }
}

impl fmt::Debug for Secr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secr").finish_non_exhaustive()
    }
}

impl SecretSource for Secr {
    type Scope<'a> = SecrScope<'a>;
    type Owned = SecrScope<'static>;

    fn name(&self) -> &'static str {
        "secr"
    }

    fn base_url(&self) -> &str {
        self.transport().base_url()
    }

    fn identity(&self) -> Identity {
        self.transport().identity()
    }

    /// The organisation comes last: a webhook tells its id, and not the slug that requests name it by.
    fn write_key(&self, scope: &SecrScope<'_>, key: &mut KeyWriter) {
        key.field(&scope.project);
        key.field(&scope.environment);
        key.field(&scope.org);
    }

    fn scope_name<'s>(&self, scope: &'s SecrScope<'_>) -> Cow<'s, str> {
        Cow::Owned(format!("{}/{}/{}", scope.org, scope.project, scope.environment))
    }

    fn show_scope(&self, scope: &SecrScope<'_>) -> String {
        scope.shown()
    }

    fn describe(&self, scope: &SecrScope<'static>) -> Option<ScopeDescription> {
        Some(scope.describe())
    }

    fn looks_like_a_token(text: &str) -> bool {
        looks_like_a_token(text)
    }

    fn read_method(&self) -> &'static str {
        "get_secrets"
    }

    fn call_timeout(&self) -> Duration {
        self.transport().call_timeout()
    }

    fn prepare(&self, scope: &SecrScope<'_>) -> Result<SecrScope<'static>, XtraError> {
        scope.checked()
    }

    async fn load(&self, scope: &SecrScope<'static>) -> Result<Loaded, XtraError> {
        self.pull_all(scope).await
    }

    fn has_timers(&self) -> bool {
        true
    }

    fn lasting_token(&self) -> Option<SecretValue> {
        self.transport().lasting_token().map(|token| token.expose().into())
    }

    fn traffic(&self) -> Traffic {
        let counters = self.transport().counters();
        Traffic {
            quota_left: self.transport().quota_left(),
            delayed: counters.delayed,
            withheld: counters.withheld,
            retries_withheld: counters.retries_withheld,
            ..Traffic::new(counters.requests, counters.retries)
        }
    }
}
