//! The handle on the newest snapshot, and the values of one secret.

use futures_util::{FutureExt, StreamExt};
use tokio::runtime::Builder;
use xtrasecurity::{
    ErrorKind, Secrets,
    snapshot::{Unreadable, UnreadableReason},
    source::Loaded,
    watch::WatchReceiver,
};

use crate::watch::lists;
use crate::watch::script::{Script, error, seconds, settle};

/// The value of `A` that is at hand.
fn at_hand(receiver: &WatchReceiver) -> Option<String> {
    let value = |secrets: &Secrets| secrets.get("A").map(|value| value.expose().to_owned());
    receiver.latest().as_deref().and_then(value)
}

#[tokio::test]
async fn a_receiver_has_the_newest_snapshot_at_hand_and_waits_for_the_next_change() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    let mut receiver = client.watch("team").receiver();
    assert!(receiver.latest().is_none());
    assert_eq!(receiver.changed().await.unwrap().require("A").unwrap(), "1");
    clock.advance(seconds(30));
    settle().await;
    assert!(receiver.changed().now_or_never().is_none(), "a poll that brings the same is no change");
    assert_eq!(receiver.latest().unwrap().age(), seconds(0), "but it is newer");
    script.holds([("A", "2")]);
    clock.advance(seconds(30));
    settle().await;
    assert_eq!(receiver.latest().unwrap().require("A").unwrap(), "2");
    assert_eq!(receiver.changed().await.unwrap().require("A").unwrap(), "2", "looking is not seeing");
    assert!(receiver.changed().now_or_never().is_none());
}

#[tokio::test]
async fn a_fresh_snapshot_in_the_cache_is_at_hand_at_once() {
    let script = Script::new([("A", "1")]);
    let (client, _clock) = script.client();
    client.read("team").await.unwrap();
    assert!(client.watch("team").receiver().latest().is_some());
}

#[tokio::test]
async fn a_receiver_keeps_the_last_snapshot_through_errors_and_tells_what_is_wrong() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    let mut receiver = client.watch("team").receiver();
    receiver.changed().await.unwrap();
    script.fails(error(ErrorKind::Network));
    clock.advance(seconds(30));
    settle().await;
    assert_eq!(receiver.latest().unwrap().require("A").unwrap(), "1");
    assert!(receiver.latest().unwrap().is_stale());
    assert_eq!(receiver.error().unwrap().kind(), ErrorKind::Network);
    script.holds([("A", "1")]);
    clock.advance(seconds(2));
    settle().await;
    assert!(receiver.error().is_none());
}

#[tokio::test]
async fn clones_of_a_receiver_are_told_of_each_change_and_only_of_what_they_have_not_seen() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    let mut one = client.watch("team").receiver();
    one.changed().await.unwrap();
    let mut other = one.clone();
    settle().await;
    assert!(other.changed().now_or_never().is_none());
    drop(client.watch("team"));
    script.holds([("A", "2")]);
    clock.advance(seconds(30));
    assert_eq!(one.changed().await.unwrap().require("A").unwrap(), "2");
    assert_eq!(other.changed().await.unwrap().require("A").unwrap(), "2");
    assert_eq!(script.loads(), 2);
}

#[tokio::test]
async fn a_key_gives_its_value_and_after_that_only_other_values_of_it() {
    let script = Script::new([("KEY", "1"), ("OTHER", "1")]);
    let (client, clock) = script.client();
    let mut key = client.watch("team").secret("KEY");
    let mut next = async |pairs: &[(&'static str, &'static str)]| {
        script.holds(pairs.iter().copied());
        client.invalidate("team");
        settle().await;
        key.next().now_or_never().map(|item| item.expect("it goes on").map(|value| value.expose().to_owned()))
    };
    clock.advance(seconds(1));
    assert_eq!(next(&[("KEY", "1"), ("OTHER", "1")]).await, Some(Some("1".to_owned())));
    assert_eq!(next(&[("KEY", "1"), ("OTHER", "2")]).await, None);
    assert_eq!(next(&[("KEY", "2"), ("OTHER", "2")]).await, Some(Some("2".to_owned())));
    assert_eq!(next(&[("OTHER", "2")]).await, Some(None));
    assert_eq!(next(&[("OTHER", "3")]).await, None);
    assert_eq!(next(&[("KEY", "2")]).await, Some(Some("2".to_owned())));
    assert_eq!(key.name(), "KEY");
}

