//! Writes of secrets, of both versions: one, many and from folder to folder.

use crate::dev::Reply;
use crate::dev::javascript::object;
use crate::services::infisical::dev::asked::{Answer, Asked, endpoints};
use crate::services::infisical::dev::database::Database;
use crate::services::infisical::dev::fields::{Fields, trimmed};
use crate::services::infisical::dev::records::{Shown, tags_of};
use crate::services::infisical::dev::refusal::Refusal;
use crate::services::infisical::dev::seed::Action;
use crate::services::infisical::dev::writes::{Change, Kind, Place};

endpoints! {
    /// The creation of a secret.
    POST "/v3/secrets/raw/{secretName}" as SECRETS_V3_CREATE since August2024, Secret Token => create_v3;
    /// The change of a secret.
    PATCH "/v3/secrets/raw/{secretName}" as SECRETS_V3_UPDATE since August2024, Secret Token => update_v3;
    /// The deletion of a secret.
    DELETE "/v3/secrets/raw/{secretName}" as SECRETS_V3_DELETE since August2024, Secret Token => delete_v3;
    /// The creation of several secrets.
    POST "/v3/secrets/batch/raw" as SECRETS_V3_CREATE_BATCH since August2024, Secret Token => create_many_v3;
    /// The change of several secrets.
    PATCH "/v3/secrets/batch/raw" as SECRETS_V3_UPDATE_BATCH since August2024, Secret Token => update_many_v3;
    /// The deletion of several secrets.
    DELETE "/v3/secrets/batch/raw" as SECRETS_V3_DELETE_BATCH since August2024, Secret Token => delete_many_v3;
    /// The move of secrets from folder to folder.
    POST "/v3/secrets/move" as SECRETS_V3_MOVE since August2024, Secret Token => move_v3;
    /// The creation of a secret.
    POST "/v4/secrets/{secretName}" as SECRETS_CREATE since Current, Secret Token => create_v4;
    /// The change of a secret.
    PATCH "/v4/secrets/{secretName}" as SECRETS_UPDATE since Current, Secret Token => update_v4;
    /// The deletion of a secret.
    DELETE "/v4/secrets/{secretName}" as SECRETS_DELETE since Current, Secret Token => delete_v4;
    /// The creation of several secrets.
    POST "/v4/secrets/batch" as SECRETS_CREATE_BATCH since Current, Secret Token => create_many_v4;
    /// The change of several secrets.
    PATCH "/v4/secrets/batch" as SECRETS_UPDATE_BATCH since Current, Secret Token => update_many_v4;
    /// The deletion of several secrets.
    DELETE "/v4/secrets/batch" as SECRETS_DELETE_BATCH since Current, Secret Token => delete_many_v4;
    /// The move of secrets from folder to folder.
    POST "/v4/secrets/move" as SECRETS_MOVE since Current, Secret Token => move_v4;
    /// One secret by its id.
    GET "/v4/secrets/id/{secretId}" as SECRETS_GET_BY_ID since Current, Secret Token => by_id;
}

/// The version of the interface, which differs in how a request names its project.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    /// Single secrets by the project's id; later servers take its slug as well.
    Three,
    /// Many secrets by the project's id or its slug.
    ThreeMany,
    Four,
}

/// The folder that a body names.
struct Named {
    project: Option<String>,
    slug: Option<String>,
    environment: String,
    path: String,
}

impl Named {
    fn read(body: &mut Fields, version: Version, asked: &Asked) -> Self {
        let by_slug = version == Version::ThreeMany || (version == Version::Three && asked.generation.is_current());
        let project = match version {
            Version::Four => Some(body.word("projectId")),
            _ if by_slug => body.optional_word("workspaceId"),
            _ => Some(body.word("workspaceId")),
        };
        let slug = if by_slug { body.optional_word("projectSlug") } else { None };
        Named { project, slug, environment: body.word("environment"), path: body.path("secretPath") }
    }

    fn place(self, database: &Database, asked: &Asked) -> Result<Place, Refusal> {
        let project = match (self.project, self.slug) {
            (Some(id), _) => id,
            (None, Some(slug)) => {
                let found = database.project_by_slug(&slug).map(|project| project.id.clone());
                found.ok_or_else(|| Refusal::unknown_slug(asked.generation, &slug))?
            }
            (None, None) => return Err(Refusal::bad_request("Must provide either project slug or projectId")),
        };
        Ok(Place { project, environment: self.environment, path: self.path })
    }
}

fn write_one(database: &mut Database, asked: &Asked, version: Version, kind: Kind) -> Answer {
    let mut body = asked.body();
    let named = Named::read(&mut body, version, asked);
    let mut change = Change::read(&mut body, kind, asked.generation);
    body.done(asked.generation)?;
    change.key = asked.param("secretName");
    if kind == Kind::Create && asked.generation.is_current() {
        check_name(&change.key)?;
    }
    let place = named.place(database, asked)?;
    match kind {
        Kind::Create => database.create(asked, &place, change)?.one(),
        Kind::Update => database.update(asked, &place, change)?.one(),
    }
}

/// Servers of today take no colons and no slashes into new names.
fn check_name(name: &str) -> Result<(), Refusal> {
    if name.is_empty() || name.contains([':', '/']) {
        return Err(Refusal::bad_request("Secret name cannot be empty or contain colon or slash."));
    }
    Ok(())
}

