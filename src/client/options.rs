//! The options that a client of any source has.

use crate::cache::{CacheOptions, Clock};

/// What a client of any source can be told: how to cache, and by which clock.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct EngineOptions {
    /// How long and how many snapshots are kept.
    pub cache: CacheOptions,
    /// What their age is measured with.
    pub clock: Clock,
    /// Secrets that a refresh must not lose: when an answer no longer has one that the snapshot before it had, that snapshot
    /// is kept and a warning logged.
    pub required: Vec<String>,
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

    /// These options with another clock.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}
