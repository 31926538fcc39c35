//! The answer to a read that the cache does not serve at once: a load, and how long a reader waits for it.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};

use super::SecretSource;
use super::cache::{Boarded, Flight, Found};
use super::failures::Last;
use super::grace::is_own_refusal;
use super::landing::Landed;
use super::request::Options;
use super::state::{Answer, Engine, Ticket};
use crate::core::{ErrorKind, Secrets, XtraError};

type Outcome = Result<Landed, XtraError>;

/// How long a reader on whose time everything happens looks whether a slow load has ended meanwhile.
const GLANCE: Duration = Duration::from_millis(20);

/// What a reader has when it has waited.
enum Waited {
    Over(Outcome),
    /// The load takes longer than a reader waits that has something else. This.
    TooLong(Arc<Secrets>),
}

impl<S: SecretSource> Engine<S> {
    pub(crate) async fn answer(self: Arc<Self>, ticket: Ticket<S::Owned>, options: Options) -> Answer {
        let key = ticket.key.clone();
        if options.no_cache || self.cache.is_none() {
            return match Arc::clone(&self).load(ticket, "read").await {
                Ok(landed) if options.no_cache => landed.answered(options.allow_any_answer),
                Ok(landed) => landed.served(options.allow_any_answer),
                Err(error) if options.no_cache => Err(error),
                Err(error) => self.from_disk(&key, error).await,
            };
        }
        let again = ticket.clone();
        let waited = match self.board(ticket) {
            Boarded::Leader(flight) => self.wait(&key, flight, true).await,
            Boarded::Follower(flight) => match self.wait(&key, flight, false).await {
                // It began on a runtime that then stood still. This caller has come just now, and has its own time to wait.
                Waited::Over(Err(error)) if error.is_stalled() => {
                    let flight = self.board(again).into_flight();
                    self.wait(&key, flight, true).await
                }
                waited => waited,
            },
        };
        match waited {
            Waited::TooLong(secrets) => Ok(secrets),
            Waited::Over(Ok(landed)) => {
                if options.allow_unreadable && landed.is_masked {
                    self.keep_masked(&key, &landed);
                }
                landed.served(options.allow_any_answer)
            }
            Waited::Over(Err(error)) => match self.fall_back(&key, &error) {
                Some(secrets) => Ok(secrets),
                None => self.from_disk(&key, error).await,
            },
        }
    }

    fn board(self: &Arc<Self>, ticket: Ticket<S::Owned>) -> Boarded<Outcome> {
        let (loader, key) = (Arc::clone(self), ticket.key.clone());
        self.flights.board(&key, move || loader.load_unless(ticket, "read", |_| true))
    }

    /// Waits for a load; for `stale_wait` at most, when there is something that may be served instead.
    async fn wait(self: &Arc<Self>, key: &[u8], mut flight: Flight<Outcome>, leads: bool) -> Waited {
        loop {
            if self.usable(key).is_none() {
                return Waited::Over(flight.await);
            }
            let patience = self.options.stale_wait;
            let patience = if self.failures.is_slow(key, self.clock.now()) { patience.min(GLANCE) } else { patience };
            let alarm = pin!(self.alarms.ring(key, patience, self.source.has_timers()));
            match select(&mut flight, alarm).await {
                Either::Left((outcome, _)) => return Waited::Over(outcome),
                Either::Right(((), _)) => {}
            }
            // It may have come to its end while this one waited.
            if let Some(secrets) = self.usable(key) {
                self.leave(key, flight, leads);
                return Waited::TooLong(self.serve_aged(key, secrets));
            }
        }
    }

    /// What may be served in place of a load that is under way.
    fn usable(&self, key: &[u8]) -> Option<Arc<Secrets>> {
        let now = self.clock.now();
        match self.cache.as_ref()?.find(key, now) {
            Found::Fresh(secrets) => Some(secrets),
            Found::Stale(secrets) | Found::Old(secrets) => {
                Some(secrets).filter(|_| self.last(key, now) != Some(Last::Refused))
            }
            Found::Nothing => None,
        }
    }

    /// Sees to it that a load goes on whose reader does not wait any more, and that others do not wait either.
    fn leave(&self, key: &[u8], flight: Flight<Outcome>, leads: bool) {
        let now = self.clock.now();
        tracing::debug!(source = self.source.name(), "a refresh takes longer than a read waits");
        if !leads && self.failures.is_slow(key, now) {
            return;
        }
        if self.tasks.carry_on(async move { drop(flight.await) }) {
            self.failures.note_slow(key, now);
        } else {
            // Nobody is there to end it. It is dropped, and the scope left alone for a while.
            let late = XtraError::new(ErrorKind::Timeout, "the refresh took longer than a read waits");
            self.failures.note(key, &late, true, now);
        }
    }

    /// There is no disk.
    #[cfg(not(feature = "offline"))]
    pub(crate) async fn from_disk(self: Arc<Self>, key: &[u8], error: XtraError) -> Answer {
        Err(self.explained(key, error))
    }

    /// What the cache has in place of an answer that did not come.
    pub(crate) fn fall_back(&self, key: &[u8], error: &XtraError) -> Option<Arc<Secrets>> {
        let is_away = self.is_away(key, error);
        match self.cache.as_ref()?.find(key, self.clock.now()) {
            Found::Fresh(secrets) => Some(secrets),
            Found::Stale(secrets) if is_away || !error.is_foreign_refusal() => Some(self.serve_aged(key, secrets)),
            Found::Old(secrets) if is_away => Some(self.serve_aged(key, secrets)),
            Found::Stale(_) | Found::Old(_) | Found::Nothing => None,
        }
    }

    /// Whether an error counts as a service that cannot be reached, where it is to be decided whether what is kept is served.
    pub(crate) fn is_away(&self, key: &[u8], error: &XtraError) -> bool {
        error.is_retryable() || error.is_foreign_refusal() && self.grace.covers(key, self.clock.now())
    }

    /// An error that says why nothing is served in its place, where that is not plain.
    pub(crate) fn explained(&self, key: &[u8], error: XtraError) -> XtraError {
        if !error.is_foreign_refusal() || self.grace.period().is_zero() || !self.grace.is_over(key, self.clock.now()) {
            return error;
        }
        error.adding(&format!(
            ". The refusal is not the service's own, so what was kept has been served in its place; that ends {:?} after the \
             first (foreign_refusal_grace). Nothing was deleted",
            self.grace.period()
        ))
    }

    /// What the last refresh of a scope, which failed, means for the next.
    pub(crate) fn last(&self, key: &[u8], now: crate::core::Tick) -> Option<Last> {
        match self.failures.last(key, now) {
            _ if self.failures.is_foreign(key) && self.grace.is_over(key, now) => Some(Last::Refused),
            last => last,
        }
    }

    /// A load has failed.
    pub(crate) fn fail(&self, key: &[u8], error: &XtraError) {
        let now = self.clock.now();
        if crate::engine::grace::is_own_answer(error) {
            self.grace.end(key);
        }
        if is_own_refusal(error) {
            self.drop_refused(key);
        } else if !error.is_stalled() {
            // what nobody drove tells nothing of the service
            self.failures.note(key, error, self.is_away(key, error), now);
        }
        tracing::debug!(source = self.source.name(), kind = error.kind().as_str(), "secrets could not be read");
    }

    /// The service has said that the caller may no longer have what the cache holds.
    pub(crate) fn drop_refused(&self, key: &[u8]) {
        if let Some(cache) = &self.cache {
            cache.forget(key, self.clock.now());
        }
        self.failures.clear(key);
        self.guard.forget(key);
    }
}
