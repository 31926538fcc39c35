//! How long a snapshot is served, and what happens to it when the service does not answer as it did.

use std::sync::Arc;
use std::time::Duration;

use xtrasecurity::dev_server::{DevServer, Fault, RateLimits, route};
use xtrasecurity::xtra::Xtra;
use xtrasecurity::{
    CacheOptions, Client, ErrorKind, ScopeHandle, SecretSource, Secrets, XtraClient, XtraClientBuilder, XtraError,
    blocking,
    clock::ManualClock,
    source::{Identity, KeyWriter, Loaded},
};

const READ: &str = route::SECRETS_READ;

struct World {
    server: DevServer,
    clock: ManualClock,
    client: XtraClient,
}

impl World {
    async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    async fn with(tune: impl FnOnce(XtraClientBuilder) -> XtraClientBuilder) -> Self {
        let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
        let clock = ManualClock::new();
        let builder = XtraClient::builder()
            .dev_server(&server)
            .clock(clock.clock())
            .max_retries(0)
            .cache_options(CacheOptions::default().jitter(0.0));
        let client = tune(builder).build().unwrap();
        client.get_secrets("production").await.unwrap();
        Self { server, clock, client }
    }

    fn rotate(&self, value: &str) {
        self.server.set_secret("demo", "production", "main", "API_KEY", value).unwrap();
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn read(&self) -> Result<String, XtraError> {
        self.client.get_secrets("production").await.map(key)
    }

    fn requests(&self) -> u64 {
        self.server.request_count(READ)
    }

    /// Lets what runs beside this task go on until `done`.
    async fn until(&self, done: impl Fn(&Self) -> bool) {
        soon(async {
            while !done(self) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Reads until `value` is there.
    async fn comes(&self, value: &str) {
        soon(async {
            while self.read().await.unwrap() != value {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

/// What should happen at once, on a machine that may be busy.
async fn soon(happens: impl Future<Output = ()>) {
    tokio::time::timeout(Duration::from_secs(10), happens).await.expect("it happens soon");
}

fn answer(body: &str) -> Fault {
    Fault::body(200, "application/json", body)
}

fn key(secrets: Arc<Secrets>) -> String {
    secrets.require("API_KEY").unwrap().expose().to_owned()
}

#[tokio::test]
async fn just_past_its_time_a_snapshot_is_served_at_once_while_one_refresh_runs() {
    let world = World::new().await;
    let before = world.read().await.unwrap();
    world.rotate("rotated");
    world.advance(30);
    let hold = world.server.hold(READ);
    for _ in 0..100 {
        assert_eq!(world.read().await.unwrap(), before);
    }
    hold.waiting_for(1).await;
    assert_eq!(world.read().await.unwrap(), before, "nobody waits for the refresh");
    hold.release();
    world.until(|world| world.client.stats().cached == 1 && world.requests() == 2).await;
    world.comes("rotated").await;
    let stats = world.client.stats();
    assert_eq!((world.requests(), stats.refreshes, stats.misses), (2, 1, 1));
    assert!(stats.stale >= 101);
}

/// The value that a handle gives.
async fn given(handle: &mut ScopeHandle<Xtra>) -> Result<String, XtraError> {
    handle.get().await.map(|secrets| key(Arc::clone(secrets)))
}

#[tokio::test]
async fn a_handle_gives_what_a_read_gives_at_every_age_of_the_snapshot() {
    let world = World::new().await;
    let mut handle = world.client.scope("production");
    let before = given(&mut handle).await.unwrap();
    for _ in 0..100 {
        assert_eq!(given(&mut handle).await.unwrap(), before);
    }
    assert_eq!((world.requests(), world.client.stats().hits), (1, 101), "fresh: at once");
    world.rotate("second");
    world.advance(30);
    let hold = world.server.hold(READ);
    assert_eq!(given(&mut handle).await.unwrap(), before, "aged: at once, while one refresh runs");
    hold.waiting_for(1).await;
    assert_eq!(given(&mut handle).await.unwrap(), before);
    hold.release();
    soon(async {
        while given(&mut handle).await.unwrap() != "second" {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!((world.requests(), world.client.stats().misses), (2, 1));
    world.rotate("third");
    world.advance(60);
    assert_eq!(given(&mut handle).await.unwrap(), "third", "old: it waits for the refresh");
    world.server.fault(Fault::status(503).on(READ).times(2));
    world.advance(61);
    assert_eq!(given(&mut handle).await.unwrap(), "third", "old, and the service is away");
    world.advance(3600);
    assert_eq!(given(&mut handle).await.unwrap_err().kind(), ErrorKind::Server, "too old");
    assert_eq!(given(&mut handle).await.unwrap(), "third");
}

#[tokio::test]
async fn a_handle_sees_at_once_what_another_reader_of_the_client_does_to_its_scope() {
    let world = World::new().await;
    let mut handle = world.client.scope("production").branch("main");
    given(&mut handle).await.unwrap();
    world.rotate("refreshed");
    world.client.refresh("production").await.unwrap();
    assert_eq!(given(&mut handle).await.unwrap(), "refreshed");
    for value in ["invalidated", "cleared"] {
        world.rotate(value);
        match value {
            "invalidated" => world.client.invalidate("production"),
            _ => world.client.clear_cache(),
        }
        assert_eq!(given(&mut handle).await.unwrap(), value);
        assert_eq!(given(&mut handle.clone()).await.unwrap(), value);
    }
    world.server.fault(Fault::status(403).on(READ).times(2));
    assert!(world.client.refresh("production").await.is_err());
    assert!(given(&mut handle).await.is_err(), "what was refused is not given any more");
}

#[tokio::test]
async fn past_that_a_read_waits_for_the_refresh_and_gets_what_is_new() {
    let world = World::new().await;
    world.rotate("rotated");
    world.advance(60);
    assert_eq!(world.read().await.unwrap(), "rotated");
    assert_eq!(world.requests(), 2);
}

#[tokio::test]
async fn while_the_service_is_away_the_old_snapshot_is_served_until_max_stale_and_its_age_is_told() {
    let world = World::new().await;
    let before = world.read().await.unwrap();
    world.server.fault(Fault::status(503).on(READ).times(1000));
    for minute in 1..60 {
        world.advance(60);
        let secrets = world.client.get_secrets("production").await.unwrap();
        assert_eq!(secrets.age(), Duration::from_secs(60 * minute));
        assert!(secrets.is_stale());
        assert_eq!(key(secrets), before);
    }
    world.advance(60);
    let error = world.read().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(503)));
    assert_eq!(world.client.stats().cached, 0, "its values have left memory");
}

#[tokio::test]
async fn after_a_failed_refresh_nobody_waits_for_the_next_until_the_pause_is_over() {
    let world = World::new().await;
    world.server.fault(Fault::status(503).on(READ).times(2));
    world.advance(60);
    for _ in 0..50 {
        world.read().await.unwrap();
    }
    assert_eq!(world.requests(), 2, "one failed refresh, and no more for a second");
    world.advance(1);
    let tasks = tokio::runtime::Handle::current().metrics();
    let before = tasks.num_alive_tasks();
    let hold = world.server.hold(READ);
    world.read().await.unwrap();
    hold.waiting_for(1).await;
    world.read().await.unwrap();
    hold.release();
    world.until(|_| tasks.num_alive_tasks() <= before).await;
    assert_eq!(world.requests(), 3);
    world.rotate("rotated");
    world.advance(1);
    assert_ne!(world.read().await.unwrap(), "rotated", "the second pause is two seconds");
    world.advance(1);
    world.comes("rotated").await;
    assert_eq!(world.requests(), 4);
}

#[tokio::test]
async fn an_outage_that_nobody_has_met_for_a_while_is_not_taken_for_granted() {
    let world = World::new().await;
    world.server.fault(Fault::status(503).on(READ));
    world.advance(60);
    world.read().await.unwrap();
    world.rotate("rotated");
    world.advance(61);
    assert_eq!(world.read().await.unwrap(), "rotated", "a read waits again");
}

#[tokio::test]
async fn a_failure_that_does_not_pass_by_itself_is_returned_once_the_snapshot_is_old() {
    let world = World::new().await;
    world.server.fault(Fault::status(500).on(READ).times(10));
    world.advance(60);
    assert_eq!(world.read().await.unwrap_err().status(), Some(500));
    assert_eq!(world.client.stats().cached, 1, "it is still there for a failure that passes");
}

#[tokio::test]
async fn a_refusal_drops_the_snapshot_whoever_asked() {
    for status in [401, 403, 404] {
        let world = World::new().await;
        world.server.fault(Fault::status(status).on(READ));
        world.advance(30);
        world.read().await.unwrap();
        world.until(|world| world.client.stats().cached == 0).await;
        world.server.fault(Fault::status(503).on(READ));
        assert_eq!(world.read().await.unwrap_err().status(), Some(503), "there is nothing to fall back to");
    }
}

#[tokio::test]
async fn a_wait_that_the_service_asks_for_is_kept_by_the_reads() {
    let world = World::new().await;
    world.server.fault(Fault::status(429).header("retry-after", "20").on(READ));
    world.advance(60);
    world.read().await.unwrap();
    assert_eq!(world.requests(), 2);
    world.advance(19);
    world.read().await.unwrap();
    assert_eq!(world.requests(), 2);
}

#[tokio::test]
async fn a_refresh_fetches_whatever_the_cache_holds_and_keeps_the_old_snapshot_when_it_fails() {
    let world = World::new().await;
    let before = world.read().await.unwrap();
    world.rotate("rotated");
    world.server.fault(Fault::status(503).on(READ));
    assert_eq!(world.client.refresh("production").await.unwrap_err().status(), Some(503));
    assert_eq!(world.read().await.unwrap(), before);
    assert_eq!(key(world.client.refresh("production").await.unwrap()), "rotated");
    assert_eq!(world.read().await.unwrap(), "rotated");
    assert_eq!(world.requests(), 3);
}

#[tokio::test]
async fn refreshes_at_the_same_time_share_a_request_that_left_after_the_first_of_them() {
    let world = World::new().await;
    world.client.clear_cache();
    let hold = world.server.hold(READ);
    let early = tokio::spawn({
        let client = world.client.clone();
        async move { client.get_secrets("production").await }
    });
    hold.waiting_for(1).await;
    let refreshes: Vec<_> = (0..50)
        .map(|_| {
            let client = world.client.clone();
            tokio::spawn(async move { client.refresh("production").await })
        })
        .collect();
    tokio::task::yield_now().await;
    world.rotate("rotated");
    hold.release();
    early.await.unwrap().unwrap();
    for refresh in refreshes {
        assert_eq!(key(refresh.await.unwrap().unwrap()), "rotated");
    }
    assert_eq!(world.requests(), 3, "the first read, the early one, and one for all refreshes");
}

#[tokio::test]
async fn after_an_invalidation_the_next_read_fetches_and_other_scopes_stay() {
    let world = World::new().await;
    world.client.get_secrets("staging").await.unwrap();
    world.rotate("rotated");
    world.client.invalidate("production");
    assert_eq!(world.read().await.unwrap(), "rotated");
    world.client.get_secrets("staging").await.unwrap();
    assert_eq!(world.requests(), 3);
}

#[tokio::test]
async fn an_answer_that_was_under_way_at_an_invalidation_is_not_kept() {
    let world = World::new().await;
    world.client.invalidate("production");
    let hold = world.server.hold(READ);
    let early = tokio::spawn({
        let client = world.client.clone();
        async move { client.get_secrets("production").await }
    });
    hold.waiting_for(1).await;
    world.client.invalidate("production");
    hold.release();
    early.await.unwrap().unwrap();
    assert_eq!(world.client.stats().cached, 0);
}

#[tokio::test]
async fn a_scope_that_turns_empty_keeps_its_snapshot_until_the_loss_is_accepted() {
    let world = World::new().await;
    let before = world.read().await.unwrap();
    world.server.fault(answer("{}").on(READ).times(3));
    world.advance(60);
    assert_eq!(world.read().await.unwrap(), before);
    assert_eq!(world.read().await.unwrap(), before);
    assert_eq!((world.requests(), world.client.stats().shrinks_refused), (2, 1), "and it is not asked at every read");
    let error = world.client.refresh("production").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EmptyScope);
    world.client.invalidate("production");
    assert!(world.client.get_secrets("production").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_required_secret_that_is_lost_keeps_the_snapshot_and_any_other_does_not() {
    let world = World::with(|builder| builder.required(["API_KEY"])).await;
    world.server.fault(answer(r#"{"API_KEY":"new"}"#).on(READ));
    assert_eq!(world.client.refresh("production").await.unwrap().len(), 1, "the others were not required");
    world.server.fault(answer(r#"{"OTHER":"v"}"#).on(READ));
    let error = world.client.refresh("production").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::MissingSecret, &["API_KEY".to_owned()][..]));
    assert_eq!(world.read().await.unwrap(), "new");
}

#[tokio::test]
async fn what_a_preload_required_is_guarded_from_then_on() {
    let world = World::new().await;
    world.client.preload(["production"]).required(["API_KEY"]).await.unwrap();
    let staging = world.client.get_secrets("staging").await.unwrap();
    let other = staging.names().find(|name| *name != "API_KEY").unwrap();
    world.server.fault(answer(&format!(r#"{{"{other}":"v"}}"#)).on(READ).times(2));
    let error = world.client.refresh("production").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::MissingSecret, &["API_KEY".to_owned()][..]));
    world.client.refresh("staging").await.unwrap();
}

#[tokio::test]
async fn a_read_without_the_cache_is_told_the_truth_and_does_not_replace_what_is_guarded() {
    let world = World::new().await;
    world.server.fault(answer("{}").on(READ));
    assert!(world.client.get_secrets("production").no_cache().await.unwrap().is_empty());
    world.read().await.unwrap();
    assert_eq!(world.requests(), 2);
}

#[tokio::test]
async fn dead_values_leave_memory_although_nobody_asks_for_them() {
    let world = World::new().await;
    assert_eq!(world.client.stats().cached, 1);
    world.advance(3599);
    tokio::task::yield_now().await;
    assert_eq!(world.client.stats().cached, 1);
    world.advance(1);
    world.until(|world| world.client.stats().cached == 0).await;
    world.read().await.unwrap();
    world.advance(3600);
    world.until(|world| world.client.stats().cached == 0).await;
}

#[tokio::test]
async fn the_last_client_takes_its_tasks_along_even_one_that_waits_for_the_service() {
    let world = World::new().await;
    let hold = world.server.hold(READ);
    let metrics = tokio::runtime::Handle::current().metrics();
    world.advance(30);
    world.read().await.unwrap();
    hold.waiting_for(1).await;
    let with_client = metrics.num_alive_tasks();
    let World { server, client, .. } = world;
    let clone = client.clone();
    drop(client);
    tokio::task::yield_now().await;
    assert_eq!(metrics.num_alive_tasks(), with_client, "a client is left");
    drop(clone);
    // the refresh, the sweep, and the connection
    soon(async {
        while metrics.num_alive_tasks() > with_client - 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop((hold, server));
}

#[test]
fn a_blocking_caller_refreshes_on_its_own_time_and_serves_the_old_snapshot_if_that_fails() {
    let server = blocking_server();
    let clock = ManualClock::new();
    let client = blocking::XtraClient::builder()
        .dev_server(&server)
        .clock(clock.clock())
        .max_retries(0)
        .cache_options(CacheOptions::default().jitter(0.0))
        .build()
        .unwrap();
    let read = || client.get_secrets("production").send().map(key).unwrap();
    let before = read();
    server.set_secret("demo", "production", "main", "API_KEY", "rotated").unwrap();
    clock.advance(Duration::from_secs(30));
    server.fault(Fault::status(503).on(READ));
    assert_eq!(read(), before, "the refresh failed");
    assert_eq!(read(), before, "and is not repeated at once");
    assert_eq!(server.request_count(READ), 2);
    clock.advance(Duration::from_secs(1));
    assert_eq!(read(), "rotated");
    assert_eq!(client.stats().refreshes, 0, "a caller waited for each");
    assert_eq!(key(client.refresh("production").send().unwrap()), "rotated");
    client.invalidate("production");
    assert_eq!(read(), "rotated");
    assert_eq!(server.request_count(READ), 5);
}

/// A dev server on a thread of its own.
fn blocking_server() -> DevServer {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
            send.send(server).unwrap();
            std::future::pending::<()>().await;
        });
    });
    receive.recv().unwrap()
}

/// A source that needs no runtime.
struct Counter(std::sync::atomic::AtomicU64);

impl SecretSource for Counter {
    type Scope<'a> = &'a str;
    type Owned = ();

    fn name(&self) -> &'static str {
        "counter"
    }

    fn identity(&self) -> Identity {
        Identity::of("nobody")
    }

    fn write_key(&self, scope: &Self::Scope<'_>, key: &mut KeyWriter) {
        key.field(scope);
    }

    fn prepare(&self, _: &Self::Scope<'_>) -> Result<(), XtraError> {
        Ok(())
    }

    async fn load(&self, _: &()) -> Result<Loaded, XtraError> {
        let count = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(Loaded::from_iter([("COUNT", count.to_string())]))
    }
}

#[test]
fn without_a_runtime_a_refresh_runs_on_the_caller_s_time() {
    let clock = ManualClock::new();
    let options = xtrasecurity::EngineOptions::default().clock(clock.clock());
    let client = Client::with_options(Counter(Default::default()), options);
    let read = || futures_util::FutureExt::now_or_never(client.read("k").into_future()).unwrap().unwrap();
    assert_eq!(read().require("COUNT").unwrap().expose(), "0");
    clock.advance(Duration::from_secs(31));
    assert_eq!(read().require("COUNT").unwrap().expose(), "1");
}

#[tokio::test]
async fn without_a_cache_each_refresh_is_a_request_and_counts() {
    let world = World::with(|builder| builder.cache(false)).await;
    let refresh = || world.client.refresh("production").into_future();
    let (one, other) = futures_util::future::join(refresh(), refresh()).await;
    assert!(one.is_ok() && other.is_ok());
    assert_eq!((world.requests(), world.client.stats().refreshes), (3, 2));
}

#[tokio::test]
async fn a_service_that_fails_in_a_way_that_does_not_pass_is_an_error_where_one_that_is_away_is_not() {
    for (status, is_away) in [(500, false), (501, false), (429, true), (502, true), (503, true), (504, true)] {
        let world = World::new().await;
        world.server.fault(Fault::status(status).on(READ).forever());
        world.advance(120);
        assert_eq!(world.read().await.is_ok(), is_away, "{status}");
    }
}

#[tokio::test]
async fn a_max_stale_shorter_than_the_other_times_does_not_shorten_them() {
    let short = CacheOptions::default().jitter(0.0).max_stale(Duration::from_secs(10));
    let world = World::with(|builder| builder.cache_options(short)).await;
    world.server.fault(Fault::status(503).on(READ).forever());
    world.advance(59);
    assert!(world.read().await.is_ok());
    world.advance(1);
    assert_eq!(world.read().await.unwrap_err().kind(), ErrorKind::Server);
}

#[tokio::test]
async fn a_loss_that_lasts_longer_than_the_snapshot_from_before_may_be_served_is_an_error_and_never_what_reads_get() {
    let world = World::new().await;
    world.server.fault(Fault::body(200, "application/json", "{}").on(READ).forever());
    for seconds in [40, 3559] {
        world.advance(seconds);
        assert!(!world.client.get_secrets("production").await.unwrap().is_empty());
    }
    world.advance(1);
    assert_eq!(world.read().await.unwrap_err().kind(), ErrorKind::EmptyScope);
    world.advance(24 * 3600);
    assert_eq!(world.read().await.unwrap_err().kind(), ErrorKind::EmptyScope);
    world.client.invalidate("production");
    assert!(world.client.get_secrets("production").await.unwrap().is_empty());
}

#[test]
fn a_handle_of_a_blocking_client_reads_without_a_runtime() {
    let client = blocking::XtraClient::in_memory([("API_KEY", "k-1")]).unwrap();
    let mut handle = client.scope("production");
    for _ in 0..10 {
        assert_eq!(key(Arc::clone(handle.get().wait().unwrap())), "k-1");
    }
    assert_eq!((client.stats().hits, client.stats().misses), (9, 1));
}

#[test]
fn a_refresh_on_a_runtime_that_stood_still_is_not_taken_for_an_outage() {
    let server = blocking_server();
    let clock = ManualClock::new();
    let limit = Duration::from_secs(1);
    let client = XtraClient::builder()
        .dev_server(&server)
        .clock(clock.clock())
        .call_timeout(limit)
        .cache_options(CacheOptions::default().jitter(0.0))
        .build()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let read = || runtime.block_on(async { client.get_secrets("production").await.map(key) }).unwrap();
    read();
    server.set_secret("demo", "production", "main", "API_KEY", "rotated").unwrap();
    clock.advance(Duration::from_secs(30));
    let hold = server.hold(READ);
    assert_ne!(read(), "rotated");
    // the refresh that has begun is on its way, and then nobody drives it
    runtime.block_on(hold.waiting_for(1));
    std::thread::sleep(limit + limit / 2);
    hold.release();
    clock.advance(Duration::from_secs(30));
    assert_eq!(read(), "rotated");
}
