//! Leases of dynamic secrets.

use std::time::Duration;

use xtrasecurity::clock::ManualClock;
use xtrasecurity::infisical::InfisicalClient;
use xtrasecurity::infisical::dev::{Fault, Generation, InfisicalDevServer, route};
use xtrasecurity::infisical::raw::types;
use xtrasecurity::{ErrorKind, blocking};

use crate::server::{BOTH, builder, client, start};

const MINUTE: Duration = Duration::from_secs(60);

/// Makes the dynamic secret `postgres` in `dev`, whose leases live for a minute, and for an hour at most.
async fn provide(client: &InfisicalClient) {
    let provider = serde_json::json!({"type": "sql-database", "inputs": {"host": "db"}});
    let body = types::DynamicSecretCreate::builder()
        .project_slug("web")
        .environment_slug("dev")
        .path("/app".to_owned())
        .name("postgres")
        .provider(serde_json::from_value::<types::DynamicSecretProvider>(provider).unwrap())
        .default_ttl("60s")
        .max_ttl("1h".to_owned());
    client.raw().dynamic_secrets_create().body(body).send().await.unwrap();
}

async fn with_clock(generation: Generation) -> (InfisicalDevServer, InfisicalClient, ManualClock) {
    let server = start(generation).await;
    let clock = ManualClock::new();
    let client = builder(&server).clock(clock.clock()).build().unwrap();
    provide(&client).await;
    (server, client, clock)
}

#[tokio::test]
async fn a_lease_is_made_renewed_and_revoked() {
    for generation in BOTH {
        let server = start(generation).await;
        let client = client(&server);
        provide(&client).await;
        let lease = client.create_lease("dev", "postgres").path("/app").ttl(MINUTE * 2).await.unwrap();
        assert_eq!(lease.lifetime, MINUTE * 2);
        let password = lease.get("DB_PASSWORD").unwrap();
        assert!(!format!("{lease:?}").contains(password.expose()));
        server.advance(Duration::from_secs(90));
        let renewed = client.renew_lease("dev", &lease.id).path("/app").ttl(MINUTE * 3).await.unwrap();
        assert_eq!((&renewed.id, renewed.lifetime), (&lease.id, MINUTE * 3));
        assert!(renewed.expires_at > lease.expires_at);
        client.revoke_lease("dev", &lease.id).path("/app").await.unwrap();
        for error in [
            client.renew_lease("dev", &lease.id).path("/app").await.unwrap_err(),
            client.revoke_lease("dev", &lease.id).path("/app").await.unwrap_err(),
            client.create_lease("dev", "oracle").path("/app").await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        }
        let missing = client.hold_lease("dev", "oracle").path("/app").await.unwrap_err().to_string();
        assert!(
            missing.starts_with("hold_lease(\"dev\"): ") && missing.contains("\"oracle\" of the folder /app"),
            "{missing}"
        );
        let long = client.create_lease("dev", "postgres").path("/app").ttl(MINUTE * 61).await.unwrap_err();
        assert_eq!(long.status(), Some(400), "{long}");
        let none = client.create_lease("dev", "postgres").ttl(Duration::ZERO).await.unwrap_err();
        assert_eq!(none.kind(), ErrorKind::Invalid);
    }
}

/// Lets time go by here and at the server, until a request of this route is there, and lets it through.
async fn pass(server: &InfisicalDevServer, clock: &ManualClock, time: Duration, route: &str) {
    let hold = server.hold(route);
    server.advance(time);
    clock.advance(time);
    hold.waiting_for(1).await;
    hold.release();
}

