//! Retries: the requests that are sent again, and those that are not.

use std::time::{Duration, Instant};

use reqwest::Method;

use super::server::{Act, Server, answer};
use super::{Numbered, fails, quick, send, transport_by, transport_to, transport_with};
use crate::core::{ErrorKind, ManualClock};
use crate::http::server_error::from_response;
use crate::http::{Counters, ErrorBody, ErrorMembers, Protocol, TransportOptions};

async fn attempts(method: Method, first: Act) -> u32 {
    let server = Server::start(vec![first, answer(200, "", "{}")]).await;
    let response = send(&transport_to(&server.root(), quick()), method).await.expect("an answer");
    assert_eq!(server.requests().len() as u32, response.attempts());
    response.attempts()
}

#[tokio::test]
async fn reads_outlive_passing_failures_and_writes_are_not_sent_twice() {
    for status in [502, 503, 504] {
        assert_eq!(attempts(Method::GET, answer(status, "", "")).await, 2, "{status}");
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert_eq!(attempts(method, answer(status, "", "")).await, 1, "{status}");
        }
    }
    for method in [Method::GET, Method::POST, Method::DELETE] {
        assert_eq!(attempts(method, answer(429, "", r#"{"error":"Too Many Requests"}"#)).await, 2);
    }
    for status in [400, 401, 403, 404, 405, 409, 410, 500] {
        assert_eq!(attempts(Method::GET, answer(status, "", "")).await, 1, "{status}");
    }
}

#[tokio::test]
async fn a_repeated_write_is_sent_whole() {
    let server = Server::start(vec![answer(429, "", ""), answer(200, "", "{}")]).await;
    send(&transport_to(&server.root(), quick()), Method::POST).await.expect("an answer");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0], requests[1]);
    assert!(requests[0].ends_with("\r\n\r\ncanary-request-body"));
}

#[tokio::test]
async fn an_operation_on_the_list_is_sent_once_whatever_happens() {
    struct Once;
    impl Protocol for Once {
        fn never_retried(&self) -> &'static [&'static str] {
            &["things_do"]
        }
    }
    let transport = |root: &str| transport_by(Once, root, Numbered::with_renewals(0), quick());
    for act in [answer(429, "", ""), answer(503, "", "")] {
        let server = Server::start(vec![act, answer(200, "", "{}")]).await;
        let response = send(&transport(&server.root()), Method::GET).await.expect("an answer");
        assert_eq!((response.attempts(), server.requests().len()), (1, 1));
    }
    let server = Server::start(vec![Act::Hang, answer(200, "", "{}")]).await;
    let error = fails(&transport(&server.root()), Method::GET).await;
    assert_eq!((error.attempts(), server.requests().len()), (1, 1));
}

