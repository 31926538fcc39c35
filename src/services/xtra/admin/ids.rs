//! Ids that callers give.

use super::invalid;
use crate::core::XtraError;
use crate::services::xtra::scope::{is_id, quoted};

/// The id, when it is one: the service answers anything else with an unexplained 500. `what` says whose it is.
pub(super) fn checked<'i>(what: &str, id: &'i str) -> Result<&'i str, XtraError> {
    if is_id(id) {
        return Ok(id);
    }
    Err(invalid(format!(
        "the id of the {what}, {}, is not 24 hexadecimal digits. Give the id that the service's answers have, not a name",
        quoted(id)
    )))
}

/// The same of several.
pub(super) fn all_checked(what: &str, ids: &[String]) -> Result<(), XtraError> {
    ids.iter().try_for_each(|id| checked(what, id).map(drop))
}
