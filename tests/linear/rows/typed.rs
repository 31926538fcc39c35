//! Secrets held against schemas, and as types.

use std::collections::HashMap;
use std::hint::black_box;
use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use xtrasecurity::schemars::{self, JsonSchema};
use xtrasecurity::{ErrorKind, Schema, Secrets};

use super::names;
use crate::measure::Row;

#[derive(Deserialize, JsonSchema)]
struct Small {
    #[allow(dead_code)]
    port: u16,
    #[allow(dead_code)]
    labels: HashMap<String, String>,
}

#[derive(Deserialize, JsonSchema)]
struct Open<T> {
    #[serde(flatten)]
    #[allow(dead_code)]
    all: HashMap<String, T>,
}

#[derive(Deserialize, JsonSchema)]
struct Lists {
    texts: Vec<String>,
    #[allow(dead_code)]
    times: Option<Vec<Duration>>,
}

pub fn rows() -> Vec<Row> {
    let mut rows = of_types();
    rows.extend(of_schemas());
    rows
}

fn of_types() -> Vec<Row> {
    vec![
        Row {
            name: "parse: a flattened map of n names",
            n: 1_000,
            make: |n| {
                let secrets = Secrets::from_iter(names(n).map(|name| (name, "8080")));
                Box::new(move || assert_eq!(secrets.parse::<Open<u16>>().unwrap().all.len(), n))
            },
        },
        Row {
            name: "parse: a flattened map of n values that are wrong",
            n: 1_000,
            make: |n| {
                let secrets = Secrets::from_iter(names(n).map(|name| (name, "no number")));
                Box::new(move || assert_eq!(secrets.parse::<Open<u16>>().err().unwrap().names().len(), n))
            },
        },
        Row {
            name: "parse: a flattened map of n values that only their type refuses",
            n: 2_000,
            make: |n| {
                let secrets = Secrets::from_iter(names(n).map(|name| (name, "no address")));
                Box::new(move || {
                    assert_eq!(secrets.parse::<Open<Refusing>>().err().unwrap().kind(), ErrorKind::Invalid)
                })
            },
        },
        Row {
            name: "parse: the parts of a map, n of them",
            n: 1_000,
            make: |n| {
                let port = std::iter::once(("PORT".to_owned(), "1"));
                let secrets = Secrets::from_iter(names(n).map(|name| (format!("LABELS__{name}"), "v")).chain(port));
                Box::new(move || assert_eq!(secrets.parse::<Small>().unwrap().labels.len(), n))
            },
        },
        Row {
            name: "check: n names that the schema does not know",
            n: 5_000,
            make: |n| {
                let secrets = Secrets::from_iter(names(n).map(|name| (name, "v")));
                Box::new(move || assert_eq!(secrets.check::<Small>().unexpected().len(), n))
            },
        },
        Row {
            name: "check: an unknown name of n characters",
            n: 50_000,
            make: |n| {
                let secrets = Secrets::from_iter([("__".repeat(n), "v")]);
                Box::new(move || assert_eq!(secrets.check::<Small>().unexpected().len(), 1))
            },
        },
        Row {
            name: "parse: a list of n texts with commas",
            n: 5_000,
            make: |n| {
                let secrets = Secrets::from_iter([("TEXTS", vec!["item"; n].join(","))]);
                Box::new(move || assert_eq!(secrets.parse::<Lists>().unwrap().texts.len(), n))
            },
        },
        Row {
            name: "parse: a list of n texts in JSON",
            n: 5_000,
            make: |n| {
                let secrets = Secrets::from_iter([("TEXTS", json!(vec!["item"; n]).to_string())]);
                Box::new(move || assert_eq!(secrets.parse::<Lists>().unwrap().texts.len(), n))
            },
        },
        Row {
            name: "parse: a list of n durations",
            n: 1_000,
            make: |n| {
                let secrets = Secrets::from_iter([("TEXTS", String::new()), ("TIMES", vec!["1h 30m"; n].join(","))]);
                Box::new(move || assert_eq!(secrets.parse::<Lists>().unwrap().times.map(|times| times.len()), Some(n)))
            },
        },
        Row {
            name: "parse: a duration of n parts",
            n: 20_000,
            make: |n| {
                let secrets = Secrets::from_iter([("TEXTS", String::new()), ("TIMES", "1ns ".repeat(n))]);
                Box::new(move || assert!(secrets.parse::<Lists>().is_ok()))
            },
        },
        Row {
            name: "parse: an object of n members in JSON",
            n: 2_000,
            make: |n| {
                let labels: serde_json::Map<String, Value> = names(n).map(|name| (name, "v".into())).collect();
                let secrets =
                    Secrets::from_iter([("LABELS", Value::Object(labels).to_string()), ("PORT", "1".to_owned())]);
                Box::new(move || assert_eq!(secrets.parse::<Small>().unwrap().labels.len(), n))
            },
        },
        Row {
            name: "parse: a text of n bytes",
            n: 1_000_000,
            make: |n| {
                let secrets = Secrets::from_iter([("A", "x".repeat(n))]);
                Box::new(move || assert!(secrets.parse::<Open<String>>().is_ok()))
            },
        },
    ]
}

