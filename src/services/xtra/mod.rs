//! XtraSecurity.

pub(crate) mod client;
mod convert;
mod copy;
mod credentials;
#[cfg(feature = "dev-server")]
pub mod dev;
mod doubt;
mod envelope;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod local;
pub(crate) mod operations;
mod protocol;
pub mod raw;
mod references;
mod refusals;
mod scope;
mod source;
pub(crate) mod wire;

pub use client::{XtraClient, XtraClientBuilder, XtraClientOptions};
pub use credentials::DEFAULT_API_URL;
pub use operations::{ReadsBack, WriteOptions, Writes, manage, write};
pub use scope::XtraScope;
pub use source::Xtra;

#[cfg(any(fuzzing, test))]
pub(crate) use convert::{decoded, from_raw};
pub(crate) use envelope::{Vault, no_passphrase};
pub(crate) use local::LocalFile;
pub(crate) use protocol::{ROOT_SUFFIX, XtraProtocol};
pub(crate) use scope::quoted as shown_name;
pub(crate) use scope::{Place, names_production, shown};
pub(crate) use scope::{
    ProjectIds, branch as check_branch, check_environment, compared_project, is_same_project, sendable_project,
    write_project,
};
pub(crate) use source::{Rules, Scopes};
#[cfg(any(fuzzing, test))]
pub(crate) use wire::ReadPairs;
