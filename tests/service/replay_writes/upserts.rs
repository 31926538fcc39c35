//! The recordings of the route that writes secrets.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use xtrasecurity::xtra::write::{WriteReport, Written};
use xtrasecurity::{ErrorKind, XtraClient, XtraError};

use crate::recorded::recorded_values::{Scene, development, development_at_the_conflict, new_ui};
use crate::recorded::replay::{Recording, Replay, Sent};

/// What a write must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Created,
    Updated,
    Refused(ErrorKind),
}

use ErrorKind::{Conflict, Forbidden, Invalid, RateLimited, Server, Unauthorized};
use Expected::{Created, Refused, Updated};

/// A recording, and what the client sees before it writes.
type Case = (&'static str, fn() -> Scene, Expected);

/// Requests that the client sends as they were recorded, but that it always names the branch.
const AS_RECORDED: [Case; 20] = [
    ("upsert-create", development, Created),
    ("upsert-update", || development().after("upsert-create"), Updated),
    ("upsert-update-same-value", || development().after("upsert-create").after("upsert-update"), Updated),
    ("upsert-expected-ok", development_at_the_conflict, Updated),
    // it was there when the client looked, and deleted before the write
    ("upsert-expected-for-missing-key", || development().with("NEW_D", "old").at_version("NEW_D", 7), Updated),
    ("upsert-expected-branch-mixup", new_ui, Updated),
    ("upsert-branch-in-body", new_ui, Created),
    ("upsert-env-new", Scene::default, Created),
    ("upsert-linked", development, Updated),
    ("upsert-no-content-type", development, Created),
    ("upsert-200-keys", Scene::default, Created),
    ("upsert-value-64k", development, Created),
    ("upsert-sa-write", development, Created),
    // changed between the look and the write
    ("upsert-conflict", || development_at_the_conflict().at_version("NEW_A", 1), Refused(Conflict)),
    ("upsert-no-token", development, Refused(Unauthorized)),
    ("upsert-outsider", development, Refused(Forbidden)),
    ("upsert-sa-no-write", development, Refused(Forbidden)),
    ("upsert-sa-wrong-project", development, Refused(Forbidden)),
    ("blocked-upsert", development, Refused(Forbidden)),
    ("ratelimit-tier-429-post", development, Refused(RateLimited)),
];

/// Answers to requests of another form than the client's, whose request says the same in its own form, or is that of
/// `upsert-create`.
const IN_ANOTHER_FORM: [Case; 15] = [
    ("upsert-branch-in-query", || new_ui().after("upsert-branch-in-body"), Updated),
    ("upsert-bare-body", development, Created),
    ("upsert-array-body", development, Created),
    ("upsert-expected-number", || development_at_the_conflict().at_version("NEW_A", 4), Updated),
    ("upsert-bare-with-expected", || development().after("upsert-bare-body"), Refused(Server)),
    ("upsert-secrets-array", development, Refused(Server)),
    ("upsert-value-bool", development, Refused(Server)),
    ("upsert-value-null", development, Refused(Server)),
    ("upsert-value-number", development, Refused(Server)),
    ("upsert-value-object", development, Refused(Server)),
    ("upsert-value-partial", development, Refused(Server)),
    ("upsert-null-body", development, Refused(Server)),
    ("upsert-non-json", development, Refused(Server)),
    ("upsert-empty-body", development, Refused(Server)),
    ("upsert-no-body", development, Refused(Server)),
];

/// What can be said to the client, and is not sent. Their answers are replayed to the raw client.
const NOT_SENT: [&str; 3] = ["upsert-empty-object", "upsert-key-odd", "upsert-project-malformed"];

/// The recordings that are replayed here.
pub(crate) fn replayed() -> Vec<&'static str> {
    let cases = AS_RECORDED.iter().chain(&IN_ANOTHER_FORM).map(|(name, ..)| *name);
    cases.chain(NOT_SENT).collect()
}

/// A write in the client's words.
struct Said {
    project: String,
    environment: String,
    branch: String,
    secrets: Vec<(String, String)>,
    expected: BTreeMap<String, String>,
}

