//! What a client has done so far.

/// Counts since the client was made. Clones of a client count together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Reads answered from the cache.
    pub hits: u64,
    /// Reads that were not: there was no fresh snapshot, or the caller asked for a new one.
    pub misses: u64,
    /// Snapshots that the cache holds now.
    pub cached: u64,
    /// Requests sent to the service, retries included, those of the raw client too.
    pub requests: u64,
    /// Requests among them that repeated a failed one.
    pub retries: u64,
}
