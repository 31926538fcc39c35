//! Signed tokens: made with the server's key, and checked in the words of the library that the service checks them with.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use sha2::Sha256;

use crate::dev::Millis;
use crate::dev::javascript::{Json, Members, object};

/// HMAC-SHA256, which the extraction of HKDF is.
fn signature(key: &str, text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Hkdf::<Sha256>::extract(Some(key.as_bytes()), text.as_bytes()).0)
}

/// A token with claims, the moment of its issue and, where it ends, that of its end.
pub(super) fn signed(key: &str, mut claims: Members, issued: Millis, expires: Option<Millis>) -> String {
    let seconds = |at: Millis| i64::try_from(at.0 / 1000).unwrap_or(i64::MAX);
    claims.set("iat", seconds(issued));
    if let Some(expires) = expires {
        claims.set("exp", seconds(expires));
    }
    let part = |json: Json| URL_SAFE_NO_PAD.encode(json.to_text());
    let head = part(object([("alg", "HS256".into()), ("typ", "JWT".into())]));
    let text = format!("{head}.{}", part(claims.into()));
    let signature = signature(key, &text);
    format!("{text}.{signature}")
}

/// The claims of a token that holds, or the sentence why it does not.
pub(super) fn checked(key: &str, token: &str, now: Millis) -> Result<Json, &'static str> {
    if token.is_empty() {
        return Err("jwt must be provided");
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [head, claims, sealed] = parts[..] else {
        return Err("jwt malformed");
    };
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).ok().and_then(|bytes| Json::parse(&bytes));
    let (Some(_), Some(claims_read)) = (decoded(head), decoded(claims)) else {
        return Err("invalid token");
    };
    if sealed.is_empty() {
        return Err("jwt signature is required");
    }
    if signature(key, &format!("{head}.{claims}")) != sealed {
        return Err("invalid signature");
    }
    let ends = claims_read.get("exp").and_then(Json::whole).and_then(|seconds| u64::try_from(seconds).ok());
    if ends.is_some_and(|seconds| seconds <= now.0 / 1000) {
        return Err("jwt expired");
    }
    Ok(claims_read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_holds_until_it_ends_and_only_with_its_signature() {
        let (now, end) = (Millis(10_000), Millis(20_000));
        let token = signed("key", Members::default(), now, Some(end));
        assert!(checked("key", &token, now).is_ok());
        for (key, token, at, sentence) in [
            ("key", token.as_str(), end, "jwt expired"),
            ("other", token.as_str(), now, "invalid signature"),
            ("key", "garbage", now, "jwt malformed"),
            ("key", "", now, "jwt must be provided"),
            ("key", "a.b.c", now, "invalid token"),
        ] {
            assert_eq!(checked(key, token, at).err(), Some(sentence));
        }
        let unsigned = token.rsplit_once('.').unwrap().0.to_owned() + ".";
        assert_eq!(checked("key", &unsigned, now).err(), Some("jwt signature is required"));
    }
}
