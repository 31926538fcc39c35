//! The task behind all watchers of a scope on one runtime.

use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};

use super::{Target, WHO, who_part};
use crate::core::{Clock, ErrorKind, Tick, XtraError, spread};
use crate::engine::SecretSource;
use crate::engine::cache::{CacheOptions, Found};
use crate::engine::landing::Landed;
use crate::engine::state::{Engine, Ticket};
use crate::engine::watch::{Backoff, Feed};

/// The shortest time from one poll to the next, however short the time to live is.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest time that the time to live puts a poll off for after a failed one.
const LONGEST: Duration = Duration::from_secs(600);

/// The one that polls, for as long as anybody watches.
pub(crate) struct Poller<S: SecretSource> {
    /// Held only while it is at work.
    engine: Weak<Engine<S>>,
    target: Target<S>,
    feed: Arc<Feed>,
    backoff: Backoff,
    /// When the last poll was.
    polled: Option<Tick>,
    /// When the next one is due.
    due: Option<Tick>,
    /// A poll is asked for.
    asked: bool,
    /// The last poll was asked for, and failed. One that is asked for upon that must wait for a moment, or a program that asks
    /// at each error would ask without end.
    in_vain: bool,
    /// The time between two polls that went well.
    interval: Duration,
}

impl<S: SecretSource> Drop for Poller<S> {
    /// However it ends: with its runtime, with the client, with the last watcher.
    fn drop(&mut self) {
        self.feed.end();
    }
}

impl<S: SecretSource> Poller<S> {
    pub(crate) fn new(engine: Weak<Engine<S>>, target: Target<S>, feed: Arc<Feed>) -> Self {
        Self {
            engine,
            target,
            feed,
            backoff: Backoff::default(),
            polled: None,
            due: None,
            asked: false,
            in_vain: false,
            interval: SHORTEST,
        }
    }

    /// Shows the snapshot that the cache has, if that is fresh, before the first step.
    pub(crate) fn begin(&mut self, engine: &Engine<S>) {
        if let Ok(target) = &self.target {
            let key = engine.ticket_now(target).key;
            self.look(engine, &key);
        }
    }

    pub(crate) async fn run(mut self) {
        let feed = Arc::clone(&self.feed);
        // When the last watcher goes, a poll that is under way goes with it, unless somebody else waits for it.
        select(pin!(feed.deserted()), pin!(self.poll_on())).await;
    }

    async fn poll_on(&mut self) {
        while let Some((clock, next)) = self.step().await {
            let asleep = pin!(AssertUnwindSafe(clock.sleep_until(next)).catch_unwind());
            let stirred = pin!(self.feed.stirred());
            if let Either::Left((Err(_), _)) = select(asleep, stirred).await {
                // Ending here would have the watchers look for another poller, which would meet the same at once.
                self.feed.failed(without_timer());
                pending::<()>().await;
            }
        }
    }

    /// Polls, if that is due. Tells when it will be; never, when the client is gone.
    async fn step(&mut self) -> Option<(Clock, Tick)> {
        let engine = self.engine.upgrade()?;
        let clock = engine.clock.clone();
        let ticket = match &self.target {
            Ok(target) => engine.ticket_now(target),
            Err(error) => {
                let error = error.clone();
                return Some((clock, self.failed(&engine, error)));
            }
        };
        self.asked |= self.feed.was_asked();
        let now = clock.now();
        if let Some(due) = self.look(&engine, &ticket.key) {
            self.asked = false;
            return Some((clock, due));
        }
        let due = if self.asked {
            self.polled.filter(|_| self.in_vain).map(|polled| polled.after(SHORTEST))
        } else {
            self.due
        };
        if let Some(due) = due.filter(|due| now < *due) {
            return Some((clock, due));
        }
        self.polled = Some(now);
        let asked = std::mem::take(&mut self.asked);
        let key = ticket.key.clone();
        let due = match engine.poll(ticket).await {
            Ok(Landed { objection: Some(error), kept, .. }) => {
                if let Some(kept) = kept.filter(|_| self.feed.newest().is_none()) {
                    self.feed.show(who_part(&key), &kept);
                }
                self.failed(&engine, error)
            }
            Ok(_) => self.succeeded(&engine, &key),
            Err(error) => {
                let error = self.stand_in(&engine, &key, error).await;
                self.failed(&engine, error)
            }
        };
        self.in_vain = asked && self.backoff.is_on();
        Some((clock, due))
    }

