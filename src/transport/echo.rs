//! Services repeat what they refuse. What a request carried is taken out of the answer that turns it down, because that is
//! what gets shown.

use std::collections::HashMap;
use std::ops::Range;

use serde::de::IgnoredAny;

/// A value of fewer bytes than this is left: it would be found in every other word.
const SHORTEST: usize = 4;

/// What must not be shown, by the character that each begins with.
type Hidden<'a> = HashMap<u32, Vec<Units<'a>>>;

/// Puts asterisks over the token, and over every value of the request's JSON body, where the answer repeats them. An answer in
/// JSON stays JSON: no escape is cut in two, and the names of its members stay as they are unless they hold the token.
pub(super) fn mask(token: &[u8], request: Option<&[u8]>, answer: &mut [u8]) {
    let mut values = values_of(request.unwrap_or_default());
    let mut found = Vec::new();
    let token = Units { text: token, at: 0, escapes: Escapes::None };
    if let Some(first) = token.first() {
        let alone = HashMap::from([(first, vec![token])]);
        find(&alone, answer, 0..answer.len(), Escapes::None, &mut found);
        values.entry(first).or_default().push(token);
    }
    if values.is_empty() {
        return;
    }
    if serde_json::from_slice::<IgnoredAny>(answer).is_ok() {
        for text in strings(answer).into_iter().filter(|text| !text.is_name) {
            find(&values, answer, text.at, Escapes::Json, &mut found);
        }
    } else {
        // Plain text has no escapes, but a JSON text that was cut does.
        for escapes in [Escapes::None, Escapes::Json] {
            find(&values, answer, 0..answer.len(), escapes, &mut found);
        }
    }
    // Only now: values may overlap, and one that is masked would no longer be found as a part of another.
    for place in found {
        if let Some(part) = answer.get_mut(place) {
            part.fill(b'*');
        }
    }
}

/// The values of a JSON body, as they are written there.
fn values_of(request: &[u8]) -> Hidden<'_> {
    let mut values = Hidden::new();
    for text in strings(request).into_iter().filter(|text| !text.is_name) {
        let Some(value) = request.get(text.at) else { continue };
        let value = Units { text: value, at: 0, escapes: Escapes::Json };
        let length = value.map(|unit| char::from_u32(unit).map_or(1, char::len_utf8)).sum::<usize>();
        if let Some(first) = value.first()
            && length >= SHORTEST
        {
            values.entry(first).or_default().push(value);
        }
    }
    values
}

/// Adds where the values stand within `place`.
fn find(values: &Hidden<'_>, answer: &[u8], place: Range<usize>, escapes: Escapes, found: &mut Vec<Range<usize>>) {
    let text = answer.get(..place.end).unwrap_or_default();
    let mut units = Units { text, at: place.start, escapes };
    loop {
        let here = units;
        let Some(first) = units.next() else { return };
        for value in values.get(&first).into_iter().flatten() {
            found.extend(here.end_of(*value).map(|end| here.at..end));
        }
    }
}

/// Whether backslashes mean something.
#[derive(Clone, Copy)]
enum Escapes {
    Json,
    None,
}

/// The characters of a text, each escape taken for what it stands for, because one text can be written in several ways. A byte
/// that is no text is a unit by itself.
#[derive(Clone, Copy)]
struct Units<'a> {
    text: &'a [u8],
    at: usize,
    escapes: Escapes,
}

impl Units<'_> {
    /// The first of them.
    fn first(mut self) -> Option<u32> {
        self.next()
    }

    /// Where `value` ends when it begins here.
    fn end_of(mut self, mut value: Units<'_>) -> Option<usize> {
        value.all(|unit| self.next() == Some(unit)).then_some(self.at)
    }
}

impl Iterator for Units<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let text = self.text.get(self.at..)?;
        let (unit, length) = match (self.escapes, text) {
            (Escapes::Json, [b'\\', b'u', code @ ..]) => match escaped(code) {
                Some((unit, length)) => (unit, 2 + length),
                None => (u32::from(b'\\'), 1),
            },
            (Escapes::Json, [b'\\', short, ..]) => (u32::from(unescaped(*short)), 2),
            (_, [byte, ..]) if byte.is_ascii() => (u32::from(*byte), 1),
            (_, [byte, ..]) => character(text).unwrap_or((NO_TEXT | u32::from(*byte), 1)),
            (_, []) => return None,
        };
        self.at += length;
        Some(unit)
    }
}

/// What a backslash and this letter stand for.
fn unescaped(letter: u8) -> u8 {
    match letter {
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        itself => itself,
    }
}

fn hexadecimal(code: &[u8]) -> Option<u32> {
    let digits = code.get(..4)?;
    digits.iter().try_fold(0, |sum, digit| Some(sum * 16 + char::from(*digit).to_digit(16)?))
}

/// Tells bytes that are no text from characters.
const NO_TEXT: u32 = 1 << 31;

/// The character that a text begins with, and its length.
fn character(text: &[u8]) -> Option<(u32, usize)> {
    let start = text.get(..text.len().min(4))?;
    let first = start.utf8_chunks().next()?.valid().chars().next()?;
    Some((u32::from(first), first.len_utf8()))
}

/// The character that the four digits after `\u` stand for, with the other half of it if it has two, and their length.
fn escaped(code: &[u8]) -> Option<(u32, usize)> {
    let unit = hexadecimal(code)?;
    let other = match code.get(4..) {
        Some([b'\\', b'u', other @ ..]) => hexadecimal(other),
        _ => None,
    };
    Some(match (unit, other) {
        (0xd800..=0xdbff, Some(low @ 0xdc00..=0xdfff)) => (0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00), 10),
        _ => (unit, 4),
    })
}

