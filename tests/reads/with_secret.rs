//! What `with_secret` promises about credentials that are refused, against the service in memory.

use std::cell::Cell;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Barrier;
use xtrasecurity::dev_server::{DevServer, Fault, RateLimits, route};
use xtrasecurity::{
    Client, EngineOptions, ErrorKind, SecretSource, SecretValue, UseError, WithSecretError, XtraClient, XtraError,
    clock::ManualClock,
    source::{Identity, KeyWriter, Loaded},
};

const OLD: &str = "demo-production-key";
const NEW: &str = "rotated";

/// A service, a client whose default environment is `production`, and the clock of both its cache and its patience.
struct World {
    server: DevServer,
    client: XtraClient,
    clock: ManualClock,
}

impl World {
    /// One read has been made, and is now 11 s old: old enough to be worth a refresh, and still fresh.
    async fn new() -> Self {
        let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
        let clock = ManualClock::new();
        let client = XtraClient::builder()
            .dev_server(&server)
            .environment("production")
            .clock(clock.clock())
            .max_retries(0)
            .build()
            .unwrap();
        client.get_secrets("production").await.unwrap();
        clock.advance(Duration::from_secs(11));
        server.reset_counts();
        Self { server, client, clock }
    }

    fn rotate(&self) {
        self.server.set_secret("demo", "production", "main", "API_KEY", NEW).unwrap();
    }

    fn requests(&self) -> u64 {
        self.server.request_count(route::SECRETS_READ)
    }

    /// Uses the key where only `right` is accepted. Tells the outcome and how often it was tried.
    async fn use_key(&self, right: &'static str) -> (Result<(), WithSecretError<&'static str>>, usize) {
        let calls = AtomicUsize::new(0);
        let door = |key: SecretValue| {
            calls.fetch_add(1, Ordering::Relaxed);
            async move { open(&key, right) }
        };
        let outcome = self.client.with_secret("API_KEY", door).await;
        (outcome, calls.into_inner())
    }
}

fn open(key: &SecretValue, right: &str) -> Result<(), UseError<&'static str>> {
    if *key == right { Ok(()) } else { Err(UseError::Refused("wrong key")) }
}

fn is_refused<T>(outcome: &Result<T, WithSecretError<&'static str>>) -> bool {
    matches!(outcome, Err(WithSecretError::Refused("wrong key")))
}

#[tokio::test]
async fn a_value_that_is_accepted_costs_no_request_and_one_call() {
    let world = World::new().await;
    let (outcome, calls) = world.use_key(OLD).await;
    assert!(outcome.is_ok());
    assert_eq!((calls, world.requests()), (1, 0));
}

#[tokio::test]
async fn a_rotated_credential_is_fetched_once_it_is_refused_and_then_used() {
    let world = World::new().await;
    world.rotate();
    let (outcome, calls) = world.use_key(NEW).await;
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!((calls, world.requests()), (2, 1));
    let (outcome, calls) = world.use_key(NEW).await;
    assert!(outcome.is_ok());
    assert_eq!((calls, world.requests()), (1, 1), "the new value is in the cache");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_that_are_refused_at_once_share_one_request_and_try_twice_at_most() {
    let world = World::new().await;
    world.rotate();
    let together = Arc::new(Barrier::new(100));
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (client, together) = (world.client.clone(), Arc::clone(&together));
            tokio::spawn(async move {
                let calls = AtomicUsize::new(0);
                let door = |key: SecretValue| {
                    let is_first = calls.fetch_add(1, Ordering::Relaxed) == 0;
                    let together = Arc::clone(&together);
                    async move {
                        if is_first {
                            together.wait().await;
                        }
                        open(&key, NEW)
                    }
                };
                let outcome = client.with_secret("API_KEY", door).await;
                (outcome, calls.into_inner())
            })
        })
        .collect();
    for task in tasks {
        let (outcome, calls) = task.await.unwrap();
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!(calls, 2);
    }
    assert_eq!(world.requests(), 1);
}

