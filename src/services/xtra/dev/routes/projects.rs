//! `/project`.

use axum::http::StatusCode;

use super::records;
use crate::services::xtra::dev::auth::{Session, session};
use crate::services::xtra::dev::js::{Json, Members, object};
use crate::services::xtra::dev::seed::{Role, Tier};
use crate::services::xtra::dev::state::{Branch, Crash, MAIN, Project, TeamProject, World, checked_id};
use crate::services::xtra::dev::wire::{Call, Reply};

type Outcome = Result<Reply, Crash>;

fn caught(message: &str, outcome: Outcome) -> Outcome {
    Ok(outcome.unwrap_or_else(|Crash| Reply::error(StatusCode::INTERNAL_SERVER_ERROR, message)))
}

fn failed(status: StatusCode, message: &str) -> Outcome {
    Ok(Reply::error(status, message))
}

/// One project with `id`, else all of the caller's.
pub(super) fn get(world: &mut World, call: &Call) -> Outcome {
    caught("Failed to fetch projects", found(world, call))
}

fn found(world: &World, call: &Call) -> Outcome {
    let Some(caller) = session(world, call) else {
        return failed(StatusCode::UNAUTHORIZED, "Unauthorized");
    };
    if matches!(caller, Session::Account { .. }) && call.query("id").is_none() {
        let message = "Service accounts are locked to a single project and cannot list or switch projects.";
        let body = object([("error", "Forbidden".into()), ("message", message.into())]);
        return Ok(Reply::json(StatusCode::FORBIDDEN, &body));
    }
    let user = caller.database_id()?;
    if let Some(id) = call.query("id") {
        let project = world.project(checked_id(id)?).filter(|project| is_visible(world, user, project));
        let Some(project) = project else {
            return failed(StatusCode::NOT_FOUND, "Project not found or access denied");
        };
        let mut record = with_contents(world, project);
        record.set("currentUserRole", world.role_of(user, id).map(role_name));
        return Ok(Reply::ok(&record.into()));
    }
    let workspace = call.query("workspaceId").map(checked_id).transpose()?;
    let visible = world.projects.iter().filter(|project| is_visible(world, user, project));
    let wanted = visible.filter(|project| workspace.is_none_or(|id| project.workspace == id));
    let list: Vec<Members> = wanted.map(|project| with_contents(world, project)).collect();
    Ok(Reply::ok(&list.into()))
}

/// A user sees the projects that are the user's own or a team's; the owner of a workspace does not see what others have in
/// it.
pub(super) fn is_visible(world: &World, user: &str, project: &Project) -> bool {
    let in_team = || world.teams_of(&project.id).any(|(_, team)| team.members.iter().any(|(member, _)| member == user));
    project.owner == user || in_team()
}

fn with_contents(world: &World, project: &Project) -> Members {
    let mut record = records::project(project);
    record.set("branches", records::branches(world, &project.id));
    record.set("secrets", records::secret_metas(world, &project.id));
    record.set("teamProjects", records::team_projects(world, &project.id));
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

pub(super) fn standing(world: &World, user: &str, workspace: &str) -> Option<Standing> {
    if world.workspace(workspace)?.owner == user {
        return Some(Standing::Owner);
    }
    let teams = world.teams.iter().filter(|team| team.workspace == workspace);
    let roles = teams.flat_map(|team| &team.members).filter(|(member, _)| member == user);
    let standings = roles.map(|(_, role)| match role {
        Role::Admin => Standing::Admin,
        Role::Owner => Standing::Member,
        Role::Developer | Role::Viewer => Standing::Viewer,
    });
    standings.max()
}

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    caught("Failed to create project", created(world, call))
}

