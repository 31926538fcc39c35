//! Services repeat what they refuse. What a request carried is taken out of the answer that turns it down, because that is
//! what gets shown.

use std::ops::Range;

/// A value shorter than this is left: it would be found in every other word.
const SHORTEST: usize = 4;

/// Puts asterisks over every value of the request's JSON body that the answer repeats. Names of members stay as they are, so
/// the answer can still be read.
pub(super) fn mask_values(request: &[u8], answer: &mut [u8]) {
    let places: Vec<Range<usize>> = match answer.trim_ascii_start().first() {
        Some(b'{' | b'[') => strings(answer).into_iter().filter(|text| !text.is_name).map(|text| text.at).collect(),
        _ => std::iter::once(0..answer.len()).collect(),
    };
    let sent = strings(request);
    let values = sent.iter().filter(|text| !text.is_name).filter_map(|text| request.get(text.at.clone()));
    for value in values.filter(|value| value.len() >= SHORTEST) {
        for place in &places {
            if let Some(text) = answer.get_mut(place.clone()) {
                mask(value, text);
            }
        }
    }
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
}
