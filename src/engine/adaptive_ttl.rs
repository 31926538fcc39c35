//! The adaptive time to live: stretched so that the service's quota lasts. A pure policy over what answers have told.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::core::{Quota, Tick, events};

/// Stretches the time to live so that refreshing every scope in use spends a quota evenly over what is left of its window.
///
/// Whoever else spends the same quota shows in how fast it falls, as compared with one's own requests; the stretch takes
/// that in. So processes that know nothing of each other share a quota, each by its part.
pub(crate) struct AdaptiveTtl {
    ttl: Duration,
    max_ttl: Duration,
    hasher: RandomState,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    windows: Vec<Window>,
    stretched: u64,
}

/// A window of one quota. Quotas have no names; those that allow as much and end together are taken for one, which at the
/// worst stretches too far.
struct Window {
    limit: u64,
    ends: Tick,
    remaining: u64,
    /// The scopes refreshed from it lately, and until when they count as in use.
    scopes: HashMap<u64, Tick>,
    /// What was spent lately, by everyone and by this process. Old requests weigh less.
    spent: f64,
    own: f64,
    stretching: bool,
}

/// Two ends so close are one: the service tells whole seconds, and clocks drift.
const SAME_END: Duration = Duration::from_secs(60);

/// What is left of the weight of a request after one more of this process: some thirty requests are remembered.
const FADING: f64 = 31.0 / 32.0;

/// More windows than any program has owners, and more scopes than a quota can serve.
const MOST_WINDOWS: usize = 64;
const MOST_SCOPES: usize = 4096;

impl AdaptiveTtl {
    /// A policy that keeps times to live between `ttl` and `max_ttl`; with a `max_ttl` up to `ttl` it never stretches.
    pub(crate) fn new(ttl: Duration, max_ttl: Duration) -> Self {
        Self { ttl, max_ttl, hasher: RandomState::new(), state: Mutex::default() }
    }

    /// The time to live of the snapshot that is stored under `key` now, by the quota that its answer told.
    pub(crate) fn ttl(&self, key: &[u8], quota: Option<Quota>, now: Tick) -> Duration {
        let Some(quota) = quota.filter(|quota| quota.limit > 0) else { return self.ttl };
        let scope = self.hasher.hash_one(key);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { windows, stretched } = &mut *state;
        let Some(window) = Window::of(windows, scope, quota, now) else { return self.ttl };
        window.observe(quota, now);
        let ttl = self.within_limits(window.share_of(scope, now, quota));
        window.use_scope(scope, now, ttl);
        window.announce(ttl, self.ttl, quota);
        *stretched += u64::from(ttl > self.ttl);
        ttl
    }

    /// How many snapshots were to be kept for longer than the configured time to live.
    pub(crate) fn stretched(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stretched
    }

    fn within_limits(&self, seconds: f64) -> Duration {
        let wished = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        wished.min(self.max_ttl).max(self.ttl)
    }
}

impl Window {
    /// The window that an answer for `scope` speaks of.
    fn of(windows: &mut Vec<Self>, scope: u64, quota: Quota, now: Tick) -> Option<&mut Self> {
        let ends = now.after(quota.resets_in);
        let found = windows
            .iter()
            .position(|window| window.limit == quota.limit && window.ends_with(ends))
            .or_else(|| windows.iter().position(|window| window.scopes.contains_key(&scope) && window.ends <= ends));
        let place = match found {
            Some(place) => place,
            None => {
                if windows.len() >= MOST_WINDOWS
                    && let Some((first, _)) = windows.iter().enumerate().min_by_key(|(_, window)| window.ends)
                {
                    windows.swap_remove(first);
                }
                windows.push(Self::new(quota, ends));
                windows.len() - 1
            }
        };
        for (other, window) in windows.iter_mut().enumerate() {
            if other != place {
                window.scopes.remove(&scope);
            }
        }
        windows.get_mut(place)
    }

    fn new(quota: Quota, ends: Tick) -> Self {
        Self {
            limit: quota.limit,
            ends,
            // as before the request that told of it
            remaining: quota.remaining.saturating_add(1),
            scopes: HashMap::new(),
            // as if this process were alone, until there is more to go by
            spent: 1.0,
            own: 1.0,
            stretching: false,
        }
    }

    fn ends_with(&self, ends: Tick) -> bool {
        self.ends.since(ends).max(ends.since(self.ends)) <= SAME_END
    }

    /// Takes in what the answer told. One request of this process was behind it; the others are those of everyone else.
    fn observe(&mut self, quota: Quota, now: Tick) {
        let ends = now.after(quota.resets_in);
        let usual = self.spent / self.own;
        let fallen = if self.limit == quota.limit && self.ends_with(ends) {
            let fallen = self.remaining.saturating_sub(quota.remaining);
            self.remaining = self.remaining.min(quota.remaining);
            // somebody who spends much at once is no reason to expect that for hours
            (fallen as f64).min(4.0 * usual + 4.0)
        } else {
            // another window: how far it fell before is not known
            (self.limit, self.remaining) = (quota.limit, quota.remaining);
            usual
        };
        self.ends = ends;
        self.spent = self.spent * FADING + fallen;
        self.own = self.own * FADING + 1.0;
    }

    /// How many seconds each snapshot must last, for the requests of everyone to last until the window ends. Not longer than
    /// that: then the quota is whole again.
    fn share_of(&mut self, scope: u64, now: Tick, quota: Quota) -> f64 {
        self.scopes.retain(|_, in_use_until| *in_use_until > now);
        let others = self.scopes.len() - usize::from(self.scopes.contains_key(&scope));
        let scopes = (others + 1) as f64 * (self.spent / self.own).max(1.0);
        let left = quota.resets_in.as_secs_f64();
        match (Quota { remaining: self.remaining, ..quota }).usable() {
            0 => left,
            usable => (scopes * left / usable as f64).min(left),
        }
    }

    /// A scope counts while it may still be read from memory, and for as long again: time enough to be refreshed.
    fn use_scope(&mut self, scope: u64, now: Tick, ttl: Duration) {
        if self.scopes.len() < MOST_SCOPES || self.scopes.contains_key(&scope) {
            self.scopes.insert(scope, now.after(ttl.saturating_mul(2)));
        }
    }

    /// Says when stretching begins and ends; not at every step over the line.
    fn announce(&mut self, ttl: Duration, plain: Duration, quota: Quota) {
        if !self.stretching && ttl > plain.saturating_add(plain / 10) {
            self.stretching = true;
            tracing::info!(
                target: events::QUOTA,
                remaining = self.remaining,
                limit = self.limit,
                resets_in_s = quota.resets_in.as_secs(),
                ttl_s = ttl.as_secs(),
                "snapshots are kept longer, so that the quota lasts"
            );
        } else if self.stretching && ttl <= plain {
            self.stretching = false;
            tracing::info!(
                target: events::QUOTA,
                remaining = self.remaining,
                limit = self.limit,
                "snapshots are kept for their usual time again"
            );
        }
    }
}

#[cfg(test)]
mod tests;
