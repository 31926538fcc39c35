//! Projects, which older routes call workspaces.

use crate::dev::Reply;
use crate::dev::javascript::{Members, object};
use crate::services::infisical::dev::asked::{Answer, Asked, endpoints};
use crate::services::infisical::dev::database::Database;
use crate::services::infisical::dev::records;
use crate::services::infisical::dev::refusal::Refusal;

endpoints! {
    /// The projects that the actor is a member of.
    GET "/v1/workspace" as WORKSPACES_LIST since August2024, Read Token => workspaces;
    /// A project by its id.
    GET "/v1/workspace/{workspaceId}" as WORKSPACES_GET since August2024, Read Token => workspace;
    /// A project by its slug.
    GET "/v2/workspace/{slug}" as WORKSPACES_GET_BY_SLUG since August2024, Read Token => by_slug;
    /// The projects that the actor is a member of.
    GET "/v1/projects" as PROJECTS_LIST since Current, Read Token => projects;
    /// A project by its id.
    GET "/v1/projects/{projectId}" as PROJECTS_GET since Current, Read Token => project;
    /// A project by its slug.
    GET "/v1/projects/slug/{slug}" as PROJECTS_GET_BY_SLUG since Current, Read Token => by_slug;
}

fn mine(database: &Database, asked: &Asked) -> Result<Vec<Members>, Refusal> {
    let actor = asked.actor()?;
    let found = database.projects.iter().filter(|project| database.check_member(actor, &project.id).is_ok());
    Ok(found.map(|project| records::project(database, project)).collect())
}

fn workspaces(database: &mut Database, asked: &Asked) -> Answer {
    Ok(Reply::ok(&object([("workspaces", mine(database, asked)?.into())])))
}

fn projects(database: &mut Database, asked: &Asked) -> Answer {
    Ok(Reply::ok(&object([("projects", mine(database, asked)?.into())])))
}

fn found(database: &Database, asked: &Asked, id: &str) -> Result<Members, Refusal> {
    database.check_member(asked.actor()?, id)?;
    let project = database.project(id).ok_or_else(|| Refusal::unknown_project(asked.generation, id))?;
    Ok(records::project(database, project))
}

fn workspace(database: &mut Database, asked: &Asked) -> Answer {
    let found = found(database, asked, &asked.param("workspaceId"))?;
    Ok(Reply::ok(&object([("workspace", found.into())])))
}

fn project(database: &mut Database, asked: &Asked) -> Answer {
    let found = found(database, asked, &asked.param("projectId"))?;
    Ok(Reply::ok(&object([("project", found.into())])))
}

fn by_slug(database: &mut Database, asked: &Asked) -> Answer {
    let slug = asked.param("slug");
    let Some(project) = database.project_by_slug(&slug) else {
        return Err(Refusal::unknown_slug(asked.generation, &slug));
    };
    Ok(Reply::ok(&found(database, asked, &project.id)?.into()))
}
