//! The retry budget that all calls of a process share: a failing service must not be asked much more for failing.

use crate::core::events;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Counts calls and retries over a sliding window. Pure: the time is passed in.
pub(crate) struct RetryBudget(Mutex<Counts>);

/// The length of the window, in the parts that it slides by.
const PARTS: usize = 10;
const PART: Duration = Duration::from_secs(1);
const WINDOW: Duration = PART.saturating_mul(PARTS as u32);

/// So many retries in a window are let through however few calls there were: a lone call must be able to retry.
const FLOOR: u32 = 30;

/// One retry for so many calls: 20 %.
const CALLS_PER_RETRY: u32 = 5;

struct Counts {
    /// The start of the latest part.
    latest: Option<Instant>,
    /// Calls and retries by part, the latest first.
    parts: [Part; PARTS],
    /// When a retry was refused last.
    refused: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Part {
    calls: u32,
    retries: u32,
}

impl RetryBudget {
    pub(crate) const fn new() -> Self {
        let parts = [Part { calls: 0, retries: 0 }; PARTS];
        Self(Mutex::new(Counts { latest: None, parts, refused: None }))
    }

    /// The one that all clients of the process share.
    pub(crate) fn of_process() -> &'static Self {
        static PROCESS: RetryBudget = RetryBudget::new();
        &PROCESS
    }

    /// Counts a call, which is about to be sent for the first time.
    pub(crate) fn count_call(&self, now: Instant) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let part = counts.part(now);
        part.calls = part.calls.saturating_add(1);
    }

    /// Whether one more retry may be made; if so, it is counted.
    pub(crate) fn grants_retry(&self, now: Instant) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.part(now);
        let (calls, retries) = counts.sums();
        let granted = retries < FLOOR.max(calls / CALLS_PER_RETRY);
        if granted {
            let part = counts.part(now);
            part.retries = part.retries.saturating_add(1);
        } else if counts.refusal_is_news(now) {
            tracing::warn!(
                target: events::HTTP,
                calls,
                retries,
                "too many calls of this process fail; until it gets better, most of them are not repeated"
            );
        }
        granted
    }
}

impl Counts {
    /// Notes a refusal. It is news unless there was one within a window before: while calls fail, grants and refusals take
    /// turns.
    fn refusal_is_news(&mut self, now: Instant) -> bool {
        let before = self.refused.replace(now);
        before.is_none_or(|before| now.saturating_duration_since(before) >= WINDOW)
    }

    /// The part that `now` lies in, with everything that has left the window forgotten. A time before the latest part counts
    /// into that, unless it lies so far back that the clock must have run ahead, as one that is driven by hand may: then the
    /// count begins anew, because it would stand still until real time is there.
    fn part(&mut self, now: Instant) -> &mut Part {
        let latest = *self.latest.get_or_insert(now);
        if latest.saturating_duration_since(now) >= WINDOW {
            *self = Self { latest: Some(now), parts: [Part { calls: 0, retries: 0 }; PARTS], refused: None };
            return self.part(now);
        }
        let passed = now.saturating_duration_since(latest).as_secs() / PART.as_secs();
        if passed > 0 {
            let slide = usize::try_from(passed).unwrap_or(PARTS).min(PARTS);
            self.parts.rotate_right(slide);
            self.parts.iter_mut().take(slide).for_each(|part| *part = Part { calls: 0, retries: 0 });
            self.latest = Some(latest + PART * u32::try_from(passed).unwrap_or(u32::MAX));
        }
        let [first, ..] = &mut self.parts;
        first
    }

    fn sums(&self) -> (u32, u32) {
        self.parts.iter().fold((0, 0), |(calls, retries), part| {
            (u32::saturating_add(calls, part.calls), u32::saturating_add(retries, part.retries))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(budget: &RetryBudget, tries: u32, now: Instant) -> u32 {
        (0..tries).map(|_| u32::from(budget.grants_retry(now))).sum()
    }

    #[test]
    fn few_calls_may_retry_up_to_the_floor() {
        let (budget, now) = (RetryBudget::new(), Instant::now());
        budget.count_call(now);
        assert_eq!(granted(&budget, 1000, now), FLOOR);
        assert_eq!(granted(&budget, 1000, now + Duration::from_millis(9_999)), 0);
        assert_eq!(granted(&budget, 1000, now + Duration::from_secs(10)), FLOOR, "the window slides on");
    }

    #[test]
    fn many_calls_may_retry_by_a_fifth_of_their_number() {
        let (budget, now) = (RetryBudget::new(), Instant::now());
        (0..2000).for_each(|_| budget.count_call(now));
        assert_eq!(granted(&budget, 6000, now + Duration::from_secs(1)), 400);
    }

    #[test]
    fn no_window_ever_sees_more_retries_than_its_share() {
        let (budget, start) = (RetryBudget::new(), Instant::now());
        let mut seen = Vec::new();
        for second in 0..120_u64 {
            let now = start + Duration::from_secs(second);
            let calls = [0, 3, 40, 900][second as usize / 7 % 4];
            (0..calls).for_each(|_| budget.count_call(now));
            seen.push((calls, granted(&budget, 2 * calls + 5, now)));
            let window = &seen[seen.len().saturating_sub(PARTS)..];
            let (calls, retries) = window.iter().fold((0, 0), |sums, one| (sums.0 + one.0, sums.1 + one.1));
            assert!(retries <= FLOOR.max(calls / CALLS_PER_RETRY) || seen[second as usize].1 == 0, "{second}");
        }
    }

    #[test]
    fn a_time_far_ahead_or_behind_is_no_trouble() {
        let (budget, now) = (RetryBudget::new(), Instant::now() + Duration::from_secs(100));
        budget.count_call(now);
        budget.count_call(now - Duration::from_secs(50));
        assert!(budget.grants_retry(now + Duration::from_secs(1 << 31)));
        assert!(budget.grants_retry(now));
    }

    #[test]
    fn a_clock_that_ran_ahead_once_does_not_refuse_for_ever() {
        let (budget, now) = (RetryBudget::new(), Instant::now());
        granted(&budget, 1000, now + Duration::from_secs(86_400));
        assert!(budget.grants_retry(now));
        assert_eq!(granted(&budget, 1000, now + Duration::from_secs(10)), FLOOR);
    }

    #[test]
    fn a_storm_is_told_once_and_the_next_one_again() {
        let (budget, start) = (RetryBudget::new(), Instant::now());
        let mut counts = budget.0.lock().unwrap();
        let mut news = |millis| counts.refusal_is_news(start + Duration::from_millis(millis));
        let told: u32 = (0..60_000).step_by(10).map(|millis| u32::from(news(millis))).sum();
        assert_eq!((told, news(69_989), news(79_989)), (1, false, true));
    }
}
