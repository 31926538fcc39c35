//! One secret by its id, `/secret`: the dashboard's view, and new ciphertext for a whole project.

use futures_util::future::BoxFuture;
use hyper::http::StatusCode;

use super::Connection;
use super::answers::{
    HandlerResult, Outcome, Stop, bad, body, caller, detailed, forbidden, gone, message, not_found, told,
};
use super::by_key::Rollback;
use super::records;
use crate::dev::javascript::{Json, Members, object};
use crate::dev::{Call, HandlerPanic, Millis, Reply, routes};
use crate::services::xtra::dev::auth::Session;
use crate::services::xtra::dev::database::{Database, checked_id};
use crate::services::xtra::dev::secret::{BranchLink, Entry, Secret, SecretLocation, Seen};
use crate::services::xtra::dev::seed::{Role, Tier};

routes! {
    for Database;

    /// Lists secrets as the dashboard sees them.
    GET "/secret" as SECRETS_BY_ID_LIST => at_once(list).guarded();
    /// Creates a secret, whether or not there is one with the key.
    POST "/secret" as SECRETS_BY_ID_CREATE => in_steps(create).guarded();
    /// Changes the secret with an id.
    PUT "/secret" as SECRETS_BY_ID_UPDATE => in_steps(update).guarded();
    /// Deletes the secret with an id.
    DELETE "/secret" as SECRETS_BY_ID_DELETE => in_steps(delete).guarded();
    /// Makes an earlier value of the secret with an id its newest version.
    POST "/secret/rollback" as SECRETS_BY_ID_ROLLBACK => in_steps(roll_back);
    /// Writes other ciphertext for values and histories, under the same versions.
    POST "/secret/rotate" as SECRETS_BY_ID_ROTATE => in_steps(rewrite).guarded();
}

/// Lists the secrets of a project, or of one branch.
pub(super) fn list(database: &mut Database, call: &Call) -> Outcome {
    detailed("Failed to fetch secrets", "details", listed(database, call))
}

