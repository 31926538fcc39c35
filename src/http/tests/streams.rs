//! Answers that do not end: what the deadline of a call covers of them, and what ends them.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::server::{Act, Server, answer};
use super::{Numbered, holds_no_data, quick, transport_to, transport_with};
use crate::core::{ErrorKind, XtraError};
use crate::http::{EventStream, Method, Transport};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\r\n";

async fn open(transport: &Transport) -> Result<EventStream, XtraError> {
    transport.call("events_subscribe", Method::Post).path(["events"]).json("canary-body").events().await
}

/// A listener that sends these texts, each so long after the one before, and then nothing more.
async fn slow(texts: Vec<(Duration, &'static str)>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let root = format!("http://{}/api", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("one connection");
        let _ = stream.read(&mut [0; 4096]).await;
        for (pause, text) in texts {
            sleep(pause).await;
            let _ = stream.write_all(text.as_bytes()).await;
        }
        std::future::pending::<()>().await
    });
    root
}

#[tokio::test(start_paused = true)]
async fn a_stream_outlives_the_deadline_of_a_call_and_ends_when_it_has_been_silent_for_a_minute() {
    let second = Duration::from_secs(1);
    let root = slow(vec![(second, HEAD), (300 * second, ": hello\n"), (50 * second, "event: ping\n\n")]).await;
    let mut stream = open(&transport_to(&root, quick())).await.expect("a stream");
    let event = stream.next().await.expect("whole").expect("an event");
    assert_eq!((event.name.as_slice(), event.data.len()), (b"ping".as_slice(), 0));
    let begun = Instant::now();
    let error = stream.next().await.expect_err("silence");
    assert_eq!((error.kind(), begun.elapsed().as_secs()), (ErrorKind::Timeout, 60));
    assert_eq!(error.to_string(), "events_subscribe: nothing has come over the stream for 60s");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_has_never_said_anything_is_given_ten_minutes() {
    let root = slow(vec![(Duration::ZERO, HEAD)]).await;
    let mut stream = open(&transport_to(&root, quick())).await.expect("a stream");
    let begun = Instant::now();
    assert_eq!(stream.next().await.expect_err("silence").kind(), ErrorKind::Timeout);
    assert_eq!(begun.elapsed().as_secs(), 600);
}

#[tokio::test(start_paused = true)]
async fn the_head_of_a_stream_has_the_time_of_a_call() {
    let server = Server::start(vec![Act::Silence]).await;
    let begun = Instant::now();
    let error = open(&transport_to(&server.root(), quick())).await.expect_err("no head");
    assert_eq!((error.kind(), begun.elapsed().as_secs()), (ErrorKind::Timeout, 30));
    holds_no_data(&error);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_and_nothing_else_is_sent_again() {
    let whole = || Act::Answer(format!("{HEAD}data: 1\n\n").into_bytes());
    let server = Server::start(vec![answer(401, "", "canary"), whole()]).await;
    let transport = transport_with(&server.root(), Numbered::with_renewals(2), quick());
    let mut stream = open(&transport).await.expect("a stream");
    assert_eq!(stream.next().await.expect("whole").expect("an event").data, b"1");
    assert_eq!(stream.next().await.expect("an end"), None);
    assert_eq!(server.requests().len(), 2);
    for (act, status) in
        [(answer(401, "", ""), 401), (answer(503, "", "canary"), 503), (answer(200, "", "canary"), 200)]
    {
        let server = Server::start(vec![act, answer(401, "", "canary"), whole()]).await;
        let renewals = u32::from(status == 401);
        let transport = transport_with(&server.root(), Numbered::with_renewals(renewals), quick());
        let error = open(&transport).await.expect_err("no stream");
        holds_no_data(&error);
        assert_eq!(error.status(), Some(status), "{error}");
        assert_eq!(server.requests().len(), 1 + renewals as usize);
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_an_error_and_one_that_is_dropped_closes_its_connection() {
    let cut = format!(
        "{}transfer-encoding: chunked\r\n\r\n7\r\ndata: c",
        HEAD.trim_end_matches("\r\n\r\n").to_owned() + "\r\n"
    );
    let server = Server::start(vec![Act::Answer(cut.into_bytes())]).await;
    let mut stream = open(&transport_to(&server.root(), quick())).await.expect("a stream");
    let error = stream.next().await.expect_err("it broke");
    assert_eq!(error.kind(), ErrorKind::Network);
    holds_no_data(&error);

    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let root = format!("http://{}/api", listener.local_addr().expect("bound"));
    let transport = transport_to(&root, quick());
    let serve = async {
        let (mut peer, _) = listener.accept().await.expect("one connection");
        let _ = peer.read(&mut [0; 4096]).await;
        peer.write_all(HEAD.as_bytes()).await.expect("open");
        peer
    };
    let (stream, mut peer) = tokio::join!(open(&transport), serve);
    drop(stream.expect("a stream"));
    let _ = peer.read_to_end(&mut Vec::new()).await;
}
