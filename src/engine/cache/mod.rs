//! What is kept in memory, for how long, and who may fetch it.
//!
//! Nothing here knows a service or a secret: the cache holds clonable values under byte keys, and the engine in `client/`
//! decides what to do with what it finds.

mod entry;
mod flight;
mod front;
mod key;
mod leaving;
mod order;
mod pace;
mod policy;
#[cfg(test)]
mod properties;
mod store;
mod sync;

pub use key::KeyWriter;
pub use policy::CacheOptions;

pub(crate) use flight::{Boarded, Flight, Flights};
pub(crate) use pace::Pace;
pub(crate) use store::{Found, Kept, Permit, Store};
