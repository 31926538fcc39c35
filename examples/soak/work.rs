//! What the tasks do, and what is done to them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};
use xtrasecurity::dev_server::{DevServer, Fault, route};
use xtrasecurity::{CacheOptions, Secrets, XtraClient, XtraError};

use crate::figures::Tally;
use crate::options::Options;

const ENVIRONMENTS: [&str; 3] = ["development", "staging", "production"];
const KEY: &str = "API_KEY";
/// The deadline of a call, and how late it may be noticed on a machine that is busy.
const DEADLINE: Duration = Duration::from_millis(1500);
const LATE: Duration = Duration::from_secs(3);
/// The steps of the clocks.
const TICKS: Duration = Duration::from_millis(20);

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.below(things.len() as u64) as usize]
    }
}

pub struct Soak {
    pub options: Options,
    pub server: DevServer,
    pub clients: Vec<XtraClient>,
    pub tally: Tally,
    pub over: AtomicBool,
}

/// When the newest snapshot was asked for that a task has seen, by client and environment.
type Seen = HashMap<(usize, &'static str), Option<Instant>>;

impl Soak {
    pub fn new(server: DevServer, options: Options) -> Result<Self, XtraError> {
        let clients = (0..options.clients).map(|_| client(&server)).collect::<Result<_, _>>()?;
        let soak = Self { options, server, clients, tally: Tally::default(), over: AtomicBool::new(false) };
        soak.set_values(1);
        Ok(soak)
    }

    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    fn random(&self, stream: u64) -> Random {
        Random(self.options.seed.wrapping_mul(1_000_003).wrapping_add(stream))
    }

    fn set_values(&self, number: u64) {
        for environment in ENVIRONMENTS {
            let value = format!("{environment} {number}");
            if self.server.set_secret("demo", environment, "main", KEY, &value).is_err() {
                add_one(&self.tally.wrong);
            }
        }
    }

    pub async fn write(self: Arc<Self>) {
        let mut number = 1;
        while self.goes_on() {
            // not more often, because the dev server remembers each of them
            sleep(Duration::from_millis(500)).await;
            number += 1;
            self.set_values(number);
        }
    }

    /// Keeps a script of what becomes of the next requests: most are answered well.
    pub async fn go_wrong(self: Arc<Self>) {
        let mut random = self.random(0);
        while self.goes_on() {
            while self.server.pending_faults() < 64 {
                let fault = match random.below(100) < self.options.faults {
                    true => fault(&mut random),
                    false => Fault::delay(Duration::ZERO),
                };
                self.server.fault(fault.on(route::SECRETS_READ));
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Runtimes come and go, and take calls of a shared client with them.
    pub async fn change_runtimes(self: Arc<Self>) {
        let mut random = self.random(1);
        while self.goes_on() {
            let (client, patience) = (self.clients[0].clone(), Duration::from_millis(random.below(30)));
            let ended = tokio::task::spawn_blocking(move || {
                let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
                let other = client.clone();
                runtime.spawn(async move { drop(other.get_secrets("staging").no_cache().await) });
                drop(runtime.block_on(async { timeout(patience, client.get_secrets("production").send()).await }));
            });
            if ended.await.is_err() {
                add_one(&self.tally.wrong);
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Watches one environment of a client from the beginning to the end. Errors are items, and it goes on.
    pub async fn watch(self: Arc<Self>, at: usize) {
        let mut changes = self.clients[at].watch("production");
        while self.goes_on() {
            match timeout(Duration::from_millis(200), changes.next()).await {
                Ok(Some(Ok(change))) => {
                    add_one(&self.tally.changes);
                    let value = change.snapshot.get(KEY);
                    if value.is_some_and(|value| !value.expose().starts_with("production")) {
                        add_one(&self.tally.wrong);
                    }
                }
                Ok(Some(Err(error))) => self.tally.error(&error),
                Ok(None) => return add_one(&self.tally.wrong),
                Err(_) => {}
            }
        }
    }

    pub async fn use_clients(self: Arc<Self>, number: u64) {
        let (mut random, mut seen) = (self.random(2 + number), Seen::new());
        while self.goes_on() {
            let at = random.below(self.clients.len() as u64) as usize;
            let (client, environment) = (&self.clients[at], random.one_of(&ENVIRONMENTS));
            let newest = seen.entry((at, environment)).or_default();
            match random.below(100) {
                0..60 => self.look(environment, newest, client.get_secrets(environment)).await,
                60..68 => self.look(environment, newest, client.get_secrets(environment).no_cache()).await,
                68..76 => self.look(environment, newest, client.get_secrets(environment).refresh()).await,
                76..84 => {
                    let patience = Duration::from_micros(random.below(3000));
                    let read = client.get_secrets(environment).no_cache().send();
                    let abandoned = timeout(patience, read).await.is_err();
                    self.tally.abandoned.fetch_add(u64::from(abandoned), Ordering::Relaxed);
                }
                84..87 => client.invalidate(environment),
                87..89 => client.clear_cache(),
                89..94 => drop(client.get_secrets(format!("unknown-{}", random.below(10_000))).await),
                94..96 => {
                    let mut changes = client.watch(environment);
                    let _ = timeout(Duration::from_millis(random.below(150)), changes.next()).await;
                }
                _ => self.use_one_of_its_own(environment, Duration::from_millis(random.below(20))).await,
            }
            sleep(Duration::from_millis(random.below(20))).await;
        }
    }

    /// A client that is dropped soon, perhaps in the middle of a call.
    async fn use_one_of_its_own(&self, environment: &'static str, patience: Duration) {
        let Ok(client) = client(&self.server) else { return };
        let other = client.clone();
        let task = tokio::spawn(async move { other.get_secrets(environment).await.is_ok() });
        let _ = timeout(patience, client.get_secrets(environment).send()).await;
        drop(client);
        task.abort();
    }

    /// One read, looked at from every side.
    async fn look<R>(&self, environment: &str, newest: &mut Option<Instant>, read: R)
    where
        R: IntoFuture<Output = Result<Arc<Secrets>, XtraError>>,
    {
        let started = Instant::now();
        let answer = read.await;
        add_one(&self.tally.reads);
        if started.elapsed() > DEADLINE + LATE {
            add_one(&self.tally.late);
        }
        let secrets = match answer {
            Ok(secrets) => secrets,
            Err(error) => return self.tally.error(&error),
        };
        let Some(value) = secrets.get(KEY) else {
            // the one fault that looks like a good answer
            if !secrets.is_empty() {
                add_one(&self.tally.wrong);
            }
            return;
        };
        if !value.expose().starts_with(environment) {
            add_one(&self.tally.wrong);
        }
        let asked = Instant::now().checked_sub(secrets.age());
        if asked.map(|asked| asked + TICKS) < *newest {
            add_one(&self.tally.older);
        }
        *newest = asked.max(*newest);
    }
}

fn add_one(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

/// With times so short that a run of seconds sees every age of a snapshot.
fn client(server: &DevServer) -> Result<XtraClient, XtraError> {
    let tenth = Duration::from_millis(100);
    let cache = CacheOptions::default().ttl(tenth).stale_while_revalidate(tenth).max_stale(20 * tenth).max_entries(16);
    XtraClient::builder().dev_server(server).cache_options(cache).call_timeout(DEADLINE).max_retries(1).build()
}

fn fault(random: &mut Random) -> Fault {
    let page = "<!doctype html><title>Sign in</title>";
    match random.below(18) {
        0 => Fault::refuse(),
        1 => Fault::garbage(),
        2 => Fault::cut_body(),
        3 => Fault::hang(),
        4 => Fault::redirect(307, "/login"),
        5 => Fault::body(200, "text/html", page),
        6 => Fault::body(200, "application/json", "{}"),
        7 => Fault::body(502, "text/html", page),
        8 => Fault::body(200, "application/json", vec![b' '; 256 * 1024]),
        // the client keeps to it, and sends nothing meanwhile
        9 if random.below(10) == 0 => Fault::status(429).header("Retry-After", "1"),
        10 => Fault::status(429),
        11 => Fault::status(random.one_of(&[401, 403, 404])),
        12 => Fault::status(500),
        13 | 14 => Fault::status(503),
        _ => Fault::delay(Duration::from_millis(random.below(400))),
    }
}
