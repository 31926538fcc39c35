//! What a watch does with what the server tells it.

use std::time::Duration;

use xtrasecurity::blocking;
use xtrasecurity::clock::ManualClock;
use xtrasecurity::infisical::InfisicalScope;
use xtrasecurity::infisical::dev::{Fault, Generation, InfisicalDevServer, route};

use crate::log;
use crate::server::{begun, builder, connections, next, reads, seeded, still, until};

const FALLEN_BACK: &str = "does not tell this client of changes";

#[tokio::test]
async fn a_change_is_seen_when_the_server_tells_of_it_although_no_poll_is_due() {
    let server = seeded().start().await.unwrap();
    let (watched, writer) = (still(&server), still(&server));
    let mut watch = watched.watch("dev");
    assert_eq!(begun(&server, &mut watch).await.added, ["HOST"]);
    let _ = writer.create_secret("dev", "NEW", "v").await.unwrap();
    assert_eq!(next(&mut watch).await.added, ["NEW"]);
    let _ = writer.update_secret("dev", "HOST").value("db.example").await.unwrap();
    assert_eq!(next(&mut watch).await.changed, ["HOST"]);
    let _ = writer.delete_secret("dev", "NEW").await.unwrap();
    assert_eq!(next(&mut watch).await.removed, ["NEW"]);
    // what other readers get is what the watch has fetched
    let before = reads(&server);
    assert!(watched.get_secrets("dev").await.unwrap().get("NEW").is_none());
    assert_eq!((reads(&server), connections(&server)), (before, 1));
}

#[tokio::test]
async fn a_change_elsewhere_is_no_read_and_one_in_a_folder_below_is_when_those_are_watched() {
    let server = seeded().start().await.unwrap();
    let (watched, writer) = (still(&server), still(&server));
    let (mut flat, mut deep) =
        (watched.watch("dev"), watched.watch(InfisicalScope::new("dev").path("/app").recursive()));
    next(&mut flat).await;
    assert_eq!(next(&mut deep).await.added, ["DEEP", "PORT"]);
    until(|| server.subscriptions() == 2 && reads(&server) == 4).await;
    let _ = writer.update_secret("dev", "DEEP").path("/app/db").value("2").await.unwrap();
    assert_eq!(next(&mut deep).await.changed, ["DEEP"]);
    server.send_to_subscriptions(
        "event: secret:update\ndata: {\"data\":{\"eventType\":\"secret:update\",\"payload\":[{\"environment\":\"prod\",\"secretPath\":\"/\"}]}}\n\n",
    );
    let _ = writer.update_secret("dev", "HOST").value("db.example").await.unwrap();
    assert_eq!(next(&mut flat).await.changed, ["HOST"]);
    assert_eq!(reads(&server), 6);
}

#[tokio::test]
async fn a_burst_of_events_is_one_read() {
    let server = seeded().start().await.unwrap();
    let client = still(&server);
    let mut watch = client.watch("dev");
    begun(&server, &mut watch).await;
    for value in ["db-1", "db-2"] {
        let before = reads(&server);
        server.set_value("web", "dev", "/", "HOST", value).unwrap();
        for _ in 0..50 {
            server.send_to_subscriptions("event: secret:update\n\n");
            tokio::task::yield_now().await;
        }
        assert_eq!(next(&mut watch).await.snapshot.require("HOST").unwrap().expose(), value);
        // of the first burst, too: nothing of it comes with the second
        assert_eq!(reads(&server), before + 1);
    }
}

#[tokio::test]
async fn an_event_while_the_scope_is_being_read_is_another_read() {
    let server = seeded().start().await.unwrap();
    let client = still(&server);
    let mut watch = client.watch("dev");
    begun(&server, &mut watch).await;
    let hold = server.hold(route::SECRETS_LIST);
    server.send_to_subscriptions("event: secret:update\n\n");
    hold.waiting_for(1).await;
    let seen = client.stats().unchanged;
    server.send_to_subscriptions("event: secret:update\n\n");
    hold.release();
    until(|| client.stats().unchanged > seen).await;
    server.set_value("web", "dev", "/", "HOST", "later").unwrap();
    assert_eq!(next(&mut watch).await.changed, ["HOST"]);
}

