//! What every client has, with Infisical behind it: typed reads, injection, watches, copies on disk, references and the rest.

use std::process::Command;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use xtrasecurity::clock::ManualClock;
use xtrasecurity::infisical::{InfisicalClient, InfisicalScope};
use xtrasecurity::snapshot::SnapshotSource;
use xtrasecurity::{ErrorKind, OfflineOptions, SecretValue, SecretsProvider, UseError, blocking};

use crate::server::{Model, PROJECT};

#[tokio::test]
async fn a_snapshot_is_served_for_a_minute_and_not_at_all_without_a_cache() {
    let server = Model::new(true).start().await;
    let clock = ManualClock::new();
    let client = server.builder().token("a-token").clock(clock.clock()).build().unwrap();
    client.get_secrets("dev").await.unwrap();
    clock.advance(Duration::from_secs(50));
    client.get_secrets("dev").await.unwrap();
    assert_eq!(server.seen().len(), 1);
    let client = server.builder().token("a-token").cache_ttl(None).build().unwrap();
    client.get_secrets("dev").await.unwrap();
    client.get_secrets("dev").await.unwrap();
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn secrets_become_a_type_of_ones_own() {
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Settings {
        port: u16,
        password: SecretValue,
    }
    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code, reason = "never filled in")]
    struct Wrong {
        host: u16,
        user: String,
    }
    let server = Model::new(true).start().await;
    let client = server.client();
    let settings: Settings = client.get_secrets_as("dev").path("/").await.unwrap();
    assert_eq!((settings.port, settings.password.expose()), (8080, "plum-4711"));
    let error = client.get_secrets_as::<Wrong>("dev").await.unwrap_err();
    assert!(error.to_string().contains("HOST") && error.to_string().contains("USER"), "{error}");
}

#[tokio::test]
async fn secrets_go_into_a_child_without_the_client_s_own_credentials_and_into_this_process_only_when_that_is_sound() {
    let server = Model::new(true).start().await;
    let client = server.client();
    let mut child = Command::new("true");
    let secrets = client.get_secrets("dev").await.unwrap();
    assert_eq!(secrets.apply_to(&mut child).unwrap().set(), ["HOST", "PASSWORD", "PORT"]);
    let removed = |name: &str| child.get_envs().any(|(known, value)| known == name && value.is_none());
    assert!(removed("INFISICAL_TOKEN") && removed("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET") && removed("XTRA_TOKEN"));
    let refused = client.inject_secrets("dev").await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::UnsoundInjection, "the test runner has threads");
}

#[tokio::test]
async fn a_watch_tells_what_has_changed_and_asks_without_fetching_what_has_not() {
    let model = Model::new(true);
    let server = model.start().await;
    let clock = ManualClock::new();
    let client = server.builder().token("a-token").clock(clock.clock()).build().unwrap();
    let mut watch = client.watch("dev");
    let first = watch.next().await.unwrap().unwrap();
    assert_eq!(first.added, ["HOST", "PASSWORD", "PORT"]);
    client.refresh("dev").await.unwrap();
    model.lock().secrets.insert("PASSWORD".to_owned(), "plum-4712".to_owned());
    client.refresh("dev").await.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap().changed, ["PASSWORD"]);
    assert_eq!(client.stats().unchanged, 1);
}

#[tokio::test]
async fn a_copy_on_disk_stands_in_when_the_server_is_gone_and_opens_with_the_client_secret() {
    let directory = tempfile::tempdir().unwrap();
    let server = Model::new(true).start().await;
    let build = |secret: &str| {
        let options = OfflineOptions::new(directory.path().join("copies"));
        let builder = server.builder().universal_auth("client-id", secret).max_retries(0).offline(options);
        builder.build().unwrap()
    };
    assert_eq!(build("client-secret").get_secrets("dev").await.unwrap().source(), SnapshotSource::Service);
    let (same, other) = (build("client-secret"), build("another"));
    drop(server);
    let secrets = same.get_secrets("dev").await.unwrap();
    assert_eq!(secrets.source(), SnapshotSource::Offline);
    assert_eq!(secrets.require("HOST").unwrap().expose(), "db.internal");
    assert_eq!(other.get_secrets("dev").await.unwrap_err().kind(), ErrorKind::Network);
}

#[tokio::test]
async fn a_secret_that_is_refused_where_it_is_used_is_fetched_anew_once() {
    let model = Model::new(true);
    let server = model.start().await;
    let clock = ManualClock::new();
    let client = server.builder().token("a-token").environment("dev").clock(clock.clock()).build().unwrap();
    client.get_secrets("dev").await.unwrap();
    model.lock().secrets.insert("PASSWORD".to_owned(), "plum-4712".to_owned());
    clock.advance(Duration::from_secs(10));
    let used = client.with_secret("PASSWORD", |password| async move {
        match password.expose() {
            "plum-4712" => Ok("in"),
            _ => Err(UseError::Refused(std::io::Error::other("wrong password"))),
        }
    });
    assert_eq!(used.await.unwrap(), "in");
}

