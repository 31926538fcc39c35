//! Work on Infisical's answers is linear in their size: each call is measured with n, 2n and 4n things, in processor time.
//!
//! A process of its own with one row after the other, because the whole process is measured.

#[path = "../../linear/answering.rs"]
mod answering;
mod infisical;
#[path = "../../linear/measure.rs"]
mod measure;

use measure::Row;

/// Work that is quadratic on purpose: the measurement must tell it from the rest.
const PLANTED: Row = Row { name: "planted: every pair of n", n: 500, make: |n| Box::new(move || pairs(n)) };

fn pairs(n: usize) {
    let items: Vec<usize> = (0..n).collect();
    let equal = items.iter().flat_map(|one| items.iter().map(move |other| one == other)).filter(|equal| *equal).count();
    assert_eq!(std::hint::black_box(equal), n);
}

fn main() {
    let filters: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_chosen = |row: &Row| filters.is_empty() || filters.iter().any(|filter| row.name.contains(filter.as_str()));
    let rows: Vec<Row> = infisical::rows().into_iter().filter(is_chosen).collect();
    if std::env::args().any(|argument| argument == "--list") {
        return rows.iter().for_each(|row| println!("{}: test", row.name));
    }
    let is_linear = |row: &Row| {
        let growth = row.growth();
        println!("{growth}");
        growth.is_linear()
    };
    let wrong: Vec<&str> = rows.iter().filter(|row| !is_linear(row)).map(|row| row.name).collect();
    assert!(!is_linear(&PLANTED), "quadratic work was taken for linear: nothing that was measured here counts");
    assert!(wrong.is_empty(), "not linear: {}", wrong.join("; "));
}