#[tokio::test]
async fn a_connection_that_is_cut_is_replaced_and_what_changed_meanwhile_is_seen() {
    let server = seeded().start().await.unwrap();
    let client = still(&server);
    let mut watch = client.watch("dev");
    begun(&server, &mut watch).await;
    let hold = server.hold(route::EVENTS_SUBSCRIBE);
    server.end_subscriptions();
    hold.waiting_for(1).await;
    server.set_value("web", "dev", "/", "HOST", "db.example").unwrap();
    hold.release();
    assert_eq!(next(&mut watch).await.changed, ["HOST"]);
    assert_eq!(connections(&server), 2);
}

#[tokio::test]
async fn all_watchers_of_a_scope_share_a_connection_that_ends_with_the_last_of_them() {
    let server = seeded().start().await.unwrap();
    let client = still(&server);
    let (mut one, mut two) = (client.watch("dev"), client.watch("dev"));
    let (mut receiver, host) = (one.receiver(), one.secret("HOST"));
    begun(&server, &mut one).await;
    next(&mut two).await;
    receiver.changed().await.unwrap();
    server.set_value("web", "dev", "/", "HOST", "db.example").unwrap();
    server.send_to_subscriptions("event: secret:update\n\n");
    assert_eq!(
        (next(&mut one).await.changed, next(&mut two).await.changed),
        (vec!["HOST".into()], vec!["HOST".into()])
    );
    assert_eq!((server.subscriptions(), connections(&server)), (1, 1));
    drop((one, two, receiver));
    tokio::task::yield_now().await;
    assert_eq!(server.subscriptions(), 1, "one still watches");
    drop(host);
    until(|| server.subscriptions() == 0).await;
    let watch = client.watch("dev");
    until(|| server.subscriptions() == 1).await;
    drop(client);
    until(|| server.subscriptions() == 0).await;
    drop(watch);
}

/// Polls as ever, and says once why, whatever is watched.
async fn falls_back(server: &InfisicalDevServer, token: &str, status: u16) {
    log::listen();
    let clock = ManualClock::new();
    let client = builder(server).token(token).clock(clock.clock()).build().unwrap();
    let (mut watch, mut other) = (client.watch("dev"), client.watch(InfisicalScope::new("dev").path("/app")));
    next(&mut watch).await;
    next(&mut other).await;
    until(|| connections(server) == 2).await;
    until(|| log::logged().iter().any(|line| line.contains(FALLEN_BACK))).await;
    server.set_value("web", "dev", "/", "HOST", "db.example").unwrap();
    clock.advance(Duration::from_secs(61));
    assert_eq!(next(&mut watch).await.changed, ["HOST"]);
    assert_eq!(connections(server), 2, "a refusal is not asked for again");
    let said: Vec<_> = log::logged().into_iter().filter(|line| line.contains(FALLEN_BACK)).collect();
    assert!(said.len() == 1 && said[0].contains(&format!("status={status}")), "{said:?}");
}

