//! Imports, of both versions.

use super::folders::place;
use crate::dev::Reply;
use crate::dev::javascript::{Json, Members, object};
use crate::services::infisical::dev::asked::{Answer, Asked, endpoints};
use crate::services::infisical::dev::database::{Database, Location, new_id};
use crate::services::infisical::dev::imported::blocks;
use crate::services::infisical::dev::reads::{ListRequest, Personal, Switches};
use crate::services::infisical::dev::records;
use crate::services::infisical::dev::refusal::Refusal;
use crate::services::infisical::dev::rows::Import;
use crate::services::infisical::dev::seed::Action;
use crate::services::infisical::dev::writes::Place;

endpoints! {
    /// The imports of a folder.
    GET "/v1/secret-imports" as IMPORTS_V1_LIST since August2024, Read Token => list;
    /// The creation of an import.
    POST "/v1/secret-imports" as IMPORTS_V1_CREATE since August2024, Secret Token => create;
    /// An import by its id.
    GET "/v1/secret-imports/{secretImportId}" as IMPORTS_V1_GET since Current, Read Token => get;
    /// The change of an import.
    PATCH "/v1/secret-imports/{secretImportId}" as IMPORTS_V1_UPDATE since August2024, Secret Token => update;
    /// The deletion of an import.
    DELETE "/v1/secret-imports/{secretImportId}" as IMPORTS_V1_DELETE since August2024, Secret Token => delete;
    /// The secrets that imports bring into a folder.
    GET "/v1/secret-imports/secrets/raw" as IMPORTS_V1_SECRETS since August2024, Secret Token => secrets;
    /// The imports of a folder.
    GET "/v2/secret-imports" as IMPORTS_LIST since Current, Read Token => list;
    /// The creation of an import.
    POST "/v2/secret-imports" as IMPORTS_CREATE since Current, Secret Token => create;
    /// An import by its id.
    GET "/v2/secret-imports/{secretImportId}" as IMPORTS_GET since Current, Read Token => get;
    /// The change of an import.
    PATCH "/v2/secret-imports/{secretImportId}" as IMPORTS_UPDATE since Current, Secret Token => update;
    /// The deletion of an import.
    DELETE "/v2/secret-imports/{secretImportId}" as IMPORTS_DELETE since Current, Secret Token => delete;
    /// The secrets that imports bring into a folder.
    GET "/v2/secret-imports/secrets" as IMPORTS_SECRETS since Current, Secret Token => secrets;
}

fn one(database: &Database, import: &Import, done: &str) -> Answer {
    let record = records::import(database, import);
    let message = format!("Successfully {done} secret import");
    Ok(Reply::ok(&object([("message", message.into()), ("secretImport", record.into())])))
}

/// The folder that imports; nothing when it is missing.
fn folder(database: &Database, place: &Place) -> Option<String> {
    database.folder(place.location()).map(|folder| folder.id.clone())
}

fn missing_folder(asked: &Asked, place: &Place, step: &str) -> Refusal {
    let Place { environment, path, .. } = place;
    if asked.generation.is_august() {
        return Refusal::new(400, step, "Folder not found");
    }
    Refusal::not_found(format!("Folder with path '{path}' in environment with slug '{environment}' not found"))
}

/// Tells subscribers that the imports of a folder changed.
fn tell(database: &mut Database, place: &Place) {
    let payload = object([("environment", (&place.environment).into()), ("secretPath", (&place.path).into())]);
    database.tell_of("secret:import-mutation", place, payload);
}

fn list(database: &mut Database, asked: &Asked) -> Answer {
    let mut query = asked.query();
    let place = place(&mut query, asked);
    query.done(asked.generation)?;
    database.check(asked.actor()?, Action::Read, place.location())?;
    let found = folder(database, &place).map(|folder| {
        let imports = database.imports_of(&folder);
        imports.into_iter().map(|import| records::import(database, import)).collect::<Vec<_>>()
    });
    let imports = found.unwrap_or_default();
    Ok(Reply::ok(&object([
        ("message", "Successfully fetched secret imports".into()),
        ("secretImports", imports.into()),
    ])))
}

fn create(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let place = place(&mut body, asked);
    let (environment, path) = body.inner("import", |import| (import.word("environment"), import.path("path")));
    body.done(asked.generation)?;
    database.check(asked.actor()?, Action::Create, place.location())?;
    let folder = folder(database, &place).ok_or_else(|| missing_folder(asked, &place, "Create import"))?;
    let Some(source) = database.environment(&place.project, &environment).map(|found| found.id.clone()) else {
        return Err(if asked.generation.is_august() {
            Refusal::new(400, "Create import", "The request is invalid")
        } else {
            Refusal::not_found("The requested entity is not found")
        });
    };
    let own = database.environment(&place.project, &place.environment).map(|found| found.id.clone());
    let location = Location { project: &place.project, environment: &environment, path: &path };
    let imports_this = |import: &&Import| Some(&import.environment) == own.as_ref() && import.path == place.path;
    let is_circle = database
        .folder(location)
        .filter(|found| found.id != folder)
        .is_some_and(|found| database.imports_of(&found.id).iter().any(imports_this));
    if is_circle {
        return Err(Refusal::bad_request("Cyclic import not allowed"));
    }
    let (now, position) = (database.now(), database.next_position(&folder));
    let import = Import { id: new_id(), folder, environment: source, path, position, created: now, updated: now };
    database.imports.push(import.clone());
    tell(database, &place);
    one(database, &import, "created")
}

