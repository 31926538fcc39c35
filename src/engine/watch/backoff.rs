//! The back-off of a watch after polls that failed.

use std::time::Duration;

use crate::core::{XtraError, spread};

/// The first wait and the longest after what may pass by itself.
const PASSING: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// The same after what somebody has to mend first. Such a call is answered, so it costs one of the quota.
const LASTING: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(600));
/// The longest wait at the service's wish, so that a limit that was raised is noticed within the hour.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// The waits of one watched scope. Each doubles the one before, and a success starts them anew.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure: never shorter than the service asks for, and up to a quarter longer at random.
    pub(crate) fn after(&mut self, error: &XtraError) -> Duration {
        let (first, longest) = if error.is_retryable() { PASSING } else { LASTING };
        let own = first.saturating_mul(1 << self.failures.min(16)).min(longest);
        self.failures = self.failures.saturating_add(1);
        let wait = own.max(error.retry_after().unwrap_or_default().min(LONGEST_ASKED));
        wait + wait.mul_f64(0.25 * spread())
    }

    /// Whether the last poll failed.
    pub(crate) fn is_on(&self) -> bool {
        self.failures > 0
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ErrorKind;

    /// The wait without its random part, which must be within its bounds.
    fn wait(backoff: &mut Backoff, error: &XtraError, expected: u64) {
        let (wait, expected) = (backoff.after(error), Duration::from_secs(expected));
        assert!(wait >= expected && wait <= expected.mul_f64(1.25), "{wait:?} for {expected:?}");
    }

    #[test]
    fn waits_double_up_to_a_minute_and_a_success_starts_them_anew() {
        let (mut backoff, down) = (Backoff::default(), XtraError::new(ErrorKind::Network, "down"));
        for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
            wait(&mut backoff, &down, expected);
            assert!(backoff.is_on());
        }
        backoff.reset();
        assert!(!backoff.is_on());
        wait(&mut backoff, &down, 1);
        let mut long = Backoff { failures: u32::MAX };
        wait(&mut long, &down, 60);
    }

    #[test]
    fn what_somebody_has_to_mend_is_asked_for_slowly() {
        let mut backoff = Backoff::default();
        for (status, expected) in [(401, 30), (403, 60), (404, 120), (401, 240), (401, 480), (401, 600), (401, 600)] {
            wait(&mut backoff, &XtraError::new(ErrorKind::Unauthorized, "no").with_status(status), expected);
        }
    }

    #[test]
    fn the_wait_that_the_service_asks_for_is_never_cut_short_up_to_an_hour() {
        let asked =
            |seconds| XtraError::new(ErrorKind::RateLimited, "slowly").with_retry_after(Duration::from_secs(seconds));
        wait(&mut Backoff::default(), &asked(90), 90);
        wait(&mut Backoff::default(), &asked(86_400), 3600);
        wait(&mut Backoff { failures: 5 }, &asked(1), 32);
    }

    #[test]
    fn watches_of_several_processes_do_not_wait_in_step() {
        let down = XtraError::new(ErrorKind::Network, "down");
        let waits: std::collections::BTreeSet<_> = (0..16).map(|_| Backoff::default().after(&down)).collect();
        assert!(waits.len() > 8, "{waits:?}");
    }
}
