//! A single secret: redacted when printed, wiped when dropped.

use std::fmt;
use std::sync::Arc;

use super::wiped::WipedText;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use subtle::ConstantTimeEq;

/// What is printed in a value's place.
const REDACTED: &str = "[REDACTED]";

/// A secret's plaintext. `Debug` prints `[REDACTED]`; there is no `Display` and no `Serialize`.
///
/// It can be a field of a type that is deserialized: it takes a string, and nothing else. (What reads the text, a JSON
/// parser for example, may leave copies of its own.)
///
/// The values of a snapshot are parts of one buffer, which is overwritten with zeros when the snapshot is dropped. A clone of
/// such a value has a buffer of its own, so that who keeps one secret does not keep the others; clones of that share it, and it
/// is overwritten when the last of them is dropped. Equality takes the same time wherever the two differ (it does tell whether
/// the lengths differ).
///
/// ```
/// use xtrasecurity::SecretValue;
///
/// let password = SecretValue::from("hunter2");
/// assert_eq!(format!("{password:?}"), "[REDACTED]");
/// assert_eq!(password.expose(), "hunter2");
/// ```
pub struct SecretValue {
    text: Arc<WipedText>,
    start: u32,
    /// [`REST`] for everything from the start on.
    len: u32,
}

/// In the place of a length: the value is the rest of its text.
const REST: u32 = u32::MAX;

impl SecretValue {
    /// Takes a secret over. The text is not copied; the buffer given is the one wiped later.
    #[must_use]
    pub fn new(plaintext: String) -> Self {
        Self { text: Arc::new(WipedText::new(plaintext)), start: 0, len: REST }
    }

    /// A copy of a value behind a copy of its name, unless that has 4 GiB.
    pub(super) fn named(name: &str, value: &str) -> Option<Self> {
        let start = u32::try_from(name.len()).ok()?;
        let mut text = String::with_capacity(name.len() + value.len());
        text.push_str(name);
        text.push_str(value);
        Some(Self { text: Arc::new(WipedText::new(text)), start, len: REST })
    }

    /// The plaintext. Whatever copies it is responsible for the copy.
    #[must_use]
    pub fn expose(&self) -> &str {
        if self.len == REST { self.text.rest(self.start) } else { self.text.part(self.start, self.len) }
    }

    /// The plaintext's length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        if self.len == REST { self.text.rest(self.start).len() } else { self.len as usize }
    }

    /// Whether the secret is the empty string.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same value in the same memory, which stays until the last that shares it is dropped.
    pub(crate) fn shared(&self) -> Self {
        Self { text: Arc::clone(&self.text), ..*self }
    }

    /// Everything that stands before the value in its text.
    pub(super) fn all_before(&self) -> &str {
        self.text.part(0, self.start)
    }

    /// The `len` bytes of its text that end so far before the value.
    pub(super) fn before(&self, distance: u32, len: u32) -> &str {
        self.text.part(self.start.saturating_sub(distance).saturating_sub(len), len)
    }

    /// The value at a place of a text that is shorter than 4 GiB.
    pub(super) fn at(text: &Arc<WipedText>, start: usize, len: usize) -> Self {
        let position = |number: usize| u32::try_from(number).unwrap_or(REST);
        Self { text: Arc::clone(text), start: position(start), len: position(len) }
    }

    /// The value that `part` is: without a copy when it is borrowed from `text`.
    #[cfg(feature = "http")]
    pub(super) fn part_of(text: &Arc<WipedText>, part: &str) -> Self {
        match text.position(part) {
            Some((start, len)) if len != REST => Self { text: Arc::clone(text), start, len },
            _ => Self::from(part),
        }
    }

    /// How far behind a place of that text the value begins, when it is in it.
    #[cfg(feature = "http")]
    pub(super) fn distance(&self, text: &Arc<WipedText>, from: u32) -> Option<u32> {
        if Arc::ptr_eq(&self.text, text) { self.start.checked_sub(from) } else { None }
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

/// The same value, as by `clone`.
impl From<&SecretValue> for SecretValue {
    fn from(value: &SecretValue) -> Self {
        value.clone()
    }
}

impl Clone for SecretValue {
    fn clone(&self) -> Self {
        if self.start == 0 && self.len == REST { self.shared() } else { Self::from(self.expose()) }
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

    #[cfg(feature = "http")]
    #[test]
    fn a_clone_of_a_part_has_memory_of_its_own_and_its_clones_share_that() {
        let text = Arc::new(WipedText::new("one two".to_owned()));
        let value = SecretValue::part_of(&text, &text.as_str()[4..]);
        let (shared, clone) = (value.shared(), value.clone());
        let is_there = |value: &SecretValue| Arc::ptr_eq(&value.text, &text);
        assert!(is_there(&value) && is_there(&shared) && !is_there(&clone));
        assert_eq!([value.expose(), shared.expose(), clone.expose()], ["two"; 3]);
        assert!(std::ptr::eq(clone.expose(), clone.clone().expose()));
        drop((value, shared));
        assert!(Arc::into_inner(text).is_some(), "a clone keeps the text that it was a part of");
    }

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
