//! Tags and environments of a project. Older routes call it a workspace.

use crate::dev::Reply;
use crate::dev::javascript::{Members, object};
use crate::services::infisical::dev::asked::{Answer, Asked, endpoints};
use crate::services::infisical::dev::database::{Database, new_id};
use crate::services::infisical::dev::records;
use crate::services::infisical::dev::refusal::Refusal;
use crate::services::infisical::dev::rows::{Environment, Tag};

endpoints! {
    /// The tags of a project.
    GET "/v1/workspace/{projectId}/tags" as TAGS_V1_LIST since August2024, Read Token => list;
    /// The creation of a tag.
    POST "/v1/workspace/{projectId}/tags" as TAGS_V1_CREATE since August2024, Write Token => create;
    /// A tag by its id.
    GET "/v1/workspace/{projectId}/tags/{tagId}" as TAGS_V1_GET since August2024, Read Token => get;
    /// The change of a tag.
    PATCH "/v1/workspace/{projectId}/tags/{tagId}" as TAGS_V1_UPDATE since August2024, Write Token => update;
    /// The deletion of a tag.
    DELETE "/v1/workspace/{projectId}/tags/{tagId}" as TAGS_V1_DELETE since August2024, Write Token => delete;
    /// A tag by its slug.
    GET "/v1/workspace/{projectId}/tags/slug/{tagSlug}" as TAGS_V1_GET_BY_SLUG since August2024, Read Token => by_slug;
    /// The tags of a project.
    GET "/v1/projects/{projectId}/tags" as TAGS_LIST since Current, Read Token => list;
    /// The creation of a tag.
    POST "/v1/projects/{projectId}/tags" as TAGS_CREATE since Current, Write Token => create;
    /// A tag by its id.
    GET "/v1/projects/{projectId}/tags/{tagId}" as TAGS_GET since Current, Read Token => get;
    /// The change of a tag.
    PATCH "/v1/projects/{projectId}/tags/{tagId}" as TAGS_UPDATE since Current, Write Token => update;
    /// The deletion of a tag.
    DELETE "/v1/projects/{projectId}/tags/{tagId}" as TAGS_DELETE since Current, Write Token => delete;
    /// A tag by its slug.
    GET "/v1/projects/{projectId}/tags/slug/{tagSlug}" as TAGS_GET_BY_SLUG since Current, Read Token => by_slug;
    /// The creation of an environment.
    POST "/v1/workspace/{projectId}/environments" as ENVIRONMENTS_V1_CREATE since August2024, Write Token
        => create_environment;
    /// An environment by its id.
    GET "/v1/workspace/{projectId}/environments/{environmentId}" as ENVIRONMENTS_V1_GET since August2024, Read Token
        => get_environment;
    /// The change of an environment.
    PATCH "/v1/workspace/{projectId}/environments/{environmentId}" as ENVIRONMENTS_V1_UPDATE since August2024, Write Token
        => update_environment;
    /// The deletion of an environment with what is in it.
    DELETE "/v1/workspace/{projectId}/environments/{environmentId}" as ENVIRONMENTS_V1_DELETE since August2024, Write Token
        => delete_environment;
    /// The creation of an environment.
    POST "/v1/projects/{projectId}/environments" as ENVIRONMENTS_CREATE since Current, Write Token => create_environment;
    /// An environment by its id.
    GET "/v1/projects/{projectId}/environments/{environmentId}" as ENVIRONMENTS_GET since Current, Read Token
        => get_environment;
    /// The change of an environment.
    PATCH "/v1/projects/{projectId}/environments/{environmentId}" as ENVIRONMENTS_UPDATE since Current, Write Token
        => update_environment;
    /// The deletion of an environment with what is in it.
    DELETE "/v1/projects/{projectId}/environments/{environmentId}" as ENVIRONMENTS_DELETE since Current, Write Token
        => delete_environment;
}

