//! Hand-written types of generated clients: whatever may hold a secret, and untyped JSON.
//!
//! What arrives prints and is written as `[REDACTED]`. What is sent prints as `[REDACTED]` and is written as it is, because that
//! is how it is sent.

mod answer;
mod data;
mod free_form;
mod input;

pub use answer::WireSecret;
pub use data::SecretData;
pub use free_form::FreeForm;
pub use input::SecretInput;

/// What is written in a secret's place, the same as `SecretValue` prints.
pub(crate) const REDACTED: &str = "[REDACTED]";
