//! The replay of every other recording to the generated client: what the document names comes through, and every
//! refusal becomes the error that it stands for.

use std::collections::BTreeSet;

use crate::recorded::fields::Document;
use crate::recorded::raw_operations::{Operation, Outcome, operations};
use crate::recorded::replay::{Recording, Replay, Sent, TOKEN, is_same_target, names, seed_values};
use serde_json::Value;
use xtrasecurity::xtra::raw::types;
use xtrasecurity::{
    ErrorKind, SecretValue, XtraClient, XtraError,
    error::{Conflict, Reason},
};

/// Answers to requests that no operation sends. They are given to another operation: the error is told from the answer.
const NO_OPERATION: [(&str, &str); 27] = [
    ("audit-export-json", "the export covers everybody's data and is left out"),
    ("audit-export-json-action", "the export covers everybody's data and is left out"),
    ("audit-export-outsider", "the export covers everybody's data and is left out"),
    ("ratelimit-ip-429-unknown-route", "no such route"),
    ("route-bad-percent", "no client encodes like this"),
    ("route-double-slash", "the client writes no empty segment"),
    ("route-method-not-allowed-project", "no such method on the route"),
    ("route-method-unknown", "no such method on the route"),
    ("route-trailing-slash", "the client writes no slash at the end"),
    ("route-trailing-slash-post", "the client writes no slash at the end"),
    ("route-unknown-api", "no such route"),
    ("route-unknown-post", "no such route"),
    ("route-uppercase", "no such route"),
    ("sa-resolve-post", "no such method on the route"),
    ("secret-bulk-limit-free", "`secrets_upsert` does the same better, and this is left out"),
    ("secret-bulk-missing", "`secrets_upsert` does the same better, and this is left out"),
    ("secret-bulk-sa-no-write", "`secrets_upsert` does the same better, and this is left out"),
    ("secret-bulk-value-number", "`secrets_upsert` does the same better, and this is left out"),
    ("secret-bulk-viewer", "`secrets_upsert` does the same better, and this is left out"),
    ("secret-copy-developer", "it corrupts values and is left out"),
    ("secret-copy-missing", "it corrupts values and is left out"),
    ("secret-copy-target-unknown", "it corrupts values and is left out"),
    ("secret-patch", "no such method on the route"),
    ("secret-post", "no such method on the route"),
    ("secret-promote", "always refused and left out"),
    ("secret-promote-no-token", "always refused and left out"),
    ("secret-promote-unknown", "always refused and left out"),
];

/// Recordings that nothing replays.
const NOT_REPLAYED: [(&str, &str); 4] = [
    ("secret-copy", "a success of an operation that corrupts values and is left out"),
    ("secret-copy-none", "a success of an operation that corrupts values and is left out"),
    ("secret-copy-overwrite", "a success of an operation that corrupts values and is left out"),
    ("secret-copy-skip", "a success of an operation that corrupts values and is left out"),
];

/// Recorded requests that the client does not send as they were.
/// It sends another request of the same operation instead.
const NOT_AS_RECORDED: [(&str, &str); 43] = [
    ("secret-rollback-number", "a number where the document has text"),
    ("upsert-expected-number", "a number where the document has text"),
    ("access-request-create-secret", "the number was sent as text"),
    ("upsert-value-bool", "a value that is no text"),
    ("upsert-value-null", "a value that is no text"),
    ("upsert-value-number", "a value that is no text"),
    ("upsert-value-object", "a value that is no text"),
    ("upsert-value-partial", "a value that is no text"),
    ("upsert-bare-body", "the form without `secrets`, in which any member is a secret"),
    ("upsert-bare-with-expected", "the form without `secrets`, in which any member is a secret"),
    ("upsert-empty-object", "the form without `secrets`, in which any member is a secret"),
    ("upsert-array-body", "no object"),
    ("upsert-null-body", "no object"),
    ("upsert-secrets-array", "a list of secrets"),
    ("branch-create-non-json", "no JSON"),
    ("env-clone-non-json", "no JSON"),
    ("secret-rollback-non-json", "no JSON"),
    ("upsert-non-json", "no JSON"),
    ("sa-key-create-no-body", "no body"),
    ("secret-rotate-no-body", "no body"),
    ("upsert-empty-body", "no body"),
    ("upsert-no-body", "no body"),
    ("access-request-create-missing", "a required member is missing"),
    ("env-clone-missing", "a required member is missing"),
    ("jit-claim-missing", "a required member is missing"),
    ("jit-generate-missing", "a required member is missing"),
    ("jit-generate-no-duration", "a required member is missing"),
    ("legacy-secret-create-missing", "a required member is missing"),
    ("legacy-secret-create-no-env", "a required member is missing"),
    ("legacy-secret-rollback-missing", "a required member is missing"),
    ("project-create-no-name", "a required member is missing"),
    ("project-create-no-workspace", "a required member is missing"),
    ("sa-create-no-name", "a required member is missing"),
    ("secret-link-missing-fields", "a required member is missing"),
    ("secret-rollback-no-version", "a required member is missing"),
    ("webhook-create-missing", "a required member is missing"),
    ("webhook-test-url-missing", "a required member is missing"),
    ("branch-delete-no-id", "a required parameter is missing"),
    ("legacy-secret-list-no-project", "a required parameter is missing"),
    ("secret-health-no-workspace", "a required parameter is missing"),
    ("audit-cli-logs-bad", "an object where the document has a list"),
    ("audit-list-search", "the parameter `search` is left out: it always fails"),
    ("secret-get-branch-ignored", "the parameter `branch` is left out: it is ignored"),
];

