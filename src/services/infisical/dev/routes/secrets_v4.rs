//! Secrets, version 4: the project is given by its id.

use super::secrets_v3::{pairs, split, whole};
use crate::services::infisical::dev::asked::{Answer, Asked, endpoints};
use crate::services::infisical::dev::database::Database;
use crate::services::infisical::dev::reads::{GetRequest, ListRequest, Personal, Switches};
use crate::services::infisical::dev::refusal::Refusal;

endpoints! {
    /// A list of secrets.
    GET "/v4/secrets" as SECRETS_LIST since Current, Secret Token => list;
    /// One secret by its name.
    GET "/v4/secrets/{secretName}" as SECRETS_GET since Current, Secret Token => get;
}

fn list(database: &mut Database, asked: &Asked) -> Answer {
    let actor = asked.actor()?;
    let mut query = asked.query();
    let mut project = query.optional_word("projectId");
    let mut environment = query.optional_word("environment");
    let mut path = query.path("secretPath");
    let switches = Switches {
        views: query.switch("viewSecretValue", true),
        expands: query.switch("expandSecretReferences", true),
        is_recursive: query.switch("recursive", false),
        imports: query.switch("includeImports", true),
        personal: if query.switch("includePersonalOverrides", false) { Personal::Instead } else { Personal::None },
    };
    let tags = query.optional_word("tagSlugs").unwrap_or_default();
    let metadata = query.optional_word("metadataFilter");
    query.done(asked.generation)?;
    if let Some((own, at, folder)) = database.only_scope(actor) {
        (project, environment, path) = (Some(own), Some(at), folder);
    }
    let (Some(project), Some(environment)) = (project, environment) else {
        return Err(Refusal::bad_request("Missing project id or environment"));
    };
    let request = ListRequest { project, environment, path, switches, tags: split(&tags), metadata: pairs(metadata) };
    database.list(actor, &request)
}

fn get(database: &mut Database, asked: &Asked) -> Answer {
    let actor = asked.actor()?;
    let mut query = asked.query();
    let project = query.word("projectId");
    let environment = query.word("environment");
    let path = query.path("secretPath");
    let version = query.coerced_number("version");
    let is_personal = query.one_of("type", &["shared", "personal"]).is_some_and(|kind| kind == "personal");
    let switches = Switches {
        views: query.switch("viewSecretValue", true),
        expands: query.switch("expandSecretReferences", true),
        is_recursive: false,
        imports: query.switch("includeImports", true),
        personal: Personal::None,
    };
    query.done(asked.generation)?;
    let request = GetRequest {
        project,
        environment,
        path,
        name: asked.param("secretName"),
        is_personal,
        version: version.and_then(whole),
        switches,
    };
    database.get(actor, &request)
}
