//! One cached value with its deadlines, in the form that the store wants.

use std::cell::Cell;
use std::time::Duration;

use super::clock::{Clock, Tick};
use super::policy::Deadlines;

thread_local! {
    /// The time that the store's questions are answered with. The store asks an entry whether it has expired without saying
    /// what time it is; reading the clock again for each question would double the cost of a hit.
    static NOW: Cell<Option<Tick>> = const { Cell::new(None) };
}

/// Runs `ask`, a synchronous call into the store, with `now` as the time that entries expire by.
pub(super) fn at<T>(now: Tick, ask: impl FnOnce() -> T) -> T {
    NOW.set(Some(now));
    let answer = ask();
    NOW.set(None);
    answer
}

#[derive(Clone)]
pub(super) struct Entry<V> {
    pub(super) value: V,
    pub(super) deadlines: Deadlines,
    /// The order in which loads began: a later one may replace this value, an earlier one may not.
    pub(super) sequence: u64,
}

impl<V> cached::Expires for Entry<V> {
    fn is_expired(&self) -> bool {
        let now = NOW.get().unwrap_or_else(|| Clock::system().now().after(Duration::ZERO));
        now >= self.deadlines.dead
    }
}
