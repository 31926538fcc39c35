//! The conversion of a read's answer into a snapshot's secrets.

use super::envelope::Vault;
use super::raw;
use super::raw::types;
use super::wire::ReadPairs;
use crate::core::{Unreadable, UnreadableReason, XtraError};
use crate::engine::Loaded;

/// Set by the service when it has replaced every value.
const MASKED_HEADER: &str = "x-values-masked";

/// Whether headers of that name say, or may say, that every value was replaced. One that is not plainly `false` counts: a
/// list, a word that nobody knows, or no text at all (`None`).
fn say_masked<'h>(mut headers: impl Iterator<Item = Option<&'h str>>) -> bool {
    let is_false = |word: &str| word.trim().eq_ignore_ascii_case("false");
    headers.any(|text| !text.is_some_and(|text| text.split(',').all(is_false)))
}

/// The answer to a read of this project: what was sealed is opened, and everything that is not a value is taken out.
pub(crate) fn secrets(answer: raw::ResponseValue<ReadPairs>, vault: &Vault, project: &str) -> Loaded {
    let masked = say_masked(answer.headers().get_all(MASKED_HEADER).iter().map(|value| value.to_str().ok()));
    let ReadPairs { mut values, without_value } = answer.into_inner();
    let refused = match masked {
        true => values.read_each(|_| Err(UnreadableReason::Masked)),
        false => values.read_each(|value| vault.opened(project, value.expose())),
    };
    // the service leaves a secret that resolves to nothing out, so one without a value is none of those
    let reason = if masked { UnreadableReason::Masked } else { UnreadableReason::NoValue };
    let without_value = without_value.into_iter().map(|name| (name, reason));
    let mut unreadable: Vec<_> =
        refused.into_iter().chain(without_value).map(|(name, reason)| Unreadable::new(name, reason)).collect();
    unreadable.sort_by(|one, other| one.name.cmp(&other.name));
    Loaded::new(values, unreadable)
}

/// The same for a client without a passphrase, of any project.
#[cfg(any(fuzzing, test))]
pub(crate) fn decoded(answer: raw::ResponseValue<ReadPairs>) -> Loaded {
    secrets(answer, &Vault::default(), "665f1c2ab7c0de0012345678")
}

/// What a raw call failed with, as an error that says what to do.
pub(crate) fn from_raw(error: raw::Error<types::ApiError>) -> XtraError {
    error.into_error()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_masked_unless_every_header_plainly_says_that_they_are_not() {
        let masked: [&[Option<&str>]; 10] = [
            &[Some("true")],
            &[Some("TRUE")],
            &[Some(" true ")],
            &[Some("true, true")],
            &[Some("true"), Some("true")],
            &[Some("false"), Some("true")],
            &[Some("false, true")],
            &[Some("")],
            &[Some("yes")],
            &[None],
        ];
        for headers in masked {
            assert!(say_masked(headers.iter().copied()), "{headers:?}");
        }
        let plain: [&[Option<&str>]; 4] =
            [&[], &[Some("false")], &[Some(" False"), Some("false")], &[Some("false, FALSE")]];
        for headers in plain {
            assert!(!say_masked(headers.iter().copied()), "{headers:?}");
        }
    }
}
