//! The source of the token that requests carry.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;

use super::token::Token;
use super::transport::WeakTransport;
use crate::core::{ErrorKind, Identity, XtraError, events};

/// The future of [`CredentialProvider::token`]: boxed, so that the trait can be used as `dyn`.
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<Token, XtraError>> + Send + 'a>>;

/// Gives the client its token.
///
/// [`StaticToken`](crate::credentials::StaticToken) and [`FileToken`](crate::credentials::FileToken) are built in. Write one to take tokens from somewhere else, or to exchange and refresh
/// them.
///
/// ```
/// use xtrasecurity::{credentials::{CredentialProvider, Token, TokenFuture}, source::Identity};
///
/// /// Takes a fresh token from this program's own agent for every request.
/// struct Agent;
///
/// impl Agent {
///     async fn ask(&self) -> String {
///         "token_0123456789abcdef".to_owned()
///     }
/// }
///
/// impl CredentialProvider for Agent {
///     fn identity(&self) -> Identity {
///         Identity::of("agent: payments service")
///     }
///
///     fn token(&self) -> TokenFuture<'_> {
///         Box::pin(async { Token::new(self.ask().await) })
///     }
/// }
/// ```
pub trait CredentialProvider: Send + Sync + 'static {
    /// Who the tokens belong to. It is part of the cache key, so it must be the same for every token of one account and
    /// different for different accounts, and it must never be the token itself.
    fn identity(&self) -> Identity;

    /// The token to send. It is asked for at every attempt, retries included: keep it in memory and be quick.
    ///
    /// An error ends the call; use [`ErrorKind::Credentials`](crate::ErrorKind::Credentials) when a retry cannot help.
    fn token(&self) -> TokenFuture<'_>;

    /// The token, when it stays the same for long: what is saved for the time without the service (feature `offline`) is
    /// encrypted under a key made from it, and can be opened with it alone. `None`, which is the default, for tokens that are
    /// exchanged, refreshed or end soon.
    fn lasting_token(&self) -> Option<Token> {
        None
    }

    /// The base URL of the service that the tokens are for, when the provider knows it. Then they go there, whatever variables and
    /// files name, unless the program names another by an option. It is asked once, when the client is built. Default: `None`, the
    /// tokens go where a token of the environment would.
    fn base_url(&self) -> Option<String> {
        None
    }

    /// A transport was made that asks this provider. One that gets its tokens of the service itself keeps this, and logs in by the
    /// operations that carry [no token](super::Protocol::without_token). Default: does nothing.
    fn connected(&self, transport: &WeakTransport) {
        let _ = transport;
    }

    /// The service has refused the token `refused`. `true` means that [`token`](Self::token) may now give another one, and the
    /// request is sent once more. The default is `false`.
    ///
    /// Several requests may report the same token at once; compare it with the one held now.
    fn invalidate(&self, refused: &Token) -> bool {
        let _ = refused;
        false
    }
}

/// The token of a provider. A panic in the provider, which is the program's own code, is an error: who waits for the same answer
/// has no part in it.
pub(super) async fn token(provider: &dyn CredentialProvider) -> Result<Token, XtraError> {
    // in the future, so that a panic before there is one is met too
    let token = AssertUnwindSafe(async { provider.token().await });
    token.catch_unwind().await.unwrap_or_else(|payload| {
        // It may hold anything, and dropping it may panic again.
        std::mem::forget(payload);
        let message = "the credential provider panicked when it was asked for a token. That is a bug in it; the next call asks \
                       it again";
        Err(XtraError::new(ErrorKind::Credentials, message))
    })
}

/// Whether the provider has another token than the one that was refused. One that panics has none.
pub(super) fn invalidate(provider: &dyn CredentialProvider, refused: &Token) -> bool {
    catch_unwind(AssertUnwindSafe(|| provider.invalidate(refused))).unwrap_or_else(|payload| {
        // It may hold anything, and dropping it may panic again.
        std::mem::forget(payload);
        tracing::warn!(target: events::CREDENTIALS, "the credential provider panicked when it was told of a refused token; that is a bug in it");
        false
    })
}

impl<P: CredentialProvider + ?Sized> CredentialProvider for Arc<P> {
    fn identity(&self) -> Identity {
        (**self).identity()
    }

    fn token(&self) -> TokenFuture<'_> {
        (**self).token()
    }

    fn lasting_token(&self) -> Option<Token> {
        (**self).lasting_token()
    }

    fn base_url(&self) -> Option<String> {
        (**self).base_url()
    }

    fn connected(&self, transport: &WeakTransport) {
        (**self).connected(transport);
    }

    fn invalidate(&self, refused: &Token) -> bool {
        (**self).invalidate(refused)
    }
}
