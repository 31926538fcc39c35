//! The replay of every recording of a route by which rows are looked up and changed: the client makes of it what it
//! promises. What the client asks before it comes to that route is answered from other recordings, or made of them.

use std::collections::BTreeSet;

use crate::recorded::replay::{Recording, Replay, Sent, is_same_target, names};
use serde_json::{Value, json};
use xtrasecurity::xtra::write::{History, LinkSource};
use xtrasecurity::{ErrorKind, XtraClient, XtraError};

const PAYMENTS: &str = "9a46729e9f207d6627fad695";
const OTHER: &str = "47a92513e37a7804cf3fcfc0";
const BRANCH: &str = "feature/new-ui";

/// Recordings of these routes that are not replayed here.
const NOT_REPLAYED: [(&str, &str); 2] = [
    ("secret-link-get-after", "a read, which `replay_reads` has"),
    (
        "secret-link-path-get",
        "the client does not ask for the address of a secret named `link`, which is another route's",
    ),
];

/// What the recordings of these routes begin with.
const FAMILIES: [&str; 10] = [
    "branch-list",
    "env-clone",
    "legacy-secret-delete",
    "legacy-secret-list",
    "legacy-secret-rollback",
    "secret-delete",
    "secret-get",
    "secret-history",
    "secret-link",
    "secret-rollback",
];

fn is_of_these_routes(name: &str) -> bool {
    FAMILIES.iter().any(|family| name.starts_with(family)) || name.starts_with("secret-rotate")
}

fn load(name: &str) -> Recording {
    Recording::load(name)
}

/// A recorded answer with another body.
fn answering(name: &str, body: &Value) -> Recording {
    let mut made = load(name);
    made.body = body.to_string();
    made
}

/// The list of one branch, whose rows are these.
fn branches(branch: &str, rows: Vec<Value>) -> Recording {
    let mut list = load("branch-list").json().unwrap();
    list[0]["name"] = branch.into();
    list[0]["secrets"] = rows.into();
    answering("branch-list", &list)
}

/// The recorded row under a name, as the list of branches shows it.
fn row(key: &str) -> Value {
    let mut row = load("secret-get").json().unwrap();
    row["key"] = key.into();
    row["value"] = "shown".into();
    row["history"] = json!([{"version": "1", "value": "from the list"}, {"version": "2", "value": "two"}]);
    row
}

/// A read with versions that shows one secret.
fn shown(key: &str, value: &str, version: &str) -> Recording {
    let read = json!({ key: {"value": value, "version": version, "isReference": false, "source": "local"} });
    answering("secrets-get-include-versions", &read)
}

/// One call with the answers that it gets.
struct Played {
    service: Replay,
    client: XtraClient,
}

impl Played {
    async fn of(project: &str, answers: &[&Recording]) -> Self {
        let service = Replay::of(answers).await;
        let client = service.client().project_id(project.to_owned()).build().unwrap();
        Self { service, client }
    }

    /// All answers were asked for, and the request to `recording` is the one that was recorded.
    fn sent_as_recorded(&self, recording: &Recording) {
        let as_recorded = |sent: &Sent| {
            sent.method == recording.method
                && is_same_target(&sent.target, &recording.target)
                && sent.json() == recording.sent
        };
        let sent = self.service.sent();
        assert!(sent.iter().any(as_recorded), "{}: {:?}", recording.name, sent);
    }
}

/// How a recorded refusal comes out.
fn is(name: &str, error: &XtraError, kind: ErrorKind) {
    let recorded = load(name).status;
    assert_eq!((error.kind(), error.status()), (kind, Some(recorded)), "{name}: {error}");
    assert_eq!(error.may_have_been_applied(), recorded >= 500, "{name}: {error}");
}

#[test]
fn every_recording_of_these_routes_is_replayed_or_listed_with_the_reason() {
    let recorded: BTreeSet<String> = names().into_iter().filter(|name| is_of_these_routes(name)).collect();
    let lists: [&[(&str, Expected)]; 7] = [&LISTS, &LOOK_UPS, &HISTORIES, &DELETIONS, &ROLLBACKS, &ROTATIONS, &LINKS];
    let clones = CLONES.iter().map(|(name, _)| *name);
    let listed: Vec<&str> = lists.iter().flat_map(|list| list.iter().map(|(name, _)| *name)).chain(clones).collect();
    println!("{} of {} recordings are replayed", listed.len(), recorded.len());
    let replayed: BTreeSet<&str> = listed.iter().copied().collect();
    assert_eq!(replayed.len(), listed.len(), "one is there twice");
    assert_eq!(listed.len(), 58);
    let all = replayed.into_iter().chain(NOT_REPLAYED.map(|(name, _)| name));
    assert_eq!(recorded, all.map(str::to_owned).collect());
}

