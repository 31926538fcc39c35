//! Work on a service's data is linear in its size: each public call is measured with n, 2n and 4n things, in processor time.
//!
//! A process of its own with one row after the other, because the whole process is measured. `cargo test --test linear -- diff`
//! measures the rows whose names hold `diff`. To count instructions instead of time, see `tests/README.md`.

mod measure;
mod peer;
mod rows;

use measure::{Growth, Row};

/// Work that is quadratic on purpose: the measurement must tell it from the rest.
const PLANTED: Row = Row { name: "planted: every pair of n", n: 2_000, make: |n| Box::new(move || pairs(n)) };

fn pairs(n: usize) {
    let items: Vec<usize> = (0..n).collect();
    let equal = items.iter().flat_map(|one| items.iter().map(move |other| one == other)).filter(|equal| *equal).count();
    assert_eq!(std::hint::black_box(equal), n);
}

fn main() {
    let filters: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_chosen = |row: &&Row| filters.is_empty() || filters.iter().any(|filter| row.name.contains(filter.as_str()));
    if std::env::args().any(|argument| argument == "--list") {
        return rows::all().iter().filter(is_chosen).for_each(|row| println!("{}: test", row.name));
    }
    let mut wrong: Vec<Growth> = Vec::new();
    for row in rows::all().iter().filter(is_chosen) {
        let growth = row.growth();
        println!("{growth}");
        if !growth.is_linear() {
            wrong.push(growth);
        }
    }
    let planted = PLANTED.growth();
    println!("{planted}");
    assert!(!planted.is_linear(), "quadratic work was taken for linear: nothing that was measured here counts");
    let wrong: Vec<String> = wrong.iter().map(|growth| format!("{} (×{:.1})", growth.name, growth.factor())).collect();
    assert!(wrong.is_empty(), "not linear: {}", wrong.join("; "));
}
