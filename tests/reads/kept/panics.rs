//! A panic in a program's own code is one error for everyone who waits, and the next read tries again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use xtrasecurity::{
    ErrorKind, XtraClient, XtraError,
    clock::ManualClock,
    credentials::{ChainPosition, CredentialProvider, Token, TokenFuture},
    source::Identity,
};

use crate::kept::server::{PROJECT, Says, Server, TOKEN, json, own};
use crate::kept::source::{Says as SourceSays, Scripted};

/// Panics at the first request, in one way or another.
struct Panicky {
    asked: AtomicUsize,
    way: Way,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    BeforeTheFuture,
    InTheFuture,
    AfterAWait,
    InItsDrop,
    WithAPayloadThatPanics,
}

/// Panics when it is dropped, unless a panic is on its way already.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("canary-of-a-panic");
        }
    }
}

impl CredentialProvider for Panicky {
    fn identity(&self) -> Identity {
        Identity::of("panicky")
    }

    fn token(&self) -> TokenFuture<'_> {
        let panics = self.asked.fetch_add(1, Ordering::SeqCst) == 0;
        let way = self.way;
        if panics && matches!(way, Way::BeforeTheFuture) {
            panic!("canary-of-a-panic");
        }
        Box::pin(async move {
            if panics {
                match way {
                    Way::BeforeTheFuture | Way::InTheFuture => panic!("canary-of-a-panic"),
                    Way::AfterAWait => {
                        tokio::task::yield_now().await;
                        panic!("canary-of-a-panic");
                    }
                    Way::InItsDrop => drop(Bomb),
                    Way::WithAPayloadThatPanics => std::panic::panic_any(Bomb),
                }
            }
            Token::new(TOKEN)
        })
    }
}

/// Panics when it is told that its token was refused.
struct PanicsWhenRefused;

impl CredentialProvider for PanicsWhenRefused {
    fn identity(&self) -> Identity {
        Identity::of("panics when refused")
    }

    fn token(&self) -> TokenFuture<'_> {
        Box::pin(async { Token::new(TOKEN) })
    }

    fn invalidate(&self, _: &Token) -> bool {
        panic!("canary-of-a-panic")
    }
}

#[tokio::test]
async fn a_provider_that_panics_over_a_refused_token_leaves_the_refusal_to_reads_writes_and_raw_calls() {
    let server = Server::start(Says::Bytes(json(401, r#"{"error":"Unauthorized"}"#)));
    let builder =
        XtraClient::builder().credentials(ChainPosition::First, Arc::new(PanicsWhenRefused)).project_id(PROJECT);
    let client = builder.api_url(server.url()).max_retries(0).build().unwrap();
    let read = client.get_secrets("production").await.unwrap_err();
    let write = client.set_secret("staging", "A", "1").await.unwrap_err();
    let raw = client.raw().secrets_read().project_id(PROJECT).env("production").send().await.unwrap_err();
    assert_eq!([read.status(), write.status(), raw.into_error().status()], [Some(401); 3]);
}

fn readers(client: &XtraClient) -> Vec<tokio::task::JoinHandle<Result<(), XtraError>>> {
    let read = |client: XtraClient| async move { client.get_secrets("production").await.map(drop) };
    (0..50).map(|_| tokio::spawn(read(client.clone()))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credential_provider_that_panics_is_one_error_for_all_readers_and_is_asked_again() {
    for way in [Way::BeforeTheFuture, Way::InTheFuture, Way::AfterAWait, Way::InItsDrop, Way::WithAPayloadThatPanics] {
        let server = Server::start(Says::Bytes(own(r#"{"API_KEY":"first"}"#)));
        let provider = Arc::new(Panicky { asked: AtomicUsize::new(0), way });
        let builder = XtraClient::builder().credentials(ChainPosition::First, provider).project_id(PROJECT);
        let client = builder.api_url(server.url()).max_retries(0).build().unwrap();
        let mut failed = 0;
        for reader in readers(&client) {
            if let Err(error) = reader.await.expect("no reader panics") {
                failed += 1;
                assert_eq!(error.kind(), ErrorKind::Credentials, "{way:?}: {error}");
                assert!(!error.is_retryable() && !format!("{error} {error:?}").contains("canary"), "{error}");
            }
        }
        assert!(failed >= 1, "{way:?}");
        client.get_secrets("production").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_panics_is_one_error_for_all_readers_and_keeps_nobody_from_the_next_answer() {
    let (clock, source) = (ManualClock::new(), Scripted::new(SourceSays::Panics));
    let client = source.client(&clock, |options| options);
    let reads: Vec<_> = (0..50)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.read("team").await.map(drop) })
        })
        .collect();
    for read in reads {
        let error = read.await.expect("no reader panics").unwrap_err();
        assert!(error.kind() == ErrorKind::Server && !format!("{error} {error:?}").contains("canary"), "{error}");
    }
    assert!(client.refresh("team").await.is_err() && client.read("team").no_cache().await.is_err());
    source.says(SourceSays::names(&["A"], "1"));
    client.read("team").await.unwrap();
    source.says(SourceSays::Panics);
    clock.advance(std::time::Duration::from_secs(45));
    client.read("team").await.unwrap();
}