/// What a call must come to.
enum Expected {
    Done,
    Refused(ErrorKind),
}

use ErrorKind::{Conflict, Forbidden, Invalid, Masked, NotFound, Server, Unauthorized};
use Expected::{Done, Refused};

/// The lists of rows, by which they are looked up.
const LISTS: [(&str, Expected); 5] = [
    ("branch-list", Done),
    ("branch-list-viewer", Refused(Masked)),
    ("legacy-secret-list", Refused(NotFound)),
    ("legacy-secret-list-no-project", Refused(Invalid)),
    ("legacy-secret-list-no-token", Refused(Unauthorized)),
];

#[tokio::test]
async fn rows_are_found_in_the_recorded_lists() {
    for (name, expected) in LISTS {
        let recording = load(name);
        let nothing = load("secret-get-env-uppercase");
        let read = shown("SHARED_TOKEN", "shared-from-other", "1");
        let elsewhere = load("secret-get-branch-ignored");
        let none = branches("main", Vec::new());
        let answers = match name.starts_with("branch-list") {
            true => vec![&recording, &nothing, &read],
            // a row that is read, and hangs on no branch that is listed
            false => vec![&none, &elsewhere, &read, &recording],
        };
        let played = Played::of(OTHER, &answers).await;
        let told = played.client.secret_history("development", "SHARED_TOKEN").await;
        match (told, expected) {
            (Ok(history), Done) => {
                let entry = &recording.json().unwrap()[0]["secrets"][0]["history"][0];
                assert_eq!(history.entries.len(), 1);
                is_entry(&history, 0, entry);
            }
            (Err(error), Refused(kind)) => assert_eq!(error.kind(), kind, "{name}: {error}"),
            (told, _) => panic!("{name}: {:?}", told.err()),
        }
        assert_eq!(played.service.sent().len(), answers.len(), "{name}");
        if name != "legacy-secret-list-no-project" {
            let target = recording.target.replace(PAYMENTS, OTHER);
            assert!(played.service.sent().iter().any(|sent| is_same_target(&sent.target, &target)), "{name}");
        }
    }
}

fn is_entry(history: &History, place: usize, recorded: &Value) {
    let entry = &history.entries[place];
    let text = |member: &str| recorded[member].as_str();
    assert_eq!(Some(entry.version.as_str()), text("version"));
    assert_eq!(entry.value.as_ref().map(|value| value.expose()), text("value"));
    assert_eq!(entry.updated_at.map(|moment| format!("{moment:.3}")).as_deref(), text("updatedAt"));
    assert_eq!(entry.updated_by.as_deref(), text("updatedBy"));
    assert_eq!(entry.description.as_deref(), text("description"));
}

/// The route by key, whose row must be ours before its other methods are used.
const LOOK_UPS: [(&str, Expected); 9] = [
    ("secret-get", Done),
    ("secret-get-branch-ignored", Done),
    ("secret-get-env-uppercase", Done),
    ("secret-get-malformed-project", Refused(Server)),
    ("secret-get-no-token", Refused(Unauthorized)),
    ("secret-get-outsider", Done),
    ("secret-get-sa-wrong-project", Done),
    ("secret-get-slash-key", Done),
    ("secret-get-unknown-project", Done),
];

#[tokio::test]
async fn a_row_that_the_route_by_key_does_not_show_is_not_asked_for_by_key() {
    for (name, expected) in LOOK_UPS {
        let recording = load(name);
        let key = if name == "secret-get" { "DATABASE_URL".to_owned() } else { recording.segment(6) };
        let mut ours = row(&key);
        if name != "secret-get" {
            ours["id"] = "0123456789abcdef01234567".into();
        }
        let (list, history) = (branches(BRANCH, vec![ours]), load("secret-history"));
        let played = Played::of(PAYMENTS, &[&list, &recording, &history]).await;
        let told = played.client.secret_history("development", key).branch(BRANCH).await;
        match (told, expected) {
            (Ok(history), Done) => {
                let by_key = name == "secret-get";
                assert_eq!(history.entries.len(), if by_key { 3 } else { 2 }, "{name}");
                assert_eq!(played.service.sent().len(), if by_key { 3 } else { 2 }, "{name}");
                let first = history.entries.last().unwrap().value.as_ref().unwrap();
                assert_eq!(first == "from the list", !by_key, "{name}");
            }
            (Err(error), Refused(kind)) => {
                assert_eq!((error.kind(), error.status()), (kind, Some(recording.status)), "{name}");
            }
            (told, _) => panic!("{name}: {:?}", told.err()),
        }
    }
}

