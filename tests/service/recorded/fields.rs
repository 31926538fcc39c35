//! The comparison of a recorded answer with what its decoded form writes, field by field, along the document.

use std::collections::BTreeSet;

use serde_json::Value;

const REDACTED: &str = "[REDACTED]";

/// The service's document.
pub(crate) struct Document(Value);

/// What the comparison found.
#[derive(Default)]
pub(crate) struct Found {
    /// Places whose value the document names and the decoded form does not have.
    pub(crate) lost: Vec<String>,
    /// Schemas and fields that were recorded and that the document does not name.
    pub(crate) left_out: BTreeSet<(String, String)>,
}

impl Document {
    pub(crate) fn load() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/xtra.json");
        Self(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
    }

    /// The schema of an operation's success.
    pub(crate) fn answer_of(&self, operation: &str) -> &str {
        let paths = self.0["paths"].as_object().unwrap();
        let mut operations = paths.values().flat_map(|item| item.as_object().unwrap().values());
        let found = operations.find(|found| found["operationId"] == operation);
        let found = found.unwrap_or_else(|| panic!("the document has no {operation}"));
        name_of(&found["responses"]["2XX"]["content"]["application/json"]["schema"]).unwrap()
    }

    pub(crate) fn component(&self, name: &str) -> &Value {
        &self.0["components"]["schemas"][name]
    }

    /// Whether `written` has all of `recorded` that the schema names.
    pub(crate) fn compare(&self, schema: &str, recorded: &Value, written: &Value) -> Found {
        let mut found = Found::default();
        let reference = serde_json::json!({ "$ref": format!("#/components/schemas/{schema}") });
        self.walk(&mut found, schema, &reference, recorded, Some(written));
        found
    }

    fn walk(&self, found: &mut Found, at: &str, schema: &Value, recorded: &Value, written: Option<&Value>) {
        let (owner, schema) = match name_of(schema) {
            Some(name @ ("SecretValue" | "SecretEntry" | "StoredValue")) => {
                return found.require(at, is_hidden_form_of(recorded, written), name);
            }
            Some(name @ "FreeForm") => return found.require(at, written == Some(recorded), name),
            Some(name) => (name, &self.0["components"]["schemas"][name]),
            None => (at, schema),
        };
        match recorded {
            // Reads as absent.
            Value::Null => found.require(at, written.is_none_or(Value::is_null), "null"),
            Value::Object(members) => {
                let Some(Value::Object(kept)) = written else { return found.require(at, false, "an object") };
                for (key, value) in members {
                    let inner = match schema["properties"].get(key) {
                        Some(inner) => inner,
                        None if schema["additionalProperties"].is_object() => &schema["additionalProperties"],
                        None => {
                            found.left_out.insert((owner.to_owned(), key.clone()));
                            continue;
                        }
                    };
                    self.walk(found, &format!("{owner}.{key}"), inner, value, kept.get(key));
                }
            }
            Value::Array(items) => {
                let kept = written.and_then(Value::as_array);
                found.require(at, kept.is_some_and(|kept| kept.len() == items.len()), "a list");
                for (place, item) in items.iter().enumerate() {
                    self.walk(found, at, &schema["items"], item, kept.and_then(|kept| kept.get(place)));
                }
            }
            Value::Number(number) => {
                found.require(at, written.and_then(Value::as_f64) == number.as_f64(), "a number");
            }
            Value::String(_) | Value::Bool(_) => found.require(at, written == Some(recorded), "a value"),
        }
    }
}

impl Found {
    fn require(&mut self, at: &str, kept: bool, what: &str) {
        if !kept {
            self.lost.push(format!("{at} ({what})"));
        }
    }
}

pub(crate) fn name_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

/// Whether each text is there, hidden, and nothing else.
fn is_hidden_form_of(recorded: &Value, written: Option<&Value>) -> bool {
    match (recorded, written) {
        (Value::Null, None | Some(Value::Null)) => true,
        (Value::String(_), Some(Value::String(written))) => written == REDACTED,
        (Value::Array(items), Some(Value::Array(written))) => {
            let mut pairs = items.iter().zip(written);
            items.len() == written.len() && pairs.all(|(item, written)| is_hidden_form_of(item, Some(written)))
        }
        _ => false,
    }
}
