//! The entries of a file and what is wrong with them, in any form, and those of a JSON object.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use xtrasecurity::SecretValue;
use xtrasecurity::dotenv::{Document, EncryptedBy};

use crate::text::printable;

/// What a file holds.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) entries: Vec<Entry>,
    pub(super) flaws: Vec<Flaw>,
}

/// A name, and its value if that is a text.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: Option<SecretValue>,
    pub(super) line: usize,
}

/// Why a line cannot be used, or, without one, the whole. It quotes no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) line: Option<usize>,
    pub(super) what: String,
}

impl Flaw {
    pub(super) fn at(line: usize, what: impl Into<String>) -> Self {
        Self { line: Some(line), what: what.into() }
    }

    /// Not what is wanted as a whole.
    pub(super) fn whole(what: &str) -> Self {
        Self { line: None, what: what.to_owned() }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl Contents {
    /// Of a file that has no entries that could be told of.
    pub(super) fn flawed(flaw: Flaw) -> Self {
        Self { entries: Vec::new(), flaws: vec![flaw] }
    }

    /// The tool that has encrypted the values, if one has.
    pub(super) fn encrypted_by(&self) -> Option<EncryptedBy> {
        // in a structured file sops keeps what it needs itself under its name
        let is_of_sops = |entry: &Entry| entry.name == "sops" && entry.value.is_none();
        let of = |entry: &Entry| match &entry.value {
            Some(value) => EncryptedBy::of_value(value.expose()),
            None => is_of_sops(entry).then_some(EncryptedBy::Sops),
        };
        self.entries.iter().find_map(of)
    }

    /// The lines that first give the names.
    pub(super) fn lines(&self) -> HashMap<&str, usize> {
        self.entries.iter().rev().map(|entry| (entry.name.as_str(), entry.line)).collect()
    }

    /// Names and values, each name once.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (String, SecretValue)> {
        let mut seen = std::collections::HashSet::new();
        let texts = self.entries.iter().filter_map(|entry| Some((entry.name.as_str(), entry.value.as_ref()?)));
        texts.filter(move |(name, _)| seen.insert(*name)).map(|(name, value)| (name.to_owned(), value.clone()))
    }

    /// Adds what is wrong with entries of a form that has other values than texts, and says nothing of names that come twice.
    fn checked(mut self) -> Self {
        let mut first: HashMap<&str, usize> = HashMap::new();
        let mut flaws = Vec::new();
        for entry in &self.entries {
            let name = printable(&entry.name);
            if entry.value.is_none() {
                let what = format!("the value of \"{name}\" is not a string: quote it");
                flaws.push(Flaw::at(entry.line, what));
            }
            match first.get(entry.name.as_str()) {
                Some(line) => {
                    flaws.push(Flaw::at(
                        entry.line,
                        format!("\"{name}\" is given in line {line} already. Remove one of them"),
                    ));
                }
                None => drop(first.insert(&entry.name, entry.line)),
            }
        }
        self.flaws.extend(flaws);
        self
    }
}

/// The assignments of a `.env` text.
pub(super) fn of_dotenv(text: &str) -> Contents {
    let Document { entries, flaws, .. } = Document::parse(text);
    Contents {
        entries: entries
            .into_iter()
            .map(|entry| Entry { name: entry.name, value: Some(entry.value), line: entry.line })
            .collect(),
        flaws: flaws.iter().map(|flaw| Flaw::at(flaw.line(), flaw.problem())).collect(),
    }
}

/// The entries of a YAML mapping.
pub(super) fn of_yaml(text: &str) -> Contents {
    super::yaml::contents(text).checked()
}

/// The members of a JSON object, in order.
pub(super) fn of_json(text: &str) -> Contents {
    // Its errors quote what they met: only the position may leave.
    let members: Members = match serde_json::from_str(text) {
        Ok(members) => members,
        Err(error) if error.is_data() => {
            return Contents::flawed(Flaw::whole("it is JSON, but no object of names and texts"));
        }
        Err(error) => {
            return Contents::flawed(Flaw::at(error.line(), format!("column {}: this is no JSON", error.column())));
        }
    };
    let lines = member_lines(text);
    let entries = members.0.into_iter().zip(lines).map(|((name, text), line)| Entry { name, value: text.0, line });
    Contents { entries: entries.collect(), flaws: Vec::new() }.checked()
}

/// The lines of the names in an object that has been read.
fn member_lines(text: &str) -> Vec<usize> {
    let (mut lines, mut line, mut depth) = (Vec::new(), 1, 0_usize);
    let mut before = b' ';
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\n' => line += 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                if depth == 1 && before != b':' {
                    lines.push(line);
                }
                // to the end of the text: a line break in it is an escape
                while let Some(inside) = bytes.next() {
                    match inside {
                        b'"' => break,
                        b'\\' => drop(bytes.next()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
    }
    lines
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

    fn told(contents: &Contents) -> Vec<String> {
        contents.flaws.iter().map(Flaw::to_string).collect()
    }

    #[test]
    fn texts_are_taken_exactly_and_everything_else_is_named_with_its_line() {
        let text = "{\"A\":\"a\\n\\u00fc\\ud83d\\ude80\",\n\"N\":5432,\"I\":-1,\n\"F\":1.5,\"T\":true,\"Z\":null,\"L\":[\"x\",\n\"y\"],\"O\":{\"x\":\"1\"},\n\"\\\"{B\":\"\"}";
        let contents = of_json(text);
        let texts: Vec<_> = contents.pairs().map(|(name, value)| (name, value.expose().to_owned())).collect();
        assert_eq!(texts, [("A", "a\nü🚀"), ("\"{B", "")].map(|(name, value)| (name.to_owned(), value.to_owned())));
        let others: Vec<_> = contents.flaws.iter().map(|flaw| flaw.line.unwrap()).collect();
        assert_eq!(others, [2, 2, 3, 3, 3, 3, 4]);
        assert_eq!(contents.lines().get("\"{B"), Some(&5));
        assert!(told(&contents)[0].starts_with("line 2: the value of \"N\" is not a string"));
    }

    #[test]
    fn what_is_no_object_is_refused_with_its_place_and_not_quoted() {
        let flaw = |text| told(&of_json(text)).remove(0);
        assert_eq!(flaw("{\"A\":\"a\",\n \"B\": canary}"), "line 2: column 7: this is no JSON");
        assert!(flaw("{\"A\":\"a\"} x").starts_with("line 1"));
        assert!(flaw("").starts_with("line 1"));
        for text in ["[\"A\"]", "\"canary\"", "null", "5"] {
            assert!(flaw(text).contains("no object"), "{text}");
        }
    }

    #[test]
    fn a_name_that_comes_twice_is_told_each_time_with_both_lines() {
        for contents in [of_json("{\"B\":\"v\",\n\"A\":\"v\",\n\"B\":\"w\"}"), of_yaml("B: v\nA: v\nB: w\n")] {
            assert_eq!(told(&contents), ["line 3: \"B\" is given in line 1 already. Remove one of them"]);
            assert_eq!(contents.pairs().count(), 2);
        }
        assert_eq!(
            told(&of_dotenv("B=v\nA=v\nB=w\n")),
            ["line 3: it gives a name that line 1 gives already. Remove one of them"]
        );
    }

    #[test]
    fn ciphertext_of_a_tool_is_known_in_every_form() {
        let value = "ENC[AES256_GCM,data:x8Yb,iv:3+qa=,tag:kg==,type:str]";
        for contents in [
            of_dotenv(&format!("A=1\nB={value}\n")),
            of_json(&format!("{{\"A\":\"{value}\"}}")),
            of_yaml(&format!("A: {value}\n")),
            of_json("{\"db\":{\"A\":\"ENC\"},\"sops\":{\"mac\":\"x\"}}"),
            of_yaml("db: {a: b}\nsops:\n    mac: x\n"),
        ] {
            assert_eq!(contents.encrypted_by(), Some(EncryptedBy::Sops));
        }
        assert_eq!(of_dotenv("sops=1\nA=ENC\n").encrypted_by(), None);
    }
}
