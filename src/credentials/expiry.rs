//! The refusal of tokens that had ended before they were sent.

use std::time::SystemTime;

use crate::core::{ErrorKind, Hint, Timestamp, XtraError};
use crate::http::Token;

impl Token {
    /// Fails when the token had ended at `now`. `place` is where the token came from.
    pub(crate) fn ensure_live(&self, now: SystemTime, place: &str) -> Result<(), XtraError> {
        match self.expires_at() {
            Some(end) if self.has_expired(now) => {
                let message = format!(
                    "the token from {place} expired at {:.0} (this machine's clock says {:.0})",
                    Timestamp::from(end),
                    Timestamp::from(now)
                );
                let advice = Hint::advice("Get a new token, for instance by logging in again");
                Err(XtraError::new(ErrorKind::Credentials, message).with_hint(advice))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::http::jwt;

    #[test]
    fn an_expired_token_is_refused_with_its_place_and_both_times() {
        let token = Token::new(jwt::signed(r#"{"exp":1767225600}"#)).unwrap();
        let end = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        assert!(token.ensure_live(end - Duration::from_secs(1), "XTRA_TOKEN").is_ok());
        assert!(token.ensure_live(end, "XTRA_TOKEN").is_err());
        let error = token.ensure_live(end + Duration::from_secs(5), "XTRA_TOKEN").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
        let text = error.to_string();
        for part in ["XTRA_TOKEN", "expired at 2026-01-01T00:00:00Z", "clock says 2026-01-01T00:00:05Z"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[test]
    fn a_token_without_an_end_never_expires() {
        let token = Token::new("xs_0123").unwrap();
        assert!(token.ensure_live(UNIX_EPOCH + Duration::from_secs(1 << 40), "XTRA_TOKEN").is_ok());
    }
}
