//! The secrets read, decoded where it lies: the answer's bytes become the snapshot's memory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::SecretEntry;
use crate::core::{MetName, PairsBuilder, SecretValue, SortedPairs, WipedText};

/// What a read answered. Of a name that came twice the last counts.
pub(crate) struct ReadPairs {
    /// Names and texts.
    pub(crate) values: SortedPairs,
    /// Names with `null` in the place of a text, in no order.
    pub(crate) without_value: Vec<String>,
}

impl ReadPairs {
    /// Decodes a body and takes it over. When it fails, the body is left as it was.
    pub(crate) fn decode(body: &mut Vec<u8>) -> serde_json::Result<Self> {
        let text = match String::from_utf8(std::mem::take(body)) {
            Ok(text) => Arc::new(WipedText::new(text)),
            Err(not_text) => {
                *body = not_text.into_bytes();
                return Self::decode_bytes(body);
            }
        };
        let pairs = Self::decode_text(&text);
        if pairs.is_err()
            && let Some(text) = Arc::into_inner(text)
        {
            *body = text.into_bytes();
        }
        pairs
    }

    fn decode_text(text: &Arc<WipedText>) -> serde_json::Result<Self> {
        let mut pairs = PairsBuilder::new(text, expected(text.as_str()));
        let mut json = serde_json::Deserializer::from_str(text.as_str());
        json.deserialize_map(Members(&mut pairs))?;
        json.end()?;
        let (values, without_value) = pairs.finish();
        Ok(Self { values, without_value })
    }

    /// A body that is no UTF-8 as a whole may still be one in all parts that count.
    fn decode_bytes(body: &[u8]) -> serde_json::Result<Self> {
        let entries: BTreeMap<String, SecretEntry> = serde_json::from_slice(body)?;
        let mut without_value = Vec::new();
        let values = entries.into_iter().filter_map(|(name, entry)| match entry.into_value() {
            Some(value) => Some((name, value)),
            None => {
                without_value.push(name);
                None
            }
        });
        Ok(Self { values: values.collect(), without_value })
    }

    /// All names, in no order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.names().chain(self.without_value.iter().map(String::as_str))
    }
}

/// How many pairs a text has: exactly so many when it is flat and has no escapes. Short pairs are counted as fewer, so that the
/// room reserved is at most twice the text.
fn expected(text: &str) -> usize {
    const QUOTES: usize = 4;
    const BYTES: usize = 12;
    // in parts whose counts fit a byte, which the compiler turns into instructions for many bytes at once
    let count = |part: &[u8]| part.iter().map(|byte| u8::from(*byte == b'"')).sum::<u8>();
    let quotes: usize = text.as_bytes().chunks(255).map(|part| usize::from(count(part))).sum();
    (quotes / QUOTES).min(text.len() / BYTES)
}

impl fmt::Debug for ReadPairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadPairs").field("values", &self.values).field("without_value", &self.without_value).finish()
    }
}

/// The members of the object, each in either form that the service sends.
struct Members<'p>(&'p mut PairsBuilder);

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of secrets by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key_seed(Name(self.0))? {
            let value = members.next_value_seed(Value(self.0))?;
            self.0.push(name, value);
        }
        Ok(())
    }
}

struct Name<'p>(&'p PairsBuilder);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = MetName;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<MetName, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = MetName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<MetName, E> {
        Ok(self.0.name(name))
    }
}

/// Decides by what it meets, as [`SecretEntry`] does.
struct Value<'p>(&'p PairsBuilder);

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Option<SecretValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Option<SecretValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret's text, an object with its value and version, or null")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(self.0.value(text)))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
        SecretEntry::deserialize(MapAccessDeserializer::new(fields)).map(SecretEntry::into_value)
    }
}