impl Said {
    fn by(recording: &Recording) -> Self {
        let sent = recording.sent.clone().unwrap_or_default();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let members = |value: &Value| {
            let members = value.as_object().cloned().unwrap_or_default();
            members.into_iter().filter_map(|(key, value)| Some((key, text(&value)?))).collect::<BTreeMap<_, _>>()
        };
        let mut secrets = members(sent.get("secrets").unwrap_or(&sent));
        let listed = sent.as_array().into_iter().flatten().enumerate();
        secrets.extend(listed.filter_map(|(place, value)| Some((place.to_string(), text(value)?))));
        if secrets.is_empty() && recording.status >= 500 {
            secrets = members(&Recording::load("upsert-create").sent.unwrap()["secrets"]);
        }
        let expected = sent["expectedVersions"].as_object().cloned().unwrap_or_default();
        Self {
            project: recording.segment(2),
            environment: recording.segment(4),
            branch: text(&sent["branch"]).or(recording.query("branch").map(str::to_owned)).unwrap_or("main".to_owned()),
            secrets: secrets.into_iter().collect(),
            expected: expected
                .into_iter()
                .map(|(key, version)| (key, text(&version).unwrap_or_else(|| version.to_string())))
                .collect(),
        }
    }

    fn keys(&self) -> Vec<&str> {
        self.secrets.iter().map(|(key, _)| key.as_str()).collect()
    }

    async fn all(&self, service: &Replay) -> Result<WriteReport, XtraError> {
        let client = service.client().project_id(self.project.as_str()).max_retries(3).build().unwrap();
        let request = client.set_secrets(self.environment.as_str(), self.secrets.clone()).branch(self.branch.as_str());
        request.expect_versions(self.expected.clone()).await
    }

    /// The first of them alone.
    async fn one(&self, service: &Replay) -> Result<Written, XtraError> {
        let client = service.client().project_id(self.project.as_str()).build().unwrap();
        let (key, value) = self.secrets[0].clone();
        let request = client.set_secret(self.environment.as_str(), key.as_str(), value).branch(self.branch.as_str());
        match self.expected.get(&key) {
            Some(version) => request.expect_version(version).await,
            None => request.await,
        }
    }

    /// The body that says it.
    fn body(&self) -> Value {
        let mut body = json!({"branch": self.branch, "secrets": BTreeMap::from_iter(self.secrets.clone())});
        if !self.expected.is_empty() {
            body["expectedVersions"] = json!(self.expected);
        }
        body
    }
}

/// A recorded answer with another body.
fn answering(name: &str, body: &Value) -> Recording {
    let mut made = Recording::load(name);
    made.body = body.to_string();
    made
}

/// A read with versions that shows a scene.
fn look(scene: &Scene) -> Recording {
    let entries = scene.0.iter().map(|(key, known)| {
        let source = if known.is_link { "linked" } else { "local" };
        let version = known.version.to_string();
        let entry = json!({"value": known.value, "version": version, "isReference": known.is_link, "source": source});
        (key.clone(), entry)
    });
    answering("secrets-get-include-versions", &Value::Object(entries.collect()))
}

/// What is answered before the write: the read, and the look at how the environment is spelled, where there is something to
/// look at.
fn before(scene: &Scene) -> Vec<Recording> {
    let mut answers = vec![look(scene)];
    if !scene.0.is_empty() {
        answers.push(Recording::load("secret-get"));
    }
    answers
}

async fn serve(answers: &[Recording]) -> Replay {
    Replay::of(&answers.iter().collect::<Vec<_>>()).await
}

fn writes(service: &Replay) -> Vec<Sent> {
    service.sent().into_iter().filter(|sent| sent.method == "POST").collect()
}

/// Whatever is written goes out in the one form that the service cannot take for another.
fn is_well_formed(sent: &Sent, said: &Said) {
    let body = sent.json().unwrap();
    let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert!(members.iter().all(|name| ["secrets", "branch", "expectedVersions"].contains(name)), "{members:?}");
    assert_eq!(body["branch"].as_str(), Some(said.branch.as_str()));
    assert!(body["secrets"].as_object().unwrap().values().all(Value::is_string));
    assert!(body["expectedVersions"].as_object().is_none_or(|all| all.values().all(Value::is_string)));
    assert!(!sent.target.contains('?'), "{}", sent.target);
    assert_eq!(sent.header("content-type"), Some("application/json"));
}

#[test]
fn every_recording_of_this_route_is_in_one_of_the_tables() {
    let recorded = crate::recorded::replay::names().into_iter().filter(|name| {
        let recording = Recording::load(name);
        recording.method == "POST" && recording.target.split('?').next().unwrap().ends_with("/secrets")
    });
    let listed = replayed();
    assert_eq!(listed.len(), 38);
    assert_eq!(recorded.collect::<BTreeSet<_>>(), listed.into_iter().map(str::to_owned).collect());
}

