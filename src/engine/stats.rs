//! The counts of a client, and counters that many threads add to without waiting for each other.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

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
    /// Answers that told, without sending them, that the secrets are still those that are kept: of services that can.
    pub unchanged: u64,
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
    /// What is left of the service's quota, as the last answers told; of the project with the least. `None` as
    /// long as no answer told, and once the quota's time is over.
    pub quota_left: Option<u64>,
    /// Snapshots that are or were kept for longer than the configured time to live, so that the quota lasts.
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
    /// Reads answered with a fresh snapshot.
    pub(crate) hits: Hits,
    pub(crate) misses: AtomicU64,
    pub(crate) stale: AtomicU64,
    pub(crate) refreshes: AtomicU64,
    pub(crate) unchanged: AtomicU64,
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
            unchanged: read(&self.unchanged),
            shrinks_refused: read(&self.shrinks_refused),
            foreign_refusals: read(&self.foreign_refusals),
            ..Stats::default()
        }
    }
}

/// One count in parts, each on cache lines of its own. So many threads have a part to themselves and need no atomic addition,
/// which would be a third of a cached read; those beyond share the others.
#[derive(Default)]
pub(crate) struct Hits {
    own: [CachePadded<AtomicU64>; OWN],
    shared: [CachePadded<AtomicU64>; SHARED],
}

const OWN: usize = 32;
const SHARED: usize = 4;

impl Hits {
    #[inline]
    pub(crate) fn add(&self) {
        // a thread that is ending has no number any more
        let number = NUMBER.try_with(|number| number.0).unwrap_or(OWN);
        match self.own.get(number) {
            Some(own) => own.store(own.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed),
            None => self.add_shared(number),
        }
    }

    #[cold]
    fn add_shared(&self, number: usize) {
        if let Some(shared) = self.shared.get(number % SHARED) {
            shared.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn count(&self) -> u64 {
        let parts = self.own.iter().chain(&self.shared);
        parts.map(|part| part.load(Ordering::Relaxed)).fold(0, u64::wrapping_add)
    }
}

thread_local!(static NUMBER: ThreadNumber = ThreadNumber::take());

/// A thread's number: below [`OWN`] no other living thread has the same.
struct ThreadNumber(usize);

/// A bit for each number below [`OWN`] that a thread has.
static TAKEN: AtomicU32 = AtomicU32::new(0);
const _: () = assert!(OWN == u32::BITS as usize);

impl ThreadNumber {
    fn take() -> Self {
        static OTHERS: AtomicUsize = AtomicUsize::new(0);
        let first_free = |taken: u32| (taken != u32::MAX).then(|| taken | (taken + 1));
        // what the number's last thread has counted is seen by this one
        match TAKEN.fetch_update(Ordering::Acquire, Ordering::Relaxed, first_free) {
            Ok(taken) => Self(taken.trailing_ones() as usize),
            Err(_) => Self(OWN + OTHERS.fetch_add(1, Ordering::Relaxed) % SHARED),
        }
    }
}

impl Drop for ThreadNumber {
    fn drop(&mut self) {
        if self.0 < OWN {
            TAKEN.fetch_and(!(1 << self.0), Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn nothing_is_lost_however_many_threads_count() {
        let hits = Hits::default();
        let (threads, reads) = (2 * OWN + 1, 1000);
        let all_count = Barrier::new(threads);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    all_count.wait();
                    (0..reads).for_each(|_| hits.add());
                    all_count.wait();
                });
            }
        });
        assert_eq!(hits.count(), threads as u64 * reads);
    }

    #[test]
    fn what_a_thread_has_counted_stays_counted_when_others_come_after_it() {
        let hits = Hits::default();
        for expected in 1..=3 * OWN as u64 {
            std::thread::scope(|scope| scope.spawn(|| hits.add()).join().unwrap());
            assert_eq!(hits.count(), expected);
        }
    }
}
