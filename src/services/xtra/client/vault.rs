//! Options for values that clients encrypt before the service stores them.

use super::XtraClientBuilder;
use crate::core::{ErrorKind, SecretValue, XtraError};
use crate::credentials::Passphrase;
use crate::services::xtra::{Vault, no_passphrase};

impl<M> XtraClientBuilder<M> {
    /// The passphrase of values that clients encrypt before the service stores them, so that it never sees them. Default: the
    /// variable `XTRA_VAULT_PASSPHRASE`, then `XTRA_MASTER_SECRET`; an empty variable counts as absent. An empty option is
    /// refused.
    ///
    /// Reads open such values by themselves: those that were encrypted with this passphrase, and, with or without one, those
    /// that other clients encrypted where no passphrase had been chosen. What cannot be opened is never passed on as a value:
    /// the read fails with [`ErrorKind::Undecryptable`] and names the secrets, unless it says
    /// [`allow_unreadable`](crate::Request::allow_unreadable). Values in plain form are read as ever. Calls of the
    /// [raw](crate::XtraClient::raw) client give what the service sends.
    ///
    /// The key is made from the passphrase by one hash, as the other clients do it, which does not slow guessing down: give a
    /// random passphrase, such as `openssl rand -base64 32` prints.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::dev_server::{DevServer, ProjectSeed};
    /// use xtrasecurity::XtraClient;
    ///
    /// let stored = r#"{"ciphertext":"b57eebd0e8","iv":"000102030405060708090a0b","authTag":"48af7c3ec76f419d915963633316133d"}"#;
    /// # let project = ProjectSeed::new("web").id("665f1c2ab7c0de0012345678").secret("production", "GREETING", stored);
    /// # let server = DevServer::builder().project(project).start().await?;
    /// let client =
    ///     XtraClient::builder().dev_server(&server).vault_passphrase("correct horse battery staple").build()?;
    /// assert_eq!(client.get_secrets("production").await?.require("GREETING")?.expose(), "hello");
    /// # Ok(())
    /// # }
    /// ```
    pub fn vault_passphrase(mut self, passphrase: impl Into<SecretValue>) -> Self {
        self.vault_passphrase = Some(passphrase.into());
        self
    }

    /// Encrypts every value that this client writes, with the [passphrase](Self::vault_passphrase), before it is sent. Default:
    /// values are sent as they are, and the service encrypts them under a key of its own.
    ///
    /// Names are not encrypted. Every reader needs the passphrase, and nobody can restore a value once it is lost. Calls of the
    /// [raw](crate::XtraClient::raw) client send what they are given.
    ///
    /// [`build`](Self::build) fails with [`ErrorKind::Config`] when there is no passphrase. In local mode, where nothing is
    /// written, it needs none.
    pub fn seal_writes(mut self) -> Self {
        self.rules.seal_writes = true;
        self
    }

    /// What the client opens and seals with, by what was given and found.
    pub(super) fn vault(&self, found: Option<&Passphrase>) -> Result<Vault, XtraError> {
        let passphrase = match &self.vault_passphrase {
            Some(given) if given.is_empty() => return Err(empty_passphrase()),
            Some(given) => Some(given),
            None => found.map(|found| &found.value),
        };
        if passphrase.is_none() && self.rules.seal_writes {
            return Err(no_passphrase());
        }
        Ok(Vault::new(passphrase.cloned()))
    }
}

/// Going on to the environment would use a passphrase that the program did not mean.
fn empty_passphrase() -> XtraError {
    XtraError::new(ErrorKind::Config, "the vault_passphrase option is empty. Give a passphrase, or leave it out")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::XtraClient;
    use crate::credentials::Surroundings;

    const PROJECT: &str = "665f1c2ab7c0de0012345678";

    /// `hello`, sealed with the passphrase `correct horse battery staple`.
    const ENVELOPE: &str =
        r#"{"ciphertext":"b57eebd0e8","iv":"000102030405060708090a0b","authTag":"48af7c3ec76f419d915963633316133d"}"#;

    fn build(builder: XtraClientBuilder, variables: &[(&str, &str)]) -> Result<XtraClient, XtraError> {
        builder.token("t").build_in(&Surroundings::of(variables))
    }

    fn opens(builder: XtraClientBuilder, variables: &[(&str, &str)]) -> bool {
        let client = build(builder, variables).unwrap();
        client.source().read_text(PROJECT, ENVELOPE.into()).is_ok_and(|value| value == "hello")
    }

    #[test]
    fn the_passphrase_is_the_option_then_one_variable_then_the_other() {
        const RIGHT: &str = "correct horse battery staple";
        let with = |passphrase: &str| XtraClient::builder().vault_passphrase(passphrase);
        assert!(opens(with(RIGHT), &[]));
        assert!(opens(with(RIGHT), &[("XTRA_VAULT_PASSPHRASE", "x"), ("XTRA_MASTER_SECRET", "x")]));
        assert!(!opens(with("x"), &[("XTRA_VAULT_PASSPHRASE", RIGHT)]));
        for (first, second, expected) in
            [(RIGHT, "", true), (RIGHT, "x", true), ("", RIGHT, true), ("x", RIGHT, false), ("", "", false)]
        {
            let variables = [("XTRA_VAULT_PASSPHRASE", first), ("XTRA_MASTER_SECRET", second)];
            assert_eq!(opens(XtraClient::builder(), &variables), expected, "{variables:?}");
        }
    }

    #[test]
    fn a_client_that_seals_needs_a_passphrase_to_be_built() {
        let sealing = || XtraClient::builder().seal_writes();
        let error = build(sealing(), &[("XTRA_VAULT_PASSPHRASE", "")]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("XTRA_VAULT_PASSPHRASE"), "{error}");
        assert!(build(sealing(), &[("XTRA_MASTER_SECRET", "p")]).unwrap().source().seals_writes());
        assert!(build(sealing().vault_passphrase("p"), &[]).unwrap().source().seals_writes());
        assert!(build(sealing().local_file("secrets.env"), &[]).is_ok());
        assert!(!build(XtraClient::builder().vault_passphrase("p"), &[]).unwrap().source().seals_writes());
    }

    #[test]
    fn an_empty_option_is_refused_in_place_of_a_variable_that_was_not_meant() {
        let variables = [("XTRA_VAULT_PASSPHRASE", "p")];
        let error = build(XtraClient::builder().vault_passphrase(""), &variables).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }

    #[test]
    fn a_variable_that_is_not_unicode_is_an_error_that_names_it() {
        for name in ["XTRA_VAULT_PASSPHRASE", "XTRA_MASTER_SECRET"] {
            let error = build(XtraClient::builder(), &[(name, Surroundings::NOT_UNICODE)]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().starts_with(name), "{error}");
        }
    }

    #[test]
    fn production_is_protected_when_that_is_asked_for() {
        let built = |builder| build(builder, &[]).unwrap().source().protects_production();
        assert!(built(XtraClient::builder().protect_production()));
        assert!(!built(XtraClient::builder()));
    }
}
