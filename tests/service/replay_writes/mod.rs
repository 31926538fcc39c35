//! The replay of every recorded write to the method of the client that sends it; what the client never sends is shown
//! to be refused by it, or not to be sayable.

#[path = "../support/recorded_values.rs"]
#[allow(dead_code, reason = "each test binary uses a part of it")]
mod recorded_values;
#[path = "../support/replay.rs"]
mod replay;
#[path = "../dev_server_support/mod.rs"]
mod wire;

mod coverage;
mod half_written;
mod upserts;
