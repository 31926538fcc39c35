//! The service's limits, kept to before it has to refuse.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};
use xtrasecurity::dev_server::{DevServer, Fault, RateLimits, route};
use xtrasecurity::xtra::raw::{Error, SecretInput, types};
use xtrasecurity::{CacheOptions, ErrorKind, XtraClient, XtraClientBuilder, XtraError, clock::ManualClock};

struct World {
    server: DevServer,
    clock: ManualClock,
}

impl World {
    async fn start(limits: RateLimits) -> Self {
        let server = DevServer::builder().rate_limits(limits).start().await.unwrap();
        Self { server, clock: ManualClock::new() }
    }

    /// A client that keeps nothing, so that every read is a call.
    fn client(&self, options: impl FnOnce(XtraClientBuilder) -> XtraClientBuilder) -> XtraClient {
        let builder = XtraClient::builder().dev_server(&self.server).clock(self.clock.clock()).cache(false);
        options(builder.no_proxy()).build().unwrap()
    }

    fn advance(&self, by: Duration) {
        self.server.advance(by);
        self.clock.advance(by);
    }
}

async fn read(client: &XtraClient) -> Result<(), XtraError> {
    client.get_secrets("production").await.map(drop)
}

async fn write(client: &XtraClient, server: &DevServer) -> Result<(), XtraError> {
    let secrets: BTreeMap<String, SecretInput> = [("NEW".to_owned(), "value".into())].into();
    let body: types::SecretsUpsert = types::SecretsUpsert::builder().secrets(secrets).try_into().unwrap();
    let write = client.raw().secrets_upsert().project_id(server.project_id()).env("staging").body(body);
    write.send().await.map(drop).map_err(Error::into_error)
}

/// Fails at once, as a call that is limited, and was not sent.
async fn is_withheld(client: &XtraClient, server: &DevServer) -> Duration {
    let (before, begun) = (server.total_requests(), Instant::now());
    let error = read(client).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!((error.kind(), error.status(), error.attempts()), (ErrorKind::RateLimited, None, 0));
    assert!(error.to_string().contains("not sent") && error.is_retryable(), "{error}");
    assert_eq!(server.total_requests(), before);
    error.retry_after().expect("it says how long")
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn after_a_refusal_the_project_is_left_alone_for_as_long_as_the_service_asked() {
    let world = World::start(RateLimits::default().burst(2)).await;
    let (server, client) = (&world.server, world.client(|builder| builder));
    for _ in 0..2 {
        read(&client).await.unwrap();
    }
    let error = read(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.status(), error.attempts()), (ErrorKind::RateLimited, Some(429), 1));
    let asked = error.retry_after().unwrap();
    for _ in 0..3 {
        let left = is_withheld(&client, server).await;
        assert!(left <= asked && left + Duration::from_secs(10) > asked, "{left:?} of {asked:?}");
    }
    // nothing says yet that a write spends the same budget; its refusal does
    let error = write(&client, server).await.unwrap_err();
    assert_eq!((error.status(), error.attempts()), (Some(429), 1));
    let before = server.total_requests();
    let error = write(&client, server).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), server.total_requests()), (ErrorKind::RateLimited, 0, before));
    assert_eq!(client.stats().withheld, 4);

    world.advance(MINUTE);
    read(&client).await.unwrap();
    assert_eq!((client.stats().withheld, client.stats().delayed), (4, 0));
}

#[tokio::test]
async fn what_has_no_budget_is_not_held_back() {
    let world = World::start(RateLimits::default().burst(1)).await;
    let (server, client) = (&world.server, world.client(|builder| builder));
    read(&client).await.unwrap();
    read(&client).await.unwrap_err();
    is_withheld(&client, server).await;
    for _ in 0..3 {
        client.raw().branches_list().project_id(server.project_id()).send().await.unwrap();
    }
    is_withheld(&client, server).await;
}

#[tokio::test]
async fn a_pause_that_fits_the_deadline_is_waited_for_by_everyone() {
    let world = World::start(RateLimits::off()).await;
    let (server, client) = (&world.server, world.client(|builder| builder));
    server.fault(Fault::status(429).header("Retry-After", "1").on(route::SECRETS_READ));
    let first = tokio::spawn({
        let client = client.clone();
        async move { read(&client).await }
    });
    while server.request_count(route::SECRETS_READ) == 0 || client.stats().requests == 0 {
        tokio::task::yield_now().await;
    }
    let begun = Instant::now();
    first.await.unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!((client.stats().requests, client.stats().retries), (2, 1));

    server.fault(Fault::status(429).header("Retry-After", "3").on(route::SECRETS_READ));
    let hasty = world.client(|builder| builder.call_timeout(Duration::from_secs(1)));
    read(&hasty).await.unwrap_err();
    is_withheld(&hasty, server).await;
    let begun = Instant::now();
    world.clock.advance(Duration::from_millis(2_900));
    read(&hasty).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!((hasty.stats().delayed, hasty.stats().withheld), (1, 1));
}

