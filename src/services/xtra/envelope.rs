//! Envelopes: the ciphertext that the service sometimes sends in place of a value, and what clients have sealed.

mod keys;
mod sealed;
mod vault;

use std::borrow::Cow;

use serde::Deserialize;

use crate::core::{SecretValue, UnreadableReason};
use crate::services::placeholder;
use sealed::{Sealed, is_hex};

pub(crate) use vault::{Vault, no_passphrase};

/// What the text of a value really is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// The value.
    Plain,
    /// The form that the service sends for a value that is the empty string.
    Empty,
    /// Not the value. An envelope of a client may still be [opened](Vault).
    Unreadable(UnreadableReason),
}

/// The service's own ciphertext, exactly these three members. A program's own JSON that merely resembles it has others.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AtRest<'a> {
    #[serde(borrow)]
    iv: Cow<'a, str>,
    #[serde(borrow, rename = "encryptedData")]
    data: Cow<'a, str>,
    #[serde(borrow, rename = "authTag")]
    tag: Cow<'a, str>,
}

pub(super) fn read(text: &str) -> Reading {
    if let Some(reason) = placeholder::recognise(text) {
        return Reading::Unreadable(reason);
    }
    // Most values are not JSON objects, and parsing is what costs.
    if !text.starts_with('{') {
        return Reading::Plain;
    }
    if let Ok(at_rest) = serde_json::from_slice::<AtRest<'_>>(text.as_bytes())
        && is_hex(&at_rest.iv, 24)
        && is_hex(&at_rest.tag, 32)
        && is_hex(&at_rest.data, at_rest.data.len())
    {
        return match at_rest.data.is_empty() {
            true => Reading::Empty,
            false => Reading::Unreadable(UnreadableReason::ServerCiphertext),
        };
    }
    match Sealed::parse(text) {
        Some(_) => Reading::Unreadable(UnreadableReason::ClientEnvelope),
        None => Reading::Plain,
    }
}

/// Whether a client has encrypted what the service has under this text.
pub(super) fn is_sealed(text: &SecretValue) -> bool {
    read(text.expose()) == Reading::Unreadable(UnreadableReason::ClientEnvelope)
}

/// How many bytes the text takes in a request that a value of so many bytes is sealed to, at most.
pub(super) fn sealed_length(value: usize) -> usize {
    // two digits for each byte, and the other members with their quotes
    value.saturating_mul(2).saturating_add(256)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IV: &str = "4c240da705bc9e8f76cf9407";
    const TAG: &str = "05b3f30d459a7d4b73de3b6603bc3d55";

    fn at_rest(data: &str) -> String {
        format!(r#"{{"iv":"{IV}","encryptedData":"{data}","authTag":"{TAG}"}}"#)
    }

    #[test]
    fn an_envelope_without_data_is_the_empty_string() {
        assert_eq!(read(&at_rest("")), Reading::Empty);
    }

    #[test]
    fn the_service_s_ciphertext_is_never_a_value() {
        assert_eq!(read(&at_rest("9a00ff")), Reading::Unreadable(UnreadableReason::ServerCiphertext));
    }

    #[test]
    fn envelopes_of_newer_clients_are_never_values_whatever_else_they_carry() {
        for tail in [
            format!(r#","authTag":"{TAG}""#),
            format!(r#","tag":"{TAG}","workloadEnvelopes":[],"projectId":"x""#),
            String::new(),
        ] {
            let text = format!(r#"{{"ciphertext":"b57eebd0e8","iv":"{IV}"{tail}}}"#);
            assert_eq!(read(&text), Reading::Unreadable(UnreadableReason::ClientEnvelope), "{text}");
        }
    }

    #[test]
    fn a_program_s_own_json_that_only_resembles_an_envelope_is_a_value() {
        for text in [
            r#"{"iv":"x","encryptedData":"y","authTag":"z","n":1}"#.to_owned(),
            r#"{"iv":"x","encryptedData":"","authTag":"z"}"#.to_owned(),
            format!(r#"{{"iv":"{IV}","encryptedData":"9a","authTag":"{TAG}","keyId":"k"}}"#),
            r#"{"ciphertext":"not hex","iv":"also not"}"#.to_owned(),
            r#"{"a":1}"#.to_owned(),
            "{".to_owned(),
            "{}".to_owned(),
            String::new(),
        ] {
            assert_eq!(read(&text), Reading::Plain, "{text}");
        }
    }
}