/// Has no schema of its own kind, and refuses every text.
#[derive(Debug)]
struct Refusing;

impl<'de> Deserialize<'de> for Refusing {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse::<IpAddr>().map(|_| Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Refusing {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Refusing".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

fn of_schemas() -> Vec<Row> {
    vec![
        Row {
            name: "check_schema: n properties that are missing",
            n: 500,
            make: |n| {
                let schema = object(n, &json!({ "type": "string", "description": "what it is for" }));
                let secrets = Secrets::from_iter([("OTHER", "v")]);
                Box::new(move || assert_eq!(secrets.check_schema(&schema).missing().len(), n))
            },
        },
        Row {
            name: "check_schema: n properties that are wrong",
            n: 500,
            make: |n| {
                let schema = object(n, &json!({ "type": "integer" }));
                let secrets = Secrets::from_iter(names(n).map(|name| (name, "x")));
                Box::new(move || assert_eq!(secrets.check_schema(&schema).invalid().len(), n))
            },
        },
        Row {
            name: "check_schema: n names, each one of n choices",
            n: 1_000,
            make: |n| {
                let schema = map(&json!({ "type": "string", "enum": names(n).collect::<Vec<_>>() }));
                let secrets = Secrets::from_iter(names(n).map(|name| (name.clone(), name)));
                Box::new(move || assert!(secrets.check_schema(&schema).is_valid()))
            },
        },
        Row {
            name: "check_schema: n names, none of n choices",
            n: 1_000,
            make: |n| {
                let schema = map(&json!({ "type": "string", "enum": names(n).collect::<Vec<_>>() }));
                let secrets = Secrets::from_iter(names(n).map(|name| (name, "none")));
                Box::new(move || assert_eq!(secrets.check_schema(&schema).invalid().len(), n))
            },
        },
        Row {
            name: "check_schema: n names, none of n choices nor null",
            n: 500,
            make: |n| {
                let choices = json!({ "type": "string", "enum": names(n).collect::<Vec<_>>() });
                let schema = map(&json!({ "anyOf": [choices, { "type": "null" }] }));
                let secrets = Secrets::from_iter(names(n).map(|name| (name, "none")));
                Box::new(move || assert_eq!(secrets.check_schema(&schema).invalid().len(), n))
            },
        },
        Row {
            name: "check_schema: a list of n items in none of several forms",
            n: 200,
            make: |n| {
                let forms: Vec<Value> =
                    (0..20).map(|form| json!({ "type": "object", "required": [format!("P{form}")] })).collect();
                let schema = map(&json!({ "type": "array", "items": { "oneOf": forms } }));
                let secrets = Secrets::from_iter([("A", json!(vec![json!({}); n]).to_string())]);
                Box::new(move || assert!(!secrets.check_schema(&schema).is_valid()))
            },
        },
        Row {
            name: "check_schema: unique items, n of them",
            n: 5_000,
            make: |n| {
                let schema = map(&json!({ "type": "array", "uniqueItems": true }));
                let items: Vec<Value> = names(n).map(|name| json!({ "name": [name] })).collect();
                let secrets = Secrets::from_iter([("A", Value::Array(items).to_string())]);
                Box::new(move || assert!(secrets.check_schema(&schema).is_valid()))
            },
        },
        Row {
            name: "check_schema: patterns of names, names of their own, contains, n items",
            n: 1_000,
            make: |n| {
                let inner = json!({ "type": "object", "patternProperties": { "1$": { "type": "string" }, "^N": {} },
                "propertyNames": { "pattern": "^NAME_\\d+$" }, "additionalProperties": false });
                let list =
                    json!({ "type": "array", "contains": { "const": "NAME_0" }, "items": { "format": "email" } });
                let schema = schema(&json!({ "type": "object", "properties": { "MAP": inner, "LIST": list } }));
                let inner: serde_json::Map<String, Value> = names(n).map(|name| (name, "v".into())).collect();
                let list = json!(names(n).collect::<Vec<_>>());
                let secrets =
                    Secrets::from_iter([("MAP", Value::Object(inner).to_string()), ("LIST", list.to_string())]);
                Box::new(move || drop(black_box(secrets.check_schema(&schema))))
            },
        },
        Row {
            name: "check_schema: a pattern that looks around, a value of n bytes",
            n: 10_000,
            make: |n| {
                let schema = map(&json!({ "type": "string", "pattern": "(?=.*[A-Z])(?=.*[0-9])" }));
                let secrets = Secrets::from_iter([("PASSWORD", "a".repeat(n))]);
                Box::new(move || assert_eq!(secrets.check_schema(&schema).invalid().len(), 1))
            },
        },
        Row {
            name: "check_schema: a pattern that refers back, a value of n bytes",
            n: 10_000,
            make: |n| {
                let schema = map(&json!({ "type": "string", "pattern": "(a*)*\\1c" }));
                let secrets = Secrets::from_iter([("PASSWORD", "a".repeat(n))]);
                Box::new(move || assert_eq!(secrets.check_schema(&schema).invalid().len(), 1))
            },
        },
        Row {
            name: "check_schema: a pattern that looks around, n values",
            n: 200,
            make: |n| {
                let schema = map(&json!({ "type": "string", "pattern": "^(?=.*[A-Z])(?=.*[0-9]).{8,}$" }));
                let secrets = Secrets::from_iter(names(n).map(|name| (name, "a".repeat(50))));
                Box::new(move || assert_eq!(secrets.check_schema(&schema).invalid().len(), n))
            },
        },
        Row {
            name: "check_schema: a regular pattern made to be slow, a value of n bytes",
            n: 20_000,
            make: |n| {
                let schema = map(&json!({ "type": "string", "pattern": "^(a+)+(a|aa)*$" }));
                let secrets = Secrets::from_iter([("A", "a".repeat(n) + "b")]);
                Box::new(move || assert_eq!(secrets.check_schema(&schema).invalid().len(), 1))
            },
        },
        Row {
            name: "Schema::example of n properties",
            n: 500,
            make: |n| {
                let schema = object(n, &json!({ "type": "string", "default": "v" }));
                Box::new(move || drop(black_box(schema.example())))
            },
        },
        Row {
            name: "Schema::from_json of n properties",
            n: 250,
            make: |n| {
                let text =
                    json!({ "type": "object", "properties": properties(n, &json!({ "type": "string" })) }).to_string();
                Box::new(move || assert!(Schema::from_json(&text).is_ok()))
            },
        },
    ]
}

fn schema(json: &Value) -> Schema {
    Schema::from_json(&json.to_string()).expect("a schema")
}

fn properties(n: usize, each: &Value) -> serde_json::Map<String, Value> {
    names(n).map(|name| (name, each.clone())).collect()
}

fn object(n: usize, each: &Value) -> Schema {
    let required: Vec<String> = names(n).collect();
    schema(&json!({ "type": "object", "properties": properties(n, each), "required": required }))
}

fn map(each: &Value) -> Schema {
    schema(&json!({ "type": "object", "additionalProperties": each }))
}
