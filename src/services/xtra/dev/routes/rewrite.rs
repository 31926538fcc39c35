//! `/secret/rotate`: other ciphertext for the values and the histories of a project's secrets, under the same versions.

use axum::http::StatusCode;

use super::answers::{Outcome, Steps, Stop, bad, body, caller, detailed, forbidden, gone};
use crate::services::xtra::dev::auth::Session;
use crate::services::xtra::dev::database::{Answering, Database};
use crate::services::xtra::dev::js::{Json, Members, object};
use crate::services::xtra::dev::secret::Entry;
use crate::services::xtra::dev::seed::Role;
use crate::services::xtra::dev::state::{World, checked_id};
use crate::services::xtra::dev::wire::{Call, Reply};

pub(super) fn rewrite<'a>(database: &'a Database, call: &'a Call) -> Answering<'a, Outcome> {
    let look = |world: &World| to_rewrite(world, call);
    Box::pin(async move {
        let done = database.look_and_change(look, rewritten).await;
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

fn to_rewrite(world: &World, call: &Call) -> Result<Rewriting, Stop> {
    let caller = caller(world, call)?;
    let body = body(call)?;
    let (Some(project), Some(Json::List(updates))) = (body.text_of("projectId"), body.get("updates")) else {
        return Err(bad("projectId and updates array are required"));
    };
    if matches!(caller, Session::Account { .. }) {
        return Err(forbidden("Service accounts cannot rotate master keys"));
    }
    if caller.role(world, project)?.is_none_or(|role| role < Role::Admin) {
        return Err(forbidden("Only project owners or admins can rotate the master key"));
    }
    let updates = updates.iter().map(update).collect::<Result<_, Stop>>()?;
    Ok(Rewriting { project: project.to_owned(), updates, by: caller.email(world) })
}

fn update(sent: &Json) -> Result<Update, Stop> {
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
fn rewritten(world: &mut World, Rewriting { project, updates, by }: Rewriting) -> Steps {
    let is_here = |update: &Update| world.secrets.by_id(&update.id).is_some_and(|secret| secret.project == project);
    if !updates.iter().all(is_here) {
        return Err(gone());
    }
    let (count, now) = (updates.len(), world.now());
    for update in updates {
        let secret = world.secrets.by_id_mut(&update.id).ok_or_else(gone)?;
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
