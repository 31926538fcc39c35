//! Which failures are worth another attempt, and after what wait. Pure: no clock, no network.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use reqwest::Method;

use super::transport::RetryOptions;

/// What another attempt of an operation could do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idempotency {
    /// It reads: another attempt changes nothing.
    Read,
    /// It writes: another attempt is safe only when the one before never reached the service's code.
    Write,
    /// It must be sent once at most.
    Never,
}

impl Idempotency {
    /// The class of an operation, by its method and the list of those that must not be repeated.
    pub(crate) fn of(method: &Method, operation: &str, never: &[&str]) -> Self {
        if never.contains(&operation) {
            Self::Never
        } else if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            Self::Read
        } else {
            Self::Write
        }
    }
}

/// What became of an attempt that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureClass {
    /// No connection came about, so nothing was sent.
    NotSent,
    /// The request may have been carried out, and the answer was lost: a timeout, a broken connection, a cut body.
    Lost,
    /// The service answered with this status.
    Status(u16),
    /// An answer came that cannot be used, and another would be no better: it is over the cap, or not HTTP.
    Garbled,
    /// Another attempt would end the same: a bad certificate, no token, the deadline.
    Lasting,
}

impl FailureClass {
    /// Whether an operation of that class may be sent again after this.
    fn allows(self, idempotency: Idempotency) -> bool {
        match (idempotency, self) {
            (Idempotency::Never, _) | (_, Self::Lasting | Self::Garbled) => false,
            // the limits are checked before any handler runs, so a refused request has done nothing
            (_, Self::NotSent | Self::Status(429)) => true,
            (Idempotency::Read, Self::Lost | Self::Status(502..=504)) => true,
            (Idempotency::Read | Idempotency::Write, _) => false,
        }
    }
}

/// The retries of one call: how many are left, and how long to wait before the next.
pub(crate) struct Retries {
    idempotency: Idempotency,
    left: u32,
    backoff: Backoff,
}

impl Retries {
    pub(crate) fn new(idempotency: Idempotency, options: RetryOptions) -> Self {
        Self { idempotency, left: options.max_retries, backoff: Backoff::new(options) }
    }

    /// The class of the operation.
    pub(crate) fn idempotency(&self) -> Idempotency {
        self.idempotency
    }

    /// Whether any failure of the next attempt could lead to one more.
    pub(crate) fn may_follow(&self) -> bool {
        self.left > 0 && self.idempotency != Idempotency::Never
    }

    /// The wait before the next attempt, or `None` when there should be none: the failure does not allow it, the retries
    /// are used up, or the wait would not end before the deadline.
    ///
    /// `asked` is the wait that the service asked for; it is kept to, never shortened. `granted` is asked last, and only when
    /// there would be another attempt: it is where a budget shared by all calls says no.
    pub(crate) fn next_wait(
        &mut self,
        class: FailureClass,
        asked: Option<Duration>,
        remaining: Duration,
        granted: impl FnOnce() -> bool,
    ) -> Option<Duration> {
        if !self.may_follow() || !class.allows(self.idempotency) {
            return None;
        }
        let wait = match asked {
            Some(wait) => wait,
            None => self.backoff.next(),
        };
        if wait >= remaining || !granted() {
            return None;
        }
        self.left -= 1;
        Some(wait)
    }
}

/// Waits that grow at random: each is drawn between the base and three times the one before, up to a bound. Clients that
/// failed together so do not come back together.
struct Backoff {
    base: u64,
    max: u64,
    previous: u64,
    random: Option<u64>,
}

impl Backoff {
    fn new(options: RetryOptions) -> Self {
        let base = nanos(options.base);
        Self { base, max: nanos(options.max_backoff).max(base), previous: base, random: None }
    }

    fn next(&mut self) -> Duration {
        let high = self.previous.saturating_mul(3).min(self.max).max(self.base);
        self.previous = self.base + self.draw() % (high - self.base + 1);
        Duration::from_nanos(self.previous)
    }

