//! Links for whoever holds them: `/jit`, by which access is asked for, and `/secret/share`, which shows one secret.

use futures_util::future::BoxFuture;
use hyper::http::StatusCode;

use super::Connection;
use super::answers::{
    HandlerResult, Outcome, Stop, bad, body, caller, fixed, forbidden, not_found, refused, success, uncaught,
};
use crate::dev::javascript::{Json, object};
use crate::dev::{Call, HandlerPanic, Millis, Reply, routes};
use crate::services::xtra::dev::auth::session;
use crate::services::xtra::dev::database::{Database, checked_id};
use crate::services::xtra::dev::rows::{AccessRequest, JitLink, PENDING, Share};
use crate::services::xtra::dev::seed::{Role, Tier};
use std::time::Duration;

routes! {
    for Database;

    /// Makes a link by which whoever has it asks for access.
    POST "/jit/generate" as JIT_GENERATE => at_once(generate);
    /// Asks for access by a link.
    POST "/jit/claim" as JIT_CLAIM => in_steps(claim);
    /// Tells what a link is for.
    GET "/jit/{token}" as JIT_GET => at_once(info);
    /// Makes a link that shows one secret.
    POST "/secret/share" as SHARES_CREATE => at_once(create_share);
    /// Shows a shared secret.
    GET "/secret/share" as SHARES_VIEW => at_once(view_share).that_writes();
    /// Revokes a link that shows one secret.
    DELETE "/secret/share" as SHARES_REVOKE => at_once(revoke_share);
}

pub(super) fn generate(database: &mut Database, call: &Call) -> Outcome {
    fixed("Internal Server Error", generated(database, call))
}

fn generated(database: &mut Database, call: &Call) -> HandlerResult {
    let caller = caller(database, call)?;
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
    if caller.role(database, checked_id(project)?)?.is_none_or(|role| role < Role::Developer) {
        return Err(forbidden("Only admins and developers can generate JIT links"));
    }
    let hours = body.get("expiresInHours").and_then(Json::number).filter(|hours| *hours != 0.0).unwrap_or(24.0);
    let now = database.now();
    let owned = |name: &str| body.text_of(name).map(str::to_owned);
    let link = JitLink {
        token: database.vault.random_hex::<24>().ok_or(HandlerPanic)?,
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
    database.links.push(link);
    Ok(Reply::ok(&answer))
}

/// The reason for which a link can no longer be used, and the flag that says so.
fn ended(database: &Database, link: &JitLink) -> Option<(&'static str, &'static str)> {
    if link.expires <= database.now() {
        return Some(("This JIT link has expired", "expired"));
    }
    (link.used >= link.max_uses).then_some(("This JIT link has reached its usage limit", "exhausted"))
}

fn of_token<'a>(database: &'a Database, token: &str) -> Result<&'a JitLink, Stop> {
    database.links.iter().find(|link| link.token == token).ok_or_else(|| not_found("JIT link not found"))
}

/// Makes a request for access out of a link; it still has to be approved.
pub(super) fn claim<'a>(connection: &'a Connection, call: &'a Call) -> BoxFuture<'a, Outcome> {
    let look = |database: &Database| to_claim(database, call);
    Box::pin(async move { fixed("Internal Server Error", connection.read_then_write(look, claimed).await) })
}

/// The request before it is written, without an id, and the link.
fn to_claim(database: &Database, call: &Call) -> Result<(AccessRequest, String), Stop> {
    let caller = caller(database, call)?;
    let body = body(call)?;
    let token = body.text_of("token").ok_or_else(|| bad("Token is required"))?;
    let link = of_token(database, token)?;
    if let Some((message, _)) = ended(database, link) {
        return Err(refused(StatusCode::GONE, message));
    }
    let user = caller.database_id()?.to_owned();
    if link.created_by == user {
        return Err(bad("You cannot claim your own JIT link"));
    }
    let mut requests = database.requests.iter();
    let is_same = |request: &AccessRequest| request.user == user && request.project.as_ref() == Some(&link.project);
    if let Some(waiting) = requests.find(|request| request.status == PENDING && is_same(request)) {
        let message = "You already have a pending access request for this project";
        let body = object([("error", message.into()), ("requestId", Json::from(&waiting.id))]);
        return Err(Reply::json(StatusCode::CONFLICT, &body).into());
    }
    let project = database.project(&link.project).ok_or(HandlerPanic)?;
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
        requested: database.now(),
        workspace: Some(project.workspace.clone()),
    };
    Ok((request, link.token.clone()))
}

/// The name of a link, and its purpose.
fn reason(link: &JitLink) -> String {
    let environment = link.environment.as_ref().map(|name| format!("env: {name}"));
    let branch = link.branch.as_ref().map(|_| "branch scoped".to_owned());
    let secrets = (!link.secrets.is_empty()).then(|| format!("{} specific secret(s)", link.secrets.len()));
    let scope: Vec<String> = [environment, branch, secrets].into_iter().flatten().collect();
    let scope = if scope.is_empty() { String::new() } else { format!(" [{}]", scope.join(", ")) };
    format!("JIT Link: {}{scope}", link.label.as_deref().unwrap_or("Shared access link"))
}

fn claimed(database: &mut Database, (mut request, token): (AccessRequest, String)) -> HandlerResult {
    request.id = database.new_id();
    let answer = object([
        ("success", true.into()),
        ("requestId", Json::from(&request.id)),
        ("status", PENDING.into()),
        ("message", "Access request submitted. Awaiting admin/owner approval.".into()),
        ("duration", request.minutes.into()),
        ("accessLevel", "read".into()),
    ]);
    notify_owner(database, &request);
    database.requests.push(request);
    for link in database.links.iter_mut().filter(|link| link.token == token) {
        link.used += 1;
    }
    Ok(Reply::ok(&answer))
}

