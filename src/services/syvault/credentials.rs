//! Tokens that a client signs itself: JSON Web Tokens by ES256.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::key::ClientKey;
use crate::core::{Clock, ErrorKind, Identity, SecretValue, XtraError};
use crate::http::{CredentialProvider, Token, TokenFuture};

/// How long a token lasts. The service takes an hour at most.
const LIFE: Duration = Duration::from_secs(300);
/// How long before its end a token is signed anew.
const MARGIN: Duration = Duration::from_secs(60);
/// How far a token is dated back, for clocks that differ a little.
const BACKDATED: Duration = Duration::from_secs(30);

/// Gives the tokens of one client, each for as long as most of its life.
pub(super) struct SignedTokens {
    key: ClientKey,
    client_id: String,
    /// The server as it was configured, without a slash at its end: the service compares it letter by letter (inferred).
    audience: String,
    identity: Identity,
    clock: Clock,
    held: Mutex<Option<Held>>,
}

struct Held {
    token: Token,
    signed: SystemTime,
}

impl SignedTokens {
    pub(super) fn new(key: ClientKey, client_id: &str, server: &str, clock: Clock) -> Self {
        let audience = server.trim().trim_end_matches('/').to_owned();
        let identity = Identity::of(&format!("client {client_id} of {audience}"));
        Self { key, client_id: client_id.to_owned(), audience, identity, clock, held: Mutex::default() }
    }

    /// The time of the calendar, as far as a clock that was moved by hand has moved it.
    pub(super) fn now(&self) -> SystemTime {
        SystemTime::now() + self.clock.moved_by().unwrap_or_default()
    }

    /// What stays the same of the credentials.
    pub(super) fn lasting(&self) -> SecretValue {
        self.key.lasting()
    }

    fn token(&self) -> Result<Token, XtraError> {
        let now = self.now();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = held.as_ref().filter(|held| held.is_good(now)) {
            return Ok(held.token.clone());
        }
        let token = self.sign(now)?;
        Ok(held.insert(Held { token, signed: now }).token.clone())
    }

    fn sign(&self, now: SystemTime) -> Result<Token, XtraError> {
        #[derive(Serialize)]
        struct Claims<'a> {
            sub: &'a str,
            aud: &'a str,
            iat: u64,
            exp: u64,
        }
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = Claims {
            sub: &self.client_id,
            aud: &self.audience,
            iat: seconds(now - BACKDATED),
            exp: seconds(now + LIFE),
        };
        let unsigned = || XtraError::new(ErrorKind::Credentials, "the token of the client cannot be written");
        let claims = serde_json::to_vec(&claims).map_err(|_| unsigned())?;
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","typ":"JWT"}"#);
        let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(input.as_bytes()));
        Token::new(format!("{input}.{signature}"))
    }
}

impl Held {
    /// A clock that was set back counts as well.
    fn is_good(&self, now: SystemTime) -> bool {
        now.duration_since(self.signed).is_ok_and(|age| age < LIFE - MARGIN)
    }
}

impl CredentialProvider for SignedTokens {
    fn identity(&self) -> Identity {
        self.identity
    }

    fn token(&self) -> TokenFuture<'_> {
        Box::pin(std::future::ready(self.token()))
    }

    /// Another token is worth a try when the refused one is not of this moment.
    fn invalidate(&self, refused: &Token) -> bool {
        const THIS_MOMENT: Duration = Duration::from_secs(5);
        let now = self.now();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let is_of_this_moment = held.as_ref().is_some_and(|held| {
            held.token == *refused && now.duration_since(held.signed).is_ok_and(|age| age < THIS_MOMENT)
        });
        if !is_of_this_moment {
            held.take_if(|held| held.token == *refused);
        }
        !is_of_this_moment
    }
}

impl fmt::Debug for SignedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedTokens").field("identity", &self.identity).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::key::tests::{SCALAR, is_signed};
    use super::*;
    use crate::core::ManualClock;

    const CLIENT: &str = "c9a1b2d3-4e5f-6789-abcd-ef0123456789";

    fn tokens(clock: &ManualClock, server: &str) -> SignedTokens {
        SignedTokens::new(ClientKey::parse(&SCALAR.into()).unwrap(), CLIENT, server, clock.clock())
    }

    fn parts(token: &Token) -> (Value, Value) {
        let parts: Vec<&str> = token.expose().split('.').collect();
        let [header, claims, signature] = parts.as_slice() else { panic!("three parts") };
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert_eq!(signature.len(), 64);
        assert!(is_signed(format!("{header}.{claims}").as_bytes(), &signature), "by another implementation");
        let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        (json(header), json(claims))
    }

    #[test]
    fn a_token_has_the_documented_header_and_claims_and_nothing_else() {
        for server in ["https://vault.example.com", "https://vault.example.com/", " https://vault.example.com// "] {
            let tokens = tokens(&ManualClock::new(), server);
            let (header, claims) = parts(&tokens.token().unwrap());
            assert_eq!(header, serde_json::json!({ "alg": "ES256", "typ": "JWT" }));
            assert_eq!((&claims["sub"], &claims["aud"]), (&CLIENT.into(), &"https://vault.example.com".into()));
            let now = tokens.now().duration_since(UNIX_EPOCH).unwrap().as_secs();
            let [issued, end] = ["iat", "exp"].map(|name| claims[name].as_u64().unwrap());
            assert!(issued <= now && now < end && end - issued <= 3600, "{issued} {now} {end}");
            assert_eq!(claims.as_object().unwrap().len(), 4);
        }
    }

    #[test]
    fn a_token_is_used_until_shortly_before_its_end_and_then_signed_anew() {
        let clock = ManualClock::new();
        let tokens = tokens(&clock, "https://vault.example.com");
        let first = tokens.token().unwrap();
        clock.advance(LIFE - MARGIN - Duration::from_secs(5));
        assert_eq!(tokens.token().unwrap(), first);
        clock.advance(Duration::from_secs(10));
        let second = tokens.token().unwrap();
        assert_ne!(second, first);
        assert_eq!(tokens.identity(), SignedTokens::identity(&tokens));
    }

    #[test]
    fn a_refused_token_is_replaced_unless_it_is_of_this_moment() {
        let clock = ManualClock::new();
        let tokens = tokens(&clock, "https://vault.example.com");
        let first = tokens.token().unwrap();
        assert!(!tokens.invalidate(&first));
        assert_eq!(tokens.token().unwrap(), first);
        clock.advance(Duration::from_secs(100));
        assert!(tokens.invalidate(&first));
        assert_ne!(tokens.token().unwrap(), first);
    }

    #[test]
    fn nothing_of_the_key_is_printed() {
        let tokens = tokens(&ManualClock::new(), "https://vault.example.com");
        let shown = format!("{tokens:?} {:?} {:?}", tokens.key, tokens.lasting());
        assert!(!shown.contains("jpsQ") && !shown.contains("142, 155"), "{shown}");
    }
}
