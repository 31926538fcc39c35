//! `/service-account/resolve` and `/health`.

use axum::http::StatusCode;

use crate::dev_server::auth::{Session, session};
use crate::dev_server::js::{Json, object};
use crate::dev_server::state::{Crash, World};
use crate::dev_server::wire::{Call, Reply};

pub(super) fn health(world: &mut World, _: &Call) -> Result<Reply, Crash> {
    let timestamp = world.now().iso();
    Ok(Reply::ok(&object([("status", "ok".into()), ("timestamp", timestamp.into())])))
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