fn notify_owner(database: &mut Database, request: &AccessRequest) {
    let Some(project) = request.project.as_ref().and_then(|id| database.project(id)) else {
        return;
    };
    let asker = database.user(&request.user).map(|user| user.display_name.clone()).unwrap_or_default();
    let (owner, text) = (project.owner.clone(), format!("{asker} requested read-only access to \"{}\"", project.name));
    let minutes = request.minutes;
    let more = format!("A JIT link was used to request {minutes}-minute read-only access. Review in Access Requests.");
    database.notify(&owner, ["JIT Access Request", &text, &more, "info"], None);
}

/// The purpose of a link.
pub(super) fn info(database: &mut Database, call: &Call) -> Outcome {
    fixed("Internal Server Error", link_told(database, call))
}

fn link_told(database: &Database, call: &Call) -> HandlerResult {
    if session(database, call).is_none() {
        return Err(refused(StatusCode::UNAUTHORIZED, "Unauthorized \u{2014} please log in"));
    }
    let link = of_token(database, call.param("token"))?;
    if let Some((message, flag)) = ended(database, link) {
        let body = object([("error", message.into()), (flag, true.into())]);
        return Err(Reply::json(StatusCode::GONE, &body).into());
    }
    let keys = link.secrets.iter().filter_map(|id| database.secrets.by_id(id)).map(|secret| secret.key.clone());
    let branch = link.branch.as_ref().and_then(|id| database.branch(id));
    Ok(Reply::ok(&object([
        ("token", Json::from(&link.token)),
        ("projectName", database.project(&link.project).map(|project| project.name.clone()).into()),
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
        ("createdBy", database.user(&link.created_by).map(|user| user.display_name.clone()).into()),
        ("createdAt", link.created.iso().into()),
    ])))
}

/// Any user may share any secret.
pub(super) fn create_share(database: &mut Database, call: &Call) -> Outcome {
    uncaught(share_created(database, call))
}

fn share_created(database: &mut Database, call: &Call) -> HandlerResult {
    let caller = caller(database, call)?;
    let body = body(call)?;
    let secret = body.text_of("secretId").ok_or_else(|| bad("secretId is required"))?;
    database.secrets.by_id(checked_id(secret)?).ok_or_else(|| not_found("Secret not found"))?;
    let hours = body.get("expiresInHours").and_then(Json::number).filter(|hours| *hours != 0.0).unwrap_or(24.0);
    let share = Share {
        id: database.new_id(),
        token: database.vault.random_hex::<32>().ok_or(HandlerPanic)?,
        secret: secret.to_owned(),
        label: body.text_of("label").map(str::to_owned),
        views: 0,
        max_views: body.get("maxViews").and_then(Json::whole).filter(|views| *views != 0),
        expires: database.now().plus(Duration::try_from_secs_f64(hours * 3600.0).unwrap_or_default()),
        is_revoked: false,
        created_by: caller.database_id()?.to_owned(),
    };
    let answer = object([
        ("shareUrl", format!("http://{}/share/{}", call.header("host").unwrap_or("localhost"), share.token).into()),
        ("token", Json::from(&share.token)),
        ("expiresAt", share.expires.iso().into()),
        ("id", Json::from(&share.id)),
    ]);
    database.shares.push(share);
    Ok(Reply::json(StatusCode::CREATED, &answer))
}

/// Shows the secret to anybody; each time is a view.
pub(super) fn view_share(database: &mut Database, call: &Call) -> Outcome {
    uncaught(share_viewed(database, call))
}

fn share_viewed(database: &mut Database, call: &Call) -> HandlerResult {
    let token = call.query("token").ok_or_else(|| bad("Token is required"))?;
    let now = database.now();
    let share = database.shares.iter_mut().find(|share| share.token == token);
    let share = share.ok_or_else(|| not_found("Invalid or expired link"))?;
    if let Some(message) = share_ended(share, now) {
        return Err(refused(StatusCode::GONE, message));
    }
    let secret = database.secrets.by_id(&share.secret).ok_or(HandlerPanic)?;
    share.views += 1;
    let opened = secret.stored.as_ref().and_then(|stored| database.vault.open(stored));
    Ok(Reply::ok(&object([
        ("key", Json::from(&secret.key)),
        ("value", opened.unwrap_or_else(|| "[Decryption failed]".to_owned()).into()),
        ("environmentType", Json::from(&secret.environment)),
        ("label", share.label.clone().into()),
        ("viewCount", share.views.into()),
        ("maxViews", share.max_views.into()),
        ("expiresAt", share.expires.iso().into()),
    ])))
}

fn share_ended(share: &Share, now: Millis) -> Option<&'static str> {
    if share.is_revoked {
        return Some("This link has been revoked");
    }
    if share.expires <= now {
        return Some("This link has expired");
    }
    share.max_views.is_some_and(|most| share.views >= most).then_some("This link has reached its view limit")
}

/// Revokes a link, for who made it.
pub(super) fn revoke_share(database: &mut Database, call: &Call) -> Outcome {
    uncaught(share_revoked(database, call))
}

fn share_revoked(database: &mut Database, call: &Call) -> HandlerResult {
    let caller = caller(database, call)?;
    let id = call.query("id").ok_or_else(|| bad("Share ID is required"))?;
    checked_id(id)?;
    let share = database.shares.iter_mut().find(|share| share.id == id);
    let share = share.ok_or_else(|| not_found("Share link not found"))?;
    if share.created_by != caller.user_id() {
        return Err(forbidden("Forbidden"));
    }
    share.is_revoked = true;
    Ok(success())
}
