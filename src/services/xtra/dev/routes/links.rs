//! `/jit`: links by which whoever has one asks for access.

use std::time::Duration;

use axum::http::StatusCode;

use super::answers::{Outcome, Steps, Stop, bad, body, caller, fixed, forbidden, not_found, refused};
use crate::services::xtra::dev::auth::session;
use crate::services::xtra::dev::database::{Answering, Database};
use crate::services::xtra::dev::js::{Json, object};
use crate::services::xtra::dev::requests::{AccessRequest, JitLink, PENDING};
use crate::services::xtra::dev::seed::{Role, Tier};
use crate::services::xtra::dev::state::{Crash, World, checked_id};
use crate::services::xtra::dev::wire::{Call, Reply};

pub(super) fn generate(world: &mut World, call: &Call) -> Outcome {
    fixed("Internal Server Error", generated(world, call))
}

fn generated(world: &mut World, call: &Call) -> Steps {
    let caller = caller(world, call)?;
    // The plan comes first, so an account that has none fails whatever it sends.
    let user = caller.database_id()?;
    if caller.tier() == Tier::Free {
        return Err(forbidden("JIT Access Links are a Pro feature. Please upgrade your plan."));
    }
    let body = body(call)?;
    let project = body.text_of("projectId").ok_or_else(|| bad("projectId is required"))?;
    let minutes = body.get("duration").and_then(Json::whole).filter(|minutes| *minutes >= 1);
    let minutes = minutes.ok_or_else(|| bad("duration must be at least 1 minute"))?;
    // In a project that does not exist nobody has a role.
    if caller.role(world, checked_id(project)?)?.is_none_or(|role| role < Role::Developer) {
        return Err(forbidden("Only admins and developers can generate JIT links"));
    }
    let hours = body.get("expiresInHours").and_then(Json::number).filter(|hours| *hours != 0.0).unwrap_or(24.0);
    let now = world.now();
    let owned = |name: &str| body.text_of(name).map(str::to_owned);
    let link = JitLink {
        token: world.vault.random_hex::<24>().ok_or(Crash)?,
        project: project.to_owned(),
        branch: owned("branchId"),
        environment: owned("environment"),
        secrets: body.texts_of("secretIds").unwrap_or_default(),
        minutes,
        label: owned("label"),
        expires: now.plus(Duration::try_from_secs_f64(hours * 3600.0).unwrap_or_default()),
        max_uses: body.get("maxUses").and_then(Json::whole).filter(|uses| *uses != 0).unwrap_or(1),
        used: 0,
        created_by: user.to_owned(),
        created: now,
    };
    let origin = call.header("origin").map(str::to_owned);
    // By `https`, whatever the request came by.
    let origin = origin.unwrap_or_else(|| format!("https://{}", call.header("host").unwrap_or("localhost")));
    let answer = object([
        ("token", Json::from(&link.token)),
        ("url", format!("{origin}/jit/{}", link.token).into()),
        ("cliCommand", format!("xtra access jit {}", link.token).into()),
        ("expiresAt", link.expires.iso().into()),
        ("duration", minutes.into()),
        ("accessLevel", "read".into()),
    ]);
    world.links.push(link);
    Ok(Reply::ok(&answer))
}

/// Why a link can no longer be used, and the flag that says so.
fn ended(world: &World, link: &JitLink) -> Option<(&'static str, &'static str)> {
    if link.expires <= world.now() {
        return Some(("This JIT link has expired", "expired"));
    }
    (link.used >= link.max_uses).then_some(("This JIT link has reached its usage limit", "exhausted"))
}

fn of_token<'a>(world: &'a World, token: &str) -> Result<&'a JitLink, Stop> {
    world.links.iter().find(|link| link.token == token).ok_or_else(|| not_found("JIT link not found"))
}

/// Makes a request for access out of a link; it still has to be approved.
pub(super) fn claim<'a>(database: &'a Database, call: &'a Call) -> Answering<'a, Outcome> {
    let look = |world: &World| to_claim(world, call);
    Box::pin(async move { fixed("Internal Server Error", database.look_and_change(look, claimed).await) })
}

