//! The same over HTTP, against the service in memory.

use std::time::Duration;

use xtrasecurity::dev_server::{DevServer, Fault, RateLimits, route};
use xtrasecurity::xtra::XtraScope;
use xtrasecurity::{ErrorKind, OfflineOptions, XtraClient, clock::ManualClock, snapshot::SnapshotSource};

use crate::watch::script::soon;
use crate::watch::{lists, names};

async fn world() -> (DevServer, XtraClient, ManualClock) {
    let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
    let clock = ManualClock::new();
    let client = XtraClient::builder().dev_server(&server).clock(clock.clock()).max_retries(0).build().unwrap();
    (server, client, clock)
}

const TTL: Duration = Duration::from_secs(30);

#[tokio::test]
async fn what_is_written_elsewhere_is_told_of_and_each_poll_is_one_request() {
    let (server, client, clock) = world().await;
    let mut watch = client.watch("production");
    let first = watch.next().await.unwrap().unwrap();
    assert!(first.concerns("DATABASE_URL"));
    server.set_secret("demo", "production", "main", "API_KEY", "rotated").unwrap();
    server.set_secret("demo", "production", "main", "NEW", "1").unwrap();
    assert!(server.remove_secret("demo", "production", "main", "DATABASE_URL").unwrap());
    clock.advance(TTL);
    assert_eq!(lists(&mut watch).await, [names(["NEW"]), names(["API_KEY"]), names(["DATABASE_URL"])]);
    assert_eq!(server.request_count(route::SECRETS_READ), 2);
}

#[tokio::test]
async fn an_outage_is_told_of_and_what_changed_meanwhile_comes_after_it() {
    let (server, client, clock) = world().await;
    let mut watch = client.watch("production");
    watch.next().await.unwrap().unwrap();
    server.fault(Fault::status(503).on(route::SECRETS_READ).times(2));
    server.set_secret("demo", "production", "main", "API_KEY", "rotated").unwrap();
    clock.advance(TTL);
    for _ in 0..2 {
        assert_eq!(watch.next().await.unwrap().unwrap_err().kind(), ErrorKind::Server);
        clock.advance(Duration::from_secs(3));
    }
    assert_eq!(lists(&mut watch).await, [vec![], names(["API_KEY"]), vec![]]);
}

#[tokio::test]
async fn a_renamed_branch_is_an_error_and_not_the_removal_of_everything() {
    let (server, client, clock) = world().await;
    let mut watch = client.watch(XtraScope::new("production").branch("feature/new-ui"));
    watch.next().await.unwrap().unwrap();
    server.rename_branch("demo", "feature/new-ui", "feature/newer-ui").unwrap();
    clock.advance(TTL);
    assert_eq!(watch.next().await.unwrap().unwrap_err().kind(), ErrorKind::EmptyScope);
    assert!(!watch.receiver().latest().unwrap().is_empty());
}

#[tokio::test]
async fn a_revoked_token_is_told_of_and_the_watch_is_still_there() {
    let (server, client, clock) = world().await;
    let mut watch = client.watch("production");
    watch.next().await.unwrap().unwrap();
    assert!(server.revoke_token(server.token()));
    clock.advance(TTL);
    for _ in 0..2 {
        assert_eq!(watch.next().await.unwrap().unwrap_err().kind(), ErrorKind::Unauthorized);
        clock.advance(Duration::from_secs(38));
    }
}

#[tokio::test]
async fn a_watch_that_begins_while_the_service_is_away_is_shown_the_copy_on_disk_and_then_what_is_true() {
    let (server, _, clock) = world().await;
    let dir = tempfile::tempdir().unwrap();
    let starts = || {
        let builder = XtraClient::builder().dev_server(&server).clock(clock.clock()).max_retries(0);
        builder.offline(OfflineOptions::new(dir.path().join("copies"))).build().unwrap()
    };
    starts().get_secrets("production").await.unwrap();
    server.fault(Fault::status(503).on(route::SECRETS_READ));
    let client = starts();
    let mut watch = client.watch("production");
    let change = soon(watch.next()).await.unwrap().unwrap();
    assert_eq!(change.snapshot.source(), SnapshotSource::Offline);
    assert_eq!(soon(watch.next()).await.unwrap().unwrap_err().kind(), ErrorKind::Server);
    server.set_secret("demo", "production", "main", "API_KEY", "rotated").unwrap();
    clock.advance(Duration::from_secs(2));
    assert_eq!(lists(&mut watch).await, [vec![], names(["API_KEY"]), vec![]]);
}
