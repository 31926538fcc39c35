//! The retry policy: the failures that are worth another attempt, and the wait before it. Pure: no clock, no network.

use std::time::Duration;

use reqwest::Method;

use super::Protocol;
use super::options::RetryOptions;
use crate::core::Backoff;

/// The idempotency of an operation: what another attempt of it could do.
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
    /// The class of an operation, by its method and what its protocol says of it.
    pub(crate) fn of(method: &Method, operation: &str, protocol: &dyn Protocol) -> Self {
        if protocol.never_retried().contains(&operation) {
            Self::Never
        } else if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
            || protocol.reads().contains(&operation)
        {
            Self::Read
        } else {
            Self::Write
        }
    }
}

/// The class of a failed attempt: what became of it.
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
        Self { idempotency, left: options.max_retries, backoff: Backoff::new(options.base, options.max_backoff) }
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
    fn the_method_says_what_a_repetition_could_do_unless_the_protocol_does() {
        struct Shares;
        impl Protocol for Shares {
            fn never_retried(&self) -> &'static [&'static str] {
                &["shares_view"]
            }

            fn reads(&self) -> &'static [&'static str] {
                &["shares_decrypt"]
            }
        }
        for method in [Method::GET, Method::HEAD] {
            assert_eq!(Idempotency::of(&method, "secrets_read", &Shares), Idempotency::Read);
        }
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert_eq!(Idempotency::of(&method, "secrets_upsert", &Shares), Idempotency::Write);
        }
        assert_eq!(Idempotency::of(&Method::GET, "shares_view", &Shares), Idempotency::Never);
        assert_eq!(Idempotency::of(&Method::POST, "shares_decrypt", &Shares), Idempotency::Read);
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
}
