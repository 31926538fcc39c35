//! A token that stays the same.

use std::borrow::Cow;
use std::future::ready;
use std::time::SystemTime;

use super::token::Token;
use super::{CredentialProvider, TokenFuture};
use crate::core::{Identity, XtraError};

/// Gives the same token for as long as it lives.
///
/// Once a JSON Web Token has passed its own end, the calls fail with [`ErrorKind::Credentials`](crate::ErrorKind::Credentials)
/// and nothing is sent.
///
/// ```
/// use xtrasecurity::credentials::{CredentialProvider, StaticToken};
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let provider = StaticToken::new("xs_0123456789abcdef")?;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert_eq!(provider.token().await?.expose(), "xs_0123456789abcdef");
/// # Ok(())
/// # })
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct StaticToken {
    token: Token,
    place: Cow<'static, str>,
}

impl StaticToken {
    /// Checks a token and takes it over.
    ///
    /// # Errors
    ///
    /// As [`Token::new`].
    pub fn new(token: impl Into<String>) -> Result<Self, XtraError> {
        Token::new(token).map(Self::from)
    }

    /// A token found in `place`, which messages will name.
    pub(crate) fn found(token: Token, place: impl Into<Cow<'static, str>>) -> Self {
        Self { token, place: place.into() }
    }
}

impl From<Token> for StaticToken {
    fn from(token: Token) -> Self {
        Self::found(token, "the program")
    }
}

impl CredentialProvider for StaticToken {
    fn identity(&self) -> Identity {
        self.token.identity()
    }

    fn token(&self) -> TokenFuture<'_> {
        let live = self.token.ensure_live(SystemTime::now(), &self.place);
        Box::pin(ready(live.map(|()| self.token.clone())))
    }

    /// The token, unless it is a JSON Web Token with an end.
    fn lasting_token(&self) -> Option<Token> {
        self.token.lasting()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::super::jwt;
    use super::*;
    use crate::core::ErrorKind;

    fn now(provider: &StaticToken) -> Result<Token, XtraError> {
        provider.token().now_or_never().unwrap()
    }

    #[test]
    fn the_token_is_the_one_given_and_a_refusal_changes_nothing() {
        let provider = StaticToken::new("xs_0123").unwrap();
        let token = now(&provider).unwrap();
        assert_eq!(token.expose(), "xs_0123");
        assert!(!provider.invalidate(&token));
        assert_eq!(provider.identity(), token.identity());
    }

    #[test]
    fn a_token_with_an_end_does_not_last() {
        assert_eq!(StaticToken::new("xs_0123").unwrap().lasting_token().unwrap().expose(), "xs_0123");
        let provider = StaticToken::new(jwt::signed(r#"{"exp":4102444800}"#)).unwrap();
        assert!(provider.lasting_token().is_none());
    }

    #[test]
    fn an_expired_jwt_is_not_sent() {
        let provider = StaticToken::new(jwt::signed(r#"{"exp":1}"#)).unwrap();
        assert_eq!(now(&provider).unwrap_err().kind(), ErrorKind::Credentials);
        let provider = StaticToken::new(jwt::signed(r#"{"exp":4102444800}"#)).unwrap();
        assert!(now(&provider).is_ok());
    }

    #[test]
    fn a_provider_prints_no_token() {
        assert!(!format!("{:?}", StaticToken::new("hunter2").unwrap()).contains("hunter2"));
    }
}
