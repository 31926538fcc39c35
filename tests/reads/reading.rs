//! What `get_secrets` promises, against the service in memory.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use xtrasecurity::dev_server::{DevServer, Fault, Form, RateLimits, SecretSeed, route};
use xtrasecurity::{
    ErrorKind, XtraClient, XtraClientBuilder,
    clock::ManualClock,
    snapshot::{SnapshotSource, UnreadableReason},
};

async fn server() -> DevServer {
    DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap()
}

fn builder(server: &DevServer) -> XtraClientBuilder {
    XtraClient::builder().dev_server(server)
}

fn client(server: &DevServer) -> XtraClient {
    builder(server).build().unwrap()
}

#[tokio::test]
async fn secrets_are_read_by_environment_and_branch() {
    let server = server().await;
    let client = client(&server);
    let main = client.get_secrets("production").await.unwrap();
    assert_eq!(main.require("FEATURE_NEW_UI").unwrap().expose(), "off");
    assert_eq!(main.source(), SnapshotSource::Service);
    let branch = client.get_secrets("production").branch("feature/new-ui").await.unwrap();
    assert_eq!(branch.require("FEATURE_NEW_UI").unwrap().expose(), "on");
    assert!(!branch.contains("API_KEY"));
}

#[tokio::test]
async fn an_environment_is_one_entry_whatever_its_case() {
    let server = server().await;
    let client = client(&server);
    client.get_secrets("production").await.unwrap();
    client.get_secrets("PRODUCTION").await.unwrap();
    assert_eq!(server.request_count(route::SECRETS_READ), 1);
    assert!(server.requests(route::SECRETS_READ)[0].target().contains("/envs/production/"));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_concurrent_cold_reads_are_one_request() {
    let server = server().await;
    let client = client(&server);
    let hold = server.hold(route::SECRETS_READ);
    let readers: Vec<_> = (0..10_000)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.get_secrets("production").await })
        })
        .collect();
    hold.waiting_for(1).await;
    hold.release();
    for reader in readers {
        assert!(reader.await.unwrap().unwrap().contains("DATABASE_URL"));
    }
    assert_eq!(server.request_count(route::SECRETS_READ), 1);
}

#[tokio::test]
async fn a_cancelled_leader_costs_no_second_request_and_fails_nobody() {
    let server = server().await;
    let client = client(&server);
    let hold = server.hold(route::SECRETS_READ);
    let mut leader = Box::pin(client.get_secrets("production").into_future());
    let mut follower = Box::pin(client.get_secrets("production").into_future());
    let mut held = Box::pin(hold.waiting_for(1));
    poll_fn(|context| {
        assert!(leader.as_mut().poll(context).is_pending());
        assert!(follower.as_mut().poll(context).is_pending());
        held.as_mut().poll(context)
    })
    .await;
    drop((leader, held));
    hold.release();
    assert!(follower.await.unwrap().contains("DATABASE_URL"));
    assert_eq!(server.request_count(route::SECRETS_READ), 1);
}

#[tokio::test]
async fn a_failing_load_is_one_request_every_waiter_sees_the_error_and_the_next_read_tries_again() {
    let server = server().await;
    let client = builder(&server).max_retries(0).build().unwrap();
    server.fault(Fault::status(503).on(route::SECRETS_READ));
    let hold = server.hold(route::SECRETS_READ);
    let mut readers =
        Box::pin(futures_util::future::join_all((0..100).map(|_| client.get_secrets("production").into_future())));
    let mut held = Box::pin(hold.waiting_for(1));
    poll_fn(|context| {
        assert!(readers.as_mut().poll(context).is_pending());
        held.as_mut().poll(context)
    })
    .await;
    drop(held);
    hold.release();
    for answer in readers.await {
        let error = answer.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(503)));
    }
    assert_eq!(server.request_count(route::SECRETS_READ), 1);
    client.get_secrets("production").await.unwrap();
    assert_eq!(server.request_count(route::SECRETS_READ), 2);
}

