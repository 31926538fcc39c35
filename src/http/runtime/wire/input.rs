//! Secrets in requests.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::WireSecret;
use crate::core::SecretValue;
use crate::http::runtime::path::PathParameter;

/// A secret's text in a request: in a body, a path or a query.
///
/// `Debug` writes `[REDACTED]`. **`Serialize` writes the text itself**, because that is how a request is sent: write no
/// request type to a log or a file.
///
/// ```
/// use xtrasecurity::xtra::raw::SecretInput;
///
/// let password = SecretInput::from("hunter2");
/// assert_eq!(format!("{password:?}"), "[REDACTED]");
/// assert_eq!(serde_json::to_string(&password).unwrap(), "\"hunter2\"");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SecretInput(SecretValue);

impl SecretInput {
    /// The plaintext. Whatever copies it is responsible for the copy.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl From<&str> for SecretInput {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for SecretInput {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<SecretValue> for SecretInput {
    fn from(value: SecretValue) -> Self {
        Self(value)
    }
}

impl From<&SecretValue> for SecretInput {
    fn from(value: &SecretValue) -> Self {
        Self(value.clone())
    }
}

impl fmt::Debug for SecretInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl PathParameter for SecretInput {
    fn path_text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.expose())
    }
}

impl Serialize for SecretInput {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for SecretInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = WireSecret::deserialize(deserializer)?;
        text.into_value().map(Self).ok_or_else(|| serde::de::Error::custom("a secret must be text, not null"))
    }
}
