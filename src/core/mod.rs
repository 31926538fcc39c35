//! The common ground of every room: secret values, snapshots of them, errors, time and identity. Depends on no other room.

mod absent;
mod account;
mod backoff;
mod change;
pub(crate) mod clock;
mod error;
pub(crate) mod events;
pub(crate) mod file;
pub(crate) mod layers;
mod nearest;
mod pages;
mod place;
pub(crate) mod process;
mod search;
mod shown;
pub(crate) mod snapshot;
mod sorted;
pub(crate) mod thread;
mod timestamp;
mod unreadable;
mod value;
mod wiped;

pub use account::{Identity, Quota};
#[cfg(feature = "watch")]
pub use change::Change;
pub use clock::{Clock, ManualClock};
pub(crate) use error::file_reason;
pub use error::{Conflict, Elevation, ErrorKind, FileEntry, Hint, Hop, Reason, XtraError};
pub use layers::LayerState;
pub use pages::{Pages, Paging, SecretsPage};
pub use place::ScopeDescription;
pub use snapshot::{Secrets, SnapshotSource};
pub use sorted::SecretsIter;
pub use timestamp::Timestamp;
pub use unreadable::{Unreadable, UnreadableReason};
pub use value::SecretValue;

#[cfg(feature = "http")]
pub(crate) use backoff::Backoff;
pub(crate) use backoff::spread;
#[allow(unused_imports, reason = "for services that compare snapshots")]
pub(crate) use change::paired;
pub(crate) use clock::Tick;
pub(crate) use place::{KnownNames, Place};
pub(crate) use shown::shown_name;
pub(crate) use snapshot::Origin;
pub(crate) use sorted::SortedPairs;
#[cfg(feature = "http")]
pub(crate) use sorted::{MetName, PairsBuilder};
#[cfg(feature = "http")]
pub(crate) use wiped::WipedText;
#[cfg(feature = "http")]
pub(crate) use wiped::wipe;
