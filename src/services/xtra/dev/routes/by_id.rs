//! `/secret`: the secrets as the dashboard sees them, by id.

use axum::http::StatusCode;

use super::answers::{Outcome, Steps, Stop, bad, body, caller, detailed, forbidden, gone, message, not_found, told};
use super::history::WayBack;
use super::records;
use crate::services::xtra::dev::auth::Session;
use crate::services::xtra::dev::clock::Moment;
use crate::services::xtra::dev::database::{Answering, Database};
use crate::services::xtra::dev::js::{Json, Members, object};
use crate::services::xtra::dev::secret::{BranchLink, Entry, Secret, Seen};
use crate::services::xtra::dev::seed::{Role, Tier};
use crate::services::xtra::dev::state::{Crash, Place, World, checked_id};
use crate::services::xtra::dev::tokens::tier_name;
use crate::services::xtra::dev::wire::{Call, Reply};

/// Lists the secrets of a project, or of one branch.
pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    detailed("Failed to fetch secrets", "details", listed(world, call))
}

fn listed(world: &World, call: &Call) -> Steps {
    let caller = caller(world, call)?;
    let project = call.query("projectId").ok_or_else(|| bad("Project ID is required"))?;
    if matches!(caller, Session::Account { .. }) {
        of_account(&caller, project, "read:secrets")?;
    } else if caller.role(world, project)?.is_none() {
        return Err(forbidden("Forbidden"));
    }
    let wanted = |secret: &&Secret| {
        secret.project == project && call.query("branchId").is_none_or(|branch| secret.branch.is(branch))
    };
    let mut answer = Vec::new();
    for secret in world.secrets.iter().filter(wanted) {
        answer.push(Json::from(shown(world, &caller, secret)?));
    }
    Ok(Reply::ok(&answer.into()))
}

/// A service account has its own project and needs a permission.
fn of_account(caller: &Session, project: &str, permission: &str) -> Result<(), Stop> {
    match caller {
        Session::Account { project: own, .. } if own != project => Err(forbidden("Forbidden: SA locked to project")),
        Session::Account { .. } if !caller.has_permission(permission) => {
            Err(forbidden(&format!("Forbidden: Missing {permission} scope")))
        }
        _ => Ok(()),
    }
}

/// Values are for owners, admins, those who broke the glass and those whose approved request covers the secret: developers do not see them here.
fn shown(world: &World, caller: &Session, secret: &Secret) -> Result<Members, Crash> {
    // The id of a service account is none to the database.
    let user = caller.database_id()?;
    let administers = world.role_of(user, &secret.project).is_some_and(|role| role >= Role::Admin);
    let covers = |secrets: &[String]| secrets.is_empty() || secrets.contains(&secret.id);
    let mut requests = world.valid_requests(user);
    let granted = requests.find(|request| {
        let is_here = request.project.as_ref() == Some(&secret.project) && covers(&request.secrets);
        is_here || request.secrets.contains(&secret.id)
    });
    let breaks_glass = world.emergency(user, &secret.project).is_some();
    let mut record = records::secret(world, secret, !administers && !breaks_glass && granted.is_none());
    record.set("project", world.project(&secret.project).map(records::project));
    if let Some(request) = granted.filter(|_| !administers) {
        record.set("isJit", true);
        record.set("expiresAt", request.expires.map(Moment::iso));
    }
    Ok(record)
}

/// Creates a secret, whether or not there is one with the key.
pub(super) fn create<'a>(database: &'a Database, call: &'a Call) -> Answering<'a, Outcome> {
    let look = |world: &World| to_create(world, call);
    Box::pin(async move { told(database.look_and_change(look, created).await) })
}

/// A secret before it is written, without an id and a value; its value; who writes it.
type Creation = (Secret, String, String);

fn to_create(world: &World, call: &Call) -> Result<Creation, Stop> {
    let caller = caller(world, call)?;
    let body = body(call)?;
    let text = |name: &str| body.text_of(name);
    let (Some(key), Some(value), Some(project)) = (text("key"), text("value"), text("projectId")) else {
        return Err(message(StatusCode::BAD_REQUEST, "Missing required fields: key, value, or projectId"));
    };
    let environment = text("environmentType");
    world.project(checked_id(project)?).ok_or_else(|| not_found("Project or owner not found"))?;
    room_for(world, project)?;
    may_write(world, &caller, project, environment, "create")?;
    let missing = || Stop::Thrown("Argument `environmentType` is missing.".to_owned());
    let place = Place {
        project: project.to_owned(),
        environment: environment.ok_or_else(missing)?.to_owned(),
        branch: text("branchId").map(checked_id).transpose()?.unwrap_or_default().to_owned(),
        key: key.to_owned(),
    };
    let by = caller.email(world);
    let has_branch = !place.branch.is_empty();
    let mut secret = Secret::new(String::new(), place, world.now(), &by);
    if !has_branch {
        secret.branch = BranchLink::Null;
    }
    "API Key".clone_into(&mut secret.kind);
    fill_in(&mut secret, &body)?;
    Ok((secret, value.to_owned(), by))
}

