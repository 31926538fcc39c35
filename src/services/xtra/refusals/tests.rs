//! Every recorded refusal and failure of the real service becomes the right error, and none leaks.

use std::collections::HashSet;
use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::core::{Conflict, ErrorKind, XtraError};
use crate::http::Protocol;
use crate::http::fuzzing::refused;
use crate::services::xtra::protocol::XtraProtocol;

fn parsed(body: &[u8]) -> ErrorBody<'_> {
    ErrorBody::parse(body, &XtraProtocol.error_members(), &HashSet::new())
}

fn is_own_refusal(status: u16, body: &[u8]) -> bool {
    is_own_object(status, &parsed(body))
}

struct Recorded {
    name: String,
    status: u16,
    body: String,
    error: XtraError,
}

/// The recorded answers that are not a success.
fn recorded() -> Vec<Recorded> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the recordings") {
        let path = entry.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let recording: Value = serde_json::from_slice(&std::fs::read(&path).expect("readable")).expect("JSON");
        let response = &recording["response"];
        let Some(status) = response["status"].as_u64().filter(|status| *status >= 300) else { continue };
        let status = status as u16;
        let body = response["body_text"].as_str().unwrap_or_default().to_owned();
        let sent = recording["request"]["body"]["json"].to_string();
        let error = refused(status, &headers(response), &body, "things_do", XtraProtocol, &sent);
        all.push(Recorded { name: recording["name"].as_str().expect("a name").to_owned(), status, body, error });
    }
    assert!(all.len() >= 177, "only {} recordings of errors", all.len());
    all
}

fn headers(response: &Value) -> Vec<(&str, &str)> {
    let pairs = response["headers"].as_array().expect("headers");
    pairs.iter().map(|pair| (pair[0].as_str().expect("a name"), pair[1].as_str().expect("a value"))).collect()
}

fn error_of(name: &str) -> XtraError {
    recorded().into_iter().find(|recorded| recorded.name == name).expect(name).error
}

fn kind_by_status(status: u16) -> ErrorKind {
    match status {
        308 => ErrorKind::Redirected,
        400 => ErrorKind::Invalid,
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 | 405 | 410 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        429 => ErrorKind::RateLimited,
        500 => ErrorKind::Server,
        other => panic!("a status not recorded before: {other}"),
    }
}

#[test]
fn every_recorded_error_has_its_kind() {
    for Recorded { name, status, error, .. } in recorded() {
        let reason = match name.as_str() {
            _ if name.starts_with("blocked-") => Some(Reason::Blocked),
            _ if name.starts_with("ip-restricted-") => Some(Reason::AddressNotAllowed),
            "two-factor-secrets" => Some(Reason::SecondFactorNeeded),
            _ => None,
        };
        assert_eq!((error.kind(), error.status()), (kind_by_status(status), Some(status)), "{name}");
        assert_eq!(error.reason(), reason.as_ref(), "{name}");
        assert!(error.to_string().starts_with("things_do: ") && error.to_string().contains(". "), "{name}: {error}");
    }
}

#[test]
fn no_recorded_error_repeats_what_it_should_not() {
    for Recorded { name, status, body, error } in recorded() {
        let shown = format!("{error} {error:?}");
        assert!(shown.len() < 1_200 && !error.to_string().contains('\n'), "{name}: {shown}");
        for forbidden in [
            "prisma",
            "Prisma",
            "encryptedData",
            "authTag",
            "remoteValue",
            "<!DOCTYPE",
            "/srv/app",
            "/api/project",
            "ObjectID",
        ] {
            assert!(!shown.contains(forbidden), "{name}: {shown}");
        }
        if status >= 500 {
            assert_eq!(error.server_message(), None, "{name}");
            let said = serde_json::from_str::<Value>(&body).ok();
            let said = said.as_ref().and_then(|body| body["error"].as_str()).unwrap_or("nothing at all");
            assert!(!shown.contains(said), "{name}: {shown}");
        }
    }
}

#[test]
fn the_words_of_recorded_refusals_are_shown_and_given() {
    for (name, words) in [
        ("secrets-get-outsider", "Access Denied"),
        ("legacy-secret-delete-again", "Secret not found"),
        ("project-list-sa", "Service accounts are locked to a single project and cannot list or switch projects."),
        ("cli-login-expired-key", "Access Key has expired"),
    ] {
        let error = error_of(name);
        assert_eq!(error.server_message(), Some(words), "{name}");
        assert!(error.to_string().contains(words), "{name}: {error}");
    }
}

#[test]
fn codes_waits_and_conflicts_are_kept() {
    assert_eq!(error_of("ip-restricted-secrets").code(), Some("IP_NOT_ALLOWED"));
    assert_eq!(error_of("two-factor-secrets").code(), Some("2FA_REQUIRED"));
    assert_eq!(error_of("ratelimit-tier-429").retry_after().map(|wait| wait.as_secs()), Some(59));
    assert_eq!(error_of("ratelimit-ip-429").retry_after(), None);
    let conflict = error_of("upsert-conflict");
    assert_eq!(conflict.conflicts(), [Conflict::new("NEW_A", Some("1".into()), Some("3".into()))]);
    assert!(conflict.to_string().contains("NEW_A"), "{conflict}");
    assert_eq!(
        error_of("upsert-expected-number").conflicts(),
        [Conflict::new("NEW_A", Some("4".into()), Some("4".into()))]
    );
}