/// A string of a JSON text, as it is written there, without its quotes.
struct Text {
    at: Range<usize>,
    /// Whether it names a member rather than being a value.
    is_name: bool,
}

fn strings(json: &[u8]) -> Vec<Text> {
    let mut found = Vec::new();
    let mut start = None;
    let mut escaped = false;
    for (index, byte) in json.iter().enumerate() {
        match (start, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(first), b'"') => {
                let rest = json.get(index + 1..).unwrap_or_default().trim_ascii_start();
                found.push(Text { at: first..index, is_name: rest.first() == Some(&b':') });
                start = None;
            }
            (None, b'"') => start = Some(index + 1),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(request: &str, answer: &str) -> String {
        let mut answer = answer.as_bytes().to_vec();
        mask(b"", Some(request.as_bytes()), &mut answer);
        String::from_utf8(answer).unwrap()
    }

    #[test]
    fn values_of_the_request_are_taken_out_of_the_answer_in_json_and_in_plain_text() {
        let request = r#"{"secrets":{"KEY":"hunter2"},"branch":"main"}"#;
        assert_eq!(masked(request, r#"{"error":"hunter2 for KEY is weak"}"#), r#"{"error":"******* for KEY is weak"}"#);
        assert_eq!(masked(request, "hunter2 for KEY is weak"), "******* for KEY is weak");
    }

    #[test]
    fn escaped_values_are_found_as_they_are_written() {
        let request = r#"{"secrets":{"KEY":"a \"quoted\" one"}}"#;
        assert_eq!(masked(request, r#"{"error":"no: a \"quoted\" one"}"#), r#"{"error":"no: ****************"}"#);
    }

    #[test]
    fn the_names_of_the_answer_s_members_stay() {
        let request = r#"{"secrets":{"KEY":"error"}}"#;
        assert_eq!(masked(request, r#"{"error": "error"}"#), r#"{"error": "*****"}"#);
    }

    #[test]
    fn values_too_short_to_tell_apart_and_names_are_left() {
        let request = r#"{"secrets":{"KEY":"abc"}}"#;
        assert_eq!(masked(request, r#"{"error":"abc of secrets"}"#), r#"{"error":"abc of secrets"}"#);
    }

    #[test]
    fn a_value_that_begins_like_another_leaves_nothing_of_either() {
        let request = r#"{"secrets":{"A":"hunter2","B":"hunter2CANARY","C":"RYtail"}}"#;
        assert_eq!(masked(request, r#"{"error":"bad: hunter2CANARYtail"}"#), r#"{"error":"bad: *****************"}"#);
    }

    #[test]
    fn an_answer_in_json_stays_json() {
        let request = r#"{"secrets":{"A":"nightly","B":"u00e9t\u00e9","C":"\\\"q\\\""}}"#;
        let answer = r#"{"error":"line\nightly \u00e9t\u00e9 nightly \\\\\"q\\\"","more":["nightly",1]}"#;
        let left: serde_json::Value = serde_json::from_str(&masked(request, answer)).expect("JSON");
        assert_eq!(left["error"], "line\nightly été ******* \\*********");
        assert_eq!(left["more"], serde_json::json!(["*******", 1]));
    }

    #[test]
    fn an_escaped_value_is_found_in_a_text_that_is_not_json() {
        let request = r#"{"secrets":{"KEY":"pa\"ss\\wordCANARY"}}"#;
        assert_eq!(masked(request, r#"value pa"ss\wordCANARY for KEY"#), "value **************** for KEY");
        assert_eq!(masked(request, r#""KEY" has pa"ss\wordCANARY"#), r#""KEY" has ****************"#);
        assert_eq!(masked(request, r#"{"error":"pa\"ss\\wordCANARY for"#), r#"{"error":"****************** for"#);
    }

    #[test]
    fn an_answer_of_any_bytes_is_no_trouble() {
        let request = br#"{"a":"\u12","b":"\","c":"abcd\"#;
        for answer in [&b""[..], b"\\", b"\\u12", b"\\uZZZZ", b"\"\\", b"\xff\\\xfe\"", b"abcd"] {
            let mut masked = answer.to_vec();
            mask(b"token", Some(request), &mut masked);
            assert_eq!(masked.len(), answer.len());
        }
    }

    #[test]
    fn what_is_not_ascii_is_found_however_it_is_written() {
        let request = r#"{"secrets":{"KEY":"pässwörd🚀"}}"#;
        for written in ["pässwörd🚀", r"p\u00e4ssw\u00F6rd\ud83d\ude80", r"p\u00e4sswörd🚀"] {
            let left = masked(request, &format!(r#"{{"error":"no {written}!"}}"#));
            assert_eq!(left, format!(r#"{{"error":"no {}!"}}"#, "*".repeat(written.len())));
        }
    }

    #[test]
    fn the_token_is_found_however_it_is_written_and_in_names_too() {
        let token = "xs_a/b+c";
        for written in [token, r"xs_a\/b+c", r"xs_a/b\u002bc"] {
            for answer in [r#"{"error":"no ?!"}"#, "no ?!", r#"["no ?!"#] {
                let mut left = answer.replace('?', written).into_bytes();
                mask(token.as_bytes(), None, &mut left);
                assert_eq!(String::from_utf8(left).unwrap(), answer.replace('?', &"*".repeat(written.len())));
            }
        }
        let mut name = br#"{"xs_abc":1}"#.to_vec();
        mask(b"xs_abc", None, &mut name);
        assert_eq!(name, br#"{"******":1}"#);
    }
}
