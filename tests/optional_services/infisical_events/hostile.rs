//! What comes over the connection and is no event.

use xtrasecurity::infisical::InfisicalScope;
use xtrasecurity::infisical::dev::{Fault, route};

use crate::log;
use crate::server::{begun, connections, next, reads, seeded, still, until};

#[tokio::test]
async fn a_line_without_end_ends_the_connection_and_the_next_one_is_as_good() {
    log::listen();
    let server = seeded().start().await.unwrap();
    let client = still(&server);
    let mut watch = client.watch("dev");
    begun(&server, &mut watch).await;
    server.send_to_subscriptions(&"canary-line".repeat(100_000));
    until(|| server.subscriptions() == 0).await;
    until(|| server.subscriptions() == 1).await;
    server.set_value("web", "dev", "/", "HOST", "db.example").unwrap();
    server.send_to_subscriptions("event: secret:update\n\n");
    assert_eq!(next(&mut watch).await.changed, ["HOST"]);
    assert_eq!(connections(&server), 2);
    let logged = log::logged().join("\n");
    assert!(logged.contains("too_large") && !logged.contains("canary"), "{logged}");
}

#[tokio::test]
async fn what_is_no_event_of_a_secret_is_no_read_and_shown_nowhere() {
    log::listen();
    let server = seeded().start().await.unwrap();
    let client = still(&server);
    let mut watch = client.watch("dev");
    begun(&server, &mut watch).await;
    // begun later, it waits longer for its next read
    let mut other = client.watch(InfisicalScope::new("dev").path("/app"));
    next(&mut other).await;
    until(|| server.subscriptions() == 2 && reads(&server) == 4).await;
    for garbage in [
        "event: ping\n\n",
        ": canary\n\n",
        "canary\n\n",
        "\n\n\n",
        "\u{0}\u{feff}event: secret:update\n\n",
        "data: {\"data\":\n\n",
        "data: canary\n\n",
        "data: {\"data\":{\"eventType\":\"canary:update\"}}\n\n",
        "event: error\ndata: {\"message\":\"canary\"}\n\n",
        "event: secret:update\ndata: {\"data\":{\"eventType\":\"ping\"}}\n\n",
        "retry: 0\nid: canary\n\n",
    ] {
        server.send_to_subscriptions(garbage);
    }
    server.send_to_subscriptions(&format!("data: {}\n\n", "[".repeat(100_000)));
    server.set_value("web", "dev", "/app", "PORT", "9090").unwrap();
    let place = r#"{"environment":"dev","secretPath":"/app"}"#;
    server.send_to_subscriptions(&format!("event: secret:update\ndata: {{\"data\":{{\"payload\":[{place}]}}}}\n\n"));
    assert_eq!(next(&mut other).await.changed, ["PORT"]);
    assert_eq!((reads(&server), connections(&server)), (5, 2), "a read of the one and none of the other");
    server.set_value("web", "dev", "/", "HOST", "db.example").unwrap();
    server.send_to_subscriptions("event: secret:update\ndata: {\"data\":7}\n\n");
    assert_eq!(next(&mut watch).await.changed, ["HOST"]);
    assert!(!log::logged().join("\n").contains("canary"));
}

#[tokio::test]
async fn an_answer_that_is_no_stream_is_no_connection() {
    let server = seeded().start().await.unwrap();
    server.fault(Fault::body(200, "text/html", "<p>event: secret:update</p>").on(route::EVENTS_SUBSCRIBE).forever());
    let client = still(&server);
    let mut watch = client.watch("dev");
    next(&mut watch).await;
    until(|| connections(&server) == 1).await;
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!((connections(&server), reads(&server)), (1, 1));
}
