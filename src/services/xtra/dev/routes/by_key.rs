//! `/projects/{projectId}/envs/{env}/secrets/{key}` and what is below it but the history: the first secret with a key in an
//! environment, spelled exactly, on whatever branch.

use axum::http::StatusCode;

use super::answers::{Outcome, Steps, Stop, bad, body, caller, echoed, forbidden, gone, not_found, success, uncaught};
use super::records;
use super::secrets::{Access, access, elevation_required};
use crate::services::xtra::dev::auth::Session;
use crate::services::xtra::dev::database::{Answering, Database};
use crate::services::xtra::dev::js::object;
use crate::services::xtra::dev::secret::{Entry, Secret, Seen};
use crate::services::xtra::dev::seed::Role;
use crate::services::xtra::dev::state::{Crash, Place, World, checked_id};
use crate::services::xtra::dev::wire::{Call, Reply};

/// The secret that a path names.
fn named<'a>(world: &'a World, call: &Call) -> Result<&'a Secret, Stop> {
    let found = world.secrets.first(call.param("projectId"), call.param("env"), call.param("key"));
    found.ok_or_else(|| not_found("Secret not found"))
}

/// The row as it lies in the database: its value is ciphertext.
pub(super) fn get(world: &mut World, call: &Call) -> Outcome {
    uncaught(got(world, call))
}

fn got(world: &World, call: &Call) -> Steps {
    let caller = caller(world, call)?;
    let project = checked_id(call.param("projectId"))?;
    world.project(project).ok_or_else(|| not_found("Project not found or access denied"))?;
    let secret = named(world, call)?;
    match may_read(world, &caller, secret)? {
        Access::Granted { .. } => Ok(Reply::ok(&records::raw_secret(secret).into())),
        Access::NeedsElevation => Ok(elevation_required()),
        Access::Denied => Err(forbidden("Access Denied")),
    }
}

fn may_read(world: &World, caller: &Session, secret: &Secret) -> Result<Access, Crash> {
    if let Session::Account { project, .. } = caller {
        let may = *project == secret.project && caller.has_permission("read:secrets");
        return Ok(if may { Access::Granted { masked: false } } else { Access::Denied });
    }
    if was_granted(world, caller, secret) {
        return Ok(Access::Granted { masked: false });
    }
    access(world, caller, &secret.project)
}

/// An approved request of the caller for the project or for the secret.
fn was_granted(world: &World, caller: &Session, secret: &Secret) -> bool {
    let Session::User { id, .. } = caller else {
        return false;
    };
    world
        .valid_requests(id)
        .any(|request| request.project.as_ref() == Some(&secret.project) || request.secrets.contains(&secret.id))
}

/// Deletes one row.
pub(super) fn delete<'a>(database: &'a Database, call: &'a Call) -> Answering<'a, Outcome> {
    let look = |world: &World| to_delete(world, call);
    let change = |world: &mut World, id: String| if world.secrets.remove(&id) { Ok(success()) } else { Err(gone()) };
    Box::pin(async move { echoed(database.look_and_change(look, change).await) })
}

fn to_delete(world: &World, call: &Call) -> Result<String, Stop> {
    let caller = caller(world, call)?;
    let project = checked_id(call.param("projectId"))?;
    world.project(project).ok_or_else(|| not_found("Project not found"))?;
    let secret = named(world, call)?;
    let may = match &caller {
        // No permission but the two that stand for all of them.
        Session::Account { project, .. } => *project == secret.project && caller.has_permission("*"),
        Session::User { .. } => {
            let administers = caller.role(world, project)?.is_some_and(|role| role >= Role::Admin);
            administers || was_granted(world, &caller, secret)
        }
    };
    if !may {
        return Err(forbidden("Access Denied"));
    }
    Ok(secret.id.clone())
}

/// Gives a secret another value. Any caller may; only the strategy `regenerate` works.
pub(super) fn rotate<'a>(database: &'a Database, call: &'a Call) -> Answering<'a, Outcome> {
    let look = |world: &World| to_rotate(world, call);
    Box::pin(async move { echoed(database.look_and_change(look, rotated).await) })
}

/// A row, the value that it has, the one that it is to have if the caller said it, and the caller.
type Rotation = (Seen, String, Option<String>, String);

fn to_rotate(world: &World, call: &Call) -> Result<Rotation, Stop> {
    let caller = caller(world, call)?;
    let body = body(call)?;
    checked_id(call.param("projectId"))?;
    let secret = named(world, call)?;
    if body.text_of("strategy") != Some("regenerate") {
        return Err(Stop::Thrown("Unknown argument `shadowStatus`. Available options are marked with ?.".to_owned()));
    }
    let value = body.get("parsedNewValue").filter(|value| value.is_truthy());
    let value = value.map(|value| value.text().map(str::to_owned).ok_or_else(no_text)).transpose()?;
    Ok((secret.seen(), secret.stored.clone().unwrap_or_default(), value, caller.user_id()))
}

fn rotated(world: &mut World, (mut seen, old, value, by): Rotation) -> Steps {
    let value = match value {
        Some(value) => value,
        None => world.vault.random_hex::<16>().ok_or(Crash)?,
    };
    let now = world.now();
    let stored = world.vault.seal(&value).ok_or(Crash)?;
    let secret = world.secrets.by_id_mut(&seen.id).ok_or_else(gone)?;
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
pub(super) fn promote(world: &mut World, call: &Call) -> Outcome {
    let promoted = || -> Steps {
        caller(world, call)?;
        checked_id(call.param("projectId"))?;
        named(world, call)?;
        Err(bad("No active shadow value to promote"))
    };
    echoed(promoted())
}

/// The path of a secret named `link` is another route's, which knows only `POST`.
pub(super) fn link<'a>(database: &'a Database, call: &'a Call) -> Answering<'a, Outcome> {
    let look = |world: &World| to_link(world, call);
    Box::pin(async move { echoed(database.look_and_change(look, linked).await) })
}

/// A link before it is written: where it goes, who makes it, what it links to.
struct Link {
    place: Place,
    by: String,
    source: String,
    description: String,
}

fn to_link(world: &World, call: &Call) -> Result<Link, Stop> {
    let caller = caller(world, call)?;
    let body = body(call)?;
    let text = |name| body.text_of(name);
    let (Some(key), Some(from), Some(environment), Some(source_key)) =
        (text("key"), text("sourceProjectId"), text("sourceEnv"), text("sourceKey"))
    else {
        return Err(bad("Missing required fields: key, sourceProjectId, sourceEnv, sourceKey"));
    };
    let project = world.project(checked_id(from)?).ok_or_else(|| not_found("Source project not found"))?;
    let Some(source) = world.secrets.first(from, environment, source_key) else {
        let message = format!("Source secret '{source_key}' not found in project {from} ({environment})");
        return Err(not_found(&message));
    };
    if source.is_linked() {
        return Err(bad("Cannot link to a secret that is already a reference"));
    }
    let place = Place {
        project: checked_id(call.param("projectId"))?.to_owned(),
        environment: call.param("env").to_owned(),
        branch: String::new(),
        key: key.to_owned(),
    };
    let description = format!("Linked to {}:{environment}:{source_key}", project.name);
    Ok(Link { place, by: caller.user_id(), source: source.id.clone(), description })
}

fn linked(world: &mut World, link: Link) -> Steps {
    let id = world.new_id();
    let mut row = Secret::link(id, link.place, (world.now(), &link.by), link.source);
    row.description = link.description;
    let answer = records::raw_secret(&row);
    world.secrets.push(row);
    Ok(Reply::json(StatusCode::CREATED, &answer.into()))
}