fn listed(database: &Database, call: &Call) -> HandlerResult {
    let caller = caller(database, call)?;
    let project = call.query("projectId").ok_or_else(|| bad("Project ID is required"))?;
    if matches!(caller, Session::Account { .. }) {
        of_account(&caller, project, "read:secrets")?;
    } else if caller.role(database, project)?.is_none() {
        return Err(forbidden("Forbidden"));
    }
    let wanted = |secret: &&Secret| {
        secret.project == project && call.query("branchId").is_none_or(|branch| secret.branch.is(branch))
    };
    let mut answer = Vec::new();
    for secret in database.secrets.iter().filter(wanted) {
        answer.push(Json::from(shown(database, &caller, secret)?));
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
fn shown(database: &Database, caller: &Session, secret: &Secret) -> Result<Members, HandlerPanic> {
    // The id of a service account is none to the database.
    let user = caller.database_id()?;
    let administers = database.role_of(user, &secret.project).is_some_and(|role| role >= Role::Admin);
    let covers = |secrets: &[String]| secrets.is_empty() || secrets.contains(&secret.id);
    let mut requests = database.valid_requests(user);
    let granted = requests.find(|request| {
        let is_here = request.project.as_ref() == Some(&secret.project) && covers(&request.secrets);
        is_here || request.secrets.contains(&secret.id)
    });
    let breaks_glass = database.emergency(user, &secret.project).is_some();
    let mut record = records::secret(database, secret, !administers && !breaks_glass && granted.is_none());
    record.set("project", database.project(&secret.project).map(records::project));
    if let Some(request) = granted.filter(|_| !administers) {
        record.set("isJit", true);
        record.set("expiresAt", request.expires.map(Millis::iso));
    }
    Ok(record)
}

/// Creates a secret, whether or not there is one with the key.
pub(super) fn create<'a>(connection: &'a Connection, call: &'a Call) -> BoxFuture<'a, Outcome> {
    let look = |database: &Database| to_create(database, call);
    Box::pin(async move { told(connection.read_then_write(look, created).await) })
}

/// A secret before it is written, without an id and a value; its value; who writes it.
type Creation = (Secret, String, String);

fn to_create(database: &Database, call: &Call) -> Result<Creation, Stop> {
    let caller = caller(database, call)?;
    let body = body(call)?;
    let text = |name: &str| body.text_of(name);
    let (Some(key), Some(value), Some(project)) = (text("key"), text("value"), text("projectId")) else {
        return Err(message(StatusCode::BAD_REQUEST, "Missing required fields: key, value, or projectId"));
    };
    let environment = text("environmentType");
    database.project(checked_id(project)?).ok_or_else(|| not_found("Project or owner not found"))?;
    room_for(database, project)?;
    may_write(database, &caller, project, environment, "create")?;
    let missing = || Stop::Thrown("Argument `environmentType` is missing.".to_owned());
    let location = SecretLocation {
        project: project.to_owned(),
        environment: environment.ok_or_else(missing)?.to_owned(),
        branch: text("branchId").map(checked_id).transpose()?.unwrap_or_default().to_owned(),
        key: key.to_owned(),
    };
    let by = caller.email(database);
    let has_branch = !location.branch.is_empty();
    let mut secret = Secret::new(String::new(), location, database.now(), &by);
    if !has_branch {
        secret.branch = BranchLink::Null;
    }
    "API Key".clone_into(&mut secret.kind);
    fill_in(&mut secret, &body)?;
    Ok((secret, value.to_owned(), by))
}

fn created(database: &mut Database, (mut secret, value, by): Creation) -> HandlerResult {
    secret.id = database.new_id();
    let stored = database.vault.seal(&value).ok_or(HandlerPanic)?;
    secret.history.push(step(&secret, &stored, secret.updated, &by));
    secret.stored = Some(stored);
    let answer = records::raw_with_value(&secret, value.into());
    database.secrets.push(secret);
    Ok(Reply::json(StatusCode::CREATED, &answer.into()))
}

/// What the dashboard writes into the history.
fn step(secret: &Secret, stored: &str, now: Millis, by: &str) -> Entry {
    let notes =
        [("description", Json::from(&secret.description)), ("updatedAt", now.iso().into()), ("updatedBy", by.into())];
    Entry::new(&secret.version, stored, notes)
}

/// The members that a secret may be given beside its value.
fn fill_in(secret: &mut Secret, body: &Json) -> Result<(), HandlerPanic> {
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
        secret.expires = Some(Millis::parse(date).ok_or(HandlerPanic)?);
    }
    Ok(())
}

/// The plan of the project's owner has room for so many secrets; only this way of writing asks.
fn room_for(database: &Database, project: &str) -> Result<(), Stop> {
    let owner = database.project(project).and_then(|project| database.user(&project.owner));
    let tier = owner.map(|owner| owner.tier).unwrap_or_default();
    let limit = match tier {
        Tier::Free => 50,
        Tier::Pro => 100,
        Tier::Enterprise => 10_000,
    };
    if database.secrets.iter().filter(|secret| secret.project == project).count() < limit {
        return Ok(());
    }
    let name = tier.name();
    let message = format!("The workspace owner's {name} plan allows up to {limit} secrets per project.");
    let body = object([("error", "Secret limit reached".into()), ("message", message.into())]);
    Err(Reply::json(StatusCode::FORBIDDEN, &body).into())
}

/// Viewers write nothing, developers nothing in production.
fn may_write(
    database: &Database,
    caller: &Session,
    project: &str,
    environment: Option<&str>,
    verb: &str,
) -> Result<(), Stop> {
    if matches!(caller, Session::Account { .. }) {
        return of_account(caller, project, "write:secrets");
    }
    match caller.role(database, project)? {
        None => Err(forbidden("Forbidden: You do not have access to this project")),
        Some(Role::Viewer) => Err(forbidden(&format!("Viewers do not have permission to {verb} secrets"))),
        Some(Role::Developer) if environment == Some("production") => {
            Err(forbidden(&format!("Developers cannot {verb} secrets in Production")))
        }
        Some(_) => Ok(()),
    }
}

/// The secret of the query, which the caller may change.
fn writable<'a>(database: &'a Database, call: &Call, verb: &str) -> Result<(&'a Secret, Session), Stop> {
    let caller = caller(database, call)?;
    let id = call.query("id").ok_or_else(|| message(StatusCode::BAD_REQUEST, "Secret ID is required"))?;
    let found = database.secrets.by_id(checked_id(id)?);
    let secret = found.ok_or_else(|| message(StatusCode::NOT_FOUND, "Secret not found"))?;
    may_write(database, &caller, &secret.project, Some(&secret.environment), verb)?;
    Ok((secret, caller))
}

