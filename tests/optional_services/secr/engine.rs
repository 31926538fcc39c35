//! What every client has, over this service: types, injection, watches, copies on disk, and calls that wait.

use std::process::Command;

use schemars::JsonSchema;
use serde::Deserialize;
use xtrasecurity::clock::ManualClock;
use xtrasecurity::secr::{SecrClient, SecrScope};
use xtrasecurity::snapshot::SnapshotSource;
use xtrasecurity::{EngineOptions, ErrorKind, OfflineKey, OfflineOptions, blocking};

use crate::server::Secr;

const SCOPE: (&str, &str, &str) = ("acme", "web", "production");

#[tokio::test]
async fn secrets_become_a_type_of_ones_own() {
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Settings {
        port: u16,
        db_host: String,
    }
    let server = Secr::start().await;
    let client = server.client();
    let settings: Settings = client.get_secrets("acme", "web", "production").typed().await.unwrap();
    assert_eq!((settings.port, settings.db_host.as_str()), (8080, "db.internal"));
    let error = client.get_secrets("acme", "web", "staging").typed::<Settings>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EmptyScope);
    assert!(error.to_string().starts_with("get_secrets(\"acme\", \"web\", \"staging\"): "), "{error}");
}

#[tokio::test]
async fn secrets_go_into_a_childs_environment_without_the_clients_own_credentials() {
    let server = Secr::start().await;
    let client = server.client();
    let mut child = Command::new("true");
    child.env("SECR_TOKEN", "t");
    let secrets = client.get_secrets("acme", "web", "production").await.unwrap();
    assert_eq!(secrets.apply_to(&mut child).unwrap().set(), ["DB_HOST", "DB_PASSWORD", "PORT"]);
    assert!(child.get_envs().any(|(name, value)| name == "SECR_TOKEN" && value.is_none()));
    let refused = client.get_secrets("acme", "web", "production").inject().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::UnsoundInjection, "the test runner has threads");
}

#[tokio::test]
async fn a_watch_tells_what_has_changed() {
    let server = Secr::start().await;
    let clock = ManualClock::new();
    let client = server.client_with(EngineOptions::default().clock(clock.clock()));
    let mut watch = client.watch(SCOPE);
    assert_eq!(watch.next().await.unwrap().unwrap().added, ["DB_HOST", "DB_PASSWORD", "PORT"]);
    server.set("DB_PASSWORD", "plum-4712");
    client.refresh(SCOPE).await.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap().changed, ["DB_PASSWORD"]);
}

#[tokio::test]
async fn a_copy_on_disk_stands_in_when_the_service_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let options = || {
        let key = OfflineKey::new("a key of this test's own, long enough to be one").unwrap();
        EngineOptions::default().offline(OfflineOptions::new(directory.path().join("copies")).key(key))
    };
    let server = Secr::start().await;
    let url = server.url();
    let client = server.client_with(options());
    let source = client.get_secrets("acme", "web", "production").await.unwrap().source();
    assert_eq!(source, SnapshotSource::Service);
    let builder = server.builder().api_url(url).max_retries(0).engine_options(options());
    drop((client, server));
    let client = builder.build().unwrap();
    let secrets = client.get_secrets("acme", "web", "production").await.unwrap();
    assert_eq!(secrets.source(), SnapshotSource::Offline);
    assert_eq!(secrets.require("DB_HOST").unwrap().expose(), "db.internal");
}

#[test]
fn the_blocking_client_has_the_same_calls_and_needs_no_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(Secr::start());
    let client: blocking::SecrClient = server.client().into();
    assert_eq!(client.whoami().send().unwrap().email.as_deref(), Some("ann@example.com"));
    assert_eq!(client.set_secret("acme", "web", "production", "PORT", "1").send().unwrap().version, 2);
    let secrets = client.get_secrets("acme", "web", "production").send().unwrap();
    assert_eq!(secrets.require("PORT").unwrap().expose(), "1");
    assert_eq!(client.pull_secrets("acme", "web", "production").limit(1).send().unwrap().secrets.len(), 1);
    let built = blocking::SecrClient::builder().token("secr_tok_1").api_url(server.url()).build();
    assert_eq!(built.unwrap().whoami().send().unwrap_err().kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn organisations_projects_and_environments_are_told_apart_in_the_cache() {
    let server = Secr::start().await;
    let client = server.client();
    for scope in [("acme", "web", "production"), ("acme", "web", "staging"), ("acmew", "eb", "production")] {
        let _ = client.read(SecrScope::from(scope)).await;
    }
    assert_eq!(server.requests().len(), 3);
    client.close();
}

#[tokio::test]
async fn a_refusal_of_the_service_drops_what_is_kept() {
    let server = Secr::start().await;
    let clock = ManualClock::new();
    let client = server.client_with(EngineOptions::default().clock(clock.clock()));
    client.get_secrets("acme", "web", "production").await.unwrap();
    server.answer(403, r#"{"error":"forbidden"}"#);
    assert_eq!(client.refresh(SCOPE).await.unwrap_err().kind(), ErrorKind::Forbidden);
    server.answer(503, "{}");
    let secrets = client.get_secrets("acme", "web", "production").await.unwrap();
    assert_eq!((secrets.len(), server.requests().len()), (3, 4));
}

#[tokio::test]
async fn a_client_in_memory_reads_what_it_was_given_and_sends_nothing() {
    let client = SecrClient::in_memory([("PORT", "8080")]).unwrap();
    let secrets = client.get_secrets("o", "p", "any").await.unwrap();
    assert_eq!((secrets.require("PORT").unwrap().expose(), secrets.source()), ("8080", SnapshotSource::Memory));
    let error = client.set_secret("o", "p", "any", "A", "1").await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Credentials, 0));
}
