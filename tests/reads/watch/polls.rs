//! When a scope is polled: once for all watchers, when the cache is no longer fresh, and now when that is asked for.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use xtrasecurity::{CacheOptions, ErrorKind, source::Quota};

use crate::watch::script::{Script, error, seconds, settle, tasks};
use crate::watch::{lists, names};

#[tokio::test]
async fn a_hundred_watchers_of_a_scope_are_one_task_and_one_poll_each_time() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    let before = tasks(0).await;
    let mut watches: Vec<_> = (0..100).map(|_| client.watch("team")).collect();
    assert_eq!(tasks(before + 1).await, before + 1);
    for (load, value) in [(1, "2"), (2, "3"), (3, "4")] {
        for lists in join_all(watches.iter_mut().map(lists)).await {
            assert_eq!(lists.concat(), ["A"]);
        }
        assert_eq!(script.loads(), load);
        script.holds([("A", value)]);
        clock.advance(seconds(30));
    }
}

#[tokio::test]
async fn each_scope_is_polled_for_itself() {
    let script = Script::new([("A", "1")]);
    let (client, _clock) = script.client();
    let (mut team, mut other) = (client.watch("team"), client.watch("other"));
    lists(&mut team).await;
    lists(&mut other).await;
    assert_eq!(script.loads(), 2);
}

#[tokio::test]
async fn a_fresh_snapshot_in_the_cache_is_shown_without_a_request_until_it_is_no_longer_fresh() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    client.read("team").await.unwrap();
    clock.advance(seconds(10));
    let mut watch = client.watch("team");
    lists(&mut watch).await;
    assert_eq!(script.loads(), 1);
    clock.advance(Duration::from_millis(19_999));
    settle().await;
    assert_eq!(script.loads(), 1);
    clock.advance(Duration::from_millis(1));
    settle().await;
    assert_eq!(script.loads(), 2);
}

#[tokio::test]
async fn what_another_reader_fetches_is_seen_at_once_and_puts_the_next_poll_off() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    let mut watch = client.watch("team");
    lists(&mut watch).await;
    script.holds([("A", "2")]);
    clock.advance(seconds(20));
    client.refresh("team").await.unwrap();
    assert_eq!(lists(&mut watch).await, [vec![], names(["A"]), vec![]]);
    clock.advance(seconds(29));
    settle().await;
    assert_eq!(script.loads(), 2);
    clock.advance(seconds(1));
    settle().await;
    assert_eq!(script.loads(), 3);
}

#[tokio::test]
async fn a_read_while_a_poll_is_under_way_shares_its_request() {
    let script = Script::new([("A", "1")]);
    let (client, _clock) = script.client();
    script.closes();
    let mut watch = client.watch("team");
    settle().await;
    let read = tokio::spawn({
        let client = client.clone();
        async move { client.read("team").await }
    });
    settle().await;
    script.opens();
    assert!(read.await.unwrap().unwrap().contains("A"));
    lists(&mut watch).await;
    assert_eq!(script.loads(), 1);
}

#[tokio::test]
async fn what_is_invalidated_or_cleared_is_polled_now() {
    let script = Script::new([("A", "1")]);
    let (client, _clock) = script.client();
    let mut watch = client.watch("team");
    lists(&mut watch).await;
    script.holds([("A", "2")]);
    client.invalidate("team");
    assert_eq!(lists(&mut watch).await, [vec![], names(["A"]), vec![]]);
    script.holds([("A", "3")]);
    client.clear_cache();
    assert_eq!(lists(&mut watch).await, [vec![], names(["A"]), vec![]]);
    client.invalidate("other");
    settle().await;
    assert_eq!(script.loads(), 3);
}

#[tokio::test]
async fn an_answer_that_left_before_its_scope_was_invalidated_is_not_shown() {
    let script = Script::new([("A", "1")]);
    let (client, _clock) = script.client();
    script.closes();
    let mut watch = client.watch("team");
    settle().await;
    client.invalidate("team");
    script.opens();
    lists(&mut watch).await;
    assert_eq!(script.loads(), 2);
}

