//! Tokens that are signed with the key of a Google service account, as its key file holds it.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types as keys;
use serde::Serialize;

use crate::core::{ErrorKind, SecretValue, XtraError};
use crate::credentials::file;

/// How long a token is good for. It is used at once.
const LASTS: Duration = Duration::from_secs(300);

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    kid: &'a str,
}

/// The service compares the audience with the identity, and finds the key by the subject.
#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
}

/// A token for this audience, signed with the key in a file.
pub(super) fn sign(path: &Path, audience: &str, now: SystemTime) -> Result<SecretValue, XtraError> {
    let place = format!("the service account's key file {}", path.display());
    let error = |what: &str| XtraError::new(ErrorKind::Credentials, format!("{place} {what}"));
    let content = file::read(path).map_err(|why| {
        why.attached_to(XtraError::new(ErrorKind::Credentials, format!("{place} cannot be used: {why}")))
    })?;
    let texts = file::texts(&content, &["client_email", "private_key_id", "private_key"])
        .map_err(|why| error(&format!("cannot be used: {why}")))?;
    let [Some(email), Some(key_id), Some(key)] =
        <[Option<String>; 3]>::try_from(texts).map_err(|_| error("cannot be used"))?
    else {
        return Err(error("lacks `client_email`, `private_key_id` or `private_key`"));
    };
    let key = SecretValue::new(key);
    let iat = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let claims = Claims { sub: &email, aud: audience, iat, exp: iat + LASTS.as_secs() };
    let unsigned = [encoded(&Header { alg: "RS256", typ: "JWT", kid: &key_id }), encoded(&claims)].join(".");
    let signature = signature(key.expose(), unsigned.as_bytes()).ok_or_else(|| error("holds no RSA key"))?;
    Ok(SecretValue::new(format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

fn encoded(part: &impl Serialize) -> String {
    // texts and numbers can always be written
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).unwrap_or_default())
}

fn signature(pem: &str, message: &[u8]) -> Option<Vec<u8>> {
    use keys::pem::PemObject;

    let key = keys::PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()?;
    let key = any_supported_type(&key).ok()?;
    key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])?.sign(message).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;

    use base64::engine::general_purpose::STANDARD;
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use serde_json::{Value, json};

    use super::*;

    /// A key made for these tests, and nothing else.
    const KEY: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDq08pDO2PDjtk8uDS9iJpRMGkS/KIzQs751W1SBw9TiUIRtoqdaOVjeIcGQW1bVcogfAkpOwmReUHqvRbPAM0ORTLP/DhhgBn9M/YK7+n4VfYXdHBKtpsFn6YbJHgVooYP3PPcp1pBc+jtoNOMOEPw+V4ca9rZonaFFJHNRQr2lddjB+VdQd08HI1uWGaZG4dFIyKR+jtA9W59m73MH/QlPvv89um1MAGN04ptSPlrBP7LvZfwSE+hft042gfGQwI5UhpY7pcXCJDUPZ4FrN4xgPuQiqaNFb55/F9C37w3NTVzjWnTY2NT/jHzITf7b6z4ga0pKi2Mh6mLDb4nruwdAgMBAAECggEACYwXzpj1CufdZC8XEdeicoeV1gxIae4e7SBkw+9+i4Zqlb7GrvSrUtp9Ht99GzgHMj/ovXDliDEWYX1TlpHxRFHC6ZrXDfu/0sAQkkxDxnF0Qmrc/+Shs95USgk3CqYjbjStA30YWc3lG/gscah99qek0GIAMVX+HJYEAYT7l5/XAy5R0DK4pCxZ25Hxg288q/evbWY9t5QFnPwNcsICdA4v3n/kWkx4Y627b4D5/bkRrzLDl8Xl40G5BOrggMW1xUNhi4Xh51X1oc25eB8vwV/waxPveZ3dD1mKNT62H1ryzBPY/GNeJYN7/sd8SOkkfzP/7TK8nO0Lymt/e2xAfwKBgQD6+7TEhpxY2Amp+qLOEwl4vENuJ5kJLR9s2MMSihNr2065lI7VtevRXatFdM9X8jWku380/qBCsG4t2D9HLqB9fa5eks5woX6Q81nmnHl7lbEKp9MU5sMn3MuQ5SzCHb2eMs/FwWuRrMm9Xo6vgMtXBkmHqGuqoePaXYyMyWp9/wKBgQDvhWnNohaqHJeqV1Zf2XE2Pkhwn9S34jBNKSFDLPbAGptJHYliI2ihvPKx5oRYDJJ+yaGbby7tv9zTDpBV4h92wZT0tZts6VOGvy4N/fZveiqQAz+ojy7tKO01q6yZug4I0I5EsKevv72CiM3/0WhLuorbdKuyv3AAnPm7cKTN4wKBgHu0gH61Em6/3NOJE6GaxHpb4Kh0n/tj4C9YD54drEDnEUBrNpOjXR4OmxJa5q+kVEhjmelW70qvhz7VbSr6kmQIBF/c4B+nmah8KX1+9mmxeFeWLHYK33nQXA2Ix6zN194XkU0ZbpmYnr7V0mIyiwbTtH5GxvqNXK8OmO3zgKelAoGBAMfADHeIaLxfcgCGK6ttzKN/F6yNLrpXsQ54cZvzIKkex0gXkN4+R2EzEXdZlh9UBMwl3VeiRpHSAxgkuixVkwXX9SCLX95ZS+ZBA+h5Vo6rZFmLzAgHuQvhqMmsrRna9x9UxoD0jjPchPAapSll+0PEg073osVEL+TjBMXT8C0fAoGAcUPHvtqhJ0k3mWqNbRjAn2dPFx+JbrM2s5+ozYoQdNxErUTnS8TVX8EVSQgoa/cb7ZtKY7Tv9n9jGWwTsdoVCUysh9d/W3Jd/5TysyE+enlC5IPDBxXJ0DwUVrKj0leXRhtMUCWA31Wc+cbltUvyraCNo+bCTxC5NCmkvZDa3z4=";
    const PUBLIC_KEY: &str = "MIIBCgKCAQEA6tPKQztjw47ZPLg0vYiaUTBpEvyiM0LO+dVtUgcPU4lCEbaKnWjlY3iHBkFtW1XKIHwJKTsJkXlB6r0WzwDNDkUyz/w4YYAZ/TP2Cu/p+FX2F3RwSrabBZ+mGyR4FaKGD9zz3KdaQXPo7aDTjDhD8PleHGva2aJ2hRSRzUUK9pXXYwflXUHdPByNblhmmRuHRSMikfo7QPVufZu9zB/0JT77/PbptTABjdOKbUj5awT+y72X8EhPoX7dONoHxkMCOVIaWO6XFwiQ1D2eBazeMYD7kIqmjRW+efxfQt+8NzU1c41p02NjU/4x8yE3+2+s+IGtKSotjIepiw2+J67sHQIDAQAB";

    /// A key file of a service account, as Google hands it out.
    pub(in super::super) fn key_file() -> String {
        let private = ["PRIVATE", "KEY"].join(" ");
        let pem = format!("-----BEGIN {private}-----\n{KEY}\n-----END {private}-----\n");
        json!({
            "type": "service_account",
            "client_email": "ci@acme.iam.gserviceaccount.com",
            "private_key_id": "key-1",
            "private_key": pem,
        })
        .to_string()
    }

    fn signed(content: &str) -> Result<String, XtraError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.json");
        fs::write(&path, content).unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(1_767_323_045);
        sign(&path, "id-1", now).map(|token| token.expose().to_owned())
    }

    #[test]
    fn the_token_names_the_account_the_identity_and_the_key_and_the_key_has_signed_it() {
        let token = signed(&key_file()).unwrap();
        let (unsigned, signature) = token.rsplit_once('.').unwrap();
        let (header, claims) = unsigned.split_once('.').unwrap();
        let decoded = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        assert_eq!(decoded(header), json!({"alg": "RS256", "typ": "JWT", "kid": "key-1"}));
        let expected = json!({
            "sub": "ci@acme.iam.gserviceaccount.com",
            "aud": "id-1",
            "iat": 1_767_323_045_u64,
            "exp": 1_767_323_345_u64,
        });
        assert_eq!(decoded(claims), expected);
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, STANDARD.decode(PUBLIC_KEY).unwrap());
        key.verify(unsigned.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    }

    #[test]
    fn a_key_file_that_cannot_be_used_is_named_and_not_quoted() {
        for (content, expected) in [
            ("{}".to_owned(), "lacks `client_email`"),
            ("hunter2".to_owned(), "not JSON"),
            (key_file().replace("MII", "hunter2"), "holds no RSA key"),
            (key_file().replace("-----BEGIN", "hunter2"), "holds no RSA key"),
        ] {
            let error = signed(&content).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(expected) && text.contains("key.json") && !text.contains("hunter2"), "{text}");
        }
        let error = sign(Path::new("/nowhere/key.json"), "id-1", UNIX_EPOCH).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
    }
}
