//! What is kept in memory, for how long, and who may fetch it.
//!
//! Nothing here knows a service or a secret: the cache holds clonable values under byte keys, and the engine in `client/`
//! decides what to do with what it finds.

mod clock;
mod entry;
mod flight;
mod front;
mod identity;
mod key;
mod leaving;
mod order;
mod pace;
mod policy;
#[cfg(test)]
mod properties;
mod store;
mod sync;

pub use clock::{Clock, ManualClock};
pub use identity::Identity;
pub use key::KeyWriter;
pub use pace::Budget;
pub use policy::CacheOptions;

pub(crate) use clock::Tick;
pub(crate) use flight::{Boarded, Flight, Flights};
pub(crate) use pace::Pace;
#[cfg(any(feature = "watch", feature = "xtra"))]
pub(crate) use policy::spread;
pub(crate) use store::{Found, Kept, Permit, Store};
