//! Answers with status 200 that look like an error in the place of secrets: a proxy's or a gateway's.

use super::protocol::QUOTA;
use super::wire::SecretEntry;
use crate::core::{ErrorKind, Hint, XtraError};

/// The names of what such a body says, in any case: those of gateways, of RFC 9457, Spring and AWS. To doubt too much costs a request,
/// since the form with versions confirms what is secrets.
const NAMES: [&str; 24] = [
    "error",
    "errors",
    "message",
    "code",
    "status",
    "statusCode",
    "detail",
    "details",
    "success",
    "requestId",
    "reqId",
    "type",
    "title",
    "instance",
    "timestamp",
    "path",
    "trace",
    "exception",
    "errorMessage",
    "errorType",
    "errorCode",
    "error_code",
    "error_description",
    "reason",
];

/// Without one of these, or a title and its detail, it is not an error.
const TELLING: [&str; 4] = ["error", "message", "errorMessage", "error_description"];
const TITLED: [&str; 2] = ["title", "detail"];

/// Whether an answer with these headers and names must be confirmed before its members are taken for secrets.
pub(super) fn is_doubtful<'n>(has_header: impl Fn(&str) -> bool, names: impl Iterator<Item = &'n str>) -> bool {
    // each recorded answer of the service to a read tells of the quota
    !(has_header(QUOTA.limit) && has_header(QUOTA.remaining)) && looks_like_error(names)
}

/// Whether the form with versions shows that these are secrets: it has each of the names, with a version.
pub(super) fn confirms<'n, 'e>(
    versions: impl Fn(&str) -> Option<&'e SecretEntry>,
    mut names: impl Iterator<Item = &'n str>,
) -> bool {
    names.all(|name| versions(name).is_some_and(|entry| entry.version.is_some()))
}

/// Why an answer that nothing has confirmed is not taken.
pub(super) fn unconfirmed() -> XtraError {
    let message = "the answer has the form of an error message (its only names are error, message, status or the \
                   like), without what the service's answers carry, and the form with versions does not confirm that these are \
                   secrets";
    XtraError::new(ErrorKind::Decode, message)
        .with_status(200)
        .with_hint(Hint::advice("Check the base URL and what stands before it"))
        .with_hint(Hint::AllowAnyAnswer)
}

fn looks_like_error<'n>(names: impl Iterator<Item = &'n str>) -> bool {
    let is_in = |list: &[&str], name: &str| list.iter().any(|known| known.eq_ignore_ascii_case(name));
    let (mut telling, mut titled) = (false, 0);
    for name in names {
        if !is_in(&NAMES, name) {
            return false;
        }
        telling |= is_in(&TELLING, name);
        titled += usize::from(is_in(&TITLED, name));
    }
    telling || titled >= TITLED.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_looks_like_an_error_when_all_its_names_are_those_of_errors_and_one_tells_of_it() {
        let looks = |names: &[&str]| looks_like_error(names.iter().copied());
        for names in [
            &["error"][..],
            &["message"],
            &["Message"],
            &["ERROR", "statuscode"],
            &["message", "requestId"],
            &["success", "error", "details"],
            &["type", "title", "status", "detail"],
            &["timestamp", "status", "error", "path"],
            &["errorMessage", "errorType"],
            &NAMES,
        ] {
            assert!(looks(names), "{names:?}");
        }
        for names in [
            &[][..],
            &["status"],
            &["code", "detail"],
            &["error", "API_KEY"],
            &["ERROR_URL"],
            &["messages"],
            &["TYPE", "PATH"],
            &["TITLE"],
        ] {
            assert!(!looks(names), "{names:?}");
        }
    }
}
