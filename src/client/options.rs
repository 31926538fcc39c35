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
}

impl EngineOptions {
    /// These options with another way to cache.
    #[must_use]
    pub fn cache(mut self, cache: CacheOptions) -> Self {
        self.cache = cache;
        self
    }

    /// These options with another clock.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}
