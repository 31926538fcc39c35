//! Hand-written types of generated clients: values that arrive (printed and written as `[REDACTED]`), values that are sent (printed
//! as `[REDACTED]`, written as they are), and untyped JSON.

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