const HISTORIES: [(&str, Expected); 6] = [
    ("secret-history", Done),
    ("secret-history-linked", Done),
    ("secret-history-no-token", Refused(Unauthorized)),
    ("secret-history-outsider", Refused(Forbidden)),
    ("secret-history-unknown", Refused(NotFound)),
    ("secret-history-viewer", Done),
];

#[tokio::test]
async fn every_recorded_history_is_told_newest_first() {
    for (name, expected) in HISTORIES {
        let recording = load(name);
        let key = recording.segment(6);
        let found = match name {
            "secret-history-linked" => load("secret-link-single-get"),
            _ => load("secret-get"),
        };
        let mut link = found.json().unwrap();
        link["key"] = key.as_str().into();
        let listed = answering("legacy-secret-list", &json!([link]));
        let versions = load("secrets-get-include-versions");
        let (list, none) = (branches("main", vec![row(&key)]), branches("main", Vec::new()));
        let unknown = shown(&key, "shown", "3");
        let answers = match name {
            "secret-history-linked" => vec![&none, &found, &versions, &listed, &recording],
            "secret-history-unknown" => vec![&list, &found, &unknown, &recording],
            // the row's value is another than the one that the list shows, so it says nothing of that
            _ => vec![&list, &found, &unknown, &recording],
        };
        let played = Played::of(PAYMENTS, &answers).await;
        match (played.client.secret_history("development", key).await, expected) {
            (Ok(history), Done) => {
                let recorded = recording.json().unwrap();
                assert_eq!(Some(history.current_version.as_str()), recorded["currentVersion"].as_str(), "{name}");
                let entries = recorded["history"].as_array().unwrap();
                assert_eq!(history.entries.len(), entries.len(), "{name}");
                entries.iter().rev().enumerate().for_each(|(place, entry)| is_entry(&history, place, entry));
            }
            (Err(error), Refused(kind)) => is(name, &error, kind),
            (told, _) => panic!("{name}: {:?}", told.err()),
        }
        played.sent_as_recorded(&recording);
    }
}

/// Those by key are answers of a route that the client does not use, because it would take another branch's row: they are
/// given to its deletion by id, which the others were recorded of.
const DELETIONS: [(&str, Expected); 8] = [
    ("legacy-secret-delete", Done),
    ("legacy-secret-delete-again", Refused(NotFound)),
    ("secret-delete", Done),
    ("secret-delete-again", Refused(NotFound)),
    ("secret-delete-developer", Refused(Forbidden)),
    ("secret-delete-no-token", Refused(Unauthorized)),
    ("secret-delete-sa-write", Refused(Forbidden)),
    ("secret-delete-viewer", Refused(Forbidden)),
];

#[tokio::test]
async fn every_recorded_deletion_comes_to_what_is_promised() {
    for (name, expected) in DELETIONS {
        let recording = load(name);
        let mut ours = row("NEW_B");
        if name.starts_with("legacy") {
            ours["id"] = recording.query("id").unwrap().into();
        }
        let (list, after, nothing) =
            (branches("main", vec![ours]), load("secret-link-get-after"), load("secret-get-env-uppercase"));
        for if_exists in [false, true] {
            let played = Played::of(PAYMENTS, &[&list, &recording, &after, &nothing]).await;
            let request = played.client.delete_secret("development", "NEW_B");
            let request = if if_exists { request.if_exists() } else { request };
            match (request.await, &expected) {
                (Ok(deleted), Done) => assert_eq!(deleted.rows, 1, "{name}"),
                // what is gone already is no error when that is said
                (Ok(deleted), Refused(NotFound)) => assert_eq!((deleted.rows, if_exists), (0, true), "{name}"),
                (Err(error), Refused(NotFound)) => assert_eq!((error.kind(), if_exists), (NotFound, false), "{name}"),
                (Err(error), Refused(kind)) => is(name, &error, *kind),
                (deleted, _) => panic!("{name}: {:?}", deleted.err()),
            }
            if name.starts_with("legacy") {
                played.sent_as_recorded(&recording);
            }
        }
    }
}

