//! The replay of every recorded write to the method of the client that sends it; what the client never sends is shown
//! to be refused by it, or not to be sayable.

mod coverage;
mod half_written;
mod upserts;
