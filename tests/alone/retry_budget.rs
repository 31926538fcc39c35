//! A storm of failing calls must not become a larger storm of retries.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use xtrasecurity::{ErrorKind, XtraClient};

use crate::{Check, on_a_runtime};

pub(crate) const CHECKS: &[Check] = &[("a_storm_of_failing_calls_adds_at_most_a_fifth", || {
    on_a_runtime(a_storm_of_failing_calls_adds_at_most_a_fifth())
})];

const CALLS: u64 = 2_000;
const AT_ONCE: u64 = 50;

/// A service that is overloaded: it answers every request with a 503, and counts.
async fn overloaded(requests: Arc<AtomicU64>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let root = format!("http://{}/api", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(refuse_all(stream, Arc::clone(&requests)));
        }
    });
    root
}

async fn refuse_all(mut stream: TcpStream, requests: Arc<AtomicU64>) {
    let mut request = Vec::new();
    while stream.read_buf(&mut request).await.is_ok_and(|read| read > 0) {
        if request.ends_with(b"\r\n\r\n") {
            request.clear();
            requests.fetch_add(1, Ordering::SeqCst);
            let answer = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}

async fn a_storm_of_failing_calls_adds_at_most_a_fifth() {
    let requests = Arc::new(AtomicU64::new(0));
    let root = overloaded(Arc::clone(&requests)).await;
    // two clients, because the budget is the process's
    let client = || {
        let builder = XtraClient::builder().token("xs_example").project_id("665f1c2ab7c0de0012345678").api_url(&root);
        builder.cache(false).no_proxy().call_timeout(Duration::from_secs(60)).build().unwrap()
    };
    let clients = [client(), client()];
    let begun = std::time::Instant::now();
    let workers = (0..AT_ONCE).map(|worker| {
        let client = clients[worker as usize % 2].clone();
        tokio::spawn(async move {
            for _ in 0..CALLS / AT_ONCE {
                let error = client.get_secrets("production").await.unwrap_err();
                assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(503)));
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    let (sent, took) = (requests.load(Ordering::SeqCst), begun.elapsed());
    let stats = clients.map(|client| client.stats());
    let retries = stats[0].retries + stats[1].retries;
    let withheld = stats[0].retries_withheld + stats[1].retries_withheld;
    println!(
        "{CALLS} failing calls in {:.1} s: {sent} requests, {retries} of them retries, {withheld} retries withheld",
        took.as_secs_f64()
    );
    assert_eq!(sent, CALLS + retries);
    // thirty in ten seconds are allowed to however few calls; a machine so slow may see them at the ends
    let slack = if took < Duration::from_secs(10) { 0 } else { 30 };
    assert!(retries <= CALLS / 5 + slack, "{retries} retries");
    // the calls count: without them there would be thirty
    assert!(retries > 100 || took >= Duration::from_secs(10), "{retries} retries");
    assert!(withheld > 0);
}
