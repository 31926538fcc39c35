//! What `preload` promises, against the service in memory.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use xtrasecurity::dev_server::{DevServer, Fault, RateLimits, route};
use xtrasecurity::{ErrorKind, XtraClient, clock::ManualClock};

async fn server() -> DevServer {
    DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap()
}

fn client(server: &DevServer) -> XtraClient {
    XtraClient::builder().dev_server(server).max_retries(0).build().unwrap()
}

#[tokio::test]
async fn everything_that_is_asked_for_is_there_and_then_comes_from_the_cache() {
    let (server, clock) = (server().await, ManualClock::new());
    let client = XtraClient::builder().dev_server(&server).clock(clock.clock()).build().unwrap();
    for _ in 0..3 {
        let ready = client.preload(["production", "staging"]).required(["API_KEY", "DATABASE_URL"]).await.unwrap();
        let found: Vec<_> = ready.iter().map(|(name, secrets)| (name, secrets.len())).collect();
        assert_eq!(found, [("production", 3), ("staging", 2)]);
    }
    assert_eq!(server.request_count(route::SECRETS_READ), 2);
    clock.advance(Duration::from_secs(7));
    let ready = client.preload(["production"]).await.unwrap();
    assert_eq!(ready.age(), Duration::from_secs(7));
    assert_eq!(format!("{ready:?}"), r#"Preloaded {"production": "3 secrets, 7s old"}"#);
    assert!(ready.get("staging").is_none());
}

#[tokio::test]
async fn environments_are_read_at_the_same_time() {
    let server = server().await;
    let client = client(&server);
    let hold = server.hold(route::SECRETS_READ);
    let mut preload = client.preload(["production", "staging", "development"]).into_future();
    let mut held = Box::pin(hold.waiting_for(3));
    poll_fn(|context| {
        assert!(preload.as_mut().poll(context).is_pending());
        held.as_mut().poll(context)
    })
    .await;
    drop(held);
    hold.release();
    assert_eq!(preload.await.unwrap().iter().len(), 3);
}

#[tokio::test]
async fn every_missing_name_of_every_environment_is_told_at_once() {
    let server = server().await;
    let error = client(&server)
        .preload(["production", "staging", "development"])
        .required(["API_KEY", "SENTRY_DSN"])
        .required(["FEATURE_NEW_UI"])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingSecret);
    assert_eq!(error.names(), ["FEATURE_NEW_UI", "SENTRY_DSN"]);
    let text = error.to_string();
    assert!(text.starts_with("preload: 3 of 3 scopes cannot be used"), "{text}");
    assert!(text.contains(r#""production": missing: SENTRY_DSN"#), "{text}");
    let alike = r#""staging", "development": missing: FEATURE_NEW_UI, SENTRY_DSN"#;
    assert!(text.contains(alike), "what is the same is told once: {text}");
}

#[tokio::test]
async fn the_gravest_trouble_gives_the_kind_and_all_are_listed() {
    let server = server().await;
    let client = client(&server);
    client.get_secrets("staging").await.unwrap();
    server.fault(Fault::status(503).header("retry-after", "7").on(route::SECRETS_READ));
    let preload = || client.preload(["production", "staging"]).required(["FEATURE_NEW_UI"]);
    let error = preload().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingSecret, "a missing name does not pass by waiting");
    assert!(error.to_string().contains("\"production\"") && error.to_string().contains("\"staging\""), "{error}");

    server.fault(Fault::status(503).header("retry-after", "7").on(route::SECRETS_READ));
    let error = client.preload(["production", "staging"]).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(503)));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert!(error.is_retryable());
    assert!(error.to_string().starts_with("preload: 1 of 2 scopes"), "{error}");

    let error = client.preload(["prodution", "staging"]).required(["FEATURE_NEW_UI"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EmptyScope);
    assert!(error.to_string().contains("\"prodution\": it holds no secrets"), "{error}");

    let stranger = XtraClient::builder().dev_server(&server).token("xs_wrong").build().unwrap();
    let error = stranger.preload(["production", "staging"]).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unauthorized, Some(401)));
    assert!(error.to_string().contains(r#""production", "staging": "#), "{error}");
}

#[tokio::test]
async fn at_the_deadline_the_error_names_what_is_not_done_and_only_that() {
    let server = server().await;
    let client = client(&server);
    client.get_secrets("production").await.unwrap();
    let hold = server.hold(route::SECRETS_READ);
    let error = client.preload(["production", "staging"]).deadline(Duration::ZERO).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_retryable());
    assert!(error.to_string().contains("\"staging\": not done within 0ns"), "{error}");
    assert!(!error.to_string().contains("production"), "{error}");
    drop(hold);
}