fn delete_one(database: &mut Database, asked: &Asked, version: Version) -> Answer {
    let mut body = asked.body();
    let named = Named::read(&mut body, version, asked);
    let is_personal = body.one_of("type", &["shared", "personal"]).is_some_and(|kind| kind == "personal");
    body.done(asked.generation)?;
    let place = named.place(database, asked)?;
    database.delete(asked, &place, &asked.param("secretName"), is_personal)?.one()
}

fn write_many(database: &mut Database, asked: &Asked, version: Version, kind: Kind) -> Answer {
    let mut body = asked.body();
    let named = Named::read(&mut body, version, asked);
    let changes = body.items("secrets", |item| {
        let key = trimmed(&item.text("secretKey")).to_owned();
        Change { key, ..Change::read(item, kind, asked.generation) }
    });
    body.done(asked.generation)?;
    let place = named.place(database, asked)?;
    match kind {
        Kind::Create => database.create_many(asked, &place, changes)?.many(),
        Kind::Update => database.update_many(asked, &place, changes)?.many(),
    }
}

fn delete_many(database: &mut Database, asked: &Asked, version: Version) -> Answer {
    let mut body = asked.body();
    let named = Named::read(&mut body, version, asked);
    let keys = body.items("secrets", |item| item.word("secretKey"));
    body.done(asked.generation)?;
    let place = named.place(database, asked)?;
    database.delete_many(asked, &place, &keys)?.many()
}

fn move_secrets(database: &mut Database, asked: &Asked, version: Version) -> Answer {
    let mut body = asked.body();
    let (project, slug) = match version {
        Version::Four => (Some(body.word("projectId")), None),
        _ => (None, Some(body.word("projectSlug"))),
    };
    let environment = body.word("sourceEnvironment");
    let path = body.path("sourceSecretPath");
    let to = (body.word("destinationEnvironment"), body.path("destinationSecretPath"));
    let ids = body.texts("secretIds").unwrap_or_default();
    let overwrites = body.boolean("shouldOverwrite").unwrap_or(false);
    body.done(asked.generation)?;
    let from = Named { project, slug, environment, path }.place(database, asked)?;
    let to = Place { project: from.project.clone(), environment: to.0, path: to.1 };
    database.move_secrets(asked, (&from, &to), &ids, overwrites)
}

fn by_id(database: &mut Database, asked: &Asked) -> Answer {
    let id = asked.param("secretId");
    let missing = || Refusal::not_found(format!("Secret with ID '{id}' not found"));
    let secret =
        database.secrets.iter().find(|secret| secret.id == id && secret.owner.is_none()).ok_or_else(missing)?;
    let folder = database.folder_by_id(&secret.folder).ok_or_else(missing)?;
    let project = database.project_of_environment(&folder.environment).ok_or_else(missing)?;
    let place = Place {
        project: project.id.clone(),
        environment: database.environment_of(folder).to_owned(),
        path: database.path_of(folder),
    };
    database.check(asked.actor()?, Action::Read, place.location())?;
    let shown = Shown {
        secret,
        project: &place.project,
        environment: &place.environment,
        value: secret.value.clone(),
        comment: secret.comment.clone(),
        is_hidden: false,
    };
    let mut record = shown.record(database);
    record.set("secretPath", place.path.clone());
    record.set("tags", tags_of(database, secret));
    Ok(Reply::ok(&object([("secret", record.into())])))
}

fn create_v3(database: &mut Database, asked: &Asked) -> Answer {
    write_one(database, asked, Version::Three, Kind::Create)
}

fn update_v3(database: &mut Database, asked: &Asked) -> Answer {
    write_one(database, asked, Version::Three, Kind::Update)
}

fn delete_v3(database: &mut Database, asked: &Asked) -> Answer {
    delete_one(database, asked, Version::Three)
}

fn create_many_v3(database: &mut Database, asked: &Asked) -> Answer {
    write_many(database, asked, Version::ThreeMany, Kind::Create)
}

fn update_many_v3(database: &mut Database, asked: &Asked) -> Answer {
    write_many(database, asked, Version::ThreeMany, Kind::Update)
}

fn delete_many_v3(database: &mut Database, asked: &Asked) -> Answer {
    delete_many(database, asked, Version::ThreeMany)
}

fn move_v3(database: &mut Database, asked: &Asked) -> Answer {
    move_secrets(database, asked, Version::Three)
}

fn create_v4(database: &mut Database, asked: &Asked) -> Answer {
    write_one(database, asked, Version::Four, Kind::Create)
}

fn update_v4(database: &mut Database, asked: &Asked) -> Answer {
    write_one(database, asked, Version::Four, Kind::Update)
}

fn delete_v4(database: &mut Database, asked: &Asked) -> Answer {
    delete_one(database, asked, Version::Four)
}

fn create_many_v4(database: &mut Database, asked: &Asked) -> Answer {
    write_many(database, asked, Version::Four, Kind::Create)
}

fn update_many_v4(database: &mut Database, asked: &Asked) -> Answer {
    write_many(database, asked, Version::Four, Kind::Update)
}

fn delete_many_v4(database: &mut Database, asked: &Asked) -> Answer {
    delete_many(database, asked, Version::Four)
}

fn move_v4(database: &mut Database, asked: &Asked) -> Answer {
    move_secrets(database, asked, Version::Four)
}
