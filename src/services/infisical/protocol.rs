//! The protocol of Infisical: its root, its quota headers, its errors.

use std::time::Duration;

use super::{raw, refusals};
use crate::core::ErrorKind;
use crate::http::{
    Advice, ErrorAnswer, ErrorBody, ErrorMembers, Outgoing, Protocol, QuotaFormat, RefusalForms, ResetForm,
};

/// The end of every root.
pub(super) const ROOT_SUFFIX: &str = "/api";

/// What Infisical's wire is like.
pub(crate) struct InfisicalProtocol;

impl Protocol for InfisicalProtocol {
    fn base_url_suffix(&self) -> &'static str {
        ROOT_SUFFIX
    }

    /// The service closes idle connections after 72 seconds.
    fn idle_timeout(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn reads(&self) -> &'static [&'static str] {
        &["kms_keys_encrypt", "kms_keys_decrypt"]
    }

    /// A server checks a token that it is sent even where it needs none, and refuses a login for a stale one.
    fn without_token(&self) -> &'static [&'static str] {
        raw::WITHOUT_TOKEN
    }

    fn quota(&self) -> Option<QuotaFormat> {
        Some(QuotaFormat {
            limit: "x-ratelimit-limit",
            remaining: "x-ratelimit-remaining",
            reset: "x-ratelimit-reset",
            reset_form: ResetForm::SecondsFromNow,
        })
    }

    /// A server counts the requests of an address by route.
    fn quota_scope(&self, request: &Outgoing<'_>) -> String {
        request.operation().to_owned()
    }

    fn error_members(&self) -> ErrorMembers {
        ErrorMembers::new().title("").code("error")
    }

    fn refusals(&self) -> RefusalForms {
        refusals::REFUSALS
    }

    fn is_own_refusal(&self, _operation: &str, _status: u16, body: &ErrorBody<'_>) -> bool {
        refusals::is_own(body)
    }

    fn classify(&self, operation: &str, status: u16, body: &ErrorBody<'_>) -> Option<ErrorKind> {
        refusals::classify(operation, status, body)
    }

    fn explain(&self, answer: &ErrorAnswer<'_>) -> Option<Advice> {
        refusals::explain(answer)
    }
}
