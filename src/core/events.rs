//! The targets of the crate's events. They are stable: programs filter by them, whatever file an event comes from.

/// Every request, what it is retried for, and the certificates that it trusts.
#[cfg(feature = "http")]
pub(crate) const HTTP: &str = "xtrasecurity::http";
/// The service's quotas: requests that wait or are refused for one, and snapshots that are kept longer to spare it.
pub(crate) const QUOTA: &str = "xtrasecurity::quota";
/// The cache: reads, refreshes, watches and copies on disk.
pub(crate) const ENGINE: &str = "xtrasecurity::engine";
/// Tokens: where they were found, and files that others can read.
#[cfg(feature = "http")]
pub(crate) const CREDENTIALS: &str = "xtrasecurity::credentials";
/// The sources: local mode, `.env` files that others can read, layers that are missing, and writes that could not be read back.
pub(crate) const SERVICE: &str = "xtrasecurity::service";
