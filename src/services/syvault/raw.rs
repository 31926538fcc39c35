//! The generated client of SyVault: one method for each operation of its document.

#![allow(
    missing_docs,
    dead_code,
    unreachable_pub,
    unreachable_patterns,
    unused_imports,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    rustdoc::all
)]

use std::fmt;
use std::time::SystemTime;

use super::record::Record;
use crate::core::{ErrorKind, Hint, XtraError};
use crate::http::runtime;

include!(concat!(env!("OUT_DIR"), "/syvault.rs"));

/// The error of a raw call.
pub(super) type Failure = Error<types::ApiError>;

/// What a raw call failed with at `now`. An answer of another shape is told with what was `assumed` of it.
pub(super) fn failed(error: Failure, now: SystemTime, assumed: &'static str) -> XtraError {
    let date = error.answer().and_then(|answer| httpdate::parse_http_date(answer.header("date")?).ok());
    let error = error.into_error();
    match error.kind() {
        ErrorKind::Decode => error.with_note(assumed),
        ErrorKind::Unauthorized => match date.and_then(|date| skew(now, date)) {
            Some(skew) => error.with_note(skew).with_hint(Hint::advice("Set the clock of this machine")),
            None => error,
        },
        _ => error,
    }
}

/// How far the clock of this machine is off, when that is far enough for a signed token to be refused.
fn skew(now: SystemTime, date: SystemTime) -> Option<String> {
    /// As far as the tokens of this client are dated back.
    const NOTABLE: u64 = 30;
    let (seconds, side) = match now.duration_since(date) {
        Ok(ahead) => (ahead.as_secs(), "ahead of"),
        Err(behind) => (behind.duration().as_secs(), "behind"),
    };
    (seconds > NOTABLE).then(|| {
        format!("The clock of this machine is {seconds} s {side} that of the service, by the Date of its answer; tokens are signed by it")
    })
}

impl From<types::SecretRecord> for Record {
    fn from(sent: types::SecretRecord) -> Self {
        let fields =
            sent.fields.map(|fields| fields.into_iter().map(|(name, value)| (name, value.into_value())).collect());
        Self {
            uid: sent.uid,
            id: sent.id,
            folder_id: sent.folder_id,
            title: sent.title.and_then(runtime::wire::WireSecret::into_value),
            fields,
            encrypted_key: sent.encrypted_key,
            encrypted_data: sent.encrypted_data,
        }
    }
}

/// What a service says when it refuses may hold anything that the request carried: none of its texts is printed.
impl fmt::Debug for types::ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError").field("error", &self.error).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::skew;

    #[test]
    fn a_clock_that_is_off_is_told_with_its_side_and_by_how_much() {
        let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds);
        assert_eq!((skew(at(0), at(30)), skew(at(30), at(0))), (None, None));
        assert!(skew(at(0), at(7200)).unwrap().contains("7200 s behind"));
        assert!(skew(at(31), at(0)).unwrap().contains("31 s ahead of"));
    }
}
