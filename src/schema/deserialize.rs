//! Deserializing a checked tree as a Rust type. serde's own errors quote values; these keep the place and what was expected.

use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Expected, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use super::normalize::TEXT;
use culprit::{Altered, How};

mod culprit;

pub(super) use culprit::{Effort, locate};

/// Makes a `T` of a tree.
pub(super) fn from_tree<T: DeserializeOwned>(tree: &Value) -> Result<T, Trouble> {
    T::deserialize(Node { value: tree, altered: None })
}

/// What a type refused: where, and what it expects there. Nothing of the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the type refuses the value")]
pub(super) struct Trouble {
    /// From the outside in.
    pub(super) path: Vec<Step>,
    pub(super) what: What,
}

/// One step into a tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// The type says what it takes.
    Expected(String),
    Missing(&'static str),
    NoVariant(&'static [&'static str]),
    UnknownField,
    /// Two parts of an object are one field.
    Twice(&'static str),
    /// The type has its own reason, which may quote the value.
    Refused,
}

impl Trouble {
    fn new(what: What) -> Self {
        Self { path: Vec::new(), what }
    }

    /// A type of your own may put together what it expects from the value, so only the words that serde has for its own types
    /// are kept.
    fn expected(expected: &dyn Expected) -> Self {
        let words = expected.to_string();
        let is_known = EXPECTED.contains(&words.as_str());
        Self::new(if is_known { What::Expected(words) } else { What::Refused })
    }

    fn inside(mut self, step: Step) -> Self {
        self.path.insert(0, step);
        self
    }
}

/// What serde's own types say that they expect.
const EXPECTED: [&str; 23] = [
    "a boolean",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "f32",
    "f64",
    "a character",
    "a string",
    "a sequence",
    "a map",
    "unit",
    "path string",
    "option",
    "byte array",
];

impl de::Error for Trouble {
    fn custom<M: fmt::Display>(_: M) -> Self {
        Self::new(What::Refused)
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        // what is expected is often put together on the spot here, from the value
        Self::new(What::Refused)
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(What::NoVariant(expected))
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self::new(What::UnknownField)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(What::Missing(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(What::Twice(field))
    }
}

/// A value of the tree. It lends its texts, so that serde's buffers hold no copies.
#[derive(Clone, Copy)]
struct Node<'de> {
    value: &'de Value,
    altered: Option<Altered<'de>>,
}

impl<'de> Node<'de> {
    fn entries(self, map: &'de Map<String, Value>) -> Entries<'de> {
        Entries { map, rest: map.iter(), again: None, next: None, altered: self.altered }
    }

    /// The text that a duration was written as, for a type that reads durations in its own way.
    fn written(self) -> Option<&'de str> {
        self.value.as_object().filter(|map| is_duration(map))?.get(TEXT)?.as_str()
    }
}

/// Whether an object is a duration that keeps its text.
fn is_duration(map: &Map<String, Value>) -> bool {
    map.len() == 3 && ["secs", "nanos", TEXT].iter().all(|part| map.contains_key(*part))
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Trouble;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(whole), ..) => visitor.visit_u64(whole),
                (_, Some(whole), _) => visitor.visit_i64(whole),
                (.., Some(number)) => visitor.visit_f64(number),
                _ => Err(Trouble::new(What::Refused)),
            },
            Value::Array(items) => {
                let mut items = Items { rest: items.iter().enumerate(), altered: self.altered };
                let value = visitor.visit_seq(&mut items)?;
                if items.rest.next().is_some() { Err(Trouble::new(What::Refused)) } else { Ok(value) }
            }
            Value::Object(map) => visitor.visit_map(self.entries(map)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Trouble> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Trouble> {
        match self.value {
            Value::String(text) => BorrowedStrDeserializer::new(text).deserialize_enum(name, variants, visitor),
            Value::Object(map) if map.len() == 1 => {
                MapAccessDeserializer::new(self.entries(map)).deserialize_enum(name, variants, visitor)
            }
            _ => Err(Trouble::new(What::NoVariant(variants))),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        match self.written() {
            Some(text) => visitor.visit_borrowed_str(text),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier
    }
}

/// The parts of an object. What goes wrong in one is told with its key, whoever raises it.
struct Entries<'de> {
    map: &'de Map<String, Value>,
    rest: serde_json::map::Iter<'de>,
    /// One that comes a second time.
    again: Option<(&'de str, &'de Value)>,
    next: Option<(&'de str, &'de Value)>,
    altered: Option<Altered<'de>>,
}

impl<'de> Entries<'de> {
    fn advance(&mut self) -> Option<(&'de str, &'de Value)> {
        if let Some(again) = self.again.take() {
            return Some(again);
        }
        loop {
            let (key, value) = self.rest.next()?;
            if key == TEXT && is_duration(self.map) {
                continue;
            }
            match self.altered.and_then(|altered| altered.of(self.map, key)) {
                Some(How::Without) => continue,
                Some(How::Twice) => self.again = Some((key, value)),
                None => {}
            }
            return Some((key, value));
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Trouble;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Trouble> {
        let Some((key, value)) = self.advance() else { return Ok(None) };
        self.next = Some((key, value));
        seed.deserialize(Key(key)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Trouble> {
        let (key, value) = self.next.take().ok_or_else(|| Trouble::new(What::Refused))?;
        let node = Node { value, altered: self.altered };
        seed.deserialize(node).map_err(|trouble| trouble.inside(Step::Key(key.to_owned())))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// The items of a list.
struct Items<'de> {
    rest: std::iter::Enumerate<std::slice::Iter<'de, Value>>,
    altered: Option<Altered<'de>>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Trouble;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Trouble> {
        let Some((index, value)) = self.rest.next() else { return Ok(None) };
        seed.deserialize(Node { value, altered: self.altered })
            .map(Some)
            .map_err(|trouble| trouble.inside(Step::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// A key of an object: a text, or a number for maps of numbers.
#[derive(Clone, Copy)]
struct Key<'de>(&'de str);

/// Types that JSON keys are written for: they are read from the text.
macro_rules! parsed {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
            match self.0.parse() {
                Ok(key) => visitor.$visit(key),
                Err(_) => visitor.visit_borrowed_str(self.0),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = Trouble;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Trouble> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Trouble> {
        BorrowedStrDeserializer::new(self.0).deserialize_enum(name, variants, visitor)
    }

    parsed! {
        deserialize_bool visit_bool
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32 deserialize_i64 visit_i64
        deserialize_i128 visit_i128
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32 deserialize_u64 visit_u64
        deserialize_u128 visit_u128
    }

    forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests;
