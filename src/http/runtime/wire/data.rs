//! Secret JSON of no fixed form in answers.

use std::fmt;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;
use zeroize::Zeroize;

use super::REDACTED;

/// JSON of no fixed form, any of which may be secret: what a lease hands out, the settings of a provider.
///
/// `Debug` and `Serialize` write `[REDACTED]`, or `null` when there is nothing. Its texts are wiped when it is dropped; they are
/// not while an answer is decoded.
#[derive(Clone, Default, PartialEq)]
pub struct SecretData(Value);

impl SecretData {
    /// The data. Whatever copies it is responsible for the copy.
    #[must_use]
    pub fn expose(&self) -> &Value {
        &self.0
    }

    fn shown(&self) -> Option<&'static str> {
        (!self.0.is_null()).then_some(REDACTED)
    }
}

impl fmt::Debug for SecretData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown().unwrap_or("null"))
    }
}

impl Serialize for SecretData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SecretData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self)
    }
}

impl Drop for SecretData {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Depth is bounded: the parser refuses what is nested deeper than 128 levels.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
