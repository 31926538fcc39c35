//! Secret values and the immutable snapshots that hold them.

#[cfg(feature = "watch")]
mod change;
mod injection;
mod pages;
#[cfg(any(feature = "watch", feature = "xtra"))]
mod paired;
#[cfg(feature = "typed")]
mod schema;
mod search;
mod snapshot;
mod sorted;
mod unreadable;
mod value;

#[cfg(feature = "watch")]
pub use change::Change;
pub use injection::{Injection, InjectionReport, Selection};
pub use pages::{Pages, Paging, SecretsPage};
#[cfg(feature = "typed")]
pub use schema::{Schema, SchemaProblem, SchemaReport, Template, template};
pub use snapshot::{Secrets, SnapshotSource};
pub use unreadable::{Unreadable, UnreadableReason};
pub use value::SecretValue;

#[cfg(feature = "xtra")]
pub(crate) use paired::paired;
#[cfg(feature = "typed")]
pub(crate) use schema::Strictness;
#[cfg(all(feature = "typed", any(feature = "figment", feature = "config")))]
pub(crate) use schema::Tree;
pub(crate) use snapshot::Origin;
pub(crate) use sorted::Sorted;
