//! Folders, of both versions: the first names its project `workspaceId`, the second `projectId`.

use crate::dev::Reply;
use crate::dev::javascript::{Members, object};
use crate::services::infisical::dev::asked::{Answer, Asked, endpoints};
use crate::services::infisical::dev::database::{Database, Location};
use crate::services::infisical::dev::fields::{Fields, folder_path, is_uuid};
use crate::services::infisical::dev::records;
use crate::services::infisical::dev::refusal::Refusal;
use crate::services::infisical::dev::seed::Action;
use crate::services::infisical::dev::writes::Place;

endpoints! {
    /// The folders in a folder.
    GET "/v1/folders" as FOLDERS_V1_LIST since August2024, Read Token => list;
    /// The creation of a folder.
    POST "/v1/folders" as FOLDERS_V1_CREATE since August2024, Secret Token => create;
    /// A folder by its id.
    GET "/v1/folders/{folderId}" as FOLDERS_V1_GET since August2024, Read Token => get;
    /// The change of a folder's name.
    PATCH "/v1/folders/{folderId}" as FOLDERS_V1_UPDATE since August2024, Secret Token => update;
    /// The deletion of a folder, by its id or its name.
    DELETE "/v1/folders/{folderId}" as FOLDERS_V1_DELETE since August2024, Secret Token => delete;
    /// The change of the names of several folders.
    PATCH "/v1/folders/batch" as FOLDERS_V1_UPDATE_BATCH since August2024, Secret Token => update_many;
    /// The folders in a folder.
    GET "/v2/folders" as FOLDERS_LIST since Current, Read Token => list;
    /// The creation of a folder.
    POST "/v2/folders" as FOLDERS_CREATE since Current, Secret Token => create;
    /// A folder by its id.
    GET "/v2/folders/{folderId}" as FOLDERS_GET since Current, Read Token => get;
    /// The change of a folder's name.
    PATCH "/v2/folders/{folderId}" as FOLDERS_UPDATE since Current, Secret Token => update;
    /// The deletion of a folder, by its id or its name.
    DELETE "/v2/folders/{folderId}" as FOLDERS_DELETE since Current, Secret Token => delete;
    /// The change of the names of several folders.
    PATCH "/v2/folders/batch" as FOLDERS_UPDATE_BATCH since Current, Secret Token => update_many;
}

/// The member that names the project of a request.
pub(super) fn project_member(asked: &Asked) -> &'static str {
    if asked.call.target.starts_with("/api/v1/") { "workspaceId" } else { "projectId" }
}

/// The folder that a query or a body names.
pub(super) fn place(fields: &mut Fields, asked: &Asked) -> Place {
    let project = fields.word(project_member(asked));
    let environment = fields.word("environment");
    let directory = fields.optional_text("directory");
    let path = fields.optional_text("path").or(directory).map_or_else(|| "/".to_owned(), |path| folder_path(&path));
    Place { project, environment, path }
}

fn one(folder: Members) -> Answer {
    Ok(Reply::ok(&object([("folder", folder.into())])))
}

fn list(database: &mut Database, asked: &Asked) -> Answer {
    let mut query = asked.query();
    let place = place(&mut query, asked);
    let is_recursive = asked.generation.is_current() && query.switch("recursive", false);
    query.done(asked.generation)?;
    database.check_member(asked.actor()?, &place.project)?;
    let Some(environment) = database.environment(&place.project, &place.environment) else {
        let slug = &place.environment;
        return Err(if asked.generation.is_august() {
            Refusal::new(400, "get folders", "Environment not found")
        } else {
            Refusal::not_found(format!("Environment with slug '{slug}' not found"))
        });
    };
    database.check_path(&place.path)?;
    let Some(parent) = database.folder_at(&environment.id, &place.path) else {
        return Ok(Reply::ok(&object([("folders", Vec::<Members>::new().into())])));
    };
    let below = format!("{}/", place.path.trim_end_matches('/'));
    let mut found: Vec<_> = database
        .folders
        .iter()
        .filter(|folder| {
            let is_child = folder.parent.as_deref() == Some(&parent.id);
            let is_below = is_recursive
                && folder.environment == environment.id
                && folder.id != parent.id
                && database.path_of(folder).starts_with(&below);
            is_child || is_below
        })
        .collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    let record = |folder: &&crate::services::infisical::dev::rows::Folder| {
        let mut record = records::folder(folder);
        if is_recursive {
            let path = database.path_of(folder);
            record.set("relativePath", path.strip_prefix(place.path.trim_end_matches('/')).unwrap_or(&path));
        }
        record
    };
    Ok(Reply::ok(&object([("folders", found.iter().map(record).collect::<Vec<_>>().into())])))
}

