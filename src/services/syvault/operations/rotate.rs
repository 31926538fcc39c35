//! The rotation of a secret.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Changing;
use crate::core::{SecretValue, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::syvault::source::about;
use crate::services::syvault::{SyVault, SyVaultScope};

/// The operation of a [`Request`] that rotates a secret.
#[derive(Debug)]
#[non_exhaustive]
pub struct RotateSecret;

/// What became of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotation {
    /// `completed`, or a word that no page of the vendor has. Look at it before you use what is below.
    pub status: String,
    /// The new values of the fields that the service tells. Others may have changed too, the user name among them: read the secret
    /// again.
    pub new_fields: BTreeMap<String, SecretValue>,
}

/// # SyVault: rotate a secret
impl<M> Client<SyVault, M> {
    /// Rotates a secret now; awaiting gives a [`Rotation`]. It needs a rotation policy. The secret's snapshot leaves the cache.
    ///
    /// It may take long, and is never sent twice. The route is inferred from the vendor's command.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound), with the uid among [`names`](crate::XtraError::names);
    /// [`Forbidden`](crate::ErrorKind::Forbidden) when the client may only read; [`Conflict`](crate::ErrorKind::Conflict) or
    /// [`Invalid`](crate::ErrorKind::Invalid) without a policy (inferred); [`Timeout`](crate::ErrorKind::Timeout), after which the
    /// secret [may have been rotated](crate::XtraError::may_have_been_applied); and those of any call.
    pub fn rotate<'a>(&'a self, uid: impl Into<Cow<'a, str>>) -> Request<'a, SyVault, RotateSecret, M> {
        self.request(SyVaultScope::secret(uid), RotateSecret)
    }
}

impl Operation for RotateSecret {
    const NAME: &'static str = "rotate";
    type Source = SyVault;
    type Output = Rotation;

    async fn perform(self, call: Call<'_, SyVault>) -> Result<Rotation, XtraError> {
        const ASSUMED: &str = "Documented of the SDKs: there is a text as `status`, and texts as `new_fields`";
        let scope = call.scope().checked()?;
        let uid = scope.uid().to_owned();
        let _changing = Changing { client: call.client(), scopes: vec![scope, SyVaultScope::titles()] };
        let answer = call.source().raw.secrets_rotate().uid(uid.as_str()).send().await;
        let answer = answer.map_err(|error| about(call.source().failed(error, ASSUMED), &uid))?.into_inner();
        let fields = answer.new_fields.unwrap_or_default().into_iter();
        let new_fields = fields.filter_map(|(name, value)| Some((name, value.into_value()?))).collect();
        Ok(Rotation { status: answer.status, new_fields })
    }
}