#[tokio::test]
async fn a_snapshot_comes_from_memory_until_its_time_is_up() {
    let (server, clock) = (server().await, ManualClock::new());
    let client = builder(&server).clock(clock.clock()).build().unwrap();
    let first = client.get_secrets("production").await.unwrap();
    server.set_secret("demo", "production", "main", "API_KEY", "rotated").unwrap();
    clock.advance(Duration::from_secs(26));
    assert_eq!(client.get_secrets("production").await.unwrap().age(), Duration::from_secs(26));
    assert_eq!(server.request_count(route::SECRETS_READ), 1);
    clock.advance(Duration::from_secs(4));
    assert!(first.is_stale());
    clock.advance(Duration::from_secs(30));
    let second = client.get_secrets("production").await.unwrap();
    assert_eq!(second.require("API_KEY").unwrap().expose(), "rotated");
    assert_ne!(first.require("API_KEY").unwrap().expose(), "rotated", "a snapshot never changes");
}

#[tokio::test]
async fn clear_cache_no_cache_and_a_cache_turned_off_all_ask_again() {
    let server = server().await;
    let client = client(&server);
    client.get_secrets("production").await.unwrap();
    client.clear_cache();
    client.get_secrets("production").await.unwrap();
    client.get_secrets("production").no_cache().await.unwrap();
    client.get_secrets("production").await.unwrap();
    assert_eq!(server.request_count(route::SECRETS_READ), 3);
    for off in [builder(&server).cache(false), builder(&server).cache_ttl(Duration::ZERO)] {
        let client = off.build().unwrap();
        server.reset_counts();
        client.get_secrets("production").await.unwrap();
        client.get_secrets("production").await.unwrap();
        assert_eq!(server.request_count(route::SECRETS_READ), 2);
    }
}

#[tokio::test]
async fn masked_values_are_an_error_that_names_them_and_never_values() {
    let server = server().await;
    let client = builder(&server).token(server.token_for("viewer").unwrap()).build().unwrap();
    let error = client.get_secrets("production").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Masked);
    assert_eq!(error.names(), ["API_KEY", "DATABASE_URL", "FEATURE_NEW_UI"]);
    let names = client.get_secrets("production").allow_unreadable().await.unwrap();
    assert!(names.is_empty());
    assert!(names.unreadable().iter().all(|entry| entry.reason == UnreadableReason::Masked));
    assert_eq!(names.require("API_KEY").unwrap_err().kind(), ErrorKind::Masked);
    assert_eq!(server.request_count(route::SECRETS_READ), 1, "what the service hides is cached like any answer");
}

#[tokio::test]
async fn injecting_what_is_masked_says_that_it_is_masked_and_not_that_there_is_nothing() {
    let server = server().await;
    let client = builder(&server).token(server.token_for("viewer").unwrap()).build().unwrap();
    let error = client.inject_secrets("production").allow_unreadable().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Masked);
}

#[tokio::test]
async fn ciphertext_is_an_error_that_names_it_and_the_rest_can_be_read() {
    let server = server().await;
    let sealed =
        r#"{"ciphertext":"b57eebd0e8","iv":"000102030405060708090a0b","authTag":"48af7c3ec76f419d915963633316133d"}"#;
    server.add_secret("demo", SecretSeed::new("production", "SEALED", sealed)).unwrap();
    server.add_secret("demo", SecretSeed::new("production", "LOST", "x").form(Form::Undecryptable)).unwrap();
    let client = client(&server);
    let error = client.get_secrets("production").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Undecryptable);
    assert_eq!(error.names(), ["LOST", "SEALED"]);
    let rest = client.get_secrets("production").allow_unreadable().await.unwrap();
    assert_eq!(rest.len(), 3);
    assert_eq!(rest.require("LOST").unwrap_err().kind(), ErrorKind::Undecryptable);
    assert_eq!(rest.require("SEALED").unwrap_err().kind(), ErrorKind::Undecryptable);
}

#[tokio::test]
async fn an_empty_value_is_the_empty_string_although_the_service_sends_ciphertext() {
    let server = server().await;
    server.set_secret("demo", "production", "main", "EMPTY", "").unwrap();
    let secrets = client(&server).get_secrets("production").await.unwrap();
    assert_eq!(secrets.require("EMPTY").unwrap().expose(), "");
}

#[tokio::test]
async fn an_unknown_branch_or_environment_is_an_empty_snapshot_and_injection_refuses_it() {
    let server = server().await;
    let client = client(&server);
    assert!(client.get_secrets("production").branch("nope").await.unwrap().is_empty());
    assert!(client.get_secrets("nope").await.unwrap().is_empty());
    let error = client.inject_secrets("production").branch("nope").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EmptyScope);
}

