//! Ways to fail, each with something planted where the service, or whatever stands before it, could put it.

use serde_json::json;
use xtrasecurity::dev_server::{DevServer, Fault};
use xtrasecurity::xtra::raw::{Error, types};
use xtrasecurity::{XtraClient, XtraError};

use crate::planted::{BRANCH, ENVIRONMENT, KEY, PROJECT, SHORT_TOKEN, TOKEN, VALUE, hides_debug, hides_error};
use crate::world::{client, impatient};

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain;charset=UTF-8";

/// Statuses of refusals and failures that the service, a proxy or a load balancer sends.
const STATUSES: &[u16] =
    &[400, 401, 402, 403, 404, 405, 407, 408, 409, 410, 413, 418, 422, 429, 500, 501, 502, 503, 504, 520];

/// What can go wrong, each with a name for the message of a failed test.
pub fn faults() -> Vec<(String, Fault)> {
    let page = format!("<!doctype html><title>{VALUE}</title><p>{TOKEN}");
    let mut all = vec![
        (
            "redirect".to_owned(),
            Fault::redirect(307, &format!("https://canary-user:canary-password@x.example/{VALUE}?t={TOKEN}")),
        ),
        ("cut".to_owned(), Fault::cut_body()),
        ("refused".to_owned(), Fault::refuse()),
        ("garbage".to_owned(), Fault::garbage()),
    ];
    for (name, body) in bodies_of_success(&page) {
        all.push((format!("200 {name}"), Fault::body(200, JSON, body)));
    }
    for status in STATUSES {
        for (name, kind, body) in bodies_of_refusal(&page) {
            all.push((format!("{status} {name}"), with_headers(Fault::body(*status, kind, body))));
        }
    }
    all
}

