//! The management operations: projects, branches, service accounts, access.
//!
//! The types here are what [`XtraClient`](crate::XtraClient)'s methods of management take and give.
//!
//! Each method makes a [`Request`](crate::Request), which is sent when it is awaited. It is about the client's project, or the
//! one that [`project_id`](crate::Request::project_id) names; [`branch`](crate::Request::branch) and
//! [`environment`](crate::Request::environment) mean something to [`create_jit_link`](crate::XtraClient::create_jit_link)
//! only. Nothing here is cached. What makes a snapshot out of date, deleting a branch for example, drops it from the cache.
//!
//! A [`Timestamp`] that the service writes in a form of its own counts as absent. No value of a secret is in any of these types
//! but [`NewKey`] and [`JitLink`], where it prints as `[REDACTED]`.
//!
//! Whatever a method's documentation names, any call can also fail as a read can:
//! [`Unauthorized`](crate::ErrorKind::Unauthorized), [`RateLimited`](crate::ErrorKind::RateLimited),
//! [`Timeout`](crate::ErrorKind::Timeout), [`Network`](crate::ErrorKind::Network), [`Server`](crate::ErrorKind::Server). When
//! that leaves open whether a change was made, [`may_have_been_applied`](crate::XtraError::may_have_been_applied) says so.

// in the order in which the page of the client shows them
mod caller;
mod projects;

mod branches;
mod environments;

mod service_accounts;

mod access;
mod waiting;

mod jit;

pub use access::*;
pub use branches::*;
pub use caller::*;
pub use environments::*;
pub use jit::*;
pub use projects::*;
pub use service_accounts::*;
pub use waiting::*;

use std::time::Duration;

use crate::core::{ErrorKind, Timestamp, XtraError};
use crate::services::xtra::scope::is_id;
use crate::services::xtra::{Xtra, shown_name};

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

/// The id, when it is one: the service answers anything else with an unexplained 500. `what` says whose it is.
fn checked_id<'i>(what: &str, id: &'i str) -> Result<&'i str, XtraError> {
    if is_id(id) {
        return Ok(id);
    }
    Err(invalid(format!(
        "the id of the {what}, {}, is not 24 hexadecimal digits. Give the id that the service's answers have, not a name",
        shown_name(id)
    )))
}

/// The same of several.
fn checked_ids(what: &str, ids: &[String]) -> Result<(), XtraError> {
    ids.iter().try_for_each(|id| checked_id(what, id).map(drop))
}

/// A success that lacks what it is for.
fn lacks(what: &str) -> XtraError {
    let message = format!(
        "the answer lacks {what}. It was carried out all the same: look at what there is before it is done again"
    );
    XtraError::new(ErrorKind::Decode, message)
}

/// A time that the service counts in minutes.
fn of_minutes(count: Option<i64>) -> Option<Duration> {
    let minutes = u64::try_from(count?).ok()?;
    Some(Duration::from_secs(minutes.saturating_mul(60)))
}

fn count(number: Option<i64>) -> Option<u64> {
    u64::try_from(number?).ok()
}

fn timestamp(text: Option<String>) -> Option<Timestamp> {
    Timestamp::parse(&text?)
}
