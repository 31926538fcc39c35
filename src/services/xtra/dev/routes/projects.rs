//! Projects: `/project`, their teams and the addresses that they let in.

use hyper::http::StatusCode;

use super::answers::{
    HandlerResult, Outcome, Stop, bad, body, caller, echoed, forbidden, not_found, refused, success, uncaught,
};
use super::records;
use crate::dev::javascript::{Json, Members, object};
use crate::dev::{Call, HandlerPanic, Reply, routes};
use crate::services::xtra::dev::auth::{Session, session};
use crate::services::xtra::dev::database::{Database, MAIN, checked_id};
use crate::services::xtra::dev::rows::{AllowedIp, Branch, Project, TeamProject};
use crate::services::xtra::dev::seed::{Role, Tier};

routes! {
    for Database;

    /// Gets a project. Lists of projects are counted here too, and meet the same faults: both are one route.
    GET "/project" as PROJECTS_GET => at_once(get).guarded();
    /// Creates a project.
    POST "/project" as PROJECTS_CREATE => at_once(create).guarded();
    /// Updates a project.
    PUT "/project" as PROJECTS_UPDATE => at_once(update).guarded();
    /// Deletes a project.
    DELETE "/project" as PROJECTS_DELETE => at_once(delete).guarded();
    /// Lists the teams of a project.
    GET "/project/{id}/teams" as PROJECT_TEAMS_LIST => at_once(list_teams);
    /// Gives a team a project.
    POST "/project/{id}/teams" as PROJECT_TEAMS_ADD => at_once(add_team);
    /// Takes a project from a team.
    DELETE "/project/{id}/teams/{teamProjectId}" as PROJECT_TEAMS_REMOVE => at_once(remove_team);
    /// Lists the addresses that a project lets in.
    GET "/project/{id}/ip" as PROJECT_IPS_LIST => at_once(list_ips);
    /// Adds an address to those that a project lets in.
    POST "/project/{id}/ip" as PROJECT_IPS_ADD => at_once(add_ip);
    /// Removes an address from those that a project lets in.
    DELETE "/project/{id}/ip" as PROJECT_IPS_REMOVE => at_once(remove_ip);
}

fn caught(message: &str, outcome: Outcome) -> Outcome {
    Ok(outcome.unwrap_or_else(|HandlerPanic| Reply::error(StatusCode::INTERNAL_SERVER_ERROR, message)))
}

fn failure(status: StatusCode, message: &str) -> Outcome {
    Ok(Reply::error(status, message))
}

/// One project with `id`, else all of the caller's.
pub(super) fn get(database: &mut Database, call: &Call) -> Outcome {
    caught("Failed to fetch projects", found(database, call))
}

fn found(database: &Database, call: &Call) -> Outcome {
    let Some(caller) = session(database, call) else {
        return failure(StatusCode::UNAUTHORIZED, "Unauthorized");
    };
    if matches!(caller, Session::Account { .. }) && call.query("id").is_none() {
        let message = "Service accounts are locked to a single project and cannot list or switch projects.";
        let body = object([("error", "Forbidden".into()), ("message", message.into())]);
        return Ok(Reply::json(StatusCode::FORBIDDEN, &body));
    }
    let user = caller.database_id()?;
    if let Some(id) = call.query("id") {
        let project = database.project(checked_id(id)?).filter(|project| is_visible(database, user, project));
        let Some(project) = project else {
            return failure(StatusCode::NOT_FOUND, "Project not found or access denied");
        };
        let mut record = with_contents(database, project);
        record.set("currentUserRole", database.role_of(user, id).map(role_name));
        return Ok(Reply::ok(&record.into()));
    }
    let workspace = call.query("workspaceId").map(checked_id).transpose()?;
    let visible = database.projects.iter().filter(|project| is_visible(database, user, project));
    let wanted = visible.filter(|project| workspace.is_none_or(|id| project.workspace == id));
    let list: Vec<Members> = wanted.map(|project| with_contents(database, project)).collect();
    Ok(Reply::ok(&list.into()))
}

/// A user sees the projects that are the user's own or a team's; the owner of a workspace does not see what others have in
/// it.
pub(super) fn is_visible(database: &Database, user: &str, project: &Project) -> bool {
    let in_team =
        || database.teams_of(&project.id).any(|(_, team)| team.members.iter().any(|(member, _)| member == user));
    project.owner == user || in_team()
}

fn with_contents(database: &Database, project: &Project) -> Members {
    let mut record = records::project(project);
    record.set("branches", records::branches(database, &project.id));
    record.set("secrets", records::secret_metas(database, &project.id));
    record.set("teamProjects", records::team_projects(database, &project.id));
    record
}

