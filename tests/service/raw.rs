//! What callers of the generated client get without asking: the token, retries where they are safe, and errors.

use std::collections::BTreeMap;

use xtrasecurity::dev_server::{DevServer, Fault, RateLimits, route};
use xtrasecurity::xtra::raw;
use xtrasecurity::{ErrorKind, XtraClient, XtraError, error::Reason};

async fn start() -> (DevServer, XtraClient) {
    let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
    let client = XtraClient::builder().dev_server(&server).build().unwrap();
    (server, client)
}

fn body(value: &str) -> raw::types::SecretsUpsert {
    let secrets: BTreeMap<String, raw::SecretInput> = [("NEW".to_owned(), value.into())].into();
    raw::types::SecretsUpsert::builder().secrets(secrets).try_into().unwrap()
}

#[tokio::test]
async fn a_call_carries_the_token_and_a_name_and_nothing_that_the_service_does_not_know() {
    let (server, client) = start().await;
    client.raw().projects_list().send().await.unwrap();
    let seen = &server.requests(route::PROJECTS_GET)[0];
    assert_eq!(seen.header("authorization"), Some(format!("Bearer {}", server.token()).as_str()));
    assert!(seen.header("user-agent").unwrap().starts_with("xtrasecurity-rust/"));
    assert_eq!(seen.header("x-api-key"), None);
    assert_eq!(seen.header("api-version"), None);
    assert_eq!(seen.header("referer"), None);
}

#[tokio::test]
async fn operations_told_apart_by_a_query_are_two_methods() {
    let (server, client) = start().await;
    assert_eq!(client.raw().projects_list().send().await.unwrap().len(), 1);
    let project = client.raw().projects_get().id(server.project_id()).send().await.unwrap();
    assert_eq!(project.status(), 200);
    assert_eq!(server.requests(route::PROJECTS_GET)[1].target(), format!("/api/project?id={}", server.project_id()));
}

#[tokio::test]
async fn reads_are_repeated_after_trouble_that_passes() {
    let (server, client) = start().await;
    for fault in [Fault::status(502), Fault::cut_body(), Fault::refuse()] {
        server.fault(fault.on(route::PROJECTS_GET));
    }
    client.raw().projects_list().send().await.unwrap();
    assert_eq!(server.request_count(route::PROJECTS_GET), 4);
}

#[tokio::test]
async fn a_write_that_may_have_arrived_is_never_sent_twice() {
    let (server, client) = start().await;
    for fault in [Fault::status(503), Fault::cut_body(), Fault::refuse(), Fault::garbage()] {
        server.reset_counts();
        server.fault(fault.on(route::SECRETS_UPSERT));
        let upsert = client.raw().secrets_upsert().project_id(server.project_id()).env("staging").body(body("v"));
        upsert.send().await.unwrap_err();
        assert_eq!(server.request_count(route::SECRETS_UPSERT), 1);
    }
}

#[tokio::test]
async fn a_write_that_was_turned_away_at_the_door_is_repeated() {
    let (server, client) = start().await;
    server.fault(Fault::status(429).header("Retry-After", "1").on(route::SECRETS_UPSERT));
    let upsert = client.raw().secrets_upsert().project_id(server.project_id()).env("staging").body(body("arrived"));
    assert_eq!(upsert.send().await.unwrap().count, Some(1));
    assert_eq!(server.secret("demo", "staging", "main", "NEW").as_deref(), Some("arrived"));
    assert_eq!(server.request_count(route::SECRETS_UPSERT), 2);
}

#[tokio::test]
async fn looking_at_a_shared_secret_is_never_repeated_because_it_uses_a_view_up() {
    let (server, client) = start().await;
    server.fault(Fault::status(503).times(2));
    let error = client.raw().secret_shares_view().token("t-1").send().await.unwrap_err();
    assert_eq!(error.status(), Some(503));
    assert_eq!(server.total_requests(), 1);
}

#[tokio::test]
async fn path_parameters_stay_in_their_segment() {
    let (server, client) = start().await;
    for key in ["", ".", ".."] {
        let call = client.raw().secrets_get().project_id(server.project_id()).env("staging").key(key);
        let error = call.send().await.unwrap_err();
        assert_eq!(XtraError::from(error).kind(), ErrorKind::Invalid);
    }
    assert_eq!(server.total_requests(), 0);
}

#[tokio::test]
async fn a_forgotten_parameter_is_named_and_nothing_is_sent() {
    let (server, client) = start().await;
    let error = client.raw().projects_get().send().await.unwrap_err();
    assert!(error.to_string().contains("id"), "{error}");
    assert_eq!(server.total_requests(), 0);
}

#[tokio::test]
async fn an_error_answer_is_typed_has_its_status_and_turns_into_an_xtra_error() {
    let (server, client) = start().await;
    server.set_blocked("demo", true).unwrap();
    let read = client.raw().secrets_read().project_id(server.project_id()).env("staging");
    let error = read.send().await.unwrap_err();
    let raw::Error::ErrorResponse(answer) = &error else { panic!("not an answer: {error:?}") };
    assert_eq!(answer.status(), 403);
    assert!(answer.error.as_deref().unwrap().contains("blocked"));
    assert_eq!(error.into_error().reason(), Some(&Reason::Blocked));
}

