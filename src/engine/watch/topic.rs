//! The topic of a watched scope: its newest snapshot and its newest error, which all its watchers share.
//!
//! There is no queue. A watcher that is slow finds the newest of each when it comes, so what a topic holds does not grow.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;

use crate::core::{Secrets, XtraError};

/// One scope on one runtime. Its poller writes, and whoever has a [`Receiver`] reads.
#[derive(Default)]
pub(crate) struct Topic {
    state: Mutex<State>,
    /// Wakes the poller: there is a new snapshot, or a poll is asked for.
    changed: Notify,
    /// Wakes the poller for the last time: the last watcher is gone.
    closed: Notify,
}

#[derive(Default)]
struct State {
    /// Numbers what comes, so that everybody sees it in this order.
    sequence: u64,
    snapshot: Option<Shown>,
    /// The one before, when the newest has values that did not come through and that one had not.
    readable: Option<Arc<Secrets>>,
    error: Option<(u64, XtraError)>,
    /// By the number of the receiver. `None`: it is not waiting.
    receivers: HashMap<u64, Option<Waker>>,
    next_receiver: u64,
    /// Somebody wants a poll now, not when it is due.
    asked: bool,
    /// The service has said that something has changed.
    told: bool,
    /// The service says what changes.
    listens: bool,
    /// No poller any more, or nobody left to poll for. This never turns back: who comes now needs another topic.
    over: bool,
}

/// The newest snapshot.
struct Shown {
    sequence: u64,
    /// On whose behalf it was asked for. Times of two that ask cannot be compared: each has a snapshot of its own in the cache.
    who: Vec<u8>,
    secrets: Arc<Secrets>,
}

/// What a watcher is told.
pub(crate) enum Event {
    Updated(Arc<Secrets>),
    Failed(XtraError),
}

impl Topic {
    /// A receiver, unless the topic is over. It is given the newest snapshot, and the newest error when no snapshot has come
    /// since.
    pub(crate) fn join(self: &Arc<Self>) -> Option<Receiver> {
        let mut state = self.state();
        if state.over {
            return None;
        }
        let number = state.next_receiver;
        state.next_receiver += 1;
        state.receivers.insert(number, None);
        let told = if state.failing().is_some() { 0 } else { state.sequence };
        Some(Receiver { topic: Arc::clone(self), number, shown: 0, told })
    }

    /// Shows what somebody else has fetched to every watcher, and wakes the poller, for which less is left to do.
    pub(crate) fn update(&self, who: &[u8], secrets: &Arc<Secrets>) {
        self.changed.notify_one();
        self.show(who, secrets);
    }

    /// Shows `secrets` to every watcher, unless they have a newer snapshot of the same asker. The poller itself calls this: were
    /// it woken by that, it would come back at once, and for ever when the snapshot is not taken.
    pub(crate) fn show(&self, who: &[u8], secrets: &Arc<Secrets>) {
        let mut state = self.state();
        let before =
            state.snapshot.as_ref().filter(|before| before.who == who).map(|before| Arc::clone(&before.secrets));
        if before.as_ref().is_some_and(|before| secrets.fetched() < before.fetched()) {
            return;
        }
        let earlier = state.readable.take();
        state.readable = match before {
            Some(before) if !came_through(secrets) => Some(before).filter(|before| came_through(before)).or(earlier),
            _ => None,
        };
        state.sequence += 1;
        let sequence = state.sequence;
        state.snapshot = Some(Shown { sequence, who: who.to_vec(), secrets: Arc::clone(secrets) });
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
        self.state().snapshot.as_ref().map(|shown| Arc::clone(&shown.secrets))
    }

    /// Asks for a poll now.
    pub(crate) fn ask(&self) {
        self.state().asked = true;
        self.changed.notify_one();
    }

    /// Whether a poll was asked for since the last time that this was called.
    pub(crate) fn was_asked(&self) -> bool {
        std::mem::take(&mut self.state().asked)
    }

    /// The service has said that something may have changed.
    pub(crate) fn tell(&self) {
        self.state().told = true;
        self.changed.notify_one();
    }

    /// Whether it has, since this was called last.
    pub(crate) fn was_told(&self) -> bool {
        std::mem::take(&mut self.state().told)
    }

    /// Says whether the service tells of changes from now on.
    pub(crate) fn set_listens(&self, listens: bool) {
        if std::mem::replace(&mut self.state().listens, listens) != listens {
            self.changed.notify_one();
        }
    }

    pub(crate) fn listens(&self) -> bool {
        self.state().listens
    }

    /// Waits until there is a new snapshot or a poll is asked for.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Waits until the last watcher is gone.
    pub(crate) async fn closed(&self) {
        self.closed.notified().await;
    }

    /// There will be no polls any more. Watchers go and look for another topic.
    pub(crate) fn end(&self) {
        self.state().over = true;
        self.wake_all();
    }

    pub(crate) fn is_over(&self) -> bool {
        self.state().over
    }

    fn wake_all(&self) {
        // Outside of the lock: a waker may run what it wakes.
        let wakers: Vec<Waker> = self.state().receivers.values_mut().filter_map(Option::take).collect();
        wakers.into_iter().for_each(Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The newest error, unless a snapshot has come since.
    fn failing(&self) -> Option<&XtraError> {
        let landed = self.snapshot.as_ref().map_or(0, |shown| shown.sequence);
        self.error.as_ref().filter(|(number, _)| *number > landed).map(|(_, error)| error)
    }
}

fn came_through(secrets: &Secrets) -> bool {
    secrets.unreadable().is_empty()
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topic").field("receivers", &self.state().receivers.len()).finish_non_exhaustive()
    }
}

/// One watcher of a topic, and what it has been told. The topic is over when the last is dropped.
pub(crate) struct Receiver {
    topic: Arc<Topic>,
    number: u64,
    shown: u64,
    told: u64,
}

impl Receiver {
    /// The next that this watcher has not been told, in the order in which it came; `None` when the topic is over.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        let mut state = self.topic.state();
        let landed = state.snapshot.as_ref().filter(|landed| landed.sequence > self.shown);
        let failed = state.error.as_ref().filter(|(number, _)| *number > self.told);
        let event = match (landed, failed) {
            (Some(landed), failed) if failed.is_none_or(|(error, _)| landed.sequence < *error) => {
                self.shown = landed.sequence;
                Event::Updated(Arc::clone(&landed.secrets))
            }
            (_, Some((number, error))) => {
                self.told = *number;
                Event::Failed(error.clone())
            }
            _ if state.over => return Poll::Ready(None),
            _ => {
                state.receivers.insert(self.number, Some(context.waker().clone()));
                return Poll::Pending;
            }
        };
        Poll::Ready(Some(event))
    }

    pub(crate) fn newest(&self) -> Option<Arc<Secrets>> {
        self.topic.newest()
    }

    /// The newest snapshot in which everything came through.
    pub(crate) fn readable(&self) -> Option<Arc<Secrets>> {
        let state = self.topic.state();
        let newest = state.snapshot.as_ref().map(|shown| &shown.secrets).filter(|newest| came_through(newest));
        newest.or(state.readable.as_ref()).map(Arc::clone)
    }

    pub(crate) fn failing(&self) -> Option<XtraError> {
        self.topic.state().failing().cloned()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.topic.is_over()
    }

    /// A receiver at the same topic, with nothing told yet; `None` when it is over.
    pub(crate) fn beside(&self) -> Option<Self> {
        self.topic.join()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut state = self.topic.state();
        state.receivers.remove(&self.number);
        if state.receivers.is_empty() {
            state.over = true;
            drop(state);
            self.topic.closed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
