//! How long a snapshot may be used.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::clock::Tick;

/// How long snapshots are kept, and how many.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CacheOptions {
    /// How long a snapshot is served without asking the service. Default 30 s; zero turns the cache off.
    pub ttl: Duration,
    /// How long after `ttl` a snapshot may still be of use while a newer one is fetched. Default 30 s.
    pub stale_while_revalidate: Duration,
    /// How long after its fetch a snapshot may be of use at all, when the service cannot be reached. Default 1 h.
    pub max_stale: Duration,
    /// The largest number of snapshots kept; the least recently read is dropped first. Default 256, at least 1.
    pub max_entries: usize,
    /// By what share of itself `ttl` may be shortened, at random for each snapshot, so that a fleet of processes does not
    /// ask at the same moment. Default 0.1, from 0 to 0.5.
    pub jitter: f64,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(30),
            stale_while_revalidate: Duration::from_secs(30),
            max_stale: Duration::from_secs(3600),
            max_entries: 256,
            jitter: 0.1,
        }
    }
}

/// The three points after which a snapshot may do less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadlines {
    /// Until here it is served as it is.
    pub(crate) fresh: Tick,
    /// Until here it may be served while one refresh runs.
    pub(crate) revalidate: Tick,
    /// Until here it may stand in when the refresh fails; after it, it is gone.
    pub(crate) dead: Tick,
}

impl CacheOptions {
    /// The deadlines of a snapshot fetched at `now`. `spread` in `0.0..1.0` picks the point within the jitter.
    pub(crate) fn deadlines(&self, now: Tick, spread: f64) -> Deadlines {
        let share = self.jitter.clamp(0.0, 0.5) * spread.clamp(0.0, 1.0);
        let ttl = self.ttl.mul_f64(1.0 - share);
        let revalidate = ttl.saturating_add(self.stale_while_revalidate);
        Deadlines {
            fresh: now.after(ttl),
            revalidate: now.after(revalidate),
            dead: now.after(revalidate.max(self.max_stale)),
        }
    }
}

/// A number in `0.0..1.0` that differs between entries and between processes.
pub(crate) fn spread(seed: u64) -> f64 {
    let bits = RandomState::new().hash_one(seed) >> 11;
    bits as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Clock;

    #[test]
    fn jitter_only_ever_shortens_the_ttl_and_never_by_more_than_its_share() {
        let (options, now) = (CacheOptions::default(), Clock::system().now());
        for seed in 0..1000 {
            let fresh = options.deadlines(now, spread(seed)).fresh;
            assert!(fresh <= now.after(Duration::from_secs(30)));
            assert!(fresh >= now.after(Duration::from_secs(27)));
        }
    }

    #[test]
    fn the_three_deadlines_come_in_order_whatever_the_options() {
        let now = Clock::system().now();
        let options = CacheOptions { max_stale: Duration::ZERO, ..CacheOptions::default() };
        let deadlines = options.deadlines(now, 0.0);
        assert!(deadlines.fresh <= deadlines.revalidate && deadlines.revalidate <= deadlines.dead);
    }
}
