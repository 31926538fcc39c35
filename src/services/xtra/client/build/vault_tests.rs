//! The promises of the passphrase option and of sealed writes.

use super::*;
use crate::{XtraClient, XtraClientBuilder};

const PROJECT: &str = "665f1c2ab7c0de0012345678";

/// `hello`, sealed with the passphrase `correct horse battery staple`.
const ENVELOPE: &str =
    r#"{"ciphertext":"b57eebd0e8","iv":"000102030405060708090a0b","authTag":"48af7c3ec76f419d915963633316133d"}"#;

fn build(builder: XtraClientBuilder, variables: &[(&str, &str)]) -> Result<XtraClient, XtraError> {
    builder.token("t").build_in(&ProcessEnv::of(variables))
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
        let error = build(XtraClient::builder(), &[(name, ProcessEnv::NOT_UNICODE)]).unwrap_err();
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
