//! Members of small JSON files that may hold tokens: their contents are never quoted.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};

pub(crate) use crate::core::file::{FileError, is_open_to_others, read};

/// The texts of these members of a JSON object, with or without a byte order mark. Empty texts count as absent, and other
/// members are ignored.
pub(crate) fn texts(content: &[u8], members: &[&str]) -> Result<Vec<Option<String>>, FileError> {
    let json = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let read = Members(members).deserialize(&mut deserializer);
    // the error quotes what it met: only the position may leave
    read.and_then(|texts| deserializer.end().map(|()| texts)).map_err(|error| FileError::Json {
        line: error.line(),
        column: error.column(),
        category: error.classify(),
    })
}

/// Names as a sentence lists them: `` `a`, `b` and `c` ``.
pub(super) fn listed(names: &[&str], last: &str) -> String {
    match names {
        [] => String::new(),
        [name] => format!("`{name}`"),
        [first @ .., name] => {
            let first: Vec<_> = first.iter().map(|name| format!("`{name}`")).collect();
            format!("{} {last} `{name}`", first.join(", "))
        }
    }
}

/// Reads the texts of named members of an object, without a buffer of the others.
struct Members<'m>(&'m [&'m str]);

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Vec<Option<String>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Vec<Option<String>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut texts = vec![None; self.0.len()];
        while let Some(name) = map.next_key::<String>()? {
            match self.0.iter().zip(&mut texts).find(|(known, _)| **known == name) {
                // readers do not agree on which of the two counts
                Some((_, Some(_))) => return Err(A::Error::custom("a member that is there twice")),
                Some((_, text)) => *text = Some(map.next_value::<Option<String>>()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(texts.into_iter().map(|text| text.flatten().filter(|text| !text.is_empty())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(content: &[u8]) -> Result<Option<String>, FileError> {
        texts(content, &["name"]).map(|mut texts| texts.remove(0))
    }

    fn problem(content: &[u8]) -> String {
        name(content).unwrap_err().to_string()
    }

    #[test]
    fn json_is_read_with_and_without_a_byte_order_mark() {
        for content in [&b"{\"name\": \"a\", \"other\": [1]}"[..], b"\xef\xbb\xbf{\"name\": \"a\"}"] {
            assert_eq!(name(content).unwrap().as_deref(), Some("a"));
        }
        for absent in [&b"{\"name\": null}"[..], b"{\"name\": \"\"}", b"{}"] {
            assert_eq!(name(absent).unwrap(), None);
        }
    }

    #[test]
    fn a_json_problem_tells_kind_and_position_and_quotes_nothing() {
        let wrong_type = problem(b"{\n  \"name\": {\"hunter2\": 1}\n}");
        assert!(wrong_type.contains("wrong type at line 2, column"), "{wrong_type}");
        let syntax = problem(b"{\n\n hunter2}");
        assert!(syntax.contains("not JSON at line 3, column 2"), "{syntax}");
        let end = problem(b"{\"name\": \"hunter2");
        assert!(end.contains("comes too early at line 1"), "{end}");
        for text in [
            wrong_type,
            syntax,
            end,
            problem(b"\"hunter2\""),
            problem(b"{\"name\": 12345}"),
            problem(b"{} {}"),
            problem(b"{\"name\": \"\", \"name\": \"hunter2\"}"),
        ] {
            assert!(!text.contains("hunter2") && !text.contains("12345"), "{text}");
        }
    }
}