/// The request before it is written, without an id, and the link.
fn to_claim(world: &World, call: &Call) -> Result<(AccessRequest, String), Stop> {
    let caller = caller(world, call)?;
    let body = body(call)?;
    let token = body.text_of("token").ok_or_else(|| bad("Token is required"))?;
    let link = of_token(world, token)?;
    if let Some((message, _)) = ended(world, link) {
        return Err(refused(StatusCode::GONE, message));
    }
    let user = caller.database_id()?.to_owned();
    if link.created_by == user {
        return Err(bad("You cannot claim your own JIT link"));
    }
    let mut requests = world.requests.iter();
    let is_same = |request: &AccessRequest| request.user == user && request.project.as_ref() == Some(&link.project);
    if let Some(waiting) = requests.find(|request| request.status == PENDING && is_same(request)) {
        let message = "You already have a pending access request for this project";
        let body = object([("error", message.into()), ("requestId", Json::from(&waiting.id))]);
        return Err(Reply::json(StatusCode::CONFLICT, &body).into());
    }
    let project = world.project(&link.project).ok_or(Crash)?;
    let request = AccessRequest {
        id: String::new(),
        user,
        secrets: link.secrets.clone(),
        project: Some(link.project.clone()),
        reason: reason(link),
        minutes: link.minutes,
        status: PENDING.to_owned(),
        approved_by: None,
        approved: None,
        expires: None,
        requested: world.now(),
        workspace: Some(project.workspace.clone()),
    };
    Ok((request, link.token.clone()))
}

/// What the link is called, and what it is for.
fn reason(link: &JitLink) -> String {
    let environment = link.environment.as_ref().map(|name| format!("env: {name}"));
    let branch = link.branch.as_ref().map(|_| "branch scoped".to_owned());
    let secrets = (!link.secrets.is_empty()).then(|| format!("{} specific secret(s)", link.secrets.len()));
    let scope: Vec<String> = [environment, branch, secrets].into_iter().flatten().collect();
    let scope = if scope.is_empty() { String::new() } else { format!(" [{}]", scope.join(", ")) };
    format!("JIT Link: {}{scope}", link.label.as_deref().unwrap_or("Shared access link"))
}

fn claimed(world: &mut World, (mut request, token): (AccessRequest, String)) -> Steps {
    request.id = world.new_id();
    let answer = object([
        ("success", true.into()),
        ("requestId", Json::from(&request.id)),
        ("status", PENDING.into()),
        ("message", "Access request submitted. Awaiting admin/owner approval.".into()),
        ("duration", request.minutes.into()),
        ("accessLevel", "read".into()),
    ]);
    notify_owner(world, &request);
    world.requests.push(request);
    for link in world.links.iter_mut().filter(|link| link.token == token) {
        link.used += 1;
    }
    Ok(Reply::ok(&answer))
}

fn notify_owner(world: &mut World, request: &AccessRequest) {
    let Some(project) = request.project.as_ref().and_then(|id| world.project(id)) else {
        return;
    };
    let asker = world.user(&request.user).map(|user| user.display_name.clone()).unwrap_or_default();
    let (owner, text) = (project.owner.clone(), format!("{asker} requested read-only access to \"{}\"", project.name));
    let minutes = request.minutes;
    let more = format!("A JIT link was used to request {minutes}-minute read-only access. Review in Access Requests.");
    world.notify(&owner, ["JIT Access Request", &text, &more, "info"], None);
}

/// What a link is for.
pub(super) fn info(world: &mut World, call: &Call) -> Outcome {
    fixed("Internal Server Error", told(world, call))
}

fn told(world: &World, call: &Call) -> Steps {
    if session(world, call).is_none() {
        return Err(refused(StatusCode::UNAUTHORIZED, "Unauthorized \u{2014} please log in"));
    }
    let link = of_token(world, call.param("token"))?;
    if let Some((message, flag)) = ended(world, link) {
        let body = object([("error", message.into()), (flag, true.into())]);
        return Err(Reply::json(StatusCode::GONE, &body).into());
    }
    let keys = link.secrets.iter().filter_map(|id| world.secrets.by_id(id)).map(|secret| secret.key.clone());
    let branch = link.branch.as_ref().and_then(|id| world.branch(id));
    Ok(Reply::ok(&object([
        ("token", Json::from(&link.token)),
        ("projectName", world.project(&link.project).map(|project| project.name.clone()).into()),
        ("projectId", Json::from(&link.project)),
        ("branchName", branch.map(|branch| branch.name.clone()).into()),
        ("branchId", link.branch.clone().into()),
        ("environment", link.environment.clone().into()),
        ("secretKeys", keys.collect::<Vec<_>>().into()),
        ("secretIds", link.secrets.clone().into()),
        ("duration", link.minutes.into()),
        ("label", link.label.clone().into()),
        ("accessLevel", "read".into()),
        ("expiresAt", link.expires.iso().into()),
        ("maxUses", link.max_uses.into()),
        ("usedCount", link.used.into()),
        ("createdBy", world.user(&link.created_by).map(|user| user.display_name.clone()).into()),
        ("createdAt", link.created.iso().into()),
    ])))
}