    /// splitmix64, seeded by the standard library's random hasher keys. Jitter needs spread, not secrecy.
    fn draw(&mut self) -> u64 {
        let state = self.random.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.random = Some(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Whole nanoseconds, bounded far above any real wait, so that the arithmetic above cannot overflow.
fn nanos(duration: Duration) -> u64 {
    const DAY: u64 = 24 * 60 * 60 * 1_000_000_000;
    u64::try_from(duration.as_nanos()).map_or(DAY, |nanos| nanos.min(DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn retries(idempotency: Idempotency) -> Retries {
        Retries::new(idempotency, RetryOptions::default())
    }

    fn repeats(idempotency: Idempotency, class: FailureClass) -> bool {
        retries(idempotency).next_wait(class, None, LONG, || true).is_some()
    }

    #[test]
    fn the_method_says_what_a_repetition_could_do() {
        for method in [Method::GET, Method::HEAD] {
            assert_eq!(Idempotency::of(&method, "secrets_read", &[]), Idempotency::Read);
        }
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert_eq!(Idempotency::of(&method, "secrets_upsert", &[]), Idempotency::Write);
        }
        assert_eq!(Idempotency::of(&Method::GET, "shares_view", &["shares_view"]), Idempotency::Never);
    }

    #[test]
    fn reads_are_repeated_after_every_passing_failure() {
        for class in [
            FailureClass::NotSent,
            FailureClass::Lost,
            FailureClass::Status(429),
            FailureClass::Status(502),
            FailureClass::Status(503),
            FailureClass::Status(504),
        ] {
            assert!(repeats(Idempotency::Read, class), "{class:?}");
        }
        for status in [301, 308, 400, 401, 403, 404, 405, 408, 409, 410, 422, 500, 501, 505] {
            assert!(!repeats(Idempotency::Read, FailureClass::Status(status)), "{status}");
        }
        assert!(!repeats(Idempotency::Read, FailureClass::Lasting));
    }

    #[test]
    fn writes_are_repeated_only_when_they_never_reached_the_handler() {
        assert!(repeats(Idempotency::Write, FailureClass::NotSent));
        assert!(repeats(Idempotency::Write, FailureClass::Status(429)));
        for class in [
            FailureClass::Lost,
            FailureClass::Garbled,
            FailureClass::Lasting,
            FailureClass::Status(500),
            FailureClass::Status(502),
            FailureClass::Status(503),
            FailureClass::Status(504),
        ] {
            assert!(!repeats(Idempotency::Write, class), "{class:?}");
        }
    }

    #[test]
    fn an_operation_on_the_list_is_sent_once() {
        for class in [FailureClass::NotSent, FailureClass::Lost, FailureClass::Status(429), FailureClass::Status(503)] {
            assert!(!repeats(Idempotency::Never, class), "{class:?}");
        }
    }

    #[test]
    fn there_are_never_more_retries_than_allowed() {
        let mut retries = Retries::new(Idempotency::Read, RetryOptions { max_retries: 2, ..RetryOptions::default() });
        assert!(retries.next_wait(FailureClass::Lost, None, LONG, || true).is_some());
        assert!(retries.next_wait(FailureClass::Lost, None, LONG, || true).is_some());
        assert!(!retries.may_follow());
        assert!(retries.next_wait(FailureClass::Lost, None, LONG, || true).is_none());
    }

    #[test]
    fn a_wait_that_does_not_fit_the_deadline_is_not_begun() {
        let asked = Some(Duration::from_secs(37));
        let next = |class, asked, remaining| retries(Idempotency::Read).next_wait(class, asked, remaining, || true);
        assert_eq!(next(FailureClass::Status(429), asked, Duration::from_secs(37)), None);
        assert_eq!(next(FailureClass::Status(429), asked, Duration::from_secs(38)), asked);
        assert_eq!(next(FailureClass::Lost, None, Duration::from_millis(1)), None);
    }

    #[test]
    fn a_shared_budget_is_asked_only_for_attempts_that_would_be_made_and_its_no_is_final() {
        let never_asked = || -> bool { panic!("there would be no attempt") };
        assert_eq!(retries(Idempotency::Read).next_wait(FailureClass::Lasting, None, LONG, never_asked), None);
        assert_eq!(retries(Idempotency::Read).next_wait(FailureClass::Lost, Some(LONG), LONG, never_asked), None);
        assert_eq!(retries(Idempotency::Read).next_wait(FailureClass::Lost, None, LONG, || false), None);
    }

    #[test]
    fn waits_stay_between_base_and_bound_and_grow() {
        let options =
            RetryOptions { max_retries: 1000, base: Duration::from_millis(100), max_backoff: Duration::from_secs(5) };
        for seed in 0..200 {
            let mut backoff = Backoff { random: Some(seed), ..Backoff::new(options) };
            let mut previous = options.base;
            for _ in 0..20 {
                let wait = backoff.next();
                assert!(
                    wait >= options.base && wait <= options.max_backoff && wait <= previous * 3,
                    "{wait:?} after {previous:?}"
                );
                previous = wait;
            }
        }
    }

    #[test]
    fn two_clients_do_not_wait_alike() {
        let waits = |mut backoff: Backoff| (0..8).map(|_| backoff.next()).collect::<Vec<_>>();
        let options = RetryOptions::default();
        assert_ne!(waits(Backoff::new(options)), waits(Backoff::new(options)));
        let seeded = |seed| waits(Backoff { random: Some(seed), ..Backoff::new(options) });
        assert_eq!(seeded(7), seeded(7));
    }

    #[test]
    fn odd_options_do_not_overflow() {
        for (base, max) in
            [(Duration::ZERO, Duration::ZERO), (Duration::MAX, Duration::MAX), (Duration::MAX, Duration::ZERO)]
        {
            let mut backoff = Backoff::new(RetryOptions { max_retries: 3, base, max_backoff: max });
            for _ in 0..5 {
                backoff.next();
            }
        }
    }
}
