//! Services repeat what they refuse. What a request carried is taken out of the answer that turns it down, because that is
//! what gets shown.

use std::collections::HashMap;
use std::ops::Range;

use serde::de::IgnoredAny;

/// A value of fewer bytes than this is left: it would be found in every other word.
const SHORTEST: usize = 4;

/// Puts asterisks over every value of the request's JSON body that the answer repeats. An answer in JSON stays JSON: the
/// names of its members stay as they are, and no escape is cut in two.
pub(super) fn mask_values(request: &[u8], answer: &mut [u8]) {
    let values = values_of(request);
    if values.is_empty() {
        return;
    }
    let mut found = Vec::new();
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

/// The values of a JSON body as they are written there, by the byte that each begins with.
fn values_of(request: &[u8]) -> HashMap<u32, Vec<&[u8]>> {
    let mut values: HashMap<u32, Vec<&[u8]>> = HashMap::new();
    for text in strings(request).into_iter().filter(|text| !text.is_name) {
        let Some(value) = request.get(text.at) else { continue };
        let mut units = Units { text: value, at: 0, escapes: Escapes::Json };
        if let Some(first) = units.next()
            && units.count() + 1 >= SHORTEST
        {
            values.entry(first).or_default().push(value);
        }
    }
    values
}

/// Adds where the values stand within `place`.
fn find(
    values: &HashMap<u32, Vec<&[u8]>>,
    answer: &[u8],
    place: Range<usize>,
    escapes: Escapes,
    found: &mut Vec<Range<usize>>,
) {
    let text = answer.get(..place.end).unwrap_or_default();
    let mut units = Units { text, at: place.start, escapes };
    loop {
        let here = units;
        let Some(first) = units.next() else { return };
        for value in values.get(&first).into_iter().flatten() {
            found.extend(here.end_of(value).map(|end| here.at..end));
        }
    }
}

/// Whether backslashes mean something.
#[derive(Clone, Copy)]
enum Escapes {
    Json,
    None,
}

/// The bytes of a text, each escape taken for what it stands for.
#[derive(Clone, Copy)]
struct Units<'a> {
    text: &'a [u8],
    at: usize,
    escapes: Escapes,
}

impl Units<'_> {
    /// Where `value`, written as in JSON, ends when it begins here.
    fn end_of(mut self, value: &[u8]) -> Option<usize> {
        let mut value = Units { text: value, at: 0, escapes: Escapes::Json };
        value.all(|unit| self.next() == Some(unit)).then_some(self.at)
    }
}

impl Iterator for Units<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (unit, length) = match (self.escapes, self.text.get(self.at..)?) {
            (Escapes::Json, [b'\\', b'u', code @ ..]) => match hexadecimal(code) {
                Some(unit) => (unit, 6),
                None => (u32::from(b'\\'), 1),
            },
            (Escapes::Json, [b'\\', short, ..]) => (u32::from(unescaped(*short)), 2),
            (_, [byte, ..]) => (u32::from(*byte), 1),
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

/// Puts asterisks over every occurrence of `secret`.
pub(super) fn mask(secret: &[u8], text: &mut [u8]) {
    if secret.is_empty() {
        return;
    }
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.windows(secret.len()).position(|part| part == secret))
    {
        let end = from + found + secret.len();
        if let Some(part) = text.get_mut(from + found..end) {
            part.fill(b'*');
        }
        from = end;
    }
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
        mask_values(request.as_bytes(), &mut answer);
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
            mask_values(request, &mut masked);
            assert_eq!(masked.len(), answer.len());
        }
    }
}
