//! What copies are encrypted with.

use std::fmt;
use std::sync::Arc;

use ring::{aead, hkdf, hmac};
use zeroize::Zeroizing;

use super::problem::Problem;
use crate::core::{ErrorKind, SecretValue, XtraError};

/// The key that saved copies are encrypted with, when that is not the token: 32 random bytes or more.
///
/// A password is no key, however long: it can be guessed by whoever has a copy, and only a key that is too short, or zeros, can be
/// told from a good one. The bytes are taken as they are, so a line break at the end of a file is a part of the key. `Debug` prints `[REDACTED]`. Clones share one buffer, which
/// is wiped when the last of them is dropped.
///
/// ```
/// use xtrasecurity::{ErrorKind, OfflineKey};
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let key = OfflineKey::new([7; 32])?; // from a key store, a mounted file …
/// assert_eq!(format!("{key:?}"), "OfflineKey([REDACTED])");
/// assert_eq!(OfflineKey::new("hunter2").unwrap_err().kind(), ErrorKind::Config);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct OfflineKey(Arc<Zeroizing<Vec<u8>>>);

impl OfflineKey {
    const SHORTEST: usize = 32;

    /// Takes a copy of these bytes. The caller is responsible for the original.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when there are fewer than 32 bytes, or all are zero.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, XtraError> {
        let bytes = bytes.as_ref();
        if bytes.len() < Self::SHORTEST || bytes.iter().all(|byte| *byte == 0) {
            let message = "the offline key is too short, or nothing but zeros. Give 32 random bytes or more, for instance \
                           from `openssl rand -base64 32`";
            return Err(XtraError::new(ErrorKind::Config, message));
        }
        Ok(Self(Arc::new(Zeroizing::new(bytes.to_vec()))))
    }
}

impl fmt::Debug for OfflineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfflineKey([REDACTED])")
    }
}

/// Two keys are equal when their bytes are; it takes the same time wherever they differ.
impl PartialEq for OfflineKey {
    fn eq(&self, other: &Self) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.0.as_slice(), other.0.as_slice()).into()
    }
}

impl Eq for OfflineKey {}

/// What keys are derived from: never used as a key itself.
#[derive(Clone)]
pub(super) enum Material {
    Given(OfflineKey),
    Token(SecretValue),
}

/// Length of the random part that each write mixes into its key.
pub(super) const SALT: usize = 32;

impl Material {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Given(key) => &key.0,
            Self::Token(token) => token.expose().as_bytes(),
        }
    }

    /// Keeps what a text gives as a key apart from what it gives as a token, and the uses of both apart.
    fn purpose(&self, use_: &'static str) -> [&'static [u8]; 3] {
        let from: &[u8] = match self {
            Self::Given(_) => b"key",
            Self::Token(_) => b"token",
        };
        [b"xtrasecurity saved copy ", from, use_.as_bytes()]
    }

    /// The key of one write, which `salt` is the random part of.
    pub(super) fn sealing(&self, salt: &[u8; SALT]) -> Result<aead::LessSafeKey, Problem> {
        let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(self.bytes());
        let purpose = self.purpose(" contents");
        let key = pseudorandom.expand(&purpose, &aead::AES_256_GCM).map_err(|_| Problem::NoKey)?;
        Ok(aead::LessSafeKey::new(aead::UnboundKey::from(key)))
    }

    /// A name that tells nothing of `context` to whoever lacks the key.
    pub(super) fn name(&self, context: &[u8]) -> Result<String, Problem> {
        let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(self.bytes());
        let purpose = self.purpose(" name");
        let key = pseudorandom.expand(&purpose, hmac::HMAC_SHA256).map_err(|_| Problem::NoKey)?;
        let tag = hmac::sign(&hmac::Key::from(key), context);
        Ok(tag.as_ref().iter().take(NAME).map(|byte| format!("{byte:02x}")).collect())
    }
}

/// How many bytes of a hash are a name.
const NAME: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn given(byte: u8) -> Material {
        Material::Given(OfflineKey::new([byte; 32]).unwrap())
    }

    #[test]
    fn a_name_differs_with_the_key_and_with_what_it_names_and_shows_neither() {
        let name = |material: &Material, context: &str| material.name(context.as_bytes()).unwrap();
        let one = name(&given(1), "production");
        assert_eq!(one, name(&given(1), "production"));
        assert_ne!(one, name(&given(1), "staging"));
        assert_ne!(one, name(&given(2), "production"));
        assert!(one.len() == 2 * NAME && one.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");
    }

    #[test]
    fn the_same_bytes_as_a_key_and_as_a_token_are_two_keys() {
        let text = "x".repeat(32);
        let key = Material::Given(OfflineKey::new(&text).unwrap());
        let token = Material::Token(SecretValue::from(text));
        assert_ne!(key.name(b"").unwrap(), token.name(b"").unwrap());
    }

    #[test]
    fn short_keys_and_zeros_are_refused_and_nothing_is_printed() {
        for bytes in [vec![], b"hunter2".to_vec(), vec![1; 31], vec![0; 64]] {
            assert_eq!(OfflineKey::new(bytes).unwrap_err().kind(), ErrorKind::Config);
        }
        let key = OfflineKey::new([104; 40]).unwrap();
        assert!(!format!("{key:?}").contains("104"));
        assert_eq!(key, key.clone());
        assert_ne!(key, OfflineKey::new([104; 41]).unwrap());
    }
}