/// How a write ended, whatever wrote it.
fn ended(name: &str, said: &Said, outcome: Result<Expected, XtraError>, expected: Expected) {
    let status = Recording::load(name).status;
    match (outcome, expected) {
        (Ok(outcome), expected) => assert_eq!(outcome, expected, "{name}"),
        (Err(error), Refused(kind)) => {
            assert_eq!(error.kind(), kind, "{name}: {error}");
            assert!(error.names().iter().all(|key| said.keys().contains(&key.as_str())), "{name}: {:?}", error.names());
            assert!(!error.names().is_empty(), "{name}: {error}");
            // the service stops anywhere when it fails, and says nothing of what stands by then
            assert_eq!((error.may_have_been_applied(), error.is_retryable()), (status >= 500, status == 429), "{name}");
            assert_eq!(error.retry_after().map(|wait| wait.as_secs()), (status == 429).then_some(59), "{name}");
            let shown = format!("{error} {error:?}");
            assert!(said.secrets.iter().all(|(_, value)| value.len() < 3 || !shown.contains(value)), "{name}");
            assert!(!shown.contains("encryptedData"), "{name}: {shown}");
        }
        (outcome, expected) => panic!("{name}: {outcome:?}, and not {expected:?}"),
    }
}

async fn replay(name: &str, scene: &Scene, expected: Expected) {
    let recording = Recording::load(name);
    let said = Said::by(&recording);
    let mut answers = before(scene);
    answers.push(Recording::load(name));
    match name {
        // the client looks at what is there now
        "upsert-conflict" => answers.push(look(&development_at_the_conflict())),
        // the version is the one that is expected, so the refusal was none, and the write goes out without it
        "upsert-expected-number" => answers.extend([look(scene), Recording::load("upsert-expected-ok")]),
        _ => {}
    }
    if !matches!(expected, Refused(_)) {
        // what was written is read back
        answers.push(look(&said.secrets.iter().fold(scene.clone(), |scene, (key, value)| scene.with(key, value))));
    }
    let service = serve(&answers).await;
    let outcome = said.all(&service).await.map(|report| match expected {
        Created => {
            assert_eq!(
                (report.created, report.updated.len()),
                (said.keys().into_iter().map(str::to_owned).collect(), 0)
            );
            Created
        }
        _ => {
            assert_eq!(
                (report.updated, report.created.len()),
                (said.keys().into_iter().map(str::to_owned).collect(), 0)
            );
            Updated
        }
    });
    ended(name, &said, outcome, expected);
    assert_eq!(service.sent().len(), answers.len(), "{name}: neither repeated nor left out");
    let sent = writes(&service);
    sent.iter().for_each(|sent| is_well_formed(sent, &said));
    assert_eq!(sent[0].json().unwrap(), said.body(), "{name}");
    if said.secrets.len() == 1 {
        let service = serve(&answers).await;
        let outcome =
            said.one(&service).await.map(|written| if written == Written::Created { Created } else { Updated });
        ended(name, &said, outcome, expected);
        assert_eq!(writes(&service)[0].json().unwrap(), said.body(), "{name}");
    }
}

#[tokio::test]
async fn every_recorded_write_that_the_client_sends_is_sent_as_recorded_and_comes_to_what_is_promised() {
    for (name, scene, expected) in AS_RECORDED {
        replay(name, &scene(), expected).await;
        let recording = Recording::load(name);
        let mut recorded = recording.sent.clone().unwrap();
        recorded["branch"] = recorded.get("branch").cloned().unwrap_or(json!("main"));
        assert_eq!(Said::by(&recording).body(), recorded, "{name}");
    }
}

#[tokio::test]
async fn every_recorded_answer_to_a_write_of_another_form_comes_to_what_is_promised() {
    for (name, scene, expected) in IN_ANOTHER_FORM {
        replay(name, &scene(), expected).await;
        let recording = Recording::load(name);
        let same = recording.sent.as_ref() == Some(&Said::by(&recording).body()) && recording.query.is_empty();
        assert!(!same, "{name} is sent as it was recorded");
    }
}

#[tokio::test]
async fn a_conflict_is_told_with_both_versions_before_anything_is_written_and_after() {
    let recording = Recording::load("upsert-conflict");
    let said = Said::by(&recording);
    let at_the_conflict = development_at_the_conflict();
    let late = [before(&at_the_conflict), vec![]].concat();
    let meanwhile =
        [before(&development_at_the_conflict().at_version("NEW_A", 1)), vec![recording, look(&at_the_conflict)]];
    for (answers, sent) in [(late, 0), (meanwhile.concat(), 1)] {
        let service = serve(&answers).await;
        let error = said.all(&service).await.unwrap_err();
        assert_eq!(writes(&service).len(), sent);
        let [conflict] = error.conflicts() else { panic!("{error:?}") };
        let told = (conflict.name.as_str(), conflict.expected.as_deref(), conflict.actual.as_deref());
        assert_eq!(told, ("NEW_A", Some("1"), Some("3")));
    }
}