#[tokio::test]
async fn the_last_answer_is_returned_when_the_retries_are_used_up() {
    let server = Server::start((0..5).map(|_| answer(503, "", "")).collect()).await;
    let transport = transport_to(&server.root(), quick());
    let response = send(&transport, Method::GET).await.expect("an answer");
    assert_eq!((response.status(), response.attempts()), (503, 4));
    let error = from_response(&response, "things_do");
    assert_eq!((error.kind(), error.attempts(), error.is_retryable()), (ErrorKind::Server, 4, true));
    assert_eq!(transport.counters(), Counters { requests: 4, retries: 3, ..Counters::default() });
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_a_call() {
    let server = Server::start((0..4).map(|_| answer(401, "", "")).collect()).await;
    let transport = transport_with(&server.root(), Numbered::with_renewals(9), quick());
    let response = send(&transport, Method::GET).await.expect("an answer");
    assert_eq!((response.status(), response.attempts()), (401, 2));
    let requests = server.requests();
    assert!(requests[0].contains("Bearer token-0\r\n") && requests[1].contains("Bearer token-1\r\n"));
}

#[tokio::test]
async fn a_write_goes_through_with_the_renewed_token() {
    let server = Server::start(vec![answer(401, "", ""), answer(201, "", "{}")]).await;
    let transport = transport_with(&server.root(), Numbered::with_renewals(1), quick());
    assert_eq!(send(&transport, Method::POST).await.expect("an answer").status(), 201);
}

#[tokio::test]
async fn a_token_that_the_service_itself_did_not_refuse_is_not_renewed() {
    let server = Server::start((0..4).map(|_| answer(401, "", "<html>")).collect()).await;
    struct Silent;
    impl Protocol for Silent {
        fn is_own_refusal(&self, _: &str, _: u16, _: &ErrorBody<'_>) -> bool {
            false
        }
    }
    let transport = transport_by(Silent, &server.root(), Numbered::with_renewals(9), quick());
    let response = send(&transport, Method::GET).await.expect("an answer");
    assert_eq!((response.status(), response.attempts()), (401, 1));
    assert!(from_response(&response, "things_do").is_foreign_refusal());
}

#[tokio::test]
async fn a_refused_token_without_successor_is_final() {
    let server = Server::start((0..4).map(|_| answer(401, "", "")).collect()).await;
    let response = send(&transport_to(&server.root(), quick()), Method::GET).await.expect("an answer");
    assert_eq!((response.status(), response.attempts()), (401, 1));
    assert_eq!(from_response(&response, "things_do").kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn renewing_the_token_does_not_use_up_a_retry() {
    let server =
        Server::start(vec![answer(503, "", ""), answer(401, "", ""), answer(503, "", ""), answer(200, "", "{}")]).await;
    let mut options = quick();
    options.retry.max_retries = 2;
    let transport = transport_with(&server.root(), Numbered::with_renewals(1), options);
    assert_eq!(send(&transport, Method::GET).await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_wait_that_fits_the_deadline_is_kept_to() {
    let server = Server::start(vec![answer(429, "retry-after: 0\r\n", ""), answer(200, "", "{}")]).await;
    let begun = Instant::now();
    let response = send(&transport_to(&server.root(), quick()), Method::GET).await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert!(begun.elapsed() >= Duration::from_secs(1), "a wait of less than a second is raised to one");
}

#[tokio::test]
async fn a_wait_past_the_deadline_is_returned_at_once() {
    let day = r#"{"error":"Too Many Requests","retryAfter":86400}"#;
    struct Telling;
    impl Protocol for Telling {
        fn error_members(&self) -> ErrorMembers {
            ErrorMembers::new().retry_after("retryAfter")
        }
    }
    for (headers, body, wait) in [("retry-after: 37\r\n", "", 37), ("", day, 86_400)] {
        let server = Server::start(vec![answer(429, headers, body), answer(200, "", "{}")]).await;
        let transport = transport_by(Telling, &server.root(), Numbered::with_renewals(0), quick());
        let response = send(&transport, Method::GET).await.expect("an answer");
        assert_eq!(response.attempts(), 1);
        let error = from_response(&response, "things_do");
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(wait))));
    }
}

#[tokio::test]
async fn a_limit_without_a_wait_ends_without_one() {
    let server = Server::start((0..4).map(|_| answer(429, "", r#"{"error":"Too Many Requests"}"#)).collect()).await;
    let response = send(&transport_to(&server.root(), quick()), Method::GET).await.expect("an answer");
    let error = from_response(&response, "things_do");
    assert_eq!((error.kind(), error.retry_after(), error.attempts()), (ErrorKind::RateLimited, None, 4));
}

#[tokio::test]
async fn a_dropped_call_abandons_its_request() {
    let server = Server::start(vec![Act::Silence, answer(200, "", "{}")]).await;
    let transport = transport_to(&server.root(), quick());
    let mut call = Box::pin(send(&transport, Method::GET));
    tokio::select! {
        _ = &mut call => panic!("there is no answer"),
        () = server.request_arrived() => {}
    }
    drop(call);
    server.client_gone().await;
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn calls_that_are_not_sent_are_no_reason_for_more_retries() {
    let server = Server::start(vec![answer(200, "", "{}")]).await;
    let options = TransportOptions { requests_per_minute: Some(1), clock: ManualClock::new().clock(), ..quick() };
    let budget = options.retry_budget;
    let transport = transport_to(&server.root(), options);
    send(&transport, Method::GET).await.expect("an answer");
    for _ in 0..500 {
        fails(&transport, Method::GET).await;
    }
    let now = tokio::time::Instant::now();
    assert_eq!((0..200).filter(|_| budget.grants_retry(now)).count(), 30);
}
