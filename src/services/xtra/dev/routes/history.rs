//! `/projects/{projectId}/envs/{env}/secrets/{key}/history`: earlier values, and the way back to one.

use super::answers::{Outcome, Steps, Stop, bad, body, caller, echoed, forbidden, gone, not_found};
use crate::services::xtra::dev::auth::Session;
use crate::services::xtra::dev::clock::Moment;
use crate::services::xtra::dev::database::{Answering, Database};
use crate::services::xtra::dev::js::{Json, Members, object};
use crate::services::xtra::dev::secret::{Entry, Secret, Seen};
use crate::services::xtra::dev::seed::Role;
use crate::services::xtra::dev::state::World;
use crate::services::xtra::dev::wire::{Call, Reply};

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

fn role_in(world: &World, caller: &Session, project: &str) -> Result<Role, Stop> {
    caller.role(world, project)?.ok_or_else(|| forbidden("Forbidden: No access to this project"))
}

fn named<'a>(world: &'a World, call: &Call, key: &str) -> Result<&'a Secret, Stop> {
    let found = world.secrets.first(call.param("projectId"), call.param("env"), key);
    found.ok_or_else(|| not_found("Secret not found"))
}

/// Every role reads all values in the clear.
pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    echoed(listed(world, call))
}

fn listed(world: &World, call: &Call) -> Steps {
    let caller = caller(world, call)?;
    let key = decoded_key(call)?;
    role_in(world, &caller, call.param("projectId"))?;
    let secret = named(world, call, &key)?;
    let history: Vec<Json> = secret.history.iter().map(|entry| shown(world, entry)).collect();
    let answer = [("currentVersion", Json::from(&secret.version)), ("history", history.into())];
    Ok(Reply::ok(&object(answer)))
}

/// Members that an entry does not have are left out.
fn shown(world: &World, entry: &Entry) -> Json {
    let mut shown = Members::default();
    if !entry.version.is_empty() {
        shown.set("version", &entry.version);
    }
    for name in ["updatedAt", "updatedBy", "description"] {
        let Some(note) = entry.notes.get(name) else {
            continue;
        };
        let user = (name == "updatedBy").then(|| note.text().and_then(|id| world.user(id))).flatten();
        shown.set(name, user.map_or_else(|| note.clone(), |user| Json::from(&user.email)));
    }
    shown.set("value", value_of(world, entry));
    shown.into()
}

/// Here text that is no envelope, and an envelope that does not open, are words.
fn value_of(world: &World, entry: &Entry) -> String {
    if entry.stored.is_empty() {
        return "Value unchanged in this version".to_owned();
    }
    if let Some(value) = world.vault.open(&entry.stored) {
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
pub(super) fn roll_back<'a>(database: &'a Database, call: &'a Call) -> Answering<'a, Outcome> {
    let look = |world: &World| way_back(world, call);
    let change = |world: &mut World, way: WayBack| {
        let version = way.go(world)?;
        Ok(Reply::ok(&object([("success", true.into()), ("version", version.into())])))
    };
    Box::pin(async move { echoed(database.look_and_change(look, change).await) })
}

fn way_back(world: &World, call: &Call) -> Result<WayBack, Stop> {
    let caller = caller(world, call)?;
    let key = decoded_key(call)?;
    let body = body(call)?;
    let version = body.get("version").filter(|version| version.is_truthy()).ok_or_else(|| bad("Version required"))?;
    let role = role_in(world, &caller, call.param("projectId"))?;
    if role == Role::Viewer {
        return Err(forbidden("Forbidden: Viewers cannot rollback secrets"));
    }
    if role == Role::Developer && call.param("env") == PRODUCTION {
        return Err(forbidden("Forbidden: Developers cannot rollback production secrets"));
    }
    let secret = named(world, call, &key)?;
    // Compared without converting: a number is no version.
    let wanted = version.text();
    if wanted == Some(secret.version.as_str()) {
        return Err(bad("Already on this version"));
    }
    let entry = secret.history.iter().find(|entry| wanted == Some(entry.version.as_str()));
    let entry = entry.ok_or_else(|| not_found("Version not found in history"))?;
    let (now, by) = (world.now(), caller.user_id());
    let description = format!("Rolled back to version {}", entry.version);
    let notes = [
        ("updatedAt", now.iso().into()),
        ("updatedBy", by.as_str().into()),
        ("description", Json::from(description.as_str())),
    ];
    let step = Entry::new(&secret.seen().next_version("2"), &entry.stored, notes);
    Ok(WayBack { seen: secret.seen(), step, now, by })
}

/// An earlier value as a new version, before it is written.
pub(super) struct WayBack {
    pub(super) seen: Seen,
    pub(super) step: Entry,
    pub(super) now: Moment,
    pub(super) by: String,
}

impl WayBack {
    /// Writes it, with its step at the *head* of the history; the new version.
    pub(super) fn go(self, world: &mut World) -> Result<String, Stop> {
        let WayBack { mut seen, step, now, by } = self;
        let secret = world.secrets.by_id_mut(&seen.id).ok_or_else(gone)?;
        let (version, stored) = (step.version.clone(), step.stored.clone());
        seen.history.insert(0, step);
        secret.overwrite(version.clone(), seen.history, stored, (now, &by));
        Ok(version)
    }
}