fn is_workspace(asked: &Asked) -> bool {
    asked.call.target.starts_with("/api/v1/workspace/")
}

/// The project of a request, which the actor is a member of and, to change it, writes to.
fn project(database: &Database, asked: &Asked, action: &str, subject: &str) -> Result<String, Refusal> {
    let (id, actor) = (asked.param("projectId"), asked.actor()?);
    if action == "read" {
        database.check_member(actor, &id)?;
    } else {
        database.check_manager(actor, &id, action, subject)?;
    }
    Ok(id)
}

fn one(asked: &Asked, tag: Members) -> Answer {
    let member = if is_workspace(asked) { "workspaceTag" } else { "tag" };
    Ok(Reply::ok(&object([(member, tag.into())])))
}

fn list(database: &mut Database, asked: &Asked) -> Answer {
    let project = project(database, asked, "read", "tags")?;
    let tags: Vec<Members> =
        database.tags.iter().filter(|tag| tag.project == project).map(|tag| records::tag(database, tag)).collect();
    let member = if is_workspace(asked) { "workspaceTags" } else { "tags" };
    Ok(Reply::ok(&object([(member, tags.into())])))
}

fn create(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let (slug, color) = (body.word("slug"), body.word("color"));
    body.done(asked.generation)?;
    let project = project(database, asked, "create", "tags")?;
    if database.tags.iter().any(|tag| tag.project == project && tag.slug == slug) {
        return Err(Refusal::bad_request("Tag slug exist"));
    }
    let now = database.now();
    let created_by = asked.actor()?.id().to_owned();
    let tag = Tag { id: new_id(), project, slug, color, created_by, created: now, updated: now };
    let record = records::tag(database, &tag);
    database.tags.push(tag);
    one(asked, record)
}

/// The place of the tag of a request.
fn place(database: &Database, asked: &Asked, project: &str) -> Result<usize, Refusal> {
    let id = asked.param("tagId");
    let found = database.tags.iter().position(|tag| tag.project == project && tag.id == id);
    found.ok_or_else(|| Refusal::not_found(format!("Tag with ID '{id}' not found")))
}

fn answered(database: &Database, asked: &Asked, place: usize) -> Answer {
    let tag = database.tags.get(place).ok_or_else(|| Refusal::not_found("Tag not found"))?;
    one(asked, records::tag(database, tag))
}

fn get(database: &mut Database, asked: &Asked) -> Answer {
    let project = project(database, asked, "read", "tags")?;
    let place = place(database, asked, &project)?;
    answered(database, asked, place)
}

fn by_slug(database: &mut Database, asked: &Asked) -> Answer {
    let project = project(database, asked, "read", "tags")?;
    let slug = asked.param("tagSlug");
    let found = database.tags.iter().position(|tag| tag.project == project && tag.slug == slug);
    let place = found.ok_or_else(|| Refusal::not_found(format!("Tag with slug '{slug}' not found")))?;
    answered(database, asked, place)
}

fn update(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let (slug, color) = (body.word("slug"), body.word("color"));
    body.done(asked.generation)?;
    let project = project(database, asked, "edit", "tags")?;
    let place = place(database, asked, &project)?;
    let now = database.now();
    if let Some(tag) = database.tags.get_mut(place) {
        (tag.slug, tag.color, tag.updated) = (slug, color, now);
    }
    answered(database, asked, place)
}

fn delete(database: &mut Database, asked: &Asked) -> Answer {
    let project = project(database, asked, "delete", "tags")?;
    let place = place(database, asked, &project)?;
    let answer = answered(database, asked, place)?;
    let tag = database.tags.remove(place);
    for secret in &mut database.secrets {
        secret.tags.retain(|id| *id != tag.id);
    }
    Ok(answer)
}