#[tokio::test]
async fn a_key_that_is_not_there_is_none_at_first_and_errors_are_no_items() {
    let script = Script::new([("OTHER", "1")]);
    let (client, clock) = script.client();
    let watch = client.watch("team");
    let mut key = watch.secret("KEY");
    assert_eq!(StreamExt::next(&mut key).await, Some(None));
    script.fails(error(ErrorKind::Network));
    clock.advance(seconds(30));
    settle().await;
    assert!(key.next().now_or_never().is_none());
    script.holds([("OTHER", "1"), ("KEY", "1")]);
    clock.advance(seconds(2));
    assert_eq!(key.next().await.unwrap().unwrap(), "1");
}

#[tokio::test]
async fn what_came_from_a_watch_goes_on_without_it() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    let mut watch = client.watch("team");
    lists(&mut watch).await;
    let (mut receiver, mut key) = (watch.receiver(), watch.secret("A"));
    drop(watch);
    receiver.changed().await.unwrap();
    drop(receiver);
    assert_eq!(key.next().await.unwrap().unwrap(), "1");
    script.holds([("A", "2")]);
    clock.advance(seconds(30));
    assert_eq!(key.next().await.unwrap().unwrap(), "2");
    assert_eq!(script.loads(), 2);
}

#[tokio::test]
async fn a_snapshot_that_did_not_come_through_takes_nothing_from_a_handle_that_was_never_awaited() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    let watch = client.watch("team");
    let receiver = watch.receiver();
    settle().await;
    let masked = || [Unreadable::new("A", UnreadableReason::Masked)];
    for _ in 0..2 {
        script.answers(Loaded::from_iter([("B", "1")]).with_unreadable(masked()));
        clock.advance(seconds(30));
        settle().await;
        assert_eq!(at_hand(&receiver).as_deref(), Some("1"));
        assert_eq!(at_hand(&watch.receiver()).as_deref(), Some("1"), "one that is made later, too");
        assert_eq!(receiver.error().unwrap().kind(), ErrorKind::Masked);
    }
    script.holds([("A", "2")]);
    clock.advance(seconds(30));
    settle().await;
    assert_eq!((at_hand(&receiver).as_deref(), receiver.error().is_none()), (Some("2"), true));
}

#[test]
fn a_handle_that_is_made_on_a_thread_without_a_runtime_is_kept_up_to_date_by_the_runtime_of_the_one_it_came_from() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let watch = runtime.block_on(async {
        let mut watch = client.watch("team");
        lists(&mut watch).await;
        watch
    });
    let made = watch.receiver();
    let cloned = made.clone();
    script.holds([("A", "2")]);
    clock.advance(seconds(30));
    runtime.block_on(settle());
    for receiver in [&made, &cloned] {
        assert_eq!((at_hand(receiver).as_deref(), receiver.error().is_none()), (Some("2"), true));
    }
    assert_eq!(script.loads(), 2);
}

#[test]
fn a_handle_that_nothing_polls_for_any_more_says_so_and_is_polled_for_again_once_it_is_awaited() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(client.watch("team").receiver().error().unwrap().kind(), ErrorKind::Config, "made outside of a runtime");
    let first = runtime();
    let mut receiver = first.block_on(async {
        let mut receiver = client.watch("team").receiver();
        receiver.changed().await.unwrap();
        receiver
    });
    assert!(receiver.error().is_none());
    drop(first);
    script.holds([("A", "2")]);
    clock.advance(seconds(30));
    assert_eq!((at_hand(&receiver).as_deref(), receiver.error().unwrap().kind()), (Some("1"), ErrorKind::Config));
    let second = runtime();
    second.block_on(async { receiver.changed().await.unwrap() });
    assert_eq!((at_hand(&receiver).as_deref(), receiver.error().is_none()), (Some("2"), true));
    drop(client);
    second.block_on(settle());
    assert_eq!((at_hand(&receiver).as_deref(), receiver.error().unwrap().kind()), (Some("2"), ErrorKind::Config));
}
