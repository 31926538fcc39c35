//! Reads answered from memory: ours, and what a program would have in its place.

use std::collections::HashMap;
use std::future::Future;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_secretsmanager_caching::SecretsManagerCachingClient;
use aws_smithy_mocks::{RuleMode, mock, mock_client};
use cached::{Expires, ShardedExpiringLruCache};
use tokio::runtime::{Builder, Runtime};
use xtrasecurity::dev_server::DevServer;
use xtrasecurity::{CacheOptions, XtraClient};

use crate::measure::{Row, on_threads};
use crate::service;

/// Reads of a round: so many that two threads read side by side for most of it, and no more, because a long round meets what else
/// the machine does.
const READS: usize = 200_000;
const CAPACITY: usize = 1000;
const TTL: Duration = Duration::from_secs(3600);
const KEY: &str = "production";

/// What the hand-made caches and the stores serve: a shared map, as ours is a shared snapshot.
type Snapshot = Arc<HashMap<String, String>>;

/// The rows of the table, in its order. Each is run for one round at a time, so that all meet the same noise.
pub fn rows<'a>(server: &DevServer, setup: &Runtime) -> Vec<Row<'a>> {
    let snapshot: Snapshot = Arc::new(service::secrets().collect());
    let client = client(server, setup);
    let text = serde_json::to_string(&*snapshot).expect("a map of strings is JSON");
    vec![
        ours(&client),
        handle(&client),
        locked_map(&snapshot),
        bare_store(&snapshot),
        moka_sync(&snapshot),
        moka_future(&snapshot, setup),
        aws("aws_secretsmanager_caching, value of 7 bytes", "hunter2".to_owned(), setup),
        aws("aws_secretsmanager_caching, 50 pairs as JSON", text, setup),
    ]
}

/// Ours, with its one scope in the cache.
fn client(server: &DevServer, setup: &Runtime) -> XtraClient {
    let mut cache = CacheOptions::default();
    cache.ttl = TTL;
    cache.max_entries = CAPACITY;
    let client: XtraClient = service::client(server).cache_options(cache).build().expect("the options are good");
    let secrets = setup.block_on(async { client.get_secrets(KEY).await }).expect("the dev server answers");
    assert!(secrets.len() >= service::SECRETS);
    client
}

fn ours<'a>(client: &XtraClient) -> Row<'a> {
    let client = client.clone();
    Row::new("xtrasecurity: client.get_secrets(..).await", move |threads| {
        on_threads(threads, READS, |reads| {
            timed(async {
                for _ in 0..reads {
                    black_box(client.get_secrets(black_box(KEY)).await).expect("it is cached");
                }
            })
        })
    })
}

/// Each thread has a handle of its own, as the documentation says.
fn handle<'a>(client: &XtraClient) -> Row<'a> {
    let client = client.clone();
    Row::new("xtrasecurity: handle.get().await", move |threads| {
        on_threads(threads, READS, |reads| {
            let mut handle = client.scope(KEY);
            timed(async move {
                for _ in 0..reads {
                    black_box(black_box(&mut handle).get().await).expect("it is cached");
                }
            })
        })
    })
}

fn locked_map<'a>(snapshot: &Snapshot) -> Row<'a> {
    let map = RwLock::new(HashMap::from([(KEY.to_owned(), (Arc::clone(snapshot), Instant::now() + TTL))]));
    let get = move |key: &str| -> Option<Snapshot> {
        let map = map.read().expect("nobody panics with the lock");
        map.get(key).filter(|(_, end)| Instant::now() < *end).map(|(snapshot, _)| Arc::clone(snapshot))
    };
    synchronous("std RwLock<HashMap> with expiry, Arc'd map", get)
}

#[derive(Clone)]
struct Expiring(Snapshot, Instant);

impl Expires for Expiring {
    fn is_expired(&self) -> bool {
        Instant::now() >= self.1
    }
}

fn bare_store<'a>(snapshot: &Snapshot) -> Row<'a> {
    let store = ShardedExpiringLruCache::<String, Expiring>::builder()
        .max_size(CAPACITY)
        .shards(1)
        .build()
        .expect("the size is not zero");
    store.set(KEY.to_owned(), Expiring(Arc::clone(snapshot), Instant::now() + TTL));
    synchronous("cached ShardedExpiringLruCache, Arc'd map", move |key| store.get(key).map(|entry| entry.0))
}

fn moka_sync<'a>(snapshot: &Snapshot) -> Row<'a> {
    let cache = moka::sync::Cache::builder().max_capacity(CAPACITY as u64).time_to_live(TTL).build();
    cache.insert(KEY.to_owned(), Arc::clone(snapshot));
    synchronous("moka sync, Arc'd map", move |key| cache.get(key))
}

fn moka_future<'a>(snapshot: &Snapshot, setup: &Runtime) -> Row<'a> {
    let cache = moka::future::Cache::builder().max_capacity(CAPACITY as u64).time_to_live(TTL).build();
    setup.block_on(cache.insert(KEY.to_owned(), Arc::clone(snapshot)));
    Row::new("moka future, Arc'd map", move |threads| {
        on_threads(threads, READS, |reads| {
            timed(async {
                for _ in 0..reads {
                    black_box(cache.get(black_box(KEY)).await).expect("it is cached");
                }
            })
        })
    })
}

/// The client's own bench serves the value of seven bytes; a client that is to serve what ours serves holds all pairs in
/// one string, and every read copies it.
fn aws<'a>(name: &'static str, secret: String, setup: &Runtime) -> Row<'a> {
    let answer = mock!(aws_sdk_secretsmanager::Client::get_secret_value).then_output(move || {
        GetSecretValueOutput::builder()
            .name(KEY)
            .arn("somearn")
            .secret_string(secret.clone())
            .version_id("thisisaversionid")
            .build()
    });
    let service = mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, [&answer]);
    let capacity = NonZeroUsize::new(CAPACITY).expect("it is not zero");
    let client = SecretsManagerCachingClient::new(service, capacity, TTL, false).expect("the options are good");
    setup.block_on(async { client.get_secret_value(KEY, None, None, false).await }).expect("the mock answers");
    Row::new(name, move |threads| {
        on_threads(threads, READS, |reads| {
            timed(async {
                for _ in 0..reads {
                    black_box(client.get_secret_value(black_box(KEY), None, None, false).await).expect("it is cached");
                }
            })
        })
    })
}

fn synchronous<'a, V>(name: &'static str, get: impl Fn(&str) -> Option<V> + Send + Sync + 'a) -> Row<'a> {
    Row::new(name, move |threads| {
        on_threads(threads, READS, |reads| {
            let start = Instant::now();
            for _ in 0..reads {
                black_box(get(black_box(KEY))).expect("it is cached");
            }
            start.elapsed()
        })
    })
}

/// The time of a future on a runtime of this thread's own.
fn timed(work: impl Future<Output = ()>) -> Duration {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    let start = Instant::now();
    runtime.block_on(work);
    start.elapsed()
}
