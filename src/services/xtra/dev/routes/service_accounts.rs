//! `/projects/{projectId}/service-accounts` and the keys of service accounts.

use std::time::Duration;

use axum::http::StatusCode;

use super::answers::{Outcome, Steps, Stop, body, caller, detailed, fixed, forbidden, not_found, refused, success};
use super::projects::is_visible;
use crate::services::xtra::dev::auth::Session;
use crate::services::xtra::dev::clock::Moment;
use crate::services::xtra::dev::js::{Json, Members, object};
use crate::services::xtra::dev::seed::Role;
use crate::services::xtra::dev::state::{Account, Crash, World, checked_id};
use crate::services::xtra::dev::tokens::{Holder, Token};
use crate::services::xtra::dev::wire::{Call, Reply};

const NO_PROJECT: &str = "Project not found or access denied";

fn failed(steps: Steps) -> Outcome {
    detailed("Internal Server Error", "detail", steps)
}

/// A user who is the project's creator or in one of its teams; its workspace's owner is none.
fn member(world: &World, call: &Call, missing: &str) -> Result<(String, String), Stop> {
    let caller = caller(world, call)?;
    let Session::User { id, .. } = caller else {
        return Err(forbidden("Service accounts cannot manage other service accounts"));
    };
    let project = checked_id(call.param("projectId"))?;
    let found = world.project(project).filter(|project| is_visible(world, &id, project));
    found.ok_or_else(|| not_found(missing))?;
    Ok((id, project.to_owned()))
}

fn record(account: &Account) -> Members {
    let mut record = Members::default();
    record.set("id", &account.id);
    record.set("name", &account.name);
    record.set("description", account.description.clone());
    record.set("projectId", &account.project);
    record.set("permissions", account.permissions.clone());
    record.set("createdBy", &account.created_by);
    record.set("createdAt", account.created.iso());
    record.set("updatedAt", account.updated.iso());
    record
}

/// Lists the accounts of a project, the newest first.
pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    failed(listed(world, call))
}

fn listed(world: &World, call: &Call) -> Steps {
    let (_, project) = member(world, call, NO_PROJECT)?;
    let accounts = world.accounts.iter().rev().filter(|account| account.project == project);
    let with_count = |account: &Account| {
        let mut record = record(account);
        record.set("_count", object([("apiKeys", Json::count(keys_of(world, &account.id).count()))]));
        record
    };
    Ok(Reply::ok(&accounts.map(with_count).collect::<Vec<_>>().into()))
}

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    failed(created(world, call))
}

fn created(world: &mut World, call: &Call) -> Steps {
    let (user, project) = member(world, call, NO_PROJECT)?;
    if world.role_of(&user, &project).is_none_or(|role| role < Role::Admin) {
        return Err(forbidden("Only project owners and admins can create Service Accounts"));
    }
    let body = body(call)?;
    let name = body.get("name").and_then(Json::text);
    let name = name.ok_or_else(|| Stop::Thrown("Argument `name` is missing.".to_owned()))?;
    let (id, now) = (world.new_id(), world.now());
    let account = Account {
        id,
        name: name.to_owned(),
        description: body.get("description").and_then(Json::text).map(str::to_owned),
        project,
        permissions: body.texts_of("permissions").unwrap_or_default(),
        created_by: user,
        created: now,
        updated: now,
    };
    let answer = record(&account);
    world.accounts.push(account);
    Ok(Reply::json(StatusCode::CREATED, &answer.into()))
}

/// Changes the name and the permissions. Any member may, and the account may be another project's.
pub(super) fn update(world: &mut World, call: &Call) -> Outcome {
    fixed("Internal Server Error", updated(world, call))
}

