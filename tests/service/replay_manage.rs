//! The replay of every recording of a route of management to the method that sends that request: it comes to what is
//! promised.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::time::Duration;

use crate::recorded::replay::{Recording, Replay, is_same_target, names};
use serde_json::{Value, json};
use xtrasecurity::xtra::manage::{
    AccessRequest, AccessStatus, Branch, Caller, Decision, JitLink, NewKey, Project, ServiceAccount, ServiceAccountKey,
};
use xtrasecurity::{ErrorKind, XtraClient, XtraError, clock::Timestamp};

/// What the recordings are called that this is about.
const STARTS: [&str; 7] = ["access-", "branch-", "jit-", "project-", "redis-sa-", "sa-", "user-"];

/// Recordings whose request no method of management sends.
const NOT_REPLAYED: [(&str, &str); 27] = [
    ("access-request-create", "access is asked for by the command's route, which takes several secrets"),
    ("access-request-create-missing", "access is asked for by the command's route, which takes several secrets"),
    ("access-request-create-outsider", "access is asked for by the command's route, which takes several secrets"),
    ("access-request-create-secret", "access is asked for by the command's route, which takes several secrets"),
    ("access-request-invalid-status", "only the known decisions are sent"),
    ("access-request-list", "requests are listed by the command's route, which has modes"),
    ("access-request-list-missing", "requests are listed by the command's route, which has modes"),
    ("access-request-list-outsider", "requests are listed by the command's route, which has modes"),
    ("access-request-list-viewer", "requests are listed by the command's route, which has modes"),
    ("branch-clear-route", "a branch is cleared by the other route, which is open to more callers"),
    ("branch-clear-route-no-token", "a branch is cleared by the other route, which is open to more callers"),
    ("branch-clear-route-viewer", "a branch is cleared by the other route, which is open to more callers"),
    ("branch-create-malformed-project", "the id is checked before it is sent"),
    ("branch-create-non-json", "JSON is sent"),
    ("branch-delete-no-id", "an id is always sent"),
    ("branch-delete-with-secrets-main-after", "a read"),
    ("jit-claim-missing", "a token is always sent"),
    ("jit-generate-missing", "a project is always sent"),
    ("jit-generate-no-duration", "a duration is always sent"),
    ("jit-outsider-secrets-after", "a read"),
    ("project-create-no-name", "a name is always sent"),
    ("project-create-no-workspace", "a workspace is always sent"),
    ("project-list-workspace-malformed", "the id is checked before it is sent"),
    ("redis-sa-key-use-after-delete", "a read"),
    ("sa-create-no-name", "a name is always sent"),
    ("sa-key-create-no-body", "a body is always sent"),
    ("sa-resolve-post", "no such method on the route"),
];

/// Requests that differ from the recorded one.
const NOT_AS_RECORDED: [(&str, &str); 2] =
    [("branch-update", "a new name is sent instead of a version"), ("branch-update-viewer", "a new name is sent too")];

type Called<'a> = Pin<Box<dyn Future<Output = Result<Value, XtraError>> + 'a>>;
type Call = for<'a> fn(&'a XtraClient, &'a Recording) -> Called<'a>;

/// A method, what the service answers before it comes to the recorded request, and the recordings.
struct Row {
    before: fn(&Recording) -> Vec<Recording>,
    call: Call,
    recordings: &'static [&'static str],
}

/// `rows(before, call(client, recording), shown as): names`
macro_rules! row {
    ($before:expr, |$client:ident, $recording:ident| $request:expr => $show:expr, $($name:literal),+) => {
        Row {
            before: $before,
            call: |$client, $recording| {
                let _ = $recording;
                Box::pin(async move { $request.await.map($show) })
            },
            recordings: &[$($name),+],
        }
    };
}

fn at_once(_: &Recording) -> Vec<Recording> {
    Vec::new()
}

fn rows() -> Vec<Row> {
    let mut rows = branches();
    rows.extend(projects());
    rows.extend(accounts());
    rows.extend(access());
    rows
}

