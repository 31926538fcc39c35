//! Values at rest: AES-256-GCM, written as the JSON text `{"iv","encryptedData","authTag"}`.

use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::dev::javascript::{Json, object};

const KEY_BYTES: usize = 32;
const IV_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// The server's key for values at rest. A new one is drawn for every server.
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) struct Vault {
    bytes: [u8; KEY_BYTES],
}

impl From<Vault> for String {
    fn from(vault: Vault) -> Self {
        hex::encode(vault.bytes)
    }
}

impl TryFrom<String> for Vault {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut bytes = [0; KEY_BYTES];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| "this is no key")?;
        Ok(Vault { bytes })
    }
}

impl Vault {
    /// `None` when the system has no random numbers to give.
    pub(super) fn new() -> Option<Self> {
        Some(Vault { bytes: random()? })
    }

    /// So many random bytes in hex.
    pub(super) fn random_hex<const N: usize>(&self) -> Option<String> {
        random::<N>().map(hex::encode)
    }

    /// A signature of what the server has issued: HMAC-SHA256, which the extraction of HKDF is.
    pub(super) fn signature(&self, text: &str) -> Vec<u8> {
        Hkdf::<Sha256>::extract(Some(&self.bytes), text.as_bytes()).0.to_vec()
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(&self.bytes))
    }

    /// The at-rest text of a value.
    pub(super) fn seal(&self, plaintext: &str) -> Option<String> {
        let iv = random::<IV_BYTES>()?;
        let mut data = plaintext.as_bytes().to_vec();
        let tag = self.cipher().encrypt_in_place_detached(Nonce::from_slice(&iv), &[], &mut data).ok()?;
        let envelope = object([
            ("iv", hex::encode(iv).into()),
            ("encryptedData", hex::encode(data).into()),
            ("authTag", hex::encode(tag).into()),
        ]);
        Some(envelope.to_text())
    }

    /// The value that a read gives for an at-rest text. The service gives up quietly: text that is no envelope, an envelope with an
    /// empty member (so the empty string as well), and one that does not open all come back as they are.
    pub(super) fn read(&self, stored: &str) -> String {
        self.open(stored).unwrap_or_else(|| stored.to_owned())
    }

    /// The plaintext of an envelope with three non-empty members that this key opens.
    pub(super) fn open(&self, stored: &str) -> Option<String> {
        let envelope = Json::parse(stored.as_bytes())?;
        let iv: [u8; IV_BYTES] = hex::decode(envelope.text_of("iv")?).ok()?.try_into().ok()?;
        let tag: [u8; TAG_BYTES] = hex::decode(envelope.text_of("authTag")?).ok()?.try_into().ok()?;
        let mut data = hex::decode(envelope.text_of("encryptedData")?).ok()?;
        let (nonce, tag) = (Nonce::from_slice(&iv), Tag::from_slice(&tag));
        self.cipher().decrypt_in_place_detached(nonce, &[], &mut data, tag).ok()?;
        String::from_utf8(data).ok()
    }
}

/// The form in which an API key is stored.
pub(super) fn fingerprint(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Random bytes of the system.
fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_again_and_another_key_leaves_the_envelope() {
        let (vault, other) = (Vault::new().unwrap(), Vault::new().unwrap());
        let stored = vault.seal("s3cret").unwrap();
        assert_eq!(vault.read(&stored), "s3cret");
        assert_eq!(other.read(&stored), stored);
    }

    #[test]
    fn the_empty_string_reads_back_as_its_envelope() {
        let vault = Vault::new().unwrap();
        let stored = vault.seal("").unwrap();
        assert!(stored.contains(r#""encryptedData":"""#));
        assert_eq!(vault.read(&stored), stored);
    }
}
