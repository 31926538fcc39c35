//! `/branch`, `/branch/{branchId}` and `/branch/{branchId}/clear`.

use axum::http::StatusCode;

use super::answers::{Outcome, Steps, Stop, bad, body, caller, fixed, forbidden, gone, not_found};
use super::records;
use crate::services::xtra::dev::auth::{Session, session};
use crate::services::xtra::dev::database::{Answering, Database};
use crate::services::xtra::dev::js::{Json, object};
use crate::services::xtra::dev::secret::BranchLink;
use crate::services::xtra::dev::seed::{Role, Tier};
use crate::services::xtra::dev::state::{Branch, Crash, MAIN, World, checked_id};
use crate::services::xtra::dev::wire::{Call, Reply};

fn no_branch() -> Stop {
    not_found("Branch not found")
}

/// Lists branches with everything in them. Without a project it lists all there are, as the service does.
pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    fixed("Failed to fetch branches", listed(world, call))
}

fn listed(world: &World, call: &Call) -> Steps {
    let caller = caller(world, call)?;
    let project = call.query("projectId");
    if let Some(project) = project {
        checked_id(project)?;
        caller.role(world, project)?.ok_or_else(|| forbidden("Forbidden"))?;
    }
    let wanted = world.branches.iter().filter(|branch| project.is_none_or(|project| branch.project == project));
    let mut answer = Vec::new();
    for branch in wanted {
        let redacted = caller.role(world, &branch.project)?.is_none_or(|role| role == Role::Viewer);
        answer.push(with_contents(world, branch, redacted));
    }
    Ok(Reply::ok(&answer.into()))
}

fn with_contents(world: &World, branch: &Branch, redacted: bool) -> Json {
    let secrets = world.secrets.iter().filter(|secret| secret.branch.is(&branch.id));
    let secrets: Vec<Json> = secrets.map(|secret| records::secret(world, secret, redacted).into()).collect();
    let user = world
        .user(&branch.created_by)
        .map(|user| object([("name", Json::from(&user.display_name)), ("email", Json::from(&user.email))]));
    let mut record = records::branch_in_project(world, branch);
    record.set("secrets", secrets);
    record.set("user", user);
    record.into()
}

/// `?operation=clear` makes the same route another operation.
pub(super) fn create_or_clear<'a>(database: &'a Database, call: &'a Call) -> Answering<'a, Outcome> {
    if call.query("operation") == Some("clear") {
        let look = |world: &World| to_clear(world, call);
        return Box::pin(async move { fixed("Failed to clear branch", database.look_and_change(look, cleared).await) });
    }
    let look = |world: &World| to_create(world, call);
    Box::pin(async move { fixed("Failed to create branch", database.look_and_change(look, created).await) })
}

/// A branch before it is written, without an id.
fn to_create(world: &World, call: &Call) -> Result<Branch, Stop> {
    let caller = caller(world, call)?;
    let body = body(call)?;
    let (Some(name), Some(project)) = (body.text_of("name"), body.text_of("projectId")) else {
        return Err(bad("Name and projectId are required"));
    };
    let role = caller.role(world, checked_id(project)?)?;
    let role = role.ok_or_else(|| forbidden("Forbidden: No access to project"))?;
    if role == Role::Viewer {
        return Err(forbidden("Forbidden: Viewers cannot create branches"));
    }
    if world.branch_named(project, name).is_some() {
        return Err(bad("Branch with this name already exists in the project"));
    }
    if let Some(message) = over_limit(world, project) {
        return Err(forbidden(&message));
    }
    Ok(Branch {
        created_by: caller.database_id()?.to_owned(),
        id: String::new(),
        name: name.to_owned(),
        description: body.text_of("description").unwrap_or_default().to_owned(),
        project: project.to_owned(),
        version: body.text_of("versionNo").unwrap_or("1").to_owned(),
        permissions: texts(body.get("permissions")),
        created: world.now(),
    })
}

fn created(world: &mut World, mut branch: Branch) -> Steps {
    branch.id = world.new_id();
    let answer = records::branch_in_project(world, &branch);
    world.branches.push(branch);
    Ok(Reply::json(StatusCode::CREATED, &answer.into()))
}

fn over_limit(world: &World, project: &str) -> Option<String> {
    let owner = world.project(project).and_then(|project| world.user(&project.owner));
    let (name, limit) = match owner.map(|owner| owner.tier).unwrap_or_default() {
        Tier::Free => ("free", 10),
        Tier::Pro => ("pro", 30),
        Tier::Enterprise => ("enterprise", 30),
    };
    let count = world.branches.iter().filter(|branch| branch.project == project).count();
    (count >= limit).then(|| {
        format!(
            "Branch limit reached. Your {name} plan allows up to {limit} branches per project. Please upgrade for more."
        )
    })
}

