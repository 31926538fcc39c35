//! Hand-written types on the wire: whatever may hold a secret, and untyped JSON.
//!
//! The document names their schemas; the generated types use these in their place. What arrives prints and is written as
//! `[REDACTED]`. What is sent prints as `[REDACTED]` and is written as it is, because that is how it is sent.

mod answer;
mod entry;
mod free_form;
mod input;
mod pairs;

pub use answer::{StoredValue, WireSecret};
pub use entry::SecretEntry;
pub use free_form::FreeForm;
pub use input::SecretInput;
pub(crate) use pairs::ReadPairs;

/// What is written in a secret's place, the same as `SecretValue` prints.
const REDACTED: &str = "[REDACTED]";

#[cfg(test)]
mod tests;
