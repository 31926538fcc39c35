//! What is kept of secrets when the answers are not the service's, not what they were, or do not come at all.

mod confirmation;
mod foreign;
mod held_back;
mod panics;
mod properties;
mod server;
pub mod source;
mod stale_wait;
