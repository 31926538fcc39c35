//! Races between requests that the dev server serves side by side: one comes between another's look at the database and its write.

use crate::support;

use std::time::Duration;

use crate::support::{Answer, read};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use xtrasecurity::dev_server::{DevServer, DevServerBuilder, ProjectSeed, RateLimits, Tier, UserSeed, route};

fn builder() -> DevServerBuilder {
    let project = ProjectSeed::new("web").branch("next").secret("production", "API_KEY", "one");
    DevServer::builder()
        .user(UserSeed::new("owner").tier(Tier::Enterprise))
        .project(project)
        .rate_limits(RateLimits::off())
}

async fn start() -> DevServer {
    builder().start().await.unwrap()
}

const SECRETS: &str = "/projects/{P}/envs/production/secrets";
const API_KEY: &str = "/projects/{P}/envs/production/secrets/API_KEY";

/// One call as the project's owner.
async fn call(server: &DevServer, what: &str, body: Value) -> Answer {
    support::call(server, server.token(), what, body).await
}

async fn upsert(server: &DevServer, key: &str, value: &str) -> Answer {
    call(server, &format!("POST {SECRETS}"), json!({"secrets": {key: value}})).await
}

async fn create(server: &DevServer, key: &str, value: &str) -> Answer {
    let body = json!({"key": key, "value": value, "projectId": server.project_id(), "environmentType": "production"});
    call(server, "POST /secret", body).await
}

fn rows(server: &DevServer, key: &str) -> usize {
    server.secret_rows("web", "production", "main", key)
}

/// How many of 40 pairs of first writes that are sent at once make two rows.
async fn doubled(server: &DevServer) -> usize {
    let mut doubled = 0;
    for pair in 0..40 {
        let key = format!("KEY_{pair}");
        let (one, other) = tokio::join!(upsert(server, &key, "one"), upsert(server, &key, "other"));
        assert_eq!((one.status, other.status), (200, 200));
        doubled += usize::from(rows(server, &key) == 2);
    }
    doubled
}

