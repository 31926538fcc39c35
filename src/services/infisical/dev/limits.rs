//! The service's rate limits: a minute for each route and address, by the kind of the route.

use std::time::Duration;

use crate::dev::{Budget, Millis, RateWindows, Spent};

const MINUTE: Duration = Duration::from_secs(60);

/// The kind of a route, which has a limit of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Reads of anything but secrets.
    Read,
    /// Logins, renewals, keys and other writes.
    Write,
    /// Secrets.
    Secret,
    /// No limit.
    Free,
}

/// The rate limits of a server, in requests a minute. They are counted for each route and address; the address is what the
/// client says in `X-Forwarded-For` and the like. The default is no limits: a server in development mode has none.
#[derive(Clone, Debug, Default)]
pub struct RateLimits(Option<[u32; 3]>);

impl RateLimits {
    /// No limits and no headers that tell of them.
    #[must_use]
    pub fn off() -> Self {
        RateLimits(None)
    }

    /// Limits for reads, for writes and for secrets.
    #[must_use]
    pub fn new(read: u32, write: u32, secret: u32) -> Self {
        RateLimits(Some([read, write, secret]))
    }

    /// The limits of a server of 2024 in production mode without a licence: 60, 200 and 40.
    #[must_use]
    pub fn self_hosted() -> Self {
        RateLimits::new(60, 200, 40)
    }

    /// The limits of the hosted service for who does not pay: 200, 90 and 120.
    #[must_use]
    pub fn cloud() -> Self {
        RateLimits::new(200, 90, 120)
    }

    fn of(&self, kind: Kind) -> Option<u32> {
        let [read, write, secret] = self.0?;
        match kind {
            Kind::Read => Some(read),
            Kind::Write => Some(write),
            Kind::Secret => Some(secret),
            Kind::Free => None,
        }
    }
}

/// The windows of routes and addresses.
#[derive(Default)]
pub(super) struct Limiter {
    limits: RateLimits,
    windows: RateWindows<&'static str>,
}

impl Limiter {
    pub(super) fn new(limits: RateLimits) -> Self {
        Limiter { limits, windows: RateWindows::default() }
    }

    /// Counts a request to a route; nothing when it has no limit.
    pub(super) fn take(
        &mut self,
        route: &'static str,
        kind: Kind,
        address: &str,
        now: Millis,
    ) -> Result<Option<Budget>, Spent> {
        match self.limits.of(kind) {
            None => Ok(None),
            Some(limit) => self.windows.take(route, address, (limit, MINUTE), now).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_has_a_window_of_its_own() {
        let mut limiter = Limiter::new(RateLimits::new(9, 9, 1));
        let now = Millis(10_000);
        assert!(limiter.take("GET /list", Kind::Secret, "::1", now).is_ok());
        assert!(limiter.take("GET /list", Kind::Secret, "::1", now).is_err());
        assert!(limiter.take("GET /one", Kind::Secret, "::1", now).is_ok());
        assert!(limiter.take("GET /list", Kind::Secret, "10.0.0.1", now).is_ok());
        assert!(limiter.take("GET /list", Kind::Secret, "::1", now.plus(MINUTE)).is_ok());
        assert!(matches!(limiter.take("GET /status", Kind::Free, "::1", now), Ok(None)));
    }
}
