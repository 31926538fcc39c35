//! Secrets in answers.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use super::REDACTED;
use crate::core::SecretValue;

/// A secret's text in an answer, or nothing where the service sent `null`.
///
/// `Debug` and `Serialize` write `[REDACTED]`, or `null` when there is nothing. The text is wiped when the last copy goes.
///
/// ```
/// use xtrasecurity::xtra::raw::WireSecret;
///
/// let secret: WireSecret = serde_json::from_str("\"hunter2\"").unwrap();
/// assert_eq!(secret.expose(), Some("hunter2"));
/// assert_eq!(format!("{secret:?}"), "[REDACTED]");
/// assert_eq!(serde_json::to_string(&secret).unwrap(), "\"[REDACTED]\"");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct WireSecret(Option<SecretValue>);

impl WireSecret {
    /// The plaintext, if there is any. Whatever copies it is responsible for the copy.
    #[must_use]
    pub fn expose(&self) -> Option<&str> {
        self.0.as_ref().map(SecretValue::expose)
    }

    /// The secret alone, without a copy of its text.
    #[must_use]
    pub fn into_value(self) -> Option<SecretValue> {
        self.0
    }
}

impl From<SecretValue> for WireSecret {
    fn from(value: SecretValue) -> Self {
        Self(Some(value))
    }
}

impl fmt::Debug for WireSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { REDACTED } else { "null" })
    }
}

impl Serialize for WireSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().map(|_| REDACTED).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for WireSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretText).map(Self)
    }
}

/// Reads text or `null`. Text is copied once, into the buffer that is wiped later; text that is owned already is taken over.
struct SecretText;

impl Visitor<'_> for SecretText {
    type Value = Option<SecretValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or null")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(SecretValue::from(text)))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Some(SecretValue::new(text)))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}