/// Error answers in JSON that are not of the documented form. The error is told from the body all the same.
const NOT_AS_DOCUMENTED: [(&str, &str); 1] =
    [("upsert-expected-number", "the version in it is the number that was sent; the generated type has text")];

/// Fields that were recorded and that the document leaves out, all of one schema: rows of the audit log carry the whole
/// record of their user, password hash and second factor included. Only what names the user is declared, so the rest is
/// dropped while decoding.
const LEFT_OUT: (&str, [&str; 13]) = (
    "UserSummary",
    [
        "createdAt",
        "emailOtp",
        "emailOtpExpiry",
        "emailVerified",
        "ipAllowlist",
        "mfaBackupCodes",
        "mfaEnabled",
        "mfaSecret",
        "password",
        "passwordResetExpiry",
        "passwordResetToken",
        "tier",
        "updatedAt",
    ],
);

/// Whether two bodies say the same: 30 and 30.0 are one number to the service.
fn is_same_json(one: Option<Value>, other: Option<Value>) -> bool {
    fn plain(value: Value) -> Value {
        match value {
            Value::Number(number) => number.as_f64().into(),
            Value::Array(items) => items.into_iter().map(plain).collect(),
            Value::Object(members) => members.into_iter().map(|(key, value)| (key, plain(value))).collect(),
            other => other,
        }
    }
    one.map(plain) == other.map(plain)
}

fn names_of<const N: usize>(table: [(&'static str, &'static str); N]) -> BTreeSet<String> {
    table.iter().map(|(name, _)| (*name).to_owned()).collect()
}

#[test]
fn every_recording_is_replayed_or_listed_with_the_reason() {
    let mut listed: Vec<String> =
        operations().iter().flat_map(|operation| operation.recordings).map(|name| (*name).to_owned()).collect();
    listed.extend(names_of(NO_OPERATION));
    listed.extend(names_of(NOT_REPLAYED));
    assert_eq!(listed.len(), listed.iter().collect::<BTreeSet<_>>().len(), "a recording is listed twice");
    let recorded: BTreeSet<String> = names().into_iter().filter(|name| !Recording::load(name).is_of_a_read()).collect();
    assert_eq!(recorded, listed.into_iter().collect());
    for (name, _) in NOT_REPLAYED {
        assert!(Recording::load(name).status < 300, "{name}: a refusal can be replayed to any operation");
    }
}

/// What an error answer must come to, whatever was called.
fn kind_of(recording: &Recording) -> ErrorKind {
    match (recording.name.as_str(), recording.status) {
        (_, 308) => ErrorKind::Redirected,
        (_, 400) => ErrorKind::Invalid,
        (_, 401) => ErrorKind::Unauthorized,
        (_, 403) => ErrorKind::Forbidden,
        // A method that is not allowed and a link that is used up are not there either.
        (_, 404 | 405 | 410) => ErrorKind::NotFound,
        (_, 409) => ErrorKind::Conflict,
        (_, 429) => ErrorKind::RateLimited,
        (_, 500) => ErrorKind::Server,
        (name, status) => panic!("{name}: {status} was not recorded before"),
    }
}

