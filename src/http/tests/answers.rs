//! The request as it is sent, and the answer as it comes back.

use std::sync::Arc;

use reqwest::Method;

use super::server::{Act, Server, answer};
use super::{Numbered, fails, quick, send, transport_by, transport_to, transport_with};
use crate::core::{ErrorKind, XtraError};
use crate::http::Protocol;
use crate::http::server_error::from_response;

struct Rooted;

impl Protocol for Rooted {
    fn base_url_suffix(&self) -> &'static str {
        "/api"
    }

    fn removed_headers(&self) -> &'static [&'static str] {
        &["api-version"]
    }
}

#[tokio::test]
async fn a_request_carries_the_token_once_and_no_other_trace_of_the_caller() {
    let server = Server::start(vec![answer(200, "", "{}")]).await;
    let transport = transport_by(Rooted, &server.root(), Numbered::with_renewals(0), quick());
    let url = format!("{}/canary-path?q=canary-query", transport.base_url());
    let request = transport.http().get(url).header("api-version", "1.0.0").build().expect("a good request");
    transport.run(request, "things_do").await.expect("an answer");
    let request = server.requests().remove(0).to_ascii_lowercase();
    assert!(request.starts_with("get /api/canary-path?q=canary-query http/1.1\r\n"), "{request}");
    let mut names: Vec<&str> =
        request.lines().skip(1).filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "authorization", "host", "user-agent"]);
    assert!(request.contains("\r\nauthorization: bearer token-0\r\n"));
    assert!(request.contains(concat!("\r\nuser-agent: xtrasecurity-rust/", env!("CARGO_PKG_VERSION"), "\r\n")));
}

#[tokio::test]
async fn an_answer_of_any_status_comes_back_whole() {
    for status in [200, 201, 204, 400, 404, 409, 500] {
        let body = if status == 204 { "" } else { "the body" };
        let server = Server::start(vec![answer(status, "x-values-masked: true\r\n", body)]).await;
        let response = send(&transport_to(&server.root(), quick()), Method::GET).await.expect("an answer");
        assert_eq!((response.status(), response.body()), (status, body.as_bytes()));
        assert_eq!(response.header("x-values-masked"), Some("true"));
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn chunks_are_put_together() {
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n4\r\n two\r\n0\r\n\r\n";
    let server = Server::start(vec![Act::Answer(chunked.to_vec())]).await;
    let response = send(&transport_to(&server.root(), quick()), Method::GET).await.expect("an answer");
    assert_eq!(response.body(), b"one two");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_target_not_told() {
    let elsewhere = Server::start(vec![answer(200, "", "canary")]).await;
    let location = format!("location: {}/canary\r\n", elsewhere.root());
    for status in [301, 302, 303, 307, 308] {
        let server = Server::start(vec![answer(status, &location, "/api/canary")]).await;
        let transport = transport_by(Rooted, &server.root(), Numbered::with_renewals(0), quick());
        let response = send(&transport, Method::POST).await.expect("an answer");
        let error = from_response(&response, "things_do");
        crate::http::tests::holds_no_data(&error);
        assert_eq!((error.kind(), error.status()), (ErrorKind::Redirected, Some(status)));
        assert!(error.to_string().contains("/api"), "{error}");
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn an_error_page_that_repeats_the_token_shows_nothing_of_it_and_comes_back_whole() {
    let body = r#"{"error":"Bad header Bearer token-0"}"#;
    let server = Server::start(vec![answer(400, "", body)]).await;
    let response = send(&transport_to(&server.root(), quick()), Method::GET).await.expect("an answer");
    assert_eq!(response.body(), body.as_bytes());
    let error = from_response(&response, "things_do");
    crate::http::tests::holds_no_data(&error);
    assert_eq!(error.server_message(), Some("Bad header Bearer token-0"));
}

#[tokio::test]
async fn a_refusal_of_16_mib_is_known_by_its_beginning_and_not_waited_for() {
    let huge = format!("HTTP/1.1 500 Any\r\ncontent-length: {}\r\n\r\n<html>{}", 1_u64 << 40, "x".repeat(128 * 1024));
    let server = Server::start(vec![Act::Answer(huge.into_bytes())]).await;
    let response = send(&transport_to(&server.root(), quick()), Method::POST).await.expect("an answer");
    assert_eq!((response.status(), response.body().len()), (500, 64 * 1024));
    assert!(from_response(&response, "things_do").may_have_been_applied());
}

#[tokio::test]
async fn a_token_that_cannot_be_had_is_the_error_and_nothing_is_sent() {
    use crate::core::Identity;
    use crate::http::{CredentialProvider, TokenFuture};
    struct Empty;
    impl CredentialProvider for Empty {
        fn identity(&self) -> Identity {
            Identity::of("empty")
        }
        fn token(&self) -> TokenFuture<'_> {
            Box::pin(async { Err(XtraError::new(ErrorKind::Credentials, "the vault is locked")) })
        }
    }
    let server = Server::start(vec![answer(200, "", "{}")]).await;
    let error = fails(&transport_with(&server.root(), Arc::new(Empty), quick()), Method::GET).await;
    assert_eq!(
        (error.kind(), error.to_string().as_str(), error.attempts()),
        (ErrorKind::Credentials, "things_do: the vault is locked", 0)
    );
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_transport_for_https_sends_nothing_over_http() {
    let server = Server::start(vec![answer(200, "", "{}")]).await;
    let transport = transport_to("https://127.0.0.1:1/api", quick());
    let request = transport.http().get(format!("{}/canary", server.root())).build().expect("a good request");
    let error = transport.run(request, "things_do").await.expect_err("not https");
    crate::http::tests::holds_no_data(&error);
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(server.requests().is_empty());
}
