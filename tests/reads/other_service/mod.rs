//! A service that is not one of the crate's: what a downstream crate adds in one file has everything that the built-in ones have.

mod server;
mod service;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use xtrasecurity::credentials::ProcessEnv;
use xtrasecurity::http::Transport;
use xtrasecurity::{
    EngineOptions, ErrorKind, OfflineKey, OfflineOptions, XtraError, blocking, clock::ManualClock, schemars,
    snapshot::SnapshotSource,
};

use server::{KEY, Larder, QUOTA};
use service::{LarderCalls, LarderClient, OPERATIONS};

const SHELF: &str = "winter";

fn client_with(server: &Larder, options: EngineOptions) -> LarderClient {
    let env = ProcessEnv::of_variables([("LARDER_KEY", KEY), ("LARDER_ROOT", server.root())]);
    service::Larder::client(&env, options).unwrap()
}

fn client(server: &Larder) -> LarderClient {
    client_with(server, EngineOptions::default())
}

fn gets(server: &Larder) -> usize {
    server.requests().iter().filter(|request| request.starts_with("GET /pantry/v2/shelves")).count()
}

#[tokio::test]
async fn a_shelf_is_read_once_and_then_served_from_memory() {
    let server = Larder::start().await;
    let client = client(&server);
    let first = client.read(SHELF.into()).await.unwrap();
    let second = client.read(SHELF.into()).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(first.require("PASSWORD").unwrap().expose(), "plum-4711");
    assert_eq!(gets(&server), 1);
}

#[tokio::test]
async fn callers_at_the_same_time_share_one_request() {
    let server = Larder::start().await;
    let client = client(&server);
    let reads = (0..16).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.read(SHELF.into()).await.map(|secrets| secrets.len()) })
    });
    for read in reads.collect::<Vec<_>>() {
        assert_eq!(read.await.unwrap().unwrap(), 3);
    }
    assert_eq!(gets(&server), 1);
}

#[tokio::test]
async fn secrets_become_a_type_of_ones_own_with_one_error_for_all_that_is_wrong() {
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Settings {
        port: u16,
        host: String,
    }
    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code, reason = "never filled in")]
    struct Wrong {
        host: u16,
        user: String,
    }
    let server = Larder::start().await;
    let client = client(&server);
    let settings: Settings = client.read(SHELF.into()).typed().await.unwrap();
    assert_eq!((settings.port, settings.host.as_str()), (8080, "db.internal"));
    let error = client.read(SHELF.into()).typed::<Wrong>().await.unwrap_err();
    assert!(error.to_string().contains("HOST") && error.to_string().contains("USER"), "{error}");
}

#[tokio::test]
async fn a_watch_tells_what_has_changed_on_the_shelf() {
    let server = Larder::start().await;
    let clock = ManualClock::new();
    let mut options = EngineOptions::default();
    options.clock = clock.clock();
    let client = client_with(&server, options);
    let mut watch = client.watch(SHELF);
    let first = watch.next().await.unwrap().unwrap();
    assert_eq!(first.added, ["HOST", "PASSWORD", "PORT"]);
    server.fill("PASSWORD", "plum-4712");
    client.refresh(SHELF).await.unwrap();
    let change = watch.next().await.unwrap().unwrap();
    assert_eq!(change.changed, ["PASSWORD"]);
}

#[tokio::test]
async fn a_copy_on_disk_stands_in_when_the_service_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let offline = || {
        let mut options = EngineOptions::default();
        let key = OfflineKey::new("a key of this test's own, long enough to be one").unwrap();
        options.offline = Some(OfflineOptions::new(directory.path().join("copies")).key(key));
        options
    };
    let server = Larder::start().await;
    let env = ProcessEnv::of_variables([("LARDER_KEY", KEY), ("LARDER_ROOT", server.root())]);
    let client = service::Larder::client(&env, offline()).unwrap();
    assert_eq!(client.read(SHELF.into()).await.unwrap().source(), SnapshotSource::Service);
    drop(client);
    drop(server);
    let client = service::Larder::client(&env, offline()).unwrap();
    let secrets = client.read(SHELF.into()).await.unwrap();
    assert_eq!(secrets.source(), SnapshotSource::Offline);
    assert_eq!(secrets.require("HOST").unwrap().expose(), "db.internal");
}

#[test]
fn the_blocking_client_has_the_same_calls_and_needs_no_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(Larder::start());
    let client = client(&server);
    assert_eq!(client.keyholder().wait().unwrap(), "cook");
    let client: LarderClient<blocking::Blocking> = client.into();
    assert_eq!(client.fill_jar(SHELF, "PORT", "8081").send().unwrap(), 7);
    assert_eq!(client.read(SHELF.into()).send().unwrap().require("PORT").unwrap().expose(), "8081");
}