#[tokio::test]
async fn first_writes_at_once_make_two_rows_when_a_database_call_takes_time() {
    for latency in [Duration::from_millis(3), Duration::ZERO] {
        let server = builder().database_latency(latency).start().await.unwrap();
        let doubled = doubled(&server).await;
        println!("{doubled} of 40 pairs made two rows, {latency:?} a call");
        assert!(doubled >= if latency.is_zero() { 1 } else { 20 }, "{doubled} of 40, {latency:?}");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_latency_a_handler_is_not_interrupted() {
    let server = start().await;
    assert_eq!(doubled(&server).await, 0);
    server.stop().await;
}

#[tokio::test]
async fn writes_one_after_the_other_never_make_two_rows() {
    for latency in [Duration::ZERO, Duration::from_millis(1)] {
        let server = builder().database_latency(latency).start().await.unwrap();
        for pair in 0..10 {
            let key = format!("KEY_{pair}");
            for value in ["one", "other"] {
                assert_eq!(upsert(&server, &key, value).await.status, 200);
            }
            assert_eq!(rows(&server, &key), 1);
            assert_eq!(server.secret("web", "production", "main", &key).as_deref(), Some("other"));
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn held_first_writes_make_two_rows_every_time() {
    let server = start().await;
    for round in 0..10 {
        let key = format!("KEY_{round}");
        let hold = server.hold_writes(route::SECRETS_UPSERT);
        let released = async {
            hold.waiting_for(2).await;
            assert_eq!(rows(&server, &key), 0);
            hold.release();
        };
        let (one, other, ()) = tokio::join!(upsert(&server, &key, "one"), upsert(&server, &key, "other"), released);
        assert_eq!((one.status, other.status, rows(&server, &key)), (200, 200, 2));
    }
    server.stop().await;
}

#[tokio::test]
async fn of_two_rows_writes_change_the_first_and_reads_see_the_last() {
    let server = start().await;
    assert_eq!(create(&server, "API_KEY", "two").await.status, 201);
    assert_eq!(rows(&server, "API_KEY"), 2);
    assert_eq!(read(&server, "").await.json()["API_KEY"], "two");
    assert_eq!(upsert(&server, "API_KEY", "three").await.json()["count"], 1);
    let versions = read(&server, "?includeVersions=true").await.json();
    assert_eq!((&versions["API_KEY"]["value"], &versions["API_KEY"]["version"]), (&json!("two"), &json!("1")));
    // A conditional write is compared with the first row: what a read gives for its version conflicts.
    let stale = json!({"secrets": {"API_KEY": "four"}, "expectedVersions": {"API_KEY": "1"}});
    let conflict = call(&server, &format!("POST {SECRETS}"), stale).await;
    assert_eq!((conflict.status, &conflict.json()["conflicts"][0]["actual"]), (409, &json!("2")));
    // Deleting takes one row, the first: the value that reads gave all along stays.
    assert_eq!(call(&server, &format!("DELETE {API_KEY}"), Value::Null).await.status, 200);
    assert_eq!((rows(&server, "API_KEY"), &read(&server, "").await.json()["API_KEY"]), (1, &json!("two")));
    server.stop().await;
}

#[tokio::test]
async fn conditional_writes_that_both_looked_are_both_applied() {
    let server = start().await;
    let hold = server.hold_writes(route::SECRETS_UPSERT);
    let target = format!("POST {SECRETS}");
    let body = |value| json!({"secrets": {"API_KEY": value}, "expectedVersions": {"API_KEY": "1"}});
    let released = async {
        hold.waiting_for(2).await;
        hold.release();
    };
    let (one, other, ()) =
        tokio::join!(call(&server, &target, body("two")), call(&server, &target, body("three")), released);
    assert_eq!((one.status, other.status), (200, 200));
    // Each of them wrote version 2 and the history as it saw it.
    assert_eq!(server.secret_version("web", "production", "main", "API_KEY").as_deref(), Some("2"));
    let history = call(&server, &format!("GET {API_KEY}/history"), Value::Null).await.json();
    assert_eq!(history["history"].as_array().unwrap().len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn branches_that_are_created_at_once_may_have_one_name() {
    let server = start().await;
    let hold = server.hold_writes(route::BRANCHES_CREATE);
    let body = json!({"name": "hotfix", "projectId": server.project_id()});
    let released = async {
        hold.waiting_for(2).await;
        hold.release();
    };
    let (one, other, ()) = tokio::join!(
        call(&server, "POST /branch", body.clone()),
        call(&server, "POST /branch", body.clone()),
        released
    );
    assert_eq!((one.status, other.status), (201, 201));
    assert_ne!(one.json()["id"], other.json()["id"]);
    server.stop().await;
}

#[tokio::test]
async fn a_row_that_goes_between_look_and_write_fails_the_write_as_the_service_does() {
    let server = start().await;
    let id = call(&server, &format!("GET {API_KEY}"), Value::Null).await.json()["id"].as_str().unwrap().to_owned();
    let requests = [
        (route::SECRETS_BY_ID_UPDATE, format!("PUT /secret?id={id}"), json!({"value": "two"}), 500),
        (route::SECRETS_BY_ID_DELETE, format!("DELETE /secret?id={id}"), Value::Null, 500),
        (route::SECRET_DELETE, format!("DELETE {API_KEY}"), Value::Null, 500),
        // A bulk write swallows it: the count is all that tells.
        (route::SECRETS_UPSERT, format!("POST {SECRETS}"), json!({"secrets": {"API_KEY": "two"}}), 200),
    ];
    let held: Vec<_> = requests.iter().map(|(route, ..)| server.hold_writes(*route)).collect();
    let deleted = async {
        for hold in &held {
            hold.waiting_for(1).await;
        }
        assert!(server.remove_secret("web", "production", "main", "API_KEY").unwrap());
    };
    let sent = requests.iter().map(|(_, target, body, _)| support::request(&server, server.token(), target, body));
    let port = server.port();
    let sent: Vec<_> = sent.map(|call| tokio::spawn(async move { call.send(port).await })).collect();
    deleted.await;
    drop(held);
    for (answer, (_, target, _, status)) in sent.into_iter().zip(&requests) {
        let answer = answer.await.unwrap().unwrap();
        assert_eq!(answer.status, *status, "{target}");
        if *status == 200 {
            assert_eq!(answer.json()["count"], 0);
        }
    }
    assert_eq!(rows(&server, "API_KEY"), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_write_whose_client_goes_away_is_written_all_the_same() {
    let server = start().await;
    let hold = server.hold_writes(route::SECRETS_UPSERT);
    let body = json!({"secrets": {"LATE": "written"}});
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    stream
        .write_all(&support::request(&server, server.token(), &format!("POST {SECRETS}"), &body).bytes())
        .await
        .unwrap();
    hold.waiting_for(1).await;
    drop(stream);
    // Another request, so that the server has seen the connection go.
    read(&server, "").await;
    assert_eq!(hold.waiting(), 1);
    hold.release();
    while rows(&server, "LATE") == 0 {
        tokio::task::yield_now().await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_ends_the_writes_that_are_held() {
    let server = start().await;
    let hold = server.hold_writes(route::SECRETS_UPSERT);
    let what = format!("POST {SECRETS}");
    let call = support::request(&server, server.token(), &what, &json!({"secrets": {"NEVER": "written"}}));
    let port = server.port();
    let sent = tokio::spawn(async move { call.send(port).await });
    hold.waiting_for(1).await;
    server.stop().await;
    assert!(sent.await.unwrap().is_err());
    while hold.waiting() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_write_of_several_steps_is_in_the_file_when_it_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let server = builder().persist(&path).database_latency(Duration::from_millis(1)).start().await.unwrap();
    let token = server.token().to_owned();
    assert_eq!(upsert(&server, "KEPT", "yes").await.status, 200);
    drop(server);
    let again = DevServer::builder().persist(&path).start().await.unwrap();
    assert_eq!(again.secret("web", "production", "main", "KEPT").as_deref(), Some("yes"));
    assert_eq!(again.token(), token);
    again.stop().await;
}
