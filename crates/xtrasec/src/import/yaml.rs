//! The texts of a YAML mapping.
//!
//! Only events of the parser are used: whether something is a text is decided here, because readers do not agree on it, and
//! because nothing that refers to another part of the file (anchors, merges) belongs into a list of secrets.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};
use xtrasecurity::SecretValue;

use super::forms::{Entries, Flaw};

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

/// Whether no reader, of YAML 1.1 or 1.2, takes these characters for anything but text.
fn is_text_for_all(plain: &str) -> bool {
    !(is_word(plain) || is_number(plain) || is_sexagesimal(plain) || is_date(plain))
}

/// Nothing, yes or no, and the words with a meaning of their own.
fn is_word(plain: &str) -> bool {
    const WORDS: [&str; 18] = [
        "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "=", "<<", ".inf", "+.inf", "-.inf",
        ".nan", "nil",
    ];
    WORDS.iter().any(|word| plain.eq_ignore_ascii_case(word))
}

fn is_number(plain: &str) -> bool {
    let digits = plain.strip_prefix(['+', '-']).unwrap_or(plain);
    let of = |prefix: &str, allowed: fn(&char) -> bool| {
        let rest = digits.strip_prefix(prefix).or_else(|| digits.strip_prefix(&prefix.to_ascii_uppercase()));
        rest.is_some_and(|rest| rest.chars().all(|character| character == '_' || allowed(&character)))
    };
    of("0x", char::is_ascii_hexdigit)
        || of("0o", char::is_ascii_digit)
        || of("0b", char::is_ascii_digit)
        || is_decimal(digits)
}

/// Digits with at most one point and one exponent. Some readers allow `_` and `,` between them.
fn is_decimal(digits: &str) -> bool {
    let (digits, exponent) = match digits.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (digits, None),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |text: &str| text.chars().all(|character| character.is_ascii_digit() || matches!(character, '_' | ','));
    plain(whole)
        && plain(part)
        && digits.contains(|character: char| character.is_ascii_digit())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && plain(exponent))
}

/// `1:30:00`, which YAML 1.1 counts in sixties.
fn is_sexagesimal(plain: &str) -> bool {
    let digits = plain.strip_prefix(['+', '-']).unwrap_or(plain);
    let mut parts = digits.split(':');
    let first = parts.next().unwrap_or_default();
    let mut more = parts.peekable();
    more.peek().is_some()
        && is_decimal(first)
        && more.all(|part| part.split('.').next().is_some_and(|whole| whole.len() <= 2) && is_decimal(part))
}

/// `2024-01-31`, with or without a time behind it.
fn is_date(plain: &str) -> bool {
    let mut parts = plain.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let day = rest.find(|character: char| !character.is_ascii_digit()).map_or(rest, |end| rest.split_at(end).0);
    let behind = rest.strip_prefix(day).unwrap_or_default();
    number(year)
        && year.len() == 4
        && number(month)
        && month.len() <= 2
        && number(day)
        && day.len() <= 2
        && (behind.is_empty() || behind.starts_with(['T', 't', ' ', '\t']))
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

    #[test]
    fn what_some_reader_converts_is_no_text() {
        for plain in [
            "",
            "~",
            "null",
            "Null",
            "NULL",
            "true",
            "False",
            "YES",
            "no",
            "On",
            "off",
            "y",
            "N",
            "=",
            "<<",
            ".inf",
            "-.Inf",
            ".NaN",
            "0",
            "5432",
            "-1",
            "+1",
            "007",
            "0o17",
            "0x1F",
            "0b101",
            "1_000",
            "1,000",
            "1.5",
            ".5",
            "1.",
            "1e3",
            "1E-3",
            "6.02e+23",
            "12e03",
            "1:30",
            "190:20:30",
            "20:30.15",
            "2024-01-31",
            "2024-1-3",
            "2024-01-31T10:00:00Z",
            "2001-12-14 21:59:43.10 -5",
        ] {
            assert!(!is_text_for_all(plain), "{plain}");
        }
    }

    #[test]
    fn what_everybody_reads_as_text_needs_no_quotes() {
        for plain in [
            "a",
            "debug",
            "nope",
            "yes sir",
            "10.0.0.1",
            "1.2.3",
            "5432/tcp",
            "0xyz",
            "deadbeef",
            "e5",
            ".",
            "+",
            "-x",
            "1a",
            "12:34:56:78:9a:bc",
            "localhost:5432",
            "1e",
            "2024-01",
            "2024-01-31-rc1",
            "555-12-1234",
            "v1",
            "https://h:80/p?q=1",
            "1:999",
            "==",
            "...x",
        ] {
            assert!(is_text_for_all(plain), "{plain}");
        }
    }
}