fn updated(world: &mut World, call: &Call) -> Steps {
    member(world, call, NO_PROJECT)?;
    let body = body(call)?;
    let (id, now) = (checked_id(call.param("saId"))?, world.now());
    let account = world.accounts.iter_mut().find(|account| account.id == id).ok_or(Crash)?;
    if let Some(name) = body.text_of("name") {
        name.clone_into(&mut account.name);
    }
    if let Some(permissions) = body.texts_of("permissions") {
        account.permissions = permissions;
    }
    account.updated = now;
    Ok(Reply::ok(&record(account).into()))
}

/// Deletes an account, and its keys before it.
pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    fixed("Internal Server Error", deleted(world, call))
}

fn deleted(world: &mut World, call: &Call) -> Steps {
    let (_, project) = member(world, call, NO_PROJECT)?;
    let id = checked_id(call.param("saId"))?;
    let found = world.account(id).filter(|account| account.project == project);
    found.ok_or_else(|| not_found("Service Account not found"))?;
    let holder = Holder::Account(id.to_owned());
    world.tokens.retain(|token| token.holder != holder);
    world.accounts.retain(|account| account.id != id);
    Ok(success())
}

fn keys_of<'a>(world: &'a World, account: &str) -> impl DoubleEndedIterator<Item = &'a Token> {
    let holder = Holder::Account(account.to_owned());
    world.tokens.iter().filter(move |token| token.is_of(&holder))
}

/// Lists the keys of an account, the newest first, to any authenticated caller.
pub(super) fn list_keys(world: &mut World, call: &Call) -> Outcome {
    failed(listed_keys(world, call))
}

fn listed_keys(world: &World, call: &Call) -> Steps {
    caller(world, call)?;
    let keys = keys_of(world, checked_id(call.param("saId"))?).rev();
    let shown = keys.map(|key| {
        object([
            ("id", Json::from(&key.id)),
            ("keyMask", Json::from(&key.mask)),
            ("label", Json::from(&key.label)),
            ("lastUsed", key.last_used.get().map(Moment::iso).into()),
            ("expiresAt", key.expires.map(Moment::iso).into()),
            ("createdAt", key.created.iso().into()),
        ])
    });
    Ok(Reply::ok(&shown.collect::<Vec<_>>().into()))
}

/// Creates a key, which is told this once.
pub(super) fn create_key(world: &mut World, call: &Call) -> Outcome {
    failed(created_key(world, call))
}

fn created_key(world: &mut World, call: &Call) -> Steps {
    member(world, call, "Project not found")?;
    let body = body(call)?;
    let account = checked_id(call.param("saId"))?;
    world.account(account).ok_or(Crash)?;
    let days = body.get("expiresInDays").and_then(Json::number).filter(|days| *days != 0.0);
    let expires = days.map(|days| world.now().plus(Duration::try_from_secs_f64(days * 86_400.0).unwrap_or_default()));
    let label = body.text_of("label").unwrap_or("Generated Key").to_owned();
    let key = format!("xtra_{}", world.vault.random_hex::<32>().ok_or(Crash)?);
    let id = world.add_token(&key, Holder::Account(account.to_owned()), &label, expires);
    let mask = world.token(&key).map(|token| token.mask.clone());
    let answer = object([
        ("id", id.into()),
        ("key", key.into()),
        ("mask", mask.into()),
        ("label", label.into()),
        ("expiresAt", expires.map(Moment::iso).into()),
    ]);
    Ok(Reply::json(StatusCode::CREATED, &answer))
}

/// Keys are deleted one by one.
pub(super) fn refuse_to_delete_keys(_: &mut World, _: &Call) -> Outcome {
    failed(Err(refused(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")))
}

pub(super) fn delete_key(world: &mut World, call: &Call) -> Outcome {
    failed(deleted_key(world, call))
}

fn deleted_key(world: &mut World, call: &Call) -> Steps {
    member(world, call, "Project not found")?;
    let (account, id) = (checked_id(call.param("saId"))?, checked_id(call.param("keyId"))?);
    let found = keys_of(world, account).any(|key| key.id == id);
    if !found {
        return Err(not_found("API Key not found"));
    }
    world.tokens.retain(|token| token.id != id);
    Ok(success())
}
