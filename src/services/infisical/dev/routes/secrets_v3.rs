//! Secrets, version 3: the project is given by its id or its slug.

use crate::services::infisical::dev::access::Actor;
use crate::services::infisical::dev::asked::{Answer, Asked, endpoints};
use crate::services::infisical::dev::database::Database;
use crate::services::infisical::dev::reads::{GetRequest, ListRequest, Personal, Switches};
use crate::services::infisical::dev::refusal::Refusal;

endpoints! {
    /// A list of secrets.
    GET "/v3/secrets/raw" as SECRETS_V3_LIST since August2024, Secret Token => list;
    /// One secret by its name.
    GET "/v3/secrets/raw/{secretName}" as SECRETS_V3_GET since August2024, Secret Token => get;
}

/// A project by its id, or by its slug where that is known to this actor.
pub(super) fn project(
    database: &Database,
    actor: &Actor,
    id: Option<String>,
    slug: Option<String>,
) -> Result<Option<String>, Refusal> {
    if id.is_some() {
        return Ok(id);
    }
    let Some(slug) = slug.filter(|_| !matches!(actor, Actor::User(_)) || database.generation.is_current()) else {
        return Ok(None);
    };
    let found = database.project_by_slug(&slug).ok_or_else(|| Refusal::unknown_slug(database.generation, &slug))?;
    Ok(Some(found.id.clone()))
}

fn list(database: &mut Database, asked: &Asked) -> Answer {
    let actor = asked.actor()?;
    let mut query = asked.query();
    let id = query.optional_word("workspaceId");
    let slug = query.optional_word("workspaceSlug");
    let mut environment = query.optional_word("environment");
    let mut path = query.path("secretPath");
    let views = !asked.generation.is_current() || query.switch("viewSecretValue", true);
    let switches = Switches {
        views,
        expands: query.switch("expandSecretReferences", false),
        is_recursive: query.switch("recursive", false),
        imports: query.switch("include_imports", false),
        personal: Personal::Beside,
    };
    let tags = query.optional_word("tagSlugs").unwrap_or_default();
    let metadata = if asked.generation.is_current() { query.optional_word("metadataFilter") } else { None };
    query.done(asked.generation)?;
    let mut project = project(database, actor, id, slug)?;
    if let Some((own, at, folder)) = database.only_scope(actor) {
        (project, environment, path) = (Some(own), Some(at), folder);
    }
    let present = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (Some(project), Some(environment)) = (present(project), present(environment)) else {
        let message = asked.generation.pick(
            "Missing workspace id or environment",
            "Missing workspace id or environment",
            "Missing project id or environment",
        );
        return Err(Refusal::bad_request(message));
    };
    let request = ListRequest { project, environment, path, switches, tags: split(&tags), metadata: pairs(metadata) };
    database.list(actor, &request)
}

/// The words of a list with commas.
pub(super) fn split(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The pairs of a filter, `key=a,value=b|key=c,value=d`.
pub(super) fn pairs(filter: Option<String>) -> Vec<(String, String)> {
    let filter = filter.unwrap_or_default();
    let pair = |text: &str| {
        let (mut key, mut value) = (String::new(), String::new());
        for part in text.split(',') {
            match part.split_once('=') {
                Some(("key", text)) => text.clone_into(&mut key),
                Some(("value", text)) => text.clone_into(&mut value),
                _ => {}
            }
        }
        (key, value)
    };
    filter.split('|').filter(|text| !text.is_empty()).map(pair).collect()
}

fn get(database: &mut Database, asked: &Asked) -> Answer {
    let actor = asked.actor()?;
    let mut query = asked.query();
    let id = query.optional_word("workspaceId");
    let slug = query.optional_word("workspaceSlug");
    let mut environment = query.optional_word("environment");
    let mut path = query.path("secretPath");
    let version = query.coerced_number("version");
    let is_personal = query.one_of("type", &["shared", "personal"]).is_some_and(|kind| kind == "personal");
    let views = !asked.generation.is_current() || query.switch("viewSecretValue", true);
    let switches = Switches {
        views,
        expands: query.switch("expandSecretReferences", false),
        is_recursive: false,
        imports: query.switch("include_imports", false),
        personal: Personal::None,
    };
    query.done(asked.generation)?;
    let mut project = project(database, actor, id, slug)?;
    if let Some((own, at, folder)) = database.only_scope(actor) {
        (project, environment, path) = (Some(own), Some(at), folder);
    }
    let Some(project) = project else {
        return Err(Refusal::bad_request("You must provide workspaceSlug or workspaceId"));
    };
    let request = GetRequest {
        project,
        environment: environment.unwrap_or_default(),
        path,
        name: asked.param("secretName"),
        is_personal,
        version: version.and_then(whole),
        switches,
    };
    database.get(actor, &request)
}

/// A version as a number of a query gives it.
pub(super) fn whole(number: f64) -> Option<u32> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just before")]
    (number.fract() == 0.0 && (1.0..1e9).contains(&number)).then_some(number as u32)
}
