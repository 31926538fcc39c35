//! What `src/cache/sync.rs` is in the crate.

pub(super) use loom::sync::atomic::AtomicU64;
pub(super) use loom::sync::{Mutex, MutexGuard};
