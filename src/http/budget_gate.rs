//! What stands before every request: the limits of the service, kept to before it has to refuse.

use std::collections::HashMap;
use std::future::pending;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use futures_util::future::select;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::base_url::BaseUrl;
use super::budget::{Admission, Budgets, Told};
use super::burst::{Burst, Full, SERVICE_LIMIT};
use super::options::TransportOptions;
use super::response::Response;
use crate::core::{Budget, Clock, ErrorKind, XtraError, spread};

pub(super) struct Gate {
    budgets: Mutex<Budgets>,
    /// `None` when it is turned off.
    line: Option<Arc<Line>>,
    clock: Clock,
}

/// Where requests to an API root wait for their turns.
struct Line {
    burst: Mutex<Burst>,
    /// Turns have been moved.
    moved: Notify,
}

/// A place in the line, which is given back when the call goes away without having been sent.
struct Place<'a> {
    gate: &'a Gate,
    line: &'a Line,
    number: u64,
    is_used: bool,
}

/// What is known of a request before it is sent.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) project: &'a str,
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
    pub(super) fn new(base: &BaseUrl, options: &TransportOptions) -> Self {
        let clock = options.clock.clone();
        Self { budgets: Mutex::default(), line: line_of(base, options.requests_per_minute, &clock), clock }
    }

    /// Real time, and what the clock was moved on by hand: then windows of the service end, as they do for the dev server.
    fn now(&self) -> Instant {
        Instant::now() + self.clock.moved_by().unwrap_or_default()
    }

    /// Waits until the request may be sent, when that is before `deadline`, in real time; otherwise fails at once.
    pub(super) async fn pass(&self, asker: Asker<'_>, deadline: Instant) -> Result<Passed, XtraError> {
        let mut passed = Passed::AtOnce;
        loop {
            while let Some(until) = self.project_opens(asker, deadline, Budgets::outlook)? {
                passed = Passed::Delayed;
                let what = "the service has asked for a pause, which is waited for";
                self.wait(asker, until, pending(), what).await;
            }
            let place = match &self.line {
                Some(line) => Some(self.turn(line, asker, deadline, &mut passed).await?),
                None => None,
            };
            // The project may have been refused meanwhile. Leave to look whether it is open is taken last, by one that sends.
            if self.project_opens(asker, deadline, Budgets::admit)?.is_none() {
                place.into_iter().for_each(Place::go);
                return Ok(passed);
            }
        }
    }

    /// A place in the line, when its turn has come.
    async fn turn<'a>(
        &'a self,
        line: &'a Line,
        asker: Asker<'_>,
        deadline: Instant,
        passed: &mut Passed,
    ) -> Result<Place<'a>, XtraError> {
        let refused = |full| refused_by_root(full, self.now());
        let turn = lock(&line.burst).take_turn(self.by_clock(deadline), self.now()).map_err(refused)?;
        let place = Place { gate: self, line, number: turn.number, is_used: false };
        loop {
            // before looking, so that no move in between goes by unnoticed
            let mut moved = pin!(line.moved.notified());
            moved.as_mut().enable();
            let now = self.now();
            let at = lock(&line.burst).look_up(place.number, self.by_clock(deadline), now).map_err(refused)?;
            if at <= now {
                return Ok(place);
            }
            *passed = Passed::Delayed;
            let what = "requests come too fast for the service; this one waits for its turn";
            self.wait(asker, at, moved, what).await;
        }
    }

    /// A point in real time, on the time line of this gate.
    fn by_clock(&self, at: Instant) -> Instant {
        at + self.clock.moved_by().unwrap_or_default()
    }

    /// Waits until then, or for less when the clock is moved in between, or until `sooner`.
    async fn wait(&self, asker: Asker<'_>, until: Instant, sooner: impl Future<Output = ()>, what: &'static str) {
        let left = until.saturating_duration_since(self.now());
        let wait_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(target: "xtrasecurity::budget", operation = asker.operation, wait_ms, "{what}");
        let by_hand = async {
            match self.clock.moved_by() {
                None => pending().await,
                Some(_) => self.clock.sleep_until(self.clock.now().after(left)).await,
            }
        };
        select(select(pin!(sleep(left)), pin!(by_hand)), pin!(sooner)).await;
    }

    /// The next point at which the project may be open, if it is closed now, as `ask` tells.
    fn project_opens(
        &self,
        asker: Asker<'_>,
        deadline: Instant,
        ask: fn(&mut Budgets, &str, &str, Instant) -> Admission,
    ) -> Result<Option<Instant>, XtraError> {
        let now = self.now();
        match ask(&mut lock(&self.budgets), asker.project, asker.operation, now) {
            Admission::Open => Ok(None),
            Admission::Closed { until, .. } if until >= self.by_clock(deadline) => Err(refused_by_project(until, now)),
            Admission::Closed { look, .. } => Ok(Some(look)),
        }
    }

    /// Takes in what an answer to a request sent at `sent` tells. `asked` is the wait that it asks for.
    pub(super) fn learn(&self, asker: Asker<'_>, response: &Response, asked: Option<Duration>, sent: Instant) {
        let (now, sent) = (self.now(), self.by_clock(sent));
        let Asker { project, operation } = asker;
        let metered = Told::is_metered(response.headers());
        match (response.status(), asked) {
            (429, Some(wait)) => {
                if lock(&self.budgets).refused(project, operation, wait, now) {
                    let wait_s = wait.as_secs();
                    let what =
                        "the service refuses calls for a project; it is left alone for as long as the service asks";
                    tracing::info!(target: "xtrasecurity::budget", operation, wait_s, "{what}");
                }
            }
            (429, None) if metered => lock(&self.budgets).meters(operation),
            (429, None) => {
                if let Some(line) = &self.line
                    && lock(&line.burst).refused(now, spread(0))
                {
                    line.moved.notify_waiters();
                    let what = "the service refuses calls from this address; none is sent for up to a minute";
                    tracing::info!(target: "xtrasecurity::budget", operation, "{what}");
                }
            }
            // somebody before the service: it says nothing of limits
            (500.., _) if !metered => {}
            _ => {
                let told = Told::by(response.headers(), SystemTime::now());
                lock(&self.budgets).answered(project, operation, told, [sent, now]);
            }
        }
    }

    /// How long nothing will be sent to this API root, because the service has refused without saying for how long.
    pub(super) fn closed_for(&self) -> Option<Duration> {
        let now = self.now();
        let until = lock(&self.line.as_ref()?.burst).closed(now)?;
        Some(until.saturating_duration_since(now))
    }

    /// What is left for a project, by its id in any case.
    pub(super) fn budget(&self, project: &str) -> Option<Budget> {
        lock(&self.budgets).of(&project.to_ascii_lowercase(), self.now())
    }

    /// The least that is left for any project.
    pub(super) fn least_left(&self) -> Option<u64> {
        lock(&self.budgets).least(self.now())
    }
}

