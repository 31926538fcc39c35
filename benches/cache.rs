//! The cost of a cached read: nanoseconds of `client.get_secrets("production").await`, and of a handle's `get().await`, on one
//! thread and on two, beside a map behind a lock.
//!
//! `cargo bench --bench cache` measures; `cargo bench --bench cache -- --test` runs each measurement once, shortly.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a bench that cannot go on should stop, and its output is its result

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, Barrier, RwLock};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use xtrasecurity::dev_server::{DevServer, RateLimits};
use xtrasecurity::xtra::Xtra;
use xtrasecurity::{CacheOptions, ScopeHandle, XtraClient};

/// How many snapshots the large cache holds.
const SCOPES: usize = 1000;

const TTL: Duration = Duration::from_secs(3600);

/// How much is measured. Rounds are so long that two threads read side by side for most of them, and no longer, because a long one
/// meets what else the machine does.
#[derive(Clone, Copy)]
struct Effort {
    rounds: usize,
    reads: usize,
}

/// A way to read, whose nanoseconds for so many reads are asked round by round: all take turns, and meet the same noise.
type Contender<'a> = (&'a str, Box<dyn Fn(usize) -> f64 + Sync + 'a>);

fn main() {
    let effort = match std::env::args().any(|argument| argument == "--test") {
        true => Effort { rounds: 1, reads: SCOPES },
        false => Effort { rounds: 41, reads: 200_000 },
    };
    let runtime = runtime();
    let server = runtime.block_on(DevServer::builder().rate_limits(RateLimits::off()).start()).unwrap();
    let client = client(&server);
    let branches: Vec<String> = (0..SCOPES).map(|number| format!("branch-{number:04}")).collect();
    runtime.block_on(fill(&client, &server, &branches));

    let contenders = contenders(&client, &branches);
    println!("{:<44} {:>8} {:>8} {:>8}", "ns a cached read", "median", "least", "most");
    for threads in [1, 2] {
        report(&contenders, threads, effort);
    }
    drop(contenders);
    let stats = client.stats();
    assert_eq!(stats.misses as usize, SCOPES + 1, "every measured read was a hit");
    runtime.block_on(server.stop());
}

fn contenders<'a>(client: &'a XtraClient, branches: &'a [String]) -> [Contender<'a>; 4] {
    let map = locked_map();
    [
        ("one scope", Box::new(|reads| on_runtime(read_one(client, reads)))),
        ("one scope, by a handle", Box::new(|reads| on_runtime(read_handle(client.scope("production"), reads)))),
        ("RwLock<HashMap> with expiry, one key", Box::new(move |reads| time(|| read_map(&map, reads)))),
        ("1000 scopes in turn", Box::new(|reads| on_runtime(read_in_turn(client, branches, reads)))),
    ]
}

fn on_runtime(work: impl Future<Output = ()>) -> f64 {
    let runtime = runtime();
    time(|| runtime.block_on(work))
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn client(server: &DevServer) -> XtraClient {
    let mut cache = CacheOptions::default();
    cache.ttl = TTL;
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

type LockedMap = RwLock<HashMap<String, (Arc<HashMap<String, String>>, Instant)>>;

/// What a program would have in the client's place.
fn locked_map() -> LockedMap {
    let snapshot = (0..50).map(|number| (format!("KEY_{number}"), "a value".to_owned())).collect();
    RwLock::new(HashMap::from([("production".to_owned(), (Arc::new(snapshot), Instant::now() + TTL))]))
}

fn read_map(map: &LockedMap, reads: usize) {
    for _ in 0..reads {
        let map = map.read().unwrap();
        let fresh = map.get(black_box("production")).filter(|(_, end)| Instant::now() < *end);
        black_box(fresh.map(|(snapshot, _)| Arc::clone(snapshot)).unwrap());
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

fn report(contenders: &[Contender<'_>], threads: usize, effort: Effort) {
    let mut figures = vec![Vec::new(); contenders.len()];
    for _ in 0..effort.rounds {
        for ((_, work), figures) in contenders.iter().zip(&mut figures) {
            figures.push(round(threads, effort.reads, work));
        }
    }
    for ((what, _), mut rounds) in contenders.iter().zip(figures) {
        rounds.sort_by(f64::total_cmp);
        let (median, least, most) = (rounds[rounds.len() / 2], rounds[0], rounds[rounds.len() - 1]);
        let label = format!("{what}, {threads} thread{}", if threads == 1 { "" } else { "s" });
        println!("{label:<44} {median:>8.1} {least:>8.1} {most:>8.1}");
    }
}

/// Runs `work` on so many threads at once. Each thread's own time counts, not the sum.
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
