//! Tokens of a machine identity, got by a login and renewed before they end.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::raw;
use crate::core::{Clock, ErrorKind, Hint, Identity, SecretValue, XtraError};
use crate::credentials::{CredentialProvider, Exchanged, ExchangedToken, Token, TokenFuture};
use crate::http::WeakTransport;

/// How long a refused login is not tried again. A server locks an identity out, for everybody, after three that fail within
/// half a minute.
const REFUSED_FOR: Duration = Duration::from_secs(60);

/// A way to log in: what is exchanged for a token.
pub(super) trait LogIn: Send + Sync + 'static {
    /// Whose tokens it gets.
    fn identity(&self) -> Identity;

    /// Logs in by one of the operations that carry no token.
    fn log_in<'a>(&'a self, raw: &'a raw::Client) -> BoxFuture<'a, Result<Granted, XtraError>>;

    /// The credential itself, when it stays the same for long.
    fn lasting_credential(&self) -> Option<SecretValue> {
        None
    }
}

/// What a login gave.
pub(super) struct Granted {
    pub(super) token: SecretValue,
    /// Seconds until the server refuses it; 0 when it sets no limit of its own.
    pub(super) expires_in: Option<i64>,
}

impl Granted {
    /// The token, which ends with what is first: its own end, or that of what the server has granted.
    pub(super) fn exchanged(self) -> Result<Exchanged, XtraError> {
        let token = Token::new(self.token.expose()).map_err(|_| {
            XtraError::new(ErrorKind::Decode, "the server has granted something that cannot be sent as a token")
                .with_hint(Hint::check_base_url("is that of an Infisical server"))
        })?;
        let granted = self.expires_in.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0);
        let exchanged = Exchanged::new(token);
        Ok(granted.map_or(exchanged.clone(), |seconds| exchanged.at_most(Duration::from_secs(seconds))))
    }
}

/// What is said of a login that failed: the caller has called something else.
pub(super) const AT_LOGIN: &str = "This was the login, which comes before the call";

/// Gives the tokens of a login, which is made when the first is needed, again before its end, and once more when it is refused.
pub(super) struct LoginToken {
    exchanged: ExchangedToken,
    method: Arc<dyn LogIn>,
    /// The way to the server, once there is one.
    transport: Arc<OnceLock<WeakTransport>>,
}

impl LoginToken {
    pub(super) fn new(method: impl LogIn) -> Self {
        let (method, transport): (Arc<dyn LogIn>, _) = (Arc::new(method), Arc::new(OnceLock::new()));
        let (shared, slot) = (Arc::clone(&method), Arc::clone(&transport));
        let exchanged = ExchangedToken::new(method.identity(), move || log_in(Arc::clone(&shared), Arc::clone(&slot)));
        Self { exchanged: exchanged.pause_after_refusal(REFUSED_FOR), method, transport }
    }
}

async fn log_in(method: Arc<dyn LogIn>, transport: Arc<OnceLock<WeakTransport>>) -> Result<Exchanged, XtraError> {
    let transport = transport.get().and_then(WeakTransport::upgrade).ok_or_else(|| {
        XtraError::new(ErrorKind::Credentials, "the client that these credentials were given to is gone")
    })?;
    let root = transport.base_url().to_owned();
    let raw = raw::Client::new_with_client(&root, transport.http().clone(), transport);
    let granted = method.log_in(&raw).await.map_err(|error| match error.kind() {
        ErrorKind::Unauthorized => error, // it speaks of the credentials by itself
        _ => error.before_sending().with_note(AT_LOGIN),
    });
    granted?.exchanged()
}

impl CredentialProvider for LoginToken {
    fn identity(&self) -> Identity {
        self.exchanged.identity()
    }

    fn token(&self) -> TokenFuture<'_> {
        self.exchanged.token()
    }

    fn lasting_token(&self) -> Option<Token> {
        Token::new(self.method.lasting_credential()?.expose()).ok()
    }

    fn connected(&self, transport: &WeakTransport) {
        self.exchanged.measure_by(transport.upgrade().map_or_else(Clock::system, |transport| transport.clock()));
        // one client is built with it
        let _ = self.transport.set(transport.clone());
    }

    fn invalidate(&self, refused: &Token) -> bool {
        self.exchanged.invalidate(refused)
    }
}

impl fmt::Debug for LoginToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginToken").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::jwt;

    fn lasts(claims: &str, expires_in: Option<i64>) -> Option<u64> {
        let granted = Granted { token: jwt::signed(claims).into(), expires_in };
        granted.exchanged().unwrap().lasts.map(|time| time.as_secs())
    }

    #[test]
    fn a_token_ends_with_what_is_first_its_own_end_or_what_was_granted() {
        assert_eq!(
            lasts(r#"{"iat":1000,"exp":2000}"#, Some(100)),
            Some(100),
            "recorded: exp is the longest, expiresIn counts"
        );
        assert_eq!(lasts(r#"{"iat":1000,"exp":2000}"#, Some(5000)), Some(1000));
        assert_eq!(lasts(r#"{"iat":1000,"exp":2000}"#, Some(0)), Some(1000), "0 sets no limit");
        assert_eq!(lasts(r#"{"iat":1000}"#, Some(70)), Some(70));
        assert_eq!(lasts(r#"{"iat":1000}"#, None), None);
        let unusable = Granted { token: "a b".into(), expires_in: None };
        assert_eq!(unusable.exchanged().unwrap_err().kind(), ErrorKind::Decode);
    }
}
