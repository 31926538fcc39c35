//! What `mod sync` of `src/engine/mod.rs` is in the crate.

pub(super) use loom::sync::atomic::AtomicU64;
pub(super) use loom::sync::{Mutex, MutexGuard};
