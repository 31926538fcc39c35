//! The direction of the house: who may know whom. Read off the source text.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(below: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(below)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.clone(), code_of(&fs::read_to_string(&path).unwrap())));
        }
    }
    assert!(!found.is_empty(), "{below} has no sources");
    found
}

/// The text without comments.
fn code_of(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn assert_none_names(below: &str, except: &[&str], forbidden: &[&str]) {
    for (path, code) in sources(below) {
        if except.iter().any(|part| path.to_string_lossy().contains(part)) {
            continue;
        }
        for word in forbidden {
            assert!(!code.contains(word), "{} must not know {word}", path.display());
        }
    }
}

#[test]
fn no_arrow_runs_up() {
    let rooms = ["core", "credentials", "http", "engine", "inject", "schema", "references", "providers", "services"];
    let allowed: [(&str, &[&str]); 5] = [
        ("core", &[]),
        ("credentials", &["core"]),
        ("http", &["core", "credentials"]),
        ("engine", &["core"]),
        ("providers", &["core", "engine", "schema"]),
    ];
    for (room, below) in allowed {
        let above: Vec<String> = rooms
            .iter()
            .filter(|other| **other != room && !below.contains(other))
            .map(|other| format!("crate::{other}::"))
            .collect();
        let above: Vec<&str> = above.iter().map(String::as_str).collect();
        assert_none_names(&format!("src/{room}"), &["engine/preload.rs", "engine/with_secret.rs"], &above);
    }
}

#[test]
fn nothing_in_the_library_knows_what_is_built_on_top_of_it() {
    assert_none_names(
        "src",
        &["src/blocking", "src/bin", "services"],
        &["crate::blocking", "crate::providers", "super::blocking"],
    );
}

#[test]
fn the_command_writes_by_one_module_which_survives_a_closed_pipe() {
    assert_none_names("src/bin", &[], &["println!", "print!(", "eprintln!", "eprint!("]);
}

#[test]
fn only_the_transport_and_the_raw_edge_name_the_http_client_or_generated_types() {
    assert_none_names("src", &["src/http", "raw.rs", "fuzzing.rs"], &["reqwest"]);
    assert_none_names("src", &["raw.rs", "convert.rs", "src/http", "fuzzing.rs"], &["types::"]);
}

#[test]
fn only_env_rs_touches_the_process_environment_or_is_unsafe() {
    for (path, code) in sources("src") {
        let name = path.to_string_lossy();
        // Tests that must run in a process of their own start themselves again, told by a variable.
        if name.ends_with("src/env.rs") || name.contains("/tests/") || name.ends_with("/tests.rs") {
            continue;
        }
        for word in ["env::var", "env::set_var", "env::remove_var", "env::vars", "set_var("] {
            assert!(!code.contains(word), "{} must not use {word}", path.display());
        }
    }
}

#[test]
fn no_source_file_grows_past_its_concern() {
    for (path, _) in sources("src") {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 800, "{} has {lines} lines", path.display());
    }
}

#[test]
fn every_target_says_which_features_it_needs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    // These read sources and documents only.
    let without = ["house", "generation_lint", "generation_retarget"];
    for room in ["tests", "examples", "benches"] {
        for entry in fs::read_dir(root.join(room)).unwrap() {
            let path = entry.unwrap().path();
            let target = path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").exists();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            if !target || without.contains(&name.as_str()) {
                continue;
            }
            let section = manifest.split("[[").find(|section| section.contains(&format!("name = \"{name}\"\n")));
            assert!(section.is_some_and(|section| section.contains("required-features")), "{room}/{name}");
        }
    }
}
