//! Service accounts and their keys: `/projects/{projectId}/service-accounts` and `/service-account/resolve`.

use hyper::http::StatusCode;

use super::answers::{
    HandlerResult, Outcome, Stop, body, caller, detailed, fixed, forbidden, not_found, refused, success,
};
use super::projects::is_visible;
use crate::dev::javascript::{Json, Members, object};
use crate::dev::{Call, HandlerPanic, Millis, Reply, routes};
use crate::services::xtra::dev::auth::{Session, session};
use crate::services::xtra::dev::database::{Database, checked_id};
use crate::services::xtra::dev::rows::{Account, Holder, Token};
use crate::services::xtra::dev::seed::Role;
use std::time::Duration;

routes! {
    for Database;

    /// Lists the service accounts of a project.
    GET "/projects/{projectId}/service-accounts" as SERVICE_ACCOUNTS_LIST => at_once(list);
    /// Creates a service account.
    POST "/projects/{projectId}/service-accounts" as SERVICE_ACCOUNTS_CREATE => at_once(create);
    /// Changes the name and the permissions of a service account.
    PATCH "/projects/{projectId}/service-accounts/{saId}" as SERVICE_ACCOUNTS_UPDATE => at_once(update);
    /// Deletes a service account with its keys.
    DELETE "/projects/{projectId}/service-accounts/{saId}" as SERVICE_ACCOUNTS_DELETE => at_once(delete);
    /// Lists the keys of a service account.
    GET "/projects/{projectId}/service-accounts/{saId}/keys" as SERVICE_ACCOUNT_KEYS_LIST => at_once(list_keys);
    /// Creates a key of a service account.
    POST "/projects/{projectId}/service-accounts/{saId}/keys" as SERVICE_ACCOUNT_KEYS_CREATE => at_once(create_key);
    DELETE "/projects/{projectId}/service-accounts/{saId}/keys" => at_once(refuse_to_delete_keys);
    /// Deletes a key of a service account.
    DELETE "/projects/{projectId}/service-accounts/{saId}/keys/{keyId}" as SERVICE_ACCOUNT_KEYS_DELETE => at_once(delete_key);
    /// Tells a service account its project.
    GET "/service-account/resolve" as SERVICE_ACCOUNT_RESOLVE => at_once(resolve);
}

const NO_PROJECT: &str = "Project not found or access denied";

fn failed(steps: HandlerResult) -> Outcome {
    detailed("Internal Server Error", "detail", steps)
}

/// A user who is the project's creator or in one of its teams; its workspace's owner is none.
fn member(database: &Database, call: &Call, missing: &str) -> Result<(String, String), Stop> {
    let caller = caller(database, call)?;
    let Session::User { id, .. } = caller else {
        return Err(forbidden("Service accounts cannot manage other service accounts"));
    };
    let project = checked_id(call.param("projectId"))?;
    let found = database.project(project).filter(|project| is_visible(database, &id, project));
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
pub(super) fn list(database: &mut Database, call: &Call) -> Outcome {
    failed(listed(database, call))
}

fn listed(database: &Database, call: &Call) -> HandlerResult {
    let (_, project) = member(database, call, NO_PROJECT)?;
    let accounts = database.accounts.iter().rev().filter(|account| account.project == project);
    let with_count = |account: &Account| {
        let mut record = record(account);
        record.set("_count", object([("apiKeys", Json::count(keys_of(database, &account.id).count()))]));
        record
    };
    Ok(Reply::ok(&accounts.map(with_count).collect::<Vec<_>>().into()))
}

pub(super) fn create(database: &mut Database, call: &Call) -> Outcome {
    failed(created(database, call))
}

fn created(database: &mut Database, call: &Call) -> HandlerResult {
    let (user, project) = member(database, call, NO_PROJECT)?;
    if database.role_of(&user, &project).is_none_or(|role| role < Role::Admin) {
        return Err(forbidden("Only project owners and admins can create Service Accounts"));
    }
    let body = body(call)?;
    let name = body.get("name").and_then(Json::text);
    let name = name.ok_or_else(|| Stop::Thrown("Argument `name` is missing.".to_owned()))?;
    let (id, now) = (database.new_id(), database.now());
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
    database.accounts.push(account);
    Ok(Reply::json(StatusCode::CREATED, &answer.into()))
}

/// Changes the name and the permissions. Any member may, and the account may be another project's.
pub(super) fn update(database: &mut Database, call: &Call) -> Outcome {
    fixed("Internal Server Error", updated(database, call))
}

fn updated(database: &mut Database, call: &Call) -> HandlerResult {
    member(database, call, NO_PROJECT)?;
    let body = body(call)?;
    let (id, now) = (checked_id(call.param("saId"))?, database.now());
    let account = database.accounts.iter_mut().find(|account| account.id == id).ok_or(HandlerPanic)?;
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
pub(super) fn delete(database: &mut Database, call: &Call) -> Outcome {
    fixed("Internal Server Error", deleted(database, call))
}

fn deleted(database: &mut Database, call: &Call) -> HandlerResult {
    let (_, project) = member(database, call, NO_PROJECT)?;
    let id = checked_id(call.param("saId"))?;
    let found = database.account(id).filter(|account| account.project == project);
    found.ok_or_else(|| not_found("Service Account not found"))?;
    let holder = Holder::Account(id.to_owned());
    database.tokens.retain(|token| token.holder != holder);
    database.accounts.retain(|account| account.id != id);
    Ok(success())
}

fn keys_of<'a>(database: &'a Database, account: &str) -> impl DoubleEndedIterator<Item = &'a Token> {
    let holder = Holder::Account(account.to_owned());
    database.tokens.iter().filter(move |token| token.is_of(&holder))
}

