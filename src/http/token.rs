//! The token of a service: checked, redacted, and wiped when the last copy is dropped.

use std::fmt;
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::jwt;
use crate::core::{ErrorKind, Identity, SecretValue, XtraError};

/// A token that can be sent: not empty, printable ASCII, no white space. `Debug` prints `[REDACTED]`.
///
/// Clones share one buffer, which is wiped when the last of them is dropped.
///
/// ```
/// use xtrasecurity::{ErrorKind, credentials::Token};
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let token = Token::new("xs_0123456789abcdef")?;
/// assert_eq!(format!("{token:?}"), "[REDACTED]");
///
/// let error = Token::new("xs_0123456789abcdef\n").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Credentials);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Token {
    secret: SecretValue,
    expires_at: Option<SystemTime>,
    identity: Identity,
}

impl Token {
    /// Checks a token and takes it over.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Credentials`] when it is empty, stands in quotes, or holds white space, control characters or anything but ASCII.
    pub fn new(token: impl Into<String>) -> Result<Self, XtraError> {
        Self::checked(SecretValue::new(token.into())).map_err(|flaw| flaw.error("the token"))
    }

    pub(crate) fn checked(secret: SecretValue) -> Result<Self, Flaw> {
        if let Some(flaw) = Flaw::of(secret.expose()) {
            return Err(flaw);
        }
        let expires_at = jwt::expiry(secret.expose());
        // a service may keep the plain SHA-256 of a token: the label makes sure that this is another number
        let label = Zeroizing::new(format!("token {}", secret.expose()));
        Ok(Self { identity: Identity::of(&label), secret, expires_at })
    }

    /// The token itself. Whatever copies it is responsible for the copy.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.secret.expose()
    }

    /// When the token ends, if it is a JSON Web Token that says so. It is read from the token; the service is not asked.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }

    /// An identity made from a hash of the token.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// The token's text, shared.
    pub(crate) fn secret(&self) -> SecretValue {
        self.secret.clone()
    }

    /// The token, unless it has an end of its own.
    pub(crate) fn lasting(&self) -> Option<Self> {
        self.expires_at.is_none().then(|| self.clone())
    }

    /// Whether the token had ended at `now`.
    pub(crate) fn has_expired(&self, now: SystemTime) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.secret, f)
    }
}

/// Two tokens are equal when their texts are; it takes the same time wherever they differ.
impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.secret == other.secret
    }
}

impl Eq for Token {}

/// What is wrong with a text that should be a token. Tells nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    Empty,
    Quoted,
    SpaceAround,
    SpaceInside,
    Control,
    NotAscii,
}

impl Flaw {
    fn of(token: &str) -> Option<Self> {
        if token.is_empty() {
            Some(Self::Empty)
        } else if !token.is_ascii() {
            Some(Self::NotAscii)
        } else if touches_quotes(token) {
            Some(Self::Quoted)
        } else if token.bytes().all(|byte| byte.is_ascii_graphic()) {
            None
        } else if token.trim() != token {
            Some(Self::SpaceAround)
        } else if token.bytes().any(|byte| byte.is_ascii_whitespace()) {
            Some(Self::SpaceInside)
        } else {
            Some(Self::Control)
        }
    }

    /// The error about the text found in `place` (`the token`, the name of a variable …).
    pub(crate) fn error(self, place: &str) -> XtraError {
        let message = format!(
            "{place} {self}. A token is printable ASCII without spaces: copy it again, without quotes or `Bearer`"
        );
        XtraError::new(ErrorKind::Credentials, message)
    }
}

const QUOTES: [char; 3] = ['"', '\'', '`'];

/// Whether a text stands in quotes. Ids and names may begin or end with one.
pub(crate) fn is_quoted(text: &str) -> bool {
    QUOTES.iter().any(|quote| text.strip_prefix(*quote).is_some_and(|rest| rest.ends_with(*quote)))
}

/// Whether a text begins or ends with a quote. No token does that was copied whole.
fn touches_quotes(token: &str) -> bool {
    let token = token.trim();
    token.starts_with(QUOTES) || token.ends_with(QUOTES)
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty",
            Self::Quoted => "is in quotes, which a shell takes away and a file of variables may not: take them away",
            Self::SpaceAround => "begins or ends with white space, perhaps a line break",
            Self::SpaceInside => "holds white space",
            Self::Control => "holds a control character",
            Self::NotAscii => "holds a character that is not ASCII",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn every_documented_form_of_token_is_taken_as_it_is() {
        for token in ["xs_0123456789abcdef", "xtra_0123", "a.b.c", "!~", &"x".repeat(4096)] {
            assert_eq!(Token::new(token).unwrap().expose(), token);
        }
    }

    #[test]
    fn a_text_that_cannot_be_a_token_is_refused_with_what_is_wrong_and_not_quoted() {
        let cases = [
            ("", "is empty"),
            ("hunter2\n", "begins or ends with white space"),
            (" hunter2", "begins or ends with white space"),
            ("hunter2\u{a0}", "not ASCII"),
            ("hun ter2", "holds white space"),
            ("\"hunter2\"", "is in quotes"),
            ("'hunter2'", "is in quotes"),
            ("`hunter2`\n", "is in quotes"),
            ("\"hunter2", "is in quotes"),
            ("hunter2'", "is in quotes"),
            ("\"hun ter2\"", "is in quotes"),
            ("hunter2\r\nX: y", "holds white space"),
            ("hunter2\0", "control character"),
            ("hunter2\u{7f}", "control character"),
            ("huntér2", "not ASCII"),
        ];
        for (text, wrong) in cases {
            let error = Token::new(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Credentials);
            assert!(error.to_string().contains(wrong), "{error}");
            assert!(!format!("{error} {error:?}").contains("hun"), "{error}");
        }
    }

    #[test]
    fn a_token_prints_redacted() {
        let token = Token::new("hunter2").unwrap();
        assert_eq!(format!("{token:?} {:?}", Some(&token)), "[REDACTED] Some([REDACTED])");
    }

    #[test]
    fn an_identity_tells_tokens_apart_and_is_not_the_hash_that_the_service_keeps() {
        let token = Token::new("hunter2").unwrap();
        assert_eq!(token.identity(), Token::new("hunter2").unwrap().identity());
        assert_ne!(token.identity(), Token::new("hunter3").unwrap().identity());
        assert_ne!(token.identity(), Identity::of("hunter2"));
    }

    #[test]
    fn a_jwt_has_expired_from_its_end_on() {
        let token = Token::new(jwt::signed(r#"{"exp":1767225600}"#)).unwrap();
        let end = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        assert_eq!(token.expires_at(), Some(end));
        assert!(token.has_expired(end) && !token.has_expired(end - Duration::from_secs(1)));
    }
}
