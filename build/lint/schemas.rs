//! Rules about schemas.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::responses::ERROR;
use super::{Lint, named_in, names, schema_name, text};

const TYPES: &[&str] = &["object", "array", "string", "integer", "number", "boolean"];

/// Keywords that the generator compiles wrongly, and what happens.
const KEYWORDS: &[(&str, &str)] = &[
    ("allOf", "is compiled into a type that loses fields"),
    ("anyOf", "is compiled into a type that reads nothing"),
    ("oneOf", "buffers what it reads, secrets too"),
    ("not", "is ignored"),
    ("const", "is ignored"),
    ("discriminator", "is ignored"),
    ("pattern", "needs a regular expression engine in the client"),
    ("patternProperties", "is not OpenAPI 3.0"),
];

/// Formats whose types fail on text that the service may well send, or need another crate.
const FORMATS: &[&str] = &[
    "date",
    "date-time",
    "time",
    "partial-date-time",
    "partial-time",
    "uuid",
    "ip",
    "ipv4",
    "ipv6",
    "binary",
    "regex",
];

pub(super) fn check(lint: &mut Lint<'_>) {
    let Some(schemas) = lint.schemas() else {
        lint.report("document", "`components.schemas` is missing");
        return;
    };
    check_names(lint, schemas);
    check_error_schema(lint, schemas);
    let (used, answered) = reachable(lint.document, schemas);
    for (name, schema) in schemas {
        let place = format!("schema {name}");
        if !used.contains(name.as_str()) {
            lint.report(&place, "no operation uses it");
        }
        if !lint.hand_written.contains(&name.as_str()) {
            let answered = answered.contains(name.as_str());
            Walk { lint, place: &place, answered }.schema(schema, "");
        }
    }
}

/// A parameter is a simple value, a list of them, or a hand-written type.
pub(super) fn check_parameter<'a>(lint: &mut Lint<'a>, place: &str, name: &str, schema: &'a Value) {
    if let Some(named) = schema_name(schema)
        && lint.hand_written.contains(&named)
    {
        return;
    }
    let Some(target) = lint.resolve(place, schema) else { return };
    let simple =
        |schema: &Value| !matches!(schema.get("type").and_then(Value::as_str), Some("object" | "array") | None);
    let listed = target.get("items").is_some_and(simple);
    if !simple(target) && !listed {
        lint.report(place, format!("the parameter `{name}` must be a simple value or a list of them"));
    }
    Walk { lint, place, answered: false }.schema(schema, name);
}

fn check_names(lint: &mut Lint<'_>, schemas: &Map<String, Value>) {
    for name in schemas.keys().filter(|name| !names::is_type_name(name)) {
        lint.report(&format!("schema {name}"), "the name must be in Pascal case, letters and digits");
    }
    for (first, second, _) in names::collisions(schemas.keys().map(String::as_str)) {
        lint.report(&format!("schema {second}"), format!("its name and `{first}` become one Rust name"));
    }
}

fn check_error_schema(lint: &mut Lint<'_>, schemas: &Map<String, Value>) {
    let place = format!("schema {ERROR}");
    match schemas.get(ERROR) {
        None => lint.report(&place, "it is missing: every error has this type"),
        Some(schema) if schema.get("required").is_some() => {
            lint.report(&place, "all its fields must be optional, so that any JSON object reads as an error");
        }
        Some(_) => {}
    }
}

/// The schemas that any operation uses, and those that an answer may hold.
fn reachable<'a>(document: &'a Value, schemas: &'a Map<String, Value>) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
    let mut used = BTreeSet::new();
    let mut answered = BTreeSet::new();
    for holder in ["/paths", "/components/parameters", "/components/requestBodies", "/components/responses"] {
        document.pointer(holder).iter().for_each(|holder| named_in(holder, &mut used));
    }
    document.pointer("/components/responses").iter().for_each(|holder| named_in(holder, &mut answered));
    let items = document.get("paths").and_then(Value::as_object).into_iter().flat_map(Map::values);
    for operation in items.filter_map(Value::as_object).flat_map(Map::values) {
        operation.get("responses").iter().for_each(|answers| named_in(answers, &mut answered));
    }
    (close(used, schemas), close(answered, schemas))
}

fn close<'a>(mut names: BTreeSet<&'a str>, schemas: &'a Map<String, Value>) -> BTreeSet<&'a str> {
    loop {
        let mut wider = names.clone();
        names.iter().filter_map(|name| schemas.get(*name)).for_each(|schema| named_in(schema, &mut wider));
        if wider.len() == names.len() {
            return names;
        }
        names = wider;
    }
}

