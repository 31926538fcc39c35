//! `/project/{id}/ip`: the addresses that a project lets in, for its creator.

use super::answers::{Outcome, Steps, Stop, bad, body, caller, echoed, not_found};
use super::records;
use crate::services::xtra::dev::js::{Json, object};
use crate::services::xtra::dev::state::{AllowedIp, Crash, Project, World, checked_id};
use crate::services::xtra::dev::wire::{Call, Reply};

/// To everybody but its creator the project does not exist.
fn own<'a>(world: &'a World, call: &Call) -> Result<&'a Project, Stop> {
    let caller = caller(world, call)?;
    let user = caller.database_id()?;
    let project = world.project(checked_id(call.param("id"))?).filter(|project| project.owner == user);
    project.ok_or_else(|| not_found("Project not found"))
}

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let listed = |world: &World| -> Steps {
        let project = own(world, call)?;
        Ok(Reply::ok(&object([
            ("projectName", Json::from(&project.name)),
            ("ipRestrictions", records::allowed_ips(project)),
            ("count", Json::count(project.allowed_ips.len())),
        ])))
    };
    echoed(listed(world))
}

/// Adds an address. The first one locks all others out, the caller's too.
pub(super) fn add(world: &mut World, call: &Call) -> Outcome {
    echoed(added(world, call))
}

fn added(world: &mut World, call: &Call) -> Steps {
    let id = own(world, call)?.id.clone();
    let body = body(call)?;
    let ip = body.text_of("ip").ok_or_else(|| bad("IP address is required"))?;
    let now = world.now();
    let project = world.projects.iter_mut().find(|project| project.id == id).ok_or(Crash)?;
    if project.allowed_ips.iter().any(|known| known.ip == ip) {
        return Err(bad("IP already in restrictions"));
    }
    let description = body.text_of("description").unwrap_or_default().to_owned();
    project.allowed_ips.push(AllowedIp { ip: ip.to_owned(), description, added: Some(now) });
    Ok(changed(project, &format!("IP {ip} added to project restrictions")))
}

/// Removes an address, whether or not it is there.
pub(super) fn remove(world: &mut World, call: &Call) -> Outcome {
    echoed(removed(world, call))
}

fn removed(world: &mut World, call: &Call) -> Steps {
    let id = own(world, call)?.id.clone();
    let body = body(call)?;
    let ip = body.text_of("ip").ok_or_else(|| bad("IP address is required"))?;
    let project = world.projects.iter_mut().find(|project| project.id == id).ok_or(Crash)?;
    project.allowed_ips.retain(|known| known.ip != ip);
    Ok(changed(project, &format!("IP {ip} removed from project restrictions")))
}

fn changed(project: &Project, message: &str) -> Reply {
    Reply::ok(&object([
        ("success", true.into()),
        ("message", message.into()),
        ("ipRestrictions", records::allowed_ips(project)),
    ]))
}