fn is_the_refusal(recording: &Recording, status: u16, error: &XtraError) {
    let name = &recording.name;
    assert_eq!((error.kind(), error.status()), (kind_of(recording), Some(recording.status)), "{name}: {error}");
    let reason = (name == "blocked-upsert").then_some(Reason::Blocked);
    assert_eq!(error.reason(), reason.as_ref(), "{name}: {error}");
    assert_eq!((status, error.attempts()), (recording.status, 1), "{name}");
    // The two refusals with a code were recorded on reads only, and of the limits one says how long it lasts.
    assert_eq!(error.code(), None, "{name}");
    let wait = (name == "ratelimit-tier-429-post").then_some(59);
    assert_eq!(error.retry_after().map(|wait| wait.as_secs()), wait, "{name}");
    let version = |text: &str| Some(text.to_owned());
    let conflicts = match name.as_str() {
        "upsert-conflict" => vec![Conflict::new("NEW_A", version("1"), version("3"))],
        "upsert-expected-number" => vec![Conflict::new("NEW_A", version("4"), version("4"))],
        _ => Vec::new(),
    };
    assert_eq!(error.conflicts(), conflicts, "{name}");
}

/// One recording, replayed to its operation.
struct Replayed {
    recording: Recording,
    outcome: Outcome,
    sent: Sent,
}

async fn replay(operation: &Operation, name: &str) -> Replayed {
    let recording = Recording::load(name);
    let service = Replay::of(&[&recording]).await;
    let client = service.client().build().unwrap();
    let outcome = (operation.call)(client.raw(), &recording).await;
    let [sent]: [Sent; 1] = service.sent().try_into().unwrap();
    Replayed { recording, outcome, sent }
}

async fn replay_all() -> Vec<(Operation, Vec<Replayed>)> {
    let mut all = Vec::new();
    for operation in operations() {
        let mut replayed = Vec::new();
        for name in operation.recordings {
            replayed.push(replay(&operation, name).await);
        }
        all.push((operation, replayed));
    }
    all
}

#[tokio::test]
async fn every_recorded_success_keeps_each_field_that_the_document_names() {
    let (document, mut left_out) = (Document::load(), BTreeSet::new());
    for (operation, all) in replay_all().await {
        for Replayed { recording, outcome, .. } in all.into_iter().filter(|replayed| replayed.recording.status < 300) {
            let name = &recording.name;
            let Outcome::Answered { status, written } = outcome else { panic!("{name}: refused") };
            assert_eq!(status, recording.status, "{name}");
            let found = document.compare(document.answer_of(operation.id), &recording.json().unwrap(), &written);
            assert_eq!(found.lost, [""; 0], "{name}");
            left_out.extend(found.left_out);
        }
    }
    let (schema, fields) = LEFT_OUT;
    assert_eq!(left_out, fields.map(|field| (schema.to_owned(), field.to_owned())).into_iter().collect());
}

#[tokio::test]
async fn every_recorded_refusal_is_its_error_and_keeps_each_field_that_the_document_names() {
    let (document, mut odd) = (Document::load(), BTreeSet::new());
    for (_, all) in replay_all().await {
        for Replayed { recording, outcome, .. } in all.into_iter().filter(|replayed| replayed.recording.status >= 300) {
            let name = &recording.name;
            let Outcome::Refused { status, written, error } = outcome else { panic!("{name}: not refused") };
            is_the_refusal(&recording, status, &error);
            match (recording.json(), written) {
                (Some(body), Some(written)) => {
                    let found = document.compare("ApiError", &body, &written);
                    assert_eq!(found.left_out, BTreeSet::new(), "{name}");
                    assert_eq!(found.lost, [""; 0], "{name}");
                }
                (Some(_), None) => drop(odd.insert(name.clone())),
                // Text, HTML, or nothing.
                (None, written) => assert_eq!(written, None, "{name}"),
            }
        }
    }
    assert_eq!(odd, names_of(NOT_AS_DOCUMENTED));
}

