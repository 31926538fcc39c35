//! The caching policy: the options of a client, and the deadlines of a snapshot.

use std::time::Duration;

#[cfg(feature = "offline")]
use super::disk_cache::OfflineOptions;
use crate::core::Clock;
use crate::core::clock::Tick;

/// How long snapshots are kept, and how many.
///
/// ```
/// use std::time::Duration;
/// use xtrasecurity::CacheOptions;
///
/// let options = CacheOptions::default().ttl(Duration::from_secs(60)).max_entries(1000).jitter(0.0);
/// assert_eq!(options.ttl, Duration::from_secs(60));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CacheOptions {
    /// How long a snapshot is served without asking the service. Default 30 s; zero turns the cache off.
    pub ttl: Duration,
    /// How long after that a snapshot is still served at once, while one refresh runs. Default 30 s; with zero, a read waits
    /// for the refresh as soon as the snapshot is no longer fresh.
    pub stale_while_revalidate: Duration,
    /// How old a snapshot may be to be served when the service cannot be reached. Default 1 h; less than `ttl` and
    /// `stale_while_revalidate` together counts as these. After it, reads fail as the refresh does, and the values leave memory.
    pub max_stale: Duration,
    /// How long a read that has an aged snapshot waits for its refresh. After it, the snapshot is served, and the refresh goes on
    /// without the read. Default 2 s. A read that has nothing to serve waits for the whole call.
    pub stale_wait: Duration,
    /// For how long a refusal (401, 403, 404, 405, 407, 410, 451) that is not the service's own, but a proxy's or a firewall's,
    /// counts as a service that cannot be reached: what is kept is served in its place. It counts from the first such refusal,
    /// over restarts too where copies are kept on disk, and ends with any answer of the service itself. Default 15 min; with
    /// zero, such a refusal is the read's error at once. It never deletes anything.
    pub foreign_refusal_grace: Duration,
    /// How far `ttl` may be stretched so that the service's daily quota lasts. Default 10 min; anything up to
    /// `ttl` turns stretching off.
    pub max_ttl: Duration,
    /// The largest number of snapshots kept; the least recently read is dropped first. Default 256, from 1 to 1,048,576;
    /// what lies outside counts as the nearest of these.
    pub max_entries: usize,
    /// By what share of itself `ttl` may be shortened, at random for each snapshot, so that a fleet of processes does not
    /// ask at the same moment. Default 0.1, from 0 to 0.5; what lies outside counts as the nearer end, and what is no number
    /// as 0.
    pub jitter: f64,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(30),
            stale_while_revalidate: Duration::from_secs(30),
            max_stale: Duration::from_secs(3600),
            stale_wait: Duration::from_secs(2),
            foreign_refusal_grace: Duration::from_secs(15 * 60),
            max_ttl: Duration::from_secs(600),
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
    /// The largest `max_entries`.
    const MOST_ENTRIES: usize = 1 << 20;

    /// These options with another time to live.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// These options with another time in which an aged snapshot is served while one refresh runs.
    #[must_use]
    pub fn stale_while_revalidate(mut self, time: Duration) -> Self {
        self.stale_while_revalidate = time;
        self
    }

    /// These options with another age up to which a snapshot stands in for a service that cannot be reached.
    #[must_use]
    pub fn max_stale(mut self, age: Duration) -> Self {
        self.max_stale = age;
        self
    }

    /// These options with another time that a read with an aged snapshot waits for its refresh.
    #[must_use]
    pub fn stale_wait(mut self, time: Duration) -> Self {
        self.stale_wait = time;
        self
    }

    /// These options with another time for which refusals that are not the service's own are forgiven.
    #[must_use]
    pub fn foreign_refusal_grace(mut self, time: Duration) -> Self {
        self.foreign_refusal_grace = time;
        self
    }

    /// These options with another limit for the stretching of `ttl`.
    #[must_use]
    pub fn max_ttl(mut self, limit: Duration) -> Self {
        self.max_ttl = limit;
        self
    }

    /// These options with another bound.
    #[must_use]
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// These options with another jitter.
    #[must_use]
    pub fn jitter(mut self, share: f64) -> Self {
        self.jitter = share;
        self
    }

    /// The bound within its limits.
    pub(crate) fn capacity(&self) -> usize {
        self.max_entries.clamp(1, Self::MOST_ENTRIES)
    }

    /// The deadlines of a snapshot fetched at `now` that is to be fresh for `ttl`. `spread` in `0.0..1.0` picks the point
    /// within the jitter.
    pub(crate) fn deadlines(&self, now: Tick, ttl: Duration, spread: f64) -> Deadlines {
        let jitter = if self.jitter.is_nan() { 0.0 } else { self.jitter.clamp(0.0, 0.5) };
        let share = jitter * spread.clamp(0.0, 1.0);
        let shorter_by = Duration::try_from_secs_f64(ttl.as_secs_f64() * share).unwrap_or_default();
        let ttl = ttl.saturating_sub(shorter_by);
        let revalidate = ttl.saturating_add(self.stale_while_revalidate);
        Deadlines {
            fresh: now.after(ttl),
            revalidate: now.after(revalidate),
            dead: now.after(revalidate.max(self.max_stale)),
        }
    }
}

