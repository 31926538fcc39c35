//! The replay of every recording of a route that the client reads by: the client makes of it what it promises.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::recorded::recorded_values::{
    Known, Scene, development, development_after_the_upserts, development_at_the_conflict, development_with_links,
    development_with_the_lost_branch, new_ui, new_ui_after_the_upserts, staging, staging_after_the_clone,
};
use crate::recorded::replay::{Recording, Replay, Sent, TOKEN, is_same_target, names, seed_values};
use xtrasecurity::{
    ErrorKind, SecretValue, Secrets, XtraClient, XtraError,
    error::Reason,
    snapshot::{SnapshotSource, UnreadableReason},
};

/// What a read must come to.
enum Expected {
    /// These values, byte for byte, and no others.
    Values(Scene),
    /// The same in the form with versions, which only the raw client asks for.
    Versions(Scene),
    /// No values, and these names.
    Unreadable(ErrorKind, UnreadableReason, Scene),
    /// An error.
    Refused(Refusal),
    /// The project of the account, which the read after it goes to.
    Resolved,
}

#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    kind: ErrorKind,
    status: u16,
    reason: Option<Reason>,
    code: Option<&'static str>,
    retry_after: Option<Duration>,
}

fn refused(kind: ErrorKind, status: u16) -> Expected {
    Expected::Refused(Refusal { kind, status, reason: None, code: None, retry_after: None })
}

fn forbidden(reason: Reason, code: Option<&'static str>) -> Expected {
    Expected::Refused(Refusal {
        kind: ErrorKind::Forbidden,
        status: 403,
        reason: Some(reason),
        code,
        retry_after: None,
    })
}

fn limited(seconds: u64) -> Expected {
    let retry_after = Some(Duration::from_secs(seconds));
    Expected::Refused(Refusal { kind: ErrorKind::RateLimited, status: 429, reason: None, code: None, retry_after })
}

fn masked(scene: Scene) -> Expected {
    Expected::Unreadable(ErrorKind::Masked, UnreadableReason::Masked, scene)
}

/// Recordings of these routes that are not replayed.
const NOT_REPLAYED: [(&str, &str); 1] = [("secrets-head", "the client sends no HEAD, and the document has none")];

