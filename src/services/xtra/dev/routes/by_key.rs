//! One secret by its key, `/projects/{projectId}/envs/{env}/secrets/{key}` and what is below it: the first secret with the key
//! in the environment, spelled exactly, on whatever branch.

use futures_util::future::BoxFuture;
use hyper::http::StatusCode;

use super::Connection;
use super::answers::{
    HandlerResult, Outcome, Stop, bad, body, caller, echoed, forbidden, gone, not_found, success, uncaught,
};
use super::records;
use super::secrets::{Access, access, elevation_required};
use crate::dev::javascript::{Json, Members, object};
use crate::dev::{Call, HandlerPanic, Millis, Reply, routes};
use crate::services::xtra::dev::auth::Session;
use crate::services::xtra::dev::database::{Database, checked_id};
use crate::services::xtra::dev::secret::{Entry, Secret, SecretLocation, Seen};
use crate::services::xtra::dev::seed::Role;

routes! {
    for Database;

    /// Gets one secret as it lies in the database.
    GET "/projects/{projectId}/envs/{env}/secrets/{key}" as SECRET_GET => at_once(get);
    /// Deletes the first secret with a key, on whatever branch.
    DELETE "/projects/{projectId}/envs/{env}/secrets/{key}" as SECRET_DELETE => in_steps(delete);
    /// Lists the earlier values of a secret.
    GET "/projects/{projectId}/envs/{env}/secrets/{key}/history" as SECRET_HISTORY => at_once(list_history);
    /// Makes an earlier value of a secret its newest version.
    POST "/projects/{projectId}/envs/{env}/secrets/{key}/history" as SECRET_ROLLBACK => in_steps(roll_back);
    /// Gives a secret another value.
    POST "/projects/{projectId}/envs/{env}/secrets/{key}/rotate" as SECRET_ROTATE => in_steps(rotate);
    /// Would make a shadow value the value; there never is one.
    POST "/projects/{projectId}/envs/{env}/secrets/{key}/promote" as SECRET_PROMOTE => at_once(promote);
    /// Links a key to a secret of another project.
    POST "/projects/{projectId}/envs/{env}/secrets/link" as SECRETS_LINK => in_steps(link);
}

/// The secret that a path names.
fn named<'a>(database: &'a Database, call: &Call) -> Result<&'a Secret, Stop> {
    let found = database.secrets.first(call.param("projectId"), call.param("env"), call.param("key"));
    found.ok_or_else(|| not_found("Secret not found"))
}

/// The row as it lies in the database: its value is ciphertext.
pub(super) fn get(database: &mut Database, call: &Call) -> Outcome {
    uncaught(got(database, call))
}

fn got(database: &Database, call: &Call) -> HandlerResult {
    let caller = caller(database, call)?;
    let project = checked_id(call.param("projectId"))?;
    database.project(project).ok_or_else(|| not_found("Project not found or access denied"))?;
    let secret = named(database, call)?;
    match may_read(database, &caller, secret)? {
        Access::Granted { .. } => Ok(Reply::ok(&records::raw_secret(secret).into())),
        Access::NeedsElevation => Ok(elevation_required()),
        Access::Denied => Err(forbidden("Access Denied")),
    }
}

fn may_read(database: &Database, caller: &Session, secret: &Secret) -> Result<Access, HandlerPanic> {
    if let Session::Account { project, .. } = caller {
        let may = *project == secret.project && caller.has_permission("read:secrets");
        return Ok(if may { Access::Granted { masked: false } } else { Access::Denied });
    }
    if was_granted(database, caller, secret) {
        return Ok(Access::Granted { masked: false });
    }
    access(database, caller, &secret.project)
}

/// An approved request of the caller for the project or for the secret.
fn was_granted(database: &Database, caller: &Session, secret: &Secret) -> bool {
    let Session::User { id, .. } = caller else {
        return false;
    };
    database
        .valid_requests(id)
        .any(|request| request.project.as_ref() == Some(&secret.project) || request.secrets.contains(&secret.id))
}