#[tokio::test]
async fn an_expected_secret_that_is_not_there_is_a_conflict_though_the_service_would_create_it() {
    let said = Said::by(&Recording::load("upsert-expected-for-missing-key"));
    let service = serve(&before(&development())).await;
    let error = said.all(&service).await.unwrap_err();
    assert_eq!((error.kind(), error.conflicts()[0].actual.as_deref()), (Conflict, None));
    assert_eq!(writes(&service).len(), 0);
}

#[tokio::test]
async fn a_refusal_that_is_none_is_followed_by_the_write_without_a_condition() {
    let answers = [
        before(&development_at_the_conflict().at_version("NEW_A", 4)),
        vec![Recording::load("upsert-expected-number")],
        vec![look(&development_at_the_conflict().at_version("NEW_A", 4)), Recording::load("upsert-expected-ok")],
        vec![look(&development_at_the_conflict().at_version("NEW_A", 5))],
    ];
    let service = serve(&answers.concat()).await;
    Said::by(&Recording::load("upsert-expected-number")).all(&service).await.unwrap();
    let conditions: Vec<_> =
        writes(&service).iter().map(|sent| sent.json().unwrap()["expectedVersions"].clone()).collect();
    assert_eq!(conditions, [json!({"NEW_A": "4"}), Value::Null]);
}

#[tokio::test]
async fn the_same_value_again_is_not_written_when_that_is_said() {
    let said = Said::by(&Recording::load("upsert-update-same-value"));
    let service = serve(&before(&development().after("upsert-create").after("upsert-update"))).await;
    let client = service.client().project_id(said.project.as_str()).build().unwrap();
    let report = client.set_secrets("development", said.secrets).skip_unchanged().await.unwrap();
    assert_eq!((report.unchanged, writes(&service).len()), (vec!["NEW_A".to_owned()], 0));
}

#[tokio::test]
async fn a_link_that_is_written_over_is_read_back_as_it_was_written() {
    let mut answers = before(&development());
    answers.extend([Recording::load("upsert-linked"), Recording::load("upsert-linked-after")]);
    let service = serve(&answers).await;
    let client = service.client().project_id("9a46729e9f207d6627fad695").build().unwrap();
    let written = client.set_secret("development", "LINKED_TOKEN", "override").verify().await.unwrap();
    assert_eq!((written, service.sent().len()), (Written::Updated, 4));
}

#[tokio::test]
async fn what_was_recorded_and_cannot_be_right_is_refused_before_anything_is_sent() {
    let service = serve(&[]).await;
    let client = service.client().project_id("9a46729e9f207d6627fad695").build().unwrap();
    let refused = |outcome: Result<WriteReport, XtraError>| {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), Invalid, "{error}");
        error.names().to_vec()
    };

    let odd = Said::by(&Recording::load("upsert-key-odd"));
    let set = || client.set_secrets("development", odd.secrets.clone());
    assert_eq!(refused(set().await), odd.keys());
    assert_eq!(refused(set().allow_any_name().await), [""]);

    let malformed = Recording::load("upsert-project-malformed").segment(2);
    let vendors = XtraClient::builder().token("xs_test").build().unwrap();
    refused(vendors.set_secrets("development", [("A", "x")]).project_id(malformed).await);
    for name in ["branch", "__proto__", ".", ".."] {
        assert_eq!(
            refused(client.set_secrets("development", [(name, "x"), ("A", "x")]).allow_any_name().await),
            [name]
        );
    }
    assert_eq!(service.sent().len(), 0);

    // Nothing to write is nothing to send, beside the look at what is there.
    let nothing = Said::by(&Recording::load("upsert-empty-object"));
    let service = serve(&before(&development())).await;
    assert_eq!(nothing.all(&service).await.unwrap(), WriteReport::default());
    assert_eq!(writes(&service).len(), 0);
}

#[tokio::test]
async fn the_part_of_an_odd_write_that_can_be_right_is_written() {
    let mut scene = development();
    let mut answers = before(&scene);
    scene = scene.with("lower-case.key with space/slash", "x");
    // the service says that it wrote two, so the client reads what became of it
    answers.extend([Recording::load("upsert-key-odd"), look(&scene), look(&scene)]);
    let service = serve(&answers).await;
    let client = service.client().project_id("9a46729e9f207d6627fad695").build().unwrap();
    let written = client.set_secret("development", "lower-case.key with space/slash", "x").allow_any_name().await;
    assert_eq!((written.unwrap(), service.sent().len()), (Written::Created, 5));
}
