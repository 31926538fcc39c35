use std::future::poll_fn;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::task::noop_waker_ref;

use super::*;
use crate::core::{Clock, ErrorKind, Origin, SecretValue, SnapshotSource, Unreadable, UnreadableReason};

const WHO: &[u8] = b"one";

/// The next news as a word: the value of `A`, the kind of an error, or `over`.
fn next(seat: &mut Seat) -> Option<String> {
    match seat.poll(&mut Context::from_waker(noop_waker_ref())) {
        Poll::Pending => None,
        Poll::Ready(None) => Some("over".to_owned()),
        Poll::Ready(Some(News::Landed(secrets))) => secrets.get("A").map(|value| value.expose().to_owned()),
        Poll::Ready(Some(News::Failed(error))) => Some(error.kind().to_string()),
    }
}

fn all(seat: &mut Seat) -> String {
    std::iter::from_fn(|| next(seat)).take(10).collect::<Vec<_>>().join(" ")
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
    let feed = Arc::new(Feed::default());
    let (mut one, mut other) = (feed.join().unwrap(), feed.join().unwrap());
    feed.landed(WHO, &snapshot("1"));
    assert_eq!(all(&mut one), "1");
    feed.failed(error(ErrorKind::Network));
    assert_eq!(all(&mut one), "network");
    feed.landed(WHO, &snapshot("2"));
    assert_eq!(all(&mut one), "2");
    assert_eq!(all(&mut other), "network 2", "a slow one gets the newest of each");
    feed.failed(error(ErrorKind::Timeout));
    assert_eq!((all(&mut one), all(&mut other)), ("timeout".to_owned(), "timeout".to_owned()));
}

#[test]
fn a_slow_watcher_costs_no_memory() {
    let feed = Arc::new(Feed::default());
    let mut slow = feed.join().unwrap();
    let first = snapshot("first");
    let weak = Arc::downgrade(&first);
    feed.landed(WHO, &first);
    drop(first);
    for number in 0..1000 {
        feed.failed(error(ErrorKind::Network));
        feed.landed(WHO, &snapshot(&number.to_string()));
    }
    assert!(weak.upgrade().is_none());
    assert_eq!(all(&mut slow), "network 999");
}

#[test]
fn who_comes_later_sees_the_newest_snapshot_and_an_error_only_while_it_lasts() {
    let feed = Arc::new(Feed::default());
    let _first = feed.join().unwrap();
    feed.landed(WHO, &snapshot("1"));
    feed.failed(error(ErrorKind::Network));
    assert_eq!(all(&mut feed.join().unwrap()), "1 network");
    feed.landed(WHO, &snapshot("2"));
    assert_eq!(all(&mut feed.join().unwrap()), "2");
}

#[test]
fn an_older_snapshot_never_takes_the_place_of_a_newer_one() {
    let feed = Arc::new(Feed::default());
    let mut seat = feed.join().unwrap();
    let (older, newer) = two_in_time();
    feed.landed(WHO, &newer);
    feed.landed(WHO, &older);
    assert_eq!(all(&mut seat), "newer");
}

#[test]
fn an_older_snapshot_of_another_asker_is_shown_and_then_a_newer_one_of_the_first() {
    let feed = Arc::new(Feed::default());
    let mut seat = feed.join().unwrap();
    let (older, newer) = two_in_time();
    feed.landed(WHO, &newer);
    assert_eq!(all(&mut seat), "newer");
    feed.show(b"another", &older);
    assert_eq!(all(&mut seat), "older");
    feed.show(WHO, &newer);
    assert_eq!(all(&mut seat), "newer");
}

#[test]
fn what_was_readable_is_kept_beside_what_is_not_and_only_for_the_same_asker() {
    let masked = || {
        let (clock, unreadable) = (Clock::system(), vec![Unreadable::new("A", UnreadableReason::Masked)]);
        let origin = Origin { source: SnapshotSource::Service, fetched: clock.now(), clock, ttl: Duration::ZERO };
        let values = [("B".to_owned(), SecretValue::from("1"))].into_iter().collect();
        Arc::new(Secrets::assemble(values, unreadable, origin))
    };
    let feed = Arc::new(Feed::default());
    let seat = feed.join().unwrap();
    let readable = || seat.readable().map(|secrets| secrets.get("A").unwrap().expose().to_owned());
    feed.show(WHO, &snapshot("1"));
    assert_eq!(readable().as_deref(), Some("1"));
    (0..2).for_each(|_| feed.show(WHO, &masked()));
    assert_eq!(readable().as_deref(), Some("1"));
    feed.show(WHO, &snapshot("2"));
    assert_eq!((readable().as_deref(), feed.state().readable.is_none()), (Some("2"), true));
    feed.show(b"another", &masked());
    assert_eq!(readable(), None);
}

#[tokio::test]
async fn a_waiting_watcher_is_woken_by_each_kind_of_news() {
    let feed = Arc::new(Feed::default());
    let mut seat = feed.join().unwrap();
    for word in ["1", "network", "over"] {
        let mut waiting = Box::pin(poll_fn(|context| seat.poll(context)));
        assert!(waiting.as_mut().now_or_never().is_none());
        let waiting = async { waiting.await.is_none() };
        let (ended, ()) = futures_util::future::join(waiting, async {
            tokio::task::yield_now().await;
            match word {
                "1" => feed.landed(WHO, &snapshot("1")),
                "network" => feed.failed(error(ErrorKind::Network)),
                _ => feed.end(),
            }
        })
        .await;
        assert_eq!(ended, word == "over");
    }
}

#[test]
fn a_feed_is_over_when_the_last_watcher_goes_and_takes_nobody_in_after_that() {
    let feed = Arc::new(Feed::default());
    let (one, other) = (feed.join().unwrap(), feed.join().unwrap());
    drop(one);
    assert!(feed.deserted().now_or_never().is_none());
    drop(other);
    assert!(feed.deserted().now_or_never().is_some() && feed.is_over());
    assert!(feed.join().is_none());
}

#[test]
fn the_poller_is_told_of_a_landing_and_of_a_poll_that_is_asked_for() {
    let feed = Arc::new(Feed::default());
    assert!(feed.stirred().now_or_never().is_none());
    feed.landed(WHO, &snapshot("1"));
    assert!(feed.stirred().now_or_never().is_some() && !feed.was_asked());
    feed.show(WHO, &snapshot("2"));
    assert!(feed.stirred().now_or_never().is_none(), "not of what it shows itself");
    feed.ask();
    assert!(feed.stirred().now_or_never().is_some() && feed.was_asked());
    assert!(!feed.was_asked(), "once");
}
