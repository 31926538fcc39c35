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
    /// Answers that were [held back](crate::Client#what-is-held-back): they had lost all secrets, say, or one that is required.
    pub shrinks_refused: u64,
    /// Reads answered with what was kept, in memory or on the disk, in place of a refusal that is not the service's own but, say, a
    /// proxy's.
    pub foreign_refusals: u64,
    /// Times that a copy was taken from the disk, because the service could not be reached and memory held nothing: with the
    /// feature `offline`.
    pub offline: u64,
    /// Times that a copy could not be written to the disk, or not deleted from it. No read fails for that.
    pub offline_failures: u64,
    /// Snapshots that the cache holds now.
    pub cached: u64,
    /// Requests sent to the service, retries included, those of the raw client too.
    pub requests: u64,
    /// Requests among them that repeated a failed one.
    pub retries: u64,
    /// What is left of the service's budget of requests, as the last answers told; of the project with the least. `None` as
    /// long as no answer told, and once the budget's time is over.
    pub budget_left: Option<u64>,
    /// Snapshots that are or were kept for longer than the configured time to live, so that the budget lasts.
    pub stretched: u64,
    /// Calls that waited before they were sent, so as not to be refused: for the end of a pause that the service had asked for,
    /// or because of [`requests_per_minute`](crate::XtraClientBuilder::requests_per_minute).
    pub delayed: u64,
    /// Calls that failed without being sent, for the same reasons, because the wait would have been longer than the call may
    /// take.
    pub withheld: u64,
    /// Retries that were not made, because too many calls of the process were failing: all clients together may make one retry
    /// for five calls, or thirty within ten seconds if that is more.
    pub retries_withheld: u64,
}
