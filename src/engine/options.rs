//! The options that a client of any source has.

use super::cache::CacheOptions;
#[cfg(feature = "offline")]
use super::disk_cache::OfflineOptions;
use crate::core::Clock;

/// What a client of any source can be told: how to cache, and by which clock.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct EngineOptions {
    /// How long and how many snapshots are kept.
    pub cache: CacheOptions,
    /// What their age is measured with.
    pub clock: Clock,
    /// Secrets that a refresh must not lose: an answer that no longer has one that the snapshot before it had
    /// [is held back](crate::Client#what-is-held-back).
    pub required: Vec<String>,
    /// Where copies are kept for the time when the service cannot be reached. Default `None`: nowhere. Without a key of its own
    /// it needs a source with a [lasting token](crate::SecretSource::lasting_token).
    #[cfg(feature = "offline")]
    pub offline: Option<OfflineOptions>,
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

    /// These options with copies for the time when the service cannot be reached.
    #[cfg(feature = "offline")]
    #[must_use]
    pub fn offline(mut self, offline: OfflineOptions) -> Self {
        self.offline = Some(offline);
        self
    }

    /// These options with another clock.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}
