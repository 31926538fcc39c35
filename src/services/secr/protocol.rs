//! The protocol of secr: its errors.

use crate::core::Hint;
use crate::http::{Advice, ErrorAnswer, ErrorMembers, Protocol, RefusalForms};

/// What secr's wire is like. Its limits are documented to exist, and neither their numbers nor their headers are.
pub(super) struct SecrProtocol;

/// The codes that are shown. The SDK's page names the first two; the others are what such a service says.
pub(super) const CODES: &[&str] = &[
    "unauthorized",
    "not_found",
    "forbidden",
    "bad_request",
    "validation_error",
    "conflict",
    "rate_limited",
    "internal_error",
];

impl Protocol for SecrProtocol {
    /// The generator adds this header from the document's version; the service knows no such thing.
    fn removed_headers(&self) -> &'static [&'static str] {
        &["api-version"]
    }

    /// The only error body that was ever published, that of a test double, has the code in `error`.
    fn error_members(&self) -> ErrorMembers {
        ErrorMembers::new().title("").code("error")
    }

    fn refusals(&self) -> RefusalForms {
        RefusalForms::new().codes(CODES)
    }

    fn explain(&self, answer: &ErrorAnswer<'_>) -> Option<Advice> {
        match answer.status {
            403 => Some(Advice::new(
                "the token may not do this",
                Hint::advice(
                    "Check the role of its owner: a viewer writes nothing, and an agent's token is for one project and \
                     environment",
                ),
            )),
            404 if !answer.is_html => Some(Advice::new(
                "not found",
                Hint::advice("Check the slugs of the organisation, the project and the environment"),
            )),
            _ => None,
        }
    }
}