pub(super) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Developer => "developer",
        Role::Admin => "admin",
        Role::Owner => "owner",
    }
}

/// A role in a workspace; teams count less there than in a project.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    Viewer,
    Member,
    Admin,
    Owner,
}

pub(super) fn standing(database: &Database, user: &str, workspace: &str) -> Option<Standing> {
    if database.workspace(workspace)?.owner == user {
        return Some(Standing::Owner);
    }
    let teams = database.teams.iter().filter(|team| team.workspace == workspace);
    let roles = teams.flat_map(|team| &team.members).filter(|(member, _)| member == user);
    let standings = roles.map(|(_, role)| match role {
        Role::Admin => Standing::Admin,
        Role::Owner => Standing::Member,
        Role::Developer | Role::Viewer => Standing::Viewer,
    });
    standings.max()
}

pub(super) fn create(database: &mut Database, call: &Call) -> Outcome {
    caught("Failed to create project", created(database, call))
}

fn created(database: &mut Database, call: &Call) -> Outcome {
    let Some(caller) = session(database, call) else {
        return failure(StatusCode::UNAUTHORIZED, "Unauthorized");
    };
    let user = caller.database_id()?.to_owned();
    let body = call.json().ok_or(HandlerPanic)?;
    let workspace = body.text_of("workspaceId");
    if workspace.is_some_and(|id| standing(database, &user, id).is_none_or(|standing| standing < Standing::Admin)) {
        return failure(StatusCode::FORBIDDEN, "Only workspace owners and admins can create projects.");
    }
    let Some(name) = body.text_of("name") else {
        return failure(StatusCode::BAD_REQUEST, "Project name is required");
    };
    let Some(workspace) = workspace else {
        return failure(StatusCode::BAD_REQUEST, "Workspace ID is required");
    };
    if let Some(refusal) = over_limit(database, workspace) {
        return Ok(refusal);
    }
    // The database has no place for a project without a description.
    let description = body.get("description").and_then(Json::text).ok_or(HandlerPanic)?;
    let (id, branch_id, now) = (database.new_id(), database.new_id(), database.now());
    database.projects.push(Project {
        id: id.clone(),
        name: name.to_owned(),
        description: description.to_owned(),
        owner: user.clone(),
        workspace: workspace.to_owned(),
        created: now,
        updated: now,
        blocked: false,
        two_factor: false,
        allowed_ips: Vec::new(),
    });
    let email = database.user(&user).map(|user| user.email.clone());
    database.branches.push(Branch {
        id: branch_id,
        name: MAIN.to_owned(),
        description: "Initial main branch".to_owned(),
        created_by: user.clone(),
        project: id.clone(),
        version: "1".to_owned(),
        permissions: email.into_iter().collect(),
        created: now,
    });
    let text = format!("You successfully created project \"{name}\" in workspace {workspace}.");
    database.notify(&user, ["Project Created", &format!("Project \"{name}\" created"), &text, "success"], None);
    let project = database.project(&id).ok_or(HandlerPanic)?;
    let mut record = records::project(project);
    record.set(
        "user",
        database.user(&user).map(|user| {
            object([
                ("id", Json::from(&user.id)),
                ("name", Json::from(&user.display_name)),
                ("email", Json::from(&user.email)),
                ("role", "user".into()),
            ])
        }),
    );
    record.set("branches", records::branches(database, &id));
    record.set("secrets", Json::List(Vec::new()));
    Ok(Reply::json(StatusCode::CREATED, &record.into()))
}

fn over_limit(database: &Database, workspace: &str) -> Option<Reply> {
    let owner = database.workspace(workspace).and_then(|workspace| database.user(&workspace.owner));
    let limit = match owner.map(|owner| owner.tier).unwrap_or_default() {
        Tier::Free => 3,
        Tier::Pro => 5,
        Tier::Enterprise => 1_000,
    };
    let count = database.projects.iter().filter(|project| project.workspace == workspace).count();
    (count >= limit).then(|| {
        let message = format!("A workspace of this plan holds up to {limit} projects.");
        let body = object([("error", "Project limit reached".into()), ("message", message.into())]);
        Reply::json(StatusCode::FORBIDDEN, &body)
    })
}

pub(super) fn update(database: &mut Database, call: &Call) -> Outcome {
    caught("Failed to update project", updated(database, call))
}