#[tokio::test]
async fn the_structured_fields_of_a_refusal_stay_as_they_came_whatever_the_request_carried() {
    let (server, client) = start().await;
    let text = r#"{"error":"Conflict detected","conflicts":[{"key":"domain","expected":"1","actual":"3"},
        {"key":"STRIPE_PUBLIC","expected":"2","actual":"4"}]}"#;
    server.fault(Fault::body(409, "application/json", text).on(route::SECRETS_UPSERT));
    let secrets = [("domain", "x"), ("STRIPE_PUBLIC", "3"), ("PROVIDER", "STRIPE"), ("OTHER", "domain")];
    let secrets: BTreeMap<String, raw::SecretInput> =
        secrets.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
    let sent = raw::types::SecretsUpsert::builder().secrets(secrets).branch("main".to_owned());
    let sent: raw::types::SecretsUpsert = sent.try_into().unwrap();
    let upsert = client.raw().secrets_upsert().project_id(server.project_id()).env("staging").body(sent);
    let error = upsert.send().await.unwrap_err();
    let raw::Error::ErrorResponse(answer) = &error else { panic!("not an answer: {error:?}") };
    let keys: Vec<_> = answer.conflicts.as_ref().unwrap().iter().map(|one| one.key.as_deref().unwrap()).collect();
    assert_eq!(keys, ["domain", "STRIPE_PUBLIC"]);
    let error = error.into_error();
    let known: Vec<_> = error.conflicts().iter().map(|one| (one.name.as_str(), one.actual.as_deref())).collect();
    assert_eq!(known, [("domain", Some("3")), ("STRIPE_PUBLIC", Some("4"))]);

    for (value, text, reason, code) in [
        ("2FA_REQUIRED", r#"{"error":"x","code":"2FA_REQUIRED"}"#, Reason::SecondFactorNeeded, Some("2FA_REQUIRED")),
        (
            "blocked",
            r#"{"error":"This project has been blocked by the owner and is currently inaccessible."}"#,
            Reason::Blocked,
            None,
        ),
    ] {
        server.fault(Fault::body(403, "text/plain", text).on(route::SECRETS_UPSERT));
        let upsert = client.raw().secrets_upsert().project_id(server.project_id()).env("staging").body(body(value));
        let error = upsert.send().await.unwrap_err().into_error();
        assert_eq!(
            (error.kind(), error.reason(), error.code()),
            (ErrorKind::Forbidden, Some(&reason), code),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_value_that_the_service_repeats_is_in_no_error_text_and_the_answer_stays_as_it_came() {
    let (server, client) = start().await;
    for (kind, words) in [
        ("application/json", r#"{"error":"value hunter2CANARY for NEW is too weak"}"#),
        ("text/plain", "value hunter2CANARY for NEW is too weak"),
    ] {
        server.fault(Fault::body(400, kind, words).on(route::SECRETS_UPSERT));
        let body = body("hunter2CANARY");
        let upsert = client.raw().secrets_upsert().project_id(server.project_id()).env("staging").body(body);
        let error = upsert.send().await.unwrap_err();
        let raw = format!("{error} {error:?}");
        let answer = match &error {
            raw::Error::ErrorResponse(answer) => format!("{answer:?} {:?}", **answer),
            _ => String::new(),
        };
        assert_eq!(error.answer().unwrap().body(), words.as_bytes());
        let error = error.into_error();
        let shown = format!("{raw} {answer} {error} {error:?}");
        assert!(!shown.contains("CANARY") && !shown.contains("too weak"), "{shown}");
        assert_eq!(error.server_message(), Some("value hunter2CANARY for NEW is too weak"));
    }
}

#[tokio::test]
async fn a_write_whose_outcome_is_unknown_is_not_called_retryable() {
    let (server, client) = start().await;
    server.fault(Fault::cut_body().on(route::SECRETS_UPSERT));
    let upsert = client.raw().secrets_upsert().project_id(server.project_id()).env("staging").body(body("value"));
    let error = upsert.send().await.unwrap_err();
    assert!(!error.is_retryable());
    let error = XtraError::from(error);
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(!error.is_retryable() && error.to_string().contains("not known"), "{error}");
}

#[test]
fn outside_of_a_runtime_a_call_is_an_error_that_says_so() {
    let client = XtraClient::builder().token("xs_test").api_url("http://127.0.0.1:1/api").build().unwrap();
    let mut call = Box::pin(client.raw().health_check().send());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = call.as_mut().poll(&mut context) else { panic!("it is still pending") };
    assert!(error.to_string().contains("tokio runtime"), "{error}");
    assert_eq!(error.into_error().kind(), ErrorKind::Config);
}
