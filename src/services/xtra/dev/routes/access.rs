//! Requests for access in both forms, `/access` and `/access-requests`, and break-glass sessions.

use futures_util::future::BoxFuture;
use hyper::http::StatusCode;

use super::Connection;
use super::answers::{
    HandlerResult, Outcome, Stop, bad, body, caller, detailed, fixed, forbidden, not_found, refused, success, uncaught,
};
use super::projects::{Standing, standing};
use crate::dev::javascript::{Json, object};
use crate::dev::{Call, HandlerPanic, Millis, Reply, routes};
use crate::services::xtra::dev::auth::{Session, session};
use crate::services::xtra::dev::database::{Database, checked_id};
use crate::services::xtra::dev::rows::{APPROVED, AccessRequest, Emergency, PENDING};
use crate::services::xtra::dev::seed::Role;
use std::time::Duration;

routes! {
    for Database;

    /// Asks for access.
    POST "/access/request" as ACCESS_REQUEST => at_once(request).guarded();
    /// Tells how a request for access stands.
    GET "/access/request" as ACCESS_STATUS => at_once(status).guarded();
    /// Lists requests for access.
    GET "/access/list" as ACCESS_LIST => at_once(list).guarded();
    /// Decides about a request for access.
    POST "/access/approve" as ACCESS_APPROVE => in_steps(decide).guarded();
    /// Lists the requests for access of a workspace or a project.
    GET "/access-requests" as ACCESS_REQUESTS_LIST => at_once(list_requests);
    /// Asks for access to a secret or a project.
    POST "/access-requests" as ACCESS_REQUESTS_CREATE => at_once(create_request);
    /// Decides about a request for access to a project.
    PATCH "/access-requests/{id}" as ACCESS_REQUESTS_UPDATE => at_once(decide_request);
    /// Begins a break-glass session.
    POST "/access/break-glass" as BREAK_GLASS_BEGIN => at_once(begin);
    /// Ends a break-glass session.
    PATCH "/access/break-glass" as BREAK_GLASS_END => at_once(end);
    /// Notes what was done in a break-glass session.
    PUT "/access/break-glass" as BREAK_GLASS_NOTE => at_once(note);
}

fn session_or_panic(database: &Database, call: &Call) -> Result<Session, HandlerPanic> {
    session(database, call).ok_or(HandlerPanic)
}

fn administers(database: &Database, user: &str, workspace: &str) -> bool {
    standing(database, user, workspace).is_some_and(|standing| standing >= Standing::Admin)
}

/// Asks for access. Any user may ask for any project.
pub(super) fn request(database: &mut Database, call: &Call) -> Outcome {
    uncaught(requested(database, call))
}

fn requested(database: &mut Database, call: &Call) -> HandlerResult {
    let body = body(call)?;
    let duration = body.get("duration").filter(|duration| duration.is_truthy());
    let (Some(reason), Some(duration)) = (body.text_of("reason"), duration) else {
        return Err(bad("Reason and duration are required"));
    };
    let mut secrets = body.texts_of("secretIds").unwrap_or_default();
    secrets.extend(body.text_of("secretId").map(str::to_owned));
    let project = body.text_of("projectId");
    if secrets.is_empty() && project.is_none() {
        return Err(bad("Must specify secretIds or projectId"));
    }
    let user = session_or_panic(database, call)?.database_id()?.to_owned();
    for id in secrets.iter().map(String::as_str).chain(project) {
        checked_id(id)?;
    }
    let request = AccessRequest {
        id: database.new_id(),
        user,
        secrets,
        project: project.map(str::to_owned),
        reason: reason.to_owned(),
        minutes: duration.whole().ok_or(HandlerPanic)?,
        status: PENDING.to_owned(),
        approved_by: None,
        approved: None,
        expires: None,
        requested: database.now(),
        workspace: body.text_of("workspaceId").map(str::to_owned),
    };
    let answer = object([
        ("success", true.into()),
        ("message", "Access request created".into()),
        ("requestId", Json::from(&request.id)),
        ("status", PENDING.into()),
    ]);
    database.requests.push(request);
    Ok(Reply::ok(&answer))
}

