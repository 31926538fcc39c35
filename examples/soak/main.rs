//! A long run under faults: many tasks read, refresh, give up in the middle and drop clients and runtimes, while the service
//! fails at random. Memory, tasks and sockets must not grow, and no read may bring a wrong value or take too long.
//!
//! ```text
//! cargo run --release --example soak -- --seconds 1200 --every 60
//! ```
//!
//! Ends with status 1 when something grew beyond its bound, or a read was wrong or late.

mod figures;
mod options;
mod work;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep;
use xtrasecurity::dev_server::{DevServer, RateLimits};

use figures::Figures;
use options::{HELP, Options};
use work::Soak;

/// What may be there at the end, beyond what was there at the end of the first tenth.
const MORE_MEMORY: u64 = 24 * 1024;
const MORE_TASKS: u64 = 64;
const MORE_SOCKETS: u64 = 64;
/// The same once all clients are gone, beyond what was there before the first.
const LEFT: u64 = 4;
/// One read of so many may bring a snapshot older than one that its task had before: of two requests under way at the same
/// time the service may have answered the one first that was sent last, and its answers carry no time.
const OLDER_ONE_IN: u64 = 1000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Some(options) = Options::parse(std::env::args().skip(1))? else {
        println!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let server = DevServer::builder().rate_limits(RateLimits::off()).start().await?;
    let before = Figures::now();
    let soak = Arc::new(Soak::new(server, options)?);
    let (first, last) = run(&soak).await;
    println!("{}", soak.tally);

    let Some(soak) = Arc::into_inner(soak) else { return Err("a task has kept what it worked on".into()) };
    let Soak { server, clients, tally, .. } = soak;
    drop(clients);
    let after = at_rest(before).await;
    server.stop().await;

    let mut failed = false;
    let mut check = |what: &str, first: Option<u64>, last: Option<u64>, more: u64| match (first, last) {
        (Some(first), Some(last)) => {
            let grew = last > first + more;
            failed |= grew;
            println!("{what:<28} {first:>8} -> {last:>8}  (bound +{more}){}", if grew { "  TOO MUCH" } else { "" });
        }
        _ => println!("SKIPPED {what}: this system does not tell"),
    };
    check("memory, KiB", first.memory, last.memory, MORE_MEMORY);
    check("tasks", Some(first.tasks), Some(last.tasks), MORE_TASKS);
    check("sockets", first.sockets, last.sockets, MORE_SOCKETS);
    check("tasks, without clients", Some(before.tasks), Some(after.tasks), LEFT);
    check("sockets, without clients", before.sockets, after.sockets, LEFT);
    let reads = tally.reads.load(Ordering::Relaxed);
    for (what, count, most) in
        [("wrong", &tally.wrong, 0), ("late", &tally.late, 0), ("older", &tally.older, reads / OLDER_ONE_IN)]
    {
        check(&format!("reads that were {what}"), Some(0), Some(count.load(Ordering::Relaxed)), most);
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Works until the time is up. What was there after the first tenth, and at the end.
async fn run(soak: &Arc<Soak>) -> (Figures, Figures) {
    let mut work = JoinSet::new();
    work.spawn(Arc::clone(soak).go_wrong());
    work.spawn(Arc::clone(soak).write());
    work.spawn(Arc::clone(soak).change_runtimes());
    for number in 0..soak.clients.len() {
        work.spawn(Arc::clone(soak).watch(number));
    }
    for number in 0..soak.options.tasks {
        work.spawn(Arc::clone(soak).use_clients(number));
    }
    let started = Instant::now();
    let (mut first, mut last) = (None, Figures::now());
    println!(
        "{:>8} {:>12} {:>8} {:>8} {:>10} {:>10} {:>10}",
        "seconds", "memory KiB", "tasks", "sockets", "requests", "reads", "errors"
    );
    while started.elapsed() < soak.options.seconds {
        sleep(soak.options.every.min(soak.options.seconds.saturating_sub(started.elapsed()))).await;
        last = Figures::now();
        if started.elapsed() * 10 >= soak.options.seconds {
            first.get_or_insert(last);
        }
        let (requests, reads) = (soak.server.total_requests(), soak.tally.reads.load(Ordering::Relaxed));
        println!("{:>8} {last} {requests:>10} {reads:>10} {:>10}", started.elapsed().as_secs(), soak.tally.errors());
    }
    soak.over.store(true, Ordering::Relaxed);
    // who waits for an answer that is held back has a deadline
    soak.server.clear_faults();
    while let Some(ended) = work.join_next().await {
        if ended.is_err() {
            // a panic
            soak.tally.wrong.fetch_add(1, Ordering::Relaxed);
        }
    }
    (first.unwrap_or(last), last)
}

/// Connections take a moment to close.
async fn at_rest(before: Figures) -> Figures {
    let started = Instant::now();
    loop {
        let now = Figures::now();
        let settled = now.tasks <= before.tasks && now.sockets <= before.sockets;
        if settled || started.elapsed() > Duration::from_secs(5) {
            return now;
        }
        sleep(Duration::from_millis(50)).await;
    }
}
