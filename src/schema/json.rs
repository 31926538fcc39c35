//! The JSON that a secret holds.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use zeroize::Zeroize as _;

use super::tree::Tree;

/// The tree of a JSON text, or what is wrong with the text.
///
/// A name that comes twice in one object is refused: readers do not agree on which of the values counts.
pub(super) fn parse(text: &str) -> Result<Tree, String> {
    // a place is no content: the parser's own words would quote some
    let flawed = |error: serde_json::Error| {
        let flaw = match error.classify() {
            Category::Data => "holds a name twice in one object",
            _ => "is not valid JSON",
        };
        format!("{flaw} (line {}, column {})", error.line(), error.column())
    };
    // nothing is built before the text is known to be right: what a parser has built when it fails is not wiped
    serde_json::from_slice::<Distinct>(text.as_bytes()).map_err(flawed)?;
    serde_json::from_slice(text.as_bytes()).map(Tree).map_err(flawed)
}

/// Any value, in whose objects each name comes once. It keeps nothing.
struct Distinct;

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Distinct {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        let mut names = Names(BTreeSet::new());
        while let Some(name) = entries.next_key::<String>()? {
            if let Some(mut first) = names.0.replace(name) {
                first.zeroize();
                return Err(A::Error::custom("a name comes twice"));
            }
            entries.next_value::<Self>()?;
        }
        Ok(self)
    }
}

/// The names of one object. Those of a map are data, so they are wiped.
struct Names(BTreeSet<String>);

impl Drop for Names {
    fn drop(&mut self) {
        for mut name in std::mem::take(&mut self.0) {
            name.zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_twice_in_one_object_is_refused_and_nothing_is_quoted() {
        for text in [
            r#"{"canary":1,"canary":2}"#,
            r#"[{"x":{"a":"canary","\u0061":"canary"}}]"#,
            "{\"canary\":1,\n\"a\":{},\"canary\":1}",
        ] {
            let problem = parse(text).err().unwrap_or_default();
            assert!(problem.starts_with("holds a name twice in one object (line "), "{problem}");
            assert!(!problem.contains("canary"), "{problem}");
        }
        for text in [r#"{"a":{"a":{"a":[1,-1,0.5,null,true,"x"]}},"b":{"a":1}}"#, "[]", "{}"] {
            assert!(parse(text).is_ok(), "{text}");
        }
        assert_eq!(parse("{\"canary\"").err().as_deref(), Some("is not valid JSON (line 1, column 9)"));
    }
}
