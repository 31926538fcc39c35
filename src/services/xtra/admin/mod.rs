//! The calls of management, in types of ours.

mod access;
mod accounts;
mod branches;
mod caller;
mod convert;
mod ids;
mod jit;
mod projects;

pub use access::{AccessMode, AccessRequest, AccessStatus, Decision};
pub use accounts::{AccountKey, NewKey, ServiceAccount};
pub use branches::{Branch, BranchComparison, SecretPlace};
pub use caller::Caller;
pub use jit::{JitLink, JitLinkInfo};
pub use projects::Project;

pub(crate) use access::{AccessChoice, Asked};
pub(crate) use accounts::{AccountChange, KeyWish, NewAccount};
pub(crate) use jit::JitWish;
pub(crate) use projects::{NewProject, ProjectChange};

use std::time::Duration;

use super::source::Xtra;
use crate::core::{ErrorKind, XtraError};

impl Xtra {
    /// What a failure means where the service fails on every service account before it has changed anything; `what` says
    /// what was asked for.
    fn or_for_users(&self, error: XtraError, what: &str) -> XtraError {
        if error.status() != Some(500) || !self.has_token_of_account() {
            return error;
        }
        let message = format!(
            "a service account cannot {what}: the service fails on it, and changes nothing. Use a user's token"
        );
        XtraError::new(ErrorKind::Forbidden, message).with_status(500).with_attempts(error.attempts())
    }
}

/// What was asked for cannot be sent.
fn invalid(message: impl Into<String>) -> XtraError {
    XtraError::new(ErrorKind::Invalid, message)
}

/// The text, unless it is empty, which the service takes for "leave it as it is".
fn not_empty<'t>(what: &str, text: &'t str) -> Result<&'t str, XtraError> {
    match text.trim() {
        "" => Err(invalid(format!("the {what} is empty, and the service ignores an empty one. Give one with letters"))),
        _ => Ok(text),
    }
}

/// A time in the unit that the service counts in. What is begun counts.
fn minutes(what: &str, time: Duration) -> Result<i64, XtraError> {
    if time < Duration::from_secs(60) {
        return Err(invalid(format!(
            "the {what} is shorter than a minute, which is the shortest that can be asked for"
        )));
    }
    Ok(i64::try_from(time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)).div_ceil(60))
        .unwrap_or(i64::MAX))
}
