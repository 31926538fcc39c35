//! Schemas from files and texts, and the rules that they must keep.

use std::fs::{self, File};
use std::io::{ErrorKind as IoKind, Read};
use std::path::Path;

use serde_json::Value;

use super::schema_view::follow;
use crate::core::{ErrorKind, XtraError};

/// The most that a schema may be, in bytes.
const LIMIT: usize = 1024 * 1024;

/// How many references may follow one another before something else comes.
const CHAIN: usize = 32;

/// How many places references may lead to. Each is a step that a validator may have to go down.
const TARGETS: usize = 500;

/// How many schemas may describe one place, counted as often as they are referred to. Few references can mean very many.
const AT_ONE_PLACE: usize = 1000;

/// How many schemas may lead from one to the next at one place.
const NESTED: usize = 200;

/// How many properties an object may have.
const PROPERTIES: usize = 4096;

/// Keywords whose content is data, not schema.
const DATA: [&str; 5] = ["const", "enum", "default", "examples", "example"];

/// Keywords whose content is schemas by name.
const NAMED: [&str; 5] = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

/// The text of a schema file.
pub(super) fn read(path: &Path) -> Result<String, XtraError> {
    let unreadable = |kind: IoKind| {
        let why = match kind {
            IoKind::NotFound => "there is no such file",
            IoKind::PermissionDenied => "permission is denied",
            _ => "it cannot be read",
        };
        config(format!("the schema file {path:?} cannot be used: {why}"))
    };
    let refused = |why: &str| config(format!("the schema file {path:?} cannot be used: {why}"));
    // asked before it is opened, because opening a pipe waits
    if !fs::metadata(path).map_err(|error| unreadable(error.kind()))?.is_file() {
        return Err(refused("it is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LIMIT as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(error.kind()))?;
    if bytes.len() > LIMIT {
        return Err(refused("it is larger than 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| refused("it is not UTF-8 text"))
}

/// The schema that a text holds.
pub(super) fn parse(text: &str) -> Result<Value, XtraError> {
    if text.len() > LIMIT {
        return Err(config("the schema cannot be used: it is larger than 1 MiB"));
    }
    let text = text.trim_start_matches('\u{feff}');
    let schema: Value = serde_json::from_slice(text.as_bytes()).map_err(|error| {
        config(format!("the schema is not valid JSON (line {}, column {})", error.line(), error.column()))
    })?;
    if !schema.is_object() {
        return Err(config("the schema must be a JSON object"));
    }
    let mut references = Vec::new();
    collect(&schema, true, &mut references)?;
    references.sort_unstable();
    references.dedup();
    if references.len() > TARGETS {
        return Err(config(format!("the schema refers to more than {TARGETS} places")));
    }
    for reference in references {
        resolve(&schema, reference)?;
        let mut place = Place { root: &schema, left: AT_ONE_PLACE, path: Vec::new() };
        if !follow(&schema, reference).is_none_or(|target| place.holds(target)) {
            return Err(config(format!(
                "the schema's $ref {reference:?} leads to more than {AT_ONE_PLACE} schemas of one place, or through more than \
                 {NESTED} of them"
            )));
        }
    }
    Ok(schema)
}

fn config(message: impl Into<String>) -> XtraError {
    XtraError::new(ErrorKind::Config, message)
}

/// Finds the references of a schema; refuses those that lead elsewhere.
fn collect<'s>(schema: &'s Value, is_top: bool, references: &mut Vec<&'s str>) -> Result<(), XtraError> {
    let map = match schema {
        Value::Array(items) => return items.iter().try_for_each(|item| collect(item, false, references)),
        Value::Object(map) => map,
        _ => return Ok(()),
    };
    for (keyword, inner) in map {
        let count = match inner {
            Value::Object(named) if keyword == "properties" => named.len(),
            Value::Array(names) if keyword == "required" => names.len(),
            _ => 0,
        };
        if count > PROPERTIES {
            return Err(config(format!("the schema has more than {PROPERTIES} properties in one object")));
        }
        match (keyword.as_str(), inner) {
            ("$ref", Value::String(reference)) => references.push(reference),
            ("$dynamicRef" | "$recursiveRef" | "$anchor" | "$dynamicAnchor", _) => {
                return Err(config(format!(
                    "the schema uses {keyword}, which is not supported. Use a $ref into $defs"
                )));
            }
            ("$id", Value::String(_)) if !is_top => {
                return Err(config("the schema has an $id below its top, which is not supported"));
            }
            (keyword, _) if DATA.contains(&keyword) => {}
            (keyword, Value::Object(named)) if NAMED.contains(&keyword) => {
                named.values().try_for_each(|schema| collect(schema, false, references))?;
            }
            (_, inner) => collect(inner, false, references)?,
        }
    }
    Ok(())
}

/// Makes sure that a reference leads to a schema.
fn resolve(root: &Value, reference: &str) -> Result<(), XtraError> {
    if reference != "#" && !reference.starts_with("#/") {
        return Err(config(
            "the schema refers to another document (a $ref that does not start with `#/`), and nothing is fetched. Put what \
             it refers to into $defs",
        ));
    }
    let mut reference = reference;
    for _ in 0..CHAIN {
        let Some(target) = follow(root, reference) else {
            return Err(config(format!("the schema's $ref {reference:?} leads nowhere")));
        };
        match target.get("$ref").and_then(Value::as_str) {
            Some(next) => reference = next,
            None => return Ok(()),
        }
    }
    Err(config(format!("the schema's $ref {reference:?} leads in a circle, or through more than {CHAIN} others")))
}

/// The schemas that a value is held against at one place.
struct Place<'s> {
    root: &'s Value,
    left: usize,
    path: Vec<*const Value>,
}

impl<'s> Place<'s> {
    /// Whether there is room for all that a schema leads to.
    fn holds(&mut self, schema: &'s Value) -> bool {
        let Value::Object(keywords) = schema else { return true };
        // one that leads to itself is not held against the value again
        if self.path.contains(&std::ptr::from_ref(schema)) {
            return true;
        }
        if self.left == 0 || self.path.len() == NESTED {
            return false;
        }
        self.left -= 1;
        self.path.push(schema);
        let fits = keywords.iter().all(|(keyword, inner)| match (keyword.as_str(), inner) {
            ("$ref", Value::String(reference)) => follow(self.root, reference).is_none_or(|target| self.holds(target)),
            ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => schemas.iter().all(|schema| self.holds(schema)),
            ("dependentSchemas" | "dependencies", Value::Object(named)) => {
                named.values().all(|schema| self.holds(schema))
            }
            ("not" | "if" | "then" | "else", schema) => self.holds(schema),
            _ => true,
        });
        self.path.pop();
        fits
    }
}
