//! Compact JWE files with a passphrase (`PBES2-HS256+A128KW`, `A256GCM`), as the file keyring of Infisical's command holds them.

use std::fmt;

use aes_gcm::aead::AeadInPlace;
use aes_gcm::aead::generic_array::GenericArray;
use aes_gcm::{Aes256Gcm, KeyInit};
use aes_kw::KekAes128;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::Sha256;
use zeroize::Zeroizing;

const ALGORITHM: &str = "PBES2-HS256+A128KW";
const ENCRYPTION: &str = "A256GCM";

/// No login has a larger one.
const LARGEST: usize = 256 * 1024;

/// The most rounds that the command's own library accepts. The command writes 8192.
const MOST_ROUNDS: u32 = 1_300_000;

/// As the library that writes such files bounds it.
const LONGEST_SALT: usize = 1024;

/// Why a file cannot be opened. Tells nothing of what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JweError {
    /// It is not of this form, or not of these algorithms.
    Form,
    /// It asks for more work than any file of the command.
    TooMuchWork,
    /// The passphrase is not the file's, or the file was changed.
    Sealed,
}

impl fmt::Display for JweError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "it is no file of a keyring that this client knows",
            Self::TooMuchWork => "opening it would take more work than a file of the command ever does",
            Self::Sealed => "the passphrase does not open it",
        })
    }
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: &'a str,
    enc: &'a str,
    p2c: u32,
    p2s: &'a str,
}

/// The plaintext of a compact JWE.
pub(super) fn open(file: &[u8], passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, JweError> {
    if file.len() > LARGEST {
        return Err(JweError::Form);
    }
    let [protected, key, nonce, ciphertext, tag] = parts(file.trim_ascii()).ok_or(JweError::Form)?;
    let (salt, rounds) = parameters(protected)?;
    let wrapped: [u8; 40] = exactly(key)?;
    let nonce: [u8; 12] = exactly(nonce)?;
    let tag: [u8; 16] = exactly(tag)?;
    let mut text = Zeroizing::new(decoded(ciphertext)?);

    let mut key = Zeroizing::new([0_u8; 16]);
    pbkdf2::pbkdf2_hmac::<Sha256>(passphrase, &salt, rounds, &mut *key);
    let mut content_key = Zeroizing::new([0_u8; 32]);
    let kek = KekAes128::new(GenericArray::from_slice(&*key));
    kek.unwrap(&wrapped, &mut *content_key).map_err(|_| JweError::Sealed)?;
    let cipher = Aes256Gcm::new(GenericArray::from_slice(&*content_key));
    cipher.decrypt_in_place_detached(&nonce.into(), protected, &mut text, &tag.into()).map_err(|_| JweError::Sealed)?;
    Ok(text)
}

/// The five parts, separated by points.
fn parts(file: &[u8]) -> Option<[&[u8]; 5]> {
    let mut parts = file.split(|byte| *byte == b'.');
    let five = [parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(five)
}

/// The salt, with the name of the algorithm before it as the standard asks, and the number of rounds.
fn parameters(protected: &[u8]) -> Result<(Vec<u8>, u32), JweError> {
    let header = decoded(protected)?;
    let Header { alg, enc, p2c, p2s } = serde_json::from_slice(&header).map_err(|_| JweError::Form)?;
    if alg != ALGORITHM || enc != ENCRYPTION || p2c == 0 || p2s.len() > LONGEST_SALT {
        return Err(JweError::Form);
    }
    if p2c > MOST_ROUNDS {
        return Err(JweError::TooMuchWork);
    }
    let salt = [ALGORITHM.as_bytes(), &[0], &decoded(p2s.as_bytes())?].concat();
    Ok((salt, p2c))
}

fn decoded(text: &[u8]) -> Result<Vec<u8>, JweError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JweError::Form)
}

