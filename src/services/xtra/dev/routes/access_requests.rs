//! `/access-requests`: requests for access as the dashboard makes them.

use axum::http::StatusCode;

use super::answers::{Outcome, Steps, Stop, bad, body, caller, detailed, fixed, forbidden, not_found, refused};
use super::projects::{Standing, standing};
use crate::services::xtra::dev::js::{Json, object};
use crate::services::xtra::dev::requests::{AccessRequest, PENDING};
use crate::services::xtra::dev::seed::Role;
use crate::services::xtra::dev::state::{Crash, World, checked_id};
use crate::services::xtra::dev::wire::{Call, Reply};

const STATUSES: [&str; 4] = ["approved", "rejected", "revoked", "expired"];

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    fixed("Internal Server Error", created(world, call))
}

fn created(world: &mut World, call: &Call) -> Steps {
    let caller = caller(world, call)?;
    let body = body(call)?;
    let duration = body.get("duration").filter(|duration| duration.is_truthy());
    let (Some(reason), Some(duration)) = (body.text_of("reason"), duration) else {
        return Err(bad("Reason and duration are required"));
    };
    let user = caller.database_id()?.to_owned();
    let (secrets, project) = match (body.text_of("secretId"), body.text_of("projectId")) {
        (Some(id), _) => {
            let secret = world.secrets.by_id(checked_id(id)?).ok_or_else(|| not_found("Secret not found"))?;
            (vec![secret.id.clone()], secret.project.clone())
        }
        (None, Some(id)) => (Vec::new(), checked_id(id)?.to_owned()),
        (None, None) => return Err(bad("Must specify secretId or projectId")),
    };
    let found = world.project(&project).ok_or_else(|| not_found("Project not found"))?;
    let workspace = found.workspace.clone();
    standing(world, &user, &workspace).ok_or_else(|| forbidden("You do not have access to this workspace"))?;
    let request = AccessRequest {
        id: world.new_id(),
        user,
        secrets,
        project: Some(project),
        reason: reason.to_owned(),
        minutes: duration.whole().ok_or(Crash)?,
        status: PENDING.to_owned(),
        approved_by: None,
        approved: None,
        expires: None,
        requested: world.now(),
        workspace: Some(workspace),
    };
    let answer = request.record();
    world.requests.push(request);
    // A 200, not a 201.
    Ok(Reply::ok(&answer.into()))
}

/// Lists the requests of a workspace or a project, the newest first: those who do not manage it see their own.
pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    fixed("Internal Server Error", listed(world, call))
}

fn listed(world: &World, call: &Call) -> Steps {
    let caller = caller(world, call)?;
    let (workspace, project) = (call.query("workspaceId"), call.query("projectId"));
    if workspace.is_none() && project.is_none() {
        return Err(bad("Workspace ID or Project ID is required"));
    }
    let user = caller.database_id()?;
    // Here the text of a 401 comes with a 403.
    let denied = || refused(StatusCode::FORBIDDEN, "Unauthorized");
    let manages = match (project, workspace) {
        (Some(project), _) => {
            world.project(checked_id(project)?).ok_or_else(|| not_found("Project not found"))?;
            caller.role(world, project)?.ok_or_else(denied)? >= Role::Admin
        }
        (None, Some(workspace)) => standing(world, user, checked_id(workspace)?).ok_or_else(denied)? >= Standing::Admin,
        (None, None) => false,
    };
    let is_wanted = |request: &&AccessRequest| {
        (manages || request.user == user)
            && project.is_none_or(|project| request.project.as_deref() == Some(project))
            && workspace.is_none_or(|workspace| request.workspace.as_deref() == Some(workspace))
            && call.query("status").is_none_or(|status| request.status == status)
    };
    let found = world.requests.iter().rev().filter(is_wanted);
    Ok(Reply::ok(&found.map(|request| shown(world, request)).collect::<Vec<_>>().into()))
}

fn shown(world: &World, request: &AccessRequest) -> Json {
    let user = world.user(&request.user).map(|user| {
        object([
            ("id", Json::from(&user.id)),
            ("name", Json::from(&user.display_name)),
            ("email", Json::from(&user.email)),
            ("image", Json::Null),
        ])
    });
    let project = request.project.as_ref().and_then(|id| world.project(id));
    let project = project.map(|found| object([("id", Json::from(&found.id)), ("name", Json::from(&found.name))]));
    let secret = request.secrets.first().and_then(|id| world.secrets.by_id(id));
    let secret = secret.map(|found| object([("id", Json::from(&found.id)), ("key", Json::from(&found.key))]));
    let mut record = request.record();
    record.set("user", user);
    record.set("project", project);
    record.set("secret", secret);
    record.into()
}

/// Decides about a request: for those who manage its project. Nothing checks where it comes from.
pub(super) fn decide(world: &mut World, call: &Call) -> Outcome {
    detailed("Internal Server Error", "details", decided(world, call))
}

fn decided(world: &mut World, call: &Call) -> Steps {
    let caller = caller(world, call)?;
    let body = body(call)?;
    let status = body.text_of("status").filter(|status| STATUSES.contains(status));
    let status = status.ok_or_else(|| bad("Invalid status"))?;
    let id = checked_id(call.param("id"))?;
    let request = world.requests.iter().find(|request| request.id == id);
    let request = request.ok_or_else(|| not_found("Request not found"))?;
    let of_secret = || request.secrets.first().and_then(|id| world.secrets.by_id(id)).map(|secret| &secret.project);
    let project = request.project.as_ref().or_else(of_secret).ok_or_else(no_project)?;
    if caller.role(world, project)?.is_none_or(|role| role < Role::Admin) {
        return Err(forbidden("Forbidden: You cannot process requests for this project"));
    }
    let now = world.now();
    let request = world.request_mut(id).ok_or(Crash)?;
    request.decide(status, &caller.user_id(), now);
    Ok(Reply::ok(&request.record().into()))
}

fn no_project() -> Stop {
    refused(StatusCode::INTERNAL_SERVER_ERROR, "Missing project context")
}
