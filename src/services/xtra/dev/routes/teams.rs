//! `/project/{id}/teams`: the teams of a project, for its owner and admins.

use super::answers::{Outcome, Steps, Stop, bad, body, caller, forbidden, not_found, refused, success, uncaught};
use super::records;
use crate::services::xtra::dev::seed::Role;
use crate::services::xtra::dev::state::{Crash, TeamProject, World, checked_id};
use crate::services::xtra::dev::wire::{Call, Reply};

/// The project of the path, when the caller manages it.
fn managed(world: &World, call: &Call, verb: &str) -> Result<String, Stop> {
    let caller = caller(world, call)?;
    let project = checked_id(call.param("id"))?;
    world.project(project).ok_or_else(|| not_found("Project not found"))?;
    let manages = caller.role(world, project)?.is_some_and(|role| role >= Role::Admin);
    if manages { Ok(project.to_owned()) } else { Err(forbidden(&format!("Only project owners and admins can {verb}"))) }
}

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let listed = |world: &World| -> Steps {
        let project = managed(world, call, "view team assignments")?;
        Ok(Reply::ok(&records::team_projects(world, &project)))
    };
    uncaught(listed(world))
}

/// Gives a team the project; its members have their roles there from now on.
pub(super) fn add(world: &mut World, call: &Call) -> Outcome {
    uncaught(added(world, call))
}

fn added(world: &mut World, call: &Call) -> Steps {
    let project = managed(world, call, "add teams")?;
    let body = body(call)?;
    let team = body.text_of("teamId").ok_or_else(|| bad("Team ID is required"))?;
    let team = world.teams.iter().find(|known| known.id == team).ok_or(Crash)?.id.clone();
    if world.team_projects.iter().any(|link| link.project == project && link.team == team) {
        return Err(refused(axum::http::StatusCode::CONFLICT, "Team is already assigned to this project"));
    }
    let id = world.new_id();
    world.team_projects.push(TeamProject { id: id.clone(), team, project: project.clone() });
    let (link, team) = world.teams_of(&project).find(|(link, _)| link.id == id).ok_or(Crash)?;
    Ok(Reply::ok(&records::team_project(link, team)))
}

/// Takes the project from a team; the path has the id of what binds the two.
pub(super) fn remove(world: &mut World, call: &Call) -> Outcome {
    uncaught(removed(world, call))
}

fn removed(world: &mut World, call: &Call) -> Steps {
    let project = managed(world, call, "remove teams")?;
    let id = checked_id(call.param("teamProjectId"))?;
    if !world.team_projects.iter().any(|link| link.id == id && link.project == project) {
        return Err(not_found("Assignment not found"));
    }
    world.team_projects.retain(|link| link.id != id);
    Ok(success())
}
