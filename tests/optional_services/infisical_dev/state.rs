//! The state in which a real server was when it was recorded, put into a dev server.

use std::time::Duration;

use serde_json::Value;
use xtrasecurity::infisical::dev::{
    Action, ClientSecretSeed, EnvironmentSeed, Generation, Grant, IdentitySeed, InfisicalDevServer, ProjectSeed, Role,
    SecretSeed, ServiceTokenSeed, TagSeed,
};

use crate::recorded::Recordings;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// The seed of a secret in a recorded list.
fn secret(row: &Value, environment: &str, path: &str) -> SecretSeed {
    let mut seed = SecretSeed::new(environment, text(&row["secretKey"]), text(&row["secretValue"]))
        .path(path)
        .id(text(&row["id"]))
        .comment(row["secretComment"].as_str().unwrap_or_default());
    for tag in row["tags"].as_array().into_iter().flatten() {
        seed = seed.tag(text(&tag["slug"]));
    }
    if row["skipMultilineEncoding"] == true { seed.skips_multiline_encoding() } else { seed }
}

/// An identity whose client id and client secret a recorded login names.
fn identity(recordings: &Recordings, name: &str, login: &str) -> IdentitySeed {
    let recording = recordings.load(login);
    let body = recording.sent_json().unwrap();
    let seed = IdentitySeed::new(name).client_id(text(&body["clientId"]));
    let secret = ClientSecretSeed::new(text(&body["clientSecret"]));
    let issued =
        recordings.answer(login)["accessToken"].as_str().and_then(|token| crate::replay::claim(token, "identityId"));
    let seed = match issued {
        Some(id) => seed.id(&id),
        None => seed,
    };
    seed.client_secret(match name {
        "once" => secret.uses(1),
        "brief" => secret.ttl(Duration::from_secs(2)),
        _ => secret,
    })
}

/// The id of an identity in the token that it sent.
fn id_of(recordings: &Recordings, name: &str) -> Option<String> {
    let mut sent = recordings.names().into_iter().map(|recording| recordings.load(&recording));
    let recording = sent.find(|recording| recording.identity() == name && recording.token().is_some())?;
    crate::replay::claim(&recording.token()?, "identityId")
}

fn service_token(recordings: &Recordings, name: &str, recording: &str) -> ServiceTokenSeed {
    let token = recordings.load(recording).token().unwrap();
    let mut parts = token.split('.').skip(1);
    ServiceTokenSeed::new(name, "rec-project").token(parts.next().unwrap(), parts.next().unwrap())
}

fn identities(recordings: &Recordings) -> Vec<IdentitySeed> {
    let seconds = Duration::from_secs;
    let mut seeds = vec![
        identity(recordings, "writer", "auth-ua-login"),
        identity(recordings, "outsider", "auth-ua-login-outsider"),
        identity(recordings, "noaccess", "auth-ua-login-secret-revoked"),
        identity(recordings, "hundred", "auth-ua-login-ttl-100-max-1000").ttl(seconds(100)).max_ttl(seconds(1000)),
        identity(recordings, "once", "auth-ua-secret-use-limit-1"),
        identity(recordings, "brief", "auth-ua-secret-ttl-expired"),
        IdentitySeed::new("reader"),
        IdentitySeed::new("devonly"),
        IdentitySeed::new("seed"),
        IdentitySeed::new("shortttl").ttl(seconds(2)).max_ttl(seconds(60)),
        IdentitySeed::new("shortmax").ttl(seconds(3)).max_ttl(seconds(3)),
        IdentitySeed::new("renew3").ttl(seconds(3)).max_ttl(seconds(1000)),
        IdentitySeed::new("uses").uses(2),
    ];
    for (seed, name) in seeds.iter_mut().zip(NAMES) {
        if let Some(id) = id_of(recordings, name) {
            *seed = seed.clone().id(&id);
        }
    }
    seeds
}