#[tokio::test]
async fn a_probe_at_start_up_reads_and_requires() {
    let server = Model::new(true).start().await;
    let client = server.client();
    let ready = client.preload(["dev"]).path("/").required(["PORT"]).deadline(Duration::from_secs(5)).await.unwrap();
    assert_eq!(ready.get("dev").map(|secrets| secrets.len()), Some(3));
    assert!(client.preload(["dev"]).required(["NOPE"]).await.is_err());
}

#[tokio::test]
async fn a_handle_of_a_folder_reads_it_again_and_again() {
    let server = Model::new(true).start().await;
    let client = server.client();
    let mut handle = client.scope(InfisicalScope::new("dev").project_id(PROJECT));
    for _ in 0..10 {
        assert_eq!(handle.get().await.unwrap().len(), 3);
    }
    assert_eq!((server.seen().len(), client.stats().hits), (1, 9));
}

#[tokio::test]
async fn texts_refer_to_secrets_by_project_environment_and_folder() {
    let server = Model::new(true).start().await;
    let client = server.client();
    assert_eq!(client.resolve("infisical:///dev/PORT").await.unwrap().expose(), "8080");
    let text = client.render("{{ infisical:///dev/HOST?path=/ }}:{{infisical:///dev/PORT}}").await.unwrap();
    assert_eq!(text.expose(), "db.internal:8080");
    let error = client.resolve("infisical:///dev/PORT?path=/../x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
}

#[tokio::test]
async fn secrets_feed_figment_and_config() {
    #[derive(Debug, Deserialize)]
    struct Settings {
        port: u16,
    }
    let server = Model::new(true).start().await;
    let client = server.client();
    let secrets = client.get_secrets("dev").await.unwrap();
    let settings: Settings = figment::Figment::from(SecretsProvider::new(&secrets).guess_types()).extract().unwrap();
    assert_eq!(settings.port, 8080);
    let provider = SecretsProvider::of_client(&client, "dev");
    let builder = config::ConfigBuilder::<config::builder::AsyncState>::default().add_async_source(provider);
    assert_eq!(builder.build().await.unwrap().get::<u16>("port").unwrap(), 8080);
}

#[test]
fn the_blocking_client_has_the_same_calls_and_needs_no_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(Model::new(false).start());
    let client = server.builder().universal_auth("client-id", "client-secret").build().unwrap();
    assert_eq!(client.get_secret("dev", "PORT").wait().unwrap().expose(), "8080");
    let client: blocking::InfisicalClient = client.into();
    assert_eq!(client.get_secrets("dev").path("/").send().unwrap().len(), 3);
    assert_eq!(client.list_secrets("dev").send().unwrap().len(), 3);
    let used = client.with_secret("PORT", |port| Ok::<_, UseError<std::io::Error>>(port.expose().to_owned()));
    assert_eq!(used.environment("dev").send().unwrap(), "8080");
    assert_eq!(server.logins(), 1);
}

#[tokio::test]
async fn a_client_in_memory_has_the_same_calls() {
    let client = InfisicalClient::in_memory([("PORT", "8080")]).unwrap();
    assert_eq!(client.get_secrets("anything").path("/x").recursive().await.unwrap().len(), 1);
    assert_eq!(client.get_secret("dev", "PORT").await.unwrap().expose(), "8080");
    assert_eq!(client.get_secret("dev", "NOPE").await.unwrap_err().kind(), ErrorKind::MissingSecret);
}

#[tokio::test]
async fn nothing_of_a_value_token_or_address_is_printed() {
    let model = Model::new(true);
    let server = model.start().await;
    let client = server.builder().universal_auth("client-id", "client-secret").build().unwrap();
    let secrets = client.get_secrets("dev").await.unwrap();
    let repeated = crate::server::Reply::refusal(403, "client-secret", "plum-4711 /api/v4/secrets?projectId=x token-1");
    model.lock().faults.push(repeated);
    let error = client.get_secrets("dev").no_cache().await.unwrap_err();
    let shown = format!(
        "{client:?} {:?} {secrets:?} {error:?} {error} {:?}",
        server.builder().token("token-1"),
        client.get_secrets("dev")
    );
    for hidden in ["client-secret", "plum-4711", "127.0.0.1", "token-1", "/api/v4", PROJECT] {
        assert!(!shown.contains(hidden), "{hidden}: {shown}");
    }
}