/// One line for each recording.
fn rows() -> Vec<(&'static str, Expected)> {
    use ErrorKind::{Forbidden, RateLimited, Unauthorized, Undecryptable};
    use Expected::{Refused, Resolved, Unreadable, Values, Versions};
    let unlimited = Refused(Refusal { kind: RateLimited, status: 429, reason: None, code: None, retry_after: None });
    vec![
        ("auth-bearer-lowercase-scheme", refused(Unauthorized, 401)),
        ("auth-bearer-two-spaces", refused(Unauthorized, 401)),
        ("auth-both-headers", refused(Unauthorized, 401)),
        ("blocked-secrets", forbidden(Reason::Blocked, None)),
        ("blocked-secrets-no-token", forbidden(Reason::Blocked, None)),
        ("branch-delete-with-secrets-main-after", Versions(development_with_the_lost_branch())),
        ("ip-restricted-allowed-xff", Values(Scene::seed("ip-restricted", "main:development"))),
        ("ip-restricted-secrets", forbidden(Reason::AddressNotAllowed, Some("IP_NOT_ALLOWED"))),
        ("ip-restricted-xff-denied", forbidden(Reason::AddressNotAllowed, Some("IP_NOT_ALLOWED"))),
        ("jit-outsider-secrets-after", masked(development_with_the_lost_branch())),
        // The limit by address says no wait; the one by tier does.
        ("ratelimit-ip-429", unlimited),
        ("ratelimit-tier-429", limited(59)),
        ("ratelimit-tier-429-no-token", limited(59)),
        ("ratelimit-tier-first-ok", Values(Scene::seed("free-project", "main:development"))),
        ("redis-sa-key-use-after-delete", Values(staging())),
        ("redis-secrets-get", Values(staging())),
        ("sa-resolve", Resolved),
        (
            "secret-copy-result",
            Unreadable(Undecryptable, UnreadableReason::ServerCiphertext, new_ui_after_the_upserts()),
        ),
        ("secret-link-get-after", Versions(development_with_links())),
        ("secrets-get-bad-token", refused(Unauthorized, 401)),
        ("secrets-get-bearer", Values(staging())),
        ("secrets-get-branch", Values(new_ui())),
        ("secrets-get-branch-raw-slash", Values(new_ui())),
        ("secrets-get-branch-unknown", Values(Scene::default())),
        ("secrets-get-env-uppercase", Values(staging())),
        ("secrets-get-gzip", Values(development())),
        ("secrets-get-gzip-small", Values(staging())),
        ("secrets-get-include-versions", Versions(development())),
        ("secrets-get-include-versions-branch", Versions(new_ui())),
        ("secrets-get-include-versions-branch-unknown", Versions(Scene::default())),
        // Without the header that tells of it: the values alone say that they are masked.
        ("secrets-get-include-versions-viewer", Versions(staging().masked())),
        ("secrets-get-jwt", Values(staging_after_the_clone())),
        ("secrets-get-jwt-sa", Values(staging_after_the_clone())),
        ("secrets-get-main", Values(development())),
        ("secrets-get-main-explicit", Values(staging())),
        ("secrets-get-no-token", refused(Unauthorized, 401)),
        ("secrets-get-outsider", refused(Forbidden, 403)),
        ("secrets-get-project-unknown", refused(Forbidden, 403)),
        ("secrets-get-sa-no-permissions", Values(staging())),
        ("secrets-get-sa-wrong-project", refused(Forbidden, 403)),
        ("secrets-get-viewer-masked", masked(development())),
        ("two-factor-no-token", refused(Unauthorized, 401)),
        ("two-factor-secrets", forbidden(Reason::SecondFactorNeeded, Some("2FA_REQUIRED"))),
        ("upsert-conflict-nothing-written", Versions(development_at_the_conflict())),
        ("upsert-env-new-get-lowercase", Values(Scene::default().after("upsert-env-new"))),
        ("upsert-linked-after", Versions(development_after_the_upserts())),
    ]
}

#[test]
fn every_recording_of_a_read_has_a_line_and_every_line_a_recording() {
    let recorded: BTreeSet<String> = names().into_iter().filter(|name| Recording::load(name).is_of_a_read()).collect();
    let replayed = rows().into_iter().map(|(name, _)| name);
    let listed: Vec<String> = replayed.chain(NOT_REPLAYED.map(|(name, _)| name)).map(str::to_owned).collect();
    assert_eq!(listed.len(), listed.iter().collect::<BTreeSet<_>>().len(), "a line is there twice");
    assert_eq!(recorded, listed.into_iter().collect());
}

#[tokio::test]
async fn every_recorded_read_comes_to_what_is_promised() {
    for (name, expected) in rows() {
        let recording = Recording::load(name);
        match expected {
            Expected::Values(scene) => values(&recording, &scene).await,
            Expected::Versions(scene) => versions(&recording, &scene).await,
            Expected::Unreadable(kind, reason, scene) => unreadable(&recording, kind, reason, &scene).await,
            Expected::Refused(refusal) => refusal_is(&recording, &refusal).await,
            Expected::Resolved => resolved(&recording).await,
        }
    }
}

/// The parts of a recorded read.
fn parts(recording: &Recording) -> (String, String, Option<&str>) {
    (recording.segment(2), recording.segment(4), recording.query("branch"))
}

/// Reads what was recorded, with the service giving the recorded answer.
async fn read(service: &Replay, recording: &Recording) -> (XtraClient, Result<Arc<Secrets>, XtraError>) {
    let (project, environment, branch) = parts(recording);
    let client = service.client().project_id(project).build().unwrap();
    let request = client.get_secrets(environment);
    let answer = match branch {
        Some(branch) => request.branch(branch.to_owned()).await,
        None => request.await,
    };
    (client, answer)
}

