//! The state of the service, and what a service token is good for.

use crate::dev::Reply;
use crate::dev::javascript::{Json, Members, object};
use crate::services::infisical::dev::asked::{Answer, Asked, endpoints};
use crate::services::infisical::dev::database::Database;
use crate::services::infisical::dev::refusal::Refusal;

endpoints! {
    /// The state of the service.
    GET "/status" as STATUS_GET since August2024, Free Anybody => status;
    /// What a service token is good for.
    GET "/v2/service-token" as SERVICE_TOKEN_GET since August2024, Read Token => service_token;
}

fn status(database: &mut Database, _: &Asked) -> Answer {
    Ok(Reply::ok(&object([
        ("date", database.now().iso().into()),
        ("message", "Ok".into()),
        ("emailConfigured", false.into()),
        ("inviteOnlySignup", true.into()),
        ("redisConfigured", true.into()),
        ("secretScanningConfigured", false.into()),
    ])))
}

fn service_token(database: &mut Database, asked: &Asked) -> Answer {
    let Some(token) = database.service_token(asked.actor()?) else {
        return Err(Refusal::not_allowed());
    };
    let scope = |(environment, path): &(String, String)| {
        object([("secretPath", path.into()), ("environment", environment.into())])
    };
    let creator = database.users.first();
    let permissions: &[&str] = if token.writes { &["read", "write"] } else { &["read"] };
    // The servers of October tell when it was used a while later.
    let used = token.used.filter(|_| asked.generation != super::Generation::October2024);
    let mut record = Members::default();
    record.set("id", &token.id);
    record.set("name", &token.name);
    record.set("scopes", token.scopes.iter().map(scope).collect::<Vec<_>>());
    record.set("permissions", permissions.to_vec());
    record.set("lastUsed", used.map(|used| used.iso()));
    record.set("expiresAt", token.expires.map(|expires| expires.iso()));
    record.set("secretHash", "$2b$10$xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    record.set("encryptedKey", "x");
    record.set("iv", "x");
    record.set("tag", "x");
    record.set("createdAt", token.created.iso());
    record.set("updatedAt", token.created.iso());
    record.set("createdBy", creator.map(|user| user.id.clone()));
    record.set("projectId", &token.project);
    record.set("workspace", &token.project);
    record.set("user", creator.map(user));
    record.set("_id", &token.id);
    record.set("__v", 0);
    Ok(Reply::ok(&record.into()))
}

fn user(user: &crate::services::infisical::dev::rows::User) -> Json {
    object([
        ("authMethods", vec!["email"].into()),
        ("id", (&user.id).into()),
        ("createdAt", user.created.iso().into()),
        ("updatedAt", user.created.iso().into()),
        ("devices", Json::Null),
        ("email", format!("{}@localhost.local", user.name).into()),
        ("firstName", (&user.name).into()),
        ("lastName", "".into()),
        ("mfaMethods", Json::Null),
        ("__v", 0.into()),
        ("_id", (&user.id).into()),
    ])
}
