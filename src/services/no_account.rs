//! The credentials of a client that is in memory: none, with the reason.

use crate::core::{ErrorKind, Identity, XtraError};
use crate::http::{CredentialProvider, TokenFuture};

/// The provider of a client without a service.
pub(crate) struct NoAccount;

impl CredentialProvider for NoAccount {
    fn identity(&self) -> Identity {
        Identity::of("in memory")
    }

    fn token(&self) -> TokenFuture<'_> {
        let message = "this client is in memory: it has no service for writes and everything else but reading";
        Box::pin(std::future::ready(Err(XtraError::new(ErrorKind::Credentials, message))))
    }
}

/// Where nobody is, should anything be sent after all.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:9";
