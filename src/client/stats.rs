//! What a client has done so far.

/// Counts since the client was made. Clones of a client count together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Reads answered from the cache with a fresh snapshot.
    pub hits: u64,
    /// Reads that waited for the service: there was no snapshot to serve at once, or the caller asked for a new one.
    pub misses: u64,
    /// Reads answered with a snapshot past its time to live: while it was being refreshed, or because the service could not be
    /// reached.
    pub stale: u64,
    /// Requests for a newer snapshot that no read waited for, and those of `refresh()`.
    pub refreshes: u64,
    /// Answers that were held back because they had lost all secrets, or one that is required.
    pub shrinks_refused: u64,
    /// Snapshots that the cache holds now.
    pub cached: u64,
    /// Requests sent to the service, retries included, those of the raw client too.
    pub requests: u64,
    /// Requests among them that repeated a failed one.
    pub retries: u64,
}
