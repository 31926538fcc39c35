//! The vault of sealed values: a passphrase, and the keys that it gives for each project.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::keys::ProjectKeys;
use super::sealed::{Parts, Sealed};
use super::{Reading, read, sealed};
use crate::core::{ErrorKind, Hint, SecretValue, UnreadableReason, XtraError};
use crate::services::xtra::compared_project;
use crate::services::xtra::credentials::PASSPHRASE_VARIABLE;

/// For how many projects keys are kept. A program reads one or a few; what one more costs is a few hashes.
const KEPT: usize = 16;

/// Opens what clients have sealed, and seals what this one writes.
///
/// A passphrase is needed for sealing only. Envelopes that were sealed without one, under keys that anybody can make, are opened
/// by every client.
#[derive(Default)]
pub(crate) struct Vault {
    passphrase: Option<SecretValue>,
    /// The project used last comes first.
    kept: Mutex<VecDeque<(String, Arc<ProjectKeys>)>>,
}

impl Vault {
    pub(crate) fn new(passphrase: Option<SecretValue>) -> Self {
        Self { passphrase, kept: Mutex::default() }
    }

    /// The value that `text`, as it came from the service, stands for in this project.
    pub(crate) fn read_text(&self, project: &str, text: SecretValue) -> Result<SecretValue, UnreadableReason> {
        self.opened(project, text.expose()).map(|other| other.unwrap_or(text))
    }

    /// The same, or `None` when the text stands for itself.
    pub(crate) fn opened(&self, project: &str, text: &str) -> Result<Option<SecretValue>, UnreadableReason> {
        match read(text) {
            Reading::Plain => Ok(None),
            Reading::Empty => Ok(Some(SecretValue::new(String::new()))),
            Reading::Unreadable(UnreadableReason::ClientEnvelope) => {
                self.open(project, text).map(Some).ok_or(UnreadableReason::ClientEnvelope)
            }
            Reading::Unreadable(reason) => Err(reason),
        }
    }

    /// What opens is the value, whatever it looks like: somebody has sealed exactly that.
    fn open(&self, project: &str, text: &str) -> Option<SecretValue> {
        let mut parts = Sealed::parse(text)?.parts()?;
        if !self.keys(project).open(&mut parts) {
            return None;
        }
        // the buffer becomes the value; one that is no text is wiped like one that is
        match String::from_utf8(std::mem::take(&mut *parts.contents)) {
            Ok(plaintext) => Some(SecretValue::new(plaintext)),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                None
            }
        }
    }

    /// `value` encrypted for this project, as the service is to store it.
    pub(crate) fn seal(&self, project: &str, value: &SecretValue) -> Result<SecretValue, XtraError> {
        let mut iv = [0; sealed::IV];
        getrandom::fill(&mut iv).map_err(|_| {
            XtraError::new(
                ErrorKind::Config,
                "nothing was sealed: the system gives no random numbers. Repair that first",
            )
        })?;
        self.seal_with(iv, project, value)
    }

    fn seal_with(&self, iv: [u8; sealed::IV], project: &str, value: &SecretValue) -> Result<SecretValue, XtraError> {
        if self.passphrase.is_none() {
            return Err(no_passphrase());
        }
        let contents = Zeroizing::new(value.expose().as_bytes().to_vec());
        let mut parts = Parts { iv, tag: [0; sealed::TAG], contents };
        if !self.keys(project).seal(&mut parts) {
            return Err(XtraError::new(
                ErrorKind::Invalid,
                "the value is too long to be sealed. Store less in one secret",
            ));
        }
        Ok(SecretValue::new(sealed::write(&parts)))
    }

    /// The project's keys, made at their first use.
    fn keys(&self, project: &str) -> Arc<ProjectKeys> {
        // Whoever seals has the id from the service, which writes its own in lower case and takes them in either.
        let project = compared_project(project.to_owned());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(known, _)| *known == project);
        let entry = at.and_then(|at| kept.remove(at)).unwrap_or_else(|| {
            let keys = Arc::new(ProjectKeys::derive(&project, self.passphrase.as_ref()));
            (project, keys)
        });
        let keys = Arc::clone(&entry.1);
        kept.push_front(entry);
        kept.truncate(KEPT);
        keys
    }
}

