//! What errors do to a watch: they are told, once to every watcher, and it goes on.

use std::time::Duration;

use futures_util::FutureExt;
use xtrasecurity::{
    CacheOptions, ErrorKind, XtraError,
    snapshot::{Unreadable, UnreadableReason},
    source::Loaded,
    watch::Watch,
};

use crate::watch::script::{Script, error, seconds, settle, soon};
use crate::watch::{lists, names};

async fn next_error(watch: &mut Watch) -> XtraError {
    soon(watch.next()).await.expect("it goes on").expect_err("a failed poll")
}

#[tokio::test]
async fn an_error_in_the_middle_is_told_once_to_everyone_and_the_stream_goes_on() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    let (mut one, mut other) = (client.watch("team"), client.watch("team"));
    lists(&mut one).await;
    lists(&mut other).await;
    script.fails(error(ErrorKind::Network));
    clock.advance(seconds(30));
    assert_eq!(next_error(&mut one).await.kind(), ErrorKind::Network);
    assert_eq!(next_error(&mut other).await.kind(), ErrorKind::Network);
    settle().await;
    assert!(one.next().now_or_never().is_none() && other.next().now_or_never().is_none());
    script.holds([("A", "2")]);
    clock.advance(seconds(2));
    assert_eq!(lists(&mut one).await, [vec![], names(["A"]), vec![]]);
    assert_eq!(lists(&mut other).await, [vec![], names(["A"]), vec![]]);
}

#[tokio::test]
async fn waits_grow_while_polls_fail_and_start_anew_after_one_that_did_not() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    let mut watch = client.watch("team");
    lists(&mut watch).await;
    for _ in 0..2 {
        script.fails(error(ErrorKind::Timeout));
        clock.advance(seconds(30));
        next_error(&mut watch).await;
        for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
            let loads = script.loads();
            clock.advance(seconds(wait) - Duration::from_millis(1));
            settle().await;
            assert_eq!(script.loads(), loads, "sooner than after {wait} s");
            clock.advance(seconds(wait) / 4 + Duration::from_millis(1));
            next_error(&mut watch).await;
            assert_eq!(script.loads(), loads + 1);
        }
        script.holds([("A", "1")]);
        clock.advance(seconds(75));
        settle().await;
    }
}

#[tokio::test]
async fn the_wait_that_the_service_asks_for_is_kept_to() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    script.fails(error(ErrorKind::RateLimited).with_status(429).with_retry_after(seconds(300)));
    let mut watch = client.watch("team");
    next_error(&mut watch).await;
    clock.advance(seconds(299));
    settle().await;
    assert_eq!(script.loads(), 1);
    script.holds([("A", "1")]);
    clock.advance(seconds(76));
    lists(&mut watch).await;
}

#[tokio::test]
async fn what_does_not_pass_by_itself_is_told_and_asked_for_slowly() {
    for (kind, status) in [(ErrorKind::Unauthorized, 401), (ErrorKind::Forbidden, 403), (ErrorKind::NotFound, 404)] {
        let script = Script::new([("A", "1")]);
        let (client, clock) = script.client();
        let mut watch = client.watch("team");
        lists(&mut watch).await;
        script.fails(error(kind).with_status(status));
        clock.advance(seconds(30));
        assert_eq!(next_error(&mut watch).await.kind(), kind);
        clock.advance(Duration::from_millis(29_999));
        settle().await;
        assert_eq!(script.loads(), 2);
        clock.advance(seconds(8));
        assert_eq!(next_error(&mut watch).await.kind(), kind);
        clock.advance(Duration::from_millis(59_999));
        settle().await;
        assert_eq!(script.loads(), 3);
        script.holds([("A", "2")]);
        clock.advance(seconds(16));
        assert_eq!(lists(&mut watch).await, [vec![], names(["A"]), vec![]]);
    }
}

#[tokio::test]
async fn a_long_time_to_live_does_not_put_off_the_next_poll_after_an_error_for_longer_than_ten_minutes() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client_by(CacheOptions::default().jitter(0.0).ttl(seconds(86_400)));
    let mut watch = client.watch("team");
    lists(&mut watch).await;
    script.fails(error(ErrorKind::Forbidden).with_status(403));
    client.invalidate("team");
    next_error(&mut watch).await;
    clock.advance(seconds(599));
    settle().await;
    assert_eq!(script.loads(), 2);
    clock.advance(seconds(1));
    next_error(&mut watch).await;
}

#[tokio::test]
async fn a_read_that_succeeds_while_a_watch_waits_ends_the_waiting() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    script.fails(error(ErrorKind::Unauthorized).with_status(401));
    let mut watch = client.watch("team");
    next_error(&mut watch).await;
    script.holds([("A", "1")]);
    client.read("team").await.unwrap();
    lists(&mut watch).await;
    settle().await;
    script.holds([("A", "2")]);
    clock.advance(seconds(30));
    assert_eq!(lists(&mut watch).await, [vec![], names(["A"]), vec![]]);
}

#[tokio::test]
async fn an_answer_that_lost_everything_is_an_error_and_the_snapshot_stays_until_the_loss_is_accepted() {
    let script = Script::new([("A", "1"), ("B", "2")]);
    let (client, clock) = script.client();
    let mut watch = client.watch("team");
    lists(&mut watch).await;
    let receiver = watch.receiver();
    script.holds([]);
    clock.advance(seconds(30));
    assert_eq!(next_error(&mut watch).await.kind(), ErrorKind::EmptyScope);
    assert_eq!(receiver.latest().unwrap().len(), 2);
    assert_eq!(receiver.error().unwrap().kind(), ErrorKind::EmptyScope);
    client.invalidate("team");
    assert_eq!(lists(&mut watch).await, [vec![], vec![], names(["A", "B"])]);
    assert!(receiver.latest().unwrap().is_empty() && receiver.error().is_none());
}