fn bodies_of_success(page: &str) -> Vec<(&'static str, String)> {
    vec![
        ("page", page.to_owned()),
        ("text", VALUE.to_owned()),
        ("json text", json!(VALUE).to_string()),
        ("list of values", json!([VALUE, TOKEN]).to_string()),
        ("list as value", json!({ KEY: [VALUE] }).to_string()),
        ("object as value", json!({ KEY: { "value": { VALUE: VALUE } } }).to_string()),
        ("value as version", json!({ KEY: { "value": 1, "version": VALUE } }).to_string()),
        ("cut json", format!(r#"{{"{KEY}":"{VALUE}"#)),
        ("bad escape", format!(r#"{{"{KEY}":"{VALUE}\x"}}"#)),
        ("two values", format!(r#"{{"{KEY}":"{VALUE}"}} {VALUE}"#)),
    ]
}

fn bodies_of_refusal(page: &str) -> Vec<(&'static str, &'static str, String)> {
    let conflicts = json!({ "error": "Conflict detected", "conflicts": [
        { "key": KEY, "expected": "1", "actual": VALUE, "remoteValue": VALUE, "more": TOKEN },
        { "key": KEY, "expected": VALUE, "actual": { VALUE: VALUE }, "remoteValue": [VALUE] },
        VALUE,
    ]});
    vec![
        ("page", HTML, page.to_owned()),
        ("text", TEXT, VALUE.to_owned()),
        ("sentence", TEXT, format!("the value {VALUE} is too weird")),
        ("token as text", TEXT, format!("bad token {TOKEN}")),
("trace as text", TEXT, "Error: canary\n    at canary (canary.js:1:2)".to_owned()),
        ("data as text", TEXT, "bad value {\"iv\":\"canary\"}".to_owned()),
        ("tags in error", JSON, json!({ "error": "no <b>canary</b> here" }).to_string()),
        ("database in error", JSON, json!({ "error": "Invalid prisma call for canary" }).to_string()),
                ("address as text", TEXT, "canary at postgres://canary:canary@db/canary".to_owned()),
        ("json text", JSON, json!(VALUE).to_string()),
        ("error", JSON, json!({ "error": format!("the value {VALUE} is too weird") }).to_string()),
        ("message", JSON, json!({ "message": VALUE, "error": TOKEN }).to_string()),
        ("all fields", JSON, json!({
            "error": VALUE, "message": VALUE, "code": VALUE, "action": VALUE, "details": VALUE, "detail": VALUE,
            "stack": format!("Error: {VALUE}\n    at {VALUE} (canary.js:1:2)"), "requestId": VALUE, "retryAfter": VALUE,
        }).to_string()),
        ("other types", JSON, json!({ "error": { VALUE: VALUE }, "message": [VALUE], "code": [TOKEN] }).to_string()),
        ("conflicts", JSON, conflicts.to_string()),
        ("cut json", JSON, format!(r#"{{"error":"{VALUE}"#)),
    ]
}

fn with_headers(fault: Fault) -> Fault {
    fault
        .header("retry-after", VALUE)
        .header("set-cookie", TOKEN)
        .header("x-request-id", VALUE)
        .header("x-ratelimit-reset", VALUE)
}

/// What came of a call, looked at from every side.
pub struct Seen {
    pub errors: usize,
}

/// One fault, met by a read, by raw calls that read and write, and by one that expects another type.
pub async fn meet(server: &DevServer, name: &str, fault: &Fault, seen: &mut Seen) {
    let client = client(server);
    server.fault(fault.clone().forever());
    if let Err(error) = client.get_secrets(ENVIRONMENT).branch(BRANCH).await {
        examine(&format!("{name}, read"), &error, seen);
    }
    let raw = client.raw();
    let failed = raw.secrets_read().project_id(PROJECT).env(ENVIRONMENT).branch(BRANCH).send().await.err();
    examine_raw(&format!("{name}, raw read"), failed, seen);
    let body: types::SecretsUpsert = serde_json::from_value(json!({ "secrets": { KEY: VALUE } })).unwrap();
    let failed = raw.secrets_upsert().project_id(PROJECT).env(ENVIRONMENT).body(body).send().await.err();
    examine_raw(&format!("{name}, raw write"), failed, seen);
    let failed = raw.projects_get().id(PROJECT).send().await.err();
    examine_raw(&format!("{name}, raw project"), failed, seen);
    server.clear_faults();
}

fn examine_raw(what: &str, failed: Option<Error<types::ApiError>>, seen: &mut Seen) {
    let Some(error) = failed else { return };
    hides_error(what, &error);
    match &error {
        Error::InvalidResponsePayload(payload) => {
            hides_debug(what, &payload);
            hides_debug(what, &payload.answer());
            hides_error_text(what, &payload.problem().to_string());
        }
        Error::UnexpectedResponse(answer) => hides_debug(what, &answer),
        _ => {}
    }
    hides_debug(what, &error.answer());
    examine(what, &error.into_error(), seen);
}

fn hides_error_text(what: &str, text: &str) {
    crate::planted::hides(what, text);
}

fn examine(what: &str, error: &XtraError, seen: &mut Seen) {
    seen.errors += 1;
    hides_error(what, error);
    hides_error(what, &error.clone().with_names([KEY]));
    hides_debug(what, &error.conflicts());
    // server_message() alone is the text of the service
    hides_debug(what, &(error.code(), error.message(), error.retry_after()));
}

/// Refusals that repeat a token that looks like a word: only who asks for the service's text gets it.
pub async fn repeated_token(server: &DevServer, seen: &mut Seen) {
    let client = impatient().token(SHORT_TOKEN).api_url(server.url()).build().unwrap();
    for status in [400, 401, 403, 404, 409, 422, 429] {
        for body in [
            format!("no user has {SHORT_TOKEN}"),
            json!({ "error": format!("no user has {SHORT_TOKEN}, sorry") }).to_string(),
        ] {
            server.fault(Fault::body(status, TEXT, body).forever());
            let error = client.get_secrets(ENVIRONMENT).await.unwrap_err();
            assert!(error.server_message().is_some_and(|said| said.contains(SHORT_TOKEN)), "{error:?}");
            assert!(
                error.to_string().contains("server_message()") || error.to_string().contains("the service's own"),
                "{error}"
            );
            examine(&format!("{status} that repeats the token"), &error, seen);
            server.clear_faults();
        }
    }
}

/// Failures that no answer is part of.
pub async fn without_an_answer(server: &DevServer, seen: &mut Seen) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let roots = [
        format!("http://127.0.0.1:{free}/api"),
        // not TLS
        format!("https://127.0.0.1:{}/api", server.port()),
        "http://magpie-host.invalid/api".to_owned(),
    ];
    for root in roots {
        let client = impatient().danger_allow_http().no_proxy().api_url(&root).build().unwrap();
        let error = client.get_secrets(ENVIRONMENT).await.unwrap_err();
        assert!(error.status().is_none(), "{error:?}");
        examine("no connection", &error, seen);
        let failed = client.raw().projects_get().id(PROJECT).send().await.err();
        examine_raw("no connection, raw", failed, seen);
    }
    let hurried = impatient().api_url(server.url()).call_timeout(std::time::Duration::from_millis(50)).build().unwrap();
    let small = impatient().api_url(server.url()).max_response_bytes(8).build().unwrap();
    let other = impatient().token("xs_canary_of_nobody_0123456789abcdef").api_url(server.url()).build().unwrap();
    server.fault(Fault::hang());
    for client in [hurried, small, other] {
        examine("an impatient, small or unknown client", &client.get_secrets(ENVIRONMENT).await.unwrap_err(), seen);
    }
    let raw = XtraClient::in_memory([(KEY, VALUE)]).unwrap();
    examine_raw("in memory", raw.raw().projects_list().send().await.err(), seen);
    examine_raw("not initialised", raw.raw().jit_get().send().await.err(), seen);
    let dots = raw.raw().secrets_read().project_id("..").env(VALUE).send().await.err();
    examine_raw("dots", dots, seen);
}
