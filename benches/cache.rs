//! The cost of a cached read: nanoseconds of `client.get_secrets("production").await`, and of a handle's `get().await`, on one
//! thread and on two.
//!
//! `cargo bench --bench cache` measures; `cargo bench --bench cache -- --test` runs each measurement once, shortly.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a bench that cannot go on should stop, and its output is its result

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};
use xtrasecurity::dev_server::{DevServer, RateLimits};
use xtrasecurity::xtra::Xtra;
use xtrasecurity::{CacheOptions, ScopeHandle, XtraClient};

/// How many snapshots the large cache holds.
const SCOPES: usize = 1000;

/// How much is measured.
struct Effort {
    rounds: usize,
    reads: usize,
}

fn main() {
    let effort = match std::env::args().any(|argument| argument == "--test") {
        true => Effort { rounds: 1, reads: SCOPES },
        false => Effort { rounds: 11, reads: 1_000_000 },
    };
    let runtime = runtime();
    let server = runtime.block_on(DevServer::builder().rate_limits(RateLimits::off()).start()).unwrap();
    let client = client(&server);
    let branches: Vec<String> = (0..SCOPES).map(|number| format!("branch-{number:04}")).collect();
    runtime.block_on(fill(&client, &server, &branches));

    println!("{:<44} {:>8} {:>8} {:>8}", "ns a cached read", "median", "least", "most");
    for threads in [1, 2] {
        report("one scope", threads, &effort, |reads| {
            let runtime = self::runtime();
            time(|| runtime.block_on(read_one(&client, reads)))
        });
        report("one scope, by a handle", threads, &effort, |reads| {
            let runtime = self::runtime();
            let handle = client.scope("production");
            time(|| runtime.block_on(read_handle(handle, reads)))
        });
        report("1000 scopes in turn", threads, &effort, |reads| {
            let runtime = self::runtime();
            time(|| runtime.block_on(read_in_turn(&client, &branches, reads)))
        });
    }
    let stats = client.stats();
    assert_eq!(stats.misses as usize, SCOPES + 1, "every measured read was a hit");
    runtime.block_on(server.stop());
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn client(server: &DevServer) -> XtraClient {
    let mut cache = CacheOptions::default();
    cache.ttl = std::time::Duration::from_secs(3600);
    cache.max_entries = 2 * SCOPES;
    XtraClient::builder()
        .token(server.token())
        .project_id(server.project_id())
        .api_url(server.url())
        .cache_options(cache)
        .build()
        .unwrap()
}

/// One real snapshot in `production` on `main`, and one a branch.
async fn fill(client: &XtraClient, server: &DevServer, branches: &[String]) {
    client.get_secrets("production").await.unwrap();
    for branch in branches {
        server.add_branch("demo", branch).unwrap();
        server.set_secret("demo", "production", branch, "BRANCH", branch).unwrap();
        let secrets = client.get_secrets("production").branch(branch).await.unwrap();
        assert_eq!(secrets.require("BRANCH").unwrap().expose(), branch);
    }
}

async fn read_one(client: &XtraClient, reads: usize) {
    for _ in 0..reads {
        black_box(client.get_secrets(black_box("production")).await.unwrap());
    }
}

async fn read_handle(mut handle: ScopeHandle<Xtra>, reads: usize) {
    for _ in 0..reads {
        black_box(black_box(&mut handle).get().await.unwrap());
    }
}

async fn read_in_turn(client: &XtraClient, branches: &[String], reads: usize) {
    for branch in branches.iter().cycle().take(reads) {
        black_box(client.get_secrets(black_box("production")).branch(branch.as_str()).await.unwrap());
    }
}

fn time(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64
}

/// Runs `work` on so many threads at once, round after round. Each thread's own time counts, not the sum.
fn report(what: &str, threads: usize, effort: &Effort, work: impl Fn(usize) -> f64 + Sync) {
    let mut rounds: Vec<f64> = (0..effort.rounds).map(|_| round(threads, effort.reads, &work)).collect();
    rounds.sort_by(f64::total_cmp);
    let (least, most) = (rounds[0], rounds[rounds.len() - 1]);
    let label = format!("{what}, {threads} thread{}", if threads == 1 { "" } else { "s" });
    println!("{label:<44} {:>8.1} {least:>8.1} {most:>8.1}", rounds[rounds.len() / 2]);
}

fn round(threads: usize, reads: usize, work: &(impl Fn(usize) -> f64 + Sync)) -> f64 {
    let start = Barrier::new(threads);
    let total: f64 = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    work(reads)
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    total / (threads * reads) as f64
}
