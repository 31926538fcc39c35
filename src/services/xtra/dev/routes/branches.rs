//! Branches: `/branch` and what is below it.

use futures_util::future::BoxFuture;
use hyper::http::StatusCode;

use super::Connection;
use super::answers::{HandlerResult, Outcome, Stop, bad, body, caller, echoed, fixed, forbidden, gone, not_found};
use super::records;
use crate::dev::javascript::{Json, object};
use crate::dev::{Call, HandlerPanic, Reply, routes};
use crate::services::xtra::dev::auth::{Session, session};
use crate::services::xtra::dev::database::{Database, MAIN, checked_id};
use crate::services::xtra::dev::rows::Branch;
use crate::services::xtra::dev::secret::{BranchLink, Secret};
use crate::services::xtra::dev::seed::{Role, Tier};

routes! {
    for Database;

    /// Lists branches.
    GET "/branch" as BRANCHES_LIST => at_once(list);
    /// Creates a branch, or clears one.
    POST "/branch" as BRANCHES_CREATE => in_steps(create_or_clear);
    /// Updates a branch.
    PUT "/branch" as BRANCHES_UPDATE => in_steps(update);
    /// Deletes the branch that the query names by `id`; its secrets surface on `main`.
    DELETE "/branch" as BRANCHES_DETACH => in_steps(delete);
    /// Deletes a branch with its secrets.
    DELETE "/branch/{branchId}" as BRANCHES_DELETE => at_once(delete_with_secrets);
    /// Deletes the secrets of a branch.
    POST "/branch/{branchId}/clear" as BRANCHES_CLEAR => at_once(clear);
    /// Tells what two branches have otherwise.
    GET "/branch/compare" as BRANCHES_COMPARE => at_once(compare).guarded();
}

fn no_branch() -> Stop {
    not_found("Branch not found")
}

/// Lists branches with everything in them. Without a project it lists all there are, as the service does.
pub(super) fn list(database: &mut Database, call: &Call) -> Outcome {
    fixed("Failed to fetch branches", listed(database, call))
}

fn listed(database: &Database, call: &Call) -> HandlerResult {
    let caller = caller(database, call)?;
    let project = call.query("projectId");
    if let Some(project) = project {
        checked_id(project)?;
        caller.role(database, project)?.ok_or_else(|| forbidden("Forbidden"))?;
    }
    let wanted = database.branches.iter().filter(|branch| project.is_none_or(|project| branch.project == project));
    let mut answer = Vec::new();
    for branch in wanted {
        let redacted = caller.role(database, &branch.project)?.is_none_or(|role| role == Role::Viewer);
        answer.push(with_contents(database, branch, redacted));
    }
    Ok(Reply::ok(&answer.into()))
}

fn with_contents(database: &Database, branch: &Branch, redacted: bool) -> Json {
    let secrets = database.secrets.iter().filter(|secret| secret.branch.is(&branch.id));
    let secrets: Vec<Json> = secrets.map(|secret| records::secret(database, secret, redacted).into()).collect();
    let user = database
        .user(&branch.created_by)
        .map(|user| object([("name", Json::from(&user.display_name)), ("email", Json::from(&user.email))]));
    let mut record = records::branch_in_project(database, branch);
    record.set("secrets", secrets);
    record.set("user", user);
    record.into()
}

/// `?operation=clear` makes the same route another operation.
pub(super) fn create_or_clear<'a>(connection: &'a Connection, call: &'a Call) -> BoxFuture<'a, Outcome> {
    if call.query("operation") == Some("clear") {
        let look = |database: &Database| to_clear(database, call);
        return Box::pin(
            async move { fixed("Failed to clear branch", connection.read_then_write(look, cleared).await) },
        );
    }
    let look = |database: &Database| to_create(database, call);
    Box::pin(async move { fixed("Failed to create branch", connection.read_then_write(look, created).await) })
}

/// A branch before it is written, without an id.
fn to_create(database: &Database, call: &Call) -> Result<Branch, Stop> {
    let caller = caller(database, call)?;
    let body = body(call)?;
    let (Some(name), Some(project)) = (body.text_of("name"), body.text_of("projectId")) else {
        return Err(bad("Name and projectId are required"));
    };
    let role = caller.role(database, checked_id(project)?)?;
    let role = role.ok_or_else(|| forbidden("Forbidden: No access to project"))?;
    if role == Role::Viewer {
        return Err(forbidden("Forbidden: Viewers cannot create branches"));
    }
    if database.branch_named(project, name).is_some() {
        return Err(bad("Branch with this name already exists in the project"));
    }
    if let Some(message) = over_limit(database, project) {
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
        created: database.now(),
    })
}

