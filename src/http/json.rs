//! Reading JSON of any shape in one pass: what is of no interest is passed over and not kept.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A text of more bytes is cut before anything looks at it. No sentence, code or version is longer.
const LONGEST_TEXT: usize = 1024;

/// What is read of a value. What a reader does not ask for gives the default.
pub(super) trait Reader<'de>: Sized {
    type Value: Default;

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::Value::default())
    }

    fn list<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::Value::default())
    }

    fn text(self, _text: &str) -> Self::Value {
        Self::Value::default()
    }

    fn number(self, _number: fmt::Arguments<'_>) -> Self::Value {
        Self::Value::default()
    }
}

/// What a reader reads of a text that is JSON and nothing else. `None` when it is not.
pub(super) fn whole<'de, R: Reader<'de>>(json: &'de [u8], reader: R) -> Option<R::Value> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let value = By(reader, PhantomData).deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(value)
}

/// The next member's value.
pub(super) fn next<'de, R: Reader<'de>, A: MapAccess<'de>>(members: &mut A, reader: R) -> Result<R::Value, A::Error> {
    members.next_value_seed(By(reader, PhantomData))
}

/// The next item of a list.
pub(super) fn next_item<'de, R, A>(items: &mut A, reader: R) -> Result<Option<R::Value>, A::Error>
where
    R: Reader<'de>,
    A: SeqAccess<'de>,
{
    items.next_element_seed(By(reader, PhantomData))
}

/// Reads a text, cut where it is longer than anything of interest.
pub(super) struct Text;

impl Reader<'_> for Text {
    type Value = Option<String>;

    fn text(self, text: &str) -> Option<String> {
        Some(cut(text).to_owned())
    }
}

/// Reads a text or a number as a text.
pub(super) struct Scalar;

impl Reader<'_> for Scalar {
    type Value = Option<String>;

    fn text(self, text: &str) -> Option<String> {
        Text.text(text)
    }

    fn number(self, number: fmt::Arguments<'_>) -> Option<String> {
        Some(number.to_string())
    }
}

/// The text, or the beginning of a long one.
pub(super) fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LONGEST_TEXT)).unwrap_or(text)
}

/// The name of a member, without a copy where it has no escapes.
pub(super) struct Name<'de>(pub(super) Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

/// Reads by a reader.
struct By<'de, R>(R, PhantomData<&'de ()>);

impl<'de, R: Reader<'de>> DeserializeSeed<'de> for By<'de, R> {
    type Value = R::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<R::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, R: Reader<'de>> Visitor<'de> for By<'de, R> {
    type Value = R::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<R::Value, A::Error> {
        self.0.object(members)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<R::Value, A::Error> {
        self.0.list(items)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<R::Value, E> {
        Ok(self.0.text(text))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<R::Value, E> {
        Ok(self.0.number(format_args!("{number}")))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<R::Value, E> {
        Ok(self.0.number(format_args!("{number}")))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<R::Value, E> {
        Ok(self.0.number(format_args!("{number}")))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<R::Value, E> {
        Ok(R::Value::default())
    }

    fn visit_unit<E: Error>(self) -> Result<R::Value, E> {
        Ok(R::Value::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_any_other_shape_is_passed_over() {
        for json in ["null", "true", "[1,[2],{}]", r#"{"a":{"b":[]}}"#, "1", "-1", "1.5"] {
            assert_eq!(whole(json.as_bytes(), Text), Some(None), "{json}");
        }
        assert_eq!(whole(br#""a\u00e9""#, Text), Some(Some("aé".to_owned())));
        assert_eq!(whole(b"-7", Scalar), Some(Some("-7".to_owned())));
    }

    #[test]
    fn what_is_not_json_to_its_end_is_nothing() {
        for text in ["", "{", "{} x", "nul", "\u{feff}{}", "\"\\ud800\""] {
            assert_eq!(whole(text.as_bytes(), Text), None, "{text}");
        }
        assert_eq!(whole("[".repeat(1_000_000).as_bytes(), Text), None);
    }

    #[test]
    fn a_long_text_is_cut_between_two_characters() {
        let text = format!("\"{}\"", "é".repeat(10_000));
        let read = whole(text.as_bytes(), Text).flatten().unwrap();
        assert_eq!(read, "é".repeat(LONGEST_TEXT / 2));
    }
}
