//! The evidence of documents whose service was never seen: each operation and schema says whether a page confirms it, or what it is
//! inferred from.

use std::fs;
use std::path::Path;

use serde_json::Value;

const DOCUMENTS: &[&str] = &["openapi/secr.json", "openapi/syvault.json"];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Operations and schemas with their names and evidence.
fn parts(document: &Value) -> [Vec<(String, String)>; 2] {
    let evidence = |part: &Value| part["x-evidence"].as_str().unwrap_or_default().to_owned();
    let paths = document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let operations = paths.map(|part| (part["operationId"].as_str().unwrap().to_owned(), evidence(part)));
    let schemas = document["components"]["schemas"].as_object().unwrap();
    [operations.collect(), schemas.iter().map(|(name, part)| (name.clone(), evidence(part))).collect()]
}

#[test]
fn every_operation_and_schema_says_what_it_rests_on() {
    for path in DOCUMENTS {
        let document: Value = serde_json::from_str(&read(path)).unwrap();
        for (name, evidence) in parts(&document).into_iter().flatten() {
            let (word, reason) = evidence.split_once(": ").unwrap_or_default();
            assert!(matches!(word, "confirmed" | "inferred") && reason.len() > 5, "{path}: {name}: {evidence:?}");
        }
    }
}

#[test]
fn the_page_about_the_documents_has_their_counts() {
    let page = read("openapi/README.md");
    for path in DOCUMENTS {
        let document: Value = serde_json::from_str(&read(path)).unwrap();
        let [operations, schemas] = parts(&document);
        let file = path.trim_start_matches("openapi/");
        let title = document["info"]["title"].as_str().unwrap().split(' ').next().unwrap();
        let row = format!("| `{file}` | {title} | {} | {} |", operations.len(), schemas.len());
        assert!(page.contains(&row), "{row}");
    }
}
