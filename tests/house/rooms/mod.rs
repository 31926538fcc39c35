//! The structure of the source tree: who may know whom, and what no room may name. Read off the source text.

mod source;

use std::fs;
use std::path::Path;

use source::{Imports, Module, Source, code_of, files, library, paths};

/// The rooms from the bottom up, each with the rooms that its code may name: `http` and the engine on the common ground,
/// credentials on `http`, the features on the engine, and the services, which may name them all, on top. A feature may build
/// on one above it in this list.
const ROOMS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("http", &["core"]),
    ("credentials", &["core", "http"]),
    ("engine", &["core"]),
    ("dotenv", &["core"]),
    ("inject", &["core", "engine"]),
    ("env", &["core", "inject"]),
    ("schema", &["core", "engine", "dotenv"]),
    ("references", &["core", "engine"]),
    ("sources", &["core", "engine", "dotenv"]),
    ("copy", &["core", "engine"]),
    ("blocking", &["core", "engine", "inject", "schema", "references"]),
    ("providers", &["core", "engine", "schema", "blocking"]),
    ("dev", &["core"]),
];

/// The arrows up that are meant, each a name at the end of a path.
const MEANT: &[(&str, &str)] = &[
    // the root hands the services' variables down, because a secret must not steer a client of a service that is not compiled in
    ("inject", "SERVICE_VARIABLES"),
    // credentials are no secrets of the program's
    ("sources", "SERVICE_VARIABLES"),
    // people look for the blocking client in the module of that name
    ("blocking", "services::xtra::client::blocking::XtraClient"),
    ("blocking", "services::xtra::client::blocking::XtraClientBuilder"),
    ("blocking", "services::infisical::client::blocking::InfisicalClient"),
    ("blocking", "services::infisical::client::blocking::InfisicalClientBuilder"),
    ("blocking", "services::secr::client::blocking::SecrClient"),
    ("blocking", "services::secr::client::blocking::SecrClientBuilder"),
    ("blocking", "services::syvault::client::blocking::SyVaultClient"),
    ("blocking", "services::syvault::client::blocking::SyVaultClientBuilder"),
];

/// Lines of general rooms that may name a service: the re-exports among the arrows that are meant.
const MEANT_LINES: &[&str] = &[
    "#[cfg(feature = \"xtra\")]",
    "pub use crate::services::xtra::client::blocking::{XtraClient, XtraClientBuilder};",
    "#[cfg(feature = \"infisical\")]",
    "pub use crate::services::infisical::client::blocking::{InfisicalClient, InfisicalClientBuilder};",
    "#[cfg(feature = \"secr\")]",
    "pub use crate::services::secr::client::blocking::{SecrClient, SecrClientBuilder};",
    "#[cfg(feature = \"syvault\")]",
    "pub use crate::services::syvault::client::blocking::{SyVaultClient, SyVaultClientBuilder};",
];

/// Marks of one service, in lower case. The crate's own names are taken out before these are looked for.
const MARKS: &[&str] = &[
    "xtra",
    "infisical",
    "syvault",
    "\"secr\"",
    "x-ratelimit",
    "projectid",
    "/projects",
    "prisma",
    "\"retryafter\"",
    "secrets_read",
];

/// What a name of the crate itself, or a longer word, has in common with a mark. `XTRACPY` begins a copy on disk.
const OWN: &[&str] = &["xtraerror", "xtrasecurity", "xtrasec", "xtracpy", "extra"];

/// A file that lists variables of many tools, one of which a service happens to be built with.
const TOOLS: &str = "inject/guarded/languages.rs";

/// Words that once stood for things which have a name in the field.
const OLD_WORDS: &[&str] = &["Boarded", "Crew", "Landed", "Landing", "Planted", "Seat", "Shelf", "Ticket", "World"];

fn is_meant(room: &str, path: &Module) -> bool {
    MEANT.contains(&(room, path.join("::").as_str()))
}

fn general(sources: &[Source]) -> impl Iterator<Item = &Source> {
    sources.iter().filter(|source| !matches!(source.room(), "services" | "lib") && !source.is_test())
}