#[tokio::test]
async fn a_value_that_has_not_changed_is_not_tried_a_second_time() {
    let world = World::new().await;
    let (outcome, calls) = world.use_key(NEW).await;
    assert!(is_refused(&outcome), "{outcome:?}");
    assert_eq!((calls, world.requests()), (1, 1));
}

#[tokio::test]
async fn a_second_refusal_is_final() {
    let world = World::new().await;
    world.rotate();
    let (outcome, calls) = world.use_key("another one").await;
    assert!(is_refused(&outcome));
    assert_eq!((calls, world.requests()), (2, 1));
}

#[tokio::test]
async fn a_failure_that_is_no_refusal_comes_back_as_it_is_and_nothing_is_fetched() {
    let world = World::new().await;
    let find_the_door = || Err::<(), _>("the door is stuck");
    let calls = Cell::new(0);
    let broken = |_| {
        calls.set(calls.get() + 1);
        async {
            find_the_door()?;
            Ok::<_, UseError<_>>(())
        }
    };
    // not `Send`, so it is sent rather than awaited
    let outcome: Result<(), _> = world.client.with_secret("API_KEY", broken).send().await;
    assert!(matches!(outcome, Err(WithSecretError::Failed("the door is stuck"))));
    assert_eq!((calls.get(), world.requests()), (1, 0));
}

#[tokio::test]
async fn when_the_service_is_away_the_refusal_comes_back_and_the_snapshot_stays() {
    let world = World::new().await;
    world.rotate();
    world.server.fault(Fault::status(503).on(route::SECRETS_READ));
    let (outcome, calls) = world.use_key(NEW).await;
    assert!(is_refused(&outcome));
    assert_eq!((calls, world.requests()), (1, 1));
    assert_eq!(world.client.get_secrets("production").await.unwrap().require("API_KEY").unwrap(), OLD);
    assert_eq!(world.requests(), 1);
}

#[tokio::test]
async fn a_scope_is_refreshed_once_in_ten_seconds_also_when_that_failed() {
    let world = World::new().await;
    world.server.fault(Fault::status(503).on(route::SECRETS_READ));
    assert!(is_refused(&world.use_key(NEW).await.0));
    world.rotate();
    world.clock.advance(Duration::from_millis(9_999));
    let (outcome, calls) = world.use_key(NEW).await;
    assert!(is_refused(&outcome));
    assert_eq!((calls, world.requests()), (1, 1));
    world.clock.advance(Duration::from_millis(1));
    let (outcome, calls) = world.use_key(NEW).await;
    assert!(outcome.is_ok());
    assert_eq!((calls, world.requests()), (2, 2));
}

#[tokio::test]
async fn a_snapshot_younger_than_ten_seconds_is_not_fetched_again() {
    let world = World::new().await;
    world.client.get_secrets("production").no_cache().await.unwrap();
    world.rotate();
    world.clock.advance(Duration::from_millis(9_999));
    assert!(is_refused(&world.use_key(NEW).await.0));
    assert_eq!(world.requests(), 1);
    world.clock.advance(Duration::from_millis(1));
    assert!(world.use_key(NEW).await.0.is_ok());
    assert_eq!(world.requests(), 2);
}

#[tokio::test]
async fn each_scope_has_a_pause_of_its_own() {
    let world = World::new().await;
    assert!(is_refused(&world.use_key(NEW).await.0));
    world.client.get_secrets("staging").await.unwrap();
    world.clock.advance(Duration::from_millis(9_999));
    let door = |key: SecretValue| async move { open(&key, NEW) };
    world.server.reset_counts();
    assert!(is_refused(&world.client.with_secret("API_KEY", door).await));
    assert_eq!(world.requests(), 0);
    world.clock.advance(Duration::from_millis(1));
    assert!(is_refused(&world.client.with_secret("API_KEY", door).environment("staging").await));
    assert_eq!(world.requests(), 1);
}

