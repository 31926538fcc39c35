//! Each example of the vendors' pages on their SDKs, in Rust, run against the dev servers.
//!
//! What stands between `readme: begin` and `readme: end` is shown in `docs/`: a test of the crate compares them.

mod from_secr;
mod from_syvault;

type Outcome = Result<(), Box<dyn std::error::Error>>;
