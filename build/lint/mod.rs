//! The rules that a document must keep, so that the generator can compile it and the client stays sound.
//!
//! The generator panics on several ordinary documents without naming the operation, and compiles others into code that leaks or
//! fails on the wire. Each rule here turns one of those into a line that says where and what.

mod duplicates;
pub(crate) mod names;
mod operations;
mod responses;
mod schemas;
mod text;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

/// One broken rule: where, and what the rule is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) place: String,
    pub(crate) rule: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.rule)
    }
}

/// Reads a document. A key given twice is a mistake too: the second would silently replace the first.
pub(crate) fn parse(document: &str) -> Result<Value, String> {
    duplicates::parse(document)
}

/// Every rule that the document breaks; `hand_written` are the schemas whose type the crate brings itself.
pub(crate) fn lint(document: &Value, hand_written: &[&str]) -> Vec<Finding> {
    let mut lint = Lint { document, hand_written, findings: Vec::new() };
    lint.check_document();
    operations::check(&mut lint);
    schemas::check(&mut lint);
    lint.findings
}

struct Lint<'a> {
    document: &'a Value,
    hand_written: &'a [&'a str],
    findings: Vec<Finding>,
}

impl<'a> Lint<'a> {
    fn report(&mut self, place: &str, rule: impl Into<String>) {
        self.findings.push(Finding { place: place.to_owned(), rule: rule.into() });
    }

    fn check_document(&mut self) {
        if self.document.get("openapi").and_then(Value::as_str) != Some("3.0.3") {
            self.report("document", "`openapi` must be \"3.0.3\"");
        }
        let version = self.document.pointer("/info/version").and_then(Value::as_str).unwrap_or_default();
        if version.is_empty() || !version.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.report("document", "`info.version` must be printable ASCII: it becomes a constant of the client");
        }
        let description = self.document.pointer("/info/description").and_then(Value::as_str).unwrap_or_default();
        text::check(self, "document", "description", description);
    }

    fn schemas(&self) -> Option<&'a Map<String, Value>> {
        self.document.pointer("/components/schemas").and_then(Value::as_object)
    }

    /// Follows a `$ref` to the thing itself; a target that does not exist is reported at `place`.
    fn resolve(&mut self, place: &str, value: &'a Value) -> Option<&'a Value> {
        let Some(target) = value.get("$ref").and_then(Value::as_str) else { return Some(value) };
        let found = target.strip_prefix('#').and_then(|pointer| self.document.pointer(pointer));
        if found.is_none() {
            self.report(place, format!("`$ref` to `{target}`, which does not exist"));
        }
        found
    }
}

/// The schema that a `$ref` names.
fn schema_name(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()?.strip_prefix("#/components/schemas/")
}

/// Every schema named in `value`, at any depth.
fn named_in<'a>(value: &'a Value, names: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            names.extend(schema_name(value));
            fields.values().for_each(|field| named_in(field, names));
        }
        Value::Array(items) => items.iter().for_each(|item| named_in(item, names)),
        _ => {}
    }
}