#[tokio::test]
async fn a_newer_snapshot_that_somebody_has_read_meanwhile_is_used_although_the_scope_is_paused() {
    let world = World::new().await;
    world.server.fault(Fault::status(503).on(route::SECRETS_READ));
    assert!(is_refused(&world.use_key(NEW).await.0));
    world.clock.advance(Duration::from_secs(1));
    world.rotate();
    let calls = AtomicUsize::new(0);
    let door = |key: SecretValue| {
        calls.fetch_add(1, Ordering::Relaxed);
        let world = &world;
        async move {
            let answer = open(&key, NEW);
            if answer.is_err() {
                world.client.get_secrets("production").no_cache().await.unwrap();
            }
            answer
        }
    };
    let outcome = world.client.with_secret("API_KEY", door).await;
    assert!(outcome.is_ok());
    assert_eq!((calls.into_inner(), world.requests()), (2, 2));
}

#[tokio::test]
async fn one_that_is_cancelled_takes_the_refresh_from_nobody() {
    let world = World::new().await;
    world.rotate();
    let hold = world.server.hold(route::SECRETS_READ);
    let door = |key: SecretValue| async move { open(&key, NEW) };
    let mut leader = world.client.with_secret("API_KEY", door).into_future();
    let mut follower = world.client.with_secret("API_KEY", door).into_future();
    let mut held = Box::pin(hold.waiting_for(1));
    poll_fn(|context| {
        assert!(leader.as_mut().poll(context).is_pending());
        assert!(follower.as_mut().poll(context).is_pending());
        held.as_mut().poll(context)
    })
    .await;
    drop((leader, held));
    hold.release();
    assert!(follower.await.is_ok());
    assert_eq!(world.requests(), 1);
}

