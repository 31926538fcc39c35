//! A single secret: redacted when printed, wiped when dropped.

use std::fmt;
use std::sync::Arc;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What is printed in a value's place.
const REDACTED: &str = "[REDACTED]";

/// A secret's plaintext. `Debug` prints `[REDACTED]`; there is no `Display` and no `Serialize`.
///
/// It can be a field of a type that is deserialized: it takes a string, and nothing else. (What reads the text, a JSON
/// parser for example, may leave copies of its own.)
///
/// Clones share one buffer, which is overwritten with zeros when the last of them is dropped. Equality takes the same time
/// wherever the two differ (it does tell whether the lengths differ).
///
/// ```
/// use xtrasecurity::SecretValue;
///
/// let password = SecretValue::from("hunter2");
/// assert_eq!(format!("{password:?}"), "[REDACTED]");
/// assert_eq!(password.expose(), "hunter2");
/// ```
#[derive(Clone)]
pub struct SecretValue(Arc<Zeroizing<String>>);

impl SecretValue {
    /// Takes a secret over. The text is not copied; the buffer given is the one wiped later.
    #[must_use]
    pub fn new(plaintext: String) -> Self {
        Self(Arc::new(Zeroizing::new(plaintext)))
    }

    /// The plaintext. Whatever copies it is responsible for the copy.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The plaintext's length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the secret is the empty string.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for SecretValue {
    fn from(plaintext: String) -> Self {
        Self::new(plaintext)
    }
}

impl From<&str> for SecretValue {
    fn from(plaintext: &str) -> Self {
        Self::new(plaintext.to_owned())
    }
}

impl From<&String> for SecretValue {
    fn from(plaintext: &String) -> Self {
        Self::new(plaintext.clone())
    }
}

/// The same value, shared.
impl From<&SecretValue> for SecretValue {
    fn from(value: &SecretValue) -> Self {
        value.clone()
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl PartialEq for SecretValue {
    fn eq(&self, other: &Self) -> bool {
        self.expose().as_bytes().ct_eq(other.expose().as_bytes()).into()
    }
}

impl Eq for SecretValue {}

impl PartialEq<str> for SecretValue {
    fn eq(&self, other: &str) -> bool {
        self.expose().as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl PartialEq<&str> for SecretValue {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl<'de> Deserialize<'de> for SecretValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            // asked for a string, a JSON parser refuses anything else by itself, and its words quote what came
            deserializer.deserialize_any(Plaintext)
        } else {
            deserializer.deserialize_string(Plaintext)
        }
    }
}

/// Takes a string. Everything else is refused in words of our own, because serde's words for a wrong type quote what came.
struct Plaintext;

impl Plaintext {
    fn refused<E: de::Error>() -> E {
        E::custom("a secret must be a string")
    }
}

impl Visitor<'_> for Plaintext {
    type Value = SecretValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretValue, E> {
        Ok(SecretValue::from(text))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<SecretValue, E> {
        Ok(SecretValue::new(text))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<SecretValue, E> {
        Err(Self::refused())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<SecretValue, E> {
        Err(Self::refused())
    }

    fn visit_i128<E: de::Error>(self, _: i128) -> Result<SecretValue, E> {
        Err(Self::refused())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<SecretValue, E> {
        Err(Self::refused())
    }

    fn visit_u128<E: de::Error>(self, _: u128) -> Result<SecretValue, E> {
        Err(Self::refused())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<SecretValue, E> {
        Err(Self::refused())
    }

    fn visit_bytes<E: de::Error>(self, _: &[u8]) -> Result<SecretValue, E> {
        Err(Self::refused())
    }
}

#[cfg(feature = "typed")]
impl schemars::JsonSchema for SecretValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SecretValue".into()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        "xtrasecurity::SecretValue".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "writeOnly": true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_of_any_look_is_deserialized_as_it_is() {
        for text in ["hunter2", "", "00123", "true", "line\nline", "\"quoted\""] {
            let json = serde_json::to_string(text).unwrap();
            assert_eq!(serde_json::from_str::<SecretValue>(&json).unwrap(), text);
        }
    }

    #[test]
    fn what_is_no_string_is_refused_without_being_quoted() {
        for json in ["424242", "-424242", "42.4242", "true", "[424242]", "{\"424242\":1}"] {
            let error = serde_json::from_str::<SecretValue>(json).unwrap_err().to_string();
            assert!(!error.contains("4242") && !error.contains("true"), "{error}");
        }
    }
}
