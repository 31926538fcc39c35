//! The caller with keys, workspaces and plan, and what needs no caller: `/user`, `/auth`, `/workspace`, `/docs`, `/health`.

use hyper::http::StatusCode;

use super::answers::{HandlerResult, Outcome, Stop, bad, body, caller, fixed, not_found, refused, success, uncaught};
use super::projects::{Standing, standing};
use super::records;
use crate::dev::javascript::{Json, Members, object};
use crate::dev::{Call, HandlerPanic, Millis, Reply, routes};
use crate::services::xtra::dev::auth::Session;
use crate::services::xtra::dev::database::{Database, checked_id};
use crate::services::xtra::dev::rows::{Holder, Project, User, Workspace};
use crate::services::xtra::dev::secret::Secret;
use crate::services::xtra::dev::seed::Tier;
use hyper::http::header;

routes! {
    for Database;

    /// Tells who calls.
    GET "/user" as USER_GET => at_once(get);
    /// Lists the caller's keys.
    GET "/auth/api-keys" as API_KEYS_LIST => at_once(list_keys);
    /// Creates a key of the caller.
    POST "/auth/api-keys" as API_KEYS_CREATE => at_once(create_key);
    /// Deletes a key of the caller.
    DELETE "/auth/api-keys/{id}" as API_KEYS_DELETE => at_once(delete_key);
    /// Exchanges a key for a signed token.
    POST "/auth/cli-login" as CLI_LOGIN => at_once(sign_in);
    /// Gets a workspace. Lists of workspaces are counted here too, and meet the same faults: both are one route.
    GET "/workspace" as WORKSPACES_GET => at_once(workspaces).guarded();
    POST "/workspace" => not_served();
    PUT "/workspace" => not_served();
    DELETE "/workspace" => not_served();
    /// Tells what the caller's plan has been used of.
    GET "/subscription/usage" as USAGE_GET => at_once(usage);
    /// Gets the description of the API.
    GET "/docs" as DOCS => at_once(docs);
    /// Tells that the server is there.
    GET "/health" as HEALTH => at_once(health);
}

/// The caller, where it is a person.
fn person<'a>(database: &'a Database, call: &Call) -> Result<&'a User, Stop> {
    let found = match caller(database, call)? {
        Session::User { id, .. } => database.user(&id),
        Session::Account { .. } => None,
    };
    found.ok_or_else(|| not_found("User not found"))
}

/// Tells who calls.
pub(super) fn get(database: &mut Database, call: &Call) -> Outcome {
    let found = |database: &Database| -> HandlerResult {
        let user = person(database, call)?;
        Ok(Reply::ok(&object([
            ("id", Json::from(&user.id)),
            ("name", Json::from(&user.display_name)),
            ("email", Json::from(&user.email)),
            ("image", Json::Null),
            ("role", "user".into()),
            ("tier", user.tier.name().into()),
        ])))
    };
    uncaught(found(database))
}

/// Lists the caller's keys, the newest first.
pub(super) fn list_keys(database: &mut Database, call: &Call) -> Outcome {
    let listed = |database: &Database| -> HandlerResult {
        let holder = Holder::User(person(database, call)?.id.clone());
        call.query("workspaceId").map(checked_id).transpose()?;
        let keys = database.tokens.iter().rev().filter(|token| token.is_of(&holder));
        let shown = keys.map(|key| {
            object([
                ("id", Json::from(&key.id)),
                ("label", Json::from(&key.label)),
                ("createdAt", key.created.iso().into()),
                ("expiresAt", key.expires.map(Millis::iso).into()),
                ("lastUsed", key.last_used.get().map(Millis::iso).into()),
                ("key", Json::from(&key.mask)),
            ])
        });
        Ok(Reply::ok(&shown.collect::<Vec<_>>().into()))
    };
    uncaught(listed(database))
}

/// Creates a key, which is told this once.
pub(super) fn create_key(database: &mut Database, call: &Call) -> Outcome {
    uncaught(created_key(database, call))
}

fn created_key(database: &mut Database, call: &Call) -> HandlerResult {
    let holder = Holder::User(person(database, call)?.id.clone());
    let body = body(call)?;
    let expires = match body.get("expiresAt").filter(|date| date.is_truthy()) {
        Some(date) => Some(date.text().and_then(Millis::parse).ok_or(HandlerPanic)?),
        None => None,
    };
    let label = body.text_of("label").unwrap_or("Generated Key");
    let key = format!("xs_{}", database.vault.random_hex::<24>().ok_or(HandlerPanic)?);
    let id = database.add_token(&key, holder, label, expires);
    Ok(Reply::ok(&object([
        ("id", id.into()),
        ("label", label.into()),
        ("createdAt", database.now().iso().into()),
        ("expiresAt", expires.map(Millis::iso).into()),
        ("key", key.into()),
    ])))
}

pub(super) fn delete_key(database: &mut Database, call: &Call) -> Outcome {
    uncaught(deleted_key(database, call))
}

fn deleted_key(database: &mut Database, call: &Call) -> HandlerResult {
    let holder = Holder::User(person(database, call)?.id.clone());
    let id = checked_id(call.param("id"))?;
    if !database.tokens.iter().any(|token| token.id == id && token.is_of(&holder)) {
        return Err(not_found("Key not found or unauthorized"));
    }
    database.tokens.retain(|token| token.id != id);
    Ok(success())
}

/// `/auth/cli-login`: a key for a signed token. Nobody here has a password.
pub(super) fn sign_in(database: &mut Database, call: &Call) -> Outcome {
    fixed("Internal Server Error", signed_in(database, call))
}