fn created(world: &mut World, (mut secret, value, by): Creation) -> Steps {
    secret.id = world.new_id();
    let stored = world.vault.seal(&value).ok_or(Crash)?;
    secret.history.push(step(&secret, &stored, secret.updated, &by));
    secret.stored = Some(stored);
    let answer = records::raw_with_value(&secret, value.into());
    world.secrets.push(secret);
    Ok(Reply::json(StatusCode::CREATED, &answer.into()))
}

/// What the dashboard writes into the history.
fn step(secret: &Secret, stored: &str, now: Moment, by: &str) -> Entry {
    let notes =
        [("description", Json::from(&secret.description)), ("updatedAt", now.iso().into()), ("updatedBy", by.into())];
    Entry::new(&secret.version, stored, notes)
}

/// The members that a secret may be given beside its value.
fn fill_in(secret: &mut Secret, body: &Json) -> Result<(), Crash> {
    let fields = [
        ("environmentType", &mut secret.environment),
        ("type", &mut secret.kind),
        ("rotationPolicy", &mut secret.rotation_policy),
    ];
    for (name, field) in fields {
        if let Some(text) = body.text_of(name) {
            text.clone_into(field);
        }
    }
    // The only one that may be emptied.
    if let Some(text) = body.get("description").and_then(Json::text) {
        text.clone_into(&mut secret.description);
    }
    if let Some(permission) = body.texts_of("permission") {
        secret.permission = permission;
    }
    if let Some(date) = body.text_of("expiryDate") {
        secret.expires = Some(Moment::parse(date).ok_or(Crash)?);
    }
    Ok(())
}

/// The plan of the project's owner has room for so many secrets; only this way of writing asks.
fn room_for(world: &World, project: &str) -> Result<(), Stop> {
    let owner = world.project(project).and_then(|project| world.user(&project.owner));
    let tier = owner.map(|owner| owner.tier).unwrap_or_default();
    let limit = match tier {
        Tier::Free => 50,
        Tier::Pro => 100,
        Tier::Enterprise => 10_000,
    };
    if world.secrets.iter().filter(|secret| secret.project == project).count() < limit {
        return Ok(());
    }
    let name = tier_name(tier);
    let message = format!("The workspace owner's {name} plan allows up to {limit} secrets per project.");
    let body = object([("error", "Secret limit reached".into()), ("message", message.into())]);
    Err(Reply::json(StatusCode::FORBIDDEN, &body).into())
}

/// Viewers write nothing, developers nothing in production.
fn may_write(
    world: &World,
    caller: &Session,
    project: &str,
    environment: Option<&str>,
    verb: &str,
) -> Result<(), Stop> {
    if matches!(caller, Session::Account { .. }) {
        return of_account(caller, project, "write:secrets");
    }
    match caller.role(world, project)? {
        None => Err(forbidden("Forbidden: You do not have access to this project")),
        Some(Role::Viewer) => Err(forbidden(&format!("Viewers do not have permission to {verb} secrets"))),
        Some(Role::Developer) if environment == Some("production") => {
            Err(forbidden(&format!("Developers cannot {verb} secrets in Production")))
        }
        Some(_) => Ok(()),
    }
}

/// The secret of the query, which the caller may change.
fn writable<'a>(world: &'a World, call: &Call, verb: &str) -> Result<(&'a Secret, Session), Stop> {
    let caller = caller(world, call)?;
    let id = call.query("id").ok_or_else(|| message(StatusCode::BAD_REQUEST, "Secret ID is required"))?;
    let found = world.secrets.by_id(checked_id(id)?);
    let secret = found.ok_or_else(|| message(StatusCode::NOT_FOUND, "Secret not found"))?;
    may_write(world, &caller, &secret.project, Some(&secret.environment), verb)?;
    Ok((secret, caller))
}

/// Changes a secret: the version goes up whatever is changed.
pub(super) fn update<'a>(database: &'a Database, call: &'a Call) -> Answering<'a, Outcome> {
    let look = |world: &World| {
        let (secret, caller) = writable(world, call, "update")?;
        Ok((secret.seen(), secret.stored.clone().unwrap_or_default(), caller.email(world), body(call)?))
    };
    Box::pin(async move { told(database.look_and_change(look, updated).await) })
}

