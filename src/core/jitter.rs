//! Random numbers for jitter.

/// A number in `0.0..1.0` that differs between entries and between processes. Jitter needs spread, not secrecy.
pub(crate) fn spread() -> f64 {
    fastrand::f64()
}