impl Place<'_> {
    /// The request is sent now.
    fn go(mut self) {
        self.is_used = true;
        lock(&self.line.burst).use_turn(self.number, self.gate.now());
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.is_used && lock(&self.line.burst).give_back(self.number, self.gate.now()) {
            self.line.moved.notify_waiters();
        }
    }
}

/// The line of an API root. `limit` is in requests a minute, 0 for none; by default the service's own, and none for this
/// machine itself, where development servers are.
///
/// All clients of the process share it, because the service counts them together, unless their time is not the same.
fn line_of(base: &BaseUrl, limit: Option<u32>, clock: &Clock) -> Option<Arc<Line>> {
    /// API root and limit.
    type Key = (String, u32);
    static OPEN: Mutex<Option<HashMap<Key, Weak<Line>>>> = Mutex::new(None);
    let limit = limit.unwrap_or(if base.is_loopback() { 0 } else { SERVICE_LIMIT });
    if limit == 0 {
        return None;
    }
    let new = || Arc::new(Line { burst: Mutex::new(Burst::new(limit)), moved: Notify::new() });
    if clock.moved_by().is_some() {
        return Some(new());
    }
    let mut open = lock(&OPEN);
    let open = open.get_or_insert_default();
    open.retain(|_, line| line.strong_count() > 0);
    let key = (base.as_str().to_owned(), limit);
    if let Some(line) = open.get(&key).and_then(Weak::upgrade) {
        return Some(line);
    }
    let line = new();
    open.insert(key, Arc::downgrade(&line));
    Some(line)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn refused_by_project(until: Instant, now: Instant) -> XtraError {
    let wait = until.saturating_duration_since(now);
    not_sent(wait, "the service has refused calls for this project and asked for a wait", "call again after it")
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