fn branches() -> Vec<Row> {
    vec![
        row!(at_once, |client, r| client.list_branches() => list(branch), "branch-list", "branch-list-viewer"),
        row!(
            at_once,
            |client, r| {
                let request = client.create_branch(sent(r, "name")).project_id(sent(r, "projectId"));
                match r.sent.as_ref().and_then(|body| body["description"].as_str()) {
                    Some(text) => request.description(text),
                    None => request,
                }
            } => branch,
            "branch-create", "branch-create-duplicate", "branch-create-no-token", "branch-create-unknown-project",
            "branch-create-viewer"
        ),
        row!(
            |r| vec![branch_list(&sent(r, "id"), 3)],
            |client, r| client.rename_branch("old", "release/1.0").description(sent(r, "description")) => branch,
            "branch-update", "branch-update-viewer"
        ),
        row!(
            |r| vec![branch_list(&r.segment(2), 3)],
            // what comes after the refusal is not answered
            |client, r| client.delete_branch("old") => done,
            "branch-delete-route-outsider"
        ),
        row!(
            |r| {
                let id = r.query("branchId").unwrap();
                vec![branch_list(id, 3), Recording::load("branch-delete-route-outsider")]
            },
            |client, r| client.delete_branch("old") => done,
            "branch-clear-operation"
        ),
        row!(
            |r| {
                let id = r.query("id").unwrap();
                let refused = Recording::load("branch-delete-route-outsider");
                vec![branch_list(id, 3), refused, Recording::load("branch-clear-operation"), branch_list(id, 0)]
            },
            |client, r| client.delete_branch("old") => done,
            "branch-delete", "branch-delete-again", "branch-delete-main"
        ),
    ]
}

/// The recorded list, with one more branch that is called `old`.
fn branch_list(id: &str, secrets: usize) -> Recording {
    let mut list = Recording::load("branch-list");
    let mut branches = list.json().unwrap();
    let mut old = branches[0].clone();
    old["id"] = json!(id);
    old["name"] = json!("old");
    old["secrets"] = Value::Array(vec![old["secrets"][0].clone(); secrets]);
    branches.as_array_mut().unwrap().push(old);
    list.body = branches.to_string();
    list
}

fn projects() -> Vec<Row> {
    vec![
        row!(
            at_once,
            |client, r| match r.query("workspaceId") {
                Some(id) => client.list_projects().workspace_id(id),
                None => client.list_projects(),
            } => list(project),
            "project-list", "project-list-expired-key", "project-list-garbage-token", "project-list-no-token",
            "project-list-outsider", "project-list-sa", "project-list-workspace-unknown"
        ),
        row!(
            at_once,
            |client, r| client.get_project().project_id(r.query("id").unwrap()) => project,
            "project-get", "project-get-developer", "project-get-sa"
        ),
        row!(
            at_once,
            |client, r| client.create_project(sent(r, "name"), sent(r, "workspaceId")).description(sent(r, "description"))
                => project,
            "project-create", "project-create-no-token", "project-create-sa", "project-create-unknown-workspace",
            "project-create-viewer"
        ),
        row!(
            at_once,
            |client, r| {
                let request = client.update_project().project_id(r.query("id").unwrap());
                request.name(sent(r, "name")).description(sent(r, "description"))
            } => project,
            "project-update"
        ),
        row!(
            // neither service accounts nor webhooks
            |_| vec![Recording::load("project-list-outsider"), Recording::load("project-list-outsider")],
            |client, r| client.delete_project(r.query("id").unwrap()) => done,
            "project-delete", "project-delete-unknown", "project-delete-viewer", "project-delete-with-service-accounts"
        ),
    ]
}

fn accounts() -> Vec<Row> {
    vec![
        row!(
            // so it answers on the users' route
            |_| vec![Recording::load("project-delete-unknown")],
            |client, r| client.whoami() => caller,
            "sa-resolve"
        ),
        row!(
            at_once,
            |client, r| client.list_service_accounts().project_id(r.segment(2)) => list(account),
            "sa-list-no-token", "sa-list-outsider", "sa-list-sa", "sa-list-viewer"
        ),
        row!(
            at_once,
            |client, r| {
                let request = client.create_service_account(sent(r, "name")).project_id(r.segment(2));
                let request = request.permissions(texts(r, "permissions"));
                match r.sent.as_ref().and_then(|body| body["description"].as_str()) {
                    Some(text) => request.description(text),
                    None => request,
                }
            } => account,
            "sa-create", "sa-create-outsider", "sa-create-viewer"
        ),
        row!(
            at_once,
            |client, r| {
                let request = client.update_service_account(r.segment(4)).project_id(r.segment(2)).name(sent(r, "name"));
                let permissions = texts(r, "permissions");
                if permissions.is_empty() { request } else { request.permissions(permissions) }
            } => account,
            "sa-update", "sa-update-unknown"
        ),
        row!(
            at_once,
            |client, r| client.delete_service_account(r.segment(4)).project_id(r.segment(2)) => done,
            "sa-delete", "sa-delete-again"
        ),
        row!(
            at_once,
            |client, r| client.list_service_account_keys(r.segment(4)).project_id(r.segment(2)) => list(key),
            "sa-key-list", "sa-key-list-outsider"
        ),
        row!(
            at_once,
            |client, r| {
                let body = r.sent.clone().unwrap();
                let mut request = client.create_service_account_key(r.segment(4)).project_id(r.segment(2));
                if let Some(label) = body["label"].as_str() {
                    request = request.label(label);
                }
                if let Some(days) = body["expiresInDays"].as_u64() {
                    request = request.expires_in(Duration::from_secs(days * 86_400));
                }
                request
            } => new_key,
            "redis-sa-key-create", "sa-key-create", "sa-key-create-no-expiry"
        ),
        row!(
            at_once,
            |client, r| client.delete_service_account_key(r.segment(4), r.segment(6)).project_id(r.segment(2)) => done,
            "redis-sa-key-delete", "sa-key-delete", "sa-key-delete-again"
        ),
    ]
}