#[tokio::test]
async fn every_request_is_sent_as_it_was_recorded_or_listed_with_the_reason() {
    let mut others = BTreeSet::new();
    for (_, all) in replay_all().await {
        for Replayed { recording, sent, .. } in all {
            let name = &recording.name;
            assert_eq!(sent.method, recording.method, "{name}");
            assert_eq!(sent.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()), "{name}");
            // Stands where a token stood, and is no part of one.
            let target = recording.target.replace("<token>", "%3Ctoken%3E");
            if !is_same_target(&sent.target, &target) || !is_same_json(sent.json(), recording.sent) {
                others.insert(name.clone());
            }
        }
    }
    assert_eq!(others, names_of(NOT_AS_RECORDED));
}

#[tokio::test]
async fn a_refusal_is_told_from_the_answer_whatever_was_called() {
    for (name, _) in NO_OPERATION {
        let recording = Recording::load(name);
        let service = Replay::of(&[&recording]).await;
        let client = service.client().build().unwrap();
        let error = client.raw().health_check().send().await.unwrap_err();
        let status = error.status().unwrap();
        is_the_refusal(&recording, status, &error.into_error());
    }
}

#[tokio::test]
async fn the_plain_text_in_raw_answers_is_what_was_written() {
    let seed = seed_values();
    let payments = &seed["values"]["payments"]["main:development"];
    let sent = |name: &str, member: &str| Recording::load(name).sent.unwrap()[member].as_str().unwrap().to_owned();

    let (_service, client) = answering("secret-share-view").await;
    let shared = client.raw().secret_shares_view().token("t").send().await.unwrap();
    assert_eq!(shared.value.as_ref().unwrap().expose(), payments["API_KEY"].as_str());

    let (_service, client) = answering("secret-history").await;
    let history = client.raw().secrets_history().project_id("p").env("e").key("k").send().await.unwrap();
    let entries = history.history.as_ref().unwrap();
    assert_eq!(entries.last().unwrap().value.as_ref().unwrap().expose(), payments["DATABASE_URL"].as_str());

    let (_service, client) = answering("legacy-secret-create").await;
    let body = Recording::load("legacy-secret-create").sent_or_as::<types::SecretRecordCreate>("legacy-secret-create");
    let created = client.raw().secret_records_create().body(body).send().await.unwrap();
    let value: Vec<&str> = created.value.as_ref().unwrap().iter().map(SecretValue::expose).collect();
    assert_eq!(value, [sent("legacy-secret-create", "value")]);

    let (_service, client) = answering("secret-rotate-regenerate-value").await;
    let body = types::SecretRotateRequest::builder();
    let rotated = client.raw().secrets_rotate().project_id("p").env("e").key("k").body(body).send().await.unwrap();
    let value = rotated.shadow_value.as_ref().unwrap().expose();
    assert_eq!(value, Some(sent("secret-rotate-regenerate-value", "parsedNewValue").as_str()));

    // Keys were taken out of the recordings; what stands in their place must come through.
    let (_service, client) = answering("sa-key-create").await;
    let body = types::ServiceAccountKeyCreate::builder();
    let key = client.raw().service_account_keys_create().project_id("p").sa_id("s").body(body).send().await.unwrap();
    assert_eq!(key.key.as_ref().unwrap().expose(), Some("<token>"));
}

async fn answering(name: &str) -> (Replay, XtraClient) {
    let service = Replay::of(&[&Recording::load(name)]).await;
    let client = service.client().build().unwrap();
    (service, client)
}

#[test]
fn every_recorded_answer_is_what_the_document_says() {
    let document = Document::load();
    let mut checked = 0;
    let mut wrong = Vec::new();
    let reads = names().into_iter().map(|name| Recording::load(&name)).filter(Recording::is_of_a_read);
    let reads = reads.filter(|recording| recording.method == "GET").map(|recording| {
        let is_map = recording.target.starts_with("/api/projects/");
        (if is_map { "secrets_read" } else { "service_accounts_resolve" }, recording)
    });
    let others = operations()
        .into_iter()
        .flat_map(|operation| operation.recordings.iter().map(move |name| (operation.id, Recording::load(name))));
    for (id, recording) in reads.chain(others) {
        let Some(answer) = recording.json() else { continue };
        let schema = if recording.status < 300 { document.answer_of(id) } else { "ApiError" };
        wrong.extend(
            document.complaints(schema, &answer).into_iter().map(|found| format!("{} {found}", recording.name)),
        );
        checked += 1;
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(checked > 200, "{checked} answers");
}