pub(crate) const NAMES: [&str; 13] = [
    "writer", "outsider", "noaccess", "hundred", "once", "brief", "reader", "devonly", "seed", "shortttl", "shortmax",
    "renew3", "uses",
];

fn project(recordings: &Recordings) -> ProjectSeed {
    let workspace = &recordings.answer("workspace-get")["workspace"];
    let mut project =
        ProjectSeed::new(text(&workspace["slug"])).name(text(&workspace["name"])).id(text(&workspace["id"]));
    for environment in workspace["environments"].as_array().unwrap() {
        let seed = EnvironmentSeed::new(text(&environment["slug"]), text(&environment["name"]));
        project = project.environment(seed.id(text(&environment["id"])));
    }
    for tag in recordings.answer("tag-list")["workspaceTags"].as_array().unwrap() {
        let seed = TagSeed::new(text(&tag["slug"])).color(text(&tag["color"]));
        project = project.tag(seed.id(text(&tag["id"])));
    }
    for row in recordings.answer("secrets-list-recursive")["secrets"].as_array().unwrap() {
        project = project.secret(secret(row, "dev", text(&row["secretPath"])));
    }
    for block in recordings.answer("import-secrets-raw")["secrets"].as_array().unwrap() {
        let environment = text(&block["environment"]);
        for row in block["secrets"].as_array().unwrap() {
            // the last row of staging comes from the import of another folder
            let path = if row["environment"] == environment { text(&block["secretPath"]) } else { "/deeper" };
            project = project.secret(secret(row, text(&row["environment"]), path));
        }
    }
    project = project
        .folder("dev", "/empty")
        .secret(SecretSeed::new("dev", "PLAIN", "user-personal").personal_of("test"))
        .secret(SecretSeed::new("staging", "ROOT_KEY", "staging-root"))
        .secret(SecretSeed::new("staging", "PASSWORD", "staging-db-pw").path("/app/db"))
        .secret(SecretSeed::new("prod", "ONLY_PROD", "prod-only"))
        .secret(SecretSeed::new("prod", "DUP", "dup-deeper").path("/deeper"))
        .secret(SecretSeed::new("prod", "SHARED_BASE", "base-deeper").path("/deeper"))
        .member("writer", Role::Admin)
        .member("test", Role::Admin)
        .member("reader", Role::Viewer)
        .member("noaccess", Role::NoAccess)
        .member("devonly", Role::Custom(vec![Grant::new([Action::Read]).environment("dev")]));
    for name in ["shortttl", "shortmax", "renew3", "uses", "hundred", "once", "brief"] {
        project = project.member(name, Role::Viewer);
    }
    let imports = recordings.answer("import-list")["secretImports"].as_array().unwrap().clone();
    for import in &imports {
        let source = text(&import["importEnv"]["slug"]);
        project = project.import(("dev", "/"), (source, text(&import["importPath"]))).import_id(text(&import["id"]));
    }
    project.import(("staging", "/shared"), ("prod", "/deeper"))
}

/// A dev server in the state that the recordings begin with.
pub(crate) async fn start(recordings: &Recordings, generation: Generation) -> InfisicalDevServer {
    let mut builder = InfisicalDevServer::builder().generation(generation).user("test").project(project(recordings));
    for seed in identities(recordings) {
        builder = builder.identity(seed);
    }
    let legacy = ProjectSeed::new("legacy").id("77fa7aed-9288-401e-a4c9-3a9430be62a0").legacy();
    builder
        .project(legacy.member("seed", Role::Admin).member("test", Role::Admin))
        .service_token(service_token(recordings, "st", "service-token-info").scope("dev", "/app"))
        .service_token(service_token(recordings, "st2", "service-token-create").scope("dev", "/**").writes())
        .service_token(
            service_token(recordings, "st3", "service-token-expired")
                .scope("dev", "/app")
                .expires_in(Duration::from_millis(1)),
        )
        .start()
        .await
        .unwrap()
}
