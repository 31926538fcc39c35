//! The programs to run, and which of them cannot be.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The program of a client. The words of a command are without its last, `check` or `start`.
pub enum Program {
    /// It checks and starts.
    Whole(&'static str, Vec<PathBuf>),
    /// It only starts, to be measured.
    OnlyStarts(&'static str, Vec<PathBuf>),
    /// It cannot be run, and why.
    Missing(&'static str, &'static str),
}

impl Program {
    pub fn name(&self) -> &'static str {
        match self {
            Program::Whole(name, _) | Program::OnlyStarts(name, _) | Program::Missing(name, _) => name,
        }
    }
}

/// This crate first.
pub fn programs() -> Vec<Program> {
    let own = std::env::current_exe().expect("a program has a path");
    let beside = |name: &str| own.with_file_name(name);
    let script = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name);
    let python = |name, file| match std::env::var_os("PEERS_PYTHON") {
        Some(python) => Program::Whole(name, vec![python.into(), script(file)]),
        None => Program::Missing(name, "no Python with it could be made"),
    };
    vec![
        Program::OnlyStarts("xtrasecurity", vec![beside("start_xtrasecurity")]),
        Program::Whole("infisical (crates.io)", vec![beside("crate_infisical")]),
        match std::env::var_os("NODE_PATH") {
            Some(_) => Program::Whole("@infisical/sdk (npm)", vec!["node".into(), script("infisical_sdk.js")]),
            None => Program::Missing("@infisical/sdk (npm)", "npm could not install it"),
        },
        python("infisicalsdk (PyPI)", "infisicalsdk.py"),
        python("infisical-httpx-sdk (PyPI)", "infisical_httpx_sdk.py"),
    ]
}

/// A process of the words.
pub fn command(words: &[PathBuf], last: &str) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).arg(last);
    command
}
