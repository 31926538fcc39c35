//! The protocol of SyVault: its errors, of which no form is documented, and what must not be sent twice.

use super::raw;
use crate::core::Hint;
use crate::http::{Advice, ErrorAnswer, Protocol};

/// What SyVault's wire is like. Nothing is documented of its error bodies and limits, so the status alone tells.
pub(super) struct SyVaultProtocol;

impl Protocol for SyVaultProtocol {
    /// The generator adds this header from the document's version; the service knows no such thing.
    fn removed_headers(&self) -> &'static [&'static str] {
        &["api-version"]
    }

    /// A rotation changes a database, and a lease makes an account in one. A bootstrap uses its token up.
    fn never_retried(&self) -> &'static [&'static str] {
        &["secrets_rotate", "leases_create", "bootstrap_create"]
    }

    fn without_token(&self) -> &'static [&'static str] {
        raw::WITHOUT_TOKEN
    }

    fn explain(&self, answer: &ErrorAnswer<'_>) -> Option<Advice> {
        match (answer.status, answer.operation) {
            (401, "bootstrap_create") => Some(Advice::new(
                "the service does not take the token: it is good once, and may be used up",
                Hint::advice(
                    "Ask an administrator for a new token. The key that is registered with it replaces the earlier one",
                ),
            )),
            (401, _) => Some(Advice::new(
                "the service does not accept the token that the client has signed",
                Hint::advice(
                    "Check the client's id and its private key, and that the server is written as the service knows it: its text \
                     is signed as the audience",
                ),
            )),
            (403, "secrets_create" | "secrets_rotate") => Some(Advice::new(
                "the client may not write here",
                Hint::advice("Give it write access to the folder; without that it may read only"),
            )),
            (403, _) => Some(Advice::new(
                "the client may not do this",
                Hint::advice("Check that its application has access to the folder"),
            )),
            (409 | 422, "secrets_rotate") => Some(Advice::new(
                "the secret cannot be rotated as it is",
                Hint::advice("Give it a rotation policy first"),
            )),
            _ => None,
        }
    }
}
