//! The private key of a client, in each form that a key of the curve P-256 has as text.

use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use p256::SecretKey;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey;
use zeroize::Zeroizing;

use crate::core::{ErrorKind, Hint, SecretValue, XtraError};

pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The longest text that is looked at. The longest form, in PEM with its parameters, has about 330 characters.
const LONGEST: usize = 4096;

/// A private key that signs. It is wiped when it is dropped.
pub(super) struct ClientKey(SigningKey);

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    Empty,
    Long,
    NotBase64,
    Encrypted,
    Public,
    Other,
}

impl ClientKey {
    /// The key that a text is: the scalar, SEC1 or PKCS#8, each with or without its public part, in base64 of either alphabet with
    /// or without padding, or in PEM.
    pub(super) fn parse(text: &SecretValue) -> Result<Self, XtraError> {
        read(text.expose()).map(|key| Self(SigningKey::from(key))).map_err(|flaw| {
            let message = format!("the client secret {flaw}");
            XtraError::new(ErrorKind::Credentials, message).with_hint(Hint::advice(
                "It is the private key that was made when the client was registered: ECDSA on P-256, in base64 or PEM",
            ))
        })
    }

    /// The signature of a message: ES256, the numbers r and s of 32 bytes each.
    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature: Signature = self.0.sign(message);
        signature.to_bytes().into()
    }

    /// The public key, as a point that is not compressed.
    pub(super) fn point(&self) -> Vec<u8> {
        self.0.verifying_key().to_encoded_point(false).as_bytes().to_vec()
    }

    /// The key as one text, whatever form it was given in.
    pub(super) fn lasting(&self) -> SecretValue {
        let scalar = Zeroizing::new(<[u8; 32]>::from(self.0.to_bytes()));
        SecretValue::new(BASE64.encode(scalar.as_slice()))
    }
}

/// A new private key for a client that is to be registered, as PKCS#8 in base64.
///
/// Save it before the client is [registered](super::SyVaultClientBuilder::bootstrap): the token for that is good once, and a key
/// that is lost is a client that is lost.
///
/// # Errors
///
/// [`ErrorKind::Config`] when the system gives no random numbers.
///
/// ```
/// use xtrasecurity::syvault::new_client_secret;
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// assert_ne!(new_client_secret()?.expose(), new_client_secret()?.expose());
/// # Ok(())
/// # }
/// ```
pub fn new_client_secret() -> Result<SecretValue, XtraError> {
    /// What stands before the number, in DER: the version, the algorithm with its curve, and the frame of the key.
    const PKCS8: [u8; 35] = [
        0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
        0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20,
    ];
    let mut der = Zeroizing::new([0; PKCS8.len() + 32]);
    let (frame, number) = der.split_at_mut(PKCS8.len());
    frame.copy_from_slice(&PKCS8);
    // nearly every number of 32 bytes is a key
    loop {
        getrandom::fill(number).map_err(|_| {
            XtraError::new(ErrorKind::Config, "no key was made: the system gives no random numbers. Repair that first")
        })?;
        if SecretKey::from_slice(number).is_ok() {
            break;
        }
    }
    Ok(SecretValue::new(BASE64.encode(der.as_slice())))
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientKey")
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty",
            Self::Long => "is longer than any private key",
            Self::NotBase64 => "is no base64",
            Self::Encrypted => "is a private key that is itself encrypted, which cannot be opened here",
            Self::Public => "is a public key",
            Self::Other => "is no private key of the curve P-256",
        })
    }
}

fn read(text: &str) -> Result<SecretKey, Flaw> {
    let text = text.trim();
    match text.len() {
        0 => return Err(Flaw::Empty),
        length if length > LONGEST => return Err(Flaw::Long),
        _ => {}
    }
    let der = if text.starts_with("-----BEGIN ") { from_pem(text)? } else { from_base64(text)? };
    from_bytes(&der)
}

/// The private key among the blocks of a PEM text: tools put the parameters of the curve in front of it.
fn from_pem(text: &str) -> Result<Zeroizing<Vec<u8>>, Flaw> {
    let mut flaw = Flaw::Other;
    for block in text.split("-----BEGIN ").skip(1) {
        let (label, rest) = block.split_once("-----").ok_or(Flaw::NotBase64)?;
        let body = rest.split("-----END ").next().unwrap_or_default();
        match label {
            // the headers of an old form of encryption
            "PRIVATE KEY" | "EC PRIVATE KEY" if body.contains(':') => return Err(Flaw::Encrypted),
            "PRIVATE KEY" | "EC PRIVATE KEY" => return from_base64(body),
            "ENCRYPTED PRIVATE KEY" => flaw = Flaw::Encrypted,
            "PUBLIC KEY" => flaw = Flaw::Public,
            _ => {}
        }
    }
    Err(flaw)
}