fn created(world: &mut World, call: &Call) -> Outcome {
    let Some(caller) = session(world, call) else {
        return failed(StatusCode::UNAUTHORIZED, "Unauthorized");
    };
    let user = caller.database_id()?.to_owned();
    let body = call.json().ok_or(Crash)?;
    let workspace = body.text_of("workspaceId");
    if workspace.is_some_and(|id| standing(world, &user, id).is_none_or(|standing| standing < Standing::Admin)) {
        return failed(StatusCode::FORBIDDEN, "Only workspace owners and admins can create projects.");
    }
    let Some(name) = body.text_of("name") else {
        return failed(StatusCode::BAD_REQUEST, "Project name is required");
    };
    let Some(workspace) = workspace else {
        return failed(StatusCode::BAD_REQUEST, "Workspace ID is required");
    };
    if let Some(refusal) = over_limit(world, workspace) {
        return Ok(refusal);
    }
    // The database has no place for a project without a description.
    let description = body.get("description").and_then(Json::text).ok_or(Crash)?;
    let (id, branch_id, now) = (world.new_id(), world.new_id(), world.now());
    world.projects.push(Project {
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
    let email = world.user(&user).map(|user| user.email.clone());
    world.branches.push(Branch {
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
    world.notify(&user, ["Project Created", &format!("Project \"{name}\" created"), &text, "success"], None);
    let project = world.project(&id).ok_or(Crash)?;
    let mut record = records::project(project);
    record.set(
        "user",
        world.user(&user).map(|user| {
            object([
                ("id", Json::from(&user.id)),
                ("name", Json::from(&user.display_name)),
                ("email", Json::from(&user.email)),
                ("role", "user".into()),
            ])
        }),
    );
    record.set("branches", records::branches(world, &id));
    record.set("secrets", Json::List(Vec::new()));
    Ok(Reply::json(StatusCode::CREATED, &record.into()))
}

fn over_limit(world: &World, workspace: &str) -> Option<Reply> {
    let owner = world.workspace(workspace).and_then(|workspace| world.user(&workspace.owner));
    let limit = match owner.map(|owner| owner.tier).unwrap_or_default() {
        Tier::Free => 3,
        Tier::Pro => 5,
        Tier::Enterprise => 1_000,
    };
    let count = world.projects.iter().filter(|project| project.workspace == workspace).count();
    (count >= limit).then(|| {
        let message = format!("A workspace of this plan holds up to {limit} projects.");
        let body = object([("error", "Project limit reached".into()), ("message", message.into())]);
        Reply::json(StatusCode::FORBIDDEN, &body)
    })
}

pub(super) fn update(world: &mut World, call: &Call) -> Outcome {
    caught("Failed to update project", updated(world, call))
}

fn updated(world: &mut World, call: &Call) -> Outcome {
    let Some(caller) = session(world, call) else {
        return failed(StatusCode::UNAUTHORIZED, "Unauthorized");
    };
    let Some(id) = call.query("id") else {
        return failed(StatusCode::BAD_REQUEST, "Project ID is required");
    };
    let body = call.json().ok_or(Crash)?;
    if world.project(checked_id(id)?).is_none() {
        return failed(StatusCode::NOT_FOUND, "Project not found");
    }
    let role = caller.role(world, id)?;
    if role.is_none_or(|role| role < Role::Admin) {
        return failed(StatusCode::FORBIDDEN, "You do not have permission to update project settings");
    }
    let (new_owner, target) = (body.text_of("newOwnerEmail"), body.text_of("targetWorkspaceId"));
    if role != Some(Role::Owner) && (new_owner.is_some() || target.is_some()) {
        return failed(StatusCode::FORBIDDEN, "Only the project owner can transfer or move the project");
    }
    let new_owner_id = match new_owner {
        None => None,
        Some(email) => match world.users.iter().find(|user| user.email == email) {
            None => return failed(StatusCode::NOT_FOUND, "New owner email not found"),
            Some(user) => Some(user.id.clone()),
        },
    };
    if let Some(target) = target
        && world.workspace(checked_id(target)?).is_none()
    {
        return failed(StatusCode::NOT_FOUND, "Target workspace not found");
    }
    apply(world, id, &body, new_owner_id, target)?;
    let project = world.project(id).ok_or(Crash)?;
    let mut record = records::project(project);
    record.set("branches", records::branches(world, id));
    record.set("teamProjects", records::team_projects(world, id));
    Ok(Reply::ok(&record.into()))
}

fn apply(
    world: &mut World,
    id: &str,
    body: &Json,
    owner: Option<String>,
    workspace: Option<&str>,
) -> Result<(), Crash> {
    let now = world.now();
    let project = world.projects.iter_mut().find(|project| project.id == id).ok_or(Crash)?;
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
    world.team_projects.retain(|link| link.project != id);
    for team in teams.iter().filter_map(Json::text) {
        let link = TeamProject { id: world.new_id(), team: checked_id(team)?.to_owned(), project: id.to_owned() };
        world.team_projects.push(link);
    }
    Ok(())
}

pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    caught("Failed to delete project", deleted(world, call))
}

fn deleted(world: &mut World, call: &Call) -> Outcome {
    let Some(caller) = session(world, call) else {
        return failed(StatusCode::UNAUTHORIZED, "Unauthorized");
    };
    let Some(id) = call.query("id") else {
        return failed(StatusCode::BAD_REQUEST, "Project ID is required");
    };
    let Some(project) = world.project(checked_id(id)?) else {
        return failed(StatusCode::NOT_FOUND, "Project not found");
    };
    let user = caller.database_id()?;
    let standing = standing(world, user, &project.workspace);
    if standing == Some(Standing::Viewer) {
        return failed(StatusCode::FORBIDDEN, "Viewers and developers are not allowed to delete projects.");
    }
    if project.owner != user && standing.is_none_or(|standing| standing < Standing::Admin) {
        let message = "Only the project owner or workspace admin can delete this project";
        return failed(StatusCode::FORBIDDEN, message);
    }
    world.secrets.retain(|secret| secret.project != id);
    world.branches.retain(|branch| branch.project != id);
    world.team_projects.retain(|link| link.project != id);
    // The row itself is refused while service accounts and webhooks point at it, and what is gone stays gone.
    let has_webhooks = world.webhooks.iter().any(|webhook| webhook.project == id);
    if has_webhooks || world.accounts.iter().any(|account| account.project == id) {
        return Err(Crash);
    }
    world.projects.retain(|project| project.id != id);
    Ok(Reply::ok(&object([("message", "Project deleted successfully".into())])))
}
