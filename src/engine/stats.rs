//! The counts of a client, and counters that many threads add to without waiting for each other.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_utils::CachePadded;

/// Counts since the client was made. Clones of a client count together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Reads answered from the cache with a fresh snapshot.
    pub hits: u64,
    /// Reads that waited for the service: there was no snapshot to serve at once, or the caller asked for a new one.
    pub misses: u64,
    /// Reads answered with a snapshot past its time to live: while it was being refreshed, or because the service could not be
    /// reached.
    pub stale: u64,
    /// Requests for a newer snapshot that no read waited for, and those of `refresh()`.
    pub refreshes: u64,
    /// Answers that were [held back](crate::Client#what-is-held-back): they had lost all secrets, say, or one that is required.
    pub shrinks_refused: u64,
    /// Reads answered with what was kept, in memory or on the disk, in place of a refusal that is not the service's own but, say, a
    /// proxy's.
    pub foreign_refusals: u64,
    /// Times that a copy was taken from the disk, because the service could not be reached and memory held nothing: with the
    /// feature `offline`.
    pub offline: u64,
    /// Times that a copy could not be written to the disk, or not deleted from it. No read fails for that.
    pub offline_failures: u64,
    /// Snapshots that the cache holds now.
    pub cached: u64,
    /// Requests sent to the service, retries included, those of the raw client too.
    pub requests: u64,
    /// Requests among them that repeated a failed one.
    pub retries: u64,
    /// What is left of the service's budget of requests, as the last answers told; of the project with the least. `None` as
    /// long as no answer told, and once the budget's time is over.
    pub budget_left: Option<u64>,
    /// Snapshots that are or were kept for longer than the configured time to live, so that the budget lasts.
    pub stretched: u64,
    /// Calls that waited before they were sent, so as not to be refused: for the end of a pause that the service had asked for,
    /// or because more calls were made than the client sends in a minute.
    pub delayed: u64,
    /// Calls that failed without being sent, for the same reasons, because the wait would have been longer than the call may
    /// take.
    pub withheld: u64,
    /// Retries that were not made, because too many calls of the process were failing: all clients together may make one retry
    /// for five calls, or thirty within ten seconds if that is more.
    pub retries_withheld: u64,
}

/// What an engine counts itself.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) hits: Hits,
    pub(crate) misses: AtomicU64,
    pub(crate) stale: AtomicU64,
    pub(crate) refreshes: AtomicU64,
    pub(crate) shrinks_refused: AtomicU64,
    pub(crate) foreign_refusals: AtomicU64,
}

impl Counts {
    /// These counts; what the source, the cache and the disk count is left at zero.
    pub(crate) fn stats(&self) -> Stats {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Stats {
            hits: self.hits.count(),
            misses: read(&self.misses),
            stale: read(&self.stale),
            refreshes: read(&self.refreshes),
            shrinks_refused: read(&self.shrinks_refused),
            foreign_refusals: read(&self.foreign_refusals),
            ..Stats::default()
        }
    }
}

/// Reads answered with a fresh snapshot: by ordinary reads, and by handles that have a count of their own.
#[derive(Default)]
pub(crate) struct Hits {
    shared: ShardedCounter,
    own: Mutex<Vec<OwnCount>>,
}

/// One handle's count. Only that handle writes it, so it needs no atomic addition.
type OwnCount = Arc<CachePadded<AtomicU64>>;

impl Hits {
    #[inline]
    pub(crate) fn add(&self) {
        self.shared.add(1);
    }

    pub(crate) fn count(&self) -> u64 {
        let own = self.own();
        own.iter().map(|count| count.load(Ordering::Relaxed)).fold(self.shared.count(), u64::wrapping_add)
    }

    fn own(&self) -> MutexGuard<'_, Vec<OwnCount>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of [`Hits`] that one handle counts. The first hit goes to the shared count: many a handle is cloned for one read.
#[derive(Default)]
pub(crate) enum HitCounter {
    #[default]
    Unused,
    Used,
    Own(OwnCount),
}

impl HitCounter {
    #[inline]
    pub(crate) fn add(&mut self, hits: &Hits) {
        match self {
            Self::Own(count) => count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed),
            Self::Unused | Self::Used => self.add_shared(hits),
        }
    }

    #[cold]
    fn add_shared(&mut self, hits: &Hits) {
        hits.add();
        *self = match self {
            Self::Unused => Self::Used,
            Self::Used | Self::Own(_) => {
                let count = OwnCount::default();
                hits.own().push(Arc::clone(&count));
                Self::Own(count)
            }
        };
    }

    /// To be called when the handle goes: what it has counted stays counted.
    pub(crate) fn give_back(&mut self, hits: &Hits) {
        if let Self::Own(count) = std::mem::take(self) {
            let mut own = hits.own();
            own.retain(|other| !Arc::ptr_eq(other, &count));
            hits.shared.add(count.load(Ordering::Relaxed));
        }
    }
}

const SHARDS: usize = 8;

/// One count in parts, each on cache lines of its own. A thread always adds to the same part, and threads take turns in being
/// given one.
#[derive(Default)]
pub(crate) struct ShardedCounter {
    shards: [CachePadded<AtomicU64>; SHARDS],
}

impl ShardedCounter {
    #[inline]
    pub(crate) fn add(&self, count: u64) {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local!(static SHARD: usize = THREADS.fetch_add(1, Ordering::Relaxed) % SHARDS);
        // a thread that is ending has no number any more
        let shard = SHARD.try_with(|shard| *shard).unwrap_or_default();
        if let Some(shard) = self.shards.get(shard) {
            shard.fetch_add(count, Ordering::Relaxed);
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.shards.iter().map(|shard| shard.load(Ordering::Relaxed)).fold(0, u64::wrapping_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_however_many_threads_count() {
        let hits = ShardedCounter::default();
        std::thread::scope(|scope| {
            for _ in 0..2 * SHARDS + 1 {
                scope.spawn(|| (0..1000).for_each(|_| hits.add(1)));
            }
        });
        assert_eq!(hits.count(), (2 * SHARDS as u64 + 1) * 1000);
    }

    #[test]
    fn what_a_handle_has_counted_is_seen_at_once_and_stays_counted_when_it_goes() {
        let (hits, mut one, mut other) = (Hits::default(), HitCounter::default(), HitCounter::default());
        for expected in 1..=5 {
            one.add(&hits);
            other.add(&hits);
            hits.add();
            assert_eq!(hits.count(), 3 * expected);
        }
        one.give_back(&hits);
        assert_eq!((hits.count(), hits.own().len()), (15, 1));
        other.give_back(&hits);
        assert_eq!((hits.count(), hits.own().len()), (15, 0));
    }
}