/// How a request stands, to anybody who has its id.
pub(super) fn status(database: &mut Database, call: &Call) -> Outcome {
    let found = |database: &Database| -> HandlerResult {
        let id = call.query("id").ok_or_else(|| bad("Request ID is required"))?;
        checked_id(id)?;
        let request = database.requests.iter().find(|request| request.id == id);
        let request = request.ok_or_else(|| not_found("Access request not found"))?;
        Ok(Reply::ok(&object([
            ("id", Json::from(&request.id)),
            ("status", Json::from(&request.status)),
            ("expiresAt", request.expires.map(Millis::iso).into()),
            ("projectId", request.project.clone().into()),
            ("secretIds", request.secrets.clone().into()),
        ])))
    };
    uncaught(found(database))
}

/// Decides about a request: for the owner and the admins of its workspace, whoever made it.
pub(super) fn decide<'a>(connection: &'a Connection, call: &'a Call) -> BoxFuture<'a, Outcome> {
    let look = |database: &Database| decision(database, call);
    Box::pin(async move { uncaught(connection.read_then_write(look, decided).await) })
}

/// The request, the decision and who decides.
type Decision = (String, String, String);

/// The request comes before the caller: who has no session learns that there is none of that id.
fn decision(database: &Database, call: &Call) -> Result<Decision, Stop> {
    let body = body(call)?;
    let (Some(id), Some(decision)) = (body.text_of("requestId"), body.text_of("decision")) else {
        return Err(bad("requestId and decision required"));
    };
    checked_id(id)?;
    let request = database.requests.iter().find(|request| request.id == id);
    let request = request.ok_or_else(|| not_found("Request not found"))?;
    let caller = session_or_panic(database, call)?;
    let user = caller.database_id()?;
    let workspace = database.workspace_of(request);
    let workspace = workspace.ok_or_else(|| bad("Invalid request (missing workspaceId)"))?;
    if !administers(database, user, workspace) {
        return Err(forbidden("Forbidden: Only workspace admins can approve requests"));
    }
    if decision == "revoked" && request.status != APPROVED {
        return Err(bad("Only approved requests can be revoked"));
    }
    if decision != "revoked" && request.status != PENDING {
        return Err(bad(&format!("Request is already {}", request.status)));
    }
    Ok((id.to_owned(), decision.to_owned(), user.to_owned()))
}

fn decided(database: &mut Database, (id, decision, user): Decision) -> HandlerResult {
    let now = database.now();
    let request = database.request_mut(&id).ok_or(HandlerPanic)?;
    request.decide(&decision, &user, now);
    Ok(Reply::ok(&object([
        ("success", true.into()),
        ("message", format!("Request {decision}").into()),
        ("status", decision.into()),
        ("expiresAt", request.expires.map(Millis::iso).into()),
    ])))
}

/// Lists requests, the newest first: the caller's own, or a workspace's by `mode`.
pub(super) fn list(database: &mut Database, call: &Call) -> Outcome {
    uncaught(listed(database, call))
}

fn listed(database: &Database, call: &Call) -> HandlerResult {
    let caller = session_or_panic(database, call)?;
    let user = caller.database_id()?;
    let workspace = call.query("workspaceId");
    let mode = call.query("mode").unwrap_or("my");
    let is_for_admins = matches!(mode, "pending" | "history");
    if is_for_admins && !workspace.is_some_and(|workspace| administers(database, user, workspace)) {
        return Err(forbidden("Forbidden"));
    }
    let is_listed = |request: &&AccessRequest| match mode {
        "pending" => request.status == PENDING,
        "history" => request.status != PENDING,
        "approved" => request.status == APPROVED,
        _ => request.user == user,
    };
    let is_here =
        |request: &&AccessRequest| workspace.is_none_or(|workspace| database.lists_request(workspace, request));
    let found = database.requests.iter().rev().filter(is_listed).filter(is_here);
    Ok(Reply::ok(&found.map(|request| shown(database, request)).collect::<Vec<_>>().into()))
}

fn shown(database: &Database, request: &AccessRequest) -> Json {
    let user = database.user(&request.user);
    let user = user.map(|user| object([("email", Json::from(&user.email)), ("name", Json::from(&user.display_name))]));
    let project = request.project.as_ref().and_then(|id| database.project(id));
    let project = project.map(|project| object([("name", Json::from(&project.name))]));
    // Only the first one, without a key once it is deleted.
    let secret = request.secrets.first().map(|id| match database.secrets.by_id(id) {
        Some(secret) => object([("id", Json::from(id)), ("key", Json::from(&secret.key))]),
        None => object([("id", Json::from(id))]),
    });
    let mut record = request.record();
    record.set("user", user);
    record.set("project", project);
    record.set("secret", secret);
    record.into()
}

const STATUSES: [&str; 4] = ["approved", "rejected", "revoked", "expired"];

