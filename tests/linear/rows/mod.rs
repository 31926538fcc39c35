//! The calls that are measured, by what they are about.

mod answers;
mod local;
mod typed;

use crate::measure::Row;

pub fn all() -> Vec<Row> {
    [local::rows(), typed::rows(), answers::rows()].into_iter().flatten().collect()
}

/// Names in order, all of one length.
fn names(n: usize) -> impl Iterator<Item = String> {
    (0..n).map(|number| format!("NAME_{number:07}"))
}