fn position_of(database: &Database, folder: &str, id: &str) -> Option<usize> {
    database.imports.iter().position(|import| import.id == id && import.folder == folder)
}

fn get(database: &mut Database, asked: &Asked) -> Answer {
    let id = asked.param("secretImportId");
    let missing = || Refusal::not_found(format!("Secret import with ID '{id}' not found"));
    let import = database.imports.iter().find(|import| import.id == id).ok_or_else(missing)?;
    let folder = database.folder_by_id(&import.folder).ok_or_else(missing)?;
    let project = database.project_of_environment(&folder.environment).ok_or_else(missing)?;
    let path = database.path_of(folder);
    let environment = database.environment_of(folder);
    database.check(asked.actor()?, Action::Read, Location { project: &project.id, environment, path: &path })?;
    let mut record = records::import(database, import);
    record.set("projectId", &project.id);
    record.set("secretPath", path.as_str());
    record.set("environment", database.environment_by_id(&folder.environment).map(records::environment_name));
    Ok(Reply::ok(&object([("secretImport", record.into())])))
}

fn update(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let place = place(&mut body, asked);
    let (environment, path, position) = body.inner("import", |import| {
        let position = import.nullable_number("position").flatten();
        (import.optional_word("environment"), import.optional_word("path"), position)
    });
    body.done(asked.generation)?;
    database.check(asked.actor()?, Action::Edit, place.location())?;
    let folder = folder(database, &place).ok_or_else(|| missing_folder(asked, &place, "Update import"))?;
    let id = asked.param("secretImportId");
    let Some(at) = position_of(database, &folder, &id) else {
        return Err(Refusal::bad_request("Secret import not found"));
    };
    let source = match environment {
        Some(slug) => Some(
            database
                .environment(&place.project, &slug)
                .map(|found| found.id.clone())
                .ok_or_else(|| Refusal::not_found("Imported env not found"))?,
        ),
        None => None,
    };
    if let Some(position) = position.and_then(|position| u32::try_from(position).ok()) {
        place_at(database, &folder, &id, position);
    }
    let now = database.now();
    let Some(import) = database.imports.get_mut(at) else {
        return Err(Refusal::bad_request("Secret import not found"));
    };
    if let Some(source) = source {
        import.environment = source;
    }
    if let Some(path) = path {
        import.path = path;
    }
    import.updated = now;
    let import = import.clone();
    tell(database, &place);
    one(database, &import, "updated")
}

/// Puts an import at a position; those between its old place and its new one move by one.
fn place_at(database: &mut Database, folder: &str, id: &str, position: u32) {
    let mut order: Vec<String> =
        database.imports_of(folder).into_iter().map(|import| import.id.clone()).filter(|known| known != id).collect();
    let at = usize::try_from(position.max(1) - 1).unwrap_or(usize::MAX).min(order.len());
    order.insert(at, id.to_owned());
    renumber(database, &order);
}

fn renumber(database: &mut Database, order: &[String]) {
    for import in &mut database.imports {
        if let Some(at) = order.iter().position(|id| *id == import.id) {
            import.position = u32::try_from(at + 1).unwrap_or(u32::MAX);
        }
    }
}

fn delete(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let place = place(&mut body, asked);
    body.done(asked.generation)?;
    database.check(asked.actor()?, Action::Delete, place.location())?;
    let folder = folder(database, &place).ok_or_else(|| missing_folder(asked, &place, "Del import"))?;
    let id = asked.param("secretImportId");
    let Some(at) = position_of(database, &folder, &id) else {
        return Err(if asked.generation.is_august() {
            Refusal::new(400, "Sec imp del", "Secret import doc not found")
        } else {
            Refusal::not_found(format!("Secret import with folder ID '{id}' not found"))
        });
    };
    let import = database.imports.remove(at);
    let order: Vec<String> = database.imports_of(&folder).into_iter().map(|import| import.id.clone()).collect();
    renumber(database, &order);
    tell(database, &place);
    one(database, &import, "deleted")
}

/// The secrets of imports, as they are stored.
fn secrets(database: &mut Database, asked: &Asked) -> Answer {
    let mut query = asked.query();
    let place = place(&mut query, asked);
    query.done(asked.generation)?;
    let actor = asked.actor()?;
    database.check(actor, Action::Read, place.location())?;
    let mut listed: Vec<Members> = Vec::new();
    if let Some(folder) = folder(database, &place) {
        let request = ListRequest {
            project: place.project.clone(),
            environment: place.environment.clone(),
            path: place.path.clone(),
            switches: Switches {
                views: true,
                expands: false,
                is_recursive: false,
                imports: true,
                personal: Personal::None,
            },
            tags: Vec::new(),
            metadata: Vec::new(),
        };
        let found = blocks(database, actor, &place.project, &folder)?;
        listed = found.iter().map(|block| database.import_block(&request, block, None, true)).collect();
    }
    Ok(Reply::ok(&object([("secrets", Json::from(listed))])))
}
