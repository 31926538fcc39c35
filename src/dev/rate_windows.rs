//! Fixed rate windows, which begin with their first request.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use super::clock::Millis;

/// The rest of a window.
#[derive(Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// When the window ends, in Unix seconds.
    pub(crate) reset: u64,
    pub(crate) ends: Millis,
}

/// The refusal of a window that is spent.
pub(crate) struct Spent {
    pub(crate) budget: Budget,
    /// Seconds.
    pub(crate) retry_after: u64,
}

/// The open windows, by their kind and by whose they are.
pub(crate) struct RateWindows<K>(HashMap<(K, String), Window>);

struct Window {
    ends: Millis,
    used: u32,
}

impl<K> Default for RateWindows<K> {
    fn default() -> Self {
        RateWindows(HashMap::new())
    }
}

impl<K: Eq + Hash> RateWindows<K> {
    /// Counts a request in a window of so many requests, or refuses it.
    pub(crate) fn take(
        &mut self,
        kind: K,
        whose: &str,
        (limit, length): (u32, Duration),
        now: Millis,
    ) -> Result<Budget, Spent> {
        let fresh = || Window { ends: now.plus(length), used: 0 };
        let window = self.0.entry((kind, whose.to_owned())).or_insert_with(fresh);
        if window.ends <= now {
            *window = fresh();
        }
        let (reset, ends) = (window.ends.0 / 1000, window.ends);
        if window.used >= limit {
            // Whole seconds, rounded down: up to a second before the window has ended.
            let retry_after = (window.ends.0 - now.0) / 1000;
            return Err(Spent { budget: Budget { limit, remaining: 0, reset, ends }, retry_after });
        }
        window.used += 1;
        Ok(Budget { limit, remaining: limit - window.used, reset, ends })
    }
}
