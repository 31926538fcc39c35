//! Values and histories that are stored anew under the same versions: what goes by versions goes on.

use serde_json::{Value, json};
use xtrasecurity::dev_server::{DevServer, route};
use xtrasecurity::xtra::raw::types::{SecretRecordRotation, SecretRecordsRotate};
use xtrasecurity::xtra::write::Written;
use xtrasecurity::{ErrorKind, XtraClient};

use crate::manage::{client, client_of, refused, service};

const KEY: &str = "API_KEY";

/// The id of the row of the key.
async fn row(server: &DevServer) -> String {
    let owner = client(server);
    let request = owner.raw().secrets_get().project_id(server.project_id()).env("staging").key(KEY);
    request.send().await.unwrap().into_inner().id
}

/// Writes another value, and a history, in the place of what is there.
async fn rewrite(server: &DevServer, value: Option<&str>, history: Option<Value>) {
    let update = json!({"id": row(server).await, "value": value.map(|value| [value]), "history": history});
    let update: SecretRecordRotation = serde_json::from_value(update).unwrap();
    let body = SecretRecordsRotate { project_id: server.project_id().to_owned(), updates: vec![update] };
    let answer = client(server).raw().secret_records_rotate().body(body).send().await.unwrap().into_inner();
    assert_eq!((answer.success, answer.count), (Some(true), Some(1)));
}

/// A server whose secret has the versions 1, 2 and 3, and a client of its owner.
async fn with_versions() -> (DevServer, XtraClient) {
    let server = service().await;
    server.remove_secret("demo", "staging", "main", KEY).unwrap();
    for value in ["one", "two", "three"] {
        server.set_secret("demo", "staging", "main", KEY, value).unwrap();
    }
    let client = client(&server);
    (server, client)
}

#[tokio::test]
async fn a_value_that_is_encrypted_anew_keeps_its_version_and_what_expects_it_is_written() {
    let (server, client) = with_versions().await;
    let seen = client.get_secrets("staging").await.unwrap();
    // the same value, as whoever changes the passphrase stores it
    rewrite(&server, Some("three"), None).await;
    let again = client.get_secrets("staging").no_cache().await.unwrap();
    assert_eq!(again.require(KEY).unwrap().expose(), "three");
    assert_eq!(server.secret_version("demo", "staging", "main", KEY).as_deref(), Some("3"));
    let written = client.set_secret("staging", KEY, "four").expect_version(3).await.unwrap();
    assert_eq!(written, Written::Updated);
    let report = client.set_secrets("staging", [(KEY, "five")]).if_unchanged(&seen).await;
    refused(report, ErrorKind::Conflict, &[]);
    server.stop().await;
}

#[tokio::test]
async fn another_value_under_the_same_version_is_read_and_is_not_unchanged() {
    let (server, client) = with_versions().await;
    let seen = client.get_secrets("staging").await.unwrap();
    rewrite(&server, Some("other"), None).await;
    let report = client.set_secrets("staging", [(KEY, "four")]).if_unchanged(&seen).await;
    refused(report, ErrorKind::Conflict, &[KEY]);
    let again = client.get_secrets("staging").no_cache().await.unwrap();
    assert_eq!(again.require(KEY).unwrap().expose(), "other");
    assert_ne!(seen.require(KEY).unwrap(), again.require(KEY).unwrap());
    server.stop().await;
}

#[tokio::test]
async fn a_history_that_was_overwritten_is_read_in_order_and_lost_versions_cannot_be_gone_back_to() {
    let (server, client) = with_versions().await;
    let history = json!([{"version": "1", "value": ["one"]}, {"version": "3", "value": ["three"]}]);
    rewrite(&server, None, Some(history)).await;
    let past = client.secret_history("staging", KEY).await.unwrap();
    let versions: Vec<&str> = past.entries.iter().map(|version| version.version.as_str()).collect();
    assert_eq!(versions, ["3", "1"], "the newest first");
    refused(client.rollback_secret("staging", KEY, "2").await, ErrorKind::NotFound, &["2"]);
    client.rollback_secret("staging", KEY, "1").await.unwrap();
    assert_eq!(server.secret("demo", "staging", "main", KEY).as_deref(), Some("one"));
    assert_eq!(server.secret_version("demo", "staging", "main", KEY).as_deref(), Some("4"));
    server.stop().await;
}

#[tokio::test]
async fn a_history_of_any_form_breaks_no_read_of_it() {
    let (server, client) = with_versions().await;
    for history in [
        json!([]),
        json!([{}]),
        json!([{"version": "3"}, {"note": "no version"}]),
        json!([{"version": "x", "value": "plain"}, {"version": "3", "value": ["three"]}, {"version": "3", "value": []}]),
        json!([{"version": "99999999999999999999999", "value": ["far"]}]),
    ] {
        rewrite(&server, None, Some(history.clone())).await;
        let past = client.secret_history("staging", KEY).await;
        assert!(past.is_ok(), "{history}: {:?}", past.err());
        let listed = client.list_secret_names("staging").await.unwrap();
        assert_eq!(listed.iter().find(|key| key.name == KEY).unwrap().version, "3");
    }
    client.set_secret("staging", KEY, "four").await.unwrap();
    assert_eq!(server.secret_version("demo", "staging", "main", KEY).as_deref(), Some("4"));
    server.stop().await;
}

#[tokio::test]
async fn a_service_account_rewrites_nothing() {
    let (server, _) = with_versions().await;
    let body = SecretRecordsRotate { project_id: server.project_id().to_owned(), updates: Vec::new() };
    let account = client_of(&server, "deploy");
    let error = account.raw().secret_records_rotate().body(body).send().await.unwrap_err().into_error();
    assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Forbidden, false));
    assert_eq!(server.request_count(route::SECRETS_BY_ID_ROTATE), 1);
    server.stop().await;
}
