//! The service's three rate limits: by address, by burst, by day.

use std::time::Duration;

use super::seed::Tier;
use crate::dev::{Budget, Millis, RateWindows, Spent};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
const PER_IP: u32 = 100;

/// The rate limits of a server. The default is the service's own.
///
/// 100 requests a minute for each client address, on every route (the refusal has no headers). On the routes that the
/// service guards, besides, a burst (a minute) and a daily budget of the *project's owner*, by plan: 100 and 1,000
/// (free), 1,000 and 10,000 (pro), 10,000 and 100,000 (enterprise). The windows are fixed and begin with their first request;
/// [`DevServer::advance`](crate::services::xtra::dev::DevServer::advance) moves them.
#[derive(Clone, Debug)]
pub struct RateLimits {
    per_ip: Option<u32>,
    quota: bool,
    burst: Option<u32>,
    daily: Option<u32>,
}

impl Default for RateLimits {
    fn default() -> Self {
        RateLimits { per_ip: Some(PER_IP), quota: true, burst: None, daily: None }
    }
}

impl RateLimits {
    /// No limits at all, and no `X-RateLimit-*` headers: for load tests.
    #[must_use]
    pub fn off() -> Self {
        RateLimits { per_ip: None, quota: false, burst: None, daily: None }
    }

    /// Sets the requests a minute for each client address.
    #[must_use]
    pub fn per_ip(mut self, requests: u32) -> Self {
        self.per_ip = Some(requests);
        self
    }

    /// Turns the limit by client address off.
    #[must_use]
    pub fn without_per_ip(mut self) -> Self {
        self.per_ip = None;
        self
    }

    /// Sets the requests a minute of an owner, whatever the plan.
    #[must_use]
    pub fn burst(mut self, requests: u32) -> Self {
        self.quota = true;
        self.burst = Some(requests);
        self
    }

    /// Sets the requests a day of an owner, whatever the plan.
    #[must_use]
    pub fn daily(mut self, requests: u32) -> Self {
        self.quota = true;
        self.daily = Some(requests);
        self
    }

    fn of(&self, tier: Tier) -> (u32, u32) {
        let (burst, daily) = match tier {
            Tier::Free => (100, 1_000),
            Tier::Pro => (1_000, 10_000),
            Tier::Enterprise => (10_000, 100_000),
        };
        (self.burst.unwrap_or(burst), self.daily.unwrap_or(daily))
    }
}

/// The windows of addresses and owners.
#[derive(Default)]
pub(super) struct Limiter {
    limits: RateLimits,
    windows: RateWindows<Kind>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Address,
    Burst,
    Daily,
}

impl Limiter {
    pub(super) fn new(limits: RateLimits) -> Self {
        Limiter { limits, windows: RateWindows::default() }
    }

    /// Counts a request of an address; false when it is one too many.
    pub(super) fn admit(&mut self, address: &str, now: Millis) -> bool {
        let Some(limit) = self.limits.per_ip else {
            return true;
        };
        self.windows.take(Kind::Address, address, (limit, MINUTE), now).is_ok()
    }

    /// Counts a request against a budget; nothing when there are no budgets.
    pub(super) fn spend(&mut self, whose: &str, tier: Tier, now: Millis) -> Result<Option<Budget>, Spent> {
        if !self.limits.quota {
            return Ok(None);
        }
        let (burst, daily) = self.limits.of(tier);
        self.windows.take(Kind::Burst, whose, (burst, MINUTE), now)?;
        self.windows.take(Kind::Daily, whose, (daily, DAY), now).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_burst_refuses_before_the_day_and_ends_with_its_window() {
        let mut limiter = Limiter::new(RateLimits::default().burst(2));
        let now = Millis(10_000);
        for left in [999, 998] {
            let budget = limiter.spend("owner", Tier::Free, now).ok().flatten().unwrap();
            assert_eq!((budget.limit, budget.remaining), (1_000, left));
        }
        let spent = limiter.spend("owner", Tier::Free, now.plus(Duration::from_millis(500))).err().unwrap();
        assert_eq!((spent.budget.limit, spent.budget.remaining, spent.retry_after), (2, 0, 59));
        assert!(limiter.spend("owner", Tier::Free, now.plus(MINUTE)).is_ok());
    }
}
