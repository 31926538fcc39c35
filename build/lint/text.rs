//! Summaries and descriptions become documentation, where code blocks would be compiled and run.

use serde_json::Value;

use super::Lint;

pub(super) fn check(lint: &mut Lint<'_>, place: &str, what: &str, text: &str) {
    if text.contains("```") || text.contains("~~~") {
        lint.report(place, format!("the {what} holds fenced code, which would run as a test"));
    }
    if text.lines().any(|line| line.starts_with("    ") || line.starts_with('\t')) {
        lint.report(place, format!("the {what} holds indented code, which would run as a test"));
    }
    if text.matches('`').count() % 2 == 1 {
        lint.report(place, format!("the {what} has a back-tick without its partner"));
    }
}

pub(super) fn check_description(lint: &mut Lint<'_>, place: &str, what: &str, holder: &Value) {
    if let Some(text) = holder.get("description").and_then(Value::as_str) {
        check(lint, place, what, text);
    }
}
