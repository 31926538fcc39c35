//! A call ends by its deadline, whatever it waits for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use xtrasecurity::{
    ErrorKind, XtraClient, XtraClientBuilder, XtraError,
    credentials::{ChainPosition, CredentialProvider, Token, TokenFuture},
    source::Identity,
};

const DEADLINE: Duration = Duration::from_millis(400);
const LATE: Duration = Duration::from_millis(50);

/// What a service does with every connection, once the request has come.
#[derive(Clone, Copy)]
enum Peer {
    /// Nothing, ever.
    Silent,
    /// This, a byte a second.
    Trickles(&'static str),
    /// This at once, and then nothing.
    Answers(&'static str),
}

async fn listen(peer: Peer) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let root = format!("http://{}/api", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, peer));
        }
    });
    root
}

async fn serve(mut stream: TcpStream, peer: Peer) {
    let mut request = Vec::new();
    while stream.read_buf(&mut request).await.is_ok_and(|read| read > 0) {
        if !request.ends_with(b"\r\n\r\n") {
            continue;
        }
        request.clear();
        match peer {
            Peer::Silent => {}
            Peer::Answers(text) => drop(stream.write_all(text.as_bytes()).await),
            Peer::Trickles(text) => {
                for byte in text.bytes() {
                    if stream.write_all(&[byte]).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

/// A provider that takes its time.
struct Slow;

impl CredentialProvider for Slow {
    fn identity(&self) -> Identity {
        Identity::of("slow")
    }

    fn token(&self) -> TokenFuture<'_> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_secs(3_600)).await;
            Token::new("xs_example")
        })
    }
}

fn builder(root: &str) -> XtraClientBuilder {
    let builder = XtraClient::builder().token("xs_example").project_id("665f1c2ab7c0de0012345678").api_url(root);
    builder.call_timeout(DEADLINE).cache(false).no_proxy()
}

/// Makes the call five times, each with a client of its own: how long it takes in the median, so that a machine which is busy
/// for a moment says nothing about this crate.
async fn median(make: impl Fn() -> XtraClient) -> (Duration, XtraError) {
    let mut runs = Vec::new();
    for _ in 0..5 {
        let client = make();
        let begun = Instant::now();
        let error = client.get_secrets("production").await.unwrap_err();
        runs.push((begun.elapsed(), error));
    }
    runs.sort_by_key(|(took, _)| *took);
    runs.swap_remove(2)
}

fn is_in_time(what: &str, took: Duration, earliest: Duration) {
    println!("{what}: {took:?} of {DEADLINE:?}");
    assert!(took <= DEADLINE + LATE, "{what}: {took:?}");
    assert!(took >= earliest, "{what}: {took:?}");
}

#[tokio::test]
async fn a_silent_service_ends_the_call_on_time() {
    let root = listen(Peer::Silent).await;
    let (took, error) = median(|| builder(&root).build().unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::Timeout);
    is_in_time("no answer", took, DEADLINE);
}

#[tokio::test]
async fn a_byte_a_second_does_not_prolong_the_call() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    let root = listen(Peer::Trickles(head)).await;
    let (took, error) = median(|| builder(&root).build().unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::Timeout);
    is_in_time("a byte a second from the start", took, DEADLINE);

    let unfinished = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 200\r\n\r\n{\"A\":";
    let root = listen(Peer::Answers(unfinished)).await;
    let (took, error) = median(|| builder(&root).build().unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::Timeout);
    is_in_time("a body that never ends", took, DEADLINE);
}

#[tokio::test]
async fn a_provider_that_gives_no_token_ends_the_call_on_time() {
    let root = listen(Peer::Silent).await;
    let slow = || XtraClient::builder().credentials(ChainPosition::First, Arc::new(Slow)).api_url(&root);
    let make = || {
        let builder = slow().project_id("665f1c2ab7c0de0012345678").call_timeout(DEADLINE);
        builder.cache(false).no_proxy().build().unwrap()
    };
    let (took, error) = median(make).await;
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 0));
    is_in_time("no token", took, DEADLINE);
}

#[tokio::test]
async fn no_wait_is_begun_that_the_deadline_would_cut_off() {
    let asks = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n";
    let root = listen(Peer::Answers(asks)).await;
    let (took, error) = median(|| builder(&root).build().unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(took < DEADLINE, "{took:?}: there was nothing to wait for");

    // the next call knows before it is sent
    let client = builder(&root).build().unwrap();
    client.get_secrets("production").await.unwrap_err();
    let begun = Instant::now();
    let error = client.get_secrets("production").await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 0));
    assert!(begun.elapsed() < DEADLINE);
}

#[tokio::test]
async fn failing_attempts_and_the_waits_between_them_end_on_time() {
    let away = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
    let root = listen(Peer::Answers(away)).await;
    let (took, error) = median(|| builder(&root).max_retries(1_000).build().unwrap()).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(503)));
    is_in_time("503 again and again", took, Duration::ZERO);
}
