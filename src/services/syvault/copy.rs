//! SyVault as the target of a copy: a new secret, of a title in a folder, whose fields are what is copied.

use std::borrow::Cow;

use super::scope::Part;
use super::{SyVault, SyVaultScope};
use crate::copy::{Acceptance, SecretTarget, Stored, Write};
use crate::core::{ErrorKind, Hint, SecretValue, Secrets, XtraError};
use crate::engine::Client;
use crate::services::placeholder;

const UNCHANGEABLE: &str =
    "is not in the secret that is there, and the service takes no change of one: copy to another title";

impl SecretTarget for SyVault {
    /// A secret is created with all of its fields.
    const AS_A_WHOLE: bool = true;

    fn owned_scope<'s>(scope: &SyVaultScope<'_>) -> SyVaultScope<'s> {
        scope.to_owned_scope()
    }

    fn refusal(
        &self,
        _: &SyVaultScope<'_>,
        name: &str,
        value: &SecretValue,
        _: Acceptance,
    ) -> Option<Cow<'static, str>> {
        if name.is_empty() {
            return Some("is no name: it is empty".into());
        }
        let hides = placeholder::recognise(value.expose()).is_some();
        hides.then(|| "has a value that stands for a hidden one: it could not be read back".into())
    }

    async fn stored<'a>(client: &'a Client<Self>, scope: SyVaultScope<'a>) -> Result<Stored, XtraError> {
        let folder = match &scope.0 {
            Part::Titled { folder, .. } => Some(folder.clone().into_owned()),
            _ => None,
        };
        match (Stored::read(client, scope).await, folder) {
            (Ok(stored), _) => Ok(stored.unchangeable(UNCHANGEABLE)),
            // the service's own refusals have a status; this is the client's, who has looked at all titles
            (Err(error), Some(folder)) if error.kind() == ErrorKind::NotFound && error.status().is_none() => {
                let source = client.source();
                source.folders.cipher(&folder).ok_or_else(|| source.no_folder_key(&folder))?;
                Ok(Stored::new(Secrets::from_iter([("", ""); 0])))
            }
            (Err(error), _) => Err(error),
        }
    }

    async fn write<'a>(client: &'a Client<Self>, scope: SyVaultScope<'a>, write: Write<'a>) -> Result<(), XtraError> {
        let Part::Titled { folder, title } = scope.0 else {
            return Err(XtraError::new(
                ErrorKind::Invalid,
                "nothing was written: the service takes no change of a secret",
            )
            .with_hint(Hint::advice("Copy to a title in a folder, of which a new secret is made")));
        };
        client.create(folder, title.as_ref(), write.pairs()).await.map(drop)
    }
}
