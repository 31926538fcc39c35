//! Rules about answers: one type for success, one for errors.

use serde_json::{Map, Value};

use super::{Lint, schema_name, text};

/// The one schema of every error.
pub(super) const ERROR: &str = "ApiError";

pub(super) fn check<'a>(lint: &mut Lint<'a>, place: &str, operation: &'a Value) {
    let empty = Map::new();
    let answers = operation.get("responses").and_then(Value::as_object);
    let found: Vec<&str> =
        answers.unwrap_or(&empty).keys().map(String::as_str).filter(|key| !key.starts_with("x-")).collect();
    if found.contains(&"default") {
        lint.report(place, "`default` hides which answers are errors: use `2XX`, `4XX` and `5XX`");
    } else if found != ["2XX", "4XX", "5XX"] {
        lint.report(place, format!("the answers must be exactly `2XX`, `4XX` and `5XX`, not {}", found.join(", ")));
    }
    for (status, answer) in answers.into_iter().flatten() {
        let Some(answer) = lint.resolve(place, answer) else { continue };
        text::check_description(lint, place, &format!("description of {status}"), answer);
        match status.as_str() {
            "2XX" => check_success(lint, place, answer),
            "4XX" | "5XX" => check_error(lint, place, status, answer),
            _ => {}
        }
    }
}

fn check_success(lint: &mut Lint<'_>, place: &str, answer: &Value) {
    let Some(content) = answer.get("content").and_then(Value::as_object) else { return };
    if content.keys().ne(["application/json"]) {
        lint.report(place, "an answer has one type, as `application/json`, or no content at all");
    }
    if content.values().any(|media| media.get("schema").and_then(schema_name).is_none()) {
        lint.report(place, "the answer must be a named schema, by `$ref`");
    }
}

fn check_error(lint: &mut Lint<'_>, place: &str, status: &str, answer: &Value) {
    let media =
        answer.get("content").and_then(Value::as_object).filter(|content| content.keys().eq(["application/json"]));
    let schema = media.and_then(|content| content.get("application/json")).and_then(|media| media.get("schema"));
    if schema.and_then(schema_name) != Some(ERROR) {
        lint.report(
            place,
            format!("the answer {status} must be `{ERROR}` as `application/json`: errors have one type"),
        );
    }
}
