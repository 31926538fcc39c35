//! The keys of a project: those that its envelopes may be sealed with.

use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::sealed::Parts;
use crate::core::SecretValue;

/// How a key is made: HKDF-SHA256 of a secret, with a salt and a purpose.
struct Derivation<'a> {
    secret: &'a [u8],
    salt: &'a str,
    purpose: &'a str,
}

/// The purpose of the keys that current clients use.
const CURRENT: &str = "xtra-e2ee-project-key-v2";
/// What current clients take where no passphrase was chosen. Everybody knows it: it opens, and never seals.
const PUBLIC_SECRET: &[u8] = b"xtra-zero-knowledge-master";
/// One generation of clients took the project's id for the secret.
const FORMER: &str = "xtra-project-key";
const FORMER_SALT: &str = "xtra-e2ee-salt-2026";

/// The keys of one project. The ciphers wipe themselves when they are dropped.
pub(super) struct ProjectKeys {
    /// The one of the passphrase.
    own: Option<Aes256Gcm>,
    /// Those that anybody can make.
    public: [Option<Aes256Gcm>; 2],
}

impl ProjectKeys {
    /// Those of the project with this id, in lower case as the service gives it.
    pub(super) fn derive(project: &str, passphrase: Option<&SecretValue>) -> Self {
        let salt = format!("project_salt_{project}");
        let current = |secret| Derivation { secret, salt: &salt, purpose: CURRENT }.cipher();
        let former = Derivation { secret: project.as_bytes(), salt: FORMER_SALT, purpose: FORMER };
        Self {
            own: passphrase.and_then(|passphrase| current(passphrase.expose().as_bytes())),
            public: [current(PUBLIC_SECRET), former.cipher()],
        }
    }

    /// Opens the contents in their place by the first key that fits: the tag tells. Left as they are when none does.
    pub(super) fn open(&self, parts: &mut Parts) -> bool {
        let (iv, tag) = (Nonce::from_slice(&parts.iv), Tag::from_slice(&parts.tag));
        let mut keys = self.own.iter().chain(self.public.iter().flatten());
        keys.any(|key| key.decrypt_in_place_detached(iv, &[], &mut parts.contents, tag).is_ok())
    }

    /// Encrypts the contents in their place under the passphrase's key, and sets the tag. False when there is no passphrase, or
    /// the contents are longer than the cipher takes.
    pub(super) fn seal(&self, parts: &mut Parts) -> bool {
        let iv = Nonce::from_slice(&parts.iv);
        let tag = self.own.as_ref().and_then(|key| key.encrypt_in_place_detached(iv, &[], &mut parts.contents).ok());
        tag.map(|tag| parts.tag = tag.into()).is_some()
    }
}

impl Derivation<'_> {
    fn key(&self) -> Option<Zeroizing<[u8; 32]>> {
        let mut key = Zeroizing::new([0; 32]);
        let derived = Hkdf::<Sha256>::new(Some(self.salt.as_bytes()), self.secret);
        derived.expand(self.purpose.as_bytes(), key.as_mut_slice()).ok()?;
        Some(key)
    }

    fn cipher(&self) -> Option<Aes256Gcm> {
        Some(Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(self.key()?.as_slice())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROJECT: &str = "665f1c2ab7c0de0012345678";

    fn shown(derivation: &Derivation<'_>) -> String {
        hex::encode(derivation.key().unwrap().as_slice())
    }

    #[test]
    fn a_key_that_anybody_can_make_never_seals() {
        let mut parts = Parts { iv: [0; 12], tag: [0; 16], contents: Zeroizing::new(b"hello".to_vec()) };
        assert!(!ProjectKeys::derive(PROJECT, None).seal(&mut parts));
        assert_eq!((parts.contents.as_slice(), parts.tag), (&b"hello"[..], [0; 16]));
        assert!(ProjectKeys::derive(PROJECT, Some(&"passphrase".into())).seal(&mut parts));
    }

    #[test]
    fn each_derivation_gives_the_key_that_other_clients_make() {
        let salt = format!("project_salt_{PROJECT}");
        let current = |secret| shown(&Derivation { secret, salt: &salt, purpose: CURRENT });
        assert_eq!(
            current(b"correct horse battery staple"),
            "ba9879ab2a39d76bdba32d38291bd5e1cfb43a282374f685ff7d82b87545268b"
        );
        assert_eq!(current(PUBLIC_SECRET), "db6b8de99480291a7defe05adc104b864481533a806ba87b8ee6ccc1e427659b");
        let former = Derivation { secret: PROJECT.as_bytes(), salt: FORMER_SALT, purpose: FORMER };
        assert_eq!(shown(&former), "62e0ec9d6e199aa2578a1a9f010f8551d6db28179eb86966940e608805617efc");
    }
}