/// Changes a secret: the version goes up whatever is changed.
pub(super) fn update<'a>(connection: &'a Connection, call: &'a Call) -> BoxFuture<'a, Outcome> {
    let look = |database: &Database| {
        let (secret, caller) = writable(database, call, "update")?;
        Ok((secret.seen(), secret.stored.clone().unwrap_or_default(), caller.email(database), body(call)?))
    };
    Box::pin(async move { told(connection.read_then_write(look, updated).await) })
}

fn updated(database: &mut Database, (mut seen, stored, by, body): (Seen, String, String, Json)) -> HandlerResult {
    let now = database.now();
    let stored = match body.text_of("value") {
        Some(value) => database.vault.seal(value).ok_or(HandlerPanic)?,
        None => stored,
    };
    if let Some(key) = body.text_of("key") {
        database.secrets.rename(&seen.id, key);
    }
    let secret = database.secrets.by_id_mut(&seen.id).ok_or_else(gone)?;
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
pub(super) fn delete<'a>(connection: &'a Connection, call: &'a Call) -> BoxFuture<'a, Outcome> {
    let look = |database: &Database| Ok(writable(database, call, "delete")?.0.id.clone());
    Box::pin(async move { told(connection.read_then_write(look, deleted).await) })
}

fn deleted(database: &mut Database, id: String) -> HandlerResult {
    if !database.secrets.remove(&id) {
        return Err(gone());
    }
    Ok(Reply::ok(&object([("message", "Secret deleted successfully".into())])))
}

/// `/secret/rollback`: makes an earlier value of exactly one secret its newest version.
pub(super) fn roll_back<'a>(connection: &'a Connection, call: &'a Call) -> BoxFuture<'a, Outcome> {
    let look = |database: &Database| to_roll_back(database, call);
    Box::pin(async move {
        let done = connection.read_then_write(look, rolled_back).await;
        detailed("Internal server error during rollback", "details", done)
    })
}

/// The way back, the key and the version that is gone back to.
fn to_roll_back(database: &Database, call: &Call) -> Result<(Rollback, String, String), Stop> {
    let caller = caller(database, call)?;
    let body = body(call)?;
    let target = body.get("targetVersion").filter(|target| target.is_truthy());
    let (Some(id), Some(target)) = (body.text_of("secretId"), target) else {
        return Err(bad("Missing required fields: secretId and targetVersion"));
    };
    let secret = database.secrets.by_id(checked_id(id)?).ok_or_else(|| not_found("Secret not found"))?;
    match caller.role(database, &secret.project)? {
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
    let (now, by) = (database.now(), caller.email(database));
    let notes = [
        ("description", format!("Rolled back to version {target}").into()),
        ("updatedAt", now.iso().into()),
        ("updatedBy", by.as_str().into()),
        ("changeReason", body.text_of("changeReason").unwrap_or("Rollback").into()),
    ];
    let step = Entry::new(&secret.seen().next_version("2"), stored, notes);
    Ok((Rollback { seen: secret.seen(), step, now, by }, secret.key.clone(), target))
}

fn rolled_back(database: &mut Database, (rollback, key, target): (Rollback, String, String)) -> HandlerResult {
    let id = rollback.seen.id.clone();
    let version = rollback.write(database)?;
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

pub(super) fn rewrite<'a>(connection: &'a Connection, call: &'a Call) -> BoxFuture<'a, Outcome> {
    let look = |database: &Database| to_rewrite(database, call);
    Box::pin(async move {
        let done = connection.read_then_write(look, rewritten).await;
        detailed("Failed to rotate secrets", "message", done)
    })
}

/// One row as it is to be. What the caller leaves out stays as it is.
struct Update {
    id: String,
    stored: Option<Option<String>>,
    history: Option<Vec<Entry>>,
}

struct Rewriting {
    project: String,
    updates: Vec<Update>,
    by: String,
}

fn to_rewrite(database: &Database, call: &Call) -> Result<Rewriting, Stop> {
    let caller = caller(database, call)?;
    let body = body(call)?;
    let (Some(project), Some(Json::List(updates))) = (body.text_of("projectId"), body.get("updates")) else {
        return Err(bad("projectId and updates array are required"));
    };
    if matches!(caller, Session::Account { .. }) {
        return Err(forbidden("Service accounts cannot rotate master keys"));
    }
    if caller.role(database, project)?.is_none_or(|role| role < Role::Admin) {
        return Err(forbidden("Only project owners or admins can rotate the master key"));
    }
    let updates = updates.iter().map(parsed_update).collect::<Result<_, Stop>>()?;
    Ok(Rewriting { project: project.to_owned(), updates, by: caller.email(database) })
}

fn parsed_update(sent: &Json) -> Result<Update, Stop> {
    let id = checked_id(sent.text_of("id").unwrap_or_default())?.to_owned();
    let stored = sent.get("value").map(texts).transpose()?.map(|texts| texts.into_iter().next());
    let history = match sent.get("history") {
        None => None,
        Some(Json::List(entries)) => Some(entries.iter().map(entry).collect::<Result<_, Stop>>()?),
        Some(_) => return Err(mistyped()),
    };
    Ok(Update { id, stored, history })
}

fn mistyped() -> Stop {
    Stop::Thrown("Invalid value provided.".to_owned())
}

/// A column of texts, of which the first one counts.
fn texts(value: &Json) -> Result<Vec<String>, Stop> {
    match value {
        Json::Text(text) => Ok(vec![text.clone()]),
        Json::List(items) => items.iter().map(|item| item.text().map(str::to_owned).ok_or_else(mistyped)).collect(),
        _ => Err(mistyped()),
    }
}

/// A step of the history, with whatever members the caller gave it.
fn entry(sent: &Json) -> Result<Entry, Stop> {
    let Json::Object(members) = sent else {
        return Err(mistyped());
    };
    let version = sent.text_of("version").unwrap_or_default().to_owned();
    let stored = sent.get("value").map(texts).transpose()?.and_then(|texts| texts.into_iter().next());
    let mut notes = Members::default();
    for (name, note) in members.iter().filter(|(name, _)| !["version", "value"].contains(name)) {
        notes.set(name, note.clone());
    }
    Ok(Entry { version, stored: stored.unwrap_or_default(), notes })
}

/// All rows or none: one that is not there, or is another project's, fails the whole.
fn rewritten(database: &mut Database, Rewriting { project, updates, by }: Rewriting) -> HandlerResult {
    let is_here = |update: &Update| database.secrets.by_id(&update.id).is_some_and(|secret| secret.project == project);
    if !updates.iter().all(is_here) {
        return Err(gone());
    }
    let (count, now) = (updates.len(), database.now());
    for update in updates {
        let secret = database.secrets.by_id_mut(&update.id).ok_or_else(gone)?;
        if let Some(stored) = update.stored {
            secret.stored = stored;
        }
        if let Some(history) = update.history {
            secret.history = history;
        }
        secret.updated = now;
        by.clone_into(&mut secret.updated_by);
    }
    Ok(Reply::json(StatusCode::OK, &object([("success", true.into()), ("count", Json::count(count))])))
}
