//! `/notifications`, `/notification-rules` and `/notification-channels`.

use axum::http::StatusCode;

use super::answers::{
    Outcome, Steps, Stop, bad, body, caller, fixed, forbidden, not_found, refused, success, uncaught,
};
use super::projects::{Standing, standing};
use crate::services::xtra::dev::auth::Session;
use crate::services::xtra::dev::js::{Json, Members, object};
use crate::services::xtra::dev::notices::{Document, Notification};
use crate::services::xtra::dev::state::{World, checked_id};
use crate::services::xtra::dev::wire::{Call, Reply};

/// The caller's notifications, the newest first.
pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    uncaught(listed(world, call))
}

fn listed(world: &World, call: &Call) -> Steps {
    let caller = caller(world, call)?;
    let user = caller.database_id()?;
    let workspace = call.query("workspaceId").map(checked_id).transpose()?;
    let own = world.notifications.iter().rev().filter(|known| known.user == user);
    let own = own.filter(|known| workspace.is_none() || known.workspace.as_deref() == workspace);
    let list: Vec<Json> = own.map(|known| record(world, known)).collect();
    Ok(Reply::ok(&object([("notifications", list.into())])))
}

fn record(world: &World, known: &Notification) -> Json {
    let email = world.user(&known.user).map(|user| user.email.clone()).unwrap_or_default();
    object([
        ("id", Json::from(&known.id)),
        ("userId", Json::from(&known.user)),
        ("userEmail", email.into()),
        ("taskTitle", Json::from(&known.title)),
        ("description", Json::from(&known.description)),
        ("message", Json::from(&known.message)),
        ("status", Json::from(&known.status)),
        ("read", known.is_read.into()),
        ("createdAt", known.created.iso().into()),
        ("workspaceId", known.workspace.clone().into()),
    ])
}

/// Where a notification of the caller is.
fn own(world: &World, call: &Call, id: Option<&str>) -> Result<usize, Stop> {
    let caller = caller(world, call)?;
    let id = id.ok_or_else(|| bad("Notification id required"))?;
    checked_id(id)?;
    let place = world.notifications.iter().position(|known| known.id == id);
    let place = place.ok_or_else(|| not_found("Notification not found"))?;
    let is_own = world.notifications.get(place).is_some_and(|known| known.user == caller.user_id());
    if is_own { Ok(place) } else { Err(forbidden("Unauthorized")) }
}

/// Marks a notification as read, or as unread.
pub(super) fn mark(world: &mut World, call: &Call) -> Outcome {
    let marked = |world: &mut World| -> Steps {
        let body = body(call)?;
        let place = own(world, call, body.text_of("id"))?;
        let is_read = body.get("read").is_some_and(Json::is_truthy);
        if let Some(known) = world.notifications.get_mut(place) {
            known.is_read = is_read;
        }
        let shown = world.notifications.get(place).map(|known| record(world, known));
        Ok(Reply::ok(&object([("notification", shown.into())])))
    };
    fixed("Failed to update", marked(world))
}

pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    let deleted = |world: &mut World| -> Steps {
        let place = own(world, call, call.query("id"))?;
        world.notifications.remove(place);
        Ok(success())
    };
    fixed("Failed to delete", deleted(world))
}

/// What rules and channels differ in.
struct Kind {
    one: &'static str,
    many: &'static str,
    missing: &'static str,
    unknown: &'static str,
    refusal: &'static str,
    stored: fn(&World) -> &Vec<Document>,
    stored_mut: fn(&mut World) -> &mut Vec<Document>,
}

const RULES: Kind = Kind {
    one: "rule",
    many: "rules",
    missing: "Name, triggers, and workspaceId are required",
    unknown: "Rule not found",
    refusal: "Forbidden: Only admins can manage rules",
    stored: |world| &world.rules,
    stored_mut: |world| &mut world.rules,
};

const CHANNELS: Kind = Kind {
    one: "channel",
    many: "channels",
    missing: "Name, type and workspaceId are required",
    unknown: "Channel not found",
    refusal: "Forbidden",
    stored: |world| &world.channels,
    stored_mut: |world| &mut world.channels,
};

fn standing_in(world: &World, caller: &Session, workspace: &str) -> Result<Option<Standing>, Stop> {
    Ok(standing(world, caller.database_id()?, workspace))
}

impl Kind {
    /// All of a workspace, the newest first, to whoever has a role in it.
    fn listed(&self, world: &World, call: &Call) -> Steps {
        let caller = caller(world, call)?;
        let workspace = call.query("workspaceId").ok_or_else(|| bad("Workspace ID required"))?;
        standing_in(world, &caller, workspace)?.ok_or_else(|| forbidden("Forbidden"))?;
        let documents = (self.stored)(world).iter().rev().filter(|document| document.workspace == workspace);
        let list: Vec<Json> = documents.map(shown).collect();
        Ok(Reply::ok(&object([(self.many, list.into())])))
    }

