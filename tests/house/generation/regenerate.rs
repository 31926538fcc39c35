//! Changing the document and building again is all it takes; a document that cannot be compiled says where and why.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

const DOCUMENT: &str = "openapi/xtra.json";

/// A call of the operation that the tests add.
const PROBE: &str = r#"//! Calls an operation that the shipped document does not have.

#[test]
fn the_new_operation_can_be_called() {
    fn call(client: &xtrasecurity::xtra::raw::Client) {
        let _request = client.probes_get().probe_id("1").verbose(true);
    }
    let _ = call;
}
"#;

/// A copy of this crate beside the build's other files. The tests share it, because each builds it.
static COPY: LazyLock<Mutex<PathBuf>> = LazyLock::new(|| {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("regenerate");
    let _ = fs::remove_dir_all(&copy);
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for part in ["src", "build", "openapi", "build.rs", "Cargo.lock", "README.md"] {
        copy_all(&here.join(part), &copy.join(part));
    }
    let manifest = fs::read_to_string(here.join("Cargo.toml")).unwrap();
    fs::write(copy.join("Cargo.toml"), without_targets(&manifest)).unwrap();
    fs::create_dir(copy.join("tests")).unwrap();
    fs::write(copy.join("tests/probe.rs"), PROBE).unwrap();
    Mutex::new(copy)
});

fn copy() -> MutexGuard<'static, PathBuf> {
    COPY.lock().unwrap_or_else(PoisonError::into_inner)
}

fn copy_all(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy_all(&entry.path(), &to.join(entry.file_name()));
        }
    } else if from.exists() {
        fs::copy(from, to).unwrap();
    }
}

/// The manifest without the tests, examples, benches and members that it names one by one: the copy has none of them.
fn without_targets(manifest: &str) -> String {
    let mut inside = false;
    let kept = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            inside = line.starts_with("[[");
        }
        !inside && !["members =", "default-members =", "exclude ="].iter().any(|start| line.starts_with(start))
    });
    // Under a name of its own: cargo would take its build script for this crate's, which shares the target directory.
    let manifest = kept.filter(|line| !line.starts_with("xtrasecurity =")).collect::<Vec<_>>().join("\n");
    // only whether it compiles matters
    manifest.replacen("name = \"xtrasecurity\"", "name = \"xtrasecurity-regenerated\"", 1)
        + "\n[lib]\nname = \"xtrasecurity\"\n\n[profile.dev.package.xtrasecurity-regenerated]\ndebug = false\n"
}

fn shipped() -> Value {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn with_probe() -> Value {
    let mut document = shipped();
    let responses = document["paths"]["/project"]["get"]["responses"].clone();
    document["paths"]["/probe/{probeId}"]["get"] = json!({
        "operationId": "probes_get",
        "summary": "One probe",
        "parameters": [
            {"name": "probeId", "in": "path", "required": true, "schema": {"type": "string"}},
            {"name": "verbose", "in": "query", "schema": {"type": "boolean"}},
        ],
        "responses": responses,
    });
    document
}

/// Builds the probe in the copy, without the network. It shares the target directory, where the dependencies are compiled.
fn build(copy: &Path, document: &Value) -> Output {
    fs::write(copy.join(DOCUMENT), serde_json::to_string_pretty(document).unwrap()).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(copy).env("CARGO_TARGET_DIR", target);
    // what cargo tells a test about its package would make build scripts of dependencies run again
    for (name, _) in std::env::vars_os() {
        let is_of_package =
            |name: &str| ["CARGO_PKG_", "CARGO_MANIFEST_", "OUT_DIR"].iter().any(|start| name.starts_with(start));
        if name.to_str().is_some_and(is_of_package) {
            cargo.env_remove(&name);
        }
    }
    cargo.args(["test", "--no-run", "--offline", "--test", "probe"]);
    if std::env::current_exe().unwrap().iter().any(|part| part == "release") {
        cargo.arg("--release");
    }
    cargo.output().unwrap()
}

/// The lines by which a build script ends the build.
fn errors(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().filter_map(|line| line.trim().strip_prefix("cargo::error=")).map(str::to_owned).collect()
}

#[test]
fn a_new_operation_needs_nothing_but_the_document() {
    let shipped_client = include_str!(concat!(env!("OUT_DIR"), "/xtra.rs"));
    assert!(!shipped_client.contains("probes_get"));
    let copy = copy();
    let output = build(&copy, &with_probe());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    // after a build that succeeded, the next change is noticed too
    let mut document = with_probe();
    document["openapi"] = json!("3.1.0");
    let output = build(&copy, &document);
    assert!(!output.status.success());
    assert_eq!(errors(&output), ["openapi/xtra.json: document: `openapi` must be \"3.0.3\""]);
}

#[test]
fn a_broken_rule_ends_the_build_with_its_file_operation_and_rule() {
    let mut document = with_probe();
    document["paths"]["/probe/{probeId}"]["get"]["responses"]["200"] = json!({"description": "Done"});
    let output = build(&copy(), &document);
    assert!(!output.status.success());
    assert_eq!(
        errors(&output),
        [
            "openapi/xtra.json: GET /probe/{probeId}: the answers must be exactly `2XX`, `4XX` and `5XX`, not 200, 2XX, 4XX, 5XX"
        ]
    );
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
}

#[test]
fn a_failure_of_the_generator_itself_names_the_operation() {
    let mut document = with_probe();
    document["paths"]["/probe/{probeId}"]["get"]["parameters"][1]["schema"] =
        json!({"type": "integer", "default": "none"});
    let output = build(&copy(), &document);
    assert!(!output.status.success());
    let errors = errors(&output);
    assert!(
        errors.len() == 1
            && errors[0].starts_with("openapi/xtra.json: GET /probe/{probeId}: the generator cannot compile it: "),
        "{errors:?}"
    );
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
}

#[test]
fn a_part_that_is_not_openapi_is_named() {
    let mut document = with_probe();
    document["paths"]["/probe/{probeId}"]["get"]["tags"] = json!("Probes");
    let output = build(&copy(), &document);
    assert!(!output.status.success());
    let errors = errors(&output);
    assert!(
        errors.len() == 1 && errors[0].starts_with("openapi/xtra.json: GET /probe/{probeId}: is not OpenAPI 3.0: "),
        "{errors:?}"
    );
}