/// One walk through a schema; `at` is the way to the part at hand, for the message.
struct Walk<'l, 'a> {
    lint: &'l mut Lint<'a>,
    place: &'l str,
    answered: bool,
}

impl<'a> Walk<'_, 'a> {
    fn report(&mut self, at: &str, rule: &str) {
        let rule = if at.is_empty() { rule.to_owned() } else { format!("`{at}`: {rule}") };
        self.lint.report(self.place, rule);
    }

    fn schema(&mut self, schema: &'a Value, at: &str) {
        if schema.get("$ref").is_some() {
            self.reference(schema, at);
            return;
        }
        let Some(fields) = schema.as_object() else {
            self.report(at, "a schema must be an object");
            return;
        };
        self.keywords(fields, at);
        text::check_description(self.lint, self.place, &format!("description of `{at}`"), schema);
        match schema.get("type").and_then(Value::as_str) {
            Some("object") => self.object(fields, at),
            Some("array") => match fields.get("items") {
                Some(items) => self.schema(items, &format!("{at}[]")),
                None => self.report(at, "an array must say what its `items` are"),
            },
            Some(kind) if TYPES.contains(&kind) => {}
            _ => self.report(at, "`type` must be one of object, array, string, integer, number and boolean"),
        }
    }

    fn reference(&mut self, schema: &'a Value, at: &str) {
        if schema_name(schema).is_none() {
            self.report(at, "`$ref` must name a schema under `#/components/schemas/`");
        }
        if self.lint.resolve(self.place, schema).is_some()
            && schema.as_object().is_some_and(|fields| fields.contains_key("nullable"))
        {
            self.report(at, "`nullable` beside `$ref` is ignored in OpenAPI 3.0: leave the property optional instead");
        }
    }

    fn keywords(&mut self, fields: &Map<String, Value>, at: &str) {
        for (keyword, consequence) in KEYWORDS {
            if fields.contains_key(*keyword) {
                self.report(at, &format!("`{keyword}` {consequence}"));
            }
        }
        if let Some(format) = fields.get("format").and_then(Value::as_str)
            && FORMATS.contains(&format)
        {
            self.report(
                at,
                &format!("the format `{format}` refuses text that the service may send: use a plain string"),
            );
        }
        let values: Vec<&str> =
            fields.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        if fields.contains_key("enum") && self.answered {
            self.report(at, "an `enum` in an answer fails on the first new value: use an open string");
        }
        for (first, second, _) in names::collisions(values) {
            self.report(at, &format!("the values `{first}` and `{second}` become one Rust name"));
        }
        if fields.contains_key("default") && self.answered {
            self.report(at, "a `default` in an answer fails on `null`");
        }
    }

    fn object(&mut self, fields: &'a Map<String, Value>, at: &str) {
        let properties =
            fields.get("properties").and_then(Value::as_object).filter(|properties| !properties.is_empty());
        match (properties, fields.get("additionalProperties")) {
            (_, Some(Value::Bool(false))) => {
                self.report(at, "`additionalProperties: false` fails on the first new field")
            }
            (Some(_), Some(Value::Object(_))) => {
                self.report(at, "an object has `properties` or `additionalProperties`, not both")
            }
            (None, Some(values @ Value::Object(_))) => self.schema(values, &format!("{at}{{}}")),
            (None, _) => {
                self.report(at, "an object without properties is untyped and would be printed: use `FreeForm`")
            }
            (Some(_), _) => {}
        }
        let Some(properties) = properties else { return };
        let required: BTreeSet<&str> =
            fields.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        for name in required.iter().filter(|name| !properties.contains_key(**name)) {
            self.report(at, &format!("`required` names `{name}`, which is no property"));
        }
        for (first, second, field) in names::collisions(properties.keys().map(String::as_str)) {
            self.report(at, &format!("the properties `{first}` and `{second}` both become `{field}`"));
        }
        for (name, property) in properties {
            let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            if self.answered && !required.contains(name.as_str()) && fails_on_null(property) {
                self.report(&at, "an optional array or map in an answer fails on `null`: make it `nullable`");
            }
            self.schema(property, &at);
        }
    }
}

/// Such a property is read as an empty collection when it is absent, but not when it is null.
fn fails_on_null(property: &Value) -> bool {
    let is_map = property.get("type") == Some(&Value::from("object")) && property.get("additionalProperties").is_some();
    let is_list = property.get("type") == Some(&Value::from("array"));
    (is_map || is_list) && property.get("nullable") != Some(&Value::Bool(true))
}
