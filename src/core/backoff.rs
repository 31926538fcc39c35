//! Random waits: the back-off between attempts, and the jitter of everything else.

#[cfg(feature = "http")]
use std::time::Duration;

/// Waits that grow at random: each is drawn between the base and three times the one before, up to a bound. Clients that
/// failed together so do not come back together.
#[cfg(feature = "http")]
pub(crate) struct Backoff {
    base: u64,
    max: u64,
    previous: u64,
    random: fastrand::Rng,
}

#[cfg(feature = "http")]
impl Backoff {
    pub(crate) fn new(base: Duration, max: Duration) -> Self {
        let base = nanos(base);
        Self { base, max: nanos(max).max(base), previous: base, random: fastrand::Rng::new() }
    }

    /// The next wait.
    pub(crate) fn next(&mut self) -> Duration {
        let high = self.previous.saturating_mul(3).min(self.max).max(self.base);
        self.previous = self.random.u64(self.base..=high);
        Duration::from_nanos(self.previous)
    }
}

/// Whole nanoseconds, bounded far above any real wait, so that the arithmetic above cannot overflow.
#[cfg(feature = "http")]
fn nanos(duration: Duration) -> u64 {
    const DAY: u64 = 24 * 60 * 60 * 1_000_000_000;
    u64::try_from(duration.as_nanos()).map_or(DAY, |nanos| nanos.min(DAY))
}

/// A number in `0.0..1.0` that differs between entries and between processes. Jitter needs spread, not secrecy.
pub(crate) fn spread() -> f64 {
    fastrand::f64()
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;

    const BASE: Duration = Duration::from_millis(100);
    const MAX: Duration = Duration::from_secs(5);

    fn seeded(seed: u64) -> Backoff {
        Backoff { random: fastrand::Rng::with_seed(seed), ..Backoff::new(BASE, MAX) }
    }

    #[test]
    fn waits_stay_between_base_and_bound_and_grow() {
        for seed in 0..200 {
            let mut backoff = seeded(seed);
            let mut previous = BASE;
            for _ in 0..20 {
                let wait = backoff.next();
                assert!(wait >= BASE && wait <= MAX && wait <= previous * 3, "{wait:?} after {previous:?}");
                previous = wait;
            }
        }
    }

    #[test]
    fn two_clients_do_not_wait_alike() {
        let waits = |mut backoff: Backoff| (0..8).map(|_| backoff.next()).collect::<Vec<_>>();
        assert_ne!(waits(Backoff::new(BASE, MAX)), waits(Backoff::new(BASE, MAX)));
        assert_eq!(waits(seeded(7)), waits(seeded(7)));
    }

    #[test]
    fn odd_options_do_not_overflow() {
        for (base, max) in
            [(Duration::ZERO, Duration::ZERO), (Duration::MAX, Duration::MAX), (Duration::MAX, Duration::ZERO)]
        {
            let mut backoff = Backoff::new(base, max);
            for _ in 0..5 {
                backoff.next();
            }
        }
    }
}
