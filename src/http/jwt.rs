//! The expiry that a JSON Web Token carries.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use zeroize::Zeroizing;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Deserialize)]
struct Claims {
    exp: f64,
    #[serde(default, deserialize_with = "number")]
    iat: Option<f64>,
}

/// A number, or nothing in the place of anything else.
fn number<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<f64>, D::Error> {
    Ok(serde_json::Value::deserialize(value)?.as_f64())
}

/// The `exp` of a JSON Web Token. `None` for any other token, and for one without an end.
///
/// The signature is not checked and nothing else is read: the service decides what the token is worth.
pub(super) fn expiry(token: &str) -> Option<SystemTime> {
    let Claims { exp, .. } = claims(token)?;
    if exp <= 0.0 {
        return Some(UNIX_EPOCH);
    }
    UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(exp).ok()?)
}

/// How long a JSON Web Token was to last when it was made, by the clock of whoever made it: from `iat` to `exp`.
pub(crate) fn lifetime(token: &str) -> Option<Duration> {
    let Claims { exp, iat } = claims(token)?;
    Duration::try_from_secs_f64(exp - iat?).ok()
}

fn claims(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    let claims = Zeroizing::new(BASE64.decode(payload).ok()?);
    serde_json::from_slice(&claims).ok()
}

#[cfg(test)]
pub(crate) fn signed(claims: &str) -> String {
    format!("{}.{}.c2lnbmF0dXJl", BASE64.encode(r#"{"alg":"HS256"}"#), BASE64.encode(claims))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(claims: &str) -> Option<u64> {
        expiry(&signed(claims)).map(|at| at.duration_since(UNIX_EPOCH).unwrap().as_secs())
    }

    #[test]
    fn the_end_of_a_jwt_is_read_from_its_claims() {
        assert_eq!(seconds(r#"{"type":"cli-token","iat":1,"exp":1767225600}"#), Some(1_767_225_600));
        assert_eq!(seconds(r#"{"exp":1767225600.75}"#), Some(1_767_225_600));
        assert_eq!(seconds(r#"{"exp":0}"#), Some(0));
        assert_eq!(seconds(r#"{"exp":-5}"#), Some(0));
    }

    #[test]
    fn the_lifetime_is_what_lies_between_its_making_and_its_end() {
        let lasts = |claims: &str| lifetime(&signed(claims)).map(|time| time.as_secs());
        assert_eq!(lasts(r#"{"iat":1767225600,"exp":1767225700}"#), Some(100));
        for claims in [r#"{"exp":1767225700}"#, r#"{"iat":9,"exp":8}"#, r#"{"iat":1}"#, "[]"] {
            assert_eq!(lasts(claims), None, "{claims}");
        }
    }

    #[test]
    fn padded_and_unpadded_claims_are_read() {
        let unpadded = "x.eyJleHAiOjF9.y";
        assert_eq!(expiry(unpadded), Some(UNIX_EPOCH + Duration::from_secs(1)));
        let padded = "x.eyJleHAiOjEyfQ==.y";
        assert_eq!(expiry(padded), Some(UNIX_EPOCH + Duration::from_secs(12)));
    }

    #[test]
    fn a_token_that_tells_no_end_has_none() {
        for claims in
            [r#"{"iat":1}"#, r#"{"exp":"1767225600"}"#, r#"{"exp":null}"#, r#"{"exp":1e300}"#, "[]", "text", ""]
        {
            assert_eq!(seconds(claims), None, "{claims}");
        }
        for token in ["xs_0123", "", "a.b", "a.b.c", "..", "a.b.c.d", "x.eyJleHAiOjF9.y.z", "a.$$$$.c"] {
            assert_eq!(expiry(token), None, "{token}");
        }
    }
}
