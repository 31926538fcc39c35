//! The texts of a JSON object.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use xtrasecurity::SecretValue;

use super::read::{Entries, Flaw};

/// The members of the object, in order.
pub(super) fn entries(text: &str) -> Result<Entries, Flaw> {
    // Its errors quote what they met: only the position may leave.
    let members: Members = serde_json::from_str(text).map_err(|error| match error.is_data() {
        true => Flaw::Whole("it is JSON, but no object of names and texts"),
        false => Flaw::Form { line: error.line(), column: error.column() },
    })?;
    let mut entries = Entries::default();
    for (name, text) in members.0 {
        match text.0 {
            Some(text) => entries.texts.push((name, text)),
            None => entries.others.push(name),
        }
    }
    Ok(entries)
}

/// Each member, also of a name that comes again.
struct Members(Vec<(String, Text)>);

/// A text; `None` for anything else.
struct Text(Option<SecretValue>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        from.deserialize_map(Object)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(Some(text.into())))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Text, E> {
                Ok(Text(None))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Text, E> {
                Ok(Text(None))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Text, E> {
                Ok(Text(None))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Text, E> {
                Ok(Text(None))
            }

            fn visit_unit<E>(self) -> Result<Text, E> {
                Ok(Text(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Text, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }
        }

        from.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_taken_exactly_and_everything_else_is_named() {
        let text = r#"{"A":"a\n\u00fc\ud83d\ude80","N":5432,"I":-1,"F":1.5,"T":true,"Z":null,"L":["x"],"O":{"x":1},"B":"","A":"2"}"#;
        let entries = entries(text).unwrap_or_else(|flaw| panic!("{flaw:?}"));
        let texts: Vec<_> = entries.texts.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        assert_eq!(texts, [("A", "a\nü🚀"), ("B", ""), ("A", "2")]);
        assert_eq!(entries.others, ["N", "I", "F", "T", "Z", "L", "O"]);
    }

    #[test]
    fn what_is_no_object_is_refused_with_its_place_and_not_quoted() {
        let flaw = |text| entries(text).err().unwrap();
        assert_eq!(flaw("{\"A\":\"a\",\n \"B\": canary}"), Flaw::Form { line: 2, column: 7 });
        assert!(matches!(flaw("{\"A\":\"a\"} x"), Flaw::Form { .. }));
        assert!(matches!(flaw(""), Flaw::Form { .. }));
        for text in ["[\"A\"]", "\"canary\"", "null", "5"] {
            assert!(matches!(flaw(text), Flaw::Whole(_)), "{text}");
        }
    }
}
