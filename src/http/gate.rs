//! The gate before every request: the limits of the service, kept to before it has to refuse.

use std::collections::HashMap;
use std::future::pending;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use futures_util::future::select;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::base_url::BaseUrl;
use super::options::TransportOptions;
use super::protocol::Protocol;
use super::quota::{Admission, QuotaHeaders, QuotaNames, Quotas};
use super::rate_limiter::{Full, SlidingWindow};
use super::response::Response;
use crate::core::{Clock, ErrorKind, Quota, XtraError, events, spread};

/// The limits of a root: its quotas, and how many requests it takes in a minute.
pub(super) struct Gate {
    quotas: Mutex<Quotas>,
    /// `None` when it is turned off.
    limiter: Option<Arc<Limiter>>,
    /// The headers that report quotas.
    names: Option<QuotaNames>,
    clock: Clock,
}

/// The queue of requests to a root.
struct Limiter {
    window: Mutex<SlidingWindow>,
    /// Reservations have been moved.
    moved: Notify,
}

/// A reservation in a limiter, which is released when the call goes away without having been sent.
struct Reserved<'a> {
    gate: &'a Gate,
    limiter: &'a Limiter,
    number: u64,
    is_used: bool,
}

/// A request, before it is sent.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) scope: &'a str,
    pub(super) operation: &'static str,
}

/// How a request came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    AtOnce,
    /// It had to wait.
    Delayed,
}

impl Gate {
    pub(super) fn new(base: &BaseUrl, protocol: &Arc<dyn Protocol>, options: &TransportOptions) -> Self {
        let clock = options.clock.clone();
        let limiter = limiter_of(base, options.requests_per_minute, protocol.requests_per_minute(), &clock);
        Self { quotas: Mutex::default(), limiter, names: protocol.quota().and_then(QuotaNames::new), clock }
    }

    /// Real time, and what the clock was moved on by hand: then windows of the service end, as they do for the dev server.
    fn now(&self) -> Instant {
        Instant::now() + self.clock.moved_by().unwrap_or_default()
    }

    /// Waits until the request may be sent, when that is before `deadline`, in real time; otherwise fails at once.
    pub(super) async fn pass(&self, caller: Caller<'_>, deadline: Instant) -> Result<Passed, XtraError> {
        let mut passed = Passed::AtOnce;
        loop {
            while let Some(until) = self.quota_opens(caller, deadline, Quotas::check)? {
                passed = Passed::Delayed;
                let what = "the service has asked for a pause, which is waited for";
                self.wait(caller, until, pending(), what).await;
            }
            let reserved = match &self.limiter {
                Some(limiter) => Some(self.reserve(limiter, caller, deadline, &mut passed).await?),
                None => None,
            };
            // The quota may have been refused meanwhile. Leave to probe is taken last, by one that sends.
            if self.quota_opens(caller, deadline, Quotas::acquire)?.is_none() {
                reserved.into_iter().for_each(Reserved::go);
                return Ok(passed);
            }
        }
    }

