//! Bounded threads for disk I/O: one for each piece of work, a few at once, and none beyond what a caller waits for.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::error::DiskError;
use crate::core::thread;

/// The longest that a caller waits for the disk.
pub(super) const IO_TIMEOUT: Duration = Duration::from_secs(2);

/// The most threads at once. Writers take turns anyway, and a program may read hundreds of scopes as it starts.
const MAX_THREADS: usize = 4;

/// A bounded set of short-lived threads.
pub(super) struct BoundedThreads {
    permits: Arc<Semaphore>,
    /// When each running thread started; the thread holds the strong reference.
    started: Mutex<Vec<Weak<Instant>>>,
    timeout: Duration,
}

impl BoundedThreads {
    /// Threads whose callers wait for at most `timeout`.
    pub(super) fn new(timeout: Duration) -> Self {
        Self { permits: Arc::new(Semaphore::new(MAX_THREADS)), started: Mutex::default(), timeout }
    }

    /// Runs `work` on a thread of its own and waits for it, up to the timeout. A caller that gets no permit in that time starts
    /// no thread. While an earlier thread is still blocked after its timeout, no other is started: they would only pile up.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, DiskError> + Send + 'static,
    ) -> Result<T, DiskError> {
        let done = tokio::time::timeout(self.timeout, async {
            if self.is_stuck(Instant::now()) {
                return Err(DiskError::TooSlow);
            }
            let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| DiskError::NoThread)?;
            let started = self.start(Instant::now()).ok_or(DiskError::TooSlow)?;
            let work = move || {
                let done = work();
                drop((started, permit));
                done
            };
            match thread::run("xtrasecurity-io", work).await {
                Ok(Some(done)) => done,
                Ok(None) | Err(_) => Err(DiskError::NoThread),
            }
        });
        done.await.unwrap_or(Err(DiskError::TooSlow))
    }

    fn is_stuck(&self, now: Instant) -> bool {
        let started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        self.has_overdue(&started, now)
    }

    fn has_overdue(&self, started: &[Weak<Instant>], now: Instant) -> bool {
        started.iter().filter_map(Weak::upgrade).any(|start| now.duration_since(*start) >= self.timeout)
    }

    fn start(&self, now: Instant) -> Option<Arc<Instant>> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        started.retain(|start| start.strong_count() > 0);
        if self.has_overdue(&started, now) {
            return None;
        }
        let start = Arc::new(now);
        started.push(Arc::downgrade(&start));
        Some(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_one_thread_is_overdue_no_other_is_started() {
        let threads = BoundedThreads::new(IO_TIMEOUT);
        let start = Instant::now();
        let (one, two) = (threads.start(start), threads.start(start));
        assert!(one.is_some() && two.is_some());
        assert!(threads.start(start + IO_TIMEOUT).is_none());
        drop(one);
        assert!(threads.start(start + IO_TIMEOUT).is_none());
        drop(two);
        assert!(threads.start(start + IO_TIMEOUT).is_some());
        assert_eq!(threads.started.lock().unwrap().len(), 1, "threads that have ended are forgotten");
    }

    #[tokio::test]
    async fn a_disk_that_does_not_answer_holds_nobody_up_for_longer_than_the_patience() {
        let threads = BoundedThreads::new(Duration::from_millis(20));
        let (release, stuck) = std::sync::mpsc::channel::<()>();
        let begun = Instant::now();
        let waited = threads.run(move || stuck.recv().map_err(|_| DiskError::Absent)).await;
        assert_eq!(waited, Err(DiskError::TooSlow));
        assert!(begun.elapsed() < IO_TIMEOUT, "{:?}", begun.elapsed());
        assert_eq!(threads.run(|| Ok(())).await, Err(DiskError::TooSlow), "at once, while the first is stuck");
        assert!(begun.elapsed() < IO_TIMEOUT, "{:?}", begun.elapsed());
        drop(release);
    }

    #[tokio::test]
    async fn however_much_there_is_to_do_few_threads_are_at_work_and_all_of_it_is_done() {
        let threads = BoundedThreads::new(IO_TIMEOUT);
        let gate = Arc::new(std::sync::RwLock::new(()));
        let closed = gate.write().unwrap();
        let mut all = Box::pin(futures_util::future::join_all((0..50).map(|number| {
            let gate = Arc::clone(&gate);
            threads.run(move || gate.read().map(|_| number).map_err(|_| DiskError::Absent))
        })));
        assert!(futures_util::FutureExt::now_or_never(&mut all).is_none());
        assert_eq!(threads.started.lock().unwrap().len(), MAX_THREADS);
        drop(closed);
        assert_eq!(all.await, (0..50).map(Ok).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_panic_of_the_work_is_a_problem_and_the_next_work_is_done() {
        let threads = BoundedThreads::new(IO_TIMEOUT);
        assert_eq!(threads.run::<()>(|| panic!("in the work")).await, Err(DiskError::NoThread));
        assert_eq!(threads.run(|| Ok(1)).await, Ok(1));
    }
}