fn updated(world: &mut World, (mut seen, stored, by, body): (Seen, String, String, Json)) -> Steps {
    let now = world.now();
    let stored = match body.text_of("value") {
        Some(value) => world.vault.seal(value).ok_or(Crash)?,
        None => stored,
    };
    if let Some(key) = body.text_of("key") {
        world.secrets.rename(&seen.id, key);
    }
    let secret = world.secrets.by_id_mut(&seen.id).ok_or_else(gone)?;
    fill_in(secret, &body)?;
    secret.version = seen.next_version("2");
    let mut step = step(secret, &stored, now, &by);
    if let Some(reason) = body.text_of("changeReason") {
        step.notes.set("changeReason", reason);
    }
    seen.history.insert(0, step);
    secret.history = seen.history;
    secret.replace(stored, now, &by);
    Ok(Reply::ok(&records::raw_secret(secret).into()))
}

/// Deletes exactly one secret.
pub(super) fn delete<'a>(database: &'a Database, call: &'a Call) -> Answering<'a, Outcome> {
    let look = |world: &World| Ok(writable(world, call, "delete")?.0.id.clone());
    Box::pin(async move { told(database.look_and_change(look, deleted).await) })
}

fn deleted(world: &mut World, id: String) -> Steps {
    if !world.secrets.remove(&id) {
        return Err(gone());
    }
    Ok(Reply::ok(&object([("message", "Secret deleted successfully".into())])))
}

/// `/secret/rollback`: makes an earlier value of exactly one secret its newest version.
pub(super) fn roll_back<'a>(database: &'a Database, call: &'a Call) -> Answering<'a, Outcome> {
    let look = |world: &World| way_back(world, call);
    Box::pin(async move {
        let done = database.look_and_change(look, rolled_back).await;
        detailed("Internal server error during rollback", "details", done)
    })
}

/// The way back, the key and the version that is gone back to.
fn way_back(world: &World, call: &Call) -> Result<(WayBack, String, String), Stop> {
    let caller = caller(world, call)?;
    let body = body(call)?;
    let target = body.get("targetVersion").filter(|target| target.is_truthy());
    let (Some(id), Some(target)) = (body.text_of("secretId"), target) else {
        return Err(bad("Missing required fields: secretId and targetVersion"));
    };
    let secret = world.secrets.by_id(checked_id(id)?).ok_or_else(|| not_found("Secret not found"))?;
    match caller.role(world, &secret.project)? {
        None => return Err(forbidden("Forbidden: No access to this project")),
        Some(Role::Viewer) => return Err(forbidden("Forbidden: Viewers cannot rollback secrets")),
        Some(Role::Developer) if is_production(&secret.environment) => {
            return Err(forbidden("Forbidden: Developers cannot rollback production secrets"));
        }
        Some(_) => {}
    }
    let target = target.text().map_or_else(|| target.to_text(), str::to_owned);
    if target == secret.version {
        return Err(bad("Secret is already at the target version"));
    }
    let is_named = |entry: &&Entry| body.text_of("targetVersion") == Some(entry.version.as_str());
    let entry = secret.history.iter().find(is_named);
    let stored = &entry.ok_or_else(|| not_found(&format!("Version {target} not found in history")))?.stored;
    let (now, by) = (world.now(), caller.email(world));
    let notes = [
        ("description", format!("Rolled back to version {target}").into()),
        ("updatedAt", now.iso().into()),
        ("updatedBy", by.as_str().into()),
        ("changeReason", body.text_of("changeReason").unwrap_or("Rollback").into()),
    ];
    let step = Entry::new(&secret.seen().next_version("2"), stored, notes);
    Ok((WayBack { seen: secret.seen(), step, now, by }, secret.key.clone(), target))
}

fn rolled_back(world: &mut World, (way, key, target): (WayBack, String, String)) -> Steps {
    let id = way.seen.id.clone();
    let version = way.go(world)?;
    let secret = object([("id", id.into()), ("key", key.into()), ("version", Json::from(&version))]);
    Ok(Reply::ok(&object([
        ("success", true.into()),
        ("message", format!("Successfully rolled back to version {target}").into()),
        ("version", version.into()),
        ("secret", secret),
    ])))
}

fn is_production(environment: &str) -> bool {
    ["production", "prod"].iter().any(|name| environment.eq_ignore_ascii_case(name))
}
