//! What single flight synchronises with. `tests/interleavings` puts in its place what tries every order of steps.

pub(crate) use std::sync::atomic::AtomicU64;
pub(crate) use std::sync::{Mutex, MutexGuard};
