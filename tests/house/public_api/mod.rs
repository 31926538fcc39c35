//! The public API is the one that is written down in `tests/public_api.txt`, `tests/public_api_raw.txt` and
//! `tests/public_api_raw_infisical.txt`.
//!
//! A change of it shows as a change of these files, which is reviewed like any other. After a change on purpose:
//! `UPDATE_PUBLIC_API=1 cargo test --test house public_api`.

mod lines;
mod names;
mod print;
mod source;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use lines::{Api, api};

const UPDATE: &str = "UPDATE_PUBLIC_API";

/// Other crates whose traits public types implement, and what those traits speak of. Nothing of them is in a signature.
const TRAITS_OF: &[&str] = &[
    "bytes",
    "config",
    "figment",
    "futures_core",
    "http",
    "http_body",
    "schemars",
    "serde",
    "tower_layer",
    "tower_service",
];

/// The traits that a type of the user's own must have to be read as, which signatures cannot but name.
const TRAITS_OF_USERS: &[&str] = &["schemars::JsonSchema", "serde::Serialize", "serde::de::DeserializeOwned"];

/// Fails with what differs, or writes the file when that is asked for.
fn assert_snapshot(file: &str, now: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&path, now).unwrap();
        return;
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let (before, after): (Vec<&str>, Vec<&str>) = (written.lines().collect(), now.lines().collect());
    if before != after {
        let difference = difference(&before, &after);
        panic!(
            "the public API is not that of tests/{file}:\n{difference}\nIf that is on purpose: \
             {UPDATE}=1 cargo test --test house public_api"
        );
    }
}

/// Lines that went (`-`) and came (`+`), each under the block that it stands in.
fn difference(before: &[&str], after: &[&str]) -> String {
    let placed = |lines: &[&str]| {
        let mut block = String::new();
        let mut placed = BTreeSet::new();
        for line in lines {
            if !line.starts_with(' ') {
                (*line).clone_into(&mut block);
            }
            placed.insert((block.clone(), (*line).to_owned()));
        }
        placed
    };
    let (before, after) = (placed(before), placed(after));
    let mut text = String::new();
    for (block, line) in before.symmetric_difference(&after) {
        let sign = if before.contains(&(block.clone(), line.clone())) { '-' } else { '+' };
        let place = if block == line { "" } else { block };
        let _ = writeln!(text, "{sign} {place} {}", line.trim());
    }
    text
}

fn as_text(api: &Api) -> String {
    let mut text = String::new();
    for (name, block) in &api.blocks {
        let _ = writeln!(text, "{name} ({})\n  {}", block.kind, block.declaration);
        for member in &block.members {
            let _ = writeln!(text, "  {member}");
        }
    }
    text
}

/// The generated names: types, then operations. Read off the text, whose layout the generator's formatter gives.
fn generated_names() -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut types, mut operations) = (BTreeSet::new(), BTreeSet::new());
    let mut block = String::new();
    for line in source::generated_text().lines() {
        // text of documentation begins at the margin too
        if ["pub mod ", "impl ", "pub struct "].iter().any(|start| line.starts_with(start)) {
            line.clone_into(&mut block);
        }
        let name = |start: &str| {
            let rest = line.strip_prefix(start)?;
            rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned)
        };
        match block.as_str() {
            "pub mod types {" => types.extend(name("    pub struct ").or_else(|| name("    pub enum "))),
            "impl Client {" => operations.extend(name("    pub fn ")),
            _ => {}
        }
    }
    (types, operations)
}

#[test]
fn the_public_api_is_the_one_written_down() {
    assert_snapshot("public_api.txt", &as_text(&api(&source::load())));
}

#[test]
fn the_generated_names_are_the_ones_written_down() {
    let (types, operations) = generated_names();
    assert!(!types.is_empty() && !operations.is_empty());
    let mut text = format!("# {} types, {} operations\n", types.len(), operations.len());
    for name in types {
        let _ = writeln!(text, "type {name}");
    }
    for name in operations {
        let _ = writeln!(text, "operation {name}");
    }
    assert_snapshot("public_api_raw.txt", &text);
}

/// Infisical's client is generated with a feature that this test may be built without: its names are those of the document.
#[test]
fn the_names_of_infisicals_raw_client_are_the_ones_written_down() {
    let document: serde_json::Value = serde_json::from_str(include_str!("../../../openapi/infisical.json")).unwrap();
    let types: BTreeSet<&str> =
        document["components"]["schemas"].as_object().unwrap().keys().map(String::as_str).collect();
    let methods = document["paths"].as_object().unwrap().values().filter_map(|path| path.as_object());
    let ids = methods.flat_map(|path| path.values()).filter_map(|operation| operation["operationId"].as_str());
    let operations: BTreeSet<&str> = ids.collect();
    let mut text = format!("# {} schemas, {} operations\n", types.len(), operations.len());
    for name in types {
        let _ = writeln!(text, "schema {name}");
    }
    for name in operations {
        let _ = writeln!(text, "operation {name}");
    }
    assert_snapshot("public_api_raw_infisical.txt", &text);
}

#[test]
fn no_signature_outside_raw_names_another_crate() {
    let api = api(&source::load());
    let outside_raw = |(block, _): &&(String, String)| !block.contains("raw::");
    let is_theirs = |path: &str| TRAITS_OF_USERS.contains(&path);
    let found: Vec<_> = api.foreign.iter().filter(outside_raw).filter(|(_, path)| !is_theirs(path)).collect();
    assert!(found.is_empty(), "types of other crates in public signatures: {found:?}");
    let is_known = |path: &str| TRAITS_OF.iter().any(|known| path.split("::").next() == Some(known));
    // a service's own types are made from those of its raw client, which is public too
    let is_raw = |path: &str| path.contains("::raw::types::");
    let is_theirs = |path: &str| !is_known(path) && !is_raw(path);
    let found: Vec<_> = api.foreign_traits.iter().filter(outside_raw).filter(|(_, path)| is_theirs(path)).collect();
    assert!(found.is_empty(), "traits of other crates on public types: {found:?}");
    assert!(api.foreign.iter().any(|(_, path)| path.starts_with("reqwest::")), "raw names reqwest, and that is seen");
}

#[test]
fn every_public_type_can_be_printed_for_debugging() {
    let api = api(&source::load());
    let types = api.blocks.iter().filter(|(_, block)| ["struct", "enum"].contains(&block.kind));
    let silent: Vec<_> = types
        .filter(|(_, block)| {
            !block.members.iter().any(|member| member.starts_with("impl") && member.contains("std::fmt::Debug for"))
        })
        .map(|(name, _)| name)
        .collect();
    assert!(silent.is_empty(), "without Debug: {silent:?}");
}
