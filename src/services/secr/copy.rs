//! secr as the target of a copy.

use std::borrow::Cow;

use super::scope::sendable;
use super::{Secr, SecrScope};
use crate::copy::{Acceptance, SecretTarget, Stored, Write};
use crate::core::{SecretValue, XtraError};
use crate::engine::Client;
use crate::services::placeholder;

impl SecretTarget for Secr {
    fn owned_scope<'s>(scope: &SecrScope<'_>) -> SecrScope<'s> {
        let [org, project, environment] =
            [&scope.org, &scope.project, &scope.environment].map(|name| Cow::Owned(name.to_string()));
        SecrScope { org, project, environment }
    }

    /// Which names and values the service takes is not documented: what cannot be asked for or read back is refused here, and the
    /// rest is the service's to refuse.
    fn refusal(&self, _: &SecrScope<'_>, name: &str, value: &SecretValue, _: Acceptance) -> Option<Cow<'static, str>> {
        if sendable("secret", name).is_err() {
            return Some(
                "cannot be part of an address: it is empty, a dot or two, or has a control character or white space at an end"
                    .into(),
            );
        }
        let hides = placeholder::recognise(value.expose()).is_some();
        hides.then(|| "has a value that stands for a hidden one: it could not be read back".into())
    }

    async fn stored<'a>(client: &'a Client<Self>, scope: SecrScope<'a>) -> Result<Stored, XtraError> {
        Stored::read(client, scope).await
    }

    async fn write<'a>(client: &'a Client<Self>, scope: SecrScope<'a>, write: Write<'a>) -> Result<(), XtraError> {
        client.bulk_set_secrets(scope.org, scope.project, scope.environment, write.pairs()).await.map(drop)
    }
}