fn create(database: &mut Database, asked: &Asked) -> Answer {
    let generation = asked.generation;
    let mut body = asked.body();
    let place = place(&mut body, asked);
    let name = body.word("name");
    let description = body.nullable_text("description");
    body.done(generation)?;
    database.check(asked.actor()?, Action::Create, place.location())?;
    let Some(environment) = database.environment(&place.project, &place.environment) else {
        let (slug, project) = (&place.environment, &place.project);
        return Err(if generation.is_august() {
            Refusal::new(400, "Create folder", "Environment not found")
        } else {
            Refusal::not_found(format!("Environment with slug '{slug}' in project with ID '{project}' not found"))
        });
    };
    let environment = environment.id.clone();
    let whole = folder_path(&format!("{}/{name}", place.path.trim_end_matches('/')));
    database.check_path(&whole)?;
    if let Some(known) = database.folder_at(&environment, &whole) {
        if generation.is_current() {
            let message = format!("Folder with name '{name}' already exists in path '{}'", place.path);
            return Err(Refusal::bad_request(message));
        }
        return one(records::folder(known));
    }
    let parent = database.make_folder(&environment, &place.path);
    let now = database.now();
    let id = database.add_folder(&environment, Some(parent), &name, now);
    for folder in database.folders.iter_mut().filter(|folder| folder.id == id) {
        folder.description = description.clone().flatten();
    }
    found(database, &id).map_or_else(|| Err(missing(&id)), one)
}

fn found(database: &Database, id: &str) -> Option<Members> {
    database.folder_by_id(id).map(records::folder)
}

fn missing(id: &str) -> Refusal {
    Refusal::not_found(format!("Folder with ID '{id}' not found"))
}

fn get(database: &mut Database, asked: &Asked) -> Answer {
    let id = asked.param("folderId");
    if !is_uuid(&id) {
        return Err(Refusal::failed_step("Find by id"));
    }
    let folder = database.folder_by_id(&id).ok_or_else(|| {
        if asked.generation.is_august() { Refusal::not_found("folder not found") } else { missing(&id) }
    })?;
    let project = database.project_of_environment(&folder.environment).map(|project| project.id.clone());
    database.check_member(asked.actor()?, &project.unwrap_or_default())?;
    one(if asked.generation.is_august() { records::folder(folder) } else { records::whole_folder(database, folder) })
}

/// The id of a folder in a place, by its id or its name.
fn child(database: &Database, place: &Place, id_or_name: &str) -> Option<String> {
    let parent = &database.folder(place.location())?.id;
    let mut children = database.folders.iter().filter(|folder| folder.parent.as_ref() == Some(parent));
    children.find(|folder| folder.id == id_or_name || folder.name == id_or_name).map(|folder| folder.id.clone())
}

fn rename(database: &mut Database, asked: &Asked, place: &Place, id: &str, name: &str) -> Result<Members, Refusal> {
    database.check(asked.actor()?, Action::Edit, place.location())?;
    let Some(id) = child(database, place, id) else {
        return Err(if asked.generation.is_august() {
            Refusal::bad_request("Folder not found")
        } else {
            Refusal::new(404, "UpdateFolder", format!("Folder with ID '{id}' not found"))
        });
    };
    let now = database.now();
    for folder in database.folders.iter_mut().filter(|folder| folder.id == id) {
        name.clone_into(&mut folder.name);
        folder.version += 1;
        folder.updated = now;
    }
    found(database, &id).ok_or_else(|| missing(&id))
}

fn update(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let place = place(&mut body, asked);
    let name = body.word("name");
    body.done(asked.generation)?;
    one(rename(database, asked, &place, &asked.param("folderId"), &name)?)
}

fn update_many(database: &mut Database, asked: &Asked) -> Answer {
    let is_first = project_member(asked) == "workspaceId";
    let mut body = asked.body();
    let project = body.word(if is_first { "projectSlug" } else { "projectId" });
    let changes =
        body.items("folders", |item| (item.word("id"), item.word("environment"), item.word("name"), item.path("path")));
    body.done(asked.generation)?;
    let project = match database.project_by_slug(&project).filter(|_| is_first) {
        Some(found) => found.id.clone(),
        None if is_first => return Err(Refusal::unknown_slug(asked.generation, &project)),
        None => project,
    };
    let mut renamed = Vec::new();
    for (id, environment, name, path) in changes {
        let place = Place { project: project.clone(), environment, path };
        renamed.push(rename(database, asked, &place, &id, &name)?);
    }
    Ok(Reply::ok(&object([("folders", renamed.into())])))
}

fn delete(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let place = place(&mut body, asked);
    body.done(asked.generation)?;
    let Location { project, environment, path } = place.location();
    database.check(asked.actor()?, Action::Delete, Location { project, environment, path })?;
    let wanted = asked.param("folderId");
    let Some(id) = child(database, &place, &wanted) else {
        return Err(if asked.generation.is_august() {
            Refusal::new(400, "Delete folder", "Folder not found")
        } else {
            Refusal::not_found(format!("Failed to delete folder with ID '{wanted}', not found"))
        });
    };
    let answer = found(database, &id).ok_or_else(|| missing(&id))?;
    let mut gone = vec![id];
    let mut at = 0;
    while let Some(parent) = gone.get(at).cloned() {
        let children = database.folders.iter().filter(|folder| folder.parent.as_ref() == Some(&parent));
        gone.extend(children.map(|folder| folder.id.clone()));
        at += 1;
    }
    database.folders.retain(|folder| !gone.contains(&folder.id));
    database.secrets.retain(|secret| !gone.contains(&secret.folder));
    database.imports.retain(|import| !gone.contains(&import.folder));
    one(answer)
}
