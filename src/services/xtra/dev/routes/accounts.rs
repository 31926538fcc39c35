//! `/service-account/resolve`, `/subscription/usage`, `/docs` and `/health`.

use axum::http::{StatusCode, header};

use super::answers::{Outcome, Steps, caller, fixed};
use crate::services::xtra::dev::auth::{Session, session};
use crate::services::xtra::dev::js::{Json, object};
use crate::services::xtra::dev::secret::Secret;
use crate::services::xtra::dev::seed::Tier;
use crate::services::xtra::dev::state::{Crash, Project, Workspace, World};
use crate::services::xtra::dev::wire::{Call, Reply};

pub(super) fn health(world: &mut World, _: &Call) -> Result<Reply, Crash> {
    let timestamp = world.now().iso();
    Ok(Reply::ok(&object([("status", "ok".into()), ("timestamp", timestamp.into())])))
}

/// The description of the API that the service publishes; here one that names no operation.
pub(super) fn docs(_: &mut World, _: &Call) -> Result<Reply, Crash> {
    let info = object([("title", "XtraSecurity API (dev server)".into()), ("version", "1.0.0".into())]);
    let document = object([("openapi", "3.1.0".into()), ("info", info), ("paths", object([]))]);
    let reply = Reply::ok(&document).with(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    Ok(reply.with(header::ACCESS_CONTROL_ALLOW_METHODS, "GET"))
}

/// What the caller's plan holds, and what of it is used. Requests are not counted here.
pub(super) fn usage(world: &mut World, call: &Call) -> Outcome {
    let told = |world: &World| -> Steps {
        let caller = caller(world, call)?;
        let user = caller.database_id()?;
        let (workspaces, projects, secrets, daily) = match caller.tier() {
            Tier::Free => (1, 3, 50, 1_000),
            Tier::Pro => (3, 5, 100, 10_000),
            Tier::Enterprise => (1_000, 1_000, 10_000, 100_000),
        };
        let own: Vec<&Workspace> = world.workspaces.iter().filter(|workspace| workspace.owner == user).collect();
        let is_own = |project: &&Project| own.iter().any(|workspace| workspace.id == project.workspace);
        let own_projects: Vec<&Project> = world.projects.iter().filter(is_own).collect();
        let holds = |secret: &&Secret| own_projects.iter().any(|project| project.id == secret.project);
        let used_secrets = world.secrets.iter().filter(holds).count();
        let room = if own_projects.is_empty() { 50 } else { secrets * own_projects.len() };
        let part = |used: usize, limit: usize| object([("used", Json::count(used)), ("limit", Json::count(limit))]);
        Ok(Reply::ok(&object([
            ("workspaces", part(own.len(), workspaces)),
            ("projects", part(own_projects.len(), projects * workspaces)),
            ("secrets", part(used_secrets, room)),
            ("dailyRequests", part(0, daily)),
        ])))
    };
    fixed("Internal Server Error", told(world))
}

/// Tells a service account its project.
pub(super) fn resolve(world: &mut World, call: &Call) -> Result<Reply, Crash> {
    let Some(Session::Account { id, project, permissions }) = session(world, call) else {
        return Ok(failure(StatusCode::UNAUTHORIZED, "Unauthorized", "A valid Service Account token is required."));
    };
    let (Some(account), Some(project)) = (world.account(&id), world.project(&project)) else {
        let message = "Service Account is not linked to a valid project.";
        return Ok(failure(StatusCode::NOT_FOUND, "Not Found", message));
    };
    let account = object([
        ("id", Json::from(&account.id)),
        ("name", Json::from(&account.name)),
        ("permissions", permissions.into()),
    ]);
    let project = object([
        ("id", Json::from(&project.id)),
        ("name", Json::from(&project.name)),
        ("workspaceId", Json::from(&project.workspace)),
    ]);
    Ok(Reply::ok(&object([("ok", true.into()), ("serviceAccount", account), ("project", project)])))
}

fn failure(status: StatusCode, error: &str, message: &str) -> Reply {
    Reply::json(status, &object([("error", error.into()), ("message", message.into())]))
}
