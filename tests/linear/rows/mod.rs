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

/// A client, a clock and a cached read.
pub fn first_read() {
    let client = xtrasecurity::XtraClient::in_memory([("PORT", "8080")]).expect("a client");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for _ in 0..2 {
        let secrets = runtime.block_on(client.get_secrets("production").send()).expect("secrets");
        assert_eq!(secrets.require("PORT").expect("a port").expose(), "8080");
    }
}