fn updated(database: &mut Database, call: &Call) -> Outcome {
    let Some(caller) = session(database, call) else {
        return failure(StatusCode::UNAUTHORIZED, "Unauthorized");
    };
    let Some(id) = call.query("id") else {
        return failure(StatusCode::BAD_REQUEST, "Project ID is required");
    };
    let body = call.json().ok_or(HandlerPanic)?;
    if database.project(checked_id(id)?).is_none() {
        return failure(StatusCode::NOT_FOUND, "Project not found");
    }
    let role = caller.role(database, id)?;
    if role.is_none_or(|role| role < Role::Admin) {
        return failure(StatusCode::FORBIDDEN, "You do not have permission to update project settings");
    }
    let (new_owner, target) = (body.text_of("newOwnerEmail"), body.text_of("targetWorkspaceId"));
    if role != Some(Role::Owner) && (new_owner.is_some() || target.is_some()) {
        return failure(StatusCode::FORBIDDEN, "Only the project owner can transfer or move the project");
    }
    let new_owner_id = match new_owner {
        None => None,
        Some(email) => match database.users.iter().find(|user| user.email == email) {
            None => return failure(StatusCode::NOT_FOUND, "New owner email not found"),
            Some(user) => Some(user.id.clone()),
        },
    };
    if let Some(target) = target
        && database.workspace(checked_id(target)?).is_none()
    {
        return failure(StatusCode::NOT_FOUND, "Target workspace not found");
    }
    apply(database, id, &body, new_owner_id, target)?;
    let project = database.project(id).ok_or(HandlerPanic)?;
    let mut record = records::project(project);
    record.set("branches", records::branches(database, id));
    record.set("teamProjects", records::team_projects(database, id));
    Ok(Reply::ok(&record.into()))
}

fn apply(
    database: &mut Database,
    id: &str,
    body: &Json,
    owner: Option<String>,
    workspace: Option<&str>,
) -> Result<(), HandlerPanic> {
    let now = database.now();
    let project = database.projects.iter_mut().find(|project| project.id == id).ok_or(HandlerPanic)?;
    project.updated = now;
    for (name, field) in [("name", &mut project.name), ("description", &mut project.description)] {
        if let Some(text) = body.text_of(name) {
            text.clone_into(field);
        }
    }
    if let Some(owner) = owner {
        project.owner = owner;
    }
    if let Some(workspace) = workspace {
        workspace.clone_into(&mut project.workspace);
    }
    let Some(Json::List(teams)) = body.get("teamIds") else {
        return Ok(());
    };
    database.team_projects.retain(|link| link.project != id);
    for team in teams.iter().filter_map(Json::text) {
        let link = TeamProject { id: database.new_id(), team: checked_id(team)?.to_owned(), project: id.to_owned() };
        database.team_projects.push(link);
    }
    Ok(())
}

pub(super) fn delete(database: &mut Database, call: &Call) -> Outcome {
    caught("Failed to delete project", deleted(database, call))
}

fn deleted(database: &mut Database, call: &Call) -> Outcome {
    let Some(caller) = session(database, call) else {
        return failure(StatusCode::UNAUTHORIZED, "Unauthorized");
    };
    let Some(id) = call.query("id") else {
        return failure(StatusCode::BAD_REQUEST, "Project ID is required");
    };
    let Some(project) = database.project(checked_id(id)?) else {
        return failure(StatusCode::NOT_FOUND, "Project not found");
    };
    let user = caller.database_id()?;
    let standing = standing(database, user, &project.workspace);
    if standing == Some(Standing::Viewer) {
        return failure(StatusCode::FORBIDDEN, "Viewers and developers are not allowed to delete projects.");
    }
    if project.owner != user && standing.is_none_or(|standing| standing < Standing::Admin) {
        let message = "Only the project owner or workspace admin can delete this project";
        return failure(StatusCode::FORBIDDEN, message);
    }
    database.secrets.retain(|secret| secret.project != id);
    database.branches.retain(|branch| branch.project != id);
    database.team_projects.retain(|link| link.project != id);
    // The row itself is refused while service accounts and webhooks point at it, and what is gone stays gone.
    let has_webhooks = database.webhooks.iter().any(|webhook| webhook.project == id);
    if has_webhooks || database.accounts.iter().any(|account| account.project == id) {
        return Err(HandlerPanic);
    }
    database.projects.retain(|project| project.id != id);
    Ok(Reply::ok(&object([("message", "Project deleted successfully".into())])))
}

/// The project of the path, when the caller manages it.
fn managed_project(database: &Database, call: &Call, verb: &str) -> Result<String, Stop> {
    let caller = caller(database, call)?;
    let project = checked_id(call.param("id"))?;
    database.project(project).ok_or_else(|| not_found("Project not found"))?;
    let manages = caller.role(database, project)?.is_some_and(|role| role >= Role::Admin);
    if manages { Ok(project.to_owned()) } else { Err(forbidden(&format!("Only project owners and admins can {verb}"))) }
}