fn exactly<const N: usize>(text: &[u8]) -> Result<[u8; N], JweError> {
    decoded(text)?.try_into().map_err(|_| JweError::Form)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Made by another library, jwcrypto, of dummy data.
    pub(in super::super) const FILE: &str = "eyJhbGciOiJQQkVTMi1IUzI1NitBMTI4S1ciLCJjcmVhdGVkIjoiMjAyNi0wMS0wMiAwMzowNDowNS42Nzg5MDEyMzQgKzAwMDAgVVRDIG09KzAuMDEyMzQ1Njc4IiwiZW5jIjoiQTI1NkdDTSIsInAyYyI6ODE5MiwicDJzIjoiVEVxV2NZS3pabUNKZllQOV9hX19rZyJ9.MonWIlGBLtXaX3LbHb1nVlEoh7wEujwR4wy9Sba9NmdlYidWWB3Olg.cxyC70m76xTGtJrs.t2n0WnPSWnNRllsPgIavhOjjZYP6e7EjmDXlql4HFaERHrrEMx7jToDhMmwcj4G0Y68Yz7vjt38CvEmIGfx8GUuy7kdXCc46STES7G4YJDv0BnnL7xDLY2p4WkvejSHmhSh_VyC6A626Inv6DZCA.C4tTg8Ksqjvx28ItinAcIA";

    pub(in super::super) const PASSPHRASE: &str = "aB3dE5gH7j";

    fn with_header(header: &str) -> String {
        let (_, rest) = FILE.split_once('.').unwrap();
        format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header))
    }

    #[test]
    fn a_file_that_another_library_has_made_is_opened() {
        let text = open(FILE.as_bytes(), PASSPHRASE.as_bytes()).unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        assert!(text.contains("dev@example.com") && text.contains("header.payload.sig"), "{text}");
        assert!(open(format!("{FILE}\n").as_bytes(), PASSPHRASE.as_bytes()).is_ok());
    }

    #[test]
    fn another_passphrase_or_any_changed_byte_does_not_open_it() {
        assert_eq!(open(FILE.as_bytes(), b"aB3dE5gH7k").unwrap_err(), JweError::Sealed);
        // one in each part; in the header one that leaves it readable
        let starts: Vec<_> = [0].into_iter().chain(FILE.match_indices('.').map(|(at, _)| at + 1)).collect();
        for at in [starts[0] + 60, starts[1], starts[2], starts[3], starts[4]] {
            let mut changed = FILE.as_bytes().to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(open(&changed, PASSPHRASE.as_bytes()).is_err(), "at {at}");
        }
    }

    #[test]
    fn more_rounds_than_any_writer_makes_are_refused_before_the_work() {
        let header =
            |rounds: u64| format!(r#"{{"alg":"{ALGORITHM}","enc":"{ENCRYPTION}","p2c":{rounds},"p2s":"AAAA"}}"#);
        let outcome = |rounds| open(with_header(&header(rounds)).as_bytes(), b"x").unwrap_err();
        assert_eq!(outcome(u64::from(MOST_ROUNDS) + 1), JweError::TooMuchWork);
        assert_eq!(outcome(u64::from(u32::MAX)), JweError::TooMuchWork);
        assert_eq!(outcome(u64::MAX), JweError::Form);
        assert_eq!(outcome(0), JweError::Form);
        assert_eq!(outcome(1), JweError::Sealed);
    }

    #[test]
    fn what_is_of_another_form_is_refused_without_a_panic() {
        let (header, rest) = FILE.split_once('.').unwrap();
        let other = r#"{"alg":"dir","enc":"A256GCM","p2c":1,"p2s":"AAAA"}"#;
        let long_salt =
            format!(r#"{{"alg":"{ALGORITHM}","enc":"{ENCRYPTION}","p2c":1,"p2s":"{}"}}"#, "A".repeat(LONGEST_SALT + 1));
        let cases = [
            String::new(),
            "....".to_owned(),
            header.to_owned(),
            format!("{FILE}.x"),
            format!("{header}.{}", &rest[4..]),
            with_header(other),
            with_header(&long_salt),
            with_header("{}"),
            with_header("[[[[[[["),
            with_header(&"[".repeat(100_000)),
            "x".repeat(LARGEST + 1),
        ];
        for case in cases {
            assert_eq!(open(case.as_bytes(), b"x").unwrap_err(), JweError::Form, "{case:.40}");
        }
        for end in 0..FILE.len() {
            assert!(open(&FILE.as_bytes()[..end], b"x").is_err());
        }
    }
}