/// Deletes one row.
pub(super) fn delete<'a>(connection: &'a Connection, call: &'a Call) -> BoxFuture<'a, Outcome> {
    let look = |database: &Database| to_delete(database, call);
    let change =
        |database: &mut Database, id: String| if database.secrets.remove(&id) { Ok(success()) } else { Err(gone()) };
    Box::pin(async move { echoed(connection.read_then_write(look, change).await) })
}

fn to_delete(database: &Database, call: &Call) -> Result<String, Stop> {
    let caller = caller(database, call)?;
    let project = checked_id(call.param("projectId"))?;
    database.project(project).ok_or_else(|| not_found("Project not found"))?;
    let secret = named(database, call)?;
    let may = match &caller {
        // No permission but the two that stand for all of them.
        Session::Account { project, .. } => *project == secret.project && caller.has_permission("*"),
        Session::User { .. } => {
            let administers = caller.role(database, project)?.is_some_and(|role| role >= Role::Admin);
            administers || was_granted(database, &caller, secret)
        }
    };
    if !may {
        return Err(forbidden("Access Denied"));
    }
    Ok(secret.id.clone())
}

/// Gives a secret another value. Any caller may; only the strategy `regenerate` works.
pub(super) fn rotate<'a>(connection: &'a Connection, call: &'a Call) -> BoxFuture<'a, Outcome> {
    let look = |database: &Database| to_rotate(database, call);
    Box::pin(async move { echoed(connection.read_then_write(look, rotated).await) })
}

/// A row, the value that it has, the one that it is to have if the caller said it, and the caller.
type Rotation = (Seen, String, Option<String>, String);

fn to_rotate(database: &Database, call: &Call) -> Result<Rotation, Stop> {
    let caller = caller(database, call)?;
    let body = body(call)?;
    checked_id(call.param("projectId"))?;
    let secret = named(database, call)?;
    if body.text_of("strategy") != Some("regenerate") {
        return Err(Stop::Thrown("Unknown argument `shadowStatus`. Available options are marked with ?.".to_owned()));
    }
    let value = body.get("parsedNewValue").filter(|value| value.is_truthy());
    let value = value.map(|value| value.text().map(str::to_owned).ok_or_else(no_text)).transpose()?;
    Ok((secret.seen(), secret.stored.clone().unwrap_or_default(), value, caller.user_id()))
}

fn rotated(database: &mut Database, (mut seen, old, value, by): Rotation) -> HandlerResult {
    let value = match value {
        Some(value) => value,
        None => database.vault.random_hex::<16>().ok_or(HandlerPanic)?,
    };
    let now = database.now();
    let stored = database.vault.seal(&value).ok_or(HandlerPanic)?;
    let secret = database.secrets.by_id_mut(&seen.id).ok_or_else(gone)?;
    // The old value goes into the history under the old version, and the new one does not.
    let notes = [("updatedAt", now.iso().into()), ("updatedBy", by.as_str().into())];
    seen.history.push(Entry::new(&seen.version, &old, notes));
    secret.overwrite(seen.next_version("NaN"), seen.history, stored, (now, &by));
    let answer = [("success", true.into()), ("message", "Secret rotated".into()), ("shadowValue", value.into())];
    Ok(Reply::ok(&object(answer)))
}

fn no_text() -> Stop {
    Stop::Thrown("The \"data\" argument must be of type string".to_owned())
}

/// There is never a shadow value, because no rotation can make one.
pub(super) fn promote(database: &mut Database, call: &Call) -> Outcome {
    let promoted = || -> HandlerResult {
        caller(database, call)?;
        checked_id(call.param("projectId"))?;
        named(database, call)?;
        Err(bad("No active shadow value to promote"))
    };
    echoed(promoted())
}

