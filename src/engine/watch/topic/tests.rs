//! Tests of topics.

use std::future::poll_fn;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::task::noop_waker_ref;

use super::*;
use crate::core::{Clock, ErrorKind, Origin, SecretValue, SnapshotSource, Unreadable, UnreadableReason};

const WHO: &[u8] = b"one";

/// The next event as a word: the value of `A`, the kind of an error, or `over`.
fn next(receiver: &mut Receiver) -> Option<String> {
    match receiver.poll(&mut Context::from_waker(noop_waker_ref())) {
        Poll::Pending => None,
        Poll::Ready(None) => Some("over".to_owned()),
        Poll::Ready(Some(Event::Updated(secrets))) => secrets.get("A").map(|value| value.expose().to_owned()),
        Poll::Ready(Some(Event::Failed(error))) => Some(error.kind().to_string()),
    }
}

fn all(receiver: &mut Receiver) -> String {
    std::iter::from_fn(|| next(receiver)).take(10).collect::<Vec<_>>().join(" ")
}

fn snapshot(value: &str) -> Arc<Secrets> {
    Arc::new(Secrets::from_iter([("A", value)]))
}

fn two_in_time() -> (Arc<Secrets>, Arc<Secrets>) {
    let older = snapshot("older");
    loop {
        let newer = snapshot("newer");
        if newer.fetched() > older.fetched() {
            return (older, newer);
        }
    }
}

fn error(kind: ErrorKind) -> XtraError {
    XtraError::new(kind, "told to fail")
}

#[test]
fn every_watcher_is_told_everything_once_and_in_order() {
    let topic = Arc::new(Topic::default());
    let (mut one, mut other) = (topic.join().unwrap(), topic.join().unwrap());
    topic.update(WHO, &snapshot("1"));
    assert_eq!(all(&mut one), "1");
    topic.failed(error(ErrorKind::Network));
    assert_eq!(all(&mut one), "network");
    topic.update(WHO, &snapshot("2"));
    assert_eq!(all(&mut one), "2");
    assert_eq!(all(&mut other), "network 2", "a slow one gets the newest of each");
    topic.failed(error(ErrorKind::Timeout));
    assert_eq!((all(&mut one), all(&mut other)), ("timeout".to_owned(), "timeout".to_owned()));
}

#[test]
fn a_slow_watcher_costs_no_memory() {
    let topic = Arc::new(Topic::default());
    let mut slow = topic.join().unwrap();
    let first = snapshot("first");
    let weak = Arc::downgrade(&first);
    topic.update(WHO, &first);
    drop(first);
    for number in 0..1000 {
        topic.failed(error(ErrorKind::Network));
        topic.update(WHO, &snapshot(&number.to_string()));
    }
    assert!(weak.upgrade().is_none());
    assert_eq!(all(&mut slow), "network 999");
}

#[test]
fn who_comes_later_sees_the_newest_snapshot_and_an_error_only_while_it_lasts() {
    let topic = Arc::new(Topic::default());
    let _first = topic.join().unwrap();
    topic.update(WHO, &snapshot("1"));
    topic.failed(error(ErrorKind::Network));
    assert_eq!(all(&mut topic.join().unwrap()), "1 network");
    topic.update(WHO, &snapshot("2"));
    assert_eq!(all(&mut topic.join().unwrap()), "2");
}

#[test]
fn an_older_snapshot_never_takes_the_place_of_a_newer_one() {
    let topic = Arc::new(Topic::default());
    let mut receiver = topic.join().unwrap();
    let (older, newer) = two_in_time();
    topic.update(WHO, &newer);
    topic.update(WHO, &older);
    assert_eq!(all(&mut receiver), "newer");
}

#[test]
fn an_older_snapshot_of_another_asker_is_shown_and_then_a_newer_one_of_the_first() {
    let topic = Arc::new(Topic::default());
    let mut receiver = topic.join().unwrap();
    let (older, newer) = two_in_time();
    topic.update(WHO, &newer);
    assert_eq!(all(&mut receiver), "newer");
    topic.show(b"another", &older);
    assert_eq!(all(&mut receiver), "older");
    topic.show(WHO, &newer);
    assert_eq!(all(&mut receiver), "newer");
}

#[test]
fn what_was_readable_is_kept_beside_what_is_not_and_only_for_the_same_asker() {
    let masked = || {
        let (clock, unreadable) = (Clock::system(), vec![Unreadable::new("A", UnreadableReason::Masked)]);
        let origin = Origin {
            source: SnapshotSource::Service,
            fetched: clock.now(),
            clock,
            ttl: Duration::ZERO,
            passphrase: None,
            place: None,
        };
        let values = [("B".to_owned(), SecretValue::from("1"))].into_iter().collect();
        Arc::new(Secrets::assemble(values, unreadable, origin))
    };
    let topic = Arc::new(Topic::default());
    let receiver = topic.join().unwrap();
    let readable = || receiver.readable().map(|secrets| secrets.get("A").unwrap().expose().to_owned());
    topic.show(WHO, &snapshot("1"));
    assert_eq!(readable().as_deref(), Some("1"));
    (0..2).for_each(|_| topic.show(WHO, &masked()));
    assert_eq!(readable().as_deref(), Some("1"));
    topic.show(WHO, &snapshot("2"));
    assert_eq!((readable().as_deref(), topic.state().readable.is_none()), (Some("2"), true));
    topic.show(b"another", &masked());
    assert_eq!(readable(), None);
}

#[tokio::test]
async fn a_waiting_watcher_is_woken_by_each_kind_of_news() {
    let topic = Arc::new(Topic::default());
    let mut receiver = topic.join().unwrap();
    for word in ["1", "network", "over"] {
        let mut waiting = Box::pin(poll_fn(|context| receiver.poll(context)));
        assert!(waiting.as_mut().now_or_never().is_none());
        let waiting = async { waiting.await.is_none() };
        let (ended, ()) = futures_util::future::join(waiting, async {
            tokio::task::yield_now().await;
            match word {
                "1" => topic.update(WHO, &snapshot("1")),
                "network" => topic.failed(error(ErrorKind::Network)),
                _ => topic.end(),
            }
        })
        .await;
        assert_eq!(ended, word == "over");
    }
}

#[test]
fn a_feed_is_over_when_the_last_watcher_goes_and_takes_nobody_in_after_that() {
    let topic = Arc::new(Topic::default());
    let (one, other) = (topic.join().unwrap(), topic.join().unwrap());
    drop(one);
    assert!(topic.closed().now_or_never().is_none());
    drop(other);
    assert!(topic.closed().now_or_never().is_some() && topic.is_over());
    assert!(topic.join().is_none());
}

#[test]
fn the_poller_is_told_of_a_landing_and_of_a_poll_that_is_asked_for() {
    let topic = Arc::new(Topic::default());
    assert!(topic.changed().now_or_never().is_none());
    topic.update(WHO, &snapshot("1"));
    assert!(topic.changed().now_or_never().is_some() && !topic.was_asked());
    topic.show(WHO, &snapshot("2"));
    assert!(topic.changed().now_or_never().is_none(), "not of what it shows itself");
    topic.ask();
    assert!(topic.changed().now_or_never().is_some() && topic.was_asked());
    assert!(!topic.was_asked(), "once");
}
