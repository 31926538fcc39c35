//! XtraSecurity.

mod convert;
mod envelope;
mod local;
pub mod raw;
mod scope;
mod source;
pub(crate) mod wire;

pub use scope::XtraScope;
pub use source::Xtra;

#[cfg(any(fuzzing, test))]
pub(crate) use convert::{from_raw, secrets as decoded};
pub(crate) use local::LocalFile;
pub(crate) use scope::quoted as shown_name;
pub(crate) use scope::{branch as check_branch, check_environment, project_id as check_project_id};
pub(crate) use source::{NEVER_RETRIED, Scopes};