fn access() -> Vec<Row> {
    vec![
        row!(
            |_| vec![Recording::load("jit-generate-viewer"), Recording::load("access-request-create")],
            |client, r| client.decide_access_request(r.segment(2), Decision::Approve) => request,
            "access-request-approve", "access-request-approve-viewer", "access-request-unknown"
        ),
        row!(
            at_once,
            |client, r| {
                let body = r.sent.clone().unwrap();
                let time = Duration::from_secs(60 * body["duration"].as_u64().unwrap());
                let mut request = client.create_jit_link(time).project_id(sent(r, "projectId"));
                if let Some(name) = body["environment"].as_str() {
                    request = request.environment(name.to_owned()).label(sent(r, "label"));
                }
                request
            } => link,
            "jit-generate", "jit-generate-free", "jit-generate-viewer"
        ),
        row!(
            at_once,
            |client, r| client.claim_jit_link(sent(r, "token")) => claimed,
            "jit-claim", "jit-claim-again", "jit-claim-unknown"
        ),
        row!(
            at_once,
            |client, r| client.get_jit_link(r.segment(2)) => |_| unreachable!("no such success was recorded"),
            "jit-info-exhausted", "jit-info-no-token", "jit-info-unknown"
        ),
    ]
}

fn sent(recording: &Recording, member: &str) -> String {
    recording.sent.as_ref().unwrap()[member].as_str().unwrap().to_owned()
}