#[tokio::test]
async fn where_the_server_refuses_changes_are_polled_for_and_that_is_said_once() {
    for status in [402, 403, 404] {
        let server = seeded().start().await.unwrap();
        let body = format!(r#"{{"reqId":"req-1","statusCode":{status},"message":"no","error":"BadRequest"}}"#);
        server.fault(Fault::body(status, "application/json", body).on(route::EVENTS_SUBSCRIBE).forever());
        falls_back(&server, server.token(), status).await;
    }
    let unlicensed = seeded().without_events().start().await.unwrap();
    falls_back(&unlicensed, unlicensed.token(), 400).await;
}

#[tokio::test]
async fn a_server_without_the_route_and_a_client_that_wants_no_events_are_polled() {
    log::listen();
    let server = seeded().generation(Generation::October2024).start().await.unwrap();
    let client = still(&server);
    let mut watch = client.watch("dev");
    next(&mut watch).await;
    until(|| log::logged().iter().any(|line| line.contains(FALLEN_BACK))).await;
    let server = seeded().start().await.unwrap();
    let clock = ManualClock::new();
    let client = builder(&server).clock(clock.clock()).events(false).build().unwrap();
    let mut watch = client.watch("dev");
    next(&mut watch).await;
    server.set_value("web", "dev", "/", "HOST", "db.example").unwrap();
    clock.advance(Duration::from_secs(61));
    assert_eq!((next(&mut watch).await.changed, connections(&server)), (vec!["HOST".to_owned()], 0));
}

#[tokio::test]
async fn while_the_server_tells_a_scope_is_polled_every_ten_minutes_and_while_it_does_not_as_ever() {
    let server = seeded().start().await.unwrap();
    let clock = ManualClock::new();
    let client = builder(&server).clock(clock.clock()).build().unwrap();
    let mut watch = client.watch("dev");
    begun(&server, &mut watch).await;
    until(|| client.stats().unchanged == 1).await;
    for _ in 0..8 {
        clock.advance(Duration::from_secs(61));
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(reads(&server), 2, "eight minutes without an event");
    server.set_value("web", "dev", "/", "HOST", "untold").unwrap();
    clock.advance(Duration::from_secs(113));
    assert_eq!(next(&mut watch).await.changed, ["HOST"]);
    assert_eq!(reads(&server), 3);
    let hold = server.hold(route::EVENTS_SUBSCRIBE);
    server.end_subscriptions();
    hold.waiting_for(1).await;
    server.set_value("web", "dev", "/", "HOST", "again").unwrap();
    clock.advance(Duration::from_secs(61));
    assert_eq!(next(&mut watch).await.changed, ["HOST"]);
    assert_eq!(connections(&server), 2, "there is no other connection yet");
}

#[tokio::test]
async fn a_token_that_ends_is_replaced_by_one_login_and_a_refused_login_is_not_repeated() {
    let server = seeded().start().await.unwrap();
    let build = |secret: &str| {
        let client_id = server.client_id("ci").unwrap();
        let builder = xtrasecurity::infisical::InfisicalClient::builder().universal_auth(client_id, secret);
        builder.project_id(server.project_id()).base_url(server.url()).no_proxy().clock(ManualClock::new().clock())
    };
    let logins = || server.request_count(route::AUTH_UNIVERSAL_LOGIN);
    let client = build(&server.client_secret("ci").unwrap()).build().unwrap();
    let mut watch = client.watch("dev");
    begun(&server, &mut watch).await;
    assert_eq!(logins(), 1);
    server.revoke_tokens("ci").unwrap();
    server.end_subscriptions();
    until(|| server.subscriptions() == 1).await;
    assert_eq!((logins(), connections(&server)), (2, 3));
    drop((watch, client));
    let wrong = build("wrong").build().unwrap();
    let mut watch = wrong.watch("dev");
    assert_eq!(watch.next().await.unwrap().unwrap_err().status(), Some(401));
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(logins(), 3, "the poll and the connection share it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_watch_of_the_blocking_client_is_told_too() {
    let server = seeded().start().await.unwrap();
    let client = blocking::InfisicalClient::builder()
        .token(server.token())
        .project_id(server.project_id())
        .base_url(server.url())
        .no_proxy()
        .clock(ManualClock::new().clock())
        .build()
        .unwrap();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let watch = client.watch("dev", move |item| tell.send(item.unwrap()).unwrap()).unwrap();
    assert_eq!(told.recv().await.unwrap().added, ["HOST"]);
    until(|| server.subscriptions() == 1 && reads(&server) == 2).await;
    server.set_value("web", "dev", "/", "HOST", "db.example").unwrap();
    server.send_to_subscriptions("event: secret:update\n\n");
    assert_eq!(told.recv().await.unwrap().changed, ["HOST"]);
    tokio::task::spawn_blocking(move || drop(watch)).await.unwrap();
    until(|| server.subscriptions() == 0).await;
}
