//! Compiles the OpenAPI document of each enabled service into its raw client, in `OUT_DIR`.
//!
//! It needs neither the network nor any tool besides the compiler. A document that cannot be compiled ends the build with
//! one line a mistake: the file, the operation or schema, and the rule.

#[path = "build/blame.rs"]
mod blame;
#[path = "build/docs.rs"]
mod docs;
#[path = "build/generate.rs"]
mod generate;
#[path = "build/lint/mod.rs"]
mod lint;
#[path = "build/retarget/mod.rs"]
mod retarget;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use generate::{Replacement, Service};

/// One entry a service that has a document; it is compiled when the feature of that name is on.
const SERVICES: &[Service] = &[
    Service {
        name: "xtra",
        replacements: &[
            Replacement { schema: "SecretEntry", with: "crate::services::xtra::wire::SecretEntry" },
            Replacement { schema: "StoredValue", with: "crate::services::xtra::wire::StoredValue" },
            // the crate sends text, and is answered with text
            Replacement { schema: "ExpectedVersion", with: "::std::string::String" },
        ],
        unprinted: &["ApiError", "Conflict"],
    },
    Service {
        name: "infisical",
        replacements: &[Replacement { schema: "SecretData", with: "crate::http::runtime::wire::SecretData" }],
        unprinted: &["ApiError"],
    },
    Service {
        name: "secr",
        replacements: &[Replacement { schema: "TemplateList", with: "crate::services::secr::wire::TemplateList" }],
        unprinted: &["ApiError"],
    },
    Service { name: "syvault", replacements: &[], unprinted: &["ApiError"] },
];

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    let mut mistakes = Vec::new();
    for service in SERVICES {
        let document = format!("openapi/{}.json", service.name);
        println!("cargo::rerun-if-changed={document}");
        let feature = format!("CARGO_FEATURE_{}", service.name.to_uppercase().replace('-', "_"));
        if std::env::var_os(feature).is_some()
            && let Err(found) = compile(service, &document)
        {
            mistakes.extend(found);
        }
    }
    for mistake in &mistakes {
        println!("cargo::error={mistake}");
    }
    if mistakes.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn compile(service: &Service, document: &str) -> Result<(), Vec<String>> {
    let in_file = |mistake: String| vec![format!("{document}: {mistake}")];
    let text = std::fs::read_to_string(directory("CARGO_MANIFEST_DIR")?.join(document))
        .map_err(|error| in_file(format!("cannot be read: {error}")))?;
    let code = generate::generate(service, &text)
        .map_err(|found| found.into_iter().map(|mistake| format!("{document}: {mistake}")).collect::<Vec<_>>())?;
    let target = directory("OUT_DIR")?.join(format!("{}.rs", service.name));
    write_if_changed(&target, &code).map_err(|error| vec![format!("{}: {error}", target.display())])
}

/// Leaves an unchanged file alone, so that a comment edited in the document does not compile the crate again.
fn write_if_changed(target: &Path, code: &str) -> std::io::Result<()> {
    match std::fs::read_to_string(target) {
        Ok(present) if present == code => Ok(()),
        _ => std::fs::write(target, code),
    }
}

fn directory(variable: &str) -> Result<PathBuf, Vec<String>> {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .ok_or_else(|| vec![format!("{variable} is not set: run by cargo only")])
}
