//! Names whose values arrived in a form that is not the value.

use super::{ErrorKind, Hint, XtraError};

/// Why a secret's value cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnreadableReason {
    /// The service sent a placeholder, because the caller may see names only.
    Masked,
    /// The service sent its own ciphertext, or said that it could not decrypt the value.
    ServerCiphertext,
    /// The value was encrypted by a client before it was stored, and cannot be opened here: the passphrase is missing or
    /// another one, or the value was damaged.
    ClientEnvelope,
    /// The service named the secret and sent no value with it; or there is a file of that name that holds none, such as a
    /// socket.
    NoValue,
    /// The service has several values under this name, and nothing tells which of them counts.
    Ambiguous,
    /// The value refers to another secret, and the service has not put that one's value in its place.
    Unexpanded,
    /// The value, or the name, is no UTF-8 text: a variable or a file that holds other bytes.
    NotText,
}

/// A secret that is there, but whose value did not come through.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unreadable {
    /// The secret's name.
    pub name: String,
    /// Why there is no value.
    pub reason: UnreadableReason,
}

impl Unreadable {
    /// A secret of this name, without a value for this reason.
    #[must_use]
    pub fn new(name: impl Into<String>, reason: UnreadableReason) -> Self {
        Self { name: name.into(), reason }
    }
}

/// One error for all the names that cannot be read. Masking is reported first: it explains the whole answer.
pub(crate) fn error(unreadable: &[Unreadable], passphrase: Option<&'static str>) -> XtraError {
    let masked = unreadable.iter().any(|entry| entry.reason == UnreadableReason::Masked);
    let names: Vec<&str> = unreadable
        .iter()
        .filter(|entry| (entry.reason == UnreadableReason::Masked) == masked)
        .map(|entry| entry.name.as_str())
        .collect();
    let is_any = |reason| unreadable.iter().any(|entry| entry.reason == reason);
    let (kind, what, hint) = if masked {
        (
            ErrorKind::Masked,
            "the service sent placeholders instead of values: the caller's role may see names only",
            Hint::advice("Use credentials whose role may read values"),
        )
    } else if is_any(UnreadableReason::ClientEnvelope) {
        (
            ErrorKind::Undecryptable,
            "values were encrypted by a client before they were stored, and this client has no key that opens them: it has no \
             passphrase, or another one than theirs, or they were damaged and must be stored again",
            Hint::GivePassphrase { variable: passphrase },
        )
    } else if is_any(UnreadableReason::Ambiguous) {
        (
            ErrorKind::Conflict,
            "the service has several values under one name, and does not tell which of them counts",
            Hint::advice("Delete all but one of them, or read the folders of which each has one apart"),
        )
    } else if is_any(UnreadableReason::Unexpanded) {
        (
            ErrorKind::Invalid,
            "values refer to other secrets, and the service has not put those in their place: they are not there, or may not be \
             read",
            Hint::advice("Correct what the values refer to, or read them as they are stored"),
        )
    } else if is_any(UnreadableReason::NotText) {
        (
            ErrorKind::Invalid,
            "values or names are no UTF-8 text, and a secret is a text here",
            Hint::advice("Store them as text (in base64, say), or leave them out"),
        )
    } else if unreadable.iter().all(|entry| entry.reason == UnreadableReason::NoValue) {
        (
            ErrorKind::Undecryptable,
            "the service named secrets and sent no values with them",
            Hint::advice("Look at them in its dashboard and store their values again"),
        )
    } else {
        (
            ErrorKind::Undecryptable,
            "the service sent ciphertext instead of values: it could not decrypt them",
            Hint::advice("Store these secrets again"),
        )
    };
    XtraError::new(kind, what).with_note(format!("Affected: {}", list(&names))).with_hint(hint).with_names(names)
}

/// Names for a message: all of a few, the first ten of many.
pub(crate) fn list(names: &[&str]) -> String {
    const SHOWN: usize = 10;
    let mut text = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_names_every_key_and_says_why() {
        let error = error(
            &[
                Unreadable::new("A", UnreadableReason::ServerCiphertext),
                Unreadable::new("B", UnreadableReason::ClientEnvelope),
            ],
            None,
        );
        assert_eq!(error.kind(), ErrorKind::Undecryptable);
        assert_eq!(error.names(), ["A", "B"]);
        assert!(error.to_string().contains("Affected: A, B. "));
    }

    #[test]
    fn masking_is_reported_before_anything_else() {
        let error = error(
            &[Unreadable::new("A", UnreadableReason::ServerCiphertext), Unreadable::new("B", UnreadableReason::Masked)],
            None,
        );
        assert_eq!(error.kind(), ErrorKind::Masked);
        assert_eq!(error.names(), ["B"]);
    }

    #[test]
    fn a_long_list_is_cut_in_the_text_but_whole_in_the_keys() {
        let many: Vec<_> = (0..25).map(|n| Unreadable::new(format!("K{n:02}"), UnreadableReason::Masked)).collect();
        let error = error(&many, None);
        assert!(error.to_string().contains("K09 and 15 more. "));
        assert_eq!(error.names().len(), 25);
    }
}
