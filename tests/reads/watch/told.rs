//! What a watch does when its source tells of changes by itself.

use xtrasecurity::{CacheOptions, ErrorKind};

use super::script::{Script, Word, error, seconds, settle, tasks};
use super::{lists, names};

#[tokio::test]
async fn a_source_that_tells_of_a_change_is_read_although_the_snapshot_is_fresh_and_what_comes_together_is_one_read() {
    for cache in [CacheOptions::default(), CacheOptions::default().ttl(seconds(0))] {
        let script = Script::new([("A", "1")]);
        let tell = script.tells();
        let (client, _clock) = script.client_by(cache);
        let mut watch = client.watch("team");
        lists(&mut watch).await;
        script.holds([("A", "2")]);
        for _ in 0..10 {
            tell.send(Word::Changed).unwrap_or_default();
            settle().await;
        }
        assert_eq!(lists(&mut watch).await, [vec![], names(["A"]), vec![]]);
        assert_eq!(script.loads(), 2);
    }
}

#[tokio::test]
async fn while_a_source_tells_it_is_polled_every_ten_minutes_and_when_it_is_lost_ends_or_panics_as_ever() {
    for end in [Some(Word::Lost), Some(Word::Panic), None] {
        let script = Script::new([("A", "1")]);
        let tell = script.tells();
        let (client, clock) = script.client();
        let mut watch = client.watch("team");
        lists(&mut watch).await;
        script.holds([("A", "2")]);
        tell.send(Word::Connected).unwrap_or_default();
        assert_eq!(lists(&mut watch).await, [vec![], names(["A"]), vec![]], "nobody told what changed before");
        for _ in 0..17 {
            clock.advance(seconds(30));
            settle().await;
        }
        assert_eq!(script.loads(), 2, "510 s");
        script.holds([("A", "3")]);
        clock.advance(seconds(90));
        assert_eq!(lists(&mut watch).await, [vec![], names(["A"]), vec![]]);
        match end {
            Some(end) => tell.send(end).unwrap_or_default(),
            None => drop(tell),
        }
        settle().await;
        script.holds([("A", "4")]);
        clock.advance(seconds(30));
        assert_eq!(lists(&mut watch).await, [vec![], names(["A"]), vec![]]);
    }
}

#[tokio::test]
async fn what_is_told_while_reads_fail_brings_no_read_before_the_next_is_due() {
    let script = Script::new([("A", "1")]);
    let tell = script.tells();
    let (client, clock) = script.client();
    let mut watch = client.watch("team");
    lists(&mut watch).await;
    script.fails(error(ErrorKind::Network));
    clock.advance(seconds(30));
    assert!(watch.next().await.unwrap().is_err());
    for _ in 0..10 {
        tell.send(Word::Changed).unwrap_or_default();
        settle().await;
    }
    assert_eq!(script.loads(), 2);
    script.holds([("A", "2")]);
    clock.advance(seconds(2));
    assert_eq!(lists(&mut watch).await, [vec![], names(["A"]), vec![]]);
}

#[tokio::test]
async fn what_listens_ends_with_the_last_watcher() {
    let script = Script::new([("A", "1")]);
    let tell = script.tells();
    let (client, _clock) = script.client();
    let (mut one, two) = (client.watch("team"), client.watch("team"));
    lists(&mut one).await;
    drop(one);
    settle().await;
    assert!(!tell.is_closed(), "one still watches");
    drop(two);
    assert_eq!(tasks(0).await, 0);
    assert!(tell.is_closed());
}
