//! The protocol of XtraSecurity: its root, its quota headers, its errors.

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;

use super::refusals;
use crate::core::{Hint, Reason};
use crate::http::{
    Advice, ErrorAnswer, ErrorBody, ErrorMembers, Outgoing, Protocol, QuotaFormat, RefusalForms, ResetForm,
};

/// The end of every root.
pub(crate) const ROOT_SUFFIX: &str = "/api";

/// The headers of the quota, which each recorded answer to a read of secrets carries.
pub(super) const QUOTA: QuotaFormat = QuotaFormat {
    limit: "x-ratelimit-limit",
    remaining: "x-ratelimit-remaining",
    reset: "x-ratelimit-reset",
    reset_form: ResetForm::UnixSeconds,
};

/// The operation whose ids are checked before it is sent, and which service accounts may call.
const IDS_CHECKED: &str = "secrets_read";

/// What XtraSecurity's wire is like.
pub(crate) struct XtraProtocol;

impl Protocol for XtraProtocol {
    fn base_url_suffix(&self) -> &'static str {
        ROOT_SUFFIX
    }

    /// The generator adds this header from the document's version; the service knows no such thing.
    fn removed_headers(&self) -> &'static [&'static str] {
        &["api-version"]
    }

    /// The service closes idle connections after five seconds.
    fn idle_timeout(&self) -> Duration {
        Duration::from_secs(4)
    }

    /// Looking at a shared secret uses one of its views up.
    fn never_retried(&self) -> &'static [&'static str] {
        &["secret_shares_view"]
    }

    fn requests_per_minute(&self) -> u32 {
        100
    }

    fn quota(&self) -> Option<QuotaFormat> {
        Some(QUOTA)
    }

    /// The project that the service takes a request to be for: the one in the path, or else named by the query, or else by
    /// the body. Empty when there is none.
    fn quota_scope(&self, request: &Outgoing<'_>) -> String {
        /// No id is longer; what is, names no project.
        const LONGEST: usize = 64;
        let in_path = request.path().strip_prefix("/projects/").map(|rest| rest.split('/').next().unwrap_or_default());
        let in_body = || {
            let body = serde_json::from_slice::<Named<'_>>(request.body()).ok()?;
            body.project_id.or(body.id)
        };
        let found = in_path
            .map(Cow::Borrowed)
            .or_else(|| request.query("projectId"))
            .or_else(|| request.query("id"))
            .or_else(in_body);
        quota_scope_of(&found.filter(|id| id.len() <= LONGEST).unwrap_or_default())
    }

    fn error_members(&self) -> ErrorMembers {
        ErrorMembers::new().action("action").retry_after("retryAfter").conflicts(
            "conflicts",
            "key",
            "expected",
            "actual",
        )
    }

    fn refusals(&self) -> RefusalForms {
        refusals::REFUSALS
    }

    fn is_own_refusal(&self, operation: &str, status: u16, body: &ErrorBody<'_>) -> bool {
        refusals::is_own(operation, status, body)
    }

    fn explain(&self, answer: &ErrorAnswer<'_>) -> Option<Advice> {
        match answer.status {
            401 | 403 if answer.is_foreign => None,
            403 => Some(forbidden(answer.reason)),
            405 => Some(Advice::new(
                "the service has no such operation on this route",
                Hint::advice("Check the names in the call: some are taken by routes of their own"),
            )),
            501 => Some(Advice::new(
                "the service does not have this operation",
                Hint::check_base_url("is that of the service; the dev server has a part of the operations only"),
            )),
            502..=504 => None,
            500..=599 if answer.status != 500 || answer.operation != IDS_CHECKED => Some(Advice::new(
                "the service failed",
                Hint::advice(
                    "Check the ids and the token first: it fails in this way for ids of a wrong form, and for service accounts where a \
                     user is expected",
                ),
            )),
            _ => None,
        }
    }
}

/// The name of a project's quota: ids do not tell cases apart.
pub(super) fn quota_scope_of(project: &str) -> String {
    project.to_ascii_lowercase()
}

/// What the body of a write names its project by.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, rename = "projectId")]
    project_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
}

fn forbidden(reason: Option<&Reason>) -> Advice {
    match reason {
        Some(Reason::ElevationNeeded(_)) => Advice::new("a just-in-time elevation is needed", Hint::RequestAccess),
        Some(Reason::AddressNotAllowed) => Advice::new(
            "the project does not allow this address",
            Hint::advice("Add the address to the project's allow-list, or call from one that is on it"),
        ),
        Some(Reason::SecondFactorNeeded) => Advice::new(
            "the project demands two-factor authentication",
            Hint::advice("Enable it for the user of the token, or use a service account's token"),
        ),
        Some(Reason::Blocked) => {
            Advice::new("the project is blocked", Hint::advice("Ask the owner of the project to unblock it"))
        }
        _ => Advice::new(
            "not found, or no access",
            Hint::advice(
                "Check the project id, and that the role of the token allows this: the service does not tell the two apart",
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn a_request_belongs_to_the_project_in_its_path_or_else_in_its_query() {
        let root = "https://host.example/projects/api";
        let of = |rest: &str| {
            let url = Url::parse(&format!("{root}{rest}")).expect("a URL");
            XtraProtocol.quota_scope(&Outgoing::new("x", &url, root, b""))
        };
        assert_eq!(of("/projects/665F1c2a/envs/dev/secrets?branch=x&id=7"), "665f1c2a");
        assert_eq!(of("/projects/665f1c2a"), "665f1c2a");
        assert_eq!(of("/projects/665f1c2a?projectId=7"), "665f1c2a");
        assert_eq!(of("/secret?id=9&projectId=665f"), "665f");
        assert_eq!(of("/project?id=665f"), "665f");
        for nameless in
            ["/project", "/workspace?name=x", "/projects", "/health", &format!("/project?id={}", "a".repeat(65))]
        {
            assert_eq!(of(nameless), "", "{nameless}");
        }
    }

    #[test]
    fn a_write_belongs_to_the_project_that_its_body_names() {
        let root = "https://host.example/api";
        let of = |rest: &str, body: &str| {
            let url = Url::parse(&format!("{root}{rest}")).expect("a URL");
            XtraProtocol.quota_scope(&Outgoing::new("x", &url, root, body.as_bytes()))
        };
        assert_eq!(of("/secret", r#"{"key":"A","value":["x"],"projectId":"665F"}"#), "665f");
        assert_eq!(of("/project", r#"{"id":"665f","name":"x"}"#), "665f");
        assert_eq!(of("/project", r#"{"id":"1","projectId":"2"}"#), "2");
        assert_eq!(of("/secret?projectId=7", r#"{"projectId":"665f"}"#), "7");
        for nameless in
            ["", "[]", "{", r#"{"projectId":5}"#, r#"{"projectId":null}"#, r#"{"data":{"projectId":"665f"}}"#]
        {
            assert_eq!(of("/secret", nameless), "", "{nameless}");
        }
    }
}
