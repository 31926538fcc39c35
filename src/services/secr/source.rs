//! secr as a source of secrets.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::protocol::SecrProtocol;
use super::raw;
use super::scope::{SecrScope, looks_like_a_token};
use crate::core::{Identity, ScopeDescription, SecretValue, XtraError};
use crate::engine::{KeyWriter, Loaded, SecretSource, Traffic};
use crate::http::Transport;
use crate::services::no_account::{NOWHERE, NoAccount};
use crate::services::traffic;

/// secr. [`SecrClient`](super::SecrClient) is the client over it.
pub struct Secr {
    pub(super) raw: raw::Client,
    /// How many bytes all pages of an environment may have together.
    pub(super) most_bytes: usize,
    /// The secrets of every environment, where there is no service.
    memory: Option<Loaded>,
}

impl Secr {
    pub(super) fn new(transport: Transport, most_bytes: usize) -> Self {
        let root = transport.base_url().to_owned();
        let raw = raw::Client::new_with_client(&root, transport.http().clone(), transport);
        Self { raw, most_bytes, memory: None }
    }

    /// A source that answers every read with `secrets` and sends nothing.
    pub(super) fn in_memory(secrets: Loaded) -> Result<Self, XtraError> {
        let transport = Transport::builder(SecrProtocol).credentials(Arc::new(NoAccount)).build(NOWHERE)?;
        Ok(Self { memory: Some(secrets), ..Self::new(transport, 0) })
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
        // in memory every environment holds the same, so none is mistyped
        self.memory.is_none().then(|| scope.describe())
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
        match &self.memory {
            Some(secrets) => Ok(secrets.clone()),
            None => self.pull_all(scope).await,
        }
    }

    fn has_timers(&self) -> bool {
        self.memory.is_none()
    }

    fn lasting_token(&self) -> Option<SecretValue> {
        self.transport().lasting_token().map(|token| token.expose().into())
    }

    fn traffic(&self) -> Traffic {
        traffic::of(self.transport())
    }
}
