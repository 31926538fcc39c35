//! Values at rest: AES-256-GCM, written as the JSON text `{"iv","encryptedData","authTag"}`.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use crate::dev::javascript::{Json, object};

const KEY_BYTES: usize = 32;
const IV_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// The server's key for values at rest. A new one is drawn for every server.
#[derive(Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) struct Vault {
    bytes: [u8; KEY_BYTES],
    key: LessSafeKey,
    random: SystemRandom,
}

impl Clone for Vault {
    fn clone(&self) -> Self {
        Vault { bytes: self.bytes, key: self.key.clone(), random: self.random.clone() }
    }
}

impl From<Vault> for String {
    fn from(vault: Vault) -> Self {
        hex(&vault.bytes)
    }
}

impl TryFrom<String> for Vault {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = unhex(&text).and_then(|bytes| bytes.try_into().ok());
        bytes.and_then(|bytes| Vault::of(bytes, SystemRandom::new())).ok_or("this is no key")
    }
}

impl Vault {
    /// `None` when the system has no random numbers to give.
    pub(super) fn new() -> Option<Self> {
        let random = SystemRandom::new();
        let mut bytes = [0_u8; KEY_BYTES];
        random.fill(&mut bytes).ok()?;
        Vault::of(bytes, random)
    }

    fn of(bytes: [u8; KEY_BYTES], random: SystemRandom) -> Option<Self> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes).ok()?);
        Some(Vault { bytes, key, random })
    }

    /// So many random bytes in hex.
    pub(super) fn random_hex<const N: usize>(&self) -> Option<String> {
        let mut bytes = [0_u8; N];
        self.random.fill(&mut bytes).ok()?;
        Some(hex(&bytes))
    }

    /// A signature of what the server has issued.
    pub(super) fn signature(&self, text: &str) -> Vec<u8> {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.bytes), text.as_bytes()).as_ref().to_vec()
    }

    /// The at-rest text of a value.
    pub(super) fn seal(&self, plaintext: &str) -> Option<String> {
        let mut iv = [0_u8; IV_BYTES];
        self.random.fill(&mut iv).ok()?;
        let mut data = plaintext.as_bytes().to_vec();
        let tag =
            self.key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(iv), Aad::empty(), &mut data).ok()?;
        let envelope = object([
            ("iv", hex(&iv).into()),
            ("encryptedData", hex(&data).into()),
            ("authTag", hex(tag.as_ref()).into()),
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
        let iv: [u8; IV_BYTES] = unhex(envelope.text_of("iv")?)?.try_into().ok()?;
        let mut data = unhex(envelope.text_of("encryptedData")?)?;
        let tag = unhex(envelope.text_of("authTag")?)?;
        if tag.len() != TAG_BYTES {
            return None;
        }
        data.extend_from_slice(&tag);
        let nonce = Nonce::assume_unique_for_key(iv);
        let plaintext = self.key.open_in_place(nonce, Aad::empty(), &mut data).ok()?;
        String::from_utf8(plaintext.to_vec()).ok()
    }
}

/// The form in which an API key is stored.
pub(super) fn fingerprint(token: &str) -> String {
    hex(digest(&SHA256, token.as_bytes()).as_ref())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for half in [byte >> 4, byte & 0x0f] {
            text.extend(char::from_digit(u32::from(half), 16));
        }
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    digits?
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(high * 16 + low).ok(),
            _ => None,
        })
        .collect()
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
