//! Single flight under every order of the steps that threads can take: `cargo run` in this folder.
//!
//! The load map is the crate's own file, built on loom's lock and counter. The shared futures within it are built on the
//! standard library's, which loom does not see: `World::step` before each use of them makes it try their orders too. A lock that
//! is never let go, or a caller that nobody wakes, is a deadlock, which fails the search.
//!
//! `LOOM_MAX_PREEMPTIONS` bounds how often threads are interrupted in one run. It is 3 unless set otherwise.

mod promises;
#[allow(dead_code, reason = "the crate uses more of it")]
#[path = "../../../src/engine/single_flight.rs"]
mod single_flight;
mod sync;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

fn main() {
    let started = Instant::now();
    // each search is a world of its own
    std::thread::scope(|scope| {
        for (promise, check) in promises::ALL {
            scope.spawn(move || println!("{promise}: {} orders", search(check)));
        }
    });
    println!("all promises kept, {:.1} s", started.elapsed().as_secs_f32());
}

/// Tries a promise in every order, and counts them.
fn search(check: fn()) -> u64 {
    let mut model = loom::model::Builder::new();
    model.preemption_bound.get_or_insert(3);
    let orders = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&orders);
    model.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        check();
    });
    orders.load(Ordering::Relaxed)
}