pub(super) fn create_request(database: &mut Database, call: &Call) -> Outcome {
    fixed("Internal Server Error", request_created(database, call))
}

fn request_created(database: &mut Database, call: &Call) -> HandlerResult {
    let caller = caller(database, call)?;
    let body = body(call)?;
    let duration = body.get("duration").filter(|duration| duration.is_truthy());
    let (Some(reason), Some(duration)) = (body.text_of("reason"), duration) else {
        return Err(bad("Reason and duration are required"));
    };
    let user = caller.database_id()?.to_owned();
    let (secrets, project) = match (body.text_of("secretId"), body.text_of("projectId")) {
        (Some(id), _) => {
            let secret = database.secrets.by_id(checked_id(id)?).ok_or_else(|| not_found("Secret not found"))?;
            (vec![secret.id.clone()], secret.project.clone())
        }
        (None, Some(id)) => (Vec::new(), checked_id(id)?.to_owned()),
        (None, None) => return Err(bad("Must specify secretId or projectId")),
    };
    let found = database.project(&project).ok_or_else(|| not_found("Project not found"))?;
    let workspace = found.workspace.clone();
    standing(database, &user, &workspace).ok_or_else(|| forbidden("You do not have access to this workspace"))?;
    let request = AccessRequest {
        id: database.new_id(),
        user,
        secrets,
        project: Some(project),
        reason: reason.to_owned(),
        minutes: duration.whole().ok_or(HandlerPanic)?,
        status: PENDING.to_owned(),
        approved_by: None,
        approved: None,
        expires: None,
        requested: database.now(),
        workspace: Some(workspace),
    };
    let answer = request.record();
    database.requests.push(request);
    // A 200, not a 201.
    Ok(Reply::ok(&answer.into()))
}

/// Lists the requests of a workspace or a project, the newest first: those who do not manage it see their own.
pub(super) fn list_requests(database: &mut Database, call: &Call) -> Outcome {
    fixed("Internal Server Error", requests_listed(database, call))
}

fn requests_listed(database: &Database, call: &Call) -> HandlerResult {
    let caller = caller(database, call)?;
    let (workspace, project) = (call.query("workspaceId"), call.query("projectId"));
    if workspace.is_none() && project.is_none() {
        return Err(bad("Workspace ID or Project ID is required"));
    }
    let user = caller.database_id()?;
    // Here the text of a 401 comes with a 403.
    let denied = || refused(StatusCode::FORBIDDEN, "Unauthorized");
    let manages = match (project, workspace) {
        (Some(project), _) => {
            database.project(checked_id(project)?).ok_or_else(|| not_found("Project not found"))?;
            caller.role(database, project)?.ok_or_else(denied)? >= Role::Admin
        }
        (None, Some(workspace)) => {
            standing(database, user, checked_id(workspace)?).ok_or_else(denied)? >= Standing::Admin
        }
        (None, None) => false,
    };
    let is_wanted = |request: &&AccessRequest| {
        (manages || request.user == user)
            && project.is_none_or(|project| request.project.as_deref() == Some(project))
            && workspace.is_none_or(|workspace| request.workspace.as_deref() == Some(workspace))
            && call.query("status").is_none_or(|status| request.status == status)
    };
    let found = database.requests.iter().rev().filter(is_wanted);
    Ok(Reply::ok(&found.map(|request| request_shown(database, request)).collect::<Vec<_>>().into()))
}

fn request_shown(database: &Database, request: &AccessRequest) -> Json {
    let user = database.user(&request.user).map(|user| {
        object([
            ("id", Json::from(&user.id)),
            ("name", Json::from(&user.display_name)),
            ("email", Json::from(&user.email)),
            ("image", Json::Null),
        ])
    });
    let project = request.project.as_ref().and_then(|id| database.project(id));
    let project = project.map(|found| object([("id", Json::from(&found.id)), ("name", Json::from(&found.name))]));
    let secret = request.secrets.first().and_then(|id| database.secrets.by_id(id));
    let secret = secret.map(|found| object([("id", Json::from(&found.id)), ("key", Json::from(&found.key))]));
    let mut record = request.record();
    record.set("user", user);
    record.set("project", project);
    record.set("secret", secret);
    record.into()
}

/// Decides about a request: for those who manage its project. Nothing checks where it comes from.
pub(super) fn decide_request(database: &mut Database, call: &Call) -> Outcome {
    detailed("Internal Server Error", "details", request_decided(database, call))
}