/// The path of a secret named `link` is another route's, which knows only `POST`.
pub(super) fn link<'a>(connection: &'a Connection, call: &'a Call) -> BoxFuture<'a, Outcome> {
    let look = |database: &Database| to_link(database, call);
    Box::pin(async move { echoed(connection.read_then_write(look, linked).await) })
}

/// A link before it is written: where it goes, who makes it, what it links to.
struct Link {
    location: SecretLocation,
    by: String,
    source: String,
    description: String,
}

fn to_link(database: &Database, call: &Call) -> Result<Link, Stop> {
    let caller = caller(database, call)?;
    let body = body(call)?;
    let text = |name| body.text_of(name);
    let (Some(key), Some(from), Some(environment), Some(source_key)) =
        (text("key"), text("sourceProjectId"), text("sourceEnv"), text("sourceKey"))
    else {
        return Err(bad("Missing required fields: key, sourceProjectId, sourceEnv, sourceKey"));
    };
    let project = database.project(checked_id(from)?).ok_or_else(|| not_found("Source project not found"))?;
    let Some(source) = database.secrets.first(from, environment, source_key) else {
        let message = format!("Source secret '{source_key}' not found in project {from} ({environment})");
        return Err(not_found(&message));
    };
    if source.is_linked() {
        return Err(bad("Cannot link to a secret that is already a reference"));
    }
    let location = SecretLocation {
        project: checked_id(call.param("projectId"))?.to_owned(),
        environment: call.param("env").to_owned(),
        branch: String::new(),
        key: key.to_owned(),
    };
    let description = format!("Linked to {}:{environment}:{source_key}", project.name);
    Ok(Link { location, by: caller.user_id(), source: source.id.clone(), description })
}

fn linked(database: &mut Database, link: Link) -> HandlerResult {
    let id = database.new_id();
    let mut row = Secret::link(id, link.location, (database.now(), &link.by), link.source);
    row.description = link.description;
    let answer = records::raw_secret(&row);
    database.secrets.push(row);
    Ok(Reply::json(StatusCode::CREATED, &answer.into()))
}

const PRODUCTION: &str = "production";

/// These two handlers decode the key a second time.
fn decoded_key(call: &Call) -> Result<String, Stop> {
    let malformed = || Stop::Thrown("URI malformed".to_owned());
    let mut bytes = Vec::new();
    let mut rest = call.param("key").as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = tail;
            continue;
        }
        let digits = tail.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit)).ok_or_else(malformed)?;
        let digits = std::str::from_utf8(digits).map_err(|_| malformed())?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| malformed())?);
        rest = tail.get(2..).unwrap_or_default();
    }
    String::from_utf8(bytes).map_err(|_| malformed())
}

fn role_in(database: &Database, caller: &Session, project: &str) -> Result<Role, Stop> {
    caller.role(database, project)?.ok_or_else(|| forbidden("Forbidden: No access to this project"))
}

fn named_by<'a>(database: &'a Database, call: &Call, key: &str) -> Result<&'a Secret, Stop> {
    let found = database.secrets.first(call.param("projectId"), call.param("env"), key);
    found.ok_or_else(|| not_found("Secret not found"))
}

/// Every role reads all values in the clear.
pub(super) fn list_history(database: &mut Database, call: &Call) -> Outcome {
    echoed(history_listed(database, call))
}

fn history_listed(database: &Database, call: &Call) -> HandlerResult {
    let caller = caller(database, call)?;
    let key = decoded_key(call)?;
    role_in(database, &caller, call.param("projectId"))?;
    let secret = named_by(database, call, &key)?;
    let history: Vec<Json> = secret.history.iter().map(|entry| shown(database, entry)).collect();
    let answer = [("currentVersion", Json::from(&secret.version)), ("history", history.into())];
    Ok(Reply::ok(&object(answer)))
}