#[tokio::test]
async fn the_refused_and_those_that_read_at_that_moment_share_one_request() {
    let world = World::new().await;
    world.rotate();
    let hold = world.server.hold(route::SECRETS_READ);
    let door = |key: SecretValue| async move { open(&key, NEW) };
    let mut refused = world.client.with_secret("API_KEY", door).into_future();
    let mut held = Box::pin(hold.waiting_for(1));
    poll_fn(|context| {
        assert!(refused.as_mut().poll(context).is_pending());
        held.as_mut().poll(context)
    })
    .await;
    // so old that an ordinary read must wait for an answer too
    world.clock.advance(Duration::from_secs(60));
    let mut reader = Box::pin(world.client.get_secrets("production").into_future());
    poll_fn(|context| {
        assert!(reader.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop(held);
    hold.release();
    assert!(refused.await.is_ok());
    assert_eq!(reader.await.unwrap().require("API_KEY").unwrap(), NEW);
    assert_eq!(world.requests(), 1);
}

#[tokio::test]
async fn it_works_without_a_cache() {
    let world = World::new().await;
    let uncached =
        XtraClient::builder().dev_server(&world.server).cache(false).clock(world.clock.clock()).build().unwrap();
    let calls = AtomicUsize::new(0);
    let slow_door = |key: SecretValue| {
        let is_first = calls.fetch_add(1, Ordering::Relaxed) == 0;
        let world = &world;
        async move {
            if is_first {
                // the refusal takes its time, and meanwhile the key is replaced
                world.clock.advance(Duration::from_secs(10));
                world.rotate();
            }
            open(&key, NEW)
        }
    };
    let outcome = uncached.with_secret("API_KEY", slow_door).environment("production").await;
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!((calls.into_inner(), world.requests()), (2, 2));
    // what was read this moment is not asked for again
    let refused = |key: SecretValue| async move { open(&key, "another one") };
    assert!(is_refused(&uncached.with_secret("API_KEY", refused).environment("production").await));
    assert_eq!(world.requests(), 3);
}

#[tokio::test]
async fn a_secret_that_is_gone_after_the_refresh_leaves_the_refusal() {
    let world = World::new().await;
    assert!(world.server.remove_secret("demo", "production", "main", "API_KEY").unwrap());
    let (outcome, calls) = world.use_key(NEW).await;
    assert!(is_refused(&outcome));
    assert_eq!((calls, world.requests()), (1, 1));
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_nothing_is_called() {
    let world = World::new().await;
    let never = |_| async { panic!("called") as Result<(), UseError<&'static str>> };
    let kind = |outcome: Result<(), WithSecretError<&'static str>>| match outcome {
        Err(WithSecretError::Secrets(error)) => error.kind(),
        other => panic!("{other:?}"),
    };
    assert_eq!(kind(world.client.with_secret("NO_SUCH", never).await), ErrorKind::MissingSecret);
    world.server.fault(Fault::status(503).on(route::SECRETS_READ));
    assert_eq!(kind(world.client.with_secret("API_KEY", never).no_cache().await), ErrorKind::Server);
    let viewer = XtraClient::builder()
        .dev_server(&world.server)
        .token(world.server.token_for("viewer").unwrap())
        .build()
        .unwrap();
    let masked = viewer.get_secrets("production").allow_unreadable().with_secret("API_KEY", never).await;
    assert_eq!(kind(masked), ErrorKind::Masked);
}

#[tokio::test]
async fn the_environment_is_the_call_s_then_the_builder_s_and_without_one_the_error_says_so() {
    let world = World::new().await;
    let value = |key: SecretValue| async move { Ok::<_, UseError<&'static str>>(key.expose().to_owned()) };
    assert_eq!(world.client.with_secret("API_KEY", value).await.unwrap(), OLD);
    let staging = world.client.with_secret("API_KEY", value).environment("staging").await.unwrap();
    assert_eq!(staging, "demo-staging-key");
    let branch = world.client.with_secret("FEATURE_NEW_UI", value).branch("feature/new-ui").await.unwrap();
    assert_eq!(branch, "on");
    let again = world.client.get_secrets("production").environment("Staging").await.unwrap();
    assert_eq!(again.require("API_KEY").unwrap(), "demo-staging-key");
    let without = XtraClient::builder().dev_server(&world.server).build().unwrap();
    assert_eq!(without.default_environment(), None);
    let error = without.with_secret("API_KEY", value).await.unwrap_err();
    let WithSecretError::Secrets(error) = error else { panic!("{error:?}") };
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("environment(..)"), "{error}");
}

#[test]
fn the_error_shows_what_happened_and_keeps_the_cause_as_its_source() {
    use std::error::Error;
    let cause = || std::io::Error::other("the cause");
    for error in [WithSecretError::Refused(cause()), WithSecretError::from(UseError::from(cause()))] {
        assert!(!error.to_string().contains("the cause"));
        assert_eq!(error.source().unwrap().to_string(), "the cause");
    }
    let secrets = WithSecretError::<std::io::Error>::Secrets(XtraError::new(ErrorKind::Network, "no route"));
    assert_eq!(secrets.to_string(), "no route");
    assert!(secrets.source().is_none());
}

/// A source of a program's own: each load gives the next password.
struct Passwords(AtomicUsize);

impl SecretSource for Passwords {
    type Scope<'a> = &'a str;
    type Owned = String;

    fn name(&self) -> &'static str {
        "passwords"
    }

    fn identity(&self) -> Identity {
        Identity::of("tests")
    }

    fn write_key(&self, scope: &Self::Scope<'_>, key: &mut KeyWriter) {
        key.field(scope);
    }

    fn prepare(&self, scope: &Self::Scope<'_>) -> Result<String, XtraError> {
        Ok((*scope).to_owned())
    }

    async fn load(&self, scope: &String) -> Result<Loaded, XtraError> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Loaded::from_iter([(scope.as_str(), format!("password-{number}"))]))
    }
}

#[tokio::test]
async fn a_source_of_a_program_s_own_has_it_too() {
    let clock = ManualClock::new();
    let options = EngineOptions::default().clock(clock.clock());
    let client = Client::with_options(Passwords(AtomicUsize::new(0)), options);
    let door = |key: SecretValue| async move { open(&key, "password-1").map(|()| key) };
    assert!(is_refused(&client.read("db").with_secret("db", door).await));
    clock.advance(Duration::from_secs(10));
    assert_eq!(client.read("db").with_secret("db", door).await.unwrap(), "password-1");
}
