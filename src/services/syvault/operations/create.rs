//! The creation of a secret, encrypted before it is sent.

use std::fmt;

use super::Changing;
use crate::core::{ErrorKind, Hint, SecretValue, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::syvault::raw::types;
use crate::services::syvault::record;
use crate::services::syvault::scope::sendable;
use crate::services::syvault::{SyVault, SyVaultScope};

/// The operation of a [`Request`] that creates a secret.
#[non_exhaustive]
pub struct CreateSecret {
    folder_id: String,
    title: SecretValue,
    fields: Vec<(String, SecretValue)>,
}

/// A secret that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreatedSecret {
    /// Its uid.
    pub uid: String,
}

/// # SyVault: create a secret
impl<M> Client<SyVault, M> {
    /// Creates a secret in a folder; awaiting gives a [`CreatedSecret`].
    ///
    /// **Inferred throughout**: that the client chooses the uid (what is encrypted is bound to it), and what is sent. Title and fields
    /// are encrypted here, under the folder's key, which the client must have been given
    /// ([`folder`](crate::syvault::SyVaultClientBuilder::folder)); they are never sent in plain form. The vendor's pages contradict each
    /// other about whether a client may create secrets at all.
    ///
    /// # Errors
    ///
    /// [`Undecryptable`](crate::ErrorKind::Undecryptable) without the folder's key, with nothing sent;
    /// [`Forbidden`](crate::ErrorKind::Forbidden) when the client may only read the folder; [`Decode`](crate::ErrorKind::Decode) when
    /// the answer has another shape than is assumed, in which case the secret
    /// [may have been created](crate::XtraError::may_have_been_applied); and those of any call.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::syvault::SyVaultClient) -> Result<(), xtrasecurity::XtraError> {
    /// let fields = [("key", "sk_live_abc123"), ("environment", "production")];
    /// let created = client.create("folder-uuid-here", "Stripe API Key", fields).await?;
    /// println!("{}", created.uid);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create<N: Into<String>, V: Into<SecretValue>>(
        &self,
        folder_id: impl Into<String>,
        title: impl Into<SecretValue>,
        fields: impl IntoIterator<Item = (N, V)>,
    ) -> Request<'_, SyVault, CreateSecret, M> {
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let operation = CreateSecret { folder_id: folder_id.into(), title: title.into(), fields };
        self.request(SyVaultScope::titles(), operation)
    }
}

impl Operation for CreateSecret {
    const NAME: &'static str = "create";
    type Source = SyVault;
    type Output = CreatedSecret;

    async fn perform(self, call: Call<'_, SyVault>) -> Result<CreatedSecret, XtraError> {
        const ASSUMED: &str =
            "Assumed, and not documented: the answer is an object with a text as `uid`, which is the one that was sent";
        let folder = sendable("id of the folder", &self.folder_id)?;
        let mut names = std::collections::HashSet::new();
        if !self.fields.iter().all(|(name, _)| !name.is_empty() && names.insert(name.as_str())) {
            let message = "a field has no name, or one that another has. Nothing was sent";
            return Err(XtraError::new(ErrorKind::Invalid, message)
                .with_hint(Hint::advice("Give each field a name of its own")));
        }
        let source = call.source();
        let cipher = source.folders.cipher(folder).ok_or_else(|| source.no_folder_key(folder))?;
        let sealed = record::seal(&cipher, &self.title, &self.fields)?;
        let body = types::SecretCreate {
            uid: sealed.uid.clone(),
            folder_id: folder.to_owned(),
            encrypted_key: sealed.encrypted_key,
            encrypted_data: sealed.encrypted_data,
        };
        let _changing = Changing { client: call.client(), scopes: vec![SyVaultScope::titles()] };
        let answer = call.source().raw.secrets_create().body(body).send().await;
        let answer = answer.map_err(|error| call.source().failed(error, ASSUMED))?.into_inner();
        if answer.uid != sealed.uid {
            let message =
                "the service gives the secret another uid than it was encrypted for, under which it cannot be opened";
            return Err(XtraError::new(ErrorKind::Decode, message).with_note(ASSUMED).with_unknown_outcome());
        }
        Ok(CreatedSecret { uid: answer.uid })
    }
}

impl fmt::Debug for CreateSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateSecret").field("folder_id", &self.folder_id).finish_non_exhaustive()
    }
}