/// Of either alphabet, with white space and padding or without.
fn from_base64(text: &str) -> Result<Zeroizing<Vec<u8>>, Flaw> {
    let standard = text.chars().filter(|letter| !letter.is_ascii_whitespace()).map(|letter| match letter {
        '-' => '+',
        '_' => '/',
        other => other,
    });
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    plain.extend(standard);
    BASE64.decode(&*plain).map(Zeroizing::new).map_err(|_| Flaw::NotBase64)
}

fn from_bytes(bytes: &[u8]) -> Result<SecretKey, Flaw> {
    /// How the public form SPKI begins, on P-256.
    const SPKI: [u8; 2] = [0x30, 0x59];
    match bytes {
        [0x04, ..] if bytes.len() == 65 => return Err(Flaw::Public),
        [0x02 | 0x03, ..] if bytes.len() == 33 => return Err(Flaw::Public),
        _ if bytes.len() == 91 && bytes.starts_with(&SPKI) => return Err(Flaw::Public),
        _ => {}
    }
    if bytes.len() == 32 {
        return SecretKey::from_slice(bytes).map_err(|_| Flaw::Other);
    }
    if let Ok(key) = SecretKey::from_pkcs8_der(bytes) {
        return Ok(key);
    }
    if !names_this_curve(bytes) {
        return Err(Flaw::Other);
    }
    SecretKey::from_sec1_der(bytes).map_err(|_| Flaw::Other)
}

/// Whether a key in the form SEC1 is on P-256 by its own word, or says nothing of its curve. The parser does not look at that.
fn names_this_curve(bytes: &[u8]) -> bool {
    /// The parameters, behind version and scalar, which have one form in DER.
    const PARAMETERS: [u8; 12] = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    const BEFORE: usize = 2 + 3 + 2 + 32;
    let Some(rest) = bytes.get(BEFORE..) else { return false };
    rest.first() != Some(&PARAMETERS[0]) || rest.starts_with(&PARAMETERS)
}

