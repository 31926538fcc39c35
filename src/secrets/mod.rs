//! Secret values and the immutable snapshots that hold them.

mod injection;
mod snapshot;
mod sorted;
mod unreadable;
mod value;

pub use injection::{Injection, InjectionReport, Selection};
pub use snapshot::{Secrets, SnapshotSource};
pub use unreadable::{Unreadable, UnreadableReason};
pub use value::SecretValue;

pub(crate) use snapshot::Origin;
pub(crate) use sorted::Sorted;