/// Members that an entry does not have are left out.
fn shown(database: &Database, entry: &Entry) -> Json {
    let mut shown = Members::default();
    if !entry.version.is_empty() {
        shown.set("version", &entry.version);
    }
    for name in ["updatedAt", "updatedBy", "description"] {
        let Some(note) = entry.notes.get(name) else {
            continue;
        };
        let user = (name == "updatedBy").then(|| note.text().and_then(|id| database.user(id))).flatten();
        shown.set(name, user.map_or_else(|| note.clone(), |user| Json::from(&user.email)));
    }
    shown.set("value", value_of(database, entry));
    shown.into()
}

/// Here text that is no envelope, and an envelope that does not open, are words.
fn value_of(database: &Database, entry: &Entry) -> String {
    if entry.stored.is_empty() {
        return "Value unchanged in this version".to_owned();
    }
    if let Some(value) = database.vault.open(&entry.stored) {
        return value;
    }
    let envelope = Json::parse(entry.stored.as_bytes());
    let is_whole =
        |envelope: &Json| ["iv", "encryptedData", "authTag"].iter().all(|name| envelope.text_of(name).is_some());
    match envelope {
        Some(envelope) if !is_whole(&envelope) => entry.stored.clone(),
        _ => "Error decrypting or legacy format".to_owned(),
    }
}

/// Makes an earlier value the newest version.
pub(super) fn roll_back<'a>(connection: &'a Connection, call: &'a Call) -> BoxFuture<'a, Outcome> {
    let look = |database: &Database| to_roll_back(database, call);
    let change = |database: &mut Database, rollback: Rollback| {
        let version = rollback.write(database)?;
        Ok(Reply::ok(&object([("success", true.into()), ("version", version.into())])))
    };
    Box::pin(async move { echoed(connection.read_then_write(look, change).await) })
}

fn to_roll_back(database: &Database, call: &Call) -> Result<Rollback, Stop> {
    let caller = caller(database, call)?;
    let key = decoded_key(call)?;
    let body = body(call)?;
    let version = body.get("version").filter(|version| version.is_truthy()).ok_or_else(|| bad("Version required"))?;
    let role = role_in(database, &caller, call.param("projectId"))?;
    if role == Role::Viewer {
        return Err(forbidden("Forbidden: Viewers cannot rollback secrets"));
    }
    if role == Role::Developer && call.param("env") == PRODUCTION {
        return Err(forbidden("Forbidden: Developers cannot rollback production secrets"));
    }
    let secret = named_by(database, call, &key)?;
    // Compared without converting: a number is no version.
    let wanted = version.text();
    if wanted == Some(secret.version.as_str()) {
        return Err(bad("Already on this version"));
    }
    let entry = secret.history.iter().find(|entry| wanted == Some(entry.version.as_str()));
    let entry = entry.ok_or_else(|| not_found("Version not found in history"))?;
    let (now, by) = (database.now(), caller.user_id());
    let description = format!("Rolled back to version {}", entry.version);
    let notes = [
        ("updatedAt", now.iso().into()),
        ("updatedBy", by.as_str().into()),
        ("description", Json::from(description.as_str())),
    ];
    let step = Entry::new(&secret.seen().next_version("2"), &entry.stored, notes);
    Ok(Rollback { seen: secret.seen(), step, now, by })
}

/// An earlier value as a new version, before it is written.
pub(super) struct Rollback {
    pub(super) seen: Seen,
    pub(super) step: Entry,
    pub(super) now: Millis,
    pub(super) by: String,
}

impl Rollback {
    /// Writes it, with its step at the *head* of the history; the new version.
    pub(super) fn write(self, database: &mut Database) -> Result<String, Stop> {
        let Rollback { mut seen, step, now, by } = self;
        let secret = database.secrets.by_id_mut(&seen.id).ok_or_else(gone)?;
        let (version, stored) = (step.version.clone(), step.stored.clone());
        seen.history.insert(0, step);
        secret.overwrite(version.clone(), seen.history, stored, (now, &by));
        Ok(version)
    }
}