    /// When the next poll is due, if the cache has a fresh snapshot; it is shown, too, if it has not been.
    fn look(&mut self, engine: &Engine<S>, key: &[u8]) -> Option<Tick> {
        let (cache, now) = (engine.cache.as_ref()?, engine.clock.now());
        let Found::Fresh(secrets) = cache.find(key, now) else { return None };
        let fresh_until = cache.fresh_until(key, now)?;
        if !self.feed.newest().is_some_and(|newest| Arc::ptr_eq(&newest, &secrets)) {
            self.feed.show(who_part(key), &secrets);
        }
        Some(self.went_well(engine, fresh_until))
    }

    fn succeeded(&mut self, engine: &Engine<S>, key: &[u8]) -> Tick {
        self.look(engine, key).unwrap_or_else(|| {
            // The cache is off, or has dropped it already.
            let ttl = Some(engine.options.ttl).filter(|ttl| !ttl.is_zero());
            let wait = ttl.unwrap_or(CacheOptions::default().ttl);
            self.went_well(engine, engine.clock.now().after(wait - wait.mul_f64(0.1 * spread(0))))
        })
    }

    fn went_well(&mut self, engine: &Engine<S>, due: Tick) -> Tick {
        if self.backoff.is_on() {
            self.backoff.reset();
            tracing::info!(source = engine.source.name(), "a watched scope can be read again");
        }
        let due = self.polled.map_or(due, |polled| due.max(polled.after(SHORTEST)));
        self.interval = due.since(engine.clock.now());
        self.due = Some(due);
        due
    }

    fn failed(&mut self, engine: &Engine<S>, error: XtraError) -> Tick {
        if !self.backoff.is_on() {
            let (source, kind) = (engine.source.name(), error.kind().as_str());
            tracing::warn!(source, kind, "a watched scope could not be read; the watch goes on");
        }
        let mut wait = self.backoff.after(&error);
        if !error.is_retryable() {
            // It was answered, so it counts as any other poll does.
            wait = wait.max(self.interval.min(LONGEST));
        }
        self.feed.failed(error);
        let due = engine.clock.now().after(wait);
        self.due = Some(due);
        due
    }

    /// Shows watchers that have nothing yet what reads are given in place of an answer that did not come. Gives back what to
    /// tell them of that.
    async fn stand_in(&self, engine: &Arc<Engine<S>>, key: &[u8], error: XtraError) -> XtraError {
        if self.feed.newest().is_some() {
            return error;
        }
        let found = match engine.fall_back(key, &error) {
            Some(secrets) => Ok(secrets),
            None => Arc::clone(engine).from_disk(key, error.clone()).await,
        };
        match found {
            Ok(secrets) => {
                self.feed.show(who_part(key), &secrets);
                error
            }
            Err(error) => error,
        }
    }
}

impl<S: SecretSource> Engine<S> {
    /// The answer of a load that whoever misses this scope at the same time shares.
    async fn poll(self: &Arc<Self>, ticket: Ticket<S::Owned>) -> Result<Landed, XtraError> {
        let (engine, key) = (Arc::clone(self), ticket.key.clone());
        let flight = self.flights.join(&key, move || {
            engine.counts.refreshes.fetch_add(1, Ordering::Relaxed);
            engine.load(ticket, "watch")
        });
        flight.await
    }

    /// The ticket of a scope that was checked before, for whoever asks now.
    fn ticket_now(&self, before: &Ticket<S::Owned>) -> Ticket<S::Owned> {
        let (identity, mut key) = (self.source.identity(), before.key.clone());
        if let Some(who) = key.get_mut(WHO) {
            who.copy_from_slice(identity.as_bytes());
        }
        Ticket { key, identity, scope: Arc::clone(&before.scope) }
    }
}

fn without_timer() -> XtraError {
    let message =
        "this tokio runtime has no time driver, so that nothing can be polled on it. Build it with enable_all()";
    XtraError::new(ErrorKind::Config, message)
}
