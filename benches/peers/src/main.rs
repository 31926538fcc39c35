//! xtrasecurity beside other ways to do the same, in one run: `cargo run --release`.
//!
//! `-- cached` and `-- uncached` run one half.

#![allow(clippy::expect_used, clippy::print_stdout)]

mod cached_reads;
mod measure;
mod service;
#[path = "../../read.rs"]
mod uncached_reads;

use tokio::runtime::Builder;

fn main() {
    let half = std::env::args().nth(1);
    if half.as_deref() != Some("uncached") {
        cached();
    }
    if half.as_deref() != Some("cached") {
        println!();
        uncached_reads::main();
    }
}

fn cached() {
    let setup = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    let server = setup.block_on(service::start());
    let rows = cached_reads::rows(&server, &setup);
    for threads in [1, 2] {
        measure::print_table(&rows, threads);
    }
    drop(rows);
    setup.block_on(server.stop());
}
