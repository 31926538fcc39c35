//! Access: who asks, by a token that the client has signed, and which folders it may use.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::StatusCode;
use p256::PublicKey;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey;

use super::database::{Client, Database, refusal};
use crate::dev::javascript::Json;
use crate::dev::{Call, Reply};
use crate::services::syvault::key::BASE64;

/// The longest life of a token, in seconds.
const LONGEST: i64 = 3600;

/// A public key as a client registers it: a point, or SPKI, in base64. It is kept as a point.
pub(super) fn point_of(text: &str) -> Option<String> {
    let bytes = BASE64.decode(text).ok()?;
    let key = PublicKey::from_sec1_bytes(&bytes)
        .or_else(|_| PublicKey::from_public_key_der(&bytes).map_err(|_| p256::elliptic_curve::Error));
    Some(BASE64.encode(VerifyingKey::from(key.ok()?).to_encoded_point(false).as_bytes()))
}

fn unauthorized() -> Reply {
    refusal(StatusCode::UNAUTHORIZED, "unauthorized")
}

impl Database {
    /// The client whose token this is.
    pub(super) fn client(&self, call: &Call) -> Result<&Client, Reply> {
        let token = call.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        token.and_then(|token| self.verified(token)).ok_or_else(unauthorized)
    }

    fn verified(&self, token: &str) -> Option<&Client> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let part = |text: &str| Json::parse(&URL_SAFE_NO_PAD.decode(text).ok()?);
        let (header, claims) = (part(header)?, part(claims)?);
        let client = self.clients.iter().find(|client| claims.text_of("sub") == Some(&client.id))?;
        let key = VerifyingKey::from_sec1_bytes(&BASE64.decode(client.point.as_deref()?).ok()?).ok()?;
        let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        key.verify(signed.as_bytes(), &signature).ok()?;
        let moment = |name: &str| claims.get(name).and_then(Json::whole);
        let (issued, end) = (moment("iat")?, moment("exp")?);
        let now = i64::try_from(self.now().0 / 1000).ok()?;
        let is_current = issued <= now && now < end && end.checked_sub(issued)? <= LONGEST;
        let is_for_us = self.addresses.iter().any(|address| claims.text_of("aud") == Some(address));
        (header.text_of("alg") == Some("ES256") && is_current && is_for_us).then_some(client)
    }

    /// Registers the key of a client, by its token that is good once.
    pub(super) fn register(&mut self, token: &str, point: String) -> Result<&Client, Reply> {
        let client = self.clients.iter_mut().find(|client| client.one_time_token.as_deref() == Some(token));
        let client = client.ok_or_else(unauthorized)?;
        client.one_time_token = None;
        client.point = Some(point);
        Ok(client)
    }
}

impl Client {
    /// Whether the client may read the secrets of a folder; what is in no folder is for all.
    pub(super) fn reads(&self, folder: Option<&str>) -> bool {
        folder.is_none_or(|folder| self.folders.as_ref().is_none_or(|own| own.iter().any(|(id, _)| id == folder)))
    }

    /// Whether the client may create and rotate secrets in a folder.
    pub(super) fn writes(&self, folder: Option<&str>) -> bool {
        self.folders.as_ref().is_none_or(|own| own.iter().any(|(id, writes)| *writes && Some(id.as_str()) == folder))
    }
}
