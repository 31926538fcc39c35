//! What every client has, over this service: types, injection, watches, copies on disk, bounds, and calls that wait.

use std::process::Command;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use xtrasecurity::clock::ManualClock;
use xtrasecurity::snapshot::SnapshotSource;
use xtrasecurity::syvault::SyVaultClient;
use xtrasecurity::{CacheOptions, EngineOptions, ErrorKind, OfflineKey, OfflineOptions, blocking};

use crate::server::{CLIENT, SECRET, SyVault, UID};

#[tokio::test]
async fn the_fields_of_a_secret_become_a_type_of_ones_own() {
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Database {
        host: String,
        port: Option<u16>,
    }
    let server = SyVault::start().await;
    let database: Database = server.client().get(UID).typed().await.unwrap();
    assert_eq!((database.host.as_str(), database.port), ("db.example.com", None));
}

#[tokio::test]
async fn fields_go_into_a_childs_environment_without_the_clients_own_credentials() {
    let server = SyVault::start().await;
    let client = server.client();
    let mut child = Command::new("true");
    child.env("SY_CLIENT_SECRET", SECRET);
    let secrets = client.get(UID).await.unwrap();
    assert_eq!(secrets.apply_to(&mut child).unwrap().set(), ["host", "password"]);
    assert!(child.get_envs().any(|(name, value)| name == "SY_CLIENT_SECRET" && value.is_none()));
    assert_eq!(client.get(UID).inject().await.unwrap_err().kind(), ErrorKind::UnsoundInjection);
}

#[tokio::test]
async fn a_watch_tells_which_field_has_changed() {
    let server = SyVault::start().await;
    let clock = ManualClock::new();
    let client = server.client_with(EngineOptions::default().clock(clock.clock()));
    let mut watch = client.watch(UID);
    assert_eq!(watch.next().await.unwrap().unwrap().added, ["host", "password"]);
    server.put(UID, "Database", &[("host", "db.example.com"), ("password", "n3w!")]);
    client.refresh(UID).await.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap().changed, ["password"]);
}

#[tokio::test]
async fn a_copy_on_disk_opens_with_the_same_private_key_in_whatever_form_it_is_given() {
    let directory = tempfile::tempdir().unwrap();
    // no key of its own: it is made from the private key
    let options = || EngineOptions::default().offline(OfflineOptions::new(directory.path().join("copies")));
    let server = SyVault::start().await;
    let url = server.url();
    let client = server.client_with(options());
    assert_eq!(client.get(UID).await.unwrap().source(), SnapshotSource::Service);
    let other_form = "MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCCOmxCecZCYv5gEh98fXXfpyylgbr7SJjtfV8IT34T0sg==";
    let builder = || SyVaultClient::builder().server(&url).client_id(CLIENT).no_proxy().max_retries(0);
    drop((client, server));
    let client = builder().client_secret(other_form).engine_options(options()).build().unwrap();
    let secrets = client.get(UID).await.unwrap();
    assert_eq!(secrets.source(), SnapshotSource::Offline);
    assert_eq!(secrets.require("password").unwrap().expose(), "s3cret!");
    let other_key = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
    let client: SyVaultClient = builder().client_secret(other_key).engine_options(options()).build().unwrap();
    assert!(client.get(UID).await.is_err());
}

#[tokio::test]
async fn a_copy_on_disk_has_a_key_of_its_own_when_that_is_given() {
    let directory = tempfile::tempdir().unwrap();
    let key = OfflineKey::new("a key of this test's own, long enough to be one").unwrap();
    let options = OfflineOptions::new(directory.path().join("copies")).key(key);
    let server = SyVault::start().await;
    let client = server.client_with(EngineOptions::default().offline(options));
    assert!(client.get(UID).await.is_ok());
}

#[tokio::test]
async fn a_secret_is_kept_for_a_minute_and_as_many_as_are_asked_for() {
    let server = SyVault::start().await;
    let clock = ManualClock::new();
    let cache = CacheOptions::default().stale_while_revalidate(Duration::ZERO).jitter(0.0);
    let options = EngineOptions::default().cache(cache).clock(clock.clock());
    let client =
        server.builder().engine_options(options).cache_ttl(Duration::from_secs(60)).cache_max(2).build().unwrap();
    client.get(UID).await.unwrap();
    clock.advance(Duration::from_secs(59));
    client.get(UID).await.unwrap();
    assert_eq!(server.requests().len(), 1);
    clock.advance(Duration::from_secs(2));
    client.get(UID).await.unwrap();
    assert_eq!(server.requests().len(), 2);
    for uid in ["SecondOne012", "ThirdOne0123"] {
        server.put(uid, uid, &[("a", "b")]);
        client.get(uid).await.unwrap();
    }
    client.get(UID).await.unwrap();
    assert_eq!(server.requests().len(), 5, "the first had to go");
    let uncached = server.builder().cache_ttl(Duration::ZERO).build().unwrap();
    for _ in 0..2 {
        uncached.get(UID).await.unwrap();
    }
    assert_eq!(server.requests().len(), 7);
    client.close();
}

#[test]
fn the_blocking_client_has_the_same_calls_and_needs_no_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(SyVault::start());
    let client: blocking::SyVaultClient = server.client().into();
    assert_eq!(client.get(UID).send().unwrap().require("host").unwrap().expose(), "db.example.com");
    assert_eq!(client.notation("sy://Production/Database/field/password").send().unwrap().expose(), "s3cret!");
    assert_eq!(client.list().send().unwrap().len(), 1);
    assert_eq!(client.rotate(UID).send().unwrap().status, "completed");
    let built = blocking::SyVaultClient::builder().server(server.url()).client_id("other").client_secret(SECRET);
    assert_eq!(built.build().unwrap().get(UID).send().unwrap_err().kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn callers_at_the_same_time_share_one_request_and_one_list() {
    let server = SyVault::start().await;
    let client = server.client();
    let reads = (0..16).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.notation("sy://Production/Database/field/password").await })
    });
    for read in reads.collect::<Vec<_>>() {
        assert_eq!(read.await.unwrap().unwrap().expose(), "s3cret!");
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_client_in_memory_reads_what_it_was_given_and_sends_nothing() {
    let client = SyVaultClient::in_memory([("host", "db")]).unwrap();
    let secret = client.get("any").await.unwrap();
    assert_eq!((secret.require("host").unwrap().expose(), secret.source()), ("db", SnapshotSource::Memory));
    for error in [client.list().await.map(drop), client.rotate("any").await.map(drop)] {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Credentials);
    }
}
