//! The texts of a YAML mapping.
//!
//! Only events of the parser are used: whether something is a text is decided here, because readers do not agree on it, and
//! because nothing that refers to another part of the file (anchors, merges) belongs into a list of secrets.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};
use xtrasecurity::SecretValue;

use super::read::{Entries, Flaw};
use super::yaml_text::is_text_for_all;

const NO_MAPPING: Flaw = Flaw::Whole("it is YAML, but no mapping of names and texts");
const ODD_NAME: Flaw =
    Flaw::Whole("a name in it is no plain text: a list, a number, yes or no, a reference. Put it into quotes");
const MORE: Flaw = Flaw::Whole("it holds more than one document");

/// The entries of the mapping, in order.
pub(super) fn entries(text: &str) -> Result<Entries, Flaw> {
    let mut events = Events { parser: Parser::new_from_str(text) };
    let mut entries = Entries::default();
    loop {
        match events.next()? {
            Event::StreamEnd => return Ok(entries),
            Event::DocumentStart(_) => {}
            Event::MappingStart(_, None) => break,
            Event::Scalar(text, ScalarStyle::Plain, _, None) if text.is_empty() => {}
            Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
            _ => return Err(NO_MAPPING),
        }
    }
    loop {
        let name = match events.next()? {
            Event::MappingEnd => break,
            Event::Scalar(text, style, _, tag) if is_text(&text, style, tag.as_deref()) => text.into_owned(),
            _ => return Err(ODD_NAME),
        };
        match events.next()? {
            Event::Scalar(text, style, _, tag) if is_text(&text, style, tag.as_deref()) => {
                entries.texts.push((name, SecretValue::new(text.into_owned())));
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                events.skip()?;
                entries.others.push(name);
            }
            _ => entries.others.push(name),
        }
    }
    loop {
        match events.next()? {
            Event::StreamEnd => return Ok(entries),
            Event::DocumentStart(_) => return Err(MORE),
            _ => {}
        }
    }
}

struct Events<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
}

impl<'t> Events<'t> {
    fn next(&mut self) -> Result<Event<'t>, Flaw> {
        match self.parser.next_event() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(error)) => Err(flaw(&error)),
            None => Ok(Event::StreamEnd),
        }
    }

    /// Goes past the end of what has just begun.
    fn skip(&mut self) -> Result<(), Flaw> {
        let mut open = 1_usize;
        while open > 0 {
            match self.next()? {
                Event::SequenceStart(..) | Event::MappingStart(..) => open += 1,
                Event::SequenceEnd | Event::MappingEnd => open -= 1,
                Event::StreamEnd => return Err(NO_MAPPING),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Its words may quote the file: only the position may leave.
fn flaw(error: &ScanError) -> Flaw {
    Flaw::Form { line: error.marker().line(), column: error.marker().col() + 1 }
}

/// Whether every reader takes it for text, and for the same one.
fn is_text(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> bool {
    match tag {
        None => style != ScalarStyle::Plain || is_text_for_all(text),
        Some(tag) => tag.is_yaml_core_schema() && tag.suffix == "str",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(String, String)> {
        let entries = entries(text).unwrap_or_else(|flaw| panic!("{flaw:?}"));
        assert_eq!(entries.others, Vec::<String>::new());
        entries.texts.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect()
    }

    fn others(text: &str) -> Vec<String> {
        entries(text).unwrap_or_else(|flaw| panic!("{flaw:?}")).others
    }

    #[test]
    fn texts_of_every_style_are_taken_as_they_are() {
        let text = "# mine\n---\nPLAIN: postgres://u:p@h/d # not this\nSINGLE: 'it''s'\nDOUBLE: \"a\\n\\u00fc\\tb\"\n\
                    LITERAL: |\n  -----BEGIN\n   x\n  -----END\nKEPT: |+\n  a\n\nSTRIPPED: |-\n  a\nFOLDED: >-\n  a\n  b\n\
                    NUMBER: \"5432\"\nTAGGED: !!str 5432\n\"odd name\": v\nEMPTY: ''\n...\n";
        let expected = [
            ("PLAIN", "postgres://u:p@h/d"),
            ("SINGLE", "it's"),
            ("DOUBLE", "a\nü\tb"),
            ("LITERAL", "-----BEGIN\n x\n-----END\n"),
            ("KEPT", "a\n\n"),
            ("STRIPPED", "a"),
            ("FOLDED", "a b"),
            ("NUMBER", "5432"),
            ("TAGGED", "5432"),
            ("odd name", "v"),
            ("EMPTY", ""),
        ];
        assert_eq!(texts(text), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(texts("{A: a, 'B': \"b\"}").len(), 2);
    }

    #[test]
    fn everything_else_is_named() {
        let text = "A: 5432\nB: yes\nC:\nD: ~\nE: [a, [b]]\nF: {a: {b: c}}\nG: 2024-01-01\nH: !!int \"5\"\nI: !!binary aGk=\n\
                    J: !own x\nOK: text\n";
        assert_eq!(others(text), ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"]);
        assert_eq!(others("A: &a text\nB: *a\n"), ["B"], "a reference is no text");
    }

    #[test]
    fn what_is_no_mapping_of_names_is_refused_and_not_quoted() {
        let flaw = |text| entries(text).err().unwrap();
        assert_eq!(flaw("- a\n"), NO_MAPPING);
        assert_eq!(flaw("canary\n"), NO_MAPPING);
        assert_eq!(flaw("!!set {a: b}"), NO_MAPPING);
        assert_eq!(flaw("A: a\n---\nB: b\n"), MORE);
        for name in ["yes: a", "5: a", "? [a]\n: b", "<<: {a: b}", "<<: text", "? {a: b}\n: c"] {
            assert_eq!(flaw(name), ODD_NAME, "{name}");
        }
        for broken in ["A: 'canary", "A: \"canary\\q\"", "A: a\n B: canary", "A: canary: b", "A: [canary"] {
            let Flaw::Form { line, .. } = flaw(broken) else { panic!("{broken}") };
            assert!(line >= 1, "{broken}");
        }
    }

    #[test]
    fn an_empty_file_holds_nothing() {
        for text in ["", "# a comment\n", "---\n", "{}"] {
            assert!(texts(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn no_damage_to_a_file_makes_the_parser_panic() {
        let whole = "# c\n---\nA: 'x''y'\nB: \"\\u00fc\"\nC: |2-\n    a\n   b\nD: >+\n a\n\n b\nE: {a: [b, *c]}\n? F\n: !t &c g\n...\n";
        for cut in 0..whole.len() {
            for other in
                ["", "'", "\"", "\n", "\t", ":", "[", "}", "|", "&", "*", "!", "%", "\u{feff}", "\r", "\0", "- ", "? "]
            {
                let _ = entries(&format!("{}{other}{}", &whole[..cut], &whole[cut..]));
                let _ = entries(&format!("{}{other}", &whole[..cut]));
            }
        }
    }
}
