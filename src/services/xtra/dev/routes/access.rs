//! `/access/request`, `/access/list` and `/access/approve`: requests for access as the command line makes them. These
//! handlers check no session: without one they crash.

use super::answers::{Outcome, Steps, Stop, bad, body, forbidden, not_found, uncaught};
use super::projects::{Standing, standing};
use crate::services::xtra::dev::auth::{Session, session};
use crate::services::xtra::dev::clock::Moment;
use crate::services::xtra::dev::database::{Answering, Database};
use crate::services::xtra::dev::js::{Json, object};
use crate::services::xtra::dev::requests::{APPROVED, AccessRequest, PENDING};
use crate::services::xtra::dev::state::{Crash, World, checked_id};
use crate::services::xtra::dev::wire::{Call, Reply};

fn caller(world: &World, call: &Call) -> Result<Session, Crash> {
    session(world, call).ok_or(Crash)
}

fn administers(world: &World, user: &str, workspace: &str) -> bool {
    standing(world, user, workspace).is_some_and(|standing| standing >= Standing::Admin)
}

/// Asks for access. Any user may ask for any project.
pub(super) fn request(world: &mut World, call: &Call) -> Outcome {
    uncaught(requested(world, call))
}

fn requested(world: &mut World, call: &Call) -> Steps {
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
    let user = caller(world, call)?.database_id()?.to_owned();
    for id in secrets.iter().map(String::as_str).chain(project) {
        checked_id(id)?;
    }
    let request = AccessRequest {
        id: world.new_id(),
        user,
        secrets,
        project: project.map(str::to_owned),
        reason: reason.to_owned(),
        minutes: duration.whole().ok_or(Crash)?,
        status: PENDING.to_owned(),
        approved_by: None,
        approved: None,
        expires: None,
        requested: world.now(),
        workspace: body.text_of("workspaceId").map(str::to_owned),
    };
    let answer = object([
        ("success", true.into()),
        ("message", "Access request created".into()),
        ("requestId", Json::from(&request.id)),
        ("status", PENDING.into()),
    ]);
    world.requests.push(request);
    Ok(Reply::ok(&answer))
}

/// How a request stands, to anybody who has its id.
pub(super) fn status(world: &mut World, call: &Call) -> Outcome {
    let found = |world: &World| -> Steps {
        let id = call.query("id").ok_or_else(|| bad("Request ID is required"))?;
        checked_id(id)?;
        let request = world.requests.iter().find(|request| request.id == id);
        let request = request.ok_or_else(|| not_found("Access request not found"))?;
        Ok(Reply::ok(&object([
            ("id", Json::from(&request.id)),
            ("status", Json::from(&request.status)),
            ("expiresAt", request.expires.map(Moment::iso).into()),
            ("projectId", request.project.clone().into()),
            ("secretIds", request.secrets.clone().into()),
        ])))
    };
    uncaught(found(world))
}

/// Decides about a request: for the owner and the admins of its workspace, whoever made it.
pub(super) fn decide<'a>(database: &'a Database, call: &'a Call) -> Answering<'a, Outcome> {
    let look = |world: &World| decision(world, call);
    Box::pin(async move { uncaught(database.look_and_change(look, decided).await) })
}

/// The request, the decision and who decides.
type Decision = (String, String, String);

/// The request comes before the caller: who has no session learns that there is none of that id.
fn decision(world: &World, call: &Call) -> Result<Decision, Stop> {
    let body = body(call)?;
    let (Some(id), Some(decision)) = (body.text_of("requestId"), body.text_of("decision")) else {
        return Err(bad("requestId and decision required"));
    };
    checked_id(id)?;
    let request = world.requests.iter().find(|request| request.id == id);
    let request = request.ok_or_else(|| not_found("Request not found"))?;
    let caller = caller(world, call)?;
    let user = caller.database_id()?;
    let workspace = request.workspace_in(world);
    let workspace = workspace.ok_or_else(|| bad("Invalid request (missing workspaceId)"))?;
    if !administers(world, user, workspace) {
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

fn decided(world: &mut World, (id, decision, user): Decision) -> Steps {
    let now = world.now();
    let request = world.request_mut(&id).ok_or(Crash)?;
    request.decide(&decision, &user, now);
    Ok(Reply::ok(&object([
        ("success", true.into()),
        ("message", format!("Request {decision}").into()),
        ("status", decision.into()),
        ("expiresAt", request.expires.map(Moment::iso).into()),
    ])))
}

/// Lists requests, the newest first: the caller's own, or a workspace's by `mode`.
pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    uncaught(listed(world, call))
}

fn listed(world: &World, call: &Call) -> Steps {
    let caller = caller(world, call)?;
    let user = caller.database_id()?;
    let workspace = call.query("workspaceId");
    let mode = call.query("mode").unwrap_or("my");
    let is_for_admins = matches!(mode, "pending" | "history");
    if is_for_admins && !workspace.is_some_and(|workspace| administers(world, user, workspace)) {
        return Err(forbidden("Forbidden"));
    }
    let is_listed = |request: &&AccessRequest| match mode {
        "pending" => request.status == PENDING,
        "history" => request.status != PENDING,
        "approved" => request.status == APPROVED,
        _ => request.user == user,
    };
    let is_here = |request: &&AccessRequest| workspace.is_none_or(|workspace| request.is_listed_in(world, workspace));
    let found = world.requests.iter().rev().filter(is_listed).filter(is_here);
    Ok(Reply::ok(&found.map(|request| shown(world, request)).collect::<Vec<_>>().into()))
}

fn shown(world: &World, request: &AccessRequest) -> Json {
    let user = world.user(&request.user);
    let user = user.map(|user| object([("email", Json::from(&user.email)), ("name", Json::from(&user.display_name))]));
    let project = request.project.as_ref().and_then(|id| world.project(id));
    let project = project.map(|project| object([("name", Json::from(&project.name))]));
    // Only the first one, without a key once it is deleted.
    let secret = request.secrets.first().map(|id| match world.secrets.by_id(id) {
        Some(secret) => object([("id", Json::from(id)), ("key", Json::from(&secret.key))]),
        None => object([("id", Json::from(id))]),
    });
    let mut record = request.record();
    record.set("user", user);
    record.set("project", project);
    record.set("secret", secret);
    record.into()
}