#[tokio::test]
async fn a_lease_that_is_held_is_renewed_before_it_ends_and_revoked_when_it_is_closed() {
    for generation in BOTH {
        let (server, client, clock) = with_clock(generation).await;
        let lease = client.hold_lease("dev", "postgres").path("/app").await.unwrap();
        let first = lease.expires_at();
        assert!(lease.get("DB_USERNAME").is_some() && lease.data().len() == 2);
        server.advance(Duration::from_secs(39));
        clock.advance(Duration::from_secs(39));
        tokio::task::yield_now().await;
        assert_eq!(server.request_count(route::LEASES_RENEW), 0, "two thirds are not over");
        pass(&server, &clock, Duration::from_secs(1), route::LEASES_RENEW).await;
        while lease.renewals() == 0 {
            tokio::task::yield_now().await;
        }
        pass(&server, &clock, Duration::from_secs(40), route::LEASES_RENEW).await;
        // past what its first life was
        let open =
            || client.raw().leases_get().lease_id(lease.id()).project_slug("web").environment_slug("dev").path("/app");
        open().send().await.unwrap();
        assert!(lease.problem().is_none() && lease.renewals() >= 1 && lease.expires_at() > first);
        let id = lease.id().to_owned();
        lease.close().await.unwrap();
        assert_eq!(server.request_count(route::LEASES_REVOKE), 1);
        let gone = client.revoke_lease("dev", id).path("/app").await.unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn a_lease_that_is_dropped_is_revoked() {
    let (server, client, _clock) = with_clock(Generation::Current).await;
    let lease = client.hold_lease("dev", "postgres").path("/app").await.unwrap();
    let hold = server.hold(route::LEASES_REVOKE);
    drop(lease);
    hold.waiting_for(1).await;
    hold.release();
}

#[tokio::test]
async fn a_renewal_that_fails_is_told_and_tried_again_while_the_lease_lives() {
    let (server, client, clock) = with_clock(Generation::Current).await;
    let client = {
        drop(client);
        builder(&server).clock(clock.clock()).max_retries(0).build().unwrap()
    };
    let lease = client.hold_lease("dev", "postgres").path("/app").await.unwrap();
    server.fault(Fault::status(503).on(route::LEASES_RENEW));
    pass(&server, &clock, Duration::from_secs(40), route::LEASES_RENEW).await;
    while lease.problem().is_none() {
        tokio::task::yield_now().await;
    }
    pass(&server, &clock, Duration::from_secs(7), route::LEASES_RENEW).await;
    while lease.renewals() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(lease.problem().is_none());
    lease.close().await.unwrap();
}

#[tokio::test]
async fn a_lease_that_the_server_does_not_renew_is_left_to_end_and_closing_it_then_is_no_error() {
    let (server, client, clock) = with_clock(Generation::Current).await;
    let lease = client.hold_lease("dev", "postgres").path("/app").await.unwrap();
    server.fault(Fault::status(400).on(route::LEASES_RENEW));
    pass(&server, &clock, Duration::from_secs(40), route::LEASES_RENEW).await;
    while lease.problem().is_none() {
        tokio::task::yield_now().await;
    }
    server.advance(MINUTE);
    clock.advance(MINUTE);
    lease.close().await.unwrap();
    assert_eq!(server.request_count(route::LEASES_RENEW), 1);
}

#[tokio::test]
async fn a_revocation_has_a_grace_and_no_more() {
    let (server, client, _clock) = with_clock(Generation::Current).await;
    let held = client.hold_lease("dev", "postgres").path("/app").revoke_grace(Duration::from_millis(1));
    let lease = held.await.unwrap();
    server.fault(Fault::hang().on(route::LEASES_REVOKE).forever());
    let error = lease.close().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
}

/// Does blocking work on a thread of its own, beside the server.
async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || tell.send(work()).ok());
    told.await.unwrap()
}

fn blocking_client(server: &InfisicalDevServer, clock: &ManualClock) -> blocking::InfisicalClient {
    let builder = blocking::InfisicalClient::builder().token(server.token()).project_id(server.project_id());
    builder.base_url(server.url()).no_proxy().clock(clock.clock()).build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_a_blocking_client_holds_is_renewed_between_its_calls_and_revoked_when_it_is_closed() {
    for generation in BOTH {
        let (server, _client, clock) = with_clock(generation).await;
        let client = blocking_client(&server, &clock);
        let lease = on_thread(move || client.hold_lease("dev", "postgres").path("/app").send().unwrap()).await;
        assert!(lease.get("DB_USERNAME").is_some() && !format!("{lease:?}").contains(lease.data()[0].1.expose()));
        // longer than it lives, with nobody in a call
        for renewals in 1..=2 {
            pass(&server, &clock, Duration::from_secs(40), route::LEASES_RENEW).await;
            while lease.renewals() < renewals {
                tokio::task::yield_now().await;
            }
        }
        assert!(lease.problem().is_none());
        on_thread(move || lease.close()).await.unwrap();
        assert_eq!(server.request_count(route::LEASES_REVOKE), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_of_a_blocking_client_that_is_dropped_has_been_revoked_then() {
    let (server, async_client, clock) = with_clock(Generation::Current).await;
    let client = blocking_client(&server, &clock);
    on_thread(move || drop(client.hold_lease("dev", "postgres").path("/app").send().unwrap())).await;
    assert_eq!(server.request_count(route::LEASES_REVOKE), 1);
    // a request of the async client that is sent by waiting for it is held so too
    on_thread(move || drop(async_client.hold_lease("dev", "postgres").path("/app").wait().unwrap())).await;
    assert_eq!(server.request_count(route::LEASES_REVOKE), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_of_a_blocking_client_waits_for_its_revocation_no_longer_than_its_grace() {
    let (server, _client, clock) = with_clock(Generation::Current).await;
    server.fault(Fault::hang().on(route::LEASES_REVOKE).forever());
    let client = blocking_client(&server, &clock);
    let grace = Duration::from_millis(1);
    let hold = move || {
        let held = || client.hold_lease("dev", "postgres").path("/app").revoke_grace(grace).send().unwrap();
        let error = held().close().unwrap_err();
        drop(held());
        (error, client.hold_lease("dev", "none").path("/app").send().unwrap_err())
    };
    let (error, none) = on_thread(hold).await;
    assert_eq!((error.kind(), none.kind()), (ErrorKind::Timeout, ErrorKind::NotFound), "{error}");
}
