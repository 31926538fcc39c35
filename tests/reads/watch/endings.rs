//! How a watch ends, and what it leaves behind: nothing.

use futures_util::FutureExt;
use tokio::runtime::{Builder, Runtime};
use xtrasecurity::ErrorKind;

use crate::watch::script::{Script, seconds, settle, tasks};
use crate::watch::{lists, names};

#[tokio::test]
async fn the_task_ends_with_the_last_watcher_of_whatever_form_and_with_it_the_polls() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    client.read("team").await.unwrap();
    let before = tasks(1).await;
    let mut watch = client.watch("team");
    let (receiver, key) = (watch.receiver(), watch.secret("A"));
    lists(&mut watch).await;
    assert_eq!(tasks(before + 1).await, before + 1);
    drop(watch);
    drop(key);
    settle().await;
    assert_eq!(tasks(before + 1).await, before + 1, "somebody still watches");
    drop(receiver);
    assert_eq!(tasks(before).await, before);
    clock.advance(seconds(60));
    settle().await;
    assert_eq!(script.loads(), 1);
    let mut again = client.watch("team");
    lists(&mut again).await;
    assert_eq!(script.loads(), 2);
}

#[tokio::test]
async fn a_poll_that_is_under_way_is_given_up_when_nobody_waits_for_it() {
    let script = Script::new([("A", "1")]);
    let (client, _clock) = script.client();
    script.closes();
    let watch = client.watch("team");
    settle().await;
    assert_eq!((script.loads(), tasks(1).await), (1, 1));
    drop(watch);
    assert_eq!(tasks(0).await, 0);
    script.opens();
    assert!(client.read("team").await.is_ok());
    assert_eq!(script.loads(), 2);
}

#[tokio::test]
async fn streams_and_handles_end_when_the_last_client_is_dropped_and_so_does_the_task() {
    let script = Script::new([("A", "1")]);
    let (client, _clock) = script.client();
    let mut watch = client.watch("team");
    let (mut receiver, mut key) = (watch.receiver(), watch.secret("A"));
    lists(&mut watch).await;
    receiver.changed().await.unwrap();
    key.next().await.unwrap();
    let other = client.clone();
    drop(client);
    settle().await;
    assert!(watch.next().now_or_never().is_none(), "there is still a client");
    let ending = tokio::spawn(async move { (watch.next().await.is_none(), watch.next().await.is_none()) });
    settle().await;
    drop(other);
    assert_eq!(ending.await.unwrap(), (true, true));
    assert!(receiver.changed().await.is_none() && key.next().await.is_none());
    assert!(receiver.latest().is_some(), "what was seen stays at hand");
    assert_eq!(tasks(0).await, 0);
}

#[tokio::test]
async fn the_last_client_may_be_dropped_while_a_poll_is_under_way() {
    let script = Script::new([("A", "1")]);
    let (client, _clock) = script.client();
    script.closes();
    let mut watch = client.watch("team");
    settle().await;
    drop(client);
    assert!(watch.next().await.is_none());
    assert_eq!(tasks(0).await, 0);
}

#[tokio::test]
async fn dropping_the_future_of_the_next_item_loses_nothing() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    let mut watch = client.watch("team");
    for value in ["1", "2", "3"] {
        script.holds([("A", value)]);
        clock.advance(seconds(30));
        assert!(watch.next().now_or_never().is_none());
        settle().await;
        let change = watch.next().now_or_never().expect("it is there").unwrap().unwrap();
        assert_eq!(change.snapshot.require("A").unwrap(), value);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn watchers_that_come_and_go_on_many_threads_miss_nothing_and_leave_no_task() {
    let script = Script::new([("A", "1")]);
    let (client, _clock) = script.client();
    let comers: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                for _ in 0..200 {
                    let mut watch = client.watch("team");
                    let mut receiver = watch.receiver();
                    assert!(watch.next().await.unwrap().is_ok());
                    drop(watch);
                    assert!(receiver.changed().await.is_some());
                }
            })
        })
        .collect();
    for comer in comers {
        comer.await.unwrap();
    }
    assert_eq!(script.loads(), 1, "all of them found the snapshot of the first");
    drop(client);
    let patience = std::time::Instant::now();
    while tasks(0).await > 0 {
        assert!(patience.elapsed() < seconds(10), "a task is left");
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_watch_that_outlives_its_runtime_goes_on_in_the_next_one_from_where_it_was() {
    let script = Script::new([("A", "1"), ("B", "1")]);
    let (client, clock) = script.client();
    let first = runtime();
    let mut watch = first.block_on(async {
        let mut watch = client.watch("team");
        lists(&mut watch).await;
        watch
    });
    drop(first);
    script.holds([("A", "2"), ("B", "1")]);
    clock.advance(seconds(30));
    runtime().block_on(async {
        assert_eq!(lists(&mut watch).await, [vec![], names(["A"]), vec![]]);
    });
    assert_eq!(script.loads(), 2);
}

#[test]
fn a_runtime_that_stands_still_holds_up_no_watcher_on_another() {
    let script = Script::new([("A", "1")]);
    let (client, _clock) = script.client();
    let stands_still = runtime();
    let _stuck = stands_still.block_on(async { client.watch("team") });
    runtime().block_on(async {
        lists(&mut client.watch("team")).await;
    });
}

#[test]
fn a_watch_may_be_made_outside_of_a_runtime_and_begins_when_it_is_awaited_in_one() {
    let script = Script::new([("A", "1")]);
    let (client, _clock) = script.client();
    let mut watch = client.watch("team");
    let outside = watch.next().now_or_never().expect("at once").unwrap().unwrap_err();
    assert_eq!(outside.kind(), ErrorKind::Config);
    assert!(watch.next().now_or_never().expect("at once").is_none(), "no endless loop of errors");
    runtime().block_on(async {
        assert_eq!(lists(&mut watch).await, [names(["A"]), vec![], vec![]]);
    });
}
