//! Hand-written types on the wire: what XtraSecurity sends in more than one form, beside those of every generated client.
//!
//! The document names their schemas; the generated types use these in their place. What arrives prints and is written as
//! `[REDACTED]`. What is sent prints as `[REDACTED]` and is written as it is, because that is how it is sent.

mod answer;
mod entry;
mod pairs;

pub use answer::StoredValue;
pub use entry::SecretEntry;
pub(crate) use pairs::ReadPairs;

use crate::http::runtime::wire::REDACTED;
pub use crate::http::runtime::wire::{FreeForm, SecretInput, WireSecret};

#[cfg(test)]
mod tests;
