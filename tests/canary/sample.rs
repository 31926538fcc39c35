//! JSON for each schema of the API's document, with something planted wherever a secret can stand.

use std::cell::Cell;
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::planted::VALUE;

pub fn document() -> Value {
    serde_json::from_str(include_str!("../../openapi/xtra.json")).expect("JSON")
}

#[cfg(feature = "infisical")]
pub fn infisical_document() -> Value {
    serde_json::from_str(include_str!("../../openapi/infisical.json")).expect("JSON")
}

/// Where to plant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// Wherever a secret or untyped data can stand.
    Everywhere,
    /// Where answers hold secrets: those are written as `[REDACTED]` too.
    InAnswers,
}

/// A maker of samples. `rich` takes the longer of two forms: objects and lists instead of texts.
pub struct Sampler<'d> {
    document: &'d Value,
    plant: Plant,
    rich: bool,
    planted: Cell<usize>,
}

impl<'d> Sampler<'d> {
    pub fn new(document: &'d Value, plant: Plant, rich: bool) -> Self {
        Self { document, plant, rich, planted: Cell::new(0) }
    }

    /// A sample of a named schema, and at how many places something was planted.
    pub fn sample(&self, schema: &str) -> (Value, usize) {
        self.planted.set(0);
        let value = self.named(schema, 0);
        (value, self.planted.get())
    }

    fn plant(&self, value: Value) -> Value {
        self.planted.set(self.planted.get() + 1);
        value
    }

    fn named(&self, schema: &str, depth: usize) -> Value {
        let everywhere = self.plant == Plant::Everywhere;
        match schema {
            "SecretValue" => self.plant(json!(VALUE)),
            "SecretEntry" if self.rich => {
                self.plant(json!({"value": VALUE, "version": "3", "isReference": true, "source": "s"}))
            }
            "SecretEntry" => self.plant(json!(VALUE)),
            "StoredValue" if self.rich => self.plant(json!([VALUE, VALUE])),
            "StoredValue" => self.plant(json!(VALUE)),
            "SecretInput" if everywhere => self.plant(json!(VALUE)),
            "SecretInput" => json!("input"),
            "FreeForm" if everywhere => self.plant(json!({ VALUE: [VALUE, { "deep": VALUE }] })),
            "FreeForm" => json!({}),
            "SecretData" => self.plant(json!({ VALUE: [VALUE, { "deep": VALUE }] })),
            "ExpectedVersion" => json!("7"),
            // may be null, which only a schema in place can say
            "SecretName" => {
                self.of(&self.document["components"]["schemas"]["AccessRequestDetails"]["properties"]["secret"], depth)
            }
            _ => {
                let found = &self.document["components"]["schemas"][schema];
                assert!(found.is_object(), "the document has no schema {schema}");
                self.of(found, depth)
            }
        }
    }

    fn of(&self, schema: &Value, depth: usize) -> Value {
        assert!(depth < 20, "a schema that contains itself");
        if let Some(reference) = schema["$ref"].as_str() {
            return self.named(reference.rsplit('/').next().unwrap_or_default(), depth + 1);
        }
        match schema["type"].as_str() {
            Some("string") => json!("text"),
            Some("integer") => json!(7),
            Some("number") => json!(7.5),
            Some("boolean") => json!(true),
            Some("array") => json!([self.of(&schema["items"], depth + 1)]),
            Some("object") => {
                let mut fields = Map::new();
                for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                    fields.insert(name.clone(), self.of(property, depth + 1));
                }
                if schema["additionalProperties"].is_object() {
                    fields.insert("NAME".to_owned(), self.of(&schema["additionalProperties"], depth + 1));
                }
                Value::Object(fields)
            }
            other => panic!("a type that samples do not know: {other:?}"),
        }
    }
}

/// The operations whose parameters or body can hold a secret or untyped data.
pub fn operations_with_secrets(document: &Value) -> BTreeSet<String> {
    let sampler = Sampler::new(document, Plant::Everywhere, false);
    let holds = |schema: &Value| {
        sampler.planted.set(0);
        sampler.of(schema, 0);
        sampler.planted.get() > 0
    };
    let mut found = BTreeSet::new();
    for item in document["paths"].as_object().into_iter().flatten().map(|(_, item)| item) {
        for operation in item.as_object().into_iter().flatten().map(|(_, operation)| operation) {
            let Some(id) = operation["operationId"].as_str() else { continue };
            let parameters =
                operation["parameters"].as_array().into_iter().chain(item["parameters"].as_array()).flatten();
            let mut schemas: Vec<&Value> = parameters.map(|parameter| &parameter["schema"]).collect();
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            if body.is_object() {
                schemas.push(body);
            }
            if schemas.into_iter().any(holds) {
                found.insert(id.to_owned());
            }
        }
    }
    found
}
