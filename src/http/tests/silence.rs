//! Failures without an answer: each has its own words, and none repeats data.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::Method;
use tokio::net::TcpListener;

use super::server::{Act, Server, answer};
use super::{fails, quick, send, transport_to};
use crate::core::ErrorKind;
use crate::http::TransportOptions;

fn repeat(times: usize, act: impl Fn() -> Act) -> Vec<Act> {
    (0..times).map(|_| act()).collect()
}

#[tokio::test]
async fn a_refused_connection_says_so_and_keeps_the_system_error() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let root = format!("http://{}/api", listener.local_addr().expect("bound"));
    drop(listener);
    for method in [Method::GET, Method::POST] {
        let error = fails(&transport_to(&root, quick()), method).await;
        assert_eq!(error.kind(), ErrorKind::Network);
        assert!(error.to_string().contains("the connection was refused"), "{error}");
        assert_eq!(error.attempts(), 4, "nothing was sent, so a write is repeated too");
        let source = error.source().and_then(|cause| cause.downcast_ref::<io::Error>()).expect("the system's error");
        assert_eq!(source.kind(), io::ErrorKind::ConnectionRefused);
    }
}

#[tokio::test]
async fn an_unknown_host_name_says_so() {
    let options = TransportOptions { use_proxies: false, ..quick() };
    let error = fails(&transport_to("http://unknown.invalid/api", options), Method::GET).await;
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.to_string().contains("could not be resolved"), "{error}");
}

#[tokio::test]
async fn a_connection_closed_before_the_answer_is_repeated_for_reads_only() {
    let server = Server::start(repeat(4, || Act::Hang)).await;
    let error = fails(&transport_to(&server.root(), quick()), Method::GET).await;
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Network, 4));
    assert!(error.to_string().contains("closed before the answer was complete"), "{error}");
    assert_eq!(server.requests().len(), 4);

    let server = Server::start(repeat(4, || Act::Hang)).await;
    let error = fails(&transport_to(&server.root(), quick()), Method::POST).await;
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Network, 1));
    assert!(error.to_string().contains("carried the request out is not known"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_cut_body_is_repeated_and_never_taken_for_an_answer() {
    let announced = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"canary\":".to_vec();
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"can\r\n".to_vec();
    let server =
        Server::start(vec![Act::Answer(announced.clone()), Act::Answer(chunked), answer(200, "", "whole")]).await;
    let response = send(&transport_to(&server.root(), quick()), Method::GET).await.expect("the third is whole");
    assert_eq!((response.body(), response.attempts()), (b"whole".as_slice(), 3));

    let server = Server::start(repeat(4, || Act::Answer(announced.clone()))).await;
    let error = fails(&transport_to(&server.root(), quick()), Method::GET).await;
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Network, 4));
}

#[tokio::test]
async fn an_answer_that_is_not_http_says_so_and_is_not_repeated() {
    let server = Server::start(repeat(4, || Act::Answer(b"SSH-2.0-canary\r\n\r\n".to_vec()))).await;
    let error = fails(&transport_to(&server.root(), quick()), Method::GET).await;
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Network, 1));
    assert!(error.to_string().contains("not HTTP"), "{error}");
}

#[tokio::test]
async fn a_silent_service_ends_the_call_at_its_deadline() {
    let server = Server::start(repeat(4, || Act::Silence)).await;
    let options = TransportOptions { call_timeout: Duration::from_millis(50), ..quick() };
    for method in [Method::GET, Method::POST] {
        let error = fails(&transport_to(&server.root(), options.clone()), method.clone()).await;
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 1));
        assert!(error.to_string().starts_with("things_do: no complete answer within 50ms"), "{error}");
        assert!(error.to_string().contains("Raise call_timeout"), "{error}");
        assert_eq!(error.to_string().contains("not known"), method == Method::POST, "{error}");
    }
}

#[tokio::test]
async fn an_attempt_that_went_silent_leaves_time_for_another_read() {
    let server = Server::start(vec![Act::Silence, answer(200, "", "second")]).await;
    let options = TransportOptions { attempt_timeout: Duration::from_millis(50), ..quick() };
    let response = send(&transport_to(&server.root(), options.clone()), Method::GET).await.expect("the second answers");
    assert_eq!(response.attempts(), 2);

    let server = Server::start(vec![Act::Silence, answer(200, "", "second")]).await;
    let options = TransportOptions { call_timeout: Duration::from_millis(100), ..options };
    let error = fails(&transport_to(&server.root(), options), Method::PUT).await;
    assert_eq!(error.attempts(), 1);
    assert!(error.to_string().contains("within 100ms"), "a write has the whole deadline: {error}");
}

#[tokio::test]
async fn a_limit_of_one_attempt_is_told_from_that_of_the_call() {
    let server = Server::start(vec![Act::Silence, answer(200, "", "late")]).await;
    let mut options = TransportOptions { attempt_timeout: Duration::from_millis(50), ..quick() };
    // the wait before another attempt does not fit the call
    options.call_timeout = Duration::from_secs(5);
    options.retry.base = Duration::from_secs(5);
    let error = fails(&transport_to(&server.root(), options), Method::GET).await;
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 1));
    assert!(
        error.to_string().starts_with("things_do: no complete answer within 50ms, the limit of one attempt"),
        "{error}"
    );
    assert!(error.to_string().contains("Raise call_timeout"), "{error}");
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_a_connection_timeout() {
    let server = Server::start(repeat(2, || Act::Silence)).await;
    let root = server.root().replace("http:", "https:");
    let mut options = TransportOptions { connect_timeout: Duration::from_millis(50), ..quick() };
    options.retry.max_retries = 1;
    let error = fails(&transport_to(&root, options), Method::GET).await;
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 2));
    assert!(error.to_string().contains("no connection to the service within 50ms"), "{error}");
}

#[tokio::test]
async fn https_to_a_plain_server_says_that_it_does_not_speak_tls() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let root = format!("https://{}/api", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.expect("one connection");
        let _ = stream.read(&mut [0; 1024]).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    });
    let error = fails(&transport_to(&root, quick()), Method::GET).await;
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Network, 1));
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
}

#[tokio::test]
async fn an_answer_over_the_cap_is_refused_whether_announced_or_not() {
    let twenty_mib = 20 << 20;
    let announced = format!("HTTP/1.1 200 OK\r\ncontent-length: {twenty_mib}\r\n\r\n").into_bytes();
    let mut unannounced = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    unannounced.resize(unannounced.len() + twenty_mib, b'x');
    for act in [announced, unannounced] {
        let server = Server::start(vec![Act::Answer(act)]).await;
        let error = fails(&transport_to(&server.root(), quick()), Method::GET).await;
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::TooLarge, 1));
        assert!(error.to_string().starts_with("things_do: the answer is larger than"), "{error}");
        assert!(error.to_string().contains("max_response_bytes"), "{error}");
    }
}