#[test]
fn an_unknown_route_and_a_redirect_point_at_the_api_root() {
    for name in ["route-unknown-api", "route-unknown-post", "route-trailing-slash", "route-double-slash"] {
        assert!(error_of(name).to_string().contains("/api"), "{name}");
    }
}

fn shaped(status: u16, body: &str) -> XtraError {
    refused(status, &[], body, "things_do", XtraProtocol, "")
}

#[test]
fn an_elevation_asked_for_is_told_apart_from_a_refusal() {
    let error = shaped(403, r#"{"error":"JIT Elevation Required","action":"request_jit"}"#);
    assert_eq!((error.kind(), error.code()), (ErrorKind::Forbidden, Some("request_jit")));
    assert_eq!(error.reason(), Some(&Reason::ElevationNeeded(None)));
}

#[test]
fn a_conflict_names_a_few_keys_and_counts_the_rest() {
    let conflicts: Vec<Value> =
        (0..20).map(|n| json!({"key": format!("KEY_{n}"), "expected": "1", "actual": "2"})).collect();
    let sent: serde_json::Map<String, Value> = (0..20).map(|n| (format!("KEY_{n}"), json!("x"))).collect();
    let body = json!({"error": "Conflict detected", "conflicts": conflicts}).to_string();
    let error = refused(409, &[], &body, "things_do", XtraProtocol, &json!({ "secrets": sent }).to_string());
    assert_eq!(error.conflicts().len(), 20);
    assert!(error.message().contains("KEY_0, KEY_1, KEY_2, KEY_3, KEY_4, 20 in all ("), "{error}");
    let other = shaped(409, r#"{"valid":false,"message":"Chain broken"}"#);
    assert!(other.kind() == ErrorKind::Conflict && other.conflicts().is_empty());
}

#[test]
fn statuses_that_were_never_recorded_have_a_kind_too() {
    for (status, kind, retryable) in [
        (100, ErrorKind::Decode, false),
        (204, ErrorKind::Decode, false),
        (302, ErrorKind::Redirected, false),
        (407, ErrorKind::Config, false),
        (408, ErrorKind::Timeout, true),
        (413, ErrorKind::Invalid, false),
        (418, ErrorKind::Invalid, false),
        (422, ErrorKind::Invalid, false),
        (502, ErrorKind::Server, true),
        (503, ErrorKind::Server, true),
        (504, ErrorKind::Server, true),
        (511, ErrorKind::Server, false),
        (999, ErrorKind::Decode, false),
    ] {
        let error = shaped(status, "<html>canary</html>");
        assert_eq!((error.kind(), error.is_retryable()), (kind, retryable), "{status}");
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[test]
fn an_operation_that_the_service_does_not_have_is_no_matter_of_ids() {
    let error = shaped(501, "");
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Server, false));
    assert!(
        error.to_string().starts_with("things_do: the service does not have this operation (status 501)"),
        "{error}"
    );
    assert!(!error.to_string().contains("ids"), "{error}");
}

#[test]
fn the_ids_are_suspected_only_where_they_were_not_checked() {
    assert!(shaped(500, "").to_string().contains("ids of a wrong form"));
    let error = refused(500, &[], "", "secrets_read", XtraProtocol, "");
    assert!(error.to_string().contains("the service failed") && !error.to_string().contains("ids"), "{error}");
}

#[test]
fn every_recorded_refusal_in_json_has_a_documented_form() {
    for Recorded { name, status, body, error } in recorded() {
        let parts = parsed(body.as_bytes());
        if status >= 500 || !parts.is_object() {
            continue;
        }
        // an exception's text, by which the service reports on a call that it made itself
        if name == "webhook-test-url" {
            continue;
        }
        for text in [parts.title(), parts.message()].into_iter().flatten() {
            let known = REFUSALS.sentence(text).is_some();
            assert!(known, "{name}: {text}");
        }
        assert!(error.to_string().contains("the service says \""), "{name}: {error}");
        assert!(is_own_refusal(status, body.as_bytes()), "{name}");
        assert!(!error.is_foreign_refusal(), "{name}");
    }
}

#[test]
fn a_sentence_that_names_things_is_shown_with_what_was_asked_for() {
    let text = error_of("legacy-secret-rollback-unknown-version").to_string();
    assert!(text.contains(r#"the service says "Version 42 not found in history""#), "{text}");
    let body = r#"{"error":"Branch 'hunter2' not found"}"#;
    let error = refused(404, &[], body, "secrets_upsert", XtraProtocol, r#"{"secrets":{"A":"x"},"branch":"dev"}"#);
    assert!(error.to_string().contains(r#"the service says "Branch 'dev' not found""#), "{error}");
    assert_eq!(error.server_message(), Some("Branch 'hunter2' not found"));
    let text = error_of("ip-restricted-secrets").to_string();
    assert!(text.contains("IP address … is not in the allowlist"), "{text}");
}

#[test]
fn another_sentence_is_withheld_and_given_to_who_asks() {
    let error = shaped(422, r#"{"error":"the value hunter2 is too weak"}"#);
    assert!(error.to_string().contains("server_message()"), "{error}");
    assert!(!format!("{error}{error:?}").contains("hunter2"), "{error:?}");
    assert_eq!(error.server_message(), Some("the value hunter2 is too weak"));
    assert!(!shaped(422, "").to_string().contains("server_message()"));
}

#[test]
fn a_refusal_is_the_service_s_own_by_what_its_body_holds() {
    let large = format!(r#"{{"pad":"{}","error":"Access Denied"}}"#, "x".repeat(1 << 20));
    for (status, body) in [
        (401, r#"{"error":"Unauthorized"}"#),
        (401, r#" {"error": "Unauthorized — please log in"} "#),
        (401, r#"{"error":"Unauthorized","message":"A valid Service Account token is required."}"#),
        (403, r#"{"error":"Access Denied"}"#),
        (403, r#"{"error":"Forbidden"}"#),
        (403, r#"{"error":"JIT Elevation Required","action":"request_jit"}"#),
        (403, r#"{"code":"2FA_REQUIRED"}"#),
        (403, r#"{"error":"Secret limit reached","message":"anything","more":{"a":[1]}}"#),
        (404, r#"{"message":"Secret not found"}"#),
        (404, r#"{"error":"Branch 'a' not found"}"#),
        (405, ""),
        (410, r#"{"error":"This JIT link has expired","expired":true}"#),
        (403, large.as_str()),
    ] {
        assert!(is_own_refusal(status, body.as_bytes()), "{status} {body}");
    }
}

#[test]
fn a_refusal_of_anybody_else_is_not_the_service_s_own() {
    for body in [
        "",
        " ",
        "null",
        "{}",
        "[]",
        "Unauthorized",
        r#""Unauthorized""#,
        r#"["Access Denied"]"#,
        "<html>Access Denied</html>",
        r#"{"error":"Access Denied""#,
        r#"{"error":"Access Denied"} x"#,
        r#"{"error":["Access Denied"]}"#,
        r#"{"errors":"Access Denied"}"#,
        r#"{"message":"Forbidden"}"#,
        r#"{"message":"Unauthorized"}"#,
        r#"{"message":"no Route matched with those values"}"#,
        r#"{"error":"Blocked by policy","code":"WAF_BLOCKED"}"#,
        r#"{"timestamp":"2026-11-22T00:00:00Z","status":404,"error":"Not Found","path":"/api/x"}"#,
        r#"{"error":"access denied"}"#,
        r#"{"error":"Access Denied "}"#,
        r#"{"Error":"Access Denied"}"#,
    ] {
        for status in [401, 403, 404, 410] {
            assert!(!is_own_refusal(status, body.as_bytes()), "{status} {body}");
        }
    }
    assert!(!is_own_refusal(404, b"\xff\xfe{\"error\":\"Access Denied\"}"));
    for status in [200, 302, 500, 503] {
        assert!(!is_own_refusal(status, br#"{"error":"Access Denied"}"#), "{status}");
    }
}

#[test]
fn a_refusal_of_anybody_else_says_so_and_keeps_its_kind_and_status() {
    for (status, kind) in [
        (401, ErrorKind::Unauthorized),
        (403, ErrorKind::Forbidden),
        (404, ErrorKind::NotFound),
        (407, ErrorKind::Config),
        (410, ErrorKind::NotFound),
        (451, ErrorKind::Invalid),
    ] {
        // a sentence of the service's in the wrong place is not shown as what the service says
        for body in ["", "<html>canary</html>", "canary", r#"{"message":"canary"}"#, r#"{"message":"Unauthorized"}"#] {
            let error = shaped(status, body);
            assert_eq!(
                (error.kind(), error.status(), error.is_retryable()),
                (kind, Some(status), false),
                "{status} {body}"
            );
            assert!(
                error.is_foreign_refusal() && error.to_string().contains("not one of the service's own"),
                "{error}"
            );
            assert!(!format!("{error}{error:?}").contains("canary"), "{error:?}");
        }
    }
    for status in [400, 408, 409, 413, 422, 429, 500, 503] {
        assert!(!shaped(status, "<html>").is_foreign_refusal(), "{status}");
    }
}

#[test]
fn the_operations_that_refuse_in_plain_text_are_known() {
    let refused = |operation| refused(401, &[], "Unauthorized", operation, XtraProtocol, "");
    assert!(!refused("branches_delete").is_foreign_refusal() && !refused("branches_clear").is_foreign_refusal());
    assert!(refused("secrets_read").is_foreign_refusal());
    for name in ["branch-clear-route-no-token", "branch-delete-route-outsider"] {
        assert_eq!(error_of(name).server_message(), Some("Unauthorized"), "{name}");
    }
}