    /// A reservation in the limiter, once its time has come.
    async fn reserve<'a>(
        &'a self,
        limiter: &'a Limiter,
        caller: Caller<'_>,
        deadline: Instant,
        passed: &mut Passed,
    ) -> Result<Reserved<'a>, XtraError> {
        let refused = |full| refused_by_root(full, self.now());
        let reservation = lock(&limiter.window).reserve(self.by_clock(deadline), self.now()).map_err(refused)?;
        let reserved = Reserved { gate: self, limiter, number: reservation.number, is_used: false };
        loop {
            // before looking, so that no move in between goes by unnoticed
            let mut moved = pin!(limiter.moved.notified());
            moved.as_mut().enable();
            let now = self.now();
            let at = lock(&limiter.window).when(reserved.number, self.by_clock(deadline), now).map_err(refused)?;
            if at <= now {
                return Ok(reserved);
            }
            *passed = Passed::Delayed;
            let what = "requests come too fast for the service; this one waits for its turn";
            self.wait(caller, at, moved, what).await;
        }
    }

    /// A point in real time, on the time line of this gate.
    fn by_clock(&self, at: Instant) -> Instant {
        at + self.clock.moved_by().unwrap_or_default()
    }

    /// Waits until then, or for less when the clock is moved in between, or until `sooner`.
    async fn wait(&self, caller: Caller<'_>, until: Instant, sooner: impl Future<Output = ()>, what: &'static str) {
        let left = until.saturating_duration_since(self.now());
        let wait_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(target: events::QUOTA, operation = caller.operation, wait_ms, "{what}");
        let by_hand = async {
            match self.clock.moved_by() {
                None => pending().await,
                Some(_) => self.clock.sleep_until(self.clock.now().after(left)).await,
            }
        };
        select(select(pin!(sleep(left)), pin!(by_hand)), pin!(sooner)).await;
    }

    /// The next point at which the quota may be open, if it is closed now, as `ask` tells.
    fn quota_opens(
        &self,
        caller: Caller<'_>,
        deadline: Instant,
        ask: fn(&mut Quotas, &str, &str, Instant) -> Admission,
    ) -> Result<Option<Instant>, XtraError> {
        let now = self.now();
        match ask(&mut lock(&self.quotas), caller.scope, caller.operation, now) {
            Admission::Open => Ok(None),
            Admission::Closed { until, .. } if until >= self.by_clock(deadline) => Err(refused_by_quota(until, now)),
            Admission::Closed { probe_at, .. } => Ok(Some(probe_at)),
        }
    }

    /// Updates the limits by an answer to a request sent at `sent`.
    pub(super) fn update(&self, caller: Caller<'_>, response: &Response, sent: Instant) {
        let (now, sent) = (self.now(), self.by_clock(sent));
        let Caller { scope, operation } = caller;
        let is_metered = self.names.as_ref().is_some_and(|names| names.are_in(response.headers()));
        match (response.status(), response.retry_after()) {
            (429, Some(wait)) => {
                if lock(&self.quotas).refused(scope, operation, wait, now) {
                    let wait_s = wait.as_secs();
                    let what =
                        "the service refuses calls for a quota; it is left alone for as long as the service asks";
                    tracing::info!(target: events::QUOTA, operation, wait_s, "{what}");
                }
            }
            (429, None) if is_metered => lock(&self.quotas).note_metered(operation),
            (429, None) => {
                if let Some(limiter) = &self.limiter
                    && lock(&limiter.window).refused(now, spread())
                {
                    limiter.moved.notify_waiters();
                    let what = "the service refuses calls from this address; none is sent for up to a minute";
                    tracing::info!(target: events::QUOTA, operation, "{what}");
                }
            }
            // somebody before the service: it says nothing of limits
            (500.., _) if !is_metered => {}
            _ => {
                let headers = self
                    .names
                    .as_ref()
                    .and_then(|names| QuotaHeaders::read(response.headers(), names, SystemTime::now()));
                lock(&self.quotas).answered(scope, operation, headers, [sent, now]);
            }
        }
    }

    /// How long nothing will be sent to this root, because the service has refused without saying for how long.
    pub(super) fn closed_for(&self) -> Option<Duration> {
        let now = self.now();
        let until = lock(&self.limiter.as_ref()?.window).closed(now)?;
        Some(until.saturating_duration_since(now))
    }

    /// What is left of a scope's quota.
    pub(super) fn quota(&self, scope: &str) -> Option<Quota> {
        lock(&self.quotas).of(scope, self.now())
    }

    /// The least that is left of any quota.
    pub(super) fn least_left(&self) -> Option<u64> {
        lock(&self.quotas).least(self.now())
    }
}

impl Reserved<'_> {
    /// The request is sent now.
    fn go(mut self) {
        self.is_used = true;
        lock(&self.limiter.window).use_reservation(self.number, self.gate.now());
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if !self.is_used && lock(&self.limiter.window).release(self.number, self.gate.now()) {
            self.limiter.moved.notify_waiters();
        }
    }
}

/// The limiter of a root. The limit is in requests a minute, 0 for none; by default the service's own, and none for this
/// machine itself, where development servers are.
///
/// All clients of the process share it, because the service counts them together, unless their time is not the same.
fn limiter_of(base: &BaseUrl, limit: Option<u32>, of_service: u32, clock: &Clock) -> Option<Arc<Limiter>> {
    /// Root and limit.
    type Key = (String, u32);
    static OPEN: Mutex<Option<HashMap<Key, Weak<Limiter>>>> = Mutex::new(None);
    let limit = limit.unwrap_or(if base.is_loopback() { 0 } else { of_service });
    if limit == 0 {
        return None;
    }
    let new = || Arc::new(Limiter { window: Mutex::new(SlidingWindow::new(limit)), moved: Notify::new() });
    if clock.moved_by().is_some() {
        return Some(new());
    }
    let mut open = lock(&OPEN);
    let open = open.get_or_insert_default();
    open.retain(|_, limiter| limiter.strong_count() > 0);
    let key = (base.as_str().to_owned(), limit);
    if let Some(limiter) = open.get(&key).and_then(Weak::upgrade) {
        return Some(limiter);
    }
    let limiter = new();
    open.insert(key, Arc::downgrade(&limiter));
    Some(limiter)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn refused_by_quota(until: Instant, now: Instant) -> XtraError {
    let wait = until.saturating_duration_since(now);
    not_sent(wait, "the service has refused such calls and asked for a wait", "call again after it")
}

fn refused_by_root(full: Full, now: Instant) -> XtraError {
    let wait = full.next.saturating_duration_since(now);
    if full.refused {
        not_sent(
            wait,
            "the service has refused calls from this address, which it counts by the minute",
            "call less often",
        )
    } else {
        let why = "as many calls have been made within a minute as the service takes from one address";
        not_sent(wait, why, "call less often, or change requests_per_minute if it takes more")
    }
}

fn not_sent(wait: Duration, why: &str, what_to_do: &str) -> XtraError {
    let left = Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
    let message = format!("not sent: {why}. That takes {left:?} more, for which the call has no time; {what_to_do}");
    XtraError::new(ErrorKind::RateLimited, message).with_retry_after(left)
}

#[cfg(test)]
mod tests;