#[tokio::test]
async fn an_answer_that_lost_a_required_secret_is_an_error_that_names_it() {
    let script = Script::new([("REQUIRED", "1"), ("B", "2")]);
    let (client, clock) = script.client();
    let mut watch = client.watch("team");
    lists(&mut watch).await;
    script.holds([("B", "3")]);
    clock.advance(seconds(30));
    let error = next_error(&mut watch).await;
    assert_eq!((error.kind(), error.names()), (ErrorKind::MissingSecret, &names(["REQUIRED"])[..]));
    script.holds([("REQUIRED", "1"), ("B", "3")]);
    clock.advance(seconds(38));
    assert_eq!(lists(&mut watch).await, [vec![], names(["B"]), vec![]]);
}

#[tokio::test]
async fn while_the_service_is_away_a_new_watch_is_shown_the_aged_snapshot_that_reads_get() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    client.read("team").await.unwrap();
    clock.advance(seconds(600));
    script.fails(error(ErrorKind::Network));
    let mut watch = client.watch("team");
    assert_eq!(lists(&mut watch).await, [names(["A"]), vec![], vec![]]);
    assert_eq!(next_error(&mut watch).await.kind(), ErrorKind::Network);
    let mut late = client.watch("team");
    assert_eq!(lists(&mut late).await, [names(["A"]), vec![], vec![]]);
    assert_eq!(next_error(&mut late).await.kind(), ErrorKind::Network, "it is told what is wrong now");
}

fn masked<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>, name: &str) -> Loaded {
    Loaded::from_iter(pairs).with_unreadable([Unreadable::new(name, UnreadableReason::Masked)])
}

#[tokio::test]
async fn values_that_do_not_come_through_are_one_error_that_names_them_and_the_snapshot_stays() {
    let script = Script::new([("A", "1"), ("B", "2")]);
    let (client, clock) = script.client();
    let mut watch = client.watch("team");
    lists(&mut watch).await;
    let receiver = watch.receiver();
    let mut key = watch.secret("A");
    assert_eq!(key.next().await.unwrap().unwrap(), "1");
    script.answers(masked([("B", "3")], "A"));
    clock.advance(seconds(30));
    let error = next_error(&mut watch).await;
    assert_eq!((error.kind(), error.names()), (ErrorKind::Masked, &names(["A"])[..]));
    assert_eq!(receiver.error().unwrap().kind(), ErrorKind::Masked);
    clock.advance(seconds(30));
    settle().await;
    assert_eq!(script.loads(), 3);
    assert!(watch.next().now_or_never().is_none(), "not again for the same names");
    assert!(key.next().now_or_never().is_none(), "it was not removed");
    script.holds([("A", "1"), ("B", "3")]);
    clock.advance(seconds(30));
    assert_eq!(lists(&mut watch).await, [vec![], names(["B"]), vec![]]);
    assert!(key.next().now_or_never().is_none(), "it is as it was");
}

#[tokio::test]
async fn a_watch_that_allows_it_is_shown_the_rest_and_told_what_has_changed() {
    let script = Script::new([("A", "1"), ("B", "2")]);
    let (client, clock) = script.client();
    let mut watch = client.watch("team").allow_unreadable();
    lists(&mut watch).await;
    script.answers(masked([("B", "3")], "A"));
    clock.advance(seconds(30));
    let change = watch.next().await.unwrap().unwrap();
    assert_eq!((&change.changed, change.removed.len()), (&names(["A", "B"]), 0));
    assert_eq!(change.snapshot.unreadable()[0].name, "A");
    let mut receiver = watch.receiver();
    assert!(receiver.changed().await.unwrap().contains("B"));
}

#[tokio::test]
async fn a_scope_that_cannot_be_asked_for_is_an_error_again_and_again_and_sends_nothing() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    let mut watch = client.watch("");
    for wait in [0, 38, 75] {
        clock.advance(seconds(wait));
        assert_eq!(next_error(&mut watch).await.kind(), ErrorKind::Invalid);
    }
    assert_eq!(script.loads(), 0);
    drop(client);
    assert!(watch.next().await.is_none());
}

#[tokio::test]
async fn a_source_that_panics_is_an_error_and_the_watch_goes_on() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    let mut watch = client.watch("team");
    lists(&mut watch).await;
    script.panics();
    clock.advance(seconds(30));
    assert!(next_error(&mut watch).await.to_string().contains("panicked"));
    settle().await;
    assert_eq!(script.loads(), 2, "not at once again");
    script.holds([("A", "2")]);
    clock.advance(seconds(38));
    assert_eq!(lists(&mut watch).await, [vec![], names(["A"]), vec![]]);
}

#[test]
fn a_runtime_without_timers_is_an_error_and_no_endless_loop() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let script = Script::new([("A", "1")]);
        let options = xtrasecurity::EngineOptions::default().cache(CacheOptions::default().ttl(Duration::ZERO));
        let client = xtrasecurity::Client::with_options(script.clone(), options);
        let mut watch = client.watch("team");
        assert!(watch.next().await.unwrap().is_ok());
        assert_eq!(watch.next().await.unwrap().unwrap_err().kind(), ErrorKind::Config);
        settle().await;
        assert_eq!(script.loads(), 1);
    });
}
