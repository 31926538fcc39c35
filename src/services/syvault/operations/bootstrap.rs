//! The registration of a client: the service is told its public key, by a token that is good once.

use std::collections::BTreeMap;

use crate::core::{ErrorKind, Hint, SecretValue, XtraError};
use crate::services::syvault::SyVault;
use crate::services::syvault::raw::types;

/// A client that the service knows from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registration {
    /// The id of the client, which it is built with.
    pub client_id: String,
    /// The id of its application.
    pub application_id: String,
    /// The keys of the folders that it may read, by the ids of the folders, as they came. How they are wrapped is not published,
    /// so this crate does not unwrap them.
    pub encrypted_folder_keys: BTreeMap<String, SecretValue>,
}

/// Registers a public key. Nothing is sent twice: the token may be used up by what got no answer.
pub(in crate::services::syvault) async fn register(
    source: &SyVault,
    public_key: String,
    token: SecretValue,
) -> Result<Registration, XtraError> {
    const ASSUMED: &str = "Documented: the answer is an object with the texts `client_id` and `application_id`, and texts as `encrypted_folder_keys`";
    if token.expose().trim().is_empty() {
        let error = XtraError::new(ErrorKind::Credentials, "the token to register with is empty. Nothing was sent");
        return Err(error.in_call("bootstrap"));
    }
    let body = types::BootstrapCreate { public_key, token: token.into() };
    let answer = source.raw.bootstrap_create().body(body).send().await.map_err(|error| {
        source.failed(error, ASSUMED).in_call("bootstrap").if_in_doubt(|error| {
            error
                .with_note("The token is good once, and may be used up")
                .with_hint(Hint::advice("Ask for the client in the vault; if it has no key yet, for a new token"))
        })
    })?;
    let types::Bootstrapped { client_id, application_id, encrypted_folder_keys } = answer.into_inner();
    let keys = encrypted_folder_keys.unwrap_or_default().into_iter();
    let encrypted_folder_keys = keys.map(|(folder, key)| (folder, SecretValue::new(key))).collect();
    Ok(Registration { client_id, application_id, encrypted_folder_keys })
}