#[cfg(test)]
pub(super) mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    /// The key of RFC 7515, appendix A.3, in each form that OpenSSL and others write it in.
    pub(in super::super) const SCALAR: &str = "jpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LI=";
    const SEC1: &str = "MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==";
    const SEC1_ALONE: &str = "MDECAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49AwEH";
    const PKCS8: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt";
    const PKCS8_ALONE: &str =
        "MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCCOmxCecZCYv5gEh98fXXfpyylgbr7SJjtfV8IT34T0sg==";
    /// Its public point.
    const POINT: &str = "BH/Nzidw9sRdQYPL7m/bS3tYBzM1e+nvE7rPbjx70VRFx/FEzRu9m36HLN/tue659LNpXW6pCyStikYjKIWI5a0=";
    const SPKI: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==";

    /// Whether another implementation takes a signature for that of the message, by the public point.
    pub(in super::super) fn is_signed(message: &[u8], signature: &[u8]) -> bool {
        let point = BASE64.decode(POINT).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
    }

    fn parse(text: &str) -> Result<ClientKey, XtraError> {
        ClientKey::parse(&text.into())
    }

    fn pem(label: &str, text: &str) -> String {
        let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    }

    #[test]
    fn every_form_of_a_private_key_is_read_and_signs_alike() {
        let forms = [SCALAR, SEC1, SEC1_ALONE, PKCS8, PKCS8_ALONE];
        let url = |text: &str| text.replace('+', "-").replace('/', "_");
        let all = forms.iter().flat_map(|form| {
            let bare = form.trim_end_matches('=').to_owned();
            [(*form).to_owned(), url(form), url(&bare), bare, format!("  {form}\r\n"), form.replacen("CAQ", "CA\nQ", 1)]
        });
        let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
        let pems = [
            pem("PRIVATE KEY", PKCS8),
            pem("PRIVATE KEY", PKCS8_ALONE),
            pem("EC PRIVATE KEY", SEC1).replace('\n', "\r\n"),
            parameters.to_owned() + &pem("EC PRIVATE KEY", SEC1_ALONE),
        ];
        for text in all.chain(pems) {
            let key = parse(&text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(key.lasting(), SCALAR);
            let signature = key.sign(b"message");
            assert!(is_signed(b"message", &signature) && !is_signed(b"massage", &signature));
        }
    }

    /// RFC 6979, A.2.5, with SHA-256 and the message "sample".
    #[test]
    fn a_signature_is_that_of_the_standard() {
        let key =
            parse(&BASE64.encode(hex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"))).unwrap();
        let expected = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716\
                        F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8";
        assert_eq!(key.sign(b"sample").to_vec(), hex(expected));
    }

    /// RFC 7515, A.3: the signature there was made with another random number, so it is verified and not compared.
    #[test]
    fn the_signature_of_the_standards_example_is_of_the_form_that_is_made_here() {
        let input = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let signature = from_base64(signature).unwrap();
        assert_eq!(signature.len(), 64);
        assert!(is_signed(input.as_bytes(), &signature));
        assert!(is_signed(input.as_bytes(), &parse(PKCS8).unwrap().sign(input.as_bytes())));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_and_no_text_make_it_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..150), text in "\\PC{0,100}") {
            let _ = parse(&text);
            let _ = parse(&BASE64.encode(&bytes));
            // a good beginning, and something behind it
            let mut der = BASE64.decode(SEC1).unwrap();
            for (slot, byte) in der.iter_mut().skip(bytes.len()).zip(&bytes) {
                *slot ^= byte;
            }
            if let Ok(key) = parse(&BASE64.encode(&der)) {
                proptest::prop_assert_eq!(key.sign(b"m").len(), 64);
            }
        }
    }

    #[test]
    fn a_key_of_another_curve_or_form_is_refused_and_not_shown() {
        let cases = [
            ("", "is empty"),
            (" \n", "is empty"),
            ("hunter2 canary!", "no base64"),
            (POINT, "is a public key"),
            (SPKI, "is a public key"),
            (&pem("PUBLIC KEY", SPKI), "is a public key"),
            ("A3/Nzidw9sRdQYPL7m/bS3tYBzM1e+nvE7rPbjx70VRF", "is a public key"),
            (&pem("ENCRYPTED PRIVATE KEY", PKCS8), "itself encrypted"),
            (
                "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END EC PRIVATE KEY-----",
                "itself encrypted",
            ),
            (&pem("CERTIFICATE", PKCS8), "no private key"),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "no private key"),
            ("/////////////////////////////////////////////w==", "no private key"),
            ("//////////////////////////////////////////8=", "no private key"),
            // secp256k1, brainpoolP256r1, P-384, by OpenSSL
            (
                "MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQgApsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LKhRANCAAQx0bGuC3WCmU86w+H1C/WwV5F7+RhkwwH8uq8mRqgPnVGNUKPyHRgUPXeJQpOXMwdT/s4iX+nTAIrTkVw9bgQF",
                "no private key",
            ),
            (
                "MHQCAQEEIAKbEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAcGBSuBBAAKoUQDQgAEMdGxrgt1gplPOsPh9Qv1sFeRe/kYZMMB/LqvJkaoD51RjVCj8h0YFD13iUKTlzMHU/7OIl/p0wCK05FcPW4EBQ==",
                "no private key",
            ),
            (
                "MIGIAgEAMBQGByqGSM49AgEGCSskAwMCCAEBBwRtMGsCAQEEIAKbEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoUQDQgAEXCYA2fdkhf3Dvso1hUxm6BQlUuUd5K4j3Kwnk+p07YuNt/Y/pNSZJ9w66auT7vdSP2qgOPJiFBLOlfmI0tu44w==",
                "no private key",
            ),
            (
                "MHgCAQEEIAKbEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAsGCSskAwMCCAEBB6FEA0IABFwmANn3ZIX9w77KNYVMZugUJVLlHeSuI9ysJ5PqdO2Ljbf2P6TUmSfcOumrk+73Uj9qoDjyYhQSzpX5iNLbuOM=",
                "no private key",
            ),
            (
                "MIGkAgEBBDAAAAAAAAAAAAAAAAAAAAAAApsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LKgBwYFK4EEACKhZANiAAR1yPVNpLMxLhemAuDVuCwN6WbATZMWml8503/uYiFR9kWk5vPtW0euRH5vPmjjCdRbWzxA8arHzjdsuO96fO+0IRowMYLdfPmOBkvS8+UGZUBzSZqdZsE0121j/eq5R+U=",
                "no private key",
            ),
            // on secp256k1 by its parameters alone
            ("MC4CAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAcGBSuBBAAK", "no private key"),
            // with the public part of another key
            (
                "MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49AwEHoUQDQgAEJu/OvQ7p40pmkYfhizqRIrL3M5RbZJzJ+fkh6fna2BKQI4venMe7Mw0VDGdwTdJa5wVSBXRLbzG/QHB0WHLQ5g==",
                "no private key",
            ),
            (&SEC1[..SEC1.len() - 8], "no private key"),
            (&"A".repeat(LONGEST + 1), "longer than any"),
        ];
        for (text, wrong) in cases {
            let error = parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Credentials);
            assert!(error.message().contains(wrong), "{error}: {text}");
            assert!(text.trim().is_empty() || !error.to_string().contains(text.trim()), "{error}");
        }
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<char> = text.chars().filter(|digit| !digit.is_whitespace()).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
    }
}
