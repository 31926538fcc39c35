//! What the build writes: a client that runs on our own runtime, and on nothing of the generator's.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// The generated client, as it is compiled into this crate.
const WRITTEN: &str = include_str!(concat!(env!("OUT_DIR"), "/xtra.rs"));

/// The paths that requests are made of.
fn urls() -> impl Iterator<Item = &'static str> {
    WRITTEN.split("\"{}/").skip(1).filter_map(|rest| rest.split_once('"')).map(|(url, _)| url)
}

fn operations() -> usize {
    let document = include_str!("../openapi/xtra.json");
    document.matches("\"operationId\"").count()
}

#[test]
fn nothing_of_the_generators_runtime_is_left() {
    for name in ["progenitor", "ByteStream", "ClientInfo", "api-version", "header_map"] {
        assert!(!WRITTEN.contains(name), "{name}");
    }
}

#[test]
fn nothing_in_the_generated_client_panics() {
    for call in [".unwrap()", ".expect(", "panic!", "todo!", "unimplemented!", "unreachable!"] {
        assert!(!WRITTEN.contains(call), "{call}");
    }
}

#[test]
fn every_request_goes_through_the_transport() {
    assert_eq!(WRITTEN.matches("client.exec(request, &info).await").count(), operations());
    assert!(!WRITTEN.contains(".execute("));
}

#[test]
fn no_request_holds_the_variant_of_its_path() {
    assert_eq!(urls().count(), operations());
    for url in urls() {
        assert!(!url.contains('#'), "{url}");
    }
}

#[test]
fn every_path_parameter_is_checked() {
    let parameters: usize = urls().map(|url| url.matches("{}").count()).sum();
    assert!(parameters > 0);
    let code: String = WRITTEN.split_whitespace().collect();
    let checked = code.matches("encode_path(\"").count();
    assert_eq!(checked, parameters);
    for call in code.split("encode_path(\"").skip(1) {
        let (_, after) = call.split_once(')').unwrap();
        assert!(after.starts_with('?'), "{}", &call[..40]);
    }
}

#[test]
fn every_body_goes_into_a_buffer_that_is_wiped() {
    assert!(!WRITTEN.contains(".json(") && !WRITTEN.contains(".body(body)"));
    assert!(WRITTEN.contains(".json_body(&body)?"));
}

#[test]
fn the_client_has_no_derived_debug_and_cannot_be_pointed_elsewhere() {
    let (before, after) = WRITTEN.split_once("pub struct Client {").unwrap();
    let attributes = &before[before.rfind("#[derive(").unwrap()..];
    assert!(attributes.starts_with("#[derive(Clone)]"), "{attributes}");
    for field in after[..after.find('}').unwrap()].lines().map(str::trim).filter(|line| !line.is_empty()) {
        assert!(field.starts_with("pub(crate) "), "{field}");
    }
    assert!(after.contains("pub(crate) fn new_with_client(") && !after.contains("pub fn new_with_client("));
}

#[test]
fn its_documentation_holds_no_example_that_would_be_counted_as_ignored() {
    assert!(!WRITTEN.contains("```") && !WRITTEN.contains("<details>"));
}

#[test]
fn each_request_links_to_the_method_that_makes_it() {
    let mut links = 0;
    for (_, rest) in WRITTEN.match_indices("Builder for ").map(|(at, found)| WRITTEN.split_at(at + found.len())) {
        let rest = rest.lines().next().unwrap().trim_end_matches("*/");
        let (method, target) = rest.split_once("](").unwrap();
        let method = method.strip_prefix("[`Client::").and_then(|name| name.strip_suffix('`')).unwrap();
        assert_eq!(target, format!("super::Client::{method})"));
        assert!(WRITTEN.contains(&format!("pub fn {method}(")), "{method}");
        links += 1;
    }
    assert_eq!(links, operations());
    assert!(!WRITTEN.contains("`]: "));
}

/// The schemas that a part of the document refers to, and those that they refer to.
fn referred<'d>(document: &'d Value, part: &'d Value, found: &mut BTreeMap<&'d str, &'d Value>) {
    match part {
        Value::Array(items) => items.iter().for_each(|item| referred(document, item, found)),
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(|to| to.as_str()?.strip_prefix("#/components/schemas/")) {
                let schema = &document["components"]["schemas"][name];
                if found.insert(name, schema).is_none() {
                    referred(document, schema, found);
                }
            }
            map.values().for_each(|inner| referred(document, inner, found));
        }
        _ => {}
    }
}

#[test]
fn a_type_has_a_builder_where_requests_are_made_of_it_and_nowhere_else() {
    let document: Value = serde_json::from_str(include_str!("../openapi/xtra.json")).unwrap();
    let mut sent = BTreeMap::new();
    for operation in document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values())
    {
        referred(&document, &operation["requestBody"], &mut sent);
    }
    let (mut with, mut without) = (0, 0);
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if schema.get("properties").is_none() || !WRITTEN.contains(&format!("pub struct {name} {{")) {
            continue;
        }
        let is_sent = sent.contains_key(name.as_str());
        let has_builder = WRITTEN.contains(&format!("pub fn builder() -> builder::{name} {{"));
        assert_eq!(has_builder, is_sent, "{name}");
        *if is_sent { &mut with } else { &mut without } += 1;
    }
    assert!(with > 40 && without > 80, "{with} {without}");
}

/// Each operation of the document: its name, its parameters and its body.
fn documented_operations() -> Vec<(String, Vec<Value>, Option<Value>)> {
    let document: Value = serde_json::from_str(include_str!("../openapi/xtra.json")).unwrap();
    let methods = document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let operation = |method: &Value| {
        let parameters = method["parameters"].as_array().cloned().unwrap_or_default();
        (method["operationId"].as_str().unwrap().to_owned(), parameters, method.get("requestBody").cloned())
    };
    methods.filter(|method| method.get("operationId").is_some()).map(operation).collect()
}

fn snake(name: &str) -> String {
    name.chars().flat_map(|c| c.is_uppercase().then_some('_').into_iter().chain(c.to_lowercase())).collect()
}

#[test]
fn each_setter_says_what_it_sets_and_whether_it_must_be_called() {
    for (operation, parameters, body) in documented_operations() {
        let (_, request) = WRITTEN.split_once(&format!("Builder for [`Client::{operation}`]")).unwrap();
        let lines: Vec<&str> = request.lines().map(str::trim).collect();
        let documentation = |setter: &str| {
            let at = lines.iter().position(|line| line.starts_with(&format!("pub fn {setter}<"))).unwrap();
            lines[at - 1].strip_prefix("/// ").unwrap_or_else(|| panic!("{operation}: {setter} has no documentation"))
        };
        for parameter in parameters {
            let setter = snake(parameter["name"].as_str().unwrap());
            let need = if parameter["required"] == true { "Required." } else { "Optional." };
            let wanted = format!("{} {need}", parameter["description"].as_str().unwrap());
            assert_eq!(documentation(&setter).replace('\\', ""), wanted, "{operation}: {setter}");
        }
        if let Some(body) = body {
            let wanted = format!("{} Required", body["description"].as_str().unwrap());
            assert!(documentation("body").starts_with(&wanted), "{operation}: {}", documentation("body"));
            assert!(documentation("body_map").starts_with("Fills the body in"), "{operation}");
        }
    }
}

#[test]
fn the_generator_is_not_shipped() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.contains("reqwest v"), "{tree}");
    for name in ["progenitor", "typify", "openapiv3", "syn v1"] {
        assert!(!tree.contains(name), "{name}");
    }
}
