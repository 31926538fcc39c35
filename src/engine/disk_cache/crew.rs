//! The threads that wait for the disk: one for each piece of work, a few at once, and none beyond what a caller waits for.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::problem::Problem;
use crate::core::thread;

/// How long a caller waits for the disk.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// How many threads are at work at once. Writers take turns anyway, and a program may read hundreds of scopes as it starts.
const AT_ONCE: usize = 4;

/// The threads at work. Each holds the moment that it began at.
pub(super) struct Crew {
    places: Arc<Semaphore>,
    working: Mutex<Vec<Weak<Instant>>>,
    patience: Duration,
}

impl Crew {
    /// Callers wait for so long.
    pub(super) fn new(patience: Duration) -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)), working: Mutex::default(), patience }
    }

    /// Runs `work` on a thread of its own and waits for it, but not for longer than the patience. Who finds no place for a
    /// thread in that time starts none. While a thread from before is still waiting for the disk after that time, no other is
    /// started: they would only pile up.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let done = tokio::time::timeout(self.patience, async {
            if self.is_stuck(Instant::now()) {
                return Err(Problem::TooSlow);
            }
            let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| Problem::NoThread)?;
            let begun = self.begin(Instant::now()).ok_or(Problem::TooSlow)?;
            let work = move || {
                let done = work();
                drop((begun, place));
                done
            };
            match thread::run("xtra-offline", work).await {
                Ok(Some(done)) => done,
                Ok(None) | Err(_) => Err(Problem::NoThread),
            }
        });
        done.await.unwrap_or(Err(Problem::TooSlow))
    }

    fn is_stuck(&self, now: Instant) -> bool {
        let working = self.working.lock().unwrap_or_else(PoisonError::into_inner);
        self.has_overdue(&working, now)
    }

    fn has_overdue(&self, working: &[Weak<Instant>], now: Instant) -> bool {
        working.iter().filter_map(Weak::upgrade).any(|begun| now.duration_since(*begun) >= self.patience)
    }

    fn begin(&self, now: Instant) -> Option<Arc<Instant>> {
        let mut working = self.working.lock().unwrap_or_else(PoisonError::into_inner);
        working.retain(|begun| begun.strong_count() > 0);
        if self.has_overdue(&working, now) {
            return None;
        }
        let begun = Arc::new(now);
        working.push(Arc::downgrade(&begun));
        Some(begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_one_thread_is_overdue_no_other_is_started() {
        let crew = Crew::new(PATIENCE);
        let start = Instant::now();
        let (one, two) = (crew.begin(start), crew.begin(start));
        assert!(one.is_some() && two.is_some());
        assert!(crew.begin(start + PATIENCE).is_none());
        drop(one);
        assert!(crew.begin(start + PATIENCE).is_none());
        drop(two);
        assert!(crew.begin(start + PATIENCE).is_some());
        assert_eq!(crew.working.lock().unwrap().len(), 1, "threads that have ended are forgotten");
    }

    #[tokio::test]
    async fn a_disk_that_does_not_answer_holds_nobody_up_for_longer_than_the_patience() {
        let crew = Crew::new(Duration::from_millis(20));
        let (release, stuck) = std::sync::mpsc::channel::<()>();
        let begun = Instant::now();
        let waited = crew.run(move || stuck.recv().map_err(|_| Problem::Absent)).await;
        assert_eq!(waited, Err(Problem::TooSlow));
        assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
        assert_eq!(crew.run(|| Ok(())).await, Err(Problem::TooSlow), "at once, while the first is stuck");
        assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
        drop(release);
    }

    #[tokio::test]
    async fn however_much_there_is_to_do_few_threads_are_at_work_and_all_of_it_is_done() {
        let crew = Crew::new(PATIENCE);
        let gate = Arc::new(std::sync::RwLock::new(()));
        let closed = gate.write().unwrap();
        let mut all = Box::pin(futures_util::future::join_all((0..50).map(|number| {
            let gate = Arc::clone(&gate);
            crew.run(move || gate.read().map(|_| number).map_err(|_| Problem::Absent))
        })));
        assert!(futures_util::FutureExt::now_or_never(&mut all).is_none());
        assert_eq!(crew.working.lock().unwrap().len(), AT_ONCE);
        drop(closed);
        assert_eq!(all.await, (0..50).map(Ok).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_panic_of_the_work_is_a_problem_and_the_next_work_is_done() {
        let crew = Crew::new(PATIENCE);
        assert_eq!(crew.run::<()>(|| panic!("in the work")).await, Err(Problem::NoThread));
        assert_eq!(crew.run(|| Ok(1)).await, Ok(1));
    }
}