fn request_decided(database: &mut Database, call: &Call) -> HandlerResult {
    let caller = caller(database, call)?;
    let body = body(call)?;
    let status = body.text_of("status").filter(|status| STATUSES.contains(status));
    let status = status.ok_or_else(|| bad("Invalid status"))?;
    let id = checked_id(call.param("id"))?;
    let request = database.requests.iter().find(|request| request.id == id);
    let request = request.ok_or_else(|| not_found("Request not found"))?;
    let of_secret = || request.secrets.first().and_then(|id| database.secrets.by_id(id)).map(|secret| &secret.project);
    let project = request.project.as_ref().or_else(of_secret).ok_or_else(no_project)?;
    if caller.role(database, project)?.is_none_or(|role| role < Role::Admin) {
        return Err(forbidden("Forbidden: You cannot process requests for this project"));
    }
    let now = database.now();
    let request = database.request_mut(id).ok_or(HandlerPanic)?;
    request.decide(status, &caller.user_id(), now);
    Ok(Reply::ok(&request.record().into()))
}

fn no_project() -> Stop {
    refused(StatusCode::INTERNAL_SERVER_ERROR, "Missing project context")
}

const LASTS: Duration = Duration::from_secs(15 * 60);

fn failed(steps: HandlerResult) -> Outcome {
    detailed("Internal Server Error", "details", steps)
}

pub(super) fn begin(database: &mut Database, call: &Call) -> Outcome {
    failed(begun(database, call))
}

fn begun(database: &mut Database, call: &Call) -> HandlerResult {
    let caller = caller(database, call)?;
    let body = body(call)?;
    let (Some(project), Some(reason)) = (body.text_of("projectId"), body.text_of("reason")) else {
        return Err(bad("Missing required fields: projectId, reason"));
    };
    if caller.role(database, checked_id(project)?)?.is_none_or(|role| role < Role::Admin) {
        return Err(forbidden("Forbidden: Only admins or owners can activate break glass."));
    }
    let user = caller.user_id();
    if let Some(running) = database.emergency(&user, project) {
        let message = "Active Break Glass session already exists";
        return Ok(Reply::ok(&object([("message", message.into()), ("session", record(running))])));
    }
    let now = database.now();
    let id = database.new_id();
    let emergency = Emergency {
        incident: body.text_of("incidentId").map_or_else(|| format!("INC-{id}"), str::to_owned),
        id,
        user,
        project: project.to_owned(),
        reason: reason.to_owned(),
        started: now,
        expires: now.plus(LASTS),
        ended: None,
    };
    let expires = emergency.expires.iso();
    database.emergencies.push(emergency);
    let message = "Break Glass session started.";
    Ok(Reply::ok(&object([("success", true.into()), ("message", message.into()), ("expiresAt", expires.into())])))
}

fn record(emergency: &Emergency) -> Json {
    object([
        ("id", Json::from(&emergency.id)),
        ("userId", Json::from(&emergency.user)),
        ("projectId", Json::from(&emergency.project)),
        ("incidentId", Json::from(&emergency.incident)),
        ("reason", Json::from(&emergency.reason)),
        ("startedAt", emergency.started.iso().into()),
        ("expiresAt", emergency.expires.iso().into()),
        ("endedAt", emergency.ended.map(Millis::iso).into()),
        ("isActive", emergency.ended.is_none().into()),
    ])
}

/// Ends the caller's session, whether or not there is one.
pub(super) fn end(database: &mut Database, call: &Call) -> Outcome {
    let ended = |database: &mut Database| -> HandlerResult {
        let caller = caller(database, call)?;
        let body = body(call)?;
        let (user, now) = (caller.user_id(), database.now());
        let project = body.text_of("projectId").unwrap_or_default();
        let own = database.emergencies.iter_mut().filter(|known| known.user == user && known.project == project);
        for emergency in own.filter(|known| known.ended.is_none()) {
            emergency.ended = Some(now);
        }
        let message = "Break Glass session ended.";
        Ok(Reply::ok(&object([("success", true.into()), ("message", message.into())])))
    };
    failed(ended(database))
}

/// Notes what was done in a session. The notes cannot be read.
pub(super) fn note(database: &mut Database, call: &Call) -> Outcome {
    let noted = |database: &Database| -> HandlerResult {
        let caller = caller(database, call)?;
        let body = body(call)?;
        let project = body.text_of("projectId").unwrap_or_default();
        let running = database.emergency(&caller.user_id(), project);
        running.ok_or_else(|| forbidden("No active Break Glass session found"))?;
        Ok(success())
    };
    failed(noted(database))
}