    /// Creates one. The answer has no id: a list tells it.
    fn created(&self, world: &mut World, call: &Call, members: fn(&Json, &str) -> Option<Members>) -> Steps {
        let caller = caller(world, call)?;
        let body = body(call)?;
        let by = caller.email(world);
        let (Some(mut members), Some(workspace)) = (members(&body, &by), body.text_of("workspaceId")) else {
            return Err(bad(self.missing));
        };
        self.administered(world, &caller, workspace)?;
        let (id, now) = (world.new_id(), world.now());
        members.set("workspaceId", workspace);
        members.set("enabled", true);
        members.set("createdAt", now.iso());
        members.set("updatedAt", now.iso());
        let answer = object([(self.one, Json::from(members.clone()))]);
        (self.stored_mut)(world).push(Document { id, workspace: workspace.to_owned(), members });
        Ok(Reply::json(StatusCode::CREATED, &answer))
    }

    fn administered(&self, world: &World, caller: &Session, workspace: &str) -> Result<(), Stop> {
        let standing = standing_in(world, caller, workspace)?;
        let may = standing.is_some_and(|standing| standing >= Standing::Admin);
        if may { Ok(()) } else { Err(forbidden(self.refusal)) }
    }

    /// Where one is that the caller may change.
    fn found(&self, world: &World, call: &Call, id: Option<&str>) -> Result<usize, Stop> {
        let caller = caller(world, call)?;
        let id = id.ok_or_else(|| bad("ID required"))?;
        checked_id(id)?;
        let documents = (self.stored)(world);
        let place = documents.iter().position(|document| document.id == id);
        let found = place.and_then(|place| Some((place, documents.get(place)?)));
        let (place, document) = found.ok_or_else(|| not_found(self.unknown))?;
        self.administered(world, &caller, &document.workspace)?;
        Ok(place)
    }

    /// Sets whatever members are sent.
    fn changed(&self, world: &mut World, call: &Call) -> Steps {
        let body = body(call)?;
        let place = self.found(world, call, body.text_of("id"))?;
        let now = world.now().iso();
        if let (Some(document), Json::Object(sent)) = ((self.stored_mut)(world).get_mut(place), &body) {
            for (name, value) in sent.iter().filter(|(name, _)| *name != "id") {
                document.members.set(name, value.clone());
            }
            document.members.set("updatedAt", now);
        }
        Ok(success())
    }

    fn deleted(&self, world: &mut World, call: &Call) -> Steps {
        let place = self.found(world, call, call.query("id"))?;
        (self.stored_mut)(world).remove(place);
        Ok(success())
    }
}

/// As the database has it, with its id once more.
fn shown(document: &Document) -> Json {
    let mut shown = Members::default();
    shown.set("_id", object([("$oid", Json::from(&document.id))]));
    for (name, value) in document.members.iter() {
        shown.set(name, value.clone());
    }
    shown.set("id", &document.id);
    shown.into()
}

/// The members of a body by name, each with what it is when it is not sent.
fn filled<const N: usize>(body: &Json, names: [(&str, Json); N]) -> Members {
    let mut members = Members::default();
    for (name, otherwise) in names {
        let sent = body.get(name).filter(|sent| sent.is_truthy()).cloned();
        members.set(name, sent.unwrap_or(otherwise));
    }
    members
}

fn rule(body: &Json, by: &str) -> Option<Members> {
    body.text_of("name")?;
    body.texts_of("triggers").filter(|triggers| !triggers.is_empty())?;
    let none = || Json::List(Vec::new());
    let names = [("name", Json::Null), ("description", "".into()), ("triggers", none()), ("channels", none())];
    let mut members = filled(body, names);
    members.set("conditions", body.get("conditions").cloned().unwrap_or_else(|| object([])));
    members.set("createdBy", by);
    Some(members)
}

fn channel(body: &Json, _: &str) -> Option<Members> {
    body.text_of("name")?;
    body.text_of("type")?;
    Some(filled(body, [("type", Json::Null), ("name", Json::Null), ("config", object([]))]))
}

pub(super) fn list_rules(world: &mut World, call: &Call) -> Outcome {
    uncaught(RULES.listed(world, call))
}

pub(super) fn create_rule(world: &mut World, call: &Call) -> Outcome {
    uncaught(RULES.created(world, call, rule))
}

pub(super) fn change_rule(world: &mut World, call: &Call) -> Outcome {
    uncaught(RULES.changed(world, call))
}

pub(super) fn delete_rule(world: &mut World, call: &Call) -> Outcome {
    uncaught(RULES.deleted(world, call))
}

pub(super) fn list_channels(world: &mut World, call: &Call) -> Outcome {
    uncaught(CHANNELS.listed(world, call))
}

pub(super) fn create_channel(world: &mut World, call: &Call) -> Outcome {
    uncaught(CHANNELS.created(world, call, channel))
}

pub(super) fn change_channel(world: &mut World, call: &Call) -> Outcome {
    uncaught(CHANNELS.changed(world, call))
}

pub(super) fn delete_channel(world: &mut World, call: &Call) -> Outcome {
    uncaught(CHANNELS.deleted(world, call))
}

/// Would send a message to a channel: nothing leaves this server.
pub(super) fn test_channel(world: &mut World, call: &Call) -> Outcome {
    let tested = |world: &World| -> Steps {
        caller(world, call)?;
        let body = body(call)?;
        body.text_of("webhookUrl").ok_or_else(|| bad("webhookUrl is required"))?;
        if !["slack", "teams", "webhook"].contains(&body.text_of("type").unwrap_or("slack")) {
            return Err(bad("Unsupported channel type"));
        }
        Err(refused(StatusCode::NOT_IMPLEMENTED, "the dev server sends nothing to a channel"))
    };
    uncaught(tested(world))
}
