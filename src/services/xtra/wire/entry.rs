//! One entry of the secrets read.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::WireSecret;
use crate::core::SecretValue;

/// One secret of a read, in either form that the service sends: the text alone, or an object with its version.
///
/// `Debug` and `Serialize` write `[REDACTED]` in the value's place.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretEntry {
    /// The text; nothing where the service sent `null`.
    pub value: WireSecret,
    /// The version, a number in text. Only the form with versions has it.
    pub version: Option<String>,
    /// Whether the value is that of another secret. Only the form with versions has it.
    pub is_reference: Option<bool>,
    /// Where the value comes from, in the service's words. Only the form with versions has it.
    pub source: Option<String>,
}

impl SecretEntry {
    /// The plaintext, if there is any. Whatever copies it is responsible for the copy.
    #[must_use]
    pub fn expose(&self) -> Option<&str> {
        self.value.expose()
    }

    /// The secret alone, without a copy of its text.
    #[must_use]
    pub fn into_value(self) -> Option<SecretValue> {
        self.value.into_value()
    }

    fn bare(value: WireSecret) -> Self {
        Self { value, ..Self::default() }
    }

    fn is_bare(&self) -> bool {
        self.version.is_none() && self.is_reference.is_none() && self.source.is_none()
    }
}

impl fmt::Debug for SecretEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_bare() {
            return fmt::Debug::fmt(&self.value, f);
        }
        f.debug_struct("SecretEntry")
            .field("value", &self.value)
            .field("version", &self.version.as_deref().map(|version| shown(version, is_version(version))))
            .field("is_reference", &self.is_reference)
            .field("source", &self.source.as_deref().map(|source| shown(source, matches!(source, "local" | "linked"))))
            .finish()
    }
}

/// What is beside a value is printed when it is what belongs there: a service may put anything in its place.
fn shown(text: &str, is_known: bool) -> &str {
    if is_known { text } else { "[not shown]" }
}

fn is_version(text: &str) -> bool {
    (1..8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Serialize for SecretEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_bare() {
            return self.value.serialize(serializer);
        }
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("value", &self.value)?;
        if let Some(version) = &self.version {
            fields.serialize_entry("version", version)?;
        }
        if let Some(is_reference) = &self.is_reference {
            fields.serialize_entry("isReference", is_reference)?;
        }
        if let Some(source) = &self.source {
            fields.serialize_entry("source", source)?;
        }
        fields.end()
    }
}

impl<'de> Deserialize<'de> for SecretEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EitherForm)
    }
}

/// Decides by what it meets, so nothing is buffered (an untagged enum would copy the text elsewhere).
struct EitherForm;

impl<'de> Visitor<'de> for EitherForm {
    type Value = SecretEntry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret's text, an object with its value and version, or null")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SecretEntry, E> {
        Ok(SecretEntry::bare(SecretValue::from(text).into()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<SecretEntry, E> {
        Ok(SecretEntry::bare(SecretValue::new(text).into()))
    }

    fn visit_unit<E: Error>(self) -> Result<SecretEntry, E> {
        Ok(SecretEntry::default())
    }

    fn visit_none<E: Error>(self) -> Result<SecretEntry, E> {
        Ok(SecretEntry::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<SecretEntry, A::Error> {
        let mut entry = SecretEntry::default();
        while let Some(field) = fields.next_key::<Field>()? {
            match field {
                Field::Value => entry.value = fields.next_value()?,
                Field::Version => entry.version = fields.next_value::<Version>()?.0,
                Field::IsReference => entry.is_reference = fields.next_value()?,
                Field::Source => entry.source = fields.next_value()?,
                Field::Other => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(entry)
    }
}

#[derive(serde::Deserialize)]
#[serde(field_identifier)]
enum Field {
    #[serde(rename = "value")]
    Value,
    #[serde(rename = "version")]
    Version,
    #[serde(rename = "isReference")]
    IsReference,
    #[serde(rename = "source")]
    Source,
    #[serde(other)]
    Other,
}

/// A version is text; a bare number is understood too.
struct Version(Option<String>);

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrNumber;

        impl Visitor<'_> for TextOrNumber {
            type Value = Option<String>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a version")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Some(text.to_owned()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Some(number.to_string()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Some(number.to_string()))
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
                Ok(None)
            }
        }

        deserializer.deserialize_any(TextOrNumber).map(Self)
    }
}
