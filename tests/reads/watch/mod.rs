//! What `watch` promises: what its streams and handles give, when they poll, what errors do, and how they end.
//!
//! Time is a clock that is driven by hand, and the source answers as it is told to. `service.rs` has the service in memory.

mod askers;
mod endings;
mod errors;
mod handles;
mod polls;
mod script;
mod service;
mod told;

use futures_util::StreamExt;
use script::{Script, seconds};
use xtrasecurity::watch::{Change, Watch};

/// The next change, as its three lists.
async fn lists(watch: &mut Watch) -> [Vec<String>; 3] {
    let next = script::soon(watch.next()).await;
    let Change { added, changed, removed, .. } = next.expect("it goes on").expect("no error");
    [added, changed, removed]
}

fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

#[tokio::test]
async fn the_first_item_is_the_snapshot_as_it_is_and_later_ones_are_what_became_of_it() {
    let script = Script::new([("A", "1"), ("B", "2")]);
    let (client, clock) = script.client();
    let mut watch = client.watch("team");
    assert_eq!(lists(&mut watch).await, [names(["A", "B"]), vec![], vec![]]);
    script.holds([("B", "3"), ("C", "4")]);
    clock.advance(seconds(30));
    let change = watch.next().await.unwrap().unwrap();
    assert_eq!((&change.added, &change.changed, &change.removed), (&names(["C"]), &names(["B"]), &names(["A"])));
    assert_eq!(change.snapshot.require("B").unwrap().expose(), "3");
}

#[tokio::test]
async fn the_first_item_comes_although_the_scope_has_no_secrets() {
    let (client, _clock) = Script::new([]).client();
    let change = client.watch("team").next().await.unwrap().unwrap();
    assert!(change.is_empty() && change.snapshot.is_empty());
}

#[tokio::test]
async fn a_poll_that_brings_the_same_is_no_item() {
    let script = Script::new([("A", "1")]);
    let (client, clock) = script.client();
    let mut watch = client.watch("team");
    lists(&mut watch).await;
    for load in 2..5 {
        clock.advance(seconds(30));
        script::settle().await;
        assert_eq!(script.loads(), load);
    }
    script.holds([("A", "2")]);
    clock.advance(seconds(30));
    assert_eq!(lists(&mut watch).await, [vec![], names(["A"]), vec![]]);
}

#[tokio::test]
async fn a_slow_watcher_gets_one_change_from_what_it_had_to_what_is_now() {
    let script = Script::new([("A", "1"), ("B", "1")]);
    let (client, clock) = script.client();
    let (mut slow, mut quick) = (client.watch("team"), client.watch("team"));
    lists(&mut slow).await;
    lists(&mut quick).await;
    for (now, change) in [
        (vec![("A", "2"), ("B", "1")], [vec![], names(["A"]), vec![]]),
        (vec![("A", "1"), ("C", "1")], [names(["C"]), names(["A"]), names(["B"])]),
        (vec![("A", "1"), ("D", "1")], [names(["D"]), vec![], names(["C"])]),
    ] {
        script.holds(now);
        clock.advance(seconds(30));
        assert_eq!(lists(&mut quick).await, change);
    }
    assert_eq!(lists(&mut slow).await, [names(["D"]), vec![], names(["B"])], "A is as it was, C came and went");
}

#[tokio::test]
async fn a_watch_is_a_stream_that_combinators_take() {
    let script = Script::new([("A", "1")]);
    let (client, _clock) = script.client();
    let (team, other) = (client.watch("team"), client.watch("other"));
    let mut both = futures_util::stream::select(team, other).map(|item| item.expect("no error"));
    assert_eq!(both.next().await.unwrap().added, ["A"]);
    assert_eq!(both.next().await.unwrap().added, ["A"]);
}

#[tokio::test]
async fn streams_and_handles_may_be_sent_to_other_tasks_and_shared() {
    fn assert_both<T: Send + Sync + Unpin + 'static>(_: &T) {}
    let (client, _clock) = Script::new([("A", "1")]).client();
    let mut watch = client.watch("team");
    assert_both(&watch);
    assert_both(&watch.receiver());
    assert_both(&watch.secret("A"));
    assert!(tokio::spawn(async move { watch.next().await }).await.unwrap().unwrap().is_ok());
}

#[tokio::test]
async fn nothing_that_a_watch_consists_of_prints_a_value() {
    let (client, _clock) = Script::new([("A", "hunter2")]).client();
    let mut watch = client.watch("team");
    let change = watch.next().await.unwrap().unwrap();
    let (mut receiver, mut key) = (watch.receiver(), watch.secret("A"));
    receiver.changed().await.unwrap();
    key.next().await.unwrap();
    let text = format!("{change:#?} {watch:#?} {receiver:#?} {key:#?}");
    assert!(text.contains("[REDACTED]") && !text.contains("hunter2"), "{text}");
}
