//! The quotas of a service, as answers report them, by scope. Pure: the time is passed in.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap, HeaderName};
use tokio::time::Instant;

use super::protocol::{QuotaFormat, ResetForm};
use crate::core::Quota;

/// The longest that a scope is closed without a probe: its limit may be raised meanwhile.
const PROBE_AFTER: Duration = Duration::from_secs(60);

/// A window is no longer than this, whatever an answer says.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Windows whose ends, in the service's seconds, lie closer together are one.
const SAME_WINDOW: u64 = 60;

/// More scopes than these are not remembered at once.
const MOST_SCOPES: usize = 256;

/// The quotas of a root, by scope.
#[derive(Default)]
pub(super) struct Quotas {
    scopes: HashMap<String, ScopeState>,
    /// The operations that spend a quota, as far as is known: their answers say so. The others are never held back.
    metered: HashSet<&'static str>,
}

/// The quota of one scope.
struct ScopeState {
    window: Option<Window>,
    closure: Option<Closure>,
    touched: Instant,
}

struct Window {
    limit: u64,
    /// The least that an answer gave: answers may arrive out of order.
    remaining: u64,
    /// As the service gives it, in Unix seconds. It names the window.
    reset: u64,
    ends: Instant,
    /// When an answer last said so.
    updated: Instant,
}

/// The service has asked to be left alone.
struct Closure {
    began: Instant,
    /// When a request may probe next whether it is over.
    probe_at: Instant,
    until: Instant,
}

/// Whether a call may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Open,
    /// Not before `probe_at`; the service has asked for a wait until `until`.
    Closed {
        probe_at: Instant,
        until: Instant,
    },
}

/// The headers that tell of a quota, ready to be looked for.
pub(super) struct QuotaNames {
    limit: HeaderName,
    remaining: HeaderName,
    reset: HeaderName,
    reset_form: ResetForm,
}

impl QuotaNames {
    /// `None` when one of the names is none that a header can have.
    pub(super) fn new(format: QuotaFormat) -> Option<Self> {
        let [limit, remaining, reset] =
            [format.limit, format.remaining, format.reset].map(|name| HeaderName::try_from(name).ok());
        Some(Self { limit: limit?, remaining: remaining?, reset: reset?, reset_form: format.reset_form })
    }

    /// Whether the answer carries any such header, sensible or not.
    pub(super) fn are_in(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(&self.limit) || headers.contains_key(&self.remaining)
    }
}

/// A quota's window, as the headers of an answer report it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuotaHeaders {
    limit: u64,
    remaining: u64,
    reset: u64,
    ends_in: Duration,
}

impl QuotaHeaders {
    /// `None` when there is nothing, or nothing that makes sense. A reset of 0 is how a service says that its own count is
    /// out of order. The end is reckoned from the answer's own date, so that it does not matter which clock is wrong.
    pub(super) fn read(headers: &HeaderMap, names: &QuotaNames, clock: SystemTime) -> Option<Self> {
        let number = |name: &HeaderName| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let (limit, remaining) = (number(&names.limit)?, number(&names.remaining)?);
        let told = number(&names.reset).filter(|reset| *reset > 0)?;
        if limit == 0 || remaining > limit {
            return None;
        }
        let date = headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?.trim()).ok());
        let now = date.unwrap_or(clock).duration_since(UNIX_EPOCH).ok()?.as_secs();
        let reset = match names.reset_form {
            ResetForm::UnixSeconds => told,
            ResetForm::SecondsFromNow => now.saturating_add(told),
        };
        let ends_in = Duration::from_secs(reset.saturating_sub(now)).min(DAY);
        Some(Self { limit, remaining, reset, ends_in })
    }
}

impl Quotas {
    /// What [`acquire`](Self::acquire) would say now, without being let through.
    pub(super) fn check(&mut self, scope: &str, operation: &str, now: Instant) -> Admission {
        match self.scopes.get(scope).and_then(|known| known.closure.as_ref()) {
            Some(closure) if self.metered.contains(operation) && now < closure.probe_at => {
                Admission::Closed { probe_at: closure.probe_at, until: closure.until }
            }
            _ => Admission::Open,
        }
    }

