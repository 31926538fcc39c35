//! What a service has said is left of a budget of requests.

use std::time::Duration;

/// What is left of a budget of requests that a source has with its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Budget {
    /// The requests of a whole window.
    pub limit: u64,
    /// Those that are left of it, for everyone who spends from the same budget.
    pub remaining: u64,
    /// How long it is until the window ends and the budget is whole again.
    pub resets_in: Duration,
}

impl Budget {
    /// A budget of `limit` requests with `remaining` left, which is whole again in `resets_in`.
    #[must_use]
    pub fn new(limit: u64, remaining: u64, resets_in: Duration) -> Self {
        Self { limit, remaining, resets_in }
    }

    /// What may be spent: a tenth of the limit is kept in reserve, for writes, for calls of the raw client and for surprises.
    pub(crate) fn usable(&self) -> u64 {
        self.remaining.saturating_sub(self.limit.div_ceil(10))
    }
}
