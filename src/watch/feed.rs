//! What the watchers of one scope share: its newest snapshot, the newest error, and one poller.
//!
//! There is no queue. A watcher that is slow finds the newest of each when it comes, so what a feed holds does not grow.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;

use crate::error::XtraError;
use crate::secrets::Secrets;

/// One scope on one runtime. Its poller writes, and whoever has a [`Seat`] reads.
#[derive(Default)]
pub(crate) struct Feed {
    state: Mutex<State>,
    /// Wakes the poller: a snapshot has landed, or a poll is asked for.
    stirred: Notify,
    /// Wakes the poller for the last time: the last watcher is gone.
    deserted: Notify,
}

#[derive(Default)]
struct State {
    /// Numbers what comes, so that everybody sees it in this order.
    sequence: u64,
    snapshot: Option<(u64, Arc<Secrets>)>,
    error: Option<(u64, XtraError)>,
    /// By the number of the seat. `None`: it is not waiting.
    seats: HashMap<u64, Option<Waker>>,
    next_seat: u64,
    /// Somebody wants a poll now, not when it is due.
    asked: bool,
    /// No poller any more, or nobody left to poll for. This never turns back: who comes now needs another feed.
    over: bool,
}

/// What a watcher is told.
pub(crate) enum News {
    Landed(Arc<Secrets>),
    Failed(XtraError),
}

impl Feed {
    /// A place among the watchers, unless it is over. Whoever sits down is shown the newest snapshot, and the newest error
    /// when nothing has landed since.
    pub(crate) fn join(self: &Arc<Self>) -> Option<Seat> {
        let mut state = self.state();
        if state.over {
            return None;
        }
        let number = state.next_seat;
        state.next_seat += 1;
        state.seats.insert(number, None);
        let told = if state.failing().is_some() { 0 } else { state.sequence };
        Some(Seat { feed: Arc::clone(self), number, shown: 0, told })
    }

    /// Shows `secrets` to every watcher, unless they have a newer snapshot.
    pub(crate) fn landed(&self, secrets: &Arc<Secrets>) {
        self.stirred.notify_one();
        let mut state = self.state();
        let is_older = |shown: &Arc<Secrets>| secrets.fetched() < shown.fetched();
        if state.snapshot.as_ref().is_some_and(|(_, shown)| is_older(shown)) {
            return;
        }
        state.sequence += 1;
        state.snapshot = Some((state.sequence, Arc::clone(secrets)));
        drop(state);
        self.wake_all();
    }

    /// Tells `error` to every watcher.
    pub(crate) fn failed(&self, error: XtraError) {
        let mut state = self.state();
        state.sequence += 1;
        state.error = Some((state.sequence, error));
        drop(state);
        self.wake_all();
    }

    /// The newest snapshot.
    pub(crate) fn newest(&self) -> Option<Arc<Secrets>> {
        self.state().snapshot.as_ref().map(|(_, secrets)| Arc::clone(secrets))
    }

    /// Asks for a poll now.
    pub(crate) fn ask(&self) {
        self.state().asked = true;
        self.stirred.notify_one();
    }

    /// Whether a poll was asked for since the last time that this was called.
    pub(crate) fn was_asked(&self) -> bool {
        std::mem::take(&mut self.state().asked)
    }

    /// Waits until a snapshot has landed or a poll is asked for.
    pub(crate) async fn stirred(&self) {
        self.stirred.notified().await;
    }

    /// Waits until the last watcher is gone.
    pub(crate) async fn deserted(&self) {
        self.deserted.notified().await;
    }

    /// There will be no polls any more. Watchers go and look for another feed.
    pub(crate) fn end(&self) {
        self.state().over = true;
        self.wake_all();
    }

    pub(crate) fn is_over(&self) -> bool {
        self.state().over
    }

