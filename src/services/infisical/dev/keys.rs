//! The ciphers of the key service: AES-GCM with keys of 256 and 128 bits, in the service's own form.

use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm, Nonce, Tag};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::rows::Key;

const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// The mark of the key's version, at the end of every ciphertext.
const VERSION: &[u8] = b"v01";

/// The algorithms of symmetric keys.
pub(super) const ALGORITHMS: [&str; 2] = ["aes-256-gcm", "aes-128-gcm"];

/// New material of a key, in base64; nothing when the system has no random numbers to give.
pub(super) fn material(algorithm: &str) -> Option<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).ok()?;
    let length = if algorithm == ALGORITHMS[1] { 16 } else { 32 };
    bytes.get(..length).map(|bytes| STANDARD.encode(bytes))
}

impl Key {
    fn bytes(&self) -> Option<Vec<u8>> {
        STANDARD.decode(&self.material).ok()
    }

    /// Nonce, ciphertext, tag and version.
    pub(super) fn encrypted(&self, plaintext: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).ok()?;
        let (key, at) = (self.bytes()?, Nonce::from_slice(&nonce));
        let mut data = plaintext.to_vec();
        let tag = match key.len() {
            16 => Aes128Gcm::new_from_slice(&key).ok()?.encrypt_in_place_detached(at, &[], &mut data),
            _ => Aes256Gcm::new_from_slice(&key).ok()?.encrypt_in_place_detached(at, &[], &mut data),
        };
        Some([&nonce[..], &data, &tag.ok()?[..], VERSION].concat())
    }

    /// Nothing for what this key did not make.
    pub(super) fn decrypted(&self, ciphertext: &[u8]) -> Option<Vec<u8>> {
        let sealed = ciphertext.strip_suffix(VERSION)?;
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES)?;
        let (data, tag) = sealed.split_at_checked(sealed.len().checked_sub(TAG_BYTES)?)?;
        let (key, at, tag) = (self.bytes()?, Nonce::from_slice(nonce), Tag::from_slice(tag));
        let mut data = data.to_vec();
        let opened = match key.len() {
            16 => Aes128Gcm::new_from_slice(&key).ok()?.decrypt_in_place_detached(at, &[], &mut data, tag),
            _ => Aes256Gcm::new_from_slice(&key).ok()?.decrypt_in_place_detached(at, &[], &mut data, tag),
        };
        opened.ok().map(|()| data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dev::Millis;

    #[test]
    fn what_a_key_encrypts_it_decrypts_with_31_bytes_more_and_no_other_key_does() {
        for algorithm in ALGORITHMS {
            let key = || Key {
                id: String::new(),
                project: String::new(),
                name: String::new(),
                description: None,
                is_disabled: false,
                algorithm: algorithm.to_owned(),
                material: material(algorithm).unwrap(),
                created: Millis(0),
                updated: Millis(0),
            };
            let (own, other) = (key(), key());
            let sealed = own.encrypted(b"hello").unwrap();
            assert_eq!(sealed.len(), 5 + 31);
            assert_eq!(own.decrypted(&sealed).as_deref(), Some(&b"hello"[..]));
            assert!(other.decrypted(&sealed).is_none() && own.decrypted(b"x").is_none());
        }
    }
}
