//! XtraSecurity.

pub(crate) mod admin;
mod convert;
mod doubt;
mod envelope;
mod local;
pub mod raw;
mod refusals;
mod scope;
mod source;
pub(crate) mod wire;
pub(crate) mod write;

pub use scope::XtraScope;
pub use source::Xtra;

#[cfg(any(fuzzing, test))]
pub(crate) use convert::{decoded, from_raw};
pub(crate) use envelope::{Vault, no_passphrase};
pub(crate) use local::LocalFile;
pub(crate) use refusals::REFUSALS;
pub(crate) use scope::quoted as shown_name;
pub(crate) use scope::{Place, names_production};
pub(crate) use scope::{branch as check_branch, check_environment, project_id as check_project_id};
pub(crate) use source::{NEVER_RETRIED, Rules, Scopes};