/// The one request that was sent: the recorded place in the client's spelling, and its own credentials alone.
fn asked_once(service: &Replay, recording: &Recording) {
    let (project, environment, branch) = parts(recording);
    let branch = branch.unwrap_or("main").replace('/', "%2F");
    let target = format!("/api/projects/{project}/envs/{}/secrets?branch={branch}", environment.to_lowercase());
    let [sent]: [Sent; 1] = service.sent().try_into().unwrap();
    assert_eq!((sent.method.as_str(), sent.target.as_str()), ("GET", target.as_str()), "{}", recording.name);
    assert_eq!(sent.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()), "{}", recording.name);
    assert_eq!(sent.header("x-api-key"), None, "{}", recording.name);
}

async fn values(recording: &Recording, scene: &Scene) {
    let name = &recording.name;
    let service = Replay::of(&[recording]).await;
    let (client, answer) = read(&service, recording).await;
    let secrets = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(secrets.names().collect::<Vec<_>>(), scene.names(), "{name}");
    for (key, known) in &scene.0 {
        let value = secrets.require(key).unwrap();
        assert_eq!(value.expose().as_bytes(), known.value.as_bytes(), "{name}: {key}");
    }
    assert!(secrets.unreadable().is_empty(), "{name}");
    assert_eq!(secrets.source(), SnapshotSource::Service, "{name}");
    asked_once(&service, recording);
    assert_eq!(client.stats().requests, 1, "{name}");
}

async fn unreadable(recording: &Recording, kind: ErrorKind, reason: UnreadableReason, scene: &Scene) {
    let name = &recording.name;
    let service = Replay::of(&[recording]).await;
    let (client, answer) = read(&service, recording).await;
    let error = answer.unwrap_err();
    assert_eq!((error.kind(), error.code(), error.retry_after()), (kind, None, None), "{name}");
    assert_eq!(error.names(), scene.names(), "{name}");
    let (project, environment, branch) = parts(recording);
    let request = client.get_secrets(environment).project_id(project).branch(branch.unwrap_or("main"));
    let rest = request.allow_unreadable().await.unwrap();
    assert!(rest.is_empty(), "{name}");
    let found: Vec<(&str, UnreadableReason)> =
        rest.unreadable().iter().map(|entry| (entry.name.as_str(), entry.reason)).collect();
    assert_eq!(found, scene.names().into_iter().map(|key| (key, reason)).collect::<Vec<_>>(), "{name}");
    for key in scene.names() {
        assert_eq!(rest.require(key).unwrap_err().kind(), kind, "{name}: {key}");
    }
    asked_once(&service, recording);
}

async fn refusal_is(recording: &Recording, expected: &Refusal) {
    let name = &recording.name;
    let service = Replay::of(&[recording]).await;
    let (client, answer) = read(&service, recording).await;
    let error = answer.unwrap_err();
    let status = error.status().unwrap();
    assert_eq!((error.kind(), status), (expected.kind, expected.status), "{name}: {error}");
    assert_eq!((error.code(), error.retry_after()), (expected.code, expected.retry_after), "{name}: {error}");
    assert_eq!(error.reason(), expected.reason.as_ref(), "{name}: {error}");
    assert!(error.names().is_empty() && error.conflicts().is_empty(), "{name}");
    assert_eq!(error.is_retryable(), expected.kind == ErrorKind::RateLimited, "{name}");
    assert_eq!((error.attempts(), client.stats().cached), (1, 0), "{name}");
    asked_once(&service, recording);
}

async fn versions(recording: &Recording, scene: &Scene) {
    let name = &recording.name;
    let service = Replay::of(&[recording]).await;
    let client = service.client().build().unwrap();
    let (project, environment, branch) = parts(recording);
    let request = client.raw().secrets_read().project_id(project).env(environment).include_versions(true);
    let request = match branch {
        Some(branch) => request.branch(branch),
        None => request,
    };
    let answer = request.send().await.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!((answer.status(), answer.header("x-values-masked")), (200, None), "{name}");
    let entries = answer.into_inner().0;
    assert_eq!(
        entries.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        scene.names().into_iter().collect(),
        "{name}"
    );
    for (key, known) in &scene.0 {
        let entry = &entries[key];
        let shown = Known {
            value: as_meant(entry.expose().unwrap()),
            version: entry.version.as_deref().unwrap().parse().unwrap(),
            is_link: entry.is_reference.unwrap(),
        };
        assert_eq!(&shown, known, "{name}: {key}");
        let source = if known.is_link { "linked" } else { "local" };
        assert_eq!(entry.source.as_deref(), Some(source), "{name}: {key}");
    }
    let [sent]: [Sent; 1] = service.sent().try_into().unwrap();
    assert!(is_same_target(&sent.target, &recording.target), "{name}: {}", sent.target);
}

