//! Rules about paths, operations, parameters and request bodies.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Lint, names, responses, schema_name, text};

const METHODS: &[&str] = &["get", "put", "post", "delete", "patch", "head", "options", "trace"];

/// Setters that every builder has already.
const TAKEN_SETTERS: &[&str] = &["body_map", "new", "send", "client"];

pub(super) fn check(lint: &mut Lint<'_>) {
    let Some(paths) = lint.document.get("paths").and_then(Value::as_object) else {
        lint.report("document", "`paths` is missing");
        return;
    };
    let mut ids = BTreeMap::new();
    for (path, item) in paths {
        let Some(item) = item.as_object() else {
            lint.report(path, "a path must be an object");
            continue;
        };
        if item.contains_key("$ref") {
            lint.report(path, "a path must not be a `$ref`");
        }
        for (method, operation) in item.iter().filter(|(key, _)| METHODS.contains(&key.as_str())) {
            let place = format!("{} {path}", method.to_uppercase());
            check_path(lint, &place, paths, path, method);
            check_id(lint, &place, operation, &mut ids);
            check_summary(lint, &place, operation);
            check_parameters(lint, &place, path, item, operation);
            check_body(lint, &place, operation);
            responses::check(lint, &place, operation);
        }
    }
}

/// `/path#variant` tells operations apart that the service distinguishes by a query value alone.
fn check_path(lint: &mut Lint<'_>, place: &str, paths: &Map<String, Value>, path: &str, method: &str) {
    if !path.starts_with('/') || path.contains('?') || (path.len() > 1 && path.ends_with('/')) {
        lint.report(place, "a path starts with `/`, does not end in one and has no query");
    }
    let is_whole = |segment: &str| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => !name.is_empty() && !name.contains(['{', '}']),
        None => !segment.contains(['{', '}']),
    };
    if !path.split(['/', '#']).all(is_whole) {
        lint.report(place, "a parameter is a whole segment of the path, as in `/a/{b}`");
    }
    let Some((base, variant)) = path.split_once('#') else { return };
    let is_word = !variant.is_empty()
        && variant.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte.is_ascii_digit());
    if !is_word {
        lint.report(place, "the variant after `#` must be one lower-case word");
    }
    let has_sibling = paths
        .iter()
        .any(|(other, item)| other != path && other.split('#').next() == Some(base) && item.get(method).is_some());
    if !has_sibling {
        lint.report(
            place,
            format!("`#` is for operations that share a path and method, but nothing else is `{method}` on `{base}`"),
        );
    }
}

fn check_id<'a>(lint: &mut Lint<'_>, place: &str, operation: &'a Value, ids: &mut BTreeMap<&'a str, String>) {
    let Some(id) = operation.get("operationId").and_then(Value::as_str) else {
        lint.report(place, "`operationId` is missing");
        return;
    };
    if names::is_taken(id) {
        lint.report(place, format!("`operationId` `{id}` is a Rust keyword or a method of the client"));
    } else if !names::is_operation_name(id) {
        lint.report(place, format!("`operationId` `{id}` must be `<resource>_<verb>` in snake case"));
    }
    if let Some(first) = ids.insert(id, place.to_owned()) {
        lint.report(place, format!("`operationId` `{id}` is used by {first} too"));
    }
}

fn check_summary(lint: &mut Lint<'_>, place: &str, operation: &Value) {
    let summary = operation.get("summary").and_then(Value::as_str).unwrap_or_default();
    if summary.trim().is_empty() || summary.contains('\n') {
        lint.report(place, "`summary` must be one line");
    }
    text::check(lint, place, "summary", summary);
    text::check_description(lint, place, "description", operation);
}

fn check_parameters<'a>(
    lint: &mut Lint<'a>,
    place: &str,
    path: &str,
    item: &'a Map<String, Value>,
    operation: &'a Value,
) {
    let list = |holder: Option<&'a Value>| holder.and_then(Value::as_array).into_iter().flatten();
    let all: Vec<&'a Value> = list(item.get("parameters")).chain(list(operation.get("parameters"))).collect();
    let mut in_path = BTreeSet::new();
    let mut setters: Vec<&str> = operation.get("requestBody").map(|_| "body").into_iter().collect();
    for parameter in all {
        let Some(parameter) = lint.resolve(place, parameter) else { continue };
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
        setters.push(name);
        check_parameter(lint, place, name, parameter);
        if parameter.get("in").and_then(Value::as_str) == Some("path") {
            in_path.insert(name);
        }
    }
    for (first, second, setter) in names::collisions(setters) {
        lint.report(place, format!("the parameters `{first}` and `{second}` both become `{setter}`"));
    }
    let template = template_names(path);
    for missing in template.difference(&in_path) {
        lint.report(place, format!("the path holds `{{{missing}}}`, but no path parameter of that name is declared"));
    }
    for unused in in_path.difference(&template) {
        lint.report(place, format!("the path parameter `{unused}` is not in the path"));
    }
}

fn check_parameter<'a>(lint: &mut Lint<'a>, place: &str, name: &str, parameter: &'a Value) {
    let kind = parameter.get("in").and_then(Value::as_str).unwrap_or_default();
    match kind {
        "path" if parameter.get("required") != Some(&Value::Bool(true)) => {
            lint.report(place, format!("the path parameter `{name}` must be `required`"));
        }
        "path" | "query" => {}
        "header" if names::snake(name) == "authorization" || names::snake(name) == "x_api_key" => {
            lint.report(place, format!("the header `{name}` is set by the client, from its credentials"));
        }
        "header" if !is_header_name(name) => lint.report(place, format!("`{name}` cannot be the name of a header")),
        "header" => {}
        "cookie" => {
            lint.report(place, format!("the parameter `{name}` is a cookie, which the generator cannot compile"))
        }
        _ => lint.report(place, format!("the parameter `{name}` must be in `path`, `query` or `header`")),
    }
    if TAKEN_SETTERS.contains(&names::snake(name).as_str()) {
        lint.report(place, format!("the parameter `{name}` has the name of a method that every request has"));
    }
    if kind == "query" && parameter.get("explode") == Some(&Value::Bool(false)) {
        lint.report(place, format!("`explode: false` of `{name}` would be ignored"));
    }
    let style = parameter.get("style").and_then(Value::as_str);
    if style.is_some_and(|style| style != if kind == "query" { "form" } else { "simple" }) {
        lint.report(place, format!("the style of `{name}` is one that the generator cannot compile"));
    }
    match parameter.get("schema") {
        Some(schema) => super::schemas::check_parameter(lint, place, name, schema),
        None => lint.report(place, format!("the parameter `{name}` has no schema")),
    }
    text::check_description(lint, place, &format!("description of `{name}`"), parameter);
}

/// An HTTP token; the client would panic on anything else.
fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn template_names(path: &str) -> BTreeSet<&str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

fn check_body<'a>(lint: &mut Lint<'a>, place: &str, operation: &'a Value) {
    let Some(body) = operation.get("requestBody") else { return };
    let Some(body) = lint.resolve(place, body) else { return };
    if body.get("required") != Some(&Value::Bool(true)) {
        lint.report(place, "the request body must be `required`: an optional one would be sent all the same");
    }
    text::check_description(lint, place, "description of the body", body);
    let content = body.get("content").and_then(Value::as_object);
    if content.is_none_or(|content| content.keys().ne(["application/json"])) {
        lint.report(place, "a request body has one media type, `application/json`");
    }
    for media in content.into_iter().flat_map(Map::values) {
        if media.get("schema").and_then(schema_name).is_none() {
            lint.report(place, "the request body must be a named schema, by `$ref`");
        }
    }
}
