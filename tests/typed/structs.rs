//! Typed reads through the client.

use std::time::Duration;

use serde::Deserialize;
use xtrasecurity::dev_server::{DevServer, Form, RateLimits, SecretSeed, route};
use xtrasecurity::schemars::{self, JsonSchema};
use xtrasecurity::{
    Client, ErrorKind, SecretSource, SecretValue, XtraClient, XtraClientBuilder, XtraError,
    source::{Identity, KeyWriter, Loaded},
};

#[derive(Debug, Deserialize, JsonSchema)]
struct App {
    /// where the database is
    database_url: SecretValue,
    api_key: SecretValue,
    feature_new_ui: bool,
    timeout: Option<Duration>,
}

#[derive(Debug, Deserialize, JsonSchema, Default, PartialEq)]
#[serde(default)]
struct Optional {
    port: Option<u16>,
}

async fn server() -> DevServer {
    DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap()
}

fn builder(server: &DevServer) -> XtraClientBuilder {
    XtraClient::builder().dev_server(server)
}

#[tokio::test]
async fn settings_are_read_by_environment_and_branch_from_the_cache() {
    let server = server().await;
    let client = builder(&server).build().unwrap();
    let app: App = client.get_secrets_as("production").await.unwrap();
    assert!(!app.feature_new_ui && app.timeout.is_none());
    assert_eq!(app.api_key, "demo-production-key");
    assert_eq!(app.database_url, "postgres://app:production@db.example.test/app");
    client.get_secrets("production").await.unwrap();
    assert_eq!(client.get_secrets("production").typed::<App>().send().await.unwrap().api_key, app.api_key);
    assert_eq!(server.request_count(route::SECRETS_READ), 1, "typed and untyped reads share a snapshot");
    server.set_secret("demo", "production", "main", "TIMEOUT", "1m 30s").unwrap();
    let again = client.get_secrets_as::<App>("production").no_cache().await.unwrap();
    assert_eq!(again.timeout, Some(Duration::from_secs(90)));
    let error = client.get_secrets_as::<App>("production").branch("feature/new-ui").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.names()),
        (ErrorKind::MissingSecret, &["API_KEY".into(), "DATABASE_URL".into()][..])
    );
}

#[tokio::test]
async fn a_request_may_be_made_on_one_thread_and_awaited_on_another() {
    let client = XtraClient::in_memory([("PORT", "80")]).unwrap();
    let read = async move { client.get_secrets_as::<Optional>("production").await };
    assert_eq!(tokio::spawn(read).await.unwrap().unwrap().port, Some(80));
}

#[tokio::test]
async fn an_empty_scope_is_an_error_unless_it_is_allowed() {
    let server = server().await;
    let client = builder(&server).build().unwrap();
    let error = client.get_secrets_as::<Optional>("prodction").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EmptyScope);
    assert_eq!(client.get_secrets_as::<Optional>("prodction").allow_empty().await.unwrap(), Optional::default());
    let error = client.get_secrets_as::<App>("prodction").allow_empty().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingSecret);
}

#[tokio::test]
async fn names_that_feed_nothing_are_refused_on_request() {
    let client = XtraClient::in_memory([("PORT", "80"), ("PROT", "canary"), ("OTHER", "canary")]).unwrap();
    assert_eq!(client.get_secrets_as::<Optional>("any").await.unwrap().port, Some(80));
    let error = client.get_secrets_as::<Optional>("any").deny_unexpected().await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Invalid, &["OTHER".into(), "PROT".into()][..]));
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[tokio::test]
async fn a_setting_that_cannot_be_read_is_told_as_that_and_not_as_missing() {
    let server = server().await;
    let client = builder(&server).build().unwrap();
    server.add_secret("demo", SecretSeed::new("production", "API_KEY", "x").form(Form::Undecryptable)).unwrap();
    server.add_secret("demo", SecretSeed::new("production", "UNUSED", "x").form(Form::Undecryptable)).unwrap();
    let refused = client.get_secrets_as::<App>("production").await.unwrap_err();
    assert_eq!((refused.kind(), refused.names()), (ErrorKind::Undecryptable, &["API_KEY".into(), "UNUSED".into()][..]));
    let error = client.get_secrets_as::<App>("production").allow_unreadable().await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Invalid, &["API_KEY".into()][..]));
    assert!(error.to_string().contains("API_KEY cannot be read"), "{error}");

    let viewer = builder(&server).token(server.token_for("viewer").unwrap()).build().unwrap();
    let error = viewer.get_secrets_as::<App>("production").allow_unreadable().await.unwrap_err();
    assert!(error.to_string().contains("DATABASE_URL is masked"), "{error}");
    assert!(error.to_string().contains("(where the database is)"), "{error}");
    assert!(!error.to_string().contains("missing"), "{error}");
}

/// A source of one's own.
struct Shelf;

impl SecretSource for Shelf {
    type Scope<'a> = &'a str;
    type Owned = String;

    fn name(&self) -> &'static str {
        "shelf"
    }

    fn identity(&self) -> Identity {
        Identity::of("shelf")
    }

    fn write_key(&self, scope: &Self::Scope<'_>, key: &mut KeyWriter) {
        key.field(scope);
    }

    fn prepare(&self, scope: &Self::Scope<'_>) -> Result<String, XtraError> {
        Ok((*scope).to_owned())
    }

    async fn load(&self, scope: &String) -> Result<Loaded, XtraError> {
        Ok(Loaded::from_iter([("PORT", scope.as_str())]))
    }
}

#[tokio::test]
async fn every_source_can_be_read_as_a_type() {
    let client = Client::new_with_source(Shelf);
    assert_eq!(client.read("8080").typed::<Optional>().await.unwrap().port, Some(8080));
    let error = client.read("canary").typed::<Optional>().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[tokio::test]
async fn a_request_shows_its_options_only() {
    let client = XtraClient::in_memory([("PORT", "canary")]).unwrap();
    let request = client.get_secrets_as::<Optional>("any").deny_unexpected();
    assert!(!format!("{request:?}").contains("canary"));
}