fn texts(value: Option<&Json>) -> Vec<String> {
    match value {
        Some(Json::List(items)) => items.iter().filter_map(Json::text).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn to_clear(world: &World, call: &Call) -> Result<String, Stop> {
    let caller = caller(world, call)?;
    let id = call.query("branchId").ok_or_else(|| bad("Branch ID is required"))?;
    let branch = world.branch(checked_id(id)?).ok_or_else(no_branch)?;
    if caller.role(world, &branch.project)?.is_none_or(|role| role == Role::Viewer) {
        return Err(forbidden("Forbidden: Viewers cannot clear branches"));
    }
    Ok(id.to_owned())
}

fn cleared(world: &mut World, id: String) -> Steps {
    world.secrets.retain(|secret| !secret.branch.is(&id));
    Ok(Reply::ok(&object([("message", "Branch cleared successfully".into())])))
}

/// Any authenticated caller may do this.
pub(super) fn update<'a>(database: &'a Database, call: &'a Call) -> Answering<'a, Outcome> {
    let look = |world: &World| to_update(world, call);
    let change = |world: &mut World, (id, body): (String, Json)| updated(world, &id, &body);
    Box::pin(async move { fixed("Failed to update branch", database.look_and_change(look, change).await) })
}

fn to_update(world: &World, call: &Call) -> Result<(String, Json), Stop> {
    caller(world, call)?;
    let body = body(call)?;
    let id = body.text_of("id").ok_or_else(|| bad("Branch ID is required"))?.to_owned();
    let branch = world.branch(checked_id(&id)?).ok_or_else(no_branch)?;
    let taken = body.text_of("name").and_then(|name| world.branch_named(&branch.project, name));
    if taken.is_some_and(|other| other.id != id) {
        return Err(bad("Branch with this name already exists in the project"));
    }
    Ok((id, body))
}

fn updated(world: &mut World, id: &str, body: &Json) -> Steps {
    let branch = world.branches.iter_mut().find(|branch| branch.id == id).ok_or_else(gone)?;
    let fields =
        [("name", &mut branch.name), ("description", &mut branch.description), ("versionNo", &mut branch.version)];
    for (name, field) in fields {
        if let Some(text) = body.text_of(name) {
            text.clone_into(field);
        }
    }
    if body.get("permissions").is_some_and(Json::is_truthy) {
        branch.permissions = texts(body.get("permissions"));
    }
    let branch = world.branch(id).ok_or_else(gone)?;
    Ok(Reply::ok(&records::branch_in_project(world, branch).into()))
}

pub(super) fn delete<'a>(database: &'a Database, call: &'a Call) -> Answering<'a, Outcome> {
    let look = |world: &World| to_delete(world, call);
    Box::pin(async move { fixed("Failed to delete branch", database.look_and_change(look, deleted).await) })
}

fn to_delete(world: &World, call: &Call) -> Result<String, Stop> {
    let caller = caller(world, call)?;
    let id = call.query("id").ok_or_else(|| bad("Branch ID is required"))?;
    let branch = world.branch(checked_id(id)?).ok_or_else(no_branch)?;
    if caller.role(world, &branch.project)?.is_none_or(|role| role == Role::Viewer) {
        return Err(forbidden("Forbidden: Viewers cannot delete branches"));
    }
    if branch.name.eq_ignore_ascii_case(MAIN) {
        return Err(bad("Cannot delete main branch"));
    }
    Ok(id.to_owned())
}

fn deleted(world: &mut World, id: String) -> Steps {
    let record = records::branch(world.branch(&id).ok_or_else(gone)?);
    world.branches.retain(|branch| branch.id != id);
    // Its secrets stay, hang on no branch and so surface on `main`.
    for secret in world.secrets.iter_mut().filter(|secret| secret.branch.is(&id)) {
        secret.branch = BranchLink::Null;
    }
    Ok(Reply::ok(&object([("message", "Branch deleted successfully".into()), ("branch", record.into())])))
}

/// Who may use the two routes with the id in the path, and their errors, which are plain text.
fn found_for(
    world: &World,
    call: &Call,
    may: fn(&World, &Session, &Branch) -> Result<bool, Crash>,
) -> Result<String, Reply> {
    let refused = || Reply::text(StatusCode::UNAUTHORIZED, "Unauthorized");
    let thrown = |Crash| Reply::text(StatusCode::INTERNAL_SERVER_ERROR, "Internal Error");
    let caller = session(world, call).ok_or_else(refused)?;
    let id = checked_id(call.param("branchId")).map_err(thrown)?;
    let branch = world.branch(id).ok_or_else(|| Reply::text(StatusCode::NOT_FOUND, "Branch not found"))?;
    if may(world, &caller, branch).map_err(thrown)? { Ok(id.to_owned()) } else { Err(refused()) }
}

fn created_project(world: &World, caller: &Session, branch: &Branch) -> Result<bool, Crash> {
    Ok(world.project(&branch.project).is_some_and(|project| project.owner == caller.user_id()))
}

/// Whoever did not create the project is looked for in its teams: the id of a service account makes that look throw.
fn administers(world: &World, caller: &Session, branch: &Branch) -> Result<bool, Crash> {
    if created_project(world, caller, branch)? {
        return Ok(true);
    }
    let user = caller.database_id()?;
    let mut members = world.teams_of(&branch.project).flat_map(|(_, team)| &team.members);
    Ok(members.any(|(member, role)| member == user && *role == Role::Admin))
}

pub(super) fn delete_with_secrets(world: &mut World, call: &Call) -> Outcome {
    let id = match found_for(world, call, administers) {
        Ok(id) => id,
        Err(reply) => return Ok(reply),
    };
    world.secrets.retain(|secret| !secret.branch.is(&id));
    world.branches.retain(|branch| branch.id != id);
    Ok(Reply::ok(&object([("message", "Branch deleted successfully".into())])))
}

pub(super) fn clear(world: &mut World, call: &Call) -> Outcome {
    let id = match found_for(world, call, created_project) {
        Ok(id) => id,
        Err(reply) => return Ok(reply),
    };
    world.secrets.retain(|secret| !secret.branch.is(&id));
    Ok(Reply::ok(&object([("message", "Branch cleared successfully".into())])))
}
