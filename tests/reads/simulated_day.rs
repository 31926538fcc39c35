//! A day on the service's smallest plan, lived through on a clock that is moved by hand: nothing is refused, and nothing that is
//! served is older than the README says.

use std::time::Duration;

use xtrasecurity::dev_server::{DevServer, RateLimits, route};
use xtrasecurity::{CacheOptions, XtraClient, clock::ManualClock};

/// Requests a day of the free plan.
const QUOTA: u32 = 1_000;
const TTL: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_secs(10);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// Real time goes on beside the clock that is moved: what a slow machine takes must not carry the test into the next day.
const SLACK: Duration = Duration::from_secs(15 * 60);

/// How old a snapshot may be that is served while the service can be reached, as the README has it: `max_ttl`, and then
/// `stale_while_revalidate`, within which a refresh runs.
fn bound(options: &CacheOptions) -> Duration {
    options.max_ttl + options.stale_while_revalidate
}

/// Some processes that share a quota, each with a client of its own, and a clock that all of them and the service go by.
struct World {
    server: DevServer,
    clock: ManualClock,
    processes: Vec<XtraClient>,
    options: CacheOptions,
    oldest: Duration,
}

impl World {
    async fn start(processes: usize, options: CacheOptions) -> Self {
        let server = DevServer::builder().rate_limits(RateLimits::default().daily(QUOTA)).start().await.unwrap();
        let clock = ManualClock::new();
        let client = || {
            let builder = XtraClient::builder().dev_server(&server).no_proxy();
            builder.cache_options(options.clone()).clock(clock.clock()).build().unwrap()
        };
        let processes = (0..processes).map(|_| client()).collect();
        Self { server, clock, processes, options, oldest: Duration::ZERO }
    }

    /// Every process reads every scope, every ten seconds.
    async fn live(&mut self, time: Duration, scopes: &[&str]) {
        for _ in 0..time.as_secs() / STEP.as_secs() {
            for client in &self.processes {
                for scope in scopes {
                    let secrets = client.get_secrets(*scope).await.expect("the read is answered");
                    self.oldest = self.oldest.max(secrets.age());
                    settle(client, scope).await;
                }
            }
            self.server.advance(STEP);
            self.clock.advance(STEP);
        }
    }

    /// The requests since the last look.
    fn sent(&self) -> u64 {
        let sent = self.server.request_count(route::SECRETS_READ);
        self.server.reset_counts();
        sent
    }

    fn keeps_its_promises(&self) {
        for stats in self.processes.iter().map(XtraClient::stats) {
            assert_eq!((stats.retries, stats.withheld, stats.delayed), (0, 0, 0), "a request was refused: {stats:?}");
            assert!(stats.stretched > 0);
        }
        assert!(self.oldest <= bound(&self.options), "{:?}", self.oldest);
    }
}

/// Waits for the refresh in the background, if there is one. For a refresh that is refused it would wait in vain, because the
/// snapshot stays old.
async fn settle(client: &XtraClient, scope: &str) {
    let fresh = async {
        loop {
            let before = client.stats().stale;
            client.get_secrets(scope).await.expect("the read is answered");
            if client.stats().stale == before {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), fresh).await.expect("no refresh is refused");
}

/// What the README's table says of so many scopes: the age of the oldest snapshot that is served, and the requests of a day.
fn stated(scopes: usize) -> (Duration, u64) {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let table = readme.split("| scopes | the oldest snapshot").nth(1).expect("the table of the quota");
    let number = |cell: &str| cell.split(|c: char| !c.is_ascii_digit()).find_map(|text| text.parse::<u64>().ok());
    let rows = table.lines().skip(2).map(|row| row.split('|').skip(1).filter_map(number).collect::<Vec<_>>());
    let row = rows.into_iter().find(|row| row.first() == Some(&(scopes as u64))).expect("a row of so many scopes");
    (Duration::from_secs(60 * row[1]), row[2])
}

/// The day, and two hours of the next.
async fn a_day_of(processes: usize, scopes: &[&str], options: CacheOptions) {
    let mut world = World::start(processes, options).await;
    world.live(DAY - SLACK, scopes).await;
    let (sent, left) = (world.sent(), world.processes[0].stats().quota_left);
    println!(
        "{processes} process(es) of {} scopes, {QUOTA} requests a day: {sent} sent, {left:?} left, oldest snapshot served {} s old",
        scopes.len(),
        world.oldest.as_secs()
    );
    world.keeps_its_promises();
    let (oldest, about) = stated(processes * scopes.len());
    assert!(world.oldest <= oldest + STEP && sent.abs_diff(about) <= about / 10, "{:?}, {sent}", world.oldest);
    assert!(sent <= u64::from(QUOTA));
    assert!(sent >= u64::from(QUOTA) / 2, "the quota is there to be used: {sent}");
    world.live(2 * HOUR, scopes).await;
    world.keeps_its_promises();
    let renewed = world.processes[0].stats().quota_left;
    assert!(left < Some(500) && renewed > Some(800), "the next day has a quota of its own: {left:?}, {renewed:?}");
    let (oldest, sent) = (world.oldest.as_secs(), world.sent());
    println!("  and two hours into the next day: {sent} sent, {renewed:?} left, oldest {oldest} s");
}

#[tokio::test]
async fn one_process_with_three_scopes_is_never_refused_and_serves_nothing_older_than_stated() {
    a_day_of(1, &["development", "staging", "production"], CacheOptions::default().ttl(TTL)).await;
}

#[tokio::test]
async fn three_processes_with_two_scopes_each_share_the_quota_without_knowing_of_each_other() {
    a_day_of(3, &["staging", "production"], CacheOptions::default().ttl(TTL)).await;
}

#[tokio::test]
async fn more_scopes_than_ten_minutes_allow_need_a_longer_max_ttl_and_no_more() {
    let options = CacheOptions::default().ttl(TTL).max_ttl(Duration::from_secs(20 * 60));
    a_day_of(3, &["development", "staging", "production"], options).await;
}