    fn wake_all(&self) {
        // Outside of the lock: a waker may run what it wakes.
        let wakers: Vec<Waker> = self.state().seats.values_mut().filter_map(Option::take).collect();
        wakers.into_iter().for_each(Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The newest error, unless a snapshot has landed since.
    fn failing(&self) -> Option<&XtraError> {
        let landed = self.snapshot.as_ref().map_or(0, |(number, _)| *number);
        self.error.as_ref().filter(|(number, _)| *number > landed).map(|(_, error)| error)
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("seats", &self.state().seats.len()).finish_non_exhaustive()
    }
}

/// One watcher's place at a feed: what it has been told. The feed is over when the last is dropped.
pub(crate) struct Seat {
    feed: Arc<Feed>,
    number: u64,
    shown: u64,
    told: u64,
}

impl Seat {
    /// The next that this watcher has not been told, in the order in which it came; `None` when the feed is over.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<News>> {
        let mut state = self.feed.state();
        let landed = state.snapshot.as_ref().filter(|(number, _)| *number > self.shown);
        let failed = state.error.as_ref().filter(|(number, _)| *number > self.told);
        let news = match (landed, failed) {
            (Some((number, secrets)), failed) if failed.is_none_or(|(error, _)| number < error) => {
                self.shown = *number;
                News::Landed(Arc::clone(secrets))
            }
            (_, Some((number, error))) => {
                self.told = *number;
                News::Failed(error.clone())
            }
            _ if state.over => return Poll::Ready(None),
            _ => {
                state.seats.insert(self.number, Some(context.waker().clone()));
                return Poll::Pending;
            }
        };
        Poll::Ready(Some(news))
    }

    pub(crate) fn newest(&self) -> Option<Arc<Secrets>> {
        self.feed.newest()
    }

    pub(crate) fn failing(&self) -> Option<XtraError> {
        self.feed.state().failing().cloned()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.feed.state();
        state.seats.remove(&self.number);
        if state.seats.is_empty() {
            state.over = true;
            drop(state);
            self.feed.deserted.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures_util::FutureExt;
    use futures_util::task::noop_waker_ref;

    use super::*;
    use crate::error::ErrorKind;

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

    fn error(kind: ErrorKind) -> XtraError {
        XtraError::new(kind, "told to fail")
    }

    #[test]
    fn every_watcher_is_told_everything_once_and_in_order() {
        let feed = Arc::new(Feed::default());
        let (mut one, mut other) = (feed.join().unwrap(), feed.join().unwrap());
        feed.landed(&snapshot("1"));
        assert_eq!(all(&mut one), "1");
        feed.failed(error(ErrorKind::Network));
        assert_eq!(all(&mut one), "network");
        feed.landed(&snapshot("2"));
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
        feed.landed(&first);
        drop(first);
        for number in 0..1000 {
            feed.failed(error(ErrorKind::Network));
            feed.landed(&snapshot(&number.to_string()));
        }
        assert!(weak.upgrade().is_none());
        assert_eq!(all(&mut slow), "network 999");
    }

    #[test]
    fn who_comes_later_sees_the_newest_snapshot_and_an_error_only_while_it_lasts() {
        let feed = Arc::new(Feed::default());
        let _first = feed.join().unwrap();
        feed.landed(&snapshot("1"));
        feed.failed(error(ErrorKind::Network));
        assert_eq!(all(&mut feed.join().unwrap()), "1 network");
        feed.landed(&snapshot("2"));
        assert_eq!(all(&mut feed.join().unwrap()), "2");
    }

    #[test]
    fn an_older_snapshot_never_takes_the_place_of_a_newer_one() {
        let feed = Arc::new(Feed::default());
        let mut seat = feed.join().unwrap();
        let older = snapshot("older");
        let newer = loop {
            let newer = snapshot("newer");
            if newer.fetched() > older.fetched() {
                break newer;
            }
        };
        feed.landed(&newer);
        feed.landed(&older);
        assert_eq!(all(&mut seat), "newer");
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
                    "1" => feed.landed(&snapshot("1")),
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
        feed.landed(&snapshot("1"));
        assert!(feed.stirred().now_or_never().is_some() && !feed.was_asked());
        feed.ask();
        assert!(feed.stirred().now_or_never().is_some() && feed.was_asked());
        assert!(!feed.was_asked(), "once");
    }
}
