//! What a loop of reads that hit the cache leaves to the other tasks of its thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use xtrasecurity::schemars::{self, JsonSchema};
use xtrasecurity::{UseError, XtraClient};

/// Many times the hits between two turns of the other tasks.
const MOST: usize = 200_000;

#[derive(serde::Deserialize, JsonSchema)]
struct Settings {
    #[serde(rename = "API_KEY")]
    key: String,
}

fn client() -> XtraClient {
    XtraClient::in_memory([("API_KEY", "k-1")]).unwrap()
}

/// Reads until another task of the thread has run, which sets the flag.
async fn read_until(flag: &AtomicBool, way: &str, mut read: impl AsyncFnMut()) {
    for _ in 0..MOST {
        if flag.load(Ordering::Relaxed) {
            return;
        }
        read().await;
    }
    panic!("{way}: no other task had its turn within {MOST} reads");
}

/// A flag that a task sets, which runs when it has its turn.
fn flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    tokio::spawn(async move { set.store(true, Ordering::Relaxed) });
    flag
}

#[tokio::test]
async fn every_way_to_read_from_the_cache_gives_other_tasks_their_turn() {
    let client = client();
    client.get_secrets("production").await.unwrap();

    let mut handle = client.scope("production");
    read_until(&flag(), "scope().get()", async || assert_eq!(handle.get().await.unwrap().len(), 1)).await;
    read_until(&flag(), "get_secrets", async || drop(client.get_secrets("production").await.unwrap())).await;
    read_until(&flag(), "get_secrets_as", async || {
        let settings: Settings = client.get_secrets_as("production").await.unwrap();
        assert_eq!(settings.key, "k-1");
    })
    .await;
    read_until(&flag(), "preload", async || drop(client.preload(["production"]).await.unwrap())).await;
    read_until(&flag(), "with_secret", async || {
        let used =
            client.with_secret("API_KEY", |_| async { Ok::<_, UseError<()>>(()) }).environment("production").await;
        used.unwrap();
    })
    .await;
    read_until(&flag(), "resolve", async || drop(client.resolve("xtra:///production/API_KEY").await.unwrap())).await;
}

#[tokio::test]
async fn a_deadline_ends_a_loop_of_cached_reads() {
    let client = client();
    let mut handle = client.scope("production");
    let endless = async {
        loop {
            handle.get().await.unwrap();
        }
    };
    let ended = tokio::time::timeout(Duration::from_millis(5), endless).await;
    assert!(ended.is_err());
}

#[tokio::test]
async fn a_read_of_the_cache_is_mostly_ready_at_its_first_poll() {
    let client = client();
    client.get_secrets("production").await.unwrap();
    let mut pending = 0;
    for _ in 0..MOST {
        let mut read = std::pin::pin!(client.get_secrets("production").send());
        let first = std::future::poll_fn(|context| std::task::Poll::Ready(read.as_mut().poll(context))).await;
        if first.is_pending() {
            pending += 1;
            read.await.unwrap();
        }
    }
    assert!((1..=MOST / 1_000).contains(&pending), "{pending} of {MOST} reads gave way");
}
