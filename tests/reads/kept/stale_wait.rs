//! How long a read waits that has something to serve.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use xtrasecurity::{
    CacheOptions, Client, EngineOptions, SecretSource, Secrets, XtraClient, XtraError, blocking,
    clock::ManualClock,
    source::{Identity, KeyWriter, Loaded},
};

use crate::kept::server::{PROJECT, Says, Server, TOKEN, own};

/// Far longer than a read waits on any machine, and far shorter than the call would take.
const SOON: Duration = Duration::from_secs(30);
const CALL: Duration = Duration::from_secs(300);
const WAIT: Duration = Duration::from_millis(200);

fn first() -> Server {
    Server::start(Says::Bytes(own(r#"{"API_KEY":"first"}"#)))
}

fn second() -> Says {
    Says::Bytes(own(r#"{"API_KEY":"second"}"#))
}

fn client(server: &Server, clock: &ManualClock) -> XtraClient {
    server.builder().clock(clock.clock()).call_timeout(CALL).stale_wait(WAIT).build().unwrap()
}

fn value(secrets: &Secrets) -> String {
    secrets.require("API_KEY").unwrap().expose().to_owned()
}

async fn serves_the_old_one_and_takes_the_new_one_when_it_comes() {
    let (server, clock) = (first(), ManualClock::new());
    let client = client(&server, &clock);
    client.get_secrets("production").await.unwrap();
    server.says(Says::Hangs);
    clock.advance(Duration::from_secs(120));
    let begun = Instant::now();
    let reads = (0..50).map(|_| client.get_secrets("production").into_future());
    for read in futures_util::future::join_all(reads).await {
        assert_eq!(value(&read.unwrap()), "first");
    }
    let waited = begun.elapsed();
    for _ in 0..50 {
        assert_eq!(value(&client.get_secrets("production").await.unwrap()), "first");
    }
    assert!(waited >= WAIT && begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert_eq!(server.requests(), 2, "one refresh for all of them");
    assert_eq!(client.stats().stale, 100);
    server.says(second());
    while value(&client.get_secrets("production").await.unwrap()) != "second" {
        assert!(begun.elapsed() < SOON);
        tokio::task::yield_now().await;
    }
    assert_eq!(server.requests(), 2, "the refresh went on without the reads");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_many_threads_a_read_waits_for_a_hanging_service_no_longer_than_stale_wait() {
    serves_the_old_one_and_takes_the_new_one_when_it_comes().await;
}

#[tokio::test]
async fn on_one_thread_a_read_waits_for_a_hanging_service_no_longer_than_stale_wait() {
    serves_the_old_one_and_takes_the_new_one_when_it_comes().await;
}

#[tokio::test]
async fn who_has_nothing_to_serve_and_who_wants_something_newer_waits_for_the_whole_call() {
    let (server, clock) = (first(), ManualClock::new());
    let limit = Duration::from_millis(600);
    let client = server.builder().clock(clock.clock()).call_timeout(limit).stale_wait(Duration::ZERO).build().unwrap();
    client.get_secrets("production").await.unwrap();
    server.says(Says::Hangs);
    for read in [client.get_secrets("production").no_cache(), client.get_secrets("staging")] {
        let begun = Instant::now();
        assert!(read.await.is_err() && begun.elapsed() >= limit);
    }
    let begun = Instant::now();
    assert!(client.refresh("production").await.is_err() && begun.elapsed() >= limit);
}

#[test]
fn a_blocking_read_waits_no_longer_either_and_the_next_ones_neither_hang_nor_storm() {
    let (server, clock) = (first(), ManualClock::new());
    let builder = blocking::XtraClient::builder().token(TOKEN).project_id(PROJECT).api_url(server.url());
    let builder = builder.clock(clock.clock()).call_timeout(CALL).stale_wait(WAIT).max_retries(0);
    let client = builder.build().unwrap();
    let read = || value(&client.get_secrets("production").send().unwrap());
    read();
    server.says(Says::Hangs);
    for past in [30, 15] {
        clock.advance(Duration::from_secs(past));
        let begun = Instant::now();
        for _ in 0..20 {
            assert_eq!(read(), "first");
        }
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        assert_eq!(server.requests(), 2, "one refresh for all of them");
    }
    server.says(second());
    let begun = Instant::now();
    while read() != "second" {
        assert!(begun.elapsed() < SOON);
    }
    assert_eq!(server.requests(), 2, "what was begun is what lands");
}

/// A source that hangs when it is told to, and needs no runtime.
#[derive(Clone, Default)]
struct Hanging(Arc<(AtomicUsize, AtomicUsize)>);

impl SecretSource for Hanging {
    type Scope<'a> = &'a str;
    type Owned = ();

    fn name(&self) -> &'static str {
        "hanging"
    }

    fn identity(&self) -> Identity {
        Identity::of("tests")
    }

    fn write_key(&self, scope: &&str, key: &mut KeyWriter) {
        key.field(scope);
    }

    fn prepare(&self, _: &&str) -> Result<(), XtraError> {
        Ok(())
    }

    async fn load(&self, (): &()) -> Result<Loaded, XtraError> {
        let (loads, from) = &*self.0;
        let load = loads.fetch_add(1, Ordering::SeqCst);
        if load >= 1 && from.load(Ordering::SeqCst) == 0 {
            std::future::pending::<()>().await;
        }
        Ok(Loaded::from_iter([("API_KEY", load.to_string())]))
    }
}

#[test]
fn without_timers_and_without_any_runtime_a_read_does_not_wait_longer() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for inside in [true, false] {
        let (clock, source) = (ManualClock::new(), Hanging::default());
        let cache = CacheOptions::default().stale_wait(WAIT);
        let client = Client::with_options(source.clone(), EngineOptions::default().clock(clock.clock()).cache(cache));
        let read = || {
            let read = client.read("team").into_future();
            let secrets = if inside { runtime.block_on(read) } else { futures_util::FutureExt::boxed(read).block() };
            value(&secrets.unwrap())
        };
        assert_eq!(read(), "0");
        clock.advance(Duration::from_secs(120));
        let begun = Instant::now();
        for _ in 0..20 {
            assert_eq!(read(), "0");
        }
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        assert!(source.0.0.load(Ordering::SeqCst) <= 3, "it is not asked by each read");
    }
}

/// Runs a future on this thread, without a runtime.
trait Block: Future + Sized + Unpin {
    fn block(mut self) -> Self::Output {
        struct Unpark(std::thread::Thread);
        impl std::task::Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = std::task::Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut context = std::task::Context::from_waker(&waker);
        loop {
            match std::pin::Pin::new(&mut self).poll(&mut context) {
                std::task::Poll::Ready(output) => return output,
                std::task::Poll::Pending => std::thread::park(),
            }
        }
    }
}

impl<F: Future + Unpin> Block for F {}