fn created(database: &mut Database, mut branch: Branch) -> HandlerResult {
    branch.id = database.new_id();
    let answer = records::branch_in_project(database, &branch);
    database.branches.push(branch);
    Ok(Reply::json(StatusCode::CREATED, &answer.into()))
}

fn over_limit(database: &Database, project: &str) -> Option<String> {
    let owner = database.project(project).and_then(|project| database.user(&project.owner));
    let (name, limit) = match owner.map(|owner| owner.tier).unwrap_or_default() {
        Tier::Free => ("free", 10),
        Tier::Pro => ("pro", 30),
        Tier::Enterprise => ("enterprise", 30),
    };
    let count = database.branches.iter().filter(|branch| branch.project == project).count();
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

fn to_clear(database: &Database, call: &Call) -> Result<String, Stop> {
    let caller = caller(database, call)?;
    let id = call.query("branchId").ok_or_else(|| bad("Branch ID is required"))?;
    let branch = database.branch(checked_id(id)?).ok_or_else(no_branch)?;
    if caller.role(database, &branch.project)?.is_none_or(|role| role == Role::Viewer) {
        return Err(forbidden("Forbidden: Viewers cannot clear branches"));
    }
    Ok(id.to_owned())
}

fn cleared(database: &mut Database, id: String) -> HandlerResult {
    database.secrets.retain(|secret| !secret.branch.is(&id));
    Ok(Reply::ok(&object([("message", "Branch cleared successfully".into())])))
}

/// Any authenticated caller may do this.
pub(super) fn update<'a>(connection: &'a Connection, call: &'a Call) -> BoxFuture<'a, Outcome> {
    let look = |database: &Database| to_update(database, call);
    let change = |database: &mut Database, (id, body): (String, Json)| updated(database, &id, &body);
    Box::pin(async move { fixed("Failed to update branch", connection.read_then_write(look, change).await) })
}

fn to_update(database: &Database, call: &Call) -> Result<(String, Json), Stop> {
    caller(database, call)?;
    let body = body(call)?;
    let id = body.text_of("id").ok_or_else(|| bad("Branch ID is required"))?.to_owned();
    let branch = database.branch(checked_id(&id)?).ok_or_else(no_branch)?;
    let taken = body.text_of("name").and_then(|name| database.branch_named(&branch.project, name));
    if taken.is_some_and(|other| other.id != id) {
        return Err(bad("Branch with this name already exists in the project"));
    }
    Ok((id, body))
}

fn updated(database: &mut Database, id: &str, body: &Json) -> HandlerResult {
    let branch = database.branches.iter_mut().find(|branch| branch.id == id).ok_or_else(gone)?;
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
    let branch = database.branch(id).ok_or_else(gone)?;
    Ok(Reply::ok(&records::branch_in_project(database, branch).into()))
}

pub(super) fn delete<'a>(connection: &'a Connection, call: &'a Call) -> BoxFuture<'a, Outcome> {
    let look = |database: &Database| to_delete(database, call);
    Box::pin(async move { fixed("Failed to delete branch", connection.read_then_write(look, deleted).await) })
}

fn to_delete(database: &Database, call: &Call) -> Result<String, Stop> {
    let caller = caller(database, call)?;
    let id = call.query("id").ok_or_else(|| bad("Branch ID is required"))?;
    let branch = database.branch(checked_id(id)?).ok_or_else(no_branch)?;
    if caller.role(database, &branch.project)?.is_none_or(|role| role == Role::Viewer) {
        return Err(forbidden("Forbidden: Viewers cannot delete branches"));
    }
    if branch.name.eq_ignore_ascii_case(MAIN) {
        return Err(bad("Cannot delete main branch"));
    }
    Ok(id.to_owned())
}

fn deleted(database: &mut Database, id: String) -> HandlerResult {
    let record = records::branch(database.branch(&id).ok_or_else(gone)?);
    database.branches.retain(|branch| branch.id != id);
    // Its secrets stay, hang on no branch and so surface on `main`.
    for secret in database.secrets.iter_mut().filter(|secret| secret.branch.is(&id)) {
        secret.branch = BranchLink::Null;
    }
    Ok(Reply::ok(&object([("message", "Branch deleted successfully".into()), ("branch", record.into())])))
}

/// The branch of the two routes with the id in the path, for those who may use them. Their errors are plain text.
fn found_for(
    database: &Database,
    call: &Call,
    may: fn(&Database, &Session, &Branch) -> Result<bool, HandlerPanic>,
) -> Result<String, Reply> {
    let refused = || Reply::text(StatusCode::UNAUTHORIZED, "Unauthorized");
    let thrown = |HandlerPanic| Reply::text(StatusCode::INTERNAL_SERVER_ERROR, "Internal Error");
    let caller = session(database, call).ok_or_else(refused)?;
    let id = checked_id(call.param("branchId")).map_err(thrown)?;
    let branch = database.branch(id).ok_or_else(|| Reply::text(StatusCode::NOT_FOUND, "Branch not found"))?;
    if may(database, &caller, branch).map_err(thrown)? { Ok(id.to_owned()) } else { Err(refused()) }
}

fn created_project(database: &Database, caller: &Session, branch: &Branch) -> Result<bool, HandlerPanic> {
    Ok(database.project(&branch.project).is_some_and(|project| project.owner == caller.user_id()))
}

/// Whoever did not create the project is looked for in its teams: the id of a service account makes that look throw.
fn administers(database: &Database, caller: &Session, branch: &Branch) -> Result<bool, HandlerPanic> {
    if created_project(database, caller, branch)? {
        return Ok(true);
    }
    let user = caller.database_id()?;
    let mut members = database.teams_of(&branch.project).flat_map(|(_, team)| &team.members);
    Ok(members.any(|(member, role)| member == user && *role == Role::Admin))
}

pub(super) fn delete_with_secrets(database: &mut Database, call: &Call) -> Outcome {
    let id = match found_for(database, call, administers) {
        Ok(id) => id,
        Err(reply) => return Ok(reply),
    };
    database.secrets.retain(|secret| !secret.branch.is(&id));
    database.branches.retain(|branch| branch.id != id);
    Ok(Reply::ok(&object([("message", "Branch deleted successfully".into())])))
}

pub(super) fn clear(database: &mut Database, call: &Call) -> Outcome {
    let id = match found_for(database, call, created_project) {
        Ok(id) => id,
        Err(reply) => return Ok(reply),
    };
    database.secrets.retain(|secret| !secret.branch.is(&id));
    Ok(Reply::ok(&object([("message", "Branch cleared successfully".into())])))
}

/// Any authenticated caller may compare any two branches; one that does not exist is an empty one, whatever its
/// id looks like.
pub(super) fn compare(database: &mut Database, call: &Call) -> Outcome {
    echoed(compared(database, call))
}

fn compared(database: &Database, call: &Call) -> HandlerResult {
    caller(database, call)?;
    let (Some(base), Some(other)) = (call.query("base"), call.query("compare")) else {
        return Err(bad("Base and Compare Branch IDs are required"));
    };
    let (base, other) = (on(database, base), on(database, other));
    let twin = |secret: &Secret, among: &[&'_ Secret]| {
        among.iter().position(|twin| twin.key == secret.key && twin.environment == secret.environment)
    };
    let added = other.iter().filter(|secret| twin(secret, &base).is_none());
    let removed = base.iter().filter(|secret| twin(secret, &other).is_none());
    let mut modified = Vec::new();
    for secret in &other {
        let Some(before) = twin(secret, &base).and_then(|position| base.get(position)) else {
            continue;
        };
        let (old, new) = (value(database, before), value(database, secret));
        if old != new {
            modified.push(object([
                ("key", Json::from(&secret.key)),
                ("environmentType", Json::from(&secret.environment)),
                ("baseValue", old.into()),
                ("compareValue", new.into()),
                ("type", Json::from(&secret.kind)),
            ]));
        }
    }
    let added: Vec<Json> = added.map(|secret| with_value(database, secret)).collect();
    let removed: Vec<Json> = removed.map(|secret| with_value(database, secret)).collect();
    Ok(Reply::ok(&object([("added", added.into()), ("removed", removed.into()), ("modified", modified.into())])))
}

/// The secrets that hang on a branch: for `main` without those that hang on none.
fn on<'a>(database: &'a Database, branch: &str) -> Vec<&'a Secret> {
    database.secrets.iter().filter(|secret| secret.branch.is(branch)).collect()
}

fn value(database: &Database, secret: &Secret) -> String {
    database.vault.read(secret.stored.as_deref().unwrap_or_default())
}

fn with_value(database: &Database, secret: &Secret) -> Json {
    let mut record = records::raw_secret(secret);
    record.set("decryptedValue", value(database, secret));
    record.into()
}