fn environment(asked: &Asked, project: &str, found: &Environment, position: usize, done: &str) -> Answer {
    let mut record = records::environment_name(found);
    record.set("position", i64::try_from(position + 1).unwrap_or(i64::MAX));
    record.set("projectId", project);
    record.set("createdAt", found.created.iso());
    record.set("updatedAt", found.updated.iso());
    let mut answer = Members::default();
    if !done.is_empty() {
        answer.set("message", format!("Successfully {done} environment"));
        answer.set(if is_workspace(asked) { "workspace" } else { "projectId" }, project);
    }
    answer.set("environment", record);
    Ok(Reply::ok(&answer.into()))
}

/// The place of the environment of a request, with what it is.
fn environment_place(database: &Database, asked: &Asked, project: &str) -> Result<(usize, Environment), Refusal> {
    let id = asked.param("environmentId");
    let environments = database.project(project).map(|project| &project.environments[..]).unwrap_or_default();
    let mut found = environments.iter().enumerate();
    let found = found.find(|(_, environment)| environment.id == id).map(|(place, found)| (place, found.clone()));
    found.ok_or_else(|| Refusal::not_found(format!("Environment with ID '{id}' not found")))
}

fn get_environment(database: &mut Database, asked: &Asked) -> Answer {
    let project = project(database, asked, "read", "environments")?;
    let (place, found) = environment_place(database, asked, &project)?;
    environment(asked, &project, &found, place, "")
}

fn create_environment(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let (name, slug) = (body.word("name"), body.word("slug"));
    body.done(asked.generation)?;
    let id = project(database, asked, "create", "environments")?;
    if database.environment(&id, &slug).is_some() {
        return Err(Refusal::bad_request(format!("Environment with slug '{slug}' already exist")));
    }
    let now = database.now();
    let made = Environment { id: new_id(), slug, name, created: now, updated: now };
    let mut place = 0;
    if let Some(project) = database.projects.iter_mut().find(|project| project.id == id) {
        place = project.environments.len();
        project.environments.push(made.clone());
    }
    database.make_folder(&made.id, "/");
    environment(asked, &id, &made, place, "created new")
}

fn update_environment(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let (name, slug) = (body.optional_word("name"), body.optional_word("slug"));
    body.done(asked.generation)?;
    let id = project(database, asked, "edit", "environments")?;
    let (place, mut found) = environment_place(database, asked, &id)?;
    if let Some(slug) = slug {
        if slug != found.slug && database.environment(&id, &slug).is_some() {
            return Err(Refusal::bad_request(format!("Environment with slug '{slug}' already exist")));
        }
        found.slug = slug;
    }
    found.name = name.unwrap_or(found.name);
    found.updated = database.now();
    for project in database.projects.iter_mut().filter(|project| project.id == id) {
        if let Some(known) = project.environments.get_mut(place) {
            known.clone_from(&found);
        }
    }
    environment(asked, &id, &found, place, "updated")
}

fn delete_environment(database: &mut Database, asked: &Asked) -> Answer {
    let id = project(database, asked, "delete", "environments")?;
    let (place, found) = environment_place(database, asked, &id)?;
    for project in database.projects.iter_mut().filter(|project| project.id == id) {
        project.environments.retain(|environment| environment.id != found.id);
    }
    let is_gone = |folder: &str, database: &Database| {
        database.folder_by_id(folder).is_some_and(|folder| folder.environment == found.id)
    };
    let secrets: Vec<String> = database
        .secrets
        .iter()
        .filter(|secret| is_gone(&secret.folder, database))
        .map(|secret| secret.id.clone())
        .collect();
    let imports: Vec<String> = database
        .imports
        .iter()
        .filter(|import| is_gone(&import.folder, database) || import.environment == found.id)
        .map(|import| import.id.clone())
        .collect();
    database.secrets.retain(|secret| !secrets.contains(&secret.id));
    database.imports.retain(|import| !imports.contains(&import.id));
    database.folders.retain(|folder| folder.environment != found.id);
    environment(asked, &id, &found, place, "deleted")
}
