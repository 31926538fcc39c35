//! `/user`, `/auth/api-keys`, `/auth/cli-login` and `/workspace`: the caller, the caller's keys and workspaces.

use axum::http::StatusCode;

use super::answers::{Outcome, Steps, Stop, bad, body, caller, fixed, not_found, refused, success, uncaught};
use super::projects::{Standing, standing};
use super::records;
use crate::services::xtra::dev::auth::Session;
use crate::services::xtra::dev::clock::Moment;
use crate::services::xtra::dev::js::{Json, Members, object};
use crate::services::xtra::dev::state::{Crash, User, Workspace, World, checked_id};
use crate::services::xtra::dev::tokens::{Holder, tier_name};
use crate::services::xtra::dev::wire::{Call, Reply};

/// The caller, where it is a person.
fn person<'a>(world: &'a World, call: &Call) -> Result<&'a User, Stop> {
    let found = match caller(world, call)? {
        Session::User { id, .. } => world.user(&id),
        Session::Account { .. } => None,
    };
    found.ok_or_else(|| not_found("User not found"))
}

/// Tells who calls.
pub(super) fn get(world: &mut World, call: &Call) -> Outcome {
    let found = |world: &World| -> Steps {
        let user = person(world, call)?;
        Ok(Reply::ok(&object([
            ("id", Json::from(&user.id)),
            ("name", Json::from(&user.display_name)),
            ("email", Json::from(&user.email)),
            ("image", Json::Null),
            ("role", "user".into()),
            ("tier", tier_name(user.tier).into()),
        ])))
    };
    uncaught(found(world))
}

/// Lists the caller's keys, the newest first.
pub(super) fn list_keys(world: &mut World, call: &Call) -> Outcome {
    let listed = |world: &World| -> Steps {
        let holder = Holder::User(person(world, call)?.id.clone());
        call.query("workspaceId").map(checked_id).transpose()?;
        let keys = world.tokens.iter().rev().filter(|token| token.is_of(&holder));
        let shown = keys.map(|key| {
            object([
                ("id", Json::from(&key.id)),
                ("label", Json::from(&key.label)),
                ("createdAt", key.created.iso().into()),
                ("expiresAt", key.expires.map(Moment::iso).into()),
                ("lastUsed", key.last_used.get().map(Moment::iso).into()),
                ("key", Json::from(&key.mask)),
            ])
        });
        Ok(Reply::ok(&shown.collect::<Vec<_>>().into()))
    };
    uncaught(listed(world))
}

/// Creates a key, which is told this once.
pub(super) fn create_key(world: &mut World, call: &Call) -> Outcome {
    uncaught(created_key(world, call))
}

fn created_key(world: &mut World, call: &Call) -> Steps {
    let holder = Holder::User(person(world, call)?.id.clone());
    let body = body(call)?;
    let expires = match body.get("expiresAt").filter(|date| date.is_truthy()) {
        Some(date) => Some(date.text().and_then(Moment::parse).ok_or(Crash)?),
        None => None,
    };
    let label = body.text_of("label").unwrap_or("Generated Key");
    let key = format!("xs_{}", world.vault.random_hex::<24>().ok_or(Crash)?);
    let id = world.add_token(&key, holder, label, expires);
    Ok(Reply::ok(&object([
        ("id", id.into()),
        ("label", label.into()),
        ("createdAt", world.now().iso().into()),
        ("expiresAt", expires.map(Moment::iso).into()),
        ("key", key.into()),
    ])))
}

pub(super) fn delete_key(world: &mut World, call: &Call) -> Outcome {
    uncaught(deleted_key(world, call))
}

fn deleted_key(world: &mut World, call: &Call) -> Steps {
    let holder = Holder::User(person(world, call)?.id.clone());
    let id = checked_id(call.param("id"))?;
    if !world.tokens.iter().any(|token| token.id == id && token.is_of(&holder)) {
        return Err(not_found("Key not found or unauthorized"));
    }
    world.tokens.retain(|token| token.id != id);
    Ok(success())
}

/// `/auth/cli-login`: a key for a signed token. Nobody here has a password.
pub(super) fn sign_in(world: &mut World, call: &Call) -> Outcome {
    fixed("Internal Server Error", signed_in(world, call))
}

fn signed_in(world: &mut World, call: &Call) -> Steps {
    let body = body(call)?;
    let denied = |message: &str| refused(StatusCode::UNAUTHORIZED, message);
    let Some(key) = body.text_of("apiKey") else {
        let (Some(email), Some(_)) = (body.text_of("email"), body.text_of("password")) else {
            return Err(bad("Missing credentials"));
        };
        let is_known = world.users.iter().any(|user| user.email == email);
        return Err(if is_known { bad("Password not set for this user") } else { denied("Invalid credentials") });
    };
    let token = world.token(key.trim()).filter(|token| !token.is_signed);
    let token = token.ok_or_else(|| denied("Invalid Access Key"))?;
    if token.expires.is_some_and(|expires| expires <= world.now()) {
        return Err(denied("Access Key has expired"));
    }
    let holder = token.holder.clone();
    let user = match &holder {
        Holder::User(id) => world.user(id).map(|user| {
            object([("email", Json::from(&user.email)), ("id", Json::from(&user.id)), ("role", "user".into())])
        }),
        Holder::Account(id) => world.account(id).map(|account| {
            object([
                ("email", format!("sa_{}@bot", account.name).into()),
                ("id", format!("sa_{id}").into()),
                ("role", "service_account".into()),
                ("isServiceAccount", true.into()),
            ])
        }),
    };
    let user = user.ok_or_else(|| denied("Invalid Access Key: Identity not found"))?;
    let token = world.sign_in(holder)?;
    Ok(Reply::ok(&object([("token", token.into()), ("user", user)])))
}

/// One workspace with `id`, else all of the caller's.
pub(super) fn workspaces(world: &mut World, call: &Call) -> Outcome {
    fixed("Failed to fetch workspace(s)", found_workspaces(world, call))
}

fn found_workspaces(world: &World, call: &Call) -> Steps {
    let caller = caller(world, call)?;
    let user = caller.database_id()?;
    if let Some(id) = call.query("id") {
        let found = world.workspace(id).and_then(|found| Some((found, standing(world, user, id)?)));
        let (workspace, standing) = found.ok_or_else(|| not_found("Workspace not found or access denied"))?;
        let mut record = workspace_record(workspace);
        let projects = world.projects.iter().filter(|project| project.workspace == id);
        record.set("projects", projects.map(records::project).collect::<Vec<_>>());
        record.set("role", standing_name(standing));
        return Ok(Reply::ok(&record.into()));
    }
    let list = world.workspaces.iter().filter_map(|workspace| {
        let standing = standing(world, user, &workspace.id)?;
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
