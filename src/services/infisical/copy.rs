//! Infisical as the target of a copy: the secrets of one folder.

use std::borrow::Cow;

use super::merge::holds_reference;
use super::operations::check_options;
use super::operations::write::{Trimming, check_new_name, check_value};
use super::scope::ProjectName;
use super::{Infisical, InfisicalScope, wire};
use crate::copy::{Acceptance, SecretTarget, Stored, Write};
use crate::core::{ErrorKind, Hint, SecretValue, XtraError};
use crate::engine::Client;

/// The folder alone, with values as they are stored: what a write changes.
fn folder<'s>(scope: InfisicalScope<'s>) -> Result<InfisicalScope<'s>, XtraError> {
    check_options(&scope)?;
    let option = match scope {
        _ if scope.personal => "personal",
        _ if scope.secret.is_some() => "secret",
        _ => return Ok(InfisicalScope { imports: Some(false), unexpanded: true, strict: false, ..scope }),
    };
    let message = format!("nothing was written: a copy goes to the shared secrets of a folder, and not to `{option}`");
    Err(XtraError::new(ErrorKind::Invalid, message).with_hint(Hint::LeaveOut { option }))
}

impl SecretTarget for Infisical {
    fn owned_scope<'s>(scope: &InfisicalScope<'_>) -> InfisicalScope<'s> {
        let owned = |text: &str| Cow::Owned(text.to_owned());
        let pair = |(name, value): &(Cow<'_, str>, Cow<'_, str>)| (owned(name), owned(value));
        InfisicalScope {
            project: scope.project.clone().map(ProjectName::into_owned),
            environment: scope.environment.as_deref().map(owned),
            path: scope.path.as_deref().map(owned),
            secret: scope.secret.as_deref().map(owned),
            tags: scope.tags.iter().map(|tag| owned(tag)).collect(),
            metadata: scope.metadata.iter().map(pair).collect(),
            ..*scope
        }
    }

    fn refusal(
        &self,
        _: &InfisicalScope<'_>,
        name: &str,
        value: &SecretValue,
        accepts: Acceptance,
    ) -> Option<Cow<'static, str>> {
        if check_new_name(name).is_err() {
            return Some("is no name that the service takes: it is empty, or has a colon, a slash, a control character, or white space at an end".into());
        }
        if check_value(name, value, Trimming::Refused).is_err() {
            return Some("has a value with white space around it, which the service would take away".into());
        }
        if value == wire::HIDDEN {
            return Some("has a value that stands for a hidden one: it could not be read back".into());
        }
        let refers = holds_reference(value.expose()) && !accepts.references;
        refers.then(|| "has a value with ${, which reads of the service would replace by another secret".into())
    }

    async fn stored<'a>(client: &'a Client<Self>, scope: InfisicalScope<'a>) -> Result<Stored, XtraError> {
        Stored::read(client, folder(scope)?).await
    }

    async fn write<'a>(client: &'a Client<Self>, scope: InfisicalScope<'a>, write: Write<'a>) -> Result<(), XtraError> {
        let mut request = client.set_secrets("", write.pairs()).map_scope(|_| scope);
        request.operation.expect(write.seen);
        let written = request.await?;
        if written.is_applied() {
            return Ok(());
        }
        let message = "a policy of the folder keeps the write back for an approval, and nothing has changed";
        Err(XtraError::new(ErrorKind::Incomplete, message)
            .with_names(write.secrets.iter().map(|(name, _)| name))
            .with_hint(Hint::advice("Have it approved first: the same copy, planned again, goes on from there")))
    }
}