const ROLLBACKS: [(&str, Expected); 11] = [
    ("legacy-secret-rollback", Done),
    ("legacy-secret-rollback-missing", Refused(Invalid)),
    ("legacy-secret-rollback-unknown-version", Refused(NotFound)),
    ("legacy-secret-rollback-viewer", Refused(Forbidden)),
    ("secret-rollback", Done),
    ("secret-rollback-current", Refused(Invalid)),
    ("secret-rollback-no-version", Refused(Invalid)),
    ("secret-rollback-non-json", Refused(Server)),
    ("secret-rollback-number", Refused(NotFound)),
    ("secret-rollback-sa", Done),
    ("secret-rollback-viewer", Refused(Forbidden)),
];

#[tokio::test]
async fn every_recorded_rollback_comes_to_what_is_promised() {
    for (name, expected) in ROLLBACKS {
        let recording = load(name);
        let by_id = name.starts_with("legacy");
        let sent = recording.sent.clone().unwrap_or_default();
        let mut ours = row("DATABASE_URL");
        // a caller who is shown no history is checked by the service alone
        ours["history"] = json!([]);
        ours["version"] = "7".into();
        if by_id {
            ours["id"] = sent["secretId"].clone();
        }
        let (list, found, failed) =
            (branches(BRANCH, vec![ours]), load("secret-get"), load("secret-rollback-non-json"));
        let answers = match by_id {
            true => vec![&list, &found, &recording],
            // the route by id fails for this caller, and the row is as it was
            false => vec![&list, &found, &failed, &list, &recording],
        };
        let version = sent["targetVersion"].as_str().or(sent["version"].as_str()).unwrap_or("1");
        let played = Played::of(PAYMENTS, &answers).await;
        let outcome = played.client.rollback_secret("development", "DATABASE_URL", version).branch(BRANCH);
        // no read after it was recorded
        let outcome = outcome.skip_read_back().await;
        match (outcome, expected) {
            (Ok(rolled), Done) => {
                assert_eq!(Some(rolled.version.as_str()), recording.json().unwrap()["version"].as_str(), "{name}");
                played.sent_as_recorded(&recording);
            }
            (Err(error), Refused(kind)) => is(name, &error, kind),
            (outcome, _) => panic!("{name}: {:?}", outcome.err()),
        }
        assert_eq!(played.service.sent().len(), answers.len(), "{name}");
    }
}

const ROTATIONS: [(&str, Expected); 3] = [
    ("secret-rotate-no-body", Refused(Server)),
    ("secret-rotate-regenerate-value", Done),
    ("secret-rotate-shadow", Refused(Server)),
];

#[tokio::test]
async fn every_recorded_rotation_comes_to_what_is_promised() {
    for (name, expected) in ROTATIONS {
        for given in [Some("given"), None] {
            let recording = load(name);
            let (list, found) = (branches(BRANCH, vec![row("ROTATING")]), load("secret-get"));
            let played = Played::of(PAYMENTS, &[&list, &found, &recording]).await;
            let request = played.client.rotate_secret("development", "ROTATING").branch(BRANCH).skip_read_back();
            let request = if let Some(value) = given { request.value(value) } else { request };
            match (request.await, &expected) {
                (Ok(rotated), Done) => {
                    assert_eq!((rotated.value.expose(), rotated.version.as_str()), ("given", "4"), "{name}");
                    if given.is_some() {
                        played.sent_as_recorded(&recording);
                    }
                }
                (Err(error), Refused(kind)) => {
                    is(name, &error, *kind);
                    assert!(!error.to_string().contains("encryptedData"), "{name}");
                }
                (rotated, _) => panic!("{name}: {:?}", rotated.err()),
            }
        }
    }
}

const LINKS: [(&str, Expected); 6] = [
    ("secret-link-again", Done),
    ("secret-link-malformed-project", Refused(Server)),
    ("secret-link-missing-fields", Refused(Invalid)),
    ("secret-link-single-get", Refused(Conflict)),
    ("secret-link-to-reference", Refused(Invalid)),
    ("secret-link-viewer", Done),
];