/// Lists the keys of an account, the newest first, to any authenticated caller.
pub(super) fn list_keys(database: &mut Database, call: &Call) -> Outcome {
    failed(listed_keys(database, call))
}

fn listed_keys(database: &Database, call: &Call) -> HandlerResult {
    caller(database, call)?;
    let keys = keys_of(database, checked_id(call.param("saId"))?).rev();
    let shown = keys.map(|key| {
        object([
            ("id", Json::from(&key.id)),
            ("keyMask", Json::from(&key.mask)),
            ("label", Json::from(&key.label)),
            ("lastUsed", key.last_used.get().map(Millis::iso).into()),
            ("expiresAt", key.expires.map(Millis::iso).into()),
            ("createdAt", key.created.iso().into()),
        ])
    });
    Ok(Reply::ok(&shown.collect::<Vec<_>>().into()))
}

/// Creates a key, which is told this once.
pub(super) fn create_key(database: &mut Database, call: &Call) -> Outcome {
    failed(created_key(database, call))
}

fn created_key(database: &mut Database, call: &Call) -> HandlerResult {
    member(database, call, "Project not found")?;
    let body = body(call)?;
    let account = checked_id(call.param("saId"))?;
    database.account(account).ok_or(HandlerPanic)?;
    let days = body.get("expiresInDays").and_then(Json::number).filter(|days| *days != 0.0);
    let expires =
        days.map(|days| database.now().plus(Duration::try_from_secs_f64(days * 86_400.0).unwrap_or_default()));
    let label = body.text_of("label").unwrap_or("Generated Key").to_owned();
    let key = format!("xtra_{}", database.vault.random_hex::<32>().ok_or(HandlerPanic)?);
    let id = database.add_token(&key, Holder::Account(account.to_owned()), &label, expires);
    let mask = database.token(&key).map(|token| token.mask.clone());
    let answer = object([
        ("id", id.into()),
        ("key", key.into()),
        ("mask", mask.into()),
        ("label", label.into()),
        ("expiresAt", expires.map(Millis::iso).into()),
    ]);
    Ok(Reply::json(StatusCode::CREATED, &answer))
}

/// Keys are deleted one by one.
pub(super) fn refuse_to_delete_keys(_: &mut Database, _: &Call) -> Outcome {
    failed(Err(refused(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")))
}

pub(super) fn delete_key(database: &mut Database, call: &Call) -> Outcome {
    failed(deleted_key(database, call))
}

fn deleted_key(database: &mut Database, call: &Call) -> HandlerResult {
    member(database, call, "Project not found")?;
    let (account, id) = (checked_id(call.param("saId"))?, checked_id(call.param("keyId"))?);
    let found = keys_of(database, account).any(|key| key.id == id);
    if !found {
        return Err(not_found("API Key not found"));
    }
    database.tokens.retain(|token| token.id != id);
    Ok(success())
}

/// Tells a service account its project.
pub(super) fn resolve(database: &mut Database, call: &Call) -> Result<Reply, HandlerPanic> {
    let Some(Session::Account { id, project, permissions }) = session(database, call) else {
        return Ok(failure(StatusCode::UNAUTHORIZED, "Unauthorized", "A valid Service Account token is required."));
    };
    let (Some(account), Some(project)) = (database.account(&id), database.project(&project)) else {
        let message = "Service Account is not linked to a valid project.";
        return Ok(failure(StatusCode::NOT_FOUND, "Not Found", message));
    };
    let account = object([
        ("id", Json::from(&account.id)),
        ("name", Json::from(&account.name)),
        ("permissions", permissions.into()),
    ]);
    let project = object([
        ("id", Json::from(&project.id)),
        ("name", Json::from(&project.name)),
        ("workspaceId", Json::from(&project.workspace)),
    ]);
    Ok(Reply::ok(&object([("ok", true.into()), ("serviceAccount", account), ("project", project)])))
}

fn failure(status: StatusCode, error: &str, message: &str) -> Reply {
    Reply::json(status, &object([("error", error.into()), ("message", message.into())]))
}
