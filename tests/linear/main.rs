//! Work on a service's data is linear in its size: each public call is measured with n, 2n and 4n things, in processor time.
//!
//! A process of its own with one row after the other, because the whole process is measured. `cargo test --test linear -- diff`
//! measures the rows whose names hold `diff`. To count instructions instead of time, see `tests/README.md`.

mod answering;
mod measure;
mod peer;
mod rows;

use std::process::Command;

use measure::{Growth, Row};

/// Work that is quadratic on purpose: the measurement must tell it from the rest.
const PLANTED: Row = Row { name: "planted: every pair of n", n: 500, make: |n| Box::new(move || pairs(n)) };

fn pairs(n: usize) {
    let items: Vec<usize> = (0..n).collect();
    let equal = items.iter().flat_map(|one| items.iter().map(move |other| one == other)).filter(|equal| *equal).count();
    assert_eq!(std::hint::black_box(equal), n);
}

/// Runs each chosen row once with so many times n things, for whoever counts instructions.
const ONCE: &str = "--once=";

/// Reads once and ends. This test starts itself so, under valgrind.
const FIRST_READ: &str = "--first-read";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let is_chosen = |row: &&Row| filters.is_empty() || filters.iter().any(|filter| row.name.contains(filter.as_str()));
    let (rows, has) = (rows::all(), |flag: &str| arguments.iter().any(|argument| argument == flag));
    let chosen = rows.iter().filter(is_chosen);
    if has(FIRST_READ) {
        return rows::first_read();
    }
    if has("--list") {
        return chosen.for_each(|row| println!("{}: test", row.name));
    }
    if let Some(times) = arguments.iter().find_map(|argument| argument.strip_prefix(ONCE)?.parse::<usize>().ok()) {
        return chosen.for_each(|row| (row.make)(times * row.n)());
    }
    let wrong: Vec<Growth> = chosen.map(shown).filter(|growth| !growth.is_linear()).collect();
    assert!(!shown(&PLANTED).is_linear(), "quadratic work was taken for linear: nothing that was measured here counts");
    let wrong: Vec<String> = wrong.iter().map(|growth| format!("{} (×{:.1})", growth.name, growth.factor())).collect();
    assert!(wrong.is_empty(), "not linear: {}", wrong.join("; "));
    if filters.is_empty() {
        a_first_read_works_under_valgrind();
    }
}

fn shown(row: &Row) -> Growth {
    let growth = row.growth();
    println!("{growth}");
    growth
}

/// The clock is asked for in another way there, which once ended in a segmentation fault.
fn a_first_read_works_under_valgrind() {
    let this = std::env::current_exe().expect("this program has a path");
    match Command::new("valgrind").args(["-q", "--error-exitcode=9"]).arg(this).arg(FIRST_READ).status() {
        Ok(status) => assert!(status.success(), "under valgrind a first read ends with {status}"),
        Err(_) => println!("SKIPPED: a first read under valgrind, which is not installed"),
    }
}
