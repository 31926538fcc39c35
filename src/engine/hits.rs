//! A counter that many threads write all the time without waiting for each other.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

const LANES: usize = 8;

/// One count in parts. A thread always adds to the same part, and threads take turns in being given one.
#[derive(Default)]
pub(crate) struct Hits {
    lanes: [Lane; LANES],
}

/// As large as what processors pass between each other, so that no two lanes travel together.
#[derive(Default)]
#[repr(align(128))]
struct Lane(AtomicU64);

impl Hits {
    #[inline]
    pub(crate) fn add(&self) {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local!(static LANE: usize = THREADS.fetch_add(1, Ordering::Relaxed) % LANES);
        // a thread that is ending has no number any more
        let lane = LANE.try_with(|lane| *lane).unwrap_or_default();
        if let Some(lane) = self.lanes.get(lane) {
            lane.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.0.load(Ordering::Relaxed)).fold(0, u64::wrapping_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_however_many_threads_count() {
        let hits = Hits::default();
        std::thread::scope(|scope| {
            for _ in 0..2 * LANES + 1 {
                scope.spawn(|| (0..1000).for_each(|_| hits.add()));
            }
        });
        assert_eq!(hits.count(), (2 * LANES as u64 + 1) * 1000);
    }
}
