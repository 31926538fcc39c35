//! The texts of a YAML mapping.
//!
//! Only events of the parser are used: whether something is a text is decided here, because readers do not agree on it, and
//! because nothing that refers to another part of the file (anchors, merges) belongs into a list of secrets.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};
use xtrasecurity::SecretValue;

use super::forms::{Contents, Entry, Flaw};

const NO_MAPPING: &str = "it is YAML, but no mapping of names and texts";
const MORE: &str = "it holds more than one document";
const ODD_NAME: &str = "the name is no plain text: a list, a number, yes or no, a reference. Put it into quotes";

/// The entries of the mapping, in order, as far as the file is YAML.
pub(super) fn contents(text: &str) -> Contents {
    let mut contents = Contents::default();
    if let Err(flaw) = read(&mut Events { parser: Parser::new_from_str(text) }, &mut contents) {
        contents.flaws.push(flaw);
    }
    contents
}

fn read(events: &mut Events<'_>, contents: &mut Contents) -> Result<(), Flaw> {
    loop {
        match events.next()?.0 {
            Event::StreamEnd => return Ok(()),
            Event::DocumentStart(_) => {}
            Event::MappingStart(_, None) => break,
            Event::Scalar(text, ScalarStyle::Plain, _, None) if text.is_empty() => {}
            Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
            _ => return Err(Flaw::whole(NO_MAPPING)),
        }
    }
    loop {
        let (name, line) = events.next()?;
        let name = match name {
            Event::MappingEnd => break,
            name => text_of(name, events)?,
        };
        let (value, _) = events.next()?;
        let value = text_of(value, events)?.map(SecretValue::new);
        match name {
            Some(name) => contents.entries.push(Entry { name, value, line }),
            None => contents.flaws.push(Flaw::at(line, ODD_NAME)),
        }
    }
    loop {
        match events.next()?.0 {
            Event::StreamEnd => return Ok(()),
            Event::DocumentStart(_) => return Err(Flaw::whole(MORE)),
            _ => {}
        }
    }
}

/// The text that has just begun; of anything else, what there is of it is passed over.
fn text_of(event: Event<'_>, events: &mut Events<'_>) -> Result<Option<String>, Flaw> {
    match event {
        Event::Scalar(text, style, _, tag) if is_text(&text, style, tag.as_deref()) => Ok(Some(text.into_owned())),
        Event::SequenceStart(..) | Event::MappingStart(..) => events.skip().map(|()| None),
        _ => Ok(None),
    }
}

struct Events<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
}

impl<'t> Events<'t> {
    /// The next event, and the line that it begins on.
    fn next(&mut self) -> Result<(Event<'t>, usize), Flaw> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, span.start.line())),
            Some(Err(error)) => Err(flaw(&error)),
            None => Ok((Event::StreamEnd, 0)),
        }
    }

    /// Goes past the end of what has just begun.
    fn skip(&mut self) -> Result<(), Flaw> {
        let mut open = 1_usize;
        while open > 0 {
            match self.next()?.0 {
                Event::SequenceStart(..) | Event::MappingStart(..) => open += 1,
                Event::SequenceEnd | Event::MappingEnd => open -= 1,
                Event::StreamEnd => return Err(Flaw::whole(NO_MAPPING)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Its words may quote the file: only the position may leave.
fn flaw(error: &ScanError) -> Flaw {
    Flaw::at(error.marker().line(), format!("column {}: this is no YAML", error.marker().col() + 1))
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
        let contents = contents(text);
        assert_eq!(contents.flaws, []);
        contents.pairs().map(|(name, value)| (name, value.expose().to_owned())).collect()
    }

    fn others(text: &str) -> Vec<String> {
        let contents = contents(text);
        assert_eq!(contents.flaws, []);
        contents.entries.into_iter().filter(|entry| entry.value.is_none()).map(|entry| entry.name).collect()
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
        let flaw = |text| contents(text).flaws.remove(0);
        for text in ["- a\n", "canary\n", "!!set {a: b}"] {
            assert_eq!(flaw(text), Flaw::whole(NO_MAPPING));
        }
        assert_eq!(flaw("A: a\n---\nB: b\n"), Flaw::whole(MORE));
        for name in ["yes: a", "5: a", "? [a]\n: b", "<<: {a: b}", "<<: text", "? {a: b}\n: c"] {
            assert_eq!(flaw(name).what, ODD_NAME, "{name}");
        }
        for broken in ["A: 'canary", "A: \"canary\\q\"", "A: a\n B: canary", "A: canary: b", "A: [canary"] {
            let flaw = flaw(broken);
            assert!(flaw.line.is_some() && !flaw.what.contains("canary"), "{broken}");
        }
    }

    #[test]
    fn everything_wrong_before_the_end_of_what_is_yaml_is_told_with_its_line() {
        let contents = contents("A: a\n5: x\nB: |\n  b\n  b\n[x]: {a: b}\nC: c\nD: 'open");
        let lines: Vec<_> = contents.flaws.iter().filter_map(|flaw| flaw.line).collect();
        assert_eq!(lines.get(..2), Some(&[2, 6][..]));
        assert_eq!(lines.len(), 3);
        let names: Vec<_> = contents.entries.iter().map(|entry| (entry.name.as_str(), entry.line)).collect();
        assert_eq!(names, [("A", 1), ("B", 3), ("C", 7)]);
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
                let _ = contents(&format!("{}{other}{}", &whole[..cut], &whole[cut..]));
                let _ = contents(&format!("{}{other}", &whole[..cut]));
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
