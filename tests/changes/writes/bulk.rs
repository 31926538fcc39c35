//! Many secrets at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use xtrasecurity::dev_server::{Fault, SecretSeed, route};
use xtrasecurity::{ErrorKind, SecretValue};

use crate::writes::{arrived, client, server, stored, version};

#[tokio::test]
async fn maps_and_pairs_are_written_with_one_request_and_told_apart_in_the_report() {
    let server = server().await;
    let client = client(&server);
    let map = BTreeMap::from([("A", "1"), ("B", "2")]);
    let report = client.set_secrets("staging", map).verify().await.unwrap();
    assert_eq!((report.created, report.updated), (vec!["A".to_owned(), "B".to_owned()], vec![]));
    let pairs = vec![("C".to_owned(), SecretValue::from("3")), ("B".to_owned(), SecretValue::from(""))];
    let report = client.set_secrets("staging", pairs).verify().await.unwrap();
    assert_eq!(report.written().collect::<Vec<_>>(), ["C", "B"]);
    assert_eq!(server.request_count(route::SECRETS_UPSERT), 2);
    let read = client.get_secrets("staging").await.unwrap();
    assert_eq!(["A", "B", "C"].map(|key| read.require(key).unwrap().expose()), ["1", "", "3"]);
}

#[tokio::test]
async fn nothing_is_sent_when_a_single_secret_cannot_be_written() {
    let server = server().await;
    let client = client(&server);
    let twice = [("GOOD", "1"), ("branch", "main"), ("a b", "2"), ("MASK", "***"), ("GOOD", "2")];
    let error = client.set_secrets("staging", twice).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.names(), ["branch", "a b", "MASK", "GOOD"]);
    assert_eq!(server.total_requests(), 0);
    client.set_secrets("staging", [("a b", "2"), ("weird/key %", "3")]).allow_any_name().verify().await.unwrap();
    assert_eq!(stored(&server, "weird/key %").as_deref(), Some("3"));
}

#[tokio::test]
async fn a_short_count_is_an_error_that_names_what_was_not_written() {
    let server = server().await;
    let client = client(&server);
    server.set_secret("demo", "staging", "main", "A", "same").unwrap();
    // The service says that one of three was written; A is as it should be.
    server.fault(Fault::body(200, "application/json", r#"{"success":true,"count":1}"#).on(route::SECRETS_UPSERT));
    let error = client.set_secrets("staging", [("A", "same"), ("B", "2"), ("C", "3")]).await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Incomplete, &["B", "C"].map(str::to_owned)[..]));
    assert!(error.to_string().contains("1 of 3"), "{error}");
}

#[tokio::test]
async fn a_short_count_after_which_everything_is_there_is_a_success() {
    let server = server().await;
    let client = client(&server);
    server.set_secret("demo", "staging", "main", "A", "same").unwrap();
    server.fault(Fault::body(200, "application/json", r#"{"success":true}"#).on(route::SECRETS_UPSERT));
    client.set_secret("staging", "A", "same").await.unwrap();
}

#[tokio::test]
async fn many_secrets_go_out_in_portions_and_progress_is_told_after_each() {
    let server = server().await;
    let client = client(&server);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&seen);
    let secrets = (0..450).map(|n| (format!("KEY_{n:03}"), "v"));
    let request = client.set_secrets("staging", secrets);
    request.on_progress(move |progress| tell.lock().unwrap().push((progress.written, progress.total))).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [(0, 450), (200, 450), (400, 450), (450, 450)]);
    assert_eq!(server.request_count(route::SECRETS_UPSERT), 3);
}

#[tokio::test]
async fn large_values_go_out_in_portions_of_a_mebibyte() {
    let server = server().await;
    let client = client(&server);
    let large = "x".repeat(600 << 10);
    let secrets = [("A", large.as_str()), ("B", &large), ("C", "small"), ("D", "small")];
    client.set_secrets("staging", secrets).verify().await.unwrap();
    assert_eq!(server.request_count(route::SECRETS_UPSERT), 2);
}

#[tokio::test]
async fn a_failure_in_the_middle_names_what_is_left_and_the_same_call_again_writes_only_that() {
    let server = server().await;
    let client = client(&server);
    let secrets = || (0..450).map(|n| (format!("KEY_{n:03}"), "v"));
    let second_fails = tokio::spawn({
        let hold = server.hold(route::SECRETS_UPSERT);
        async move {
            arrived(&hold, 1).await;
            hold.release();
        }
    });
    server.fault(Fault::headers([]).on(route::SECRETS_UPSERT)); // the first passes
    server.fault(Fault::status(503).on(route::SECRETS_UPSERT));
    let error = client.set_secrets("staging", secrets()).await.unwrap_err();
    second_fails.await.unwrap();
    assert!(error.may_have_been_applied());
    assert_eq!(error.names().len(), 250);
    assert_eq!(error.names()[0], "KEY_200");
    assert!(error.to_string().contains("200 of 450"), "{error}");
    let report = client.set_secrets("staging", secrets()).skip_unchanged().await.unwrap();
    assert_eq!((report.unchanged.len(), report.created.len()), (200, 250));
    assert_eq!(version(&server, "KEY_000").as_deref(), Some("1"));
    assert_eq!(version(&server, "KEY_449").as_deref(), Some("1"));
}

#[tokio::test]
async fn unchanged_secrets_are_skipped_when_asked_and_get_a_new_version_otherwise() {
    let server = server().await;
    let client = client(&server);
    client.set_secrets("staging", [("A", "1"), ("B", "1")]).await.unwrap();
    let report = client.set_secrets("staging", [("A", "1"), ("B", "2")]).skip_unchanged().await.unwrap();
    assert_eq!((report.unchanged, report.updated), (vec!["A".to_owned()], vec!["B".to_owned()]));
    assert_eq!((version(&server, "A").as_deref(), version(&server, "B").as_deref()), (Some("1"), Some("2")));
    client.set_secrets("staging", [("A", "1")]).await.unwrap();
    assert_eq!(version(&server, "A").as_deref(), Some("2"));
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_tells_what_would_be() {
    let server = server().await;
    let client = client(&server);
    client.set_secret("staging", "A", "1").await.unwrap();
    let report = client.set_secrets("staging", [("A", "1"), ("B", "2")]).skip_unchanged().dry_run().await.unwrap();
    assert_eq!((report.unchanged, report.created), (vec!["A".to_owned()], vec!["B".to_owned()]));
    assert_eq!(stored(&server, "B"), None);
    assert_eq!(server.request_count(route::SECRETS_UPSERT), 1);
}

#[tokio::test]
async fn nothing_to_write_is_a_success_that_sends_no_write() {
    let server = server().await;
    let report = client(&server).set_secrets("staging", [("", ""); 0]).await.unwrap();
    assert_eq!(report.written().count(), 0);
    assert_eq!(server.request_count(route::SECRETS_UPSERT), 0);
}

#[tokio::test]
async fn verification_notices_a_write_that_another_row_hides() {
    let server = server().await;
    let client = client(&server);
    server.set_secret("demo", "staging", "main", "SHADOWED", "old").unwrap();
    server.add_secret("demo", SecretSeed::new("staging", "SHADOWED", "orphan").without_branch()).unwrap();
    let error = client.set_secret("staging", "SHADOWED", "new").verify().await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Conflict, &["SHADOWED".to_owned()][..]));
}
