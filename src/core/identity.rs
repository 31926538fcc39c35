//! Who is asking, in a form that may be part of a cache key.

use std::fmt;

use sha2::{Digest, Sha256};

/// A stable name for the account behind a token, never the token itself.
///
/// Snapshots are cached for each identity apart, so that two tokens never see each other's secrets. It is 16 bytes of a
/// SHA-256 and cannot be turned back into what it was made from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity([u8; 16]);

impl Identity {
    /// The identity that `label` stands for: an account id, a key id, or any other text that differs between accounts.
    #[must_use]
    pub fn of(label: &str) -> Self {
        let digest = Sha256::digest(label.as_bytes());
        // The digest has 32 bytes, so there are always 16 to take.
        Self(digest.first_chunk().copied().unwrap_or_default())
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_label_gives_the_same_identity_and_another_label_another() {
        assert_eq!(Identity::of("a"), Identity::of("a"));
        assert_ne!(Identity::of("a"), Identity::of("b"));
    }

    #[test]
    fn an_identity_prints_nothing_of_its_label() {
        assert_eq!(format!("{:?}", Identity::of("hunter2")), "Identity(..)");
    }
}
