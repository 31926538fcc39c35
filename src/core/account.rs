//! The account behind a token: its identity, and the quota that it has with the service.

use std::fmt;
use std::time::Duration;

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

    /// The identity of whoever is all of these, in this order.
    pub(crate) fn of_all(identities: impl Iterator<Item = Self>) -> Self {
        let digest = identities.fold(Sha256::new(), |digest, identity| digest.chain_update(identity.0)).finalize();
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

/// What is left of a quota that a source has with its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quota {
    /// The requests of a whole window.
    pub limit: u64,
    /// Those that are left of it, for everyone who spends from the same quota.
    pub remaining: u64,
    /// How long it is until the window ends and the quota is whole again.
    pub resets_in: Duration,
}

impl Quota {
    /// A quota of `limit` requests with `remaining` left, which is whole again in `resets_in`.
    #[must_use]
    pub fn new(limit: u64, remaining: u64, resets_in: Duration) -> Self {
        Self { limit, remaining, resets_in }
    }

    /// What may be spent: a tenth of the limit is kept in reserve, for writes, for calls of the raw client and for surprises.
    pub(crate) fn usable(&self) -> u64 {
        self.remaining.saturating_sub(self.limit.div_ceil(10))
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
