//! The generated client of secr: one method for each operation of its document.

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

use super::protocol::CODES;
use crate::core::{ErrorKind, XtraError};

include!(concat!(env!("OUT_DIR"), "/secr.rs"));

/// What a raw call failed with. An answer of another shape is told with what was `assumed` of it.
pub(super) fn failed(error: Error<types::ApiError>, assumed: &'static str) -> XtraError {
    let code = match &error {
        Error::ErrorResponse(refusal) => code(refusal),
        _ => None,
    };
    let error = error.into_error();
    let error = match (error.kind(), error.code(), code) {
        (_, None, Some(code)) => error.with_code(code),
        // the SDKs' own code for what no answer came to
        (ErrorKind::Timeout, None, None) if error.status().is_none() => error.with_code("timeout"),
        _ => error,
    };
    if error.kind() == ErrorKind::Decode { error.with_note(assumed) } else { error }
}

/// The known code of a refusal: no page shows one, so each place where it may be is looked at.
fn code(refusal: &types::ApiError) -> Option<&'static str> {
    let error = refusal.error.as_ref().map(|error| error.as_json());
    let within = error.and_then(|error| error.get("code")).and_then(|code| code.as_str());
    let texts = [error.and_then(|error| error.as_str()), within, refusal.code.as_deref()];
    texts.into_iter().flatten().find_map(|text| CODES.iter().copied().find(|known| *known == text))
}

/// What a service says when it refuses may hold anything that the request carried: none of its texts is printed.
impl fmt::Debug for types::ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError").field("error", &self.error).finish_non_exhaustive()
    }
}