#[tokio::test]
async fn a_write_is_seen_by_the_next_read() {
    let server = Larder::start().await;
    let client = client(&server);
    client.read(SHELF.into()).await.unwrap();
    assert_eq!(client.fill_jar(SHELF, "SALT & PEPPER/2", "s").await.unwrap(), 7);
    assert!(server.requests().last().unwrap().ends_with("/jars/SALT%20%26%20PEPPER%2F2"));
    assert!(client.read(SHELF.into()).await.unwrap().len() > 3);
}

#[tokio::test]
async fn secrets_go_into_a_childs_environment_and_into_this_process_only_when_that_is_sound() {
    let server = Larder::start().await;
    let client = client(&server);
    let mut child = Command::new("true");
    let secrets = client.read(SHELF.into()).await.unwrap();
    assert_eq!(secrets.apply_to(&mut child).unwrap().set(), ["HOST", "PASSWORD", "PORT"]);
    let refused = client.read(SHELF.into()).inject().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::UnsoundInjection, "the test runner has threads");
}

#[tokio::test]
async fn a_refusal_has_its_documented_code_and_sentence_and_nothing_else_of_the_body() {
    let server = Larder::start().await;
    let client = client(&server);
    let error = client.read("attic".into()).await.unwrap_err();
    assert_eq!((error.kind(), error.status(), error.code()), (ErrorKind::NotFound, Some(404), Some("no-such-shelf")));
    server.fault(404, json!({ "fault": "plum-4711", "text": "plum-4711" }));
    let error = client.read("cellar".into()).await.unwrap_err();
    assert_eq!(error.code(), None);
    assert!(!format!("{error} {error:?}").contains("plum"), "{error}");
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_again_and_a_refusal_is_not() {
    let server = Larder::start().await;
    let client = client(&server);
    server.fault(503, json!({}));
    assert_eq!(client.read(SHELF.into()).await.unwrap().len(), 3);
    assert_eq!(server.requests().len(), 2);
    server.fault(403, json!({ "fault": "no-such-route" }));
    assert_eq!(client.refresh(SHELF).await.unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn the_quota_is_read_from_the_services_own_headers_and_its_waits_from_its_own_bodies() {
    let server = Larder::start().await;
    let client = client(&server);
    client.read(SHELF.into()).await.unwrap();
    assert_eq!(client.source().quota(SHELF), Some(QUOTA - 1));
    assert_eq!(client.source().quota("attic"), None);
    let deadline = Duration::from_millis(1500);
    let client = service::Larder::over(&server_transport(&server).call_timeout(deadline).build(server.root()).unwrap());
    server.fault(429, json!({ "fault": "come-back-later", "again_in": 90 }));
    let error = client.read(SHELF.into()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(90))));
}

#[tokio::test]
async fn a_refused_key_is_renewed_once() {
    let server = Larder::start().await;
    server.change_keys(&["larder-key-2"]);
    let provider = Arc::new(service::TwoKeys(Arc::new(AtomicBool::new(false))));
    let transport = Transport::builder(service::protocol()).credentials(provider).build(server.root()).unwrap();
    assert_eq!(service::Larder::over(&transport).keyholder().await.unwrap(), "cook");
    assert_eq!(server.requests().len(), 2);
    server.change_keys(&[]);
    let error = service::Larder::over(&transport).keyholder().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unauthorized, Some("bad-key")));
}

fn server_transport(server: &Larder) -> xtrasecurity::http::TransportBuilder {
    let _ = server;
    Transport::builder(service::protocol())
        .credentials(Arc::new(xtrasecurity::credentials::StaticToken::new(KEY).unwrap()))
}

#[test]
fn what_is_missing_is_named_by_the_services_own_variable() {
    let env = ProcessEnv::of_variables([("XTRA_TOKEN", "another service's")]);
    let error = service::Larder::client(&env, EngineOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(error.to_string().contains("LARDER_KEY"), "{error}");
    assert!(!error.to_string().contains("XTRA"), "{error}");
    let env = ProcessEnv::of_variables([("LARDER_KEY", KEY), ("LARDER_ROOT", "https://larder.example/api")]);
    let error = service::Larder::client(&env, EngineOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("/pantry/v2"), "{error}");
}

#[tokio::test]
async fn nothing_of_a_value_or_key_is_printed() {
    let server = Larder::start().await;
    let client = client(&server);
    let secrets = client.read(SHELF.into()).await.unwrap();
    server.fault(500, json!({ "fault": KEY, "text": format!("{KEY} plum-4711") }));
    let error: XtraError = client.read("attic".into()).await.unwrap_err();
    let shown = format!("{client:?} {secrets:?} {error:?} {error} {:?}", client.read(SHELF.into()));
    for hidden in [KEY, "plum-4711", "127.0.0.1"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

#[test]
fn every_operation_is_the_documents() {
    let document: Value = serde_json::from_str(include_str!("larder.json")).unwrap();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), OPERATIONS.len());
    for (operation, method, path) in OPERATIONS {
        assert_eq!(paths[path][method]["operationId"], operation);
    }
}
