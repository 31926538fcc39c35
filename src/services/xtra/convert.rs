//! Generated types in, types of ours out. The only place that knows both.

use super::envelope::Vault;
use super::raw::{self, types};
use crate::error::XtraError;
use crate::secrets::{SnapshotSource, Sorted, Unreadable, UnreadableReason};
use crate::services::Loaded;

/// Set by the service when it has replaced every value.
const MASKED_HEADER: &str = "x-values-masked";

/// The answer to a read of this project: what was sealed is opened, and everything that is not a value is taken out.
pub(crate) fn secrets(answer: raw::ResponseValue<types::SecretMap>, vault: &Vault, project: &str) -> Loaded {
    let masked = answer.header(MASKED_HEADER).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let entries = answer.into_inner().0;
    let mut values = Vec::with_capacity(entries.len());
    let mut unreadable = Vec::new();
    for (name, entry) in entries {
        // A secret without a value is left out by the service in the flat form; the other form may say null.
        let Some(value) = entry.into_value() else { continue };
        let read = match masked {
            true => Err(UnreadableReason::Masked),
            false => vault.read_text(project, value),
        };
        match read {
            Ok(value) => values.push((name, value)),
            Err(reason) => unreadable.push(Unreadable::new(name, reason)),
        }
    }
    unreadable.sort_by(|one, other| one.name.cmp(&other.name));
    Loaded { values: Sorted::from(values), unreadable, source: SnapshotSource::Service, doubt: None }
}

/// The same for a client without a passphrase, of any project.
#[cfg(any(fuzzing, test))]
pub(crate) fn decoded(answer: raw::ResponseValue<types::SecretMap>) -> Loaded {
    secrets(answer, &Vault::default(), "665f1c2ab7c0de0012345678")
}

/// What a raw call failed with, as an error that says what to do.
pub(crate) fn from_raw(error: raw::Error<types::ApiError>) -> XtraError {
    error.into_xtra_error()
}