#[tokio::test]
async fn a_quota_that_runs_low_makes_polls_rarer() {
    let script = Script::new([("A", "1")]);
    script.has_left(Quota::new(1000, 400, seconds(12 * 3600)));
    let (client, clock) = script.client();
    let mut watch = client.watch("team");
    lists(&mut watch).await;
    // twelve hours, divided by what is left without the reserve of a tenth
    clock.advance(seconds(143));
    settle().await;
    assert_eq!(script.loads(), 1);
    clock.advance(seconds(2));
    settle().await;
    assert_eq!(script.loads(), 2);
}

#[tokio::test]
async fn with_the_cache_off_a_scope_is_polled_every_30_seconds_up_to_a_tenth_sooner() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client_by(CacheOptions::default().ttl(Duration::ZERO));
    let mut watch = client.watch("team");
    lists(&mut watch).await;
    for (load, value) in [(1, "2"), (2, "3")] {
        script.holds([("A", value)]);
        clock.advance(Duration::from_millis(26_900));
        settle().await;
        assert_eq!(script.loads(), load);
        clock.advance(Duration::from_millis(3_100));
        assert_eq!(lists(&mut watch).await, [vec![], names(["A"]), vec![]]);
    }
}

#[tokio::test]
async fn polls_are_a_second_apart_however_short_the_time_to_live_is() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client_by(CacheOptions::default().ttl(Duration::from_millis(1)));
    let mut watch = client.watch("team");
    lists(&mut watch).await;
    for _ in 0..99 {
        clock.advance(Duration::from_millis(10));
        settle().await;
    }
    assert_eq!(script.loads(), 1);
    clock.advance(Duration::from_millis(10));
    settle().await;
    assert_eq!(script.loads(), 2);
}

#[tokio::test]
async fn scopes_that_push_each_other_out_of_the_cache_are_polled_no_more_often_for_that() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client_by(CacheOptions::default().jitter(0.0).max_entries(1));
    let (mut team, mut other) = (client.watch("team"), client.watch("other"));
    lists(&mut team).await;
    lists(&mut other).await;
    clock.advance(seconds(26));
    settle().await;
    assert_eq!(script.loads(), 2);
    clock.advance(seconds(4));
    settle().await;
    assert_eq!(script.loads(), 4);
}

#[tokio::test]
async fn polls_follow_the_account_when_another_token_comes_in() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    let mut watch = client.watch("team");
    lists(&mut watch).await;
    script.is_asked_by("another");
    for value in ["2", "3"] {
        script.holds([("A", value)]);
        clock.advance(seconds(30));
        assert_eq!(lists(&mut watch).await, [vec![], names(["A"]), vec![]]);
    }
    let loads = script.loads();
    assert!(client.read("team").await.unwrap().contains("A"));
    assert_eq!(script.loads(), loads, "reads find what the polls have stored");
}

#[tokio::test]
async fn polls_are_counted_as_refreshes() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    let mut watch = client.watch("team");
    lists(&mut watch).await;
    clock.advance(seconds(30));
    settle().await;
    assert_eq!(client.stats().refreshes, 2);
}

#[tokio::test]
async fn a_program_that_invalidates_upon_each_error_does_not_ask_without_end() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    let mut watch = client.watch("team");
    lists(&mut watch).await;
    script.fails(error(ErrorKind::Unauthorized));
    clock.advance(seconds(30));
    for _ in 0..20 {
        settle().await;
        if watch.next().now_or_never().is_some() {
            client.invalidate("team");
        }
    }
    assert_eq!(script.loads(), 3, "the poll that was due, and one that was asked for");
    clock.advance(seconds(1));
    settle().await;
    assert_eq!(script.loads(), 4, "the next, a second later");
    assert!(watch.next().await.unwrap().is_err());
    script.holds([("A", "2")]);
    client.invalidate("team");
    clock.advance(seconds(1));
    assert_eq!(lists(&mut watch).await, [vec![], names(["A"]), vec![]]);
}
