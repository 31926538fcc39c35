//! The entries of a file before it is known whether they can be used, and those of a JSON object.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use xtrasecurity::{SecretValue, Secrets};

use crate::failure::Failure;
use crate::text::quoted;

/// Why a file cannot be used. It quotes no value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Something that is none of the form, and where: line and column.
    Form { line: usize, column: usize },
    /// Not what is wanted as a whole.
    Whole(&'static str),
    /// Names that come twice.
    Repeated(Vec<String>),
    /// Names whose values are not strings.
    NoTexts(Vec<String>),
}

/// Names and values in the order of a file, before it is known whether they can be used.
#[derive(Default)]
pub(super) struct Entries {
    pub(super) texts: Vec<(String, SecretValue)>,
    pub(super) others: Vec<String>,
}

impl Entries {
    pub(super) fn into_secrets(self) -> Result<Secrets, Flaw> {
        if !self.others.is_empty() {
            return Err(Flaw::NoTexts(self.others));
        }
        let mut names: Vec<&String> = self.texts.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        let mut repeated: Vec<String> = names
            .windows(2)
            .filter(|two| two.first() == two.last())
            .filter_map(|two| two.first().map(|name| (*name).clone()))
            .collect();
        repeated.dedup();
        if !repeated.is_empty() {
            return Err(Flaw::Repeated(repeated));
        }
        Ok(self.texts.into_iter().collect())
    }
}

impl Flaw {
    /// The same as a failure that names the file and its form.
    pub(super) fn of(&self, file: &str, form: &str) -> Failure {
        let names = |names: &[String]| quoted(names.iter().map(String::as_str));
        let what = match self {
            Self::Form { line, column } => format!("line {line}, column {column}: this is no {form}"),
            Self::Whole(what) => (*what).to_owned(),
            Self::Repeated(repeated) => format!("these names come more than once: {}", names(repeated)),
            Self::NoTexts(others) => format!(
                "these values are not strings (but numbers, dates, lists, yes or no, or nothing): {}. Quote each that is \
                 meant as one",
                names(others)
            ),
        };
        Failure::refused(format!("{file}: {what}. Nothing was written"))
    }
}

/// The members of a JSON object, in order.
pub(super) fn json_entries(text: &str) -> Result<Entries, Flaw> {
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
        let entries = json_entries(text).unwrap_or_else(|flaw| panic!("{flaw:?}"));
        let texts: Vec<_> = entries.texts.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        assert_eq!(texts, [("A", "a\nü🚀"), ("B", ""), ("A", "2")]);
        assert_eq!(entries.others, ["N", "I", "F", "T", "Z", "L", "O"]);
    }

    #[test]
    fn what_is_no_object_is_refused_with_its_place_and_not_quoted() {
        let flaw = |text| json_entries(text).err().unwrap();
        assert_eq!(flaw("{\"A\":\"a\",\n \"B\": canary}"), Flaw::Form { line: 2, column: 7 });
        assert!(matches!(flaw("{\"A\":\"a\"} x"), Flaw::Form { .. }));
        assert!(matches!(flaw(""), Flaw::Form { .. }));
        for text in ["[\"A\"]", "\"canary\"", "null", "5"] {
            assert!(matches!(flaw(text), Flaw::Whole(_)), "{text}");
        }
    }

    #[test]
    fn a_name_that_comes_twice_is_refused_once() {
        let texts = ["B", "A", "B", "C", "B", "A"].map(|name| (name.to_owned(), SecretValue::from("v"))).into();
        let flaw = Entries { texts, others: Vec::new() }.into_secrets().unwrap_err();
        assert_eq!(flaw, Flaw::Repeated(vec!["A".into(), "B".into()]));
    }
}