pub(super) fn list_teams(database: &mut Database, call: &Call) -> Outcome {
    let listed = |database: &Database| -> HandlerResult {
        let project = managed_project(database, call, "view team assignments")?;
        Ok(Reply::ok(&records::team_projects(database, &project)))
    };
    uncaught(listed(database))
}

/// Gives a team the project; its members have their roles there from now on.
pub(super) fn add_team(database: &mut Database, call: &Call) -> Outcome {
    uncaught(team_added(database, call))
}

fn team_added(database: &mut Database, call: &Call) -> HandlerResult {
    let project = managed_project(database, call, "add teams")?;
    let body = body(call)?;
    let team = body.text_of("teamId").ok_or_else(|| bad("Team ID is required"))?;
    let team = database.teams.iter().find(|known| known.id == team).ok_or(HandlerPanic)?.id.clone();
    if database.team_projects.iter().any(|link| link.project == project && link.team == team) {
        return Err(refused(hyper::http::StatusCode::CONFLICT, "Team is already assigned to this project"));
    }
    let id = database.new_id();
    database.team_projects.push(TeamProject { id: id.clone(), team, project: project.clone() });
    let (link, team) = database.teams_of(&project).find(|(link, _)| link.id == id).ok_or(HandlerPanic)?;
    Ok(Reply::ok(&records::team_project(link, team)))
}

/// Takes the project from a team; the path has the id of what binds the two.
pub(super) fn remove_team(database: &mut Database, call: &Call) -> Outcome {
    uncaught(team_removed(database, call))
}

fn team_removed(database: &mut Database, call: &Call) -> HandlerResult {
    let project = managed_project(database, call, "remove teams")?;
    let id = checked_id(call.param("teamProjectId"))?;
    if !database.team_projects.iter().any(|link| link.id == id && link.project == project) {
        return Err(not_found("Assignment not found"));
    }
    database.team_projects.retain(|link| link.id != id);
    Ok(success())
}

/// To everybody but its creator the project does not exist.
fn own_project<'a>(database: &'a Database, call: &Call) -> Result<&'a Project, Stop> {
    let caller = caller(database, call)?;
    let user = caller.database_id()?;
    let project = database.project(checked_id(call.param("id"))?).filter(|project| project.owner == user);
    project.ok_or_else(|| not_found("Project not found"))
}

pub(super) fn list_ips(database: &mut Database, call: &Call) -> Outcome {
    let listed = |database: &Database| -> HandlerResult {
        let project = own_project(database, call)?;
        Ok(Reply::ok(&object([
            ("projectName", Json::from(&project.name)),
            ("ipRestrictions", records::allowed_ips(project)),
            ("count", Json::count(project.allowed_ips.len())),
        ])))
    };
    echoed(listed(database))
}

/// Adds an address. The first one locks all others out, the caller's too.
pub(super) fn add_ip(database: &mut Database, call: &Call) -> Outcome {
    echoed(ip_added(database, call))
}

fn ip_added(database: &mut Database, call: &Call) -> HandlerResult {
    let id = own_project(database, call)?.id.clone();
    let body = body(call)?;
    let ip = body.text_of("ip").ok_or_else(|| bad("IP address is required"))?;
    let now = database.now();
    let project = database.projects.iter_mut().find(|project| project.id == id).ok_or(HandlerPanic)?;
    if project.allowed_ips.iter().any(|known| known.ip == ip) {
        return Err(bad("IP already in restrictions"));
    }
    let description = body.text_of("description").unwrap_or_default().to_owned();
    project.allowed_ips.push(AllowedIp { ip: ip.to_owned(), description, added: Some(now) });
    Ok(ips_changed(project, &format!("IP {ip} added to project restrictions")))
}

/// Removes an address, whether or not it is there.
pub(super) fn remove_ip(database: &mut Database, call: &Call) -> Outcome {
    echoed(ip_removed(database, call))
}

fn ip_removed(database: &mut Database, call: &Call) -> HandlerResult {
    let id = own_project(database, call)?.id.clone();
    let body = body(call)?;
    let ip = body.text_of("ip").ok_or_else(|| bad("IP address is required"))?;
    let project = database.projects.iter_mut().find(|project| project.id == id).ok_or(HandlerPanic)?;
    project.allowed_ips.retain(|known| known.ip != ip);
    Ok(ips_changed(project, &format!("IP {ip} removed from project restrictions")))
}

fn ips_changed(project: &Project, message: &str) -> Reply {
    Reply::ok(&object([
        ("success", true.into()),
        ("message", message.into()),
        ("ipRestrictions", records::allowed_ips(project)),
    ]))
}
