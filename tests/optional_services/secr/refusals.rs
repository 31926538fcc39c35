//! Refusals: their kinds, statuses and codes, and what nobody gets to see.

use std::time::Duration;

use xtrasecurity::secr::SecrClient;
use xtrasecurity::secr::dev::Fault;
use xtrasecurity::{ErrorKind, XtraError};

use crate::server::{Secr, TOKEN};

/// A client that tries once.
fn client(server: &Secr) -> SecrClient {
    server.builder().max_retries(0).build().unwrap()
}

/// The error that a read becomes when it is answered so.
async fn refused(server: &Secr, status: u16, body: &str) -> XtraError {
    server.answer(status, body);
    client(server).pull_secrets("acme", "web", "production").await.unwrap_err()
}

#[tokio::test]
async fn each_status_has_its_kind_and_the_code_that_the_service_tells() {
    let server = Secr::start().await;
    for (status, code, kind) in [
        (401, "unauthorized", ErrorKind::Unauthorized),
        (403, "forbidden", ErrorKind::Forbidden),
        (404, "not_found", ErrorKind::NotFound),
        (409, "conflict", ErrorKind::Conflict),
        (422, "validation_error", ErrorKind::Invalid),
        (400, "bad_request", ErrorKind::Invalid),
        (429, "rate_limited", ErrorKind::RateLimited),
        (500, "internal_error", ErrorKind::Server),
    ] {
        // no page shows an error body: each form that one may have is read
        for body in [
            format!(r#"{{"error":"{code}"}}"#),
            format!(r#"{{"error":"{code}","message":"plum-4711"}}"#),
            format!(r#"{{"error":{{"code":"{code}","message":"plum-4711"}}}}"#),
            format!(r#"{{"error":"plum-4711","code":"{code}"}}"#),
        ] {
            let error = refused(&server, status, &body).await;
            assert_eq!((error.kind(), error.status()), (kind, Some(status)), "{body}");
            assert_eq!(error.code(), Some(code), "{body}");
            assert!(!error.message().is_empty());
            assert!(!format!("{error} {error:?}").contains("plum"), "{error}");
        }
        for body in ["", "plum-4711", "<html>plum-4711</html>", "[]", r#"{"error":"plum-4711"}"#, r#"{"error":5}"#] {
            let error = refused(&server, status, body).await;
            assert_eq!((error.kind(), error.status(), error.code()), (kind, Some(status), None), "{body}");
            assert!(!format!("{error} {error:?}").contains("plum"), "{error}");
        }
    }
}

#[tokio::test]
async fn the_services_own_sentence_is_there_for_who_asks() {
    let server = Secr::start().await;
    let error = refused(&server, 404, r#"{"error":"not_found","message":"Environment not found"}"#).await;
    assert_eq!(error.server_message(), Some("Environment not found"));
    assert!(!error.to_string().contains("Environment not found"));
}

#[tokio::test]
async fn no_answer_has_no_status_and_a_timeout_has_the_sdks_code() {
    let server = Secr::start().await;
    let nobody = SecrClient::builder().token(TOKEN).api_url("http://127.0.0.1:9").no_proxy().max_retries(0);
    let nobody: SecrClient = nobody.build().unwrap();
    let error = nobody.pull_secrets("acme", "web", "production").await.unwrap_err();
    assert_eq!((error.kind(), error.status(), error.code()), (ErrorKind::Network, None, None));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let slow = server.builder().api_url(url).max_retries(0).call_timeout(Duration::from_millis(50));
    let slow = slow.build().unwrap();
    let error = slow.pull_secrets("acme", "web", "production").await.unwrap_err();
    assert_eq!((error.kind(), error.status(), error.code()), (ErrorKind::Timeout, None, Some("timeout")));
    drop(listener);
}

#[tokio::test]
async fn the_wait_that_the_service_asks_for_is_told() {
    let server = Secr::start().await;
    let limited = Fault::body(429, "application/json", r#"{"error":"rate_limited"}"#).header("retry-after", "90");
    server.0.fault(limited);
    let error = client(&server).pull_secrets("acme", "web", "production").await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(90)));
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_not_shown() {
    let server = Secr::start().await;
    let client = server.builder().token("secr_tok_canary").build().unwrap();
    let error = client.whoami().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unauthorized, Some("unauthorized")));
    assert!(!format!("{error:?} {client:?}").contains("canary"));
    let error = client.get_secrets("secr_tok_canary", "web", "production").await.unwrap_err();
    assert!(!error.to_string().contains("canary"), "{error}");
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_again() {
    let server = Secr::start().await;
    server.answer(503, "{}");
    let secrets = server.client().get_secrets("acme", "web", "production").await.unwrap();
    assert_eq!((secrets.len(), server.requests().len()), (3, 2));
}
