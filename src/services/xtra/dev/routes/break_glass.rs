//! `/access/break-glass`: a quarter of an hour for emergencies.

use std::time::Duration;

use super::answers::{Outcome, Steps, bad, body, caller, detailed, forbidden, success};
use crate::services::xtra::dev::clock::Moment;
use crate::services::xtra::dev::js::{Json, object};
use crate::services::xtra::dev::requests::Emergency;
use crate::services::xtra::dev::seed::Role;
use crate::services::xtra::dev::state::{World, checked_id};
use crate::services::xtra::dev::wire::{Call, Reply};

const LASTS: Duration = Duration::from_secs(15 * 60);

fn failed(steps: Steps) -> Outcome {
    detailed("Internal Server Error", "details", steps)
}

pub(super) fn begin(world: &mut World, call: &Call) -> Outcome {
    failed(begun(world, call))
}

fn begun(world: &mut World, call: &Call) -> Steps {
    let caller = caller(world, call)?;
    let body = body(call)?;
    let (Some(project), Some(reason)) = (body.text_of("projectId"), body.text_of("reason")) else {
        return Err(bad("Missing required fields: projectId, reason"));
    };
    if caller.role(world, checked_id(project)?)?.is_none_or(|role| role < Role::Admin) {
        return Err(forbidden("Forbidden: Only admins or owners can activate break glass."));
    }
    let user = caller.user_id();
    if let Some(running) = world.emergency(&user, project) {
        let message = "Active Break Glass session already exists";
        return Ok(Reply::ok(&object([("message", message.into()), ("session", record(running))])));
    }
    let now = world.now();
    let id = world.new_id();
    let emergency = Emergency {
        incident: body.text_of("incidentId").map_or_else(|| format!("INC-{id}"), str::to_owned),
        id,
        user,
        project: project.to_owned(),
        reason: reason.to_owned(),
        started: now,
        expires: now.plus(LASTS),
        ended: None,
    };
    let expires = emergency.expires.iso();
    world.emergencies.push(emergency);
    let message = "Break Glass session started.";
    Ok(Reply::ok(&object([("success", true.into()), ("message", message.into()), ("expiresAt", expires.into())])))
}

fn record(emergency: &Emergency) -> Json {
    object([
        ("id", Json::from(&emergency.id)),
        ("userId", Json::from(&emergency.user)),
        ("projectId", Json::from(&emergency.project)),
        ("incidentId", Json::from(&emergency.incident)),
        ("reason", Json::from(&emergency.reason)),
        ("startedAt", emergency.started.iso().into()),
        ("expiresAt", emergency.expires.iso().into()),
        ("endedAt", emergency.ended.map(Moment::iso).into()),
        ("isActive", emergency.ended.is_none().into()),
    ])
}

/// Ends the caller's session, whether or not there is one.
pub(super) fn end(world: &mut World, call: &Call) -> Outcome {
    let ended = |world: &mut World| -> Steps {
        let caller = caller(world, call)?;
        let body = body(call)?;
        let (user, now) = (caller.user_id(), world.now());
        let project = body.text_of("projectId").unwrap_or_default();
        let own = world.emergencies.iter_mut().filter(|known| known.user == user && known.project == project);
        for emergency in own.filter(|known| known.ended.is_none()) {
            emergency.ended = Some(now);
        }
        let message = "Break Glass session ended.";
        Ok(Reply::ok(&object([("success", true.into()), ("message", message.into())])))
    };
    failed(ended(world))
}

/// Notes what was done in a session. The notes cannot be read.
pub(super) fn note(world: &mut World, call: &Call) -> Outcome {
    let noted = |world: &World| -> Steps {
        let caller = caller(world, call)?;
        let body = body(call)?;
        let project = body.text_of("projectId").unwrap_or_default();
        let running = world.emergency(&caller.user_id(), project);
        running.ok_or_else(|| forbidden("No active Break Glass session found"))?;
        Ok(success())
    };
    failed(noted(world))
}