#[tokio::test]
async fn every_recorded_link_comes_to_what_is_promised() {
    for (name, expected) in LINKS {
        let recording = load(name);
        let (read, found, nothing) =
            (load("secrets-get-include-versions"), load("secret-get"), load("secret-get-env-uppercase"));
        let answers = match name {
            // a link that no read shows is found by its key
            "secret-link-single-get" => vec![&read, &found, &recording],
            _ => vec![&read, &found, &nothing, &recording],
        };
        let sent = recording.sent.clone().unwrap_or_default();
        let text = |member: &str, otherwise: &str| sent[member].as_str().unwrap_or(otherwise).to_owned();
        let project =
            Some(text("sourceProjectId", OTHER)).filter(|id| id.len() == 24).unwrap_or_else(|| OTHER.to_owned());
        let source = LinkSource::new(project, text("sourceEnv", "development"), text("sourceKey", "SHARED_TOKEN"));
        let played = Played::of(PAYMENTS, &answers).await;
        let request = played.client.link_secret("development", text("key", "LINK2"), source).skip_read_back();
        match (request.await, expected) {
            (Ok(linked), Done) => {
                assert_eq!(Some(linked.id.as_str()), recording.json().unwrap()["id"].as_str(), "{name}");
                played.sent_as_recorded(&recording);
            }
            (Err(error), Refused(Conflict)) => assert_eq!(error.kind(), Conflict, "{name}"),
            (Err(error), Refused(kind)) => is(name, &error, kind),
            (linked, _) => panic!("{name}: {:?}", linked.err()),
        }
        assert_eq!(played.service.sent().len(), answers.len(), "{name}");
    }
}

/// Copied, updated, skipped.
type Figures = (u64, u64, u64);

const CLONES: [(&str, Result<Figures, ErrorKind>); 10] = [
    ("env-clone", Ok((3, 0, 0))),
    ("env-clone-branch", Ok((4, 0, 0))),
    ("env-clone-developer", Err(Forbidden)),
    ("env-clone-missing", Err(Invalid)),
    ("env-clone-no-token", Err(Unauthorized)),
    ("env-clone-non-json", Err(Server)),
    ("env-clone-overwrite", Ok((0, 3, 0))),
    ("env-clone-sa", Err(Server)),
    ("env-clone-same", Err(Invalid)),
    ("env-clone-skip", Ok((0, 0, 3))),
];

#[tokio::test]
async fn every_recorded_clone_comes_to_what_is_promised() {
    for (name, expected) in CLONES {
        let recording = load(name);
        let sent = recording.sent.clone().unwrap_or_default();
        let branch = sent["branch"].as_str().unwrap_or("main");
        let read = match branch {
            "main" => load("secrets-get-include-versions-viewer"),
            _ => load("secrets-get-include-versions-branch"),
        };
        let played = Played::of(PAYMENTS, &[&read, &read, &recording, &read]).await;
        let from = sent["fromEnv"].as_str().filter(|_| expected.is_ok()).unwrap_or("staging");
        let to = sent["toEnv"].as_str().filter(|_| expected.is_ok()).unwrap_or("qa");
        let overwrite = sent["overwrite"] == true;
        let request = played.client.clone_environment(from, to).overwrite(overwrite).branch(branch.to_owned());
        match (request.exact().await, expected) {
            (Ok(cloned), Ok(figures)) => {
                assert_eq!((cloned.copied, cloned.updated, cloned.skipped), figures, "{name}");
                assert_eq!(cloned.left_out, [""; 0], "{name}");
                // the client says the defaults that were left out when this was recorded
                let body = json!({"fromEnv": from, "toEnv": to, "branch": branch, "overwrite": overwrite});
                let sent = &played.service.sent()[2];
                assert_eq!((sent.target.as_str(), sent.json()), (recording.target.as_str(), Some(body)), "{name}");
            }
            (Err(error), Err(kind)) => {
                is(name, &error, kind);
                if ["env-clone-developer", "env-clone-sa"].contains(&name) {
                    assert!(error.to_string().contains("promote_secrets(..)"), "{name}: {error}");
                }
                assert!(!error.to_string().contains("stack") && !error.to_string().contains("prisma"), "{name}");
            }
            (outcome, _) => panic!("{name}: {:?}", outcome.err()),
        }
    }
}
