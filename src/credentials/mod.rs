//! Tokens and settings: where a client finds its token, its base URL and the defaults of its calls.
//!
//! The transport asks a [`CredentialProvider`] for the token at every attempt, so a token can change while a client lives. A
//! [`Chain`] looks for one: its steps are data, so that a service says in a few lines which variables and files it knows.
//! [`BaseUrls`] holds the rule that a token goes only to a base URL that its giver named.
//!
//! A client of this crate does all of this by itself. This module is for those who build one over a service of their own:
//!
//! ```
//! use xtrasecurity::XtraError;
//! use xtrasecurity::credentials::{BaseUrls, Chain, ChainPosition, ProcessEnv, Sourced, Step};
//!
//! /// The program's token, one variable, or a provider of the program's own.
//! const STEPS: &[Step] = &[Step::Explicit, Step::Variable("ACME_TOKEN"), Step::Custom(ChainPosition::Last)];
//!
//! fn main() -> Result<(), XtraError> {
//! #   let current = || ProcessEnv::of_variables([("ACME_TOKEN", "acme_0123"), ("ACME_URL", "https://own.example")]);
//! #   /*
//!     let env = ProcessEnv::current();
//! #   */
//! #   let env = current();
//!     let token = Chain::new(STEPS).resolve(&env)?;
//!     let url = BaseUrls::new("https://acme.example").named(env.setting("ACME_URL")?).choose(Some(&token))?;
//!     assert_eq!((token.origin(), url.value.as_str()), ("ACME_TOKEN", "https://own.example"));
//!     Ok(())
//! }
//! ```

mod base_url;
mod chain;
mod configuration;
mod exchanged_token;
pub(crate) mod file;
mod jwt;
mod process_env;
mod settings;
mod static_token;
mod token;
mod token_file;
mod token_store;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::core::{Identity, XtraError};

pub use base_url::BaseUrls;
pub use chain::{Chain, ChainPosition, Lookup, Resolved, Step};
pub use configuration::{Configuration, Setting};
pub use exchanged_token::{Exchanged, ExchangedToken};
pub use process_env::ProcessEnv;
pub use settings::{FileSettings, SettingsFile, SettingsReader, Sourced};
pub use static_token::StaticToken;
pub use token::Token;
pub use token_file::FileToken;
pub use token_store::{StoreContents, TokenStore};

#[cfg(test)]
pub(crate) use jwt::signed as signed_jwt;

/// What [`CredentialProvider::token`] returns: a boxed future, so that the trait can be used as `dyn`.
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<Token, XtraError>> + Send + 'a>>;

/// Gives the client its token.
///
/// [`StaticToken`] and [`FileToken`] are built in. Write one to take tokens from somewhere else, or to exchange and refresh
/// them.
///
/// ```
/// use xtrasecurity::{CredentialProvider, Identity, Token, TokenFuture};
///
/// /// Takes a fresh token from this program's own agent for every request.
/// struct Agent;
///
/// impl Agent {
///     async fn ask(&self) -> String {
///         "xtra_0123456789abcdef".to_owned()
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

    /// The service has answered 401 to `refused`. `true` means that [`token`](Self::token) may now give another one, and the
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
#[cfg(feature = "http")]
pub(crate) async fn token(provider: &dyn CredentialProvider) -> Result<Token, XtraError> {
    use std::panic::AssertUnwindSafe;

    use crate::core::ErrorKind;
    use futures_util::FutureExt;

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
#[cfg(feature = "http")]
pub(crate) fn invalidate(provider: &dyn CredentialProvider, refused: &Token) -> bool {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    catch_unwind(AssertUnwindSafe(|| provider.invalidate(refused))).unwrap_or_else(|payload| {
        // It may hold anything, and dropping it may panic again.
        std::mem::forget(payload);
        tracing::warn!("the credential provider panicked when it was told of a refused token; that is a bug in it");
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

    fn invalidate(&self, refused: &Token) -> bool {
        (**self).invalidate(refused)
    }
}