fn signed_in(database: &mut Database, call: &Call) -> HandlerResult {
    let body = body(call)?;
    let denied = |message: &str| refused(StatusCode::UNAUTHORIZED, message);
    let Some(key) = body.text_of("apiKey") else {
        let (Some(email), Some(_)) = (body.text_of("email"), body.text_of("password")) else {
            return Err(bad("Missing credentials"));
        };
        let is_known = database.users.iter().any(|user| user.email == email);
        return Err(if is_known { bad("Password not set for this user") } else { denied("Invalid credentials") });
    };
    let token = database.token(key.trim()).filter(|token| !token.is_signed);
    let token = token.ok_or_else(|| denied("Invalid Access Key"))?;
    if token.expires.is_some_and(|expires| expires <= database.now()) {
        return Err(denied("Access Key has expired"));
    }
    let holder = token.holder.clone();
    let user = match &holder {
        Holder::User(id) => database.user(id).map(|user| {
            object([("email", Json::from(&user.email)), ("id", Json::from(&user.id)), ("role", "user".into())])
        }),
        Holder::Account(id) => database.account(id).map(|account| {
            object([
                ("email", format!("sa_{}@bot", account.name).into()),
                ("id", format!("sa_{id}").into()),
                ("role", "service_account".into()),
                ("isServiceAccount", true.into()),
            ])
        }),
    };
    let user = user.ok_or_else(|| denied("Invalid Access Key: Identity not found"))?;
    let token = database.sign_in(holder)?;
    Ok(Reply::ok(&object([("token", token.into()), ("user", user)])))
}

/// One workspace with `id`, else all of the caller's.
pub(super) fn workspaces(database: &mut Database, call: &Call) -> Outcome {
    fixed("Failed to fetch workspace(s)", found_workspaces(database, call))
}

fn found_workspaces(database: &Database, call: &Call) -> HandlerResult {
    let caller = caller(database, call)?;
    let user = caller.database_id()?;
    if let Some(id) = call.query("id") {
        let found = database.workspace(id).and_then(|found| Some((found, standing(database, user, id)?)));
        let (workspace, standing) = found.ok_or_else(|| not_found("Workspace not found or access denied"))?;
        let mut record = workspace_record(workspace);
        let projects = database.projects.iter().filter(|project| project.workspace == id);
        record.set("projects", projects.map(records::project).collect::<Vec<_>>());
        record.set("role", standing_name(standing));
        return Ok(Reply::ok(&record.into()));
    }
    let list = database.workspaces.iter().filter_map(|workspace| {
        let standing = standing(database, user, &workspace.id)?;
        let mut record = workspace_record(workspace);
        record.set("role", standing_name(standing));
        Some(record)
    });
    Ok(Reply::ok(&list.collect::<Vec<_>>().into()))
}

fn workspace_record(workspace: &Workspace) -> Members {
    let mut record = Members::default();
    record.set("id", &workspace.id);
    record.set("name", &workspace.name);
    record.set("description", format!("{} workspace", workspace.name));
    record.set("icon", Json::Null);
    record.set("workspaceType", "personal");
    record.set("createdBy", &workspace.owner);
    record.set("subscriptionPlan", "free");
    record.set("projectLimit", 5);
    record.set("subscriptionEnd", Json::Null);
    record.set("createdAt", workspace.created.iso());
    record.set("updatedAt", workspace.created.iso());
    record
}

fn standing_name(standing: Standing) -> &'static str {
    match standing {
        Standing::Viewer => "viewer",
        Standing::Member => "member",
        Standing::Admin => "admin",
        Standing::Owner => "owner",
    }
}

pub(super) fn health(database: &mut Database, _: &Call) -> Result<Reply, HandlerPanic> {
    let timestamp = database.now().iso();
    Ok(Reply::ok(&object([("status", "ok".into()), ("timestamp", timestamp.into())])))
}

/// The description of the API that the service publishes; here one that names no operation.
pub(super) fn docs(_: &mut Database, _: &Call) -> Result<Reply, HandlerPanic> {
    let info = object([("title", "XtraSecurity API (dev server)".into()), ("version", "1.0.0".into())]);
    let document = object([("openapi", "3.1.0".into()), ("info", info), ("paths", object([]))]);
    let reply = Reply::ok(&document).with(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    Ok(reply.with(header::ACCESS_CONTROL_ALLOW_METHODS, "GET"))
}

/// The caller's plan, and what of it is used. Requests are not counted here.
pub(super) fn usage(database: &mut Database, call: &Call) -> Outcome {
    let told = |database: &Database| -> HandlerResult {
        let caller = caller(database, call)?;
        let user = caller.database_id()?;
        let (workspaces, projects, secrets, daily) = match caller.tier() {
            Tier::Free => (1, 3, 50, 1_000),
            Tier::Pro => (3, 5, 100, 10_000),
            Tier::Enterprise => (1_000, 1_000, 10_000, 100_000),
        };
        let own: Vec<&Workspace> = database.workspaces.iter().filter(|workspace| workspace.owner == user).collect();
        let is_own = |project: &&Project| own.iter().any(|workspace| workspace.id == project.workspace);
        let own_projects: Vec<&Project> = database.projects.iter().filter(is_own).collect();
        let holds = |secret: &&Secret| own_projects.iter().any(|project| project.id == secret.project);
        let used_secrets = database.secrets.iter().filter(holds).count();
        let room = if own_projects.is_empty() { 50 } else { secrets * own_projects.len() };
        let part = |used: usize, limit: usize| object([("used", Json::count(used)), ("limit", Json::count(limit))]);
        Ok(Reply::ok(&object([
            ("workspaces", part(own.len(), workspaces)),
            ("projects", part(own_projects.len(), projects * workspaces)),
            ("secrets", part(used_secrets, room)),
            ("dailyRequests", part(0, daily)),
        ])))
    };
    fixed("Internal Server Error", told(database))
}
