//! The keys of a project, and what they encrypt.
//!
//! Recorded with servers of 2024: the list, creation, change and deletion of keys, encryption and decryption. Documented only: a key
//! by its id and by its name, for which such servers have no route; there the list is looked through. Keys are of projects of the kind
//! KMS; servers of 2024 have them in every project, and those before October 2024 have none.

mod crypt;
mod keys;
mod pages;

pub use crypt::{DecryptWithKmsKey, EncryptWithKmsKey, KmsPlaintext};
pub use keys::{CreateKmsKey, DeleteKmsKey, GetKmsKey, KmsKey, UpdateKmsKey};
pub use pages::{KmsKeyPages, ListKmsKeys};

use crate::core::{ErrorKind, XtraError};
use crate::services::infisical::scope::quoted;

/// An id or a name that can be part of a path.
fn check(what: &str, text: &str) -> Result<(), XtraError> {
    match text {
        "" | "." | ".." => Err(XtraError::new(
            ErrorKind::Invalid,
            format!("nothing was sent: the {what} {} cannot be sent", quoted(text)),
        )),
        _ => Ok(()),
    }
}