#[tokio::test]
async fn what_others_wait_for_goes_on_after_the_deadline() {
    let server = server().await;
    let client = client(&server);
    let hold = server.hold(route::SECRETS_READ);
    let mut reader = Box::pin(client.get_secrets("staging").into_future());
    let mut held = Box::pin(hold.waiting_for(1));
    poll_fn(|context| {
        assert!(reader.as_mut().poll(context).is_pending());
        held.as_mut().poll(context)
    })
    .await;
    assert!(client.preload(["staging"]).deadline(Duration::ZERO).await.is_err());
    drop(held);
    hold.release();
    assert!(reader.await.unwrap().contains("API_KEY"));
    assert_eq!(server.request_count(route::SECRETS_READ), 1);
}

#[tokio::test]
async fn the_deadline_is_the_call_timeout_unless_another_is_given() {
    let server = server().await;
    let hold = server.hold(route::SECRETS_READ);
    let limit = Duration::from_millis(20);
    let client = XtraClient::builder().dev_server(&server).call_timeout(limit).max_retries(0).build().unwrap();
    let error = client.preload(["staging"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    drop(hold);
}

#[tokio::test]
async fn what_cannot_be_read_is_not_ready() {
    let server = server().await;
    let viewer = XtraClient::builder().dev_server(&server).token(server.token_for("viewer").unwrap()).build().unwrap();
    let error = viewer.preload(["staging"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Masked);
    assert_eq!(error.names(), ["API_KEY", "DATABASE_URL"]);
    let error = viewer.preload(["staging"]).allow_unreadable().required(["API_KEY"]).await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::MissingSecret, &["API_KEY".to_owned()][..]));
    assert!(viewer.preload(["staging"]).allow_unreadable().await.is_ok());
}

#[tokio::test]
async fn an_environment_without_secrets_is_ready_only_when_that_was_said() {
    let server = server().await;
    let client = client(&server);
    assert_eq!(client.preload(["nowhere"]).await.unwrap_err().kind(), ErrorKind::EmptyScope);
    assert!(client.preload(["nowhere"]).allow_empty().await.is_ok());
    let error = client.preload(["nowhere"]).allow_empty().required(["A"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingSecret);
}

#[tokio::test]
async fn branch_and_project_are_those_that_were_named() {
    let server = server().await;
    let client = client(&server);
    let ready = client.preload(["production"]).branch("feature/new-ui").await.unwrap();
    assert_eq!(ready.get("production").unwrap().require("FEATURE_NEW_UI").unwrap(), "on");
    let error = client.preload(["production"]).project_id("665f1c2ab7c0de00ffffffff").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
}

#[tokio::test]
async fn a_required_name_of_several_lines_is_not_shown() {
    let server = server().await;
    let error = client(&server).preload(["production"]).required(["A\nB: fine"]).await.unwrap_err();
    assert!(error.to_string().ends_with("missing: (a name of 9 characters, not shown)"), "{error}");
}

#[tokio::test]
async fn to_preload_nothing_is_an_error_and_a_token_in_a_name_s_place_is_not_shown() {
    let server = server().await;
    let client = client(&server);
    let error = client.preload([""; 0]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let error = client.preload(["xs_hunter2 "]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    assert_eq!(server.total_requests(), 0);
}

#[test]
fn what_is_in_memory_needs_no_timer_of_the_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let client = XtraClient::in_memory([("A", "1")]).unwrap();
        assert!(client.preload(["production"]).required(["A"]).await.is_ok());
    });
}

#[tokio::test]
async fn a_preload_that_is_dropped_costs_others_nothing() {
    let server = server().await;
    let client = client(&server);
    let hold = server.hold(route::SECRETS_READ);
    let mut preload = client.preload(["staging"]).into_future();
    let mut reader = Box::pin(client.get_secrets("staging").into_future());
    let mut held = Box::pin(hold.waiting_for(1));
    poll_fn(|context| {
        assert!(preload.as_mut().poll(context).is_pending());
        assert!(reader.as_mut().poll(context).is_pending());
        if held.as_mut().poll(context).is_pending() { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    drop((preload, held));
    hold.release();
    assert!(reader.await.is_ok());
    assert_eq!(server.request_count(route::SECRETS_READ), 1);
}
