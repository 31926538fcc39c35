//! Random numbers for jitter.

use std::hash::{BuildHasher, RandomState};

/// A number in `0.0..1.0` that differs between entries and between processes.
pub(crate) fn spread(seed: u64) -> f64 {
    let bits = RandomState::new().hash_one(seed) >> 11;
    bits as f64 / (1u64 << 53) as f64
}
