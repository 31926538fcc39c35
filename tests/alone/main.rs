//! Tests that must be alone in their process: they need one thread, count the whole process's allocations or retries, or decide
//! for all of it who listens to what is logged. There is no test harness: this program starts itself once a test.
//!
//! `cargo test --test alone -- WORD` starts those with the word in their names.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

#[cfg(unix)]
mod credentials_warning;
mod env_single_thread;
mod inject_by_name;
mod memory;
mod no_allocation;
mod observability;
mod programs;
mod references_warning;
mod retry_budget;
#[cfg(unix)]
mod sources;

use std::process::{Command, ExitCode};

/// A promise, and what shows that it is kept: a panic says that it is not.
type Check = (&'static str, fn());

/// The checks, each file's under its name.
const FILES: &[(&str, &[Check])] = &[
    #[cfg(unix)]
    ("credentials_warning", credentials_warning::CHECKS),
    ("env_single_thread", env_single_thread::CHECKS),
    ("inject_by_name", inject_by_name::CHECKS),
    ("memory", memory::CHECKS),
    ("no_allocation", no_allocation::CHECKS),
    ("observability", observability::CHECKS),
    ("programs", programs::CHECKS),
    ("references_warning", references_warning::CHECKS),
    ("retry_budget", retry_budget::CHECKS),
    #[cfg(unix)]
    ("sources", sources::CHECKS),
];

/// Those that count threads.
const ON_LINUX_ONLY: [&str; 3] = ["inject_by_name", "programs", "sources"];

/// The first argument of a process that runs one check; the check's name follows.
const ALONE: &str = "--alone";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(programs::PROGRAM) => return programs::program::main(&arguments[1..]),
        Some(ALONE) => {
            let (_, check) = checks().find(|(name, _)| *name == arguments[1]).expect("a check of this name");
            check();
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let is_listed = arguments.iter().any(|word| word == "--list");
    let words: Vec<&String> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    let mut failed = Vec::new();
    for (name, _) in
        checks().filter(|(name, _)| words.is_empty() || words.iter().any(|word| name.contains(word.as_str())))
    {
        if is_listed {
            println!("{name}: test");
        } else if !holds(&name) {
            failed.push(name);
        }
    }
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("failed: {}", failed.join(", "));
    ExitCode::FAILURE
}

/// All checks that this system has, as `file::promise`.
fn checks() -> impl Iterator<Item = (String, fn())> {
    let here = FILES.iter().filter(|(file, _)| cfg!(target_os = "linux") || !ON_LINUX_ONLY.contains(file));
    here.flat_map(|(file, checks)| checks.iter().map(move |(promise, check)| (format!("{file}::{promise}"), *check)))
}

/// Runs one check in a process of its own, and shows what that said if it failed.
fn holds(name: &str) -> bool {
    let ended = Command::new(std::env::current_exe().unwrap()).args([ALONE, name]).output().unwrap();
    let is_kept = ended.status.success();
    println!("test {name} ... {}", if is_kept { "ok" } else { "FAILED" });
    if !is_kept {
        println!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    }
    is_kept
}

fn on_a_runtime(check: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(check);
}
