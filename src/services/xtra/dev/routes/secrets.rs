//! `GET /projects/{projectId}/envs/{env}/secrets`: all values of an environment.

use axum::http::{HeaderName, StatusCode};

use crate::services::xtra::dev::auth::{Session, session};
use crate::services::xtra::dev::js::{Json, Members, object};
use crate::services::xtra::dev::secret::Secret;
use crate::services::xtra::dev::seed::Role;
use crate::services::xtra::dev::state::{Crash, MAIN, World, checked_id};
use crate::services::xtra::dev::wire::{Call, Reply};

const MASK: &str = "***";

/// How a caller may read.
pub(super) enum Access {
    /// `masked` for viewers, and for those who have no role but an approved request.
    Granted {
        masked: bool,
    },
    NeedsElevation,
    Denied,
}

pub(super) fn read(world: &mut World, call: &Call) -> Result<Reply, Crash> {
    let Some(caller) = session(world, call) else {
        return Ok(Reply::error(StatusCode::UNAUTHORIZED, "Unauthorized"));
    };
    let project = call.param("projectId");
    let masked = match access(world, &caller, project)? {
        Access::Granted { masked } => masked,
        Access::Denied => return Ok(Reply::error(StatusCode::FORBIDDEN, "Access Denied")),
        Access::NeedsElevation => return Ok(elevation_required()),
    };
    // A branch that does not exist is an empty answer that does not even say that it is masked.
    let Some(branch) = world.branch_named(project, call.query("branch").unwrap_or(MAIN)) else {
        return Ok(Reply::ok(&Members::default().into()));
    };
    let only = narrowed_to(world, &caller, project);
    let with_versions = call.query("includeVersions") == Some("true");
    let mut answer = Members::default();
    for secret in world.in_scope(project, call.param("env"), branch) {
        if only.as_ref().is_some_and(|ids| !ids.contains(&secret.id)) {
            continue;
        }
        // What JavaScript is told to put under this name is no member.
        if secret.key == "__proto__" {
            continue;
        }
        let Some(value) = world.plaintext(secret) else {
            continue;
        };
        let value = if masked { MASK.to_owned() } else { value };
        answer.set(&secret.key, if with_versions { versioned(secret, value) } else { value.into() });
    }
    let reply = Reply::ok(&answer.into());
    Ok(if masked && !with_versions { mask_headers(reply) } else { reply })
}

pub(super) fn access(world: &World, caller: &Session, project: &str) -> Result<Access, Crash> {
    let role = caller.role(world, project)?;
    let Session::User { id, .. } = caller else {
        // A service account reads its own project whatever its permissions; the database is not asked for another.
        return Ok(role.map_or(Access::Denied, |_| Access::Granted { masked: false }));
    };
    checked_id(project)?;
    if let Some(role) = role {
        return Ok(Access::Granted { masked: role == Role::Viewer });
    }
    if world.valid_requests(id).any(|request| request.project.as_deref() == Some(project)) {
        return Ok(Access::Granted { masked: true });
    }
    let needs_elevation = world.elevations.iter().any(|known| known.user == *id && known.project == project);
    Ok(if needs_elevation { Access::NeedsElevation } else { Access::Denied })
}

pub(super) fn elevation_required() -> Reply {
    let body = object([("error", "JIT Elevation Required".into()), ("action", "request_jit".into())]);
    Reply::json(StatusCode::FORBIDDEN, &body)
}

/// The only secrets that a caller sees, when an approved request for some of them narrows the answer: it does so even for
/// an owner, and only the first such request counts.
fn narrowed_to<'a>(world: &'a World, caller: &'a Session, project: &'a str) -> Option<&'a Vec<String>> {
    let Session::User { id, .. } = caller else {
        return None;
    };
    let mut requests = world.valid_requests(id).filter(|request| request.project.as_deref() == Some(project));
    requests.find(|request| !request.secrets.is_empty()).map(|request| &request.secrets)
}

fn versioned(secret: &Secret, value: String) -> Json {
    let linked = secret.is_linked();
    object([
        ("value", value.into()),
        ("version", Json::from(&secret.version)),
        ("isReference", linked.into()),
        ("source", if linked { "linked" } else { "local" }.into()),
    ])
}

fn mask_headers(reply: Reply) -> Reply {
    reply
        .with(HeaderName::from_static("x-values-masked"), "true")
        .with(HeaderName::from_static("x-mask-reason"), "viewer-role")
}
