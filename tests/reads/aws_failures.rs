//! Five ways in which a caching client of another secrets manager fails its users, each turned round: no herd, no staleness
//! without end, eviction by recency, no storm of requests for what is not there, and no plaintext in `Debug`.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use xtrasecurity::dev_server::{DevServer, Fault, RateLimits, route};
use xtrasecurity::{
    CacheOptions, Client, EngineOptions, ErrorKind, SecretSource, SecretValue, Secrets, XtraClient, XtraClientBuilder,
    XtraClientOptions, XtraError,
    clock::ManualClock,
    source::{Identity, KeyWriter, Loaded},
};

const READERS: usize = 64;

async fn server() -> DevServer {
    DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap()
}

fn builder(server: &DevServer) -> XtraClientBuilder {
    XtraClient::builder().dev_server(server).max_retries(0)
}

fn sent(server: &DevServer) -> u64 {
    server.request_count(route::SECRETS_READ)
}

/// As many readers at once as there are tasks, on every thread of the runtime.
async fn read_by_all(client: &XtraClient) -> Vec<Arc<Secrets>> {
    let readers = (0..READERS).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.get_secrets("production").await })
    });
    join_all(readers).await.into_iter().map(|read| read.unwrap().unwrap()).collect()
}

/// Returns once so many reads wait for the service.
async fn waiting(client: &XtraClient, readers: u64) {
    while client.stats().misses < readers {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_cold_readers_are_one_request() {
    let server = server().await;
    let client = builder(&server).build().unwrap();
    let hold = server.hold(route::SECRETS_READ);
    let (answers, ()) = tokio::join!(read_by_all(&client), async {
        waiting(&client, READERS as u64).await;
        hold.release();
    });
    assert_eq!((answers.len(), sent(&server)), (READERS, 1));
    assert!(answers.iter().all(|secrets| Arc::ptr_eq(secrets, &answers[0])), "they share one snapshot");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_readers_of_a_snapshot_just_expired_wait_for_nobody_and_are_one_request() {
    let (server, clock) = (server().await, ManualClock::new());
    let client = builder(&server).clock(clock.clock()).build().unwrap();
    let first = client.get_secrets("production").await.unwrap();
    clock.advance(Duration::from_secs(45));
    let hold = server.hold(route::SECRETS_READ);
    // the answer is held back, so whoever waited for it would wait for ever
    let answers = read_by_all(&client).await;
    assert!(answers.iter().all(|secrets| Arc::ptr_eq(secrets, &first) && secrets.is_stale()));
    hold.waiting_for(1).await;
    assert_eq!((hold.waiting(), sent(&server)), (1, 2));
    hold.release();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_readers_of_a_snapshot_long_expired_are_one_request() {
    let (server, clock) = (server().await, ManualClock::new());
    let client = builder(&server).clock(clock.clock()).build().unwrap();
    client.get_secrets("production").await.unwrap();
    server.set_secret("demo", "production", "main", "API_KEY", "rotated").unwrap();
    clock.advance(Duration::from_secs(10 * 60));
    let hold = server.hold(route::SECRETS_READ);
    let (answers, ()) = tokio::join!(read_by_all(&client), async {
        waiting(&client, READERS as u64 + 1).await;
        hold.release();
    });
    assert_eq!(sent(&server), 2);
    assert!(answers.iter().all(|secrets| secrets.require("API_KEY").unwrap().expose() == "rotated"));
}

#[tokio::test]
async fn an_outage_is_outlived_until_max_stale_and_not_for_ever() {
    let (server, clock) = (server().await, ManualClock::new());
    let client = builder(&server).clock(clock.clock()).build().unwrap();
    let first = client.get_secrets("production").await.unwrap();
    server.set_secret("demo", "production", "main", "API_KEY", "rotated in the outage").unwrap();
    server.fault(Fault::refuse().forever());
    let (minute, mut age, mut refused) = (Duration::from_secs(60), Duration::ZERO, 0);
    while age < 120 * minute {
        clock.advance(minute);
        age += minute;
        match client.get_secrets("production").await {
            Ok(secrets) => {
                assert!(age < 60 * minute, "served when {age:?} old");
                // a failed refresh must not make an old value look new
                assert!(Arc::ptr_eq(&secrets, &first));
                assert_eq!((secrets.age(), secrets.is_stale()), (age, true));
            }
            Err(error) => {
                assert!(age >= 60 * minute, "refused when {age:?} old: {error}");
                assert_eq!(error.kind(), ErrorKind::Network);
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 61);
    assert_eq!(client.stats().cached, 0, "the old values have left memory");
    server.clear_faults();
    let after = client.get_secrets("production").await.unwrap();
    assert_eq!((after.require("API_KEY").unwrap().expose(), after.age()), ("rotated in the outage", Duration::ZERO));
    assert!(!after.is_stale());
}

#[tokio::test]
async fn a_service_that_is_away_is_not_asked_by_every_reader() {
    let (server, clock) = (server().await, ManualClock::new());
    let client = builder(&server).clock(clock.clock()).build().unwrap();
    client.get_secrets("production").await.unwrap();
    server.fault(Fault::refuse().forever());
    clock.advance(Duration::from_secs(10 * 60));
    for _ in 0..1000 {
        client.get_secrets("production").await.unwrap();
    }
    assert_eq!(sent(&server), 2, "the first read, and one that found the service away");
}

#[tokio::test]
async fn what_is_read_again_and_again_stays_when_there_is_room_for_two() {
    let server = server().await;
    let client = builder(&server).cache_options(CacheOptions::default().max_entries(2)).build().unwrap();
    for name in ["a", "b", "a", "a", "a", "c"] {
        client.get_secrets(name).await.unwrap();
    }
    assert_eq!((sent(&server), client.stats().cached), (3, 2));
    client.get_secrets("a").await.unwrap();
    assert_eq!(sent(&server), 3, "a was read last, and b was dropped");
    client.get_secrets("c").await.unwrap();
    assert_eq!(sent(&server), 3);
    client.get_secrets("b").await.unwrap();
    assert_eq!(sent(&server), 4);
}

#[tokio::test]
async fn five_reads_of_a_name_that_is_not_there_are_one_request_within_the_time_to_live() {
    let (server, clock) = (server().await, ManualClock::new());
    let client = builder(&server).clock(clock.clock()).build().unwrap();
    for _ in 0..5 {
        let secrets = client.get_secrets("production").await.unwrap();
        assert_eq!(secrets.require("NOBODY_HAS_THIS").unwrap_err().kind(), ErrorKind::MissingSecret);
    }
    assert_eq!(sent(&server), 1);
    // and not for ever: what is added is found when the time is up
    server.set_secret("demo", "production", "main", "NOBODY_HAS_THIS", "now").unwrap();
    clock.advance(Duration::from_secs(10 * 60));
    assert!(client.get_secrets("production").await.unwrap().contains("NOBODY_HAS_THIS"));
    assert_eq!(sent(&server), 2);
}

#[tokio::test]
async fn five_reads_of_an_unknown_environment_are_one_request_within_the_time_to_live() {
    let (server, clock) = (server().await, ManualClock::new());
    let client = builder(&server).clock(clock.clock()).build().unwrap();
    for _ in 0..5 {
        assert!(client.get_secrets("prodution").await.unwrap().is_empty());
    }
    assert_eq!(sent(&server), 1);
    server.set_secret("demo", "prodution", "main", "API_KEY", "now").unwrap();
    clock.advance(Duration::from_secs(10 * 60));
    assert!(client.get_secrets("prodution").await.unwrap().contains("API_KEY"));
}

/// A source that knows no scope.
struct Nothing;

impl SecretSource for Nothing {
    type Scope<'a> = &'a str;
    type Owned = ();

    fn name(&self) -> &'static str {
        "nothing"
    }

    fn identity(&self) -> Identity {
        Identity::of("tests")
    }

    fn write_key(&self, scope: &Self::Scope<'_>, key: &mut KeyWriter) {
        key.field(scope);
    }

    fn prepare(&self, _: &Self::Scope<'_>) -> Result<(), XtraError> {
        Ok(())
    }

    async fn load(&self, (): &()) -> Result<Loaded, XtraError> {
        Ok(Loaded::from_iter::<[(String, String); 0]>([]))
    }
}

#[tokio::test]
async fn ten_thousand_unknown_environments_stay_within_the_bound() {
    let client = Client::with_options(Nothing, EngineOptions::default());
    let most = CacheOptions::default().max_entries as u64;
    for number in 0..10_000 {
        let name = format!("unknown-{number}");
        assert!(client.read(&name).await.unwrap().is_empty());
        assert!(client.stats().cached <= most, "{number}");
    }
    assert_eq!((client.stats().cached, client.stats().misses), (most, 10_000));
}

#[tokio::test]
async fn environments_that_fail_are_not_kept_at_all() {
    let server = server().await;
    let client = builder(&server).build().unwrap();
    server.fault(Fault::status(404).forever());
    for number in 0..100 {
        assert_eq!(client.get_secrets(format!("unknown-{number}")).await.unwrap_err().kind(), ErrorKind::NotFound);
    }
    assert_eq!(client.stats().cached, 0);
}

#[tokio::test]
async fn nothing_that_can_be_printed_prints_a_value() {
    const VALUE: &str = "magpie-7d1f";
    let server = server().await;
    server.set_secret("demo", "production", "main", "API_KEY", VALUE).unwrap();
    let token = server.token().to_owned();
    let hides = |what: &str, thing: &dyn Debug| {
        for text in [format!("{thing:?}"), format!("{thing:#?}")] {
            assert!(!text.contains(VALUE) && !text.contains(&token), "{what} shows it: {text}");
        }
    };
    let client = builder(&server).build().unwrap();
    let secrets = client.get_secrets("production").await.unwrap();
    let value = secrets.require("API_KEY").unwrap();
    assert_eq!(value.expose(), VALUE);
    assert_eq!(format!("{value:?}"), "[REDACTED]");
    hides("a value", value);
    hides("a snapshot", &secrets);
    hides("an iterator over it", &secrets.iter().collect::<Vec<_>>());
    hides("a client", &client);
    hides("its source", client.source());
    hides("a request", &client.get_secrets("production"));
    hides("a read", &client.get_secrets("production").send());
    hides("a builder", &builder(&server));
    let options = XtraClientOptions { token: Some(SecretValue::new(token.clone())), ..XtraClientOptions::default() };
    hides("options", &options);
    hides("what came of it", &secrets.require("NOBODY_HAS_THIS"));
    hides("counts", &client.stats());
}
