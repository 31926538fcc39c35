//! `/secret/share`: links that show one secret to whoever has them.

use std::time::Duration;

use axum::http::StatusCode;

use super::answers::{Outcome, Steps, bad, body, caller, forbidden, not_found, refused, success, uncaught};
use crate::services::xtra::dev::clock::Moment;
use crate::services::xtra::dev::js::{Json, object};
use crate::services::xtra::dev::requests::Share;
use crate::services::xtra::dev::state::{Crash, World, checked_id};
use crate::services::xtra::dev::wire::{Call, Reply};

/// Any user may share any secret.
pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    uncaught(created(world, call))
}

fn created(world: &mut World, call: &Call) -> Steps {
    let caller = caller(world, call)?;
    let body = body(call)?;
    let secret = body.text_of("secretId").ok_or_else(|| bad("secretId is required"))?;
    world.secrets.by_id(checked_id(secret)?).ok_or_else(|| not_found("Secret not found"))?;
    let hours = body.get("expiresInHours").and_then(Json::number).filter(|hours| *hours != 0.0).unwrap_or(24.0);
    let share = Share {
        id: world.new_id(),
        token: world.vault.random_hex::<32>().ok_or(Crash)?,
        secret: secret.to_owned(),
        label: body.text_of("label").map(str::to_owned),
        views: 0,
        max_views: body.get("maxViews").and_then(Json::whole).filter(|views| *views != 0),
        expires: world.now().plus(Duration::try_from_secs_f64(hours * 3600.0).unwrap_or_default()),
        is_revoked: false,
        created_by: caller.database_id()?.to_owned(),
    };
    let answer = object([
        ("shareUrl", format!("http://{}/share/{}", call.header("host").unwrap_or("localhost"), share.token).into()),
        ("token", Json::from(&share.token)),
        ("expiresAt", share.expires.iso().into()),
        ("id", Json::from(&share.id)),
    ]);
    world.shares.push(share);
    Ok(Reply::json(StatusCode::CREATED, &answer))
}

/// Shows the secret to anybody; each time is a view.
pub(super) fn view(world: &mut World, call: &Call) -> Outcome {
    uncaught(viewed(world, call))
}

fn viewed(world: &mut World, call: &Call) -> Steps {
    let token = call.query("token").ok_or_else(|| bad("Token is required"))?;
    let now = world.now();
    let share = world.shares.iter_mut().find(|share| share.token == token);
    let share = share.ok_or_else(|| not_found("Invalid or expired link"))?;
    if let Some(message) = ended(share, now) {
        return Err(refused(StatusCode::GONE, message));
    }
    let secret = world.secrets.by_id(&share.secret).ok_or(Crash)?;
    share.views += 1;
    let opened = secret.stored.as_ref().and_then(|stored| world.vault.open(stored));
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

fn ended(share: &Share, now: Moment) -> Option<&'static str> {
    if share.is_revoked {
        return Some("This link has been revoked");
    }
    if share.expires <= now {
        return Some("This link has expired");
    }
    share.max_views.is_some_and(|most| share.views >= most).then_some("This link has reached its view limit")
}

/// Revokes a link, for who made it.
pub(super) fn revoke(world: &mut World, call: &Call) -> Outcome {
    uncaught(revoked(world, call))
}

fn revoked(world: &mut World, call: &Call) -> Steps {
    let caller = caller(world, call)?;
    let id = call.query("id").ok_or_else(|| bad("Share ID is required"))?;
    checked_id(id)?;
    let share = world.shares.iter_mut().find(|share| share.id == id);
    let share = share.ok_or_else(|| not_found("Share link not found"))?;
    if share.created_by != caller.user_id() {
        return Err(forbidden("Forbidden"));
    }
    share.is_revoked = true;
    Ok(success())
}
