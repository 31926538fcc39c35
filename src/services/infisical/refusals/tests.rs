//! The recorded refusals of two servers, and those of others.

use super::super::protocol::InfisicalProtocol;
use super::super::recordings::{Recording, recorded, recordings};
use super::misses_route;
use crate::core::{ErrorKind, Reason, XtraError};
use crate::http::fuzzing::refused;

/// The operation of a recorded request, as far as its refusals depend on it.
fn operation(recording: &Recording) -> &'static str {
    match (recording.method(), recording.path()) {
        ("POST", "/v1/auth/universal-auth/login") => "auth_universal_login",
        ("POST", path) if path.starts_with("/v1/auth/") && path.ends_with("/login") => "auth_aws_login",
        ("GET", "/v3/secrets/raw") => "secrets_v3_list",
        _ => "secrets_v3_get",
    }
}

fn error_of(recording: &Recording) -> XtraError {
    let (status, body) = (recording.status(), recording.body());
    refused(status, &recording.headers(), body, operation(recording), InfisicalProtocol, "")
}

/// One refusal, as two servers give it.
#[test]
fn a_refusal_has_one_kind_whatever_the_version_answers() {
    use ErrorKind::{Conflict, Forbidden, Invalid, NotFound, RateLimited, Unauthorized};
    let expected = [
        ("auth-ua-login-wrong-secret-2", Unauthorized),
        ("auth-ua-login-unknown-client-id", Unauthorized),
        ("auth-ua-login-secret-revoked", Unauthorized),
        ("auth-ua-secret-ttl-expired", Unauthorized),
        ("auth-ua-secret-use-limit-2", Unauthorized),
        ("auth-aws-login-not-attached", Unauthorized),
        ("auth-token-jwt-expired", Unauthorized),
        ("auth-token-ttl-expired", Unauthorized),
        ("auth-token-ttl-expired-again", Unauthorized),
        ("auth-token-use-revoked", Unauthorized),
        ("auth-token-use-limit-4", Unauthorized),
        ("secrets-list-malformed-token", Unauthorized),
        ("secrets-list-bad-signature", Unauthorized),
        ("secrets-list-basic-scheme", Unauthorized),
        ("secrets-list-alg-none", Unauthorized),
        ("secret-get-no-token", Unauthorized),
        ("service-token-expired", Unauthorized),
        ("service-token-wrong-secret", Unauthorized),
        ("secrets-list-service-token-bogus", Unauthorized),
        ("auth-token-ip-refused", Forbidden),
        ("secrets-list-noaccess", Forbidden),
        ("auth-token-secret-revoked", Forbidden),
        ("secrets-list-outsider", Forbidden),
        ("secret-create-reader", Forbidden),
        ("secrets-list-bool-True", Invalid),
        ("secret-create-no-value", Invalid),
        ("auth-ua-login-missing-secret", Invalid),
        ("secrets-list-no-env", Invalid),
        ("secret-create-duplicate", Conflict),
        ("secret-get-missing", NotFound),
        ("secret-get-missing-env", NotFound),
        ("secret-get-missing-path", NotFound),
        ("secrets-list-unknown-project", NotFound),
        ("secrets-list-slug-unknown", NotFound),
        ("secrets-list-recursive-missing-env", NotFound),
        ("batch-update-one-missing", NotFound),
        ("secrets-list-v4", NotFound),
        ("route-unknown", NotFound),
        ("prod-ratelimit-429", RateLimited),
    ];
    for (name, kind) in expected {
        let found = recorded(name);
        assert!(!found.is_empty(), "{name}");
        for recording in found {
            let error = error_of(&recording);
            assert_eq!(error.kind(), kind, "{} {name}: {error}", recording.server);
        }
    }
}

