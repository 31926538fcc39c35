//! What an error says of a write that was sent: never that nothing was done when something may have been.

use xtrasecurity::dev_server::{Fault, route};
use xtrasecurity::{ErrorKind, XtraError};

use crate::writes::{builder, client, server, stored};

fn is_open(error: &XtraError, keys: &[&str]) {
    assert!(error.may_have_been_applied() && !error.is_retryable(), "{error:?}");
    assert_eq!(error.names(), keys, "{error:?}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_leaves_open_whether_the_write_was_applied() {
    let server = server().await;
    let client = builder(&server).max_retries(0).build().unwrap();
    for body in ["<html>welcome</html>", "", "null", "[]", r#"{"success":true,"count":"1"}"#] {
        server.fault(Fault::body(200, "text/html", body).on(route::SECRETS_UPSERT));
        let error = client.set_secret("staging", "A", "1").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
        is_open(&error, &["A"]);
    }
    server.fault(Fault::body(200, "text/html", "<html>").on(route::BRANCHES_CREATE));
    assert!(client.create_branch("new").await.unwrap_err().may_have_been_applied());
}

#[tokio::test]
async fn an_answer_over_the_cap_leaves_it_open_too() {
    let server = server().await;
    let client = builder(&server).max_response_bytes(4_000).build().unwrap();
    server.fault(Fault::body(200, "application/json", " ".repeat(5_000)).on(route::SECRETS_UPSERT));
    let error = client.set_secret("staging", "A", "1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    is_open(&error, &["A"]);
}

#[tokio::test]
async fn a_look_after_the_write_that_fails_does_not_say_that_nothing_was_written() {
    let server = server().await;
    let client = client(&server);
    let second_read_fails = || {
        server.fault(Fault::headers([]).on(route::SECRETS_READ));
        server.fault(Fault::status(403).on(route::SECRETS_READ));
    };
    second_read_fails();
    is_open(&client.set_secret("staging", "A", "1").verify().await.unwrap_err(), &["A"]);
    second_read_fails();
    is_open(&client.create_secret("staging", "B", "1").await.unwrap_err(), &["B"]);
    second_read_fails();
    server.fault(Fault::body(200, "application/json", r#"{"success":true,"count":0}"#).on(route::SECRETS_UPSERT));
    is_open(&client.set_secret("staging", "C", "1").await.unwrap_err(), &["C"]);
    assert_eq!([stored(&server, "A"), stored(&server, "B")].map(Option::unwrap), ["1", "1"]);
}

#[tokio::test]
async fn a_refusal_half_way_does_not_say_that_nothing_was_written() {
    let server = server().await;
    let secrets = (0..201).map(|n| (format!("KEY_{n:03}"), "v"));
    server.fault(Fault::headers([]).on(route::SECRETS_UPSERT));
    server.fault(Fault::status(403).on(route::SECRETS_UPSERT));
    let error = client(&server).set_secrets("staging", secrets).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    is_open(&error, &["KEY_200"]);
    assert_eq!(stored(&server, "KEY_000").as_deref(), Some("v"));
}

#[tokio::test]
async fn a_refusal_of_the_first_request_says_that_nothing_was_written() {
    let server = server().await;
    server.fault(Fault::status(403).on(route::SECRETS_UPSERT));
    let error = client(&server).set_secrets("staging", [("A", "1"), ("B", "2")]).await.unwrap_err();
    assert!(!error.may_have_been_applied());
    assert_eq!(error.names(), ["A", "B"]);
}

#[tokio::test]
async fn what_is_no_number_in_a_version_s_place_is_shown_escaped_or_not_at_all() {
    let server = server().await;
    let client = client(&server);
    let long = "canary".repeat(20);
    for version in ["\\u001b[31mred", &long] {
        let body = format!(r#"{{"A":{{"value":"1","version":"{version}","isReference":false,"source":"local"}}}}"#);
        server.fault(Fault::body(200, "application/json", body).times(2).on(route::SECRETS_READ));
        for error in [
            client.create_secret("staging", "A", "2").exact().await.unwrap_err(),
            client.set_secret("staging", "A", "2").exact().expect_version(1).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Conflict);
            let text = error.to_string();
            assert!(!text.contains('\u{1b}') && !text.contains("canary"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_raw_write_whose_answer_cannot_be_read_may_have_been_applied_and_a_raw_read_has_changed_nothing() {
    let server = server().await;
    let client = client(&server);
    let page = || Fault::body(200, "text/html", "<p>a proxy</p>");
    server.fault(page().on(route::BRANCHES_CREATE));
    let create = client.raw().branches_create().body_map(|body| body.name("b").project_id(server.project_id()));
    let error = create.send().await.unwrap_err().into_error();
    assert!(error.may_have_been_applied() && !error.is_retryable(), "{error:?}");
    server.fault(page().on(route::BRANCHES_LIST));
    let list = client.raw().branches_list().project_id(server.project_id());
    assert!(!list.send().await.unwrap_err().into_error().may_have_been_applied());
    server.fault(Fault::status(503).on(route::BRANCHES_CREATE));
    let create = client.raw().branches_create().body_map(|body| body.name("b").project_id(server.project_id()));
    let error = create.send().await.unwrap_err();
    assert!(!error.is_retryable() && error.into_error().may_have_been_applied());
}