/// Why nothing can be sealed.
pub(crate) fn no_passphrase() -> XtraError {
    XtraError::new(ErrorKind::Config, "there is no passphrase to seal values with")
        .with_hint(Hint::GivePassphrase { variable: Some(PASSPHRASE_VARIABLE) })
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("passphrase", &self.passphrase).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROJECT: &str = "665f1c2ab7c0de0012345678";
    const OTHER_PROJECT: &str = "665f1c2ab7c0de0012345679";
    const IV: [u8; sealed::IV] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

    /// `hello` as other clients seal it in the project: with a passphrase, without one, and as they once did.
    const WITH_PASSPHRASE: &str =
        r#"{"ciphertext":"b57eebd0e8","iv":"000102030405060708090a0b","authTag":"48af7c3ec76f419d915963633316133d"}"#;
    const WITHOUT: &str =
        r#"{"ciphertext":"b1147fcc38","iv":"000102030405060708090a0b","authTag":"75f1f3f437b3e02f5698a49f17686737"}"#;
    const FORMERLY: &str =
        r#"{"ciphertext":"8450294f5b","iv":"000102030405060708090a0b","authTag":"f7e316009764be7629dd12b762aa2b23"}"#;

    fn vault() -> Vault {
        Vault::new(Some("correct horse battery staple".into()))
    }

    fn opened(vault: &Vault, project: &str, text: &str) -> Result<String, UnreadableReason> {
        vault.read_text(project, text.into()).map(|value| value.expose().to_owned())
    }

    fn hello() -> Result<String, UnreadableReason> {
        Ok("hello".to_owned())
    }

    #[test]
    fn what_other_clients_have_sealed_is_opened() {
        for envelope in [WITH_PASSPHRASE, WITHOUT, FORMERLY] {
            assert_eq!(opened(&vault(), PROJECT, envelope), hello(), "{envelope}");
            assert_eq!(opened(&vault(), &PROJECT.to_uppercase(), envelope), hello(), "{envelope}");
        }
    }

    #[test]
    fn without_the_passphrase_only_what_was_sealed_without_one_is_opened() {
        for vault in [Vault::default(), Vault::new(Some("correct horse battery staplf".into()))] {
            assert_eq!(opened(&vault, PROJECT, WITH_PASSPHRASE), Err(UnreadableReason::ClientEnvelope));
            assert_eq!(opened(&vault, PROJECT, WITHOUT), hello());
            assert_eq!(opened(&vault, PROJECT, FORMERLY), hello());
        }
    }

    #[test]
    fn the_same_value_is_sealed_as_other_clients_seal_it() {
        let sealed = vault().seal_with(IV, PROJECT, &"hello".into()).unwrap();
        assert_eq!(sealed.expose(), WITH_PASSPHRASE);
        let sealed = vault().seal_with(IV, &PROJECT.to_uppercase(), &"hello".into()).unwrap();
        assert_eq!(sealed.expose(), WITH_PASSPHRASE);
    }

    #[test]
    fn what_was_sealed_for_one_project_is_closed_to_another() {
        for envelope in [WITH_PASSPHRASE, WITHOUT, FORMERLY] {
            assert_eq!(opened(&vault(), OTHER_PROJECT, envelope), Err(UnreadableReason::ClientEnvelope), "{envelope}");
        }
    }

    #[test]
    fn any_value_comes_back_as_it_was_even_one_that_looks_like_something_else() {
        let vault = vault();
        let at_rest =
            format!(r#"{{"iv":"000102030405060708090a0b","encryptedData":"","authTag":"{}"}}"#, "0".repeat(32));
        for text in [
            "",
            "hello",
            "***",
            "[Decryption failed]",
            WITH_PASSPHRASE,
            WITHOUT,
            &at_rest,
            "é\n\0",
            &"x".repeat(100_000),
        ] {
            let sealed = vault.seal(PROJECT, &text.into()).unwrap();
            assert_eq!(read(sealed.expose()), Reading::Unreadable(UnreadableReason::ClientEnvelope));
            assert_eq!(opened(&vault, PROJECT, sealed.expose()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_value_is_never_sealed_twice_in_the_same_way() {
        let seal = || vault().seal(PROJECT, &"hello".into()).unwrap();
        let (one, other) = (seal(), seal());
        let iv = |sealed: &SecretValue| Sealed::parse(sealed.expose()).unwrap().parts().unwrap().iv;
        assert_ne!(iv(&one), iv(&other));
        assert_ne!(one, other);
    }

    #[test]
    fn nothing_is_sealed_without_a_passphrase() {
        let error = Vault::default().seal(PROJECT, &"hello".into()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("XTRA_VAULT_PASSPHRASE") && error.to_string().contains("vault_passphrase"));
    }

    #[test]
    fn an_envelope_in_which_any_bit_was_changed_or_a_byte_was_lost_stays_closed() {
        let parts = || Sealed::parse(WITH_PASSPHRASE).unwrap().parts().unwrap();
        let closed = |parts: &Parts| {
            let text = sealed::write(parts);
            assert_eq!(opened(&vault(), PROJECT, &text), Err(UnreadableReason::ClientEnvelope), "{text}");
        };
        let change = |of: fn(&mut Parts) -> &mut [u8]| {
            for bit in 0..8 * of(&mut parts()).len() {
                let mut changed = parts();
                of(&mut changed)[bit / 8] ^= 1 << (bit % 8);
                closed(&changed);
            }
        };
        change(|parts| &mut parts.iv);
        change(|parts| &mut parts.tag);
        change(|parts| &mut parts.contents);
        let mut shorter = parts();
        shorter.contents.pop();
        closed(&shorter);
    }

    #[test]
    fn what_opens_to_bytes_that_are_no_text_is_no_value() {
        let vault = vault();
        let mut parts = Parts { iv: IV, tag: [0; sealed::TAG], contents: Zeroizing::new(vec![0xff, 0xfe]) };
        assert!(vault.keys(PROJECT).seal(&mut parts));
        assert_eq!(opened(&vault, PROJECT, &sealed::write(&parts)), Err(UnreadableReason::ClientEnvelope));
    }

    #[test]
    fn the_keys_of_a_project_are_made_once_and_those_of_few_projects_are_kept() {
        let vault = vault();
        let first = vault.keys(PROJECT);
        for n in 0..3 * KEPT {
            let latest = vault.keys(&format!("{n:024}"));
            assert!(Arc::ptr_eq(&latest, &vault.keys(&format!("{n:024}"))));
            assert!(Arc::ptr_eq(&first, &vault.keys(PROJECT)));
        }
        assert_eq!(vault.kept.lock().unwrap().len(), KEPT);
    }

    #[test]
    fn the_passphrase_is_not_shown() {
        let shown = format!("{:?}", vault());
        assert!(shown.contains("REDACTED") && !shown.contains("horse"), "{shown}");
    }
}