    /// Whether a call of `operation` may be sent. When it is time to probe whether a closed scope is open again, the one
    /// that asks first is let through; the others wait for the next probe, or for what it brings.
    pub(super) fn acquire(&mut self, scope: &str, operation: &str, now: Instant) -> Admission {
        if !self.metered.contains(operation) {
            return Admission::Open;
        }
        let Some(known) = self.scopes.get_mut(scope) else { return Admission::Open };
        let Some(closure) = &mut known.closure else { return Admission::Open };
        if now >= closure.until {
            known.closure = None;
        } else if now >= closure.probe_at {
            closure.probe_at = closure.until.min(now + PROBE_AFTER);
        } else {
            return Admission::Closed { probe_at: closure.probe_at, until: closure.until };
        }
        Admission::Open
    }

    /// An answer other than a 429 came to a request that was sent at `sent`.
    pub(super) fn answered(
        &mut self,
        scope: &str,
        operation: &'static str,
        headers: Option<QuotaHeaders>,
        [sent, now]: [Instant; 2],
    ) {
        if let Some(headers) = headers {
            self.metered.insert(operation);
            self.quota(scope, now).update(headers, [sent, now]);
        }
        if self.metered.contains(operation)
            && let Some(known) = self.scopes.get_mut(scope)
        {
            // an answer to what was sent before the refusal says nothing about it
            known.closure.take_if(|closure| sent >= closure.began);
        }
    }

    /// An answer told of a quota, sensibly or not: the operation spends from one.
    pub(super) fn note_metered(&mut self, operation: &'static str) {
        self.metered.insert(operation);
    }

    /// The service refused a request for its quota and asked for a wait. `true` when that is new.
    pub(super) fn refused(&mut self, scope: &str, operation: &'static str, wait: Duration, now: Instant) -> bool {
        self.metered.insert(operation);
        let until = now + wait.min(DAY);
        let closure = Closure { began: now, probe_at: until.min(now + PROBE_AFTER), until };
        let before = self.quota(scope, now).closure.replace(closure);
        before.is_none_or(|before| now >= before.until)
    }

    /// What is left of a scope's quota.
    pub(super) fn of(&self, scope: &str, now: Instant) -> Option<Quota> {
        let window = self.scopes.get(scope)?.window.as_ref().filter(|window| now < window.ends)?;
        Some(Quota::new(window.limit, window.remaining, window.ends.saturating_duration_since(now)))
    }

    /// The least that is left of any quota.
    pub(super) fn least(&self, now: Instant) -> Option<u64> {
        let windows = self.scopes.values().filter_map(|known| known.window.as_ref());
        windows.filter(|window| now < window.ends).map(|window| window.remaining).min()
    }

    fn quota(&mut self, scope: &str, now: Instant) -> &mut ScopeState {
        if !self.scopes.contains_key(scope)
            && self.scopes.len() >= MOST_SCOPES
            && let Some(oldest) =
                self.scopes.iter().min_by_key(|(_, known)| known.touched).map(|(name, _)| name.clone())
        {
            self.scopes.remove(&oldest);
        }
        let known = ScopeState { window: None, closure: None, touched: now };
        let known = self.scopes.entry(scope.to_owned()).or_insert(known);
        known.touched = now;
        known
    }
}

impl ScopeState {
    /// The answers to requests that were under way together may come in any order; the one to a request that was sent after
    /// all that is known was told knows better, so that no odd answer counts for longer than until the next.
    fn update(&mut self, headers: QuotaHeaders, [sent, now]: [Instant; 2]) {
        let QuotaHeaders { limit, remaining, reset, ends_in } = headers;
        let ends = now + ends_in;
        let same = |window: &Window| limit == window.limit && reset.abs_diff(window.reset) <= SAME_WINDOW;
        match self.window.as_mut().filter(|window| now < window.ends) {
            Some(window) if same(window) => {
                window.remaining = window.remaining.min(remaining);
                (window.ends, window.updated) = (ends, now);
            }
            Some(window) if reset <= window.reset.saturating_add(SAME_WINDOW) && sent <= window.updated => {}
            _ => self.window = Some(Window { limit, remaining, reset, ends, updated: now }),
        }
    }
}

#[cfg(test)]
mod tests;