#[test]
fn a_missing_thing_is_named_where_the_server_tells_it() {
    for (name, what) in [
        ("secret-get-missing", "no such secret"),
        ("secret-update-missing", "no such secret"),
        ("secret-create-missing-env", "no such folder, or no such environment"),
        ("secrets-list-recursive-missing-env", "no such environment"),
        ("secrets-list-unknown-project", "no such project"),
        ("secrets-list-slug-unknown", "no project with this slug"),
        ("legacy-project-list", "of an old kind"),
        ("secrets-list-v4", "no such route"),
        ("secrets-list-outsider", "no member of the project"),
        ("auth-token-ip-refused", "from this address"),
        ("secret-create-no-value", "secretValue is missing"),
        ("secrets-list-bool-True", "expandSecretReferences is none of the values"),
    ] {
        for recording in recorded(name) {
            let text = error_of(&recording).to_string();
            assert!(text.contains(what), "{} {name}: {text}", recording.server);
        }
    }
    for recording in recordings() {
        let is_route = recording.status() == 404 && recording.body().contains(r#""message":"Route "#);
        assert_eq!(misses_route(&error_of(&recording)), is_route, "{}", recording.name);
    }
    for recording in recorded("auth-token-ip-refused") {
        assert_eq!(error_of(&recording).reason(), Some(&Reason::AddressNotAllowed));
    }
}

#[test]
fn every_recorded_refusal_is_the_server_s_own_but_that_of_a_route_it_does_not_have() {
    let mut read = 0;
    for recording in recordings() {
        let status = recording.status();
        if !matches!(status, 401 | 403 | 404) {
            continue;
        }
        let error = error_of(&recording);
        let is_route = recording.body().contains(r#""message":"Route "#);
        assert_eq!(error.is_foreign_refusal(), is_route, "{} {}: {error}", recording.server, recording.name);
        read += 1;
    }
    assert!(read > 200, "{read}");
}

#[test]
fn a_refusal_of_something_else_in_the_server_s_place_is_not_its_own() {
    for body in [
        "",
        "Forbidden",
        "<html>403</html>",
        "{}",
        r#"{"message":"Forbidden"}"#,
        r#"{"message":"Unauthorized","statusCode":401}"#,
        r#"{"statusCode":404,"message":"Cannot GET /api/v3/secrets/raw","error":"Not Found"}"#,
        r#"{"statusCode":403,"message":"no","error":"Forbidden"}"#,
        r#"{"statusCode":403,"message":"no","error":"PermissionDenied","path":"/x"}"#,
        r#"{"error":"PermissionDenied","message":"You are not allowed to read on secrets"}"#,
        r#"["statusCode"]"#,
    ] {
        for status in [401, 403, 404] {
            let error = refused(status, &[], body, "secrets_v3_list", InfisicalProtocol, "");
            assert!(error.is_foreign_refusal(), "{status} {body}: {error}");
        }
    }
    let newer = r#"{"reqId":"req-1","statusCode":403,"message":"a new sentence","error":"NewWord"}"#;
    let error = refused(403, &[], newer, "secrets_list", InfisicalProtocol, "");
    assert!(!error.is_foreign_refusal() && error.kind() == ErrorKind::Forbidden, "{error}");
    assert!(!error.to_string().contains("sentence") && error.code().is_none(), "{error}");
}

#[test]
fn of_a_recorded_refusal_nothing_is_shown_but_its_form() {
    for recording in recordings() {
        if recording.status() < 400 {
            continue;
        }
        let shown = format!("{} {:?}", error_of(&recording), error_of(&recording));
        let query = recording.value["request"]["query"].as_array().unwrap().iter();
        let sent = query.map(|pair| pair[1].as_str().unwrap()).filter(|value| value.len() > 12);
        for text in sent.chain(["/api/", "token=abc"]) {
            assert!(
                !shown.contains(text) || text == "/api/" && !shown.contains("/api/v"),
                "{}: {shown}",
                recording.name
            );
        }
    }
}

#[test]
fn a_form_is_filled_with_what_was_asked_for() {
    let [.., newer] = &recorded("secret-get-missing-path")[..] else { panic!("no recording") };
    let asked = r#"{"secretPath":"/nofolder","environment":"dev"}"#;
    let error = refused(newer.status(), &[], newer.body(), "secrets_v3_get", InfisicalProtocol, asked);
    let text = error.to_string();
    assert!(text.contains("Folder with path '/nofolder' in environment with slug 'dev' not found"), "{text}");
}

#[test]
fn the_failures_of_an_old_server_that_are_no_refusals_stay_failures() {
    for name in ["secrets-list-import-missing-source", "folder-create-unicode-name", "kms-create-duplicate"] {
        for recording in recorded(name).iter().filter(|recording| recording.status() == 500) {
            let error = error_of(recording);
            assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Server, false), "{name}: {error}");
        }
    }
}

#[test]
fn the_wait_that_a_limit_asks_for_is_kept() {
    let [recording] = &recorded("prod-ratelimit-429")[..] else { panic!("one recording") };
    let error = error_of(recording);
    assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(52));
    assert!(error.is_retryable());
}