/// What a client of any source can be told: how to cache, and by which clock.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct EngineOptions {
    /// How long and how many snapshots are kept.
    pub cache: CacheOptions,
    /// What their age is measured with.
    pub clock: Clock,
    /// Secrets that a refresh must not lose: an answer that no longer has one that the snapshot before it had
    /// [is held back](crate::Client#what-is-held-back).
    pub required: Vec<String>,
    /// Where copies are kept for the time when the service cannot be reached. Default `None`: nowhere. Without a key of its own
    /// it needs a source with a [lasting token](crate::SecretSource::lasting_token).
    #[cfg(feature = "offline")]
    pub offline: Option<OfflineOptions>,
}

impl EngineOptions {
    /// These options with another way to cache.
    #[must_use]
    pub fn cache(mut self, cache: CacheOptions) -> Self {
        self.cache = cache;
        self
    }

    /// These options with further secrets that a refresh must not lose.
    #[must_use]
    pub fn required<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.required.extend(names.into_iter().map(Into::into));
        self
    }

    /// These options with copies for the time when the service cannot be reached.
    #[cfg(feature = "offline")]
    #[must_use]
    pub fn offline(mut self, offline: OfflineOptions) -> Self {
        self.offline = Some(offline);
        self
    }

    /// These options with another clock.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Clock, spread};

    #[test]
    fn jitter_only_ever_shortens_the_ttl_and_never_by_more_than_its_share() {
        let (options, now) = (CacheOptions::default(), Clock::system().now());
        for _ in 0..1000 {
            let fresh = options.deadlines(now, options.ttl, spread()).fresh;
            assert!(fresh <= now.after(Duration::from_secs(30)));
            assert!(fresh >= now.after(Duration::from_secs(27)));
        }
    }

    #[test]
    fn options_that_make_no_sense_are_brought_within_their_limits_and_never_panic() {
        let now = Clock::system().now();
        for jitter in [f64::NAN, f64::NEG_INFINITY, f64::INFINITY, -1.0, 2.0] {
            for ttl in [Duration::ZERO, Duration::from_secs(30), Duration::MAX] {
                let fresh = CacheOptions::default().jitter(jitter).deadlines(now, ttl, 1.0).fresh;
                assert!(fresh >= now.after(ttl / 2) && fresh <= now.after(ttl), "{jitter} {ttl:?}");
            }
        }
        assert_eq!(CacheOptions::default().max_entries(0).capacity(), 1);
        assert_eq!(CacheOptions::default().max_entries(usize::MAX).capacity(), 1 << 20);
    }

    #[test]
    fn the_three_deadlines_come_in_order_whatever_the_options() {
        let now = Clock::system().now();
        let options = CacheOptions { max_stale: Duration::ZERO, ..CacheOptions::default() };
        let deadlines = options.deadlines(now, options.ttl, 0.0);
        assert!(deadlines.fresh <= deadlines.revalidate && deadlines.revalidate <= deadlines.dead);
    }
}
