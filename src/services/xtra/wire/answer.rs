//! Stored values in answers.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::{REDACTED, WireSecret};
use crate::core::SecretValue;

/// The stored form of a value: text, several texts, or nothing. It is usually ciphertext, which only the service can open.
///
/// `Debug` and `Serialize` write `[REDACTED]` in place of each text.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoredValue {
    /// Nothing is stored.
    #[default]
    Absent,
    /// One text.
    One(SecretValue),
    /// A list of texts, as older records hold it.
    Many(Vec<SecretValue>),
}

impl StoredValue {
    /// The texts, in the order stored.
    pub fn iter(&self) -> impl Iterator<Item = &SecretValue> {
        match self {
            Self::Absent => [].iter(),
            Self::One(value) => std::slice::from_ref(value).iter(),
            Self::Many(values) => values.iter(),
        }
    }
}

impl fmt::Debug for StoredValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("null"),
            Self::One(value) => fmt::Debug::fmt(value, f),
            Self::Many(values) => fmt::Debug::fmt(values, f),
        }
    }
}

impl Serialize for StoredValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_unit(),
            Self::One(_) => serializer.serialize_str(REDACTED),
            Self::Many(values) => serializer.collect_seq(values.iter().map(|_| REDACTED)),
        }
    }
}

impl<'de> Deserialize<'de> for StoredValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StoredForm)
    }
}

struct StoredForm;

impl<'de> Visitor<'de> for StoredForm {
    type Value = StoredValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a list of texts, or null")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<StoredValue, E> {
        Ok(StoredValue::One(SecretValue::from(text)))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<StoredValue, E> {
        Ok(StoredValue::One(SecretValue::new(text)))
    }

    fn visit_unit<E: Error>(self) -> Result<StoredValue, E> {
        Ok(StoredValue::Absent)
    }

    fn visit_none<E: Error>(self) -> Result<StoredValue, E> {
        Ok(StoredValue::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<StoredValue, A::Error> {
        let mut values = Vec::new();
        while let Some(item) = items.next_element::<WireSecret>()? {
            values.extend(item.into_value());
        }
        Ok(StoredValue::Many(values))
    }
}