#[tokio::test]
async fn a_service_account_s_token_knows_its_project() {
    let server = server().await;
    let client = XtraClient::builder().token(server.token_for("ci").unwrap()).api_url(server.url()).build().unwrap();
    client.get_secrets("production").await.unwrap();
    client.get_secrets("staging").await.unwrap();
    assert_eq!(server.request_count(route::SERVICE_ACCOUNT_RESOLVE), 1, "it is asked once");
}

#[tokio::test]
async fn a_user_s_token_without_a_project_is_told_where_to_put_one() {
    let server = server().await;
    let client = XtraClient::builder().token(server.token()).api_url(server.url()).build().unwrap();
    let error = client.get_secrets("production").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("XTRA_PROJECT_ID"));
}

#[tokio::test]
async fn two_tokens_never_share_a_snapshot_and_a_refused_token_gets_nothing_from_the_cache() {
    let (server, clock) = (server().await, ManualClock::new());
    let token = server.token_for("developer").unwrap().to_owned();
    let client = builder(&server).token(token.as_str()).clock(clock.clock()).build().unwrap();
    client.get_secrets("production").await.unwrap();
    assert!(server.revoke_token(&token));
    clock.advance(Duration::from_secs(60));
    let error = client.get_secrets("production").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(client.stats().cached, 0, "a 401 drops the entry");
}

#[tokio::test]
async fn a_failed_read_is_repeated_and_the_counts_tell() {
    let server = server().await;
    let client = client(&server);
    server.fault(Fault::status(503).on(route::SECRETS_READ));
    server.fault(Fault::cut_body().on(route::SECRETS_READ));
    server.fault(Fault::refuse().on(route::SECRETS_READ));
    client.get_secrets("production").await.unwrap();
    let stats = client.stats();
    assert_eq!((stats.requests, stats.retries, stats.misses, stats.hits), (4, 3, 1, 0));
}

#[tokio::test]
async fn an_in_memory_client_answers_reads_and_sends_nothing() {
    let client = XtraClient::in_memory([("PORT", "8080")]).unwrap();
    let secrets = client.get_secrets("anything").branch("any").await.unwrap();
    assert_eq!(secrets.require("PORT").unwrap().expose(), "8080");
    assert_eq!(secrets.source(), SnapshotSource::Memory);
    let error = client.raw().health_check().send().await.unwrap_err();
    assert_eq!(error.into_error().kind(), ErrorKind::Credentials);
    assert_eq!(client.stats().requests, 0);
}

#[tokio::test]
async fn a_read_that_was_answered_is_answered_from_another_task_and_another_clone() {
    let server = server().await;
    let client = client(&server);
    client.get_secrets("production").await.unwrap();
    let clone = client.clone();
    tokio::spawn(async move { clone.get_secrets("production").await }).await.unwrap().unwrap();
    assert_eq!(server.request_count(route::SECRETS_READ), 1);
    // A future that is not polled has done nothing.
    drop(client.get_secrets("staging").into_future());
    let pending = client.get_secrets("staging").into_future();
    poll_fn(|_| Poll::Ready(())).await;
    drop(pending);
    assert_eq!(server.request_count(route::SECRETS_READ), 1);
}

#[test]
fn one_client_serves_runtimes_in_turn_and_one_that_stands_still_holds_up_no_other() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // The server has a thread and a runtime of its own, so that it answers whichever runtime asks.
    let (ready, started) = std::sync::mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = std::thread::spawn(move || {
        runtime().block_on(async {
            let server = server().await;
            ready.send(client(&server)).unwrap();
            let _ = stopped.await;
        });
    });
    let client = started.recv().unwrap();
    let (one, two) = (runtime(), runtime());
    let began = std::time::Instant::now();
    for _ in 0..3 {
        one.block_on(client.get_secrets("production").no_cache().send()).unwrap();
        two.block_on(client.get_secrets("production").no_cache().send()).unwrap();
    }
    // A read that began on one and is not driven there does not keep the other from reading the same.
    let mut stands_still = Box::pin(client.get_secrets("staging").send());
    one.block_on(poll_fn(|context| {
        assert!(stands_still.as_mut().poll(context).is_pending());
        Poll::Ready(())
    }));
    two.block_on(client.get_secrets("staging").send()).unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "took {:?}", began.elapsed());
    drop(stands_still);
    stop.send(()).unwrap();
    serving.join().unwrap();
}