/// The raw client gives the text as it was sent, and the service sends the empty text as its ciphertext.
fn as_meant(text: &str) -> String {
    let sealed: Option<serde_json::Value> = serde_json::from_str(text).ok();
    match sealed.filter(|sealed| sealed["encryptedData"] == "") {
        Some(_) => String::new(),
        None => text.to_owned(),
    }
}

/// A client that was told no project asks for it first, and then reads that one.
async fn resolved(recording: &Recording) {
    let then = Recording::load("secrets-get-sa-no-permissions");
    let service = Replay::of(&[recording, &then]).await;
    let client = service.client().build().unwrap();
    let secrets = client.get_secrets("staging").await.unwrap();
    assert_eq!(secrets.names().collect::<Vec<_>>(), staging().names());
    let payments = seed_values()["projects"]["payments"].as_str().unwrap().to_owned();
    let targets: Vec<String> =
        service.sent().into_iter().map(|sent| format!("{} {}", sent.method, sent.target)).collect();
    let read = format!("GET /api/projects/{payments}/envs/staging/secrets?branch=main");
    assert_eq!(targets, ["GET /api/service-account/resolve".to_owned(), read]);

    // All of the answer, for the raw caller. The account is the one that `sa-create` and `sa-update` wrote.
    let service = Replay::of(&[recording]).await;
    let client = service.client().build().unwrap();
    let answer = client.raw().service_accounts_resolve().send().await.unwrap();
    let written = Recording::load("sa-update").sent.unwrap();
    let created = Recording::load("sa-create").json().unwrap();
    let account = answer.service_account.as_ref().unwrap();
    assert_eq!(account.id.as_deref(), created["id"].as_str());
    assert_eq!(account.name.as_deref(), written["name"].as_str());
    assert_eq!(serde_json::to_value(&account.permissions).unwrap(), written["permissions"]);
    let project = answer.project.as_ref().unwrap();
    assert_eq!(project.id.as_deref(), Some(payments.as_str()));
    assert_eq!(project.name.as_deref(), Some("payments"));
    assert_eq!(project.workspace_id.as_deref(), seed_values()["workspaces"]["main"].as_str());
}

#[tokio::test]
async fn values_that_are_easily_spoilt_come_through_byte_for_byte() {
    let recording = Recording::load("secrets-get-main");
    let service = Replay::of(&[&recording]).await;
    let (_, answer) = read(&service, &recording).await;
    let secrets = answer.unwrap();
    let seed = seed_values();
    let seed = &seed["values"]["payments"]["main:development"];
    for key in ["JSON_VALUE", "UNICODE", "MULTILINE", "PEM_KEY", "LONG_64K", "QUOTES", "SPACE", "NUMBERISH"] {
        assert_eq!(secrets.require(key).unwrap().expose().as_bytes(), seed[key].as_str().unwrap().as_bytes(), "{key}");
    }
    // It has the members of a ciphertext and one more: it is the program's own.
    assert_eq!(
        secrets.require("JSON_VALUE").unwrap().expose(),
        r#"{"iv":"x","encryptedData":"y","authTag":"z","n":1}"#
    );
    // The service sends this one as a ciphertext of nothing.
    assert!(recording.json().unwrap()["EMPTY"].as_str().unwrap().contains("encryptedData"));
    assert_eq!(secrets.get("EMPTY"), Some(&SecretValue::from("")));
    assert_eq!(secrets.require("LONG_64K").unwrap().expose().len(), 65_536);
}