fn texts(recording: &Recording, member: &str) -> Vec<String> {
    let body = recording.sent.as_ref().unwrap();
    body[member].as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

// What the methods gave, under the names that the service has for it.

fn list<T>(show: fn(T) -> Value) -> impl Fn(Vec<T>) -> Value {
    move |items| items.into_iter().map(show).collect()
}

fn done((): ()) -> Value {
    json!({})
}

/// As the service writes it.
fn text(moment: Option<Timestamp>) -> Option<String> {
    moment.map(|moment| format!("{moment:.3}"))
}

fn branch(branch: Branch) -> Value {
    let mut shown = json!({
        "id": branch.id, "name": branch.name, "description": branch.description, "versionNo": branch.version,
        "projectId": branch.project_id, "createdBy": branch.created_by, "createdAt": text(branch.created_at),
    });
    // only lists have these
    if let Some(count) = branch.secret_count {
        shown["secrets"] = json!(count);
        shown["user"] = json!({ "name": branch.creator_name, "email": branch.creator_email });
    }
    shown
}

fn project(project: Project) -> Value {
    let mut shown = json!({ "id": project.id, "name": project.name, "workspaceId": project.workspace_id });
    // a service account is told no more
    if project.owner.is_some() {
        shown["description"] = json!(project.description);
        shown["status"] = json!(project.status);
        shown["userId"] = json!(project.owner);
        shown["isBlocked"] = json!(project.is_blocked);
        shown["twoFactorRequired"] = json!(project.two_factor_required);
        shown["createdAt"] = json!(text(project.created_at));
        shown["updatedAt"] = json!(text(project.updated_at));
        shown["currentUserRole"] = json!(project.role);
    }
    shown
}

fn caller(caller: Caller) -> Value {
    match caller {
        Caller::ServiceAccount { id, name, permissions, project_id, .. } => json!({
            "serviceAccount": { "id": id, "name": name, "permissions": permissions }, "project": { "id": project_id },
        }),
        other => panic!("{other:?}"),
    }
}

fn account(account: ServiceAccount) -> Value {
    json!({
        "id": account.id, "name": account.name, "description": account.description, "projectId": account.project_id,
        "permissions": account.permissions, "createdBy": account.created_by, "createdAt": text(account.created_at),
        "updatedAt": text(account.updated_at), "_count": account.key_count.map(|keys| json!({ "apiKeys": keys })),
    })
}

fn key(key: ServiceAccountKey) -> Value {
    json!({
        "id": key.id, "label": key.label, "keyMask": key.mask, "lastUsed": text(key.last_used_at), "expiresAt": text(key.expires_at),
        "createdAt": text(key.created_at),
    })
}

fn new_key(new: NewKey) -> Value {
    let key = new.key.expose();
    json!({ "id": new.id, "key": key, "mask": new.mask, "label": new.label, "expiresAt": text(new.expires_at) })
}

fn request(request: AccessRequest) -> Value {
    // what was approved when it was recorded has run out since
    let status = match request.status {
        AccessStatus::Expired => "approved".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    };
    json!({
        "id": request.id, "status": status, "projectId": request.project_id,
        "secretIds": request.secrets, "reason": request.reason, "userId": request.requested_by,
        "duration": request.duration.map(|time| time.as_secs() / 60), "requestedAt": text(request.requested_at),
        "approvedBy": request.decided_by, "approvedAt": text(request.decided_at), "expiresAt": text(request.expires_at),
        "workspaceId": request.workspace_id,
    })
}

fn claimed(request: AccessRequest) -> Value {
    json!({
        "requestId": request.id, "status": format!("{:?}", request.status).to_lowercase(),
        "duration": request.duration.map(|time| time.as_secs() / 60),
    })
}

fn link(link: JitLink) -> Value {
    json!({
        "token": link.token.expose(), "url": link.url.as_ref().map(|url| url.expose()),
        "cliCommand": link.command.as_ref().map(|command| command.expose()), "expiresAt": text(link.expires_at),
        "duration": link.duration.map(|time| time.as_secs() / 60), "accessLevel": link.access_level,
    })
}

/// Fails unless everything that was given is what was recorded. Nothing given stands for nothing recorded, and a number for
/// as many.
#[track_caller]
fn is_recorded(name: &str, given: &Value, recorded: &Value) {
    match (given, recorded) {
        (Value::Object(given), _) => {
            for (member, given) in given {
                is_recorded(&format!("{name}.{member}"), given, &recorded[member]);
            }
        }
        (Value::Array(given), Value::Array(recorded)) if given.len() == recorded.len() => {
            given.iter().zip(recorded).for_each(|(given, recorded)| is_recorded(name, given, recorded));
        }
        (Value::Number(count), Value::Array(recorded)) => {
            assert_eq!(count.as_u64(), Some(recorded.len() as u64), "{name}")
        }
        (given, recorded) => assert_eq!(given, recorded, "{name}"),
    }
}

fn kind_of(recording: &Recording) -> ErrorKind {
    match recording.status {
        400 => ErrorKind::Invalid,
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        500 => ErrorKind::Server,
        status => panic!("{}: {status} was not recorded before", recording.name),
    }
}

/// Whether two bodies say the same: 30 and 30.0 are one number to the service.
fn is_same_json(one: Option<Value>, other: Option<Value>) -> bool {
    let plain = |body: Option<Value>| {
        let mut body = body?;
        for member in body.as_object_mut()?.values_mut().filter(|member| member.is_number()) {
            *member = json!(member.as_f64());
        }
        Some(body)
    };
    plain(one) == plain(other)
}

/// What was replayed: a success or not, and whether the request was as recorded.
struct Replayed {
    name: &'static str,
    succeeded: bool,
    as_recorded: bool,
}

async fn replay(row: &Row, name: &'static str) -> Replayed {
    let recording = Recording::load(name);
    let before = (row.before)(&recording);
    let place = before.len();
    let mut answers: Vec<&Recording> = before.iter().collect();
    answers.push(&recording);
    // The project of a service account is asked for in another way, when the first has failed.
    let resolved = Recording::load("sa-resolve");
    if name == "project-get-sa" {
        answers.push(&resolved);
    }
    // Clearing is not the end of a deletion.
    let emptied = branch_list(recording.query("branchId").unwrap_or("none"), 0);
    let detached = Recording::load("branch-delete");
    if name == "branch-clear-operation" {
        answers.extend([&emptied, &detached]);
    }
    let refused = Recording::load("branch-clear-route-viewer");
    if name == "branch-delete-route-outsider" {
        answers.push(&refused);
    }
    let service = Replay::of(&answers).await;
    let client = service.client().project_id("9a46729e9f207d6627fad695").build().unwrap();
    let client = match recording.query("projectId") {
        Some(project) => service.client().project_id(project).build().unwrap(),
        None => client,
    };
    let outcome = (row.call)(&client, &recording).await;
    let requests = service.sent();
    assert_eq!(requests.len(), answers.len(), "{name}: {requests:?}");
    let sent = &requests[place];
    assert_eq!(sent.method, recording.method, "{name}");
    let target = recording.target.replace("<token>", "%3Ctoken%3E");
    let succeeded = outcome.is_ok();
    match (name, outcome) {
        ("project-get-sa", Ok(given)) => {
            is_recorded(name, &given, &resolved.json().unwrap()["project"]);
        }
        ("branch-delete-route-outsider", Err(error)) => assert_eq!(error.status(), Some(401)),
        (_, Ok(given)) => {
            assert!(recording.status < 300, "{name}");
            is_recorded(name, &given, &recording.json().unwrap());
        }
        (_, Err(error)) => {
            assert_eq!(
                (error.kind(), error.status()),
                (kind_of(&recording), Some(recording.status)),
                "{name}: {error}"
            );
            assert_eq!(error.attempts(), 1, "{name}");
            // these come after the branch's secrets were deleted
            let is_part_done = ["branch-delete-again", "branch-delete-main"].contains(&name);
            let is_open = is_part_done || (recording.status == 500 && recording.method != "GET");
            assert_eq!(error.may_have_been_applied(), is_open, "{name}: {error}");
        }
    }
    let as_recorded = is_same_target(&sent.target, &target) && is_same_json(sent.json(), recording.sent.clone());
    Replayed { name, succeeded, as_recorded }
}

#[test]
fn every_recording_of_management_is_replayed_or_listed_with_the_reason() {
    let mut listed: Vec<&str> = rows().iter().flat_map(|row| row.recordings).copied().collect();
    listed.extend(NOT_REPLAYED.map(|(name, _)| name));
    assert_eq!(listed.len(), listed.iter().collect::<BTreeSet<_>>().len(), "a recording is listed twice");
    let recorded: BTreeSet<String> =
        names().into_iter().filter(|name| STARTS.iter().any(|start| name.starts_with(start))).collect();
    assert_eq!(recorded, listed.into_iter().map(str::to_owned).collect());
}

#[tokio::test]
async fn every_recorded_answer_comes_to_what_is_promised() {
    let mut replayed = Vec::new();
    for row in rows() {
        for name in row.recordings {
            replayed.push(replay(&row, name).await);
        }
    }
    let succeeded = replayed.iter().filter(|replayed| replayed.succeeded).count();
    let refused = replayed.len() - succeeded;
    println!("{succeeded} successes and {refused} refusals replayed, {} recordings not", NOT_REPLAYED.len());
    assert_eq!((succeeded, refused), (31, 35));
    let others: BTreeSet<&str> =
        replayed.iter().filter(|replayed| !replayed.as_recorded).map(|replayed| replayed.name).collect();
    assert_eq!(others, NOT_AS_RECORDED.iter().map(|(name, _)| *name).collect());
}

#[tokio::test]
async fn a_recorded_list_of_branches_leaves_no_secret_behind() {
    let recording = Recording::load("branch-list");
    let service = Replay::of(&[&recording]).await;
    let client = service.client().project_id(recording.query("projectId").unwrap()).build().unwrap();
    let shown = format!("{:?}", client.list_branches().await.unwrap());
    assert!(recording.body.contains("shared-from-other"), "the recording holds a value");
    assert!(!shown.contains("shared-from-other") && !shown.contains("SHARED_TOKEN"), "{shown}");
}

#[tokio::test]
async fn what_was_recorded_of_malformed_ids_is_refused_before_it_is_sent() {
    let service = Replay::of(&[]).await;
    let client = service.client().build().unwrap();
    // The form of a project's id is known of the vendor's own host alone.
    let vendors = XtraClient::builder().token("xs_test").build().unwrap();
    let outcomes = [
        vendors.create_branch("x").project_id("nope").await.map(drop),
        client.list_projects().workspace_id("nope").await.map(drop),
    ];
    for outcome in outcomes {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert!(service.sent().is_empty());
}
