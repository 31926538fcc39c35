//! `/projects/{projectId}/webhooks`. They are kept and never called.

use axum::http::StatusCode;

use super::answers::{Outcome, Steps, Stop, bad, body, caller, echoed, not_found, success};
use crate::services::xtra::dev::js::{Json, Members};
use crate::services::xtra::dev::requests::Webhook;
use crate::services::xtra::dev::state::{Project, World, checked_id};
use crate::services::xtra::dev::wire::{Call, Reply};

/// The project of the path, when the caller has created it.
fn own<'a>(world: &'a World, call: &Call) -> Result<Option<&'a Project>, Stop> {
    let caller = caller(world, call)?;
    let user = caller.database_id()?;
    Ok(world.project(checked_id(call.param("projectId"))?).filter(|project| project.owner == user))
}

fn record(webhook: &Webhook) -> Members {
    let mut record = Members::default();
    record.set("id", &webhook.id);
    record.set("projectId", &webhook.project);
    record.set("url", &webhook.url);
    record.set("events", webhook.events.clone());
    record.set("active", webhook.is_active);
    record.set("createdAt", webhook.created.iso());
    record.set("updatedAt", webhook.updated.iso());
    record
}

/// Lists the webhooks, the newest first: to everybody but the project's creator there are none.
pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let listed = |world: &World| -> Steps {
        let project = own(world, call)?.map(|project| &project.id);
        let found = world.webhooks.iter().rev().filter(|webhook| Some(&webhook.project) == project);
        Ok(Reply::ok(&found.map(record).collect::<Vec<_>>().into()))
    };
    echoed(listed(world))
}

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    echoed(created(world, call))
}

fn created(world: &mut World, call: &Call) -> Steps {
    let project = own(world, call)?.map(|project| project.id.clone());
    let body = body(call)?;
    let (Some(url), Some(events)) = (body.text_of("url"), body.texts_of("events")) else {
        return Err(bad("URL and events are required"));
    };
    let now = world.now();
    let webhook = Webhook {
        project: project.ok_or_else(|| not_found("Project not found"))?,
        id: world.new_id(),
        url: url.to_owned(),
        events,
        is_active: body.get("active").is_none_or(Json::is_truthy),
        created: now,
        updated: now,
    };
    let answer = record(&webhook);
    world.webhooks.push(webhook);
    Ok(Reply::json(StatusCode::CREATED, &answer.into()))
}

fn no_such(webhook: Option<&mut Webhook>) -> Result<&mut Webhook, Stop> {
    webhook.ok_or_else(|| {
        Stop::Thrown("An operation failed because it depends on a record that was not found.".to_owned())
    })
}

/// Turns a webhook on or off. Any caller may, whatever the project.
pub(super) fn update(world: &mut World, call: &Call) -> Outcome {
    echoed(updated(world, call))
}

fn updated(world: &mut World, call: &Call) -> Steps {
    caller(world, call)?;
    let body = body(call)?;
    let id = checked_id(body.text_of("id").ok_or_else(|| bad("Webhook id required"))?)?;
    let now = world.now();
    let webhook = no_such(world.webhooks.iter_mut().find(|webhook| webhook.id == id))?;
    webhook.is_active = body.get("active").is_some_and(Json::is_truthy);
    webhook.updated = now;
    Ok(Reply::ok(&record(webhook).into()))
}

/// Deletes the webhook that the query names. Any caller may, whatever the project.
pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    echoed(deleted(world, call))
}

fn deleted(world: &mut World, call: &Call) -> Steps {
    caller(world, call)?;
    let id = checked_id(call.query("id").ok_or_else(|| bad("Webhook id required"))?)?;
    no_such(world.webhooks.iter_mut().find(|webhook| webhook.id == id))?;
    world.webhooks.retain(|webhook| webhook.id != id);
    Ok(success())
}

/// Deletes the webhook of the path, for the project's creator.
pub(super) fn delete_own(world: &mut World, call: &Call) -> Outcome {
    echoed(deleted_own(world, call))
}

fn deleted_own(world: &mut World, call: &Call) -> Steps {
    let project = own(world, call)?.map(|project| project.id.clone());
    let id = checked_id(call.param("webhookId"))?;
    let is_it = |webhook: &Webhook| webhook.id == id && Some(&webhook.project) == project.as_ref();
    if !world.webhooks.iter().any(is_it) {
        return Err(not_found("Webhook not found"));
    }
    world.webhooks.retain(|webhook| webhook.id != id);
    Ok(success())
}