#[tokio::test]
async fn a_pause_of_a_day_is_looked_at_every_minute_so_that_a_raised_limit_is_noticed() {
    let world = World::start(RateLimits::off()).await;
    let (server, client) = (&world.server, world.client(|builder| builder));
    server.fault(Fault::status(429).header("Retry-After", "86400").on(route::SECRETS_READ).times(2));
    read(&client).await.unwrap_err();
    assert!(is_withheld(&client, server).await > Duration::from_secs(86_000));
    world.clock.advance(MINUTE);
    let error = read(&client).await.unwrap_err();
    assert_eq!((error.status(), error.attempts()), (Some(429), 1), "this one looked");
    is_withheld(&client, server).await;
    world.clock.advance(MINUTE);
    read(&client).await.unwrap();
    read(&client).await.unwrap();
    assert_eq!(server.request_count(route::SECRETS_READ), 4);
}

#[tokio::test]
async fn no_more_requests_a_minute_are_sent_than_allowed_and_retries_count() {
    let world = World::start(RateLimits::off()).await;
    let client = world.client(|builder| builder.requests_per_minute(5));
    world.server.fault(Fault::status(503).times(2));
    for _ in 0..3 {
        read(&client).await.unwrap();
    }
    assert_eq!(client.stats().requests, 5);
    let left = is_withheld(&client, &world.server).await;
    assert!(left > Duration::from_secs(30) && left <= Duration::from_secs(61), "{left:?}");
    world.clock.advance(Duration::from_secs(61));
    read(&client).await.unwrap();

    let free = world.client(|builder| builder);
    for _ in 0..150 {
        read(&free).await.unwrap();
    }
    assert_eq!((free.stats().delayed, free.stats().withheld), (0, 0), "there is no such limit on this machine");
}

#[tokio::test]
async fn calls_that_are_given_up_while_they_wait_do_not_use_up_the_turns_of_others() {
    let world = World::start(RateLimits::off()).await;
    let client = world.client(|builder| builder.requests_per_minute(5).call_timeout(Duration::from_secs(90)));
    for _ in 0..5 {
        read(&client).await.unwrap();
    }
    for _ in 0..20 {
        assert!(read(&client).now_or_never().is_none());
    }
    world.clock.advance(Duration::from_secs(61));
    for _ in 0..5 {
        read(&client).await.unwrap();
    }
    assert_eq!((client.stats().requests, client.stats().delayed), (10, 0));
}

#[tokio::test]
async fn a_retry_that_may_not_be_sent_leaves_the_answer_before_it() {
    let world = World::start(RateLimits::off()).await;
    let client = world.client(|builder| builder.requests_per_minute(1));
    world.server.fault(Fault::status(503).times(9));
    let error = read(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.status(), error.attempts()), (ErrorKind::Server, Some(503), 1));
    assert_eq!((client.stats().requests, client.stats().withheld), (1, 0));
    is_withheld(&client, &world.server).await;
    assert_eq!(client.stats().withheld, 1);
}

#[tokio::test]
async fn a_refusal_by_address_closes_the_api_root_for_a_part_of_a_minute() {
    let world = World::start(RateLimits::default().per_ip(2)).await;
    let client = world.client(|builder| builder.requests_per_minute(100).max_retries(3));
    read(&client).await.unwrap();
    client.raw().health_check().send().await.unwrap();
    let error = read(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.status(), error.attempts()), (ErrorKind::RateLimited, Some(429), 1));
    assert!(is_withheld(&client, &world.server).await <= Duration::from_secs(61));
    let before = world.server.total_requests();
    let error = client.raw().health_check().send().await.unwrap_err().into_error();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 0), "every route counts");
    assert_eq!(world.server.total_requests(), before);
    world.advance(Duration::from_secs(61));
    read(&client).await.unwrap();
}

#[tokio::test]
async fn what_is_left_of_the_budget_is_told_and_stretching_announces_itself() {
    let events = listen();
    let world = World::start(RateLimits::default().daily(777)).await;
    let options = CacheOptions::default().jitter(0.0);
    let client = world.client(|builder| builder.cache(true).cache_options(options));
    assert_eq!(client.stats().quota_left, None);
    read(&client).await.unwrap();
    assert_eq!((client.stats().quota_left, client.stats().stretched), (Some(776), 1));
    // a day by some 700 requests
    world.advance(Duration::from_secs(100));
    read(&client).await.unwrap();
    assert_eq!(client.stats().hits, 1);
    let told = events.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let line = told.lines().find(|line| line.contains("limit=777")).expect("an event");
    assert!(line.starts_with("INFO ") && line.contains("kept longer") && line.contains("remaining=776"), "{line}");

    world.advance(Duration::from_secs(86_400));
    assert_eq!(client.stats().quota_left, None, "its time is over");

    let hasty = world.client(|builder| builder.cache(true).cache_options(CacheOptions::default().max_ttl(MINUTE / 2)));
    read(&hasty).await.unwrap();
    assert_eq!(hasty.stats().stretched, 0);
    world.advance(MINUTE / 2);
    read(&hasty).await.unwrap();
    assert_eq!(hasty.stats().hits, 0);
}

/// Every event about budgets of this process, one a line. For all threads, because who listens is remembered for all.
fn listen() -> &'static Mutex<String> {
    static TOLD: Mutex<String> = Mutex::new(String::new());
    let _ = tracing::subscriber::set_global_default(Recorder(&TOLD));
    &TOLD
}

struct Recorder(&'static Mutex<String>);

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "xtrasecurity::quota"
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        struct Fields(String);
        impl Visit for Fields {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                let _ = write!(self.0, "{}={value:?} ", field.name());
            }
        }
        let mut line = Fields(format!("{} ", event.metadata().level()));
        event.record(&mut line);
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(told, "{}", line.0);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}