#[test]
fn no_general_room_names_a_service() {
    let mut found = Vec::new();
    for source in general(&library()) {
        for (number, line) in source.code.lines().enumerate() {
            if MEANT_LINES.contains(&line.trim()) {
                continue;
            }
            let bare = OWN.iter().fold(line.to_lowercase(), |line, own| line.replace(own, ""));
            if let Some(mark) = MARKS.iter().find(|mark| bare.contains(**mark))
                && !(*mark == "prisma" && source.path == TOOLS)
            {
                found.push(format!("{} names {mark} (line {number} of its code): {}", source.path, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{} lines:\n{}", found.len(), found.join("\n"));
}

#[test]
fn no_arrow_runs_up() {
    let sources = library();
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| source.room() != "lib" && !source.is_test()) {
        let Some((_, below)) = ROOMS.iter().find(|(room, _)| *room == source.room()) else {
            assert!(matches!(source.room(), "services" | "fuzzing"), "{} is a room without a floor", source.path);
            continue;
        };
        for path in paths(source) {
            let Some(room) = path.first() else { continue };
            if room != source.room() && !below.contains(&room.as_str()) && !is_meant(source.room(), &path) {
                found.push(format!("{} names crate::{}", source.path, path.join("::")));
            }
        }
    }
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{} arrows:\n{}", found.len(), found.join("\n"));
}

#[test]
fn no_circle_of_imports_is_larger_than_three_files() {
    let circles = Imports::of(&library(), is_meant).circles();
    let large: Vec<String> = circles.iter().filter(|circle| circle.len() > 3).map(|circle| circle.join(", ")).collect();
    assert!(large.is_empty(), "{} circles:\n{}", large.len(), large.join("\n"));
}

#[test]
fn every_module_has_a_heading_that_is_a_noun_phrase() {
    const QUESTIONS: &[&str] =
        &["Whether", "What", "Who", "Whose", "How", "When", "Where", "Why", "Which", "From", "The same", "Being", "Is"];
    let mut found = Vec::new();
    for source in library() {
        let heading = source.text.lines().next().unwrap_or_default();
        let heading = heading.strip_prefix("//! ").unwrap_or_default();
        let begins = |word: &&&str| heading.strip_prefix(**word).is_some_and(|rest| rest.starts_with([' ', ',', '\'']));
        if heading.is_empty() || QUESTIONS.iter().any(|word| begins(&word)) {
            found.push(format!("{}: {heading}", source.path));
        }
    }
    assert!(found.is_empty(), "{} headings:\n{}", found.len(), found.join("\n"));
}

#[test]
fn no_type_has_a_name_of_the_old_vocabulary() {
    let mut found = Vec::new();
    for source in library().iter().filter(|source| !source.is_test()) {
        let words = source.code.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        found.extend(words.filter(|word| OLD_WORDS.contains(word)).map(|word| format!("{}: {word}", source.path)));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn assert_none_names(below: &str, except: &[&str], forbidden: &[&str]) {
    for (path, text) in files(below) {
        if except.iter().any(|part| path.to_string_lossy().contains(part)) {
            continue;
        }
        let code = code_of(&text);
        for word in forbidden {
            assert!(!code.contains(word), "{} must not know {word}", path.display());
        }
    }
}

#[test]
fn only_http_and_a_services_raw_edge_name_the_http_client_or_generated_types() {
    let edge = ["src/http", "raw.rs", "/operations", "fuzzing.rs", "lib.rs"];
    assert_none_names("src", &["src/http", "raw.rs", "fuzzing.rs"], &["reqwest::"]);
    assert_none_names("src", &[&edge[..], &["services/xtra/convert.rs"]].concat(), &["types::"]);
}

#[test]
fn the_command_writes_by_one_module_which_survives_a_closed_pipe() {
    assert_none_names("crates/xtrasec/src", &[], &["println!", "print!(", "eprintln!", "eprint!("]);
}

#[test]
fn one_file_reads_the_process_environment_and_one_changes_it() {
    // Tests that must run in a process of their own start themselves again, told by a variable.
    const PASSES_THE_PROMISE_ON: &[&str] = &["env.rs", "inject/request.rs", "blocking/send.rs"];
    for source in library().iter().filter(|source| !source.is_test()) {
        let is_unsafe = PASSES_THE_PROMISE_ON.contains(&source.path.as_str());
        let (reads, changes) = (source.path == "core/process.rs", source.path == "env.rs");
        for (word, allowed) in [
            ("env::var", reads),
            ("env::home_dir", reads),
            ("env::current_dir", reads),
            ("set_var(", changes),
            ("remove_var(", false),
            ("unsafe {", is_unsafe),
            ("unsafe impl", false),
        ] {
            assert!(allowed || !source.code.contains(word), "{} must not use {word}", source.path);
        }
    }
}

#[test]
fn no_source_file_is_larger_than_one_concern() {
    for source in library() {
        let lines = source.text.lines().count();
        assert!(lines <= 800, "{} has {lines} lines", source.path);
    }
}

#[test]
fn every_target_says_which_features_it_needs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    for room in ["tests", "benches"] {
        for entry in fs::read_dir(root.join(room)).unwrap() {
            let path = entry.unwrap().path();
            let target = path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").exists();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            if !target {
                continue;
            }
            let section = manifest.split("[[").find(|section| section.contains(&format!("name = \"{name}\"\n")));
            assert!(section.is_some_and(|section| section.contains("required-features")), "{room}/{name}");
        }
    }
}
