//! What an error answer says, found by its content: the service sends JSON as text/plain, plain text, HTML, or nothing.

use serde_json::Value;

use crate::error::Conflict;

/// The service's own words are cut to this many characters.
const LONGEST: usize = 200;

/// Longer bodies are pages or dumps, not messages.
const LARGEST_BODY: usize = 1024 * 1024;

/// A run of this many characters without a space is data (ciphertext, a token, a URL), not a word.
const LONGEST_WORD: usize = 32;

/// An error body, taken apart.
#[derive(Debug, Default)]
pub(crate) struct ServerWords {
    /// The message, when there is one that may be shown.
    pub(crate) said: Option<String>,
    /// The machine-readable code.
    pub(crate) code: Option<String>,
    /// What the service asks to be done first (`request_jit`).
    pub(crate) action: Option<String>,
    /// Keys that a conditional write found changed.
    pub(crate) conflicts: Vec<Conflict>,
    /// Whether the body is an HTML page, and so came from no route of the API.
    pub(crate) html: bool,
}

impl ServerWords {
    pub(crate) fn of(body: &[u8]) -> Self {
        if body.len() > LARGEST_BODY {
            return Self::default();
        }
        match serde_json::from_slice(body) {
            Ok(json) => Self::of_json(&json),
            Err(_) => Self::of_text(&String::from_utf8_lossy(body)),
        }
    }

    fn of_json(json: &Value) -> Self {
        if let Value::String(text) = json {
            return Self { said: clean(text), ..Self::default() };
        }
        let text = |field: &str| json.get(field).and_then(Value::as_str);
        Self {
            // where both are sent, `error` is the title and `message` the explanation
            said: text("message").and_then(clean).or_else(|| text("error").and_then(clean)),
            code: text("code").and_then(identifier),
            action: text("action").and_then(identifier),
            conflicts: json
                .get("conflicts")
                .and_then(Value::as_array)
                .map(Vec::as_slice)
                .unwrap_or_default()
                .iter()
                .filter_map(conflict)
                .collect(),
            html: false,
        }
    }

    fn of_text(text: &str) -> Self {
        let html = text.trim_start().starts_with('<');
        Self { said: if html { None } else { clean(text) }, html, ..Self::default() }
    }
}

/// A conflict without its `remoteValue`, which is ciphertext. Versions may come as numbers; what is no short word is none.
fn conflict(item: &Value) -> Option<Conflict> {
    let version = |field: &str| match item.get(field)? {
        Value::String(version) => identifier(version),
        Value::Number(version) => Some(version.to_string()),
        _ => None,
    };
    let key = item.get("key")?.as_str()?;
    Some(Conflict::new(key, version("expected"), version("actual")))
}

/// A code or action, if it is one: a short word of ASCII letters, digits, `_`, `-` and `.`.
fn identifier(text: &str) -> Option<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!text.is_empty() && text.len() <= LONGEST_WORD && text.chars().all(is_word)).then(|| text.to_owned())
}

/// The text on one bounded line without control characters, or nothing when it looks like anything else than a sentence:
/// a page, JSON, a stack trace, a database error, ciphertext, a token, a URL.
pub(crate) fn clean(text: &str) -> Option<String> {
    let text = text.trim();
    if text.contains(['\n', '\r', '<', '{', '}', '\u{2028}', '\u{2029}']) || text.contains("://") || has_long_run(text)
    {
        return None;
    }
    if text.to_ascii_lowercase().contains("prisma") {
        return None;
    }
    // A space stands in for each, so that what is masked only where it stands in one piece does not come together here.
    let mut kept: String = text.chars().map(|c| if is_invisible(c) { ' ' } else { c }).take(LONGEST + 1).collect();
    if let Some((cut, _)) = kept.char_indices().nth(LONGEST) {
        kept.truncate(cut);
        kept.pop();
        kept.push('…');
    }
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

fn has_long_run(text: &str) -> bool {
    let is_data =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-' | '.' | '%' | '~' | ':' | '*');
    text.split(|c: char| !is_data(c)).any(|run| run.len() >= LONGEST_WORD)
}

/// Control characters, and those that change how a terminal shows the rest (zero-width and direction marks).
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_passes_as_it_is() {
        for text in [
            "Access Denied",
            "Unauthorized — please log in",
            "Missing required fields: key, value, or projectId",
            "IP address 203.0.113.9 is not in the allowlist",
        ] {
            assert_eq!(clean(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_not_a_sentence_is_dropped_whole() {
        let hex = "a979".repeat(10);
        for text in [
            "",
            "   ",
            "<html><body>no</body></html>",
            "{\"iv\":\"01\"}",
            "bad value {\"iv\":1}",
            "Error: x\n    at y (/srv/app.js:1:2)",
            "Invalid `prisma.secret.create()` invocation",
            "see https://host/api/projects/1",
            "\u{200b}\u{0007}",
            &hex,
            "key xs_0123456789abcdef0123456789abcdef0123456789abcdef is bad",
            "token eyJhbGciOiJIUzI1NiJ9.eyJpZCI6IjEifQ.c2lnbmF0dXJl refused",
        ] {
            assert_eq!(clean(text), None, "{text}");
        }
    }

    #[test]
    fn long_text_is_cut_and_control_characters_are_removed() {
        let cut = clean(&"word ".repeat(100)).expect("a sentence");
        assert_eq!(cut.chars().count(), LONGEST);
        assert!(cut.ends_with('…'));
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\td").as_deref(), Some("a [31mb c d"));
    }

    #[test]
    fn words_are_found_whatever_the_shape() {
        let said = |body: &str| ServerWords::of(body.as_bytes()).said;
        assert_eq!(said(r#"{"error":"Access Denied"}"#).as_deref(), Some("Access Denied"));
        assert_eq!(said(r#"{"message":"Secret not found"}"#).as_deref(), Some("Secret not found"));
        assert_eq!(said(r#"{"error":"Forbidden","message":"Too low a role"}"#).as_deref(), Some("Too low a role"));
        assert_eq!(said("Branch not found").as_deref(), Some("Branch not found"));
        assert_eq!(said(r#""just text""#).as_deref(), Some("just text"));
        for nothing in ["", "null", "[]", "{}", r#"{"error":{"a":1}}"#, r#"{"error":null}"#, r#"{"error":"broken"#] {
            assert_eq!(said(nothing), None, "{nothing}");
        }
        assert!(ServerWords::of(b" <!DOCTYPE html>").html);
        assert_eq!(ServerWords::of(b"\xff\xfe\x00").said.as_deref(), Some("\u{fffd}\u{fffd}"));
    }

    #[test]
    fn a_conflict_never_carries_the_remote_value() {
        let body = br#"{"error":"Conflict detected","conflicts":[{"key":"A","expected":4,"actual":"5","remoteValue":"canary"},{"key":1},7]}"#;
        let words = ServerWords::of(body);
        assert_eq!(words.conflicts, [Conflict::new("A", Some("4".into()), Some("5".into()))]);
        assert!(!format!("{words:?}").contains("canary"));
    }

    #[test]
    fn codes_are_short_words_only() {
        assert_eq!(identifier("2FA_REQUIRED").as_deref(), Some("2FA_REQUIRED"));
        for text in ["", "two words", "x\n", &"A".repeat(33), "ключ"] {
            assert_eq!(identifier(text), None);
        }
    }
}
