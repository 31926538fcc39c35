//! Notifications, their rules and channels, and the webhooks of a project, which are kept and never called.

use hyper::http::StatusCode;

use super::answers::{
    HandlerResult, Outcome, Stop, bad, body, caller, echoed, fixed, forbidden, not_found, refused, success, uncaught,
};
use super::projects::{Standing, standing};
use crate::dev::javascript::{Json, Members, object};
use crate::dev::{Call, Reply, routes};
use crate::services::xtra::dev::auth::Session;
use crate::services::xtra::dev::database::{Database, checked_id};
use crate::services::xtra::dev::rows::{Document, Notification, Project, Webhook};

routes! {
    for Database;

    /// Lists the caller's notifications.
    GET "/notifications" as NOTIFICATIONS_LIST => at_once(list);
    /// Marks a notification as read, or as unread.
    PATCH "/notifications" as NOTIFICATIONS_UPDATE => at_once(mark);
    /// Deletes a notification.
    DELETE "/notifications" as NOTIFICATIONS_DELETE => at_once(delete);
    /// Lists the notification rules of a workspace.
    GET "/notification-rules" as NOTIFICATION_RULES_LIST => at_once(list_rules);
    /// Creates a notification rule.
    POST "/notification-rules" as NOTIFICATION_RULES_CREATE => at_once(create_rule);
    /// Changes a notification rule.
    PATCH "/notification-rules" as NOTIFICATION_RULES_UPDATE => at_once(change_rule);
    /// Deletes a notification rule.
    DELETE "/notification-rules" as NOTIFICATION_RULES_DELETE => at_once(delete_rule);
    /// Lists the notification channels of a workspace.
    GET "/notification-channels" as NOTIFICATION_CHANNELS_LIST => at_once(list_channels);
    /// Creates a notification channel.
    POST "/notification-channels" as NOTIFICATION_CHANNELS_CREATE => at_once(create_channel);
    /// Changes a notification channel.
    PATCH "/notification-channels" as NOTIFICATION_CHANNELS_UPDATE => at_once(change_channel);
    /// Deletes a notification channel.
    DELETE "/notification-channels" as NOTIFICATION_CHANNELS_DELETE => at_once(delete_channel);
    /// Would send a message to a channel; this server sends none and answers 501.
    POST "/notification-channels/test" as NOTIFICATION_CHANNELS_TEST => at_once(test_channel);
    /// Lists the webhooks of a project.
    GET "/projects/{projectId}/webhooks" as WEBHOOKS_LIST => at_once(list_webhooks);
    /// Creates a webhook.
    POST "/projects/{projectId}/webhooks" as WEBHOOKS_CREATE => at_once(create_webhook);
    /// Turns a webhook on or off.
    PATCH "/projects/{projectId}/webhooks" as WEBHOOKS_UPDATE => at_once(update_webhook);
    /// Deletes the webhook that the query names by `id`.
    DELETE "/projects/{projectId}/webhooks" as WEBHOOKS_REMOVE => at_once(delete_webhook);
    /// Deletes a webhook.
    DELETE "/projects/{projectId}/webhooks/{webhookId}" as WEBHOOKS_DELETE => at_once(delete_webhook_of_path);
    // Deliveries are not made, not even to try them.
    POST "/projects/{projectId}/webhooks/{webhookId}" => not_served();
}

/// The caller's notifications, the newest first.
pub(super) fn list(database: &mut Database, call: &Call) -> Outcome {
    uncaught(listed(database, call))
}

fn listed(database: &Database, call: &Call) -> HandlerResult {
    let caller = caller(database, call)?;
    let user = caller.database_id()?;
    let workspace = call.query("workspaceId").map(checked_id).transpose()?;
    let own = database.notifications.iter().rev().filter(|known| known.user == user);
    let own = own.filter(|known| workspace.is_none() || known.workspace.as_deref() == workspace);
    let list: Vec<Json> = own.map(|known| record(database, known)).collect();
    Ok(Reply::ok(&object([("notifications", list.into())])))
}

fn record(database: &Database, known: &Notification) -> Json {
    let email = database.user(&known.user).map(|user| user.email.clone()).unwrap_or_default();
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

/// The position of a notification of the caller.
fn own(database: &Database, call: &Call, id: Option<&str>) -> Result<usize, Stop> {
    let caller = caller(database, call)?;
    let id = id.ok_or_else(|| bad("Notification id required"))?;
    checked_id(id)?;
    let position = database.notifications.iter().position(|known| known.id == id);
    let position = position.ok_or_else(|| not_found("Notification not found"))?;
    let is_own = database.notifications.get(position).is_some_and(|known| known.user == caller.user_id());
    if is_own { Ok(position) } else { Err(forbidden("Unauthorized")) }
}

/// Marks a notification as read, or as unread.
pub(super) fn mark(database: &mut Database, call: &Call) -> Outcome {
    let marked = |database: &mut Database| -> HandlerResult {
        let body = body(call)?;
        let position = own(database, call, body.text_of("id"))?;
        let is_read = body.get("read").is_some_and(Json::is_truthy);
        if let Some(known) = database.notifications.get_mut(position) {
            known.is_read = is_read;
        }
        let shown = database.notifications.get(position).map(|known| record(database, known));
        Ok(Reply::ok(&object([("notification", shown.into())])))
    };
    fixed("Failed to update", marked(database))
}

pub(super) fn delete(database: &mut Database, call: &Call) -> Outcome {
    let deleted = |database: &mut Database| -> HandlerResult {
        let position = own(database, call, call.query("id"))?;
        database.notifications.remove(position);
        Ok(success())
    };
    fixed("Failed to delete", deleted(database))
}

/// The differences between rules and channels.
struct Kind {
    one: &'static str,
    many: &'static str,
    missing: &'static str,
    unknown: &'static str,
    refusal: &'static str,
    stored: fn(&Database) -> &Vec<Document>,
    stored_mut: fn(&mut Database) -> &mut Vec<Document>,
}

const RULES: Kind = Kind {
    one: "rule",
    many: "rules",
    missing: "Name, triggers, and workspaceId are required",
    unknown: "Rule not found",
    refusal: "Forbidden: Only admins can manage rules",
    stored: |database| &database.rules,
    stored_mut: |database| &mut database.rules,
};

const CHANNELS: Kind = Kind {
    one: "channel",
    many: "channels",
    missing: "Name, type and workspaceId are required",
    unknown: "Channel not found",
    refusal: "Forbidden",
    stored: |database| &database.channels,
    stored_mut: |database| &mut database.channels,
};

fn standing_in(database: &Database, caller: &Session, workspace: &str) -> Result<Option<Standing>, Stop> {
    Ok(standing(database, caller.database_id()?, workspace))
}

impl Kind {
    /// All of a workspace, the newest first, to whoever has a role in it.
    fn listed(&self, database: &Database, call: &Call) -> HandlerResult {
        let caller = caller(database, call)?;
        let workspace = call.query("workspaceId").ok_or_else(|| bad("Workspace ID required"))?;
        standing_in(database, &caller, workspace)?.ok_or_else(|| forbidden("Forbidden"))?;
        let documents = (self.stored)(database).iter().rev().filter(|document| document.workspace == workspace);
        let list: Vec<Json> = documents.map(shown).collect();
        Ok(Reply::ok(&object([(self.many, list.into())])))
    }

    /// Creates one. The answer has no id: a list tells it.
    fn created(
        &self,
        database: &mut Database,
        call: &Call,
        members: fn(&Json, &str) -> Option<Members>,
    ) -> HandlerResult {
        let caller = caller(database, call)?;
        let body = body(call)?;
        let by = caller.email(database);
        let (Some(mut members), Some(workspace)) = (members(&body, &by), body.text_of("workspaceId")) else {
            return Err(bad(self.missing));
        };
        self.administered(database, &caller, workspace)?;
        let (id, now) = (database.new_id(), database.now());
        members.set("workspaceId", workspace);
        members.set("enabled", true);
        members.set("createdAt", now.iso());
        members.set("updatedAt", now.iso());
        let answer = object([(self.one, Json::from(members.clone()))]);
        (self.stored_mut)(database).push(Document { id, workspace: workspace.to_owned(), members });
        Ok(Reply::json(StatusCode::CREATED, &answer))
    }

    fn administered(&self, database: &Database, caller: &Session, workspace: &str) -> Result<(), Stop> {
        let standing = standing_in(database, caller, workspace)?;
        let may = standing.is_some_and(|standing| standing >= Standing::Admin);
        if may { Ok(()) } else { Err(forbidden(self.refusal)) }
    }

    /// The position of one that the caller may change.
    fn found(&self, database: &Database, call: &Call, id: Option<&str>) -> Result<usize, Stop> {
        let caller = caller(database, call)?;
        let id = id.ok_or_else(|| bad("ID required"))?;
        checked_id(id)?;
        let documents = (self.stored)(database);
        let position = documents.iter().position(|document| document.id == id);
        let found = position.and_then(|position| Some((position, documents.get(position)?)));
        let (position, document) = found.ok_or_else(|| not_found(self.unknown))?;
        self.administered(database, &caller, &document.workspace)?;
        Ok(position)
    }

    /// Sets whatever members are sent.
    fn changed(&self, database: &mut Database, call: &Call) -> HandlerResult {
        let body = body(call)?;
        let position = self.found(database, call, body.text_of("id"))?;
        let now = database.now().iso();
        if let (Some(document), Json::Object(sent)) = ((self.stored_mut)(database).get_mut(position), &body) {
            for (name, value) in sent.iter().filter(|(name, _)| *name != "id") {
                document.members.set(name, value.clone());
            }
            document.members.set("updatedAt", now);
        }
        Ok(success())
    }

    fn deleted(&self, database: &mut Database, call: &Call) -> HandlerResult {
        let position = self.found(database, call, call.query("id"))?;
        (self.stored_mut)(database).remove(position);
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

pub(super) fn list_rules(database: &mut Database, call: &Call) -> Outcome {
    uncaught(RULES.listed(database, call))
}

pub(super) fn create_rule(database: &mut Database, call: &Call) -> Outcome {
    uncaught(RULES.created(database, call, rule))
}

pub(super) fn change_rule(database: &mut Database, call: &Call) -> Outcome {
    uncaught(RULES.changed(database, call))
}

pub(super) fn delete_rule(database: &mut Database, call: &Call) -> Outcome {
    uncaught(RULES.deleted(database, call))
}

pub(super) fn list_channels(database: &mut Database, call: &Call) -> Outcome {
    uncaught(CHANNELS.listed(database, call))
}

pub(super) fn create_channel(database: &mut Database, call: &Call) -> Outcome {
    uncaught(CHANNELS.created(database, call, channel))
}

pub(super) fn change_channel(database: &mut Database, call: &Call) -> Outcome {
    uncaught(CHANNELS.changed(database, call))
}

pub(super) fn delete_channel(database: &mut Database, call: &Call) -> Outcome {
    uncaught(CHANNELS.deleted(database, call))
}

/// Would send a message to a channel: nothing leaves this server.
pub(super) fn test_channel(database: &mut Database, call: &Call) -> Outcome {
    let tested = |database: &Database| -> HandlerResult {
        caller(database, call)?;
        let body = body(call)?;
        body.text_of("webhookUrl").ok_or_else(|| bad("webhookUrl is required"))?;
        if !["slack", "teams", "webhook"].contains(&body.text_of("type").unwrap_or("slack")) {
            return Err(bad("Unsupported channel type"));
        }
        Err(refused(StatusCode::NOT_IMPLEMENTED, "the dev server sends nothing to a channel"))
    };
    uncaught(tested(database))
}

/// The project of the path, when the caller has created it.
fn own_webhook_project<'a>(database: &'a Database, call: &Call) -> Result<Option<&'a Project>, Stop> {
    let caller = caller(database, call)?;
    let user = caller.database_id()?;
    Ok(database.project(checked_id(call.param("projectId"))?).filter(|project| project.owner == user))
}

fn webhook_record(webhook: &Webhook) -> Members {
    let mut record = Members::default();
    record.set("id", &webhook.id);
    record.set("projectId", &webhook.project);
    record.set("url", &webhook.url);
    record.set("events", webhook.events.clone());
    record.set("active", webhook.is_active);
    record.set("createdAt", webhook.created.iso());
    record.set("updatedAt", webhook.updated.iso());
    record
}

/// Lists the webhooks, the newest first: to everybody but the project's creator there are none.
pub(super) fn list_webhooks(database: &mut Database, call: &Call) -> Outcome {
    let listed = |database: &Database| -> HandlerResult {
        let project = own_webhook_project(database, call)?.map(|project| &project.id);
        let found = database.webhooks.iter().rev().filter(|webhook| Some(&webhook.project) == project);
        Ok(Reply::ok(&found.map(webhook_record).collect::<Vec<_>>().into()))
    };
    echoed(listed(database))
}

pub(super) fn create_webhook(database: &mut Database, call: &Call) -> Outcome {
    echoed(webhook_created(database, call))
}

fn webhook_created(database: &mut Database, call: &Call) -> HandlerResult {
    let project = own_webhook_project(database, call)?.map(|project| project.id.clone());
    let body = body(call)?;
    let (Some(url), Some(events)) = (body.text_of("url"), body.texts_of("events")) else {
        return Err(bad("URL and events are required"));
    };
    let now = database.now();
    let webhook = Webhook {
        project: project.ok_or_else(|| not_found("Project not found"))?,
        id: database.new_id(),
        url: url.to_owned(),
        events,
        is_active: body.get("active").is_none_or(Json::is_truthy),
        created: now,
        updated: now,
    };
    let answer = webhook_record(&webhook);
    database.webhooks.push(webhook);
    Ok(Reply::json(StatusCode::CREATED, &answer.into()))
}

fn existing_webhook(webhook: Option<&mut Webhook>) -> Result<&mut Webhook, Stop> {
    webhook.ok_or_else(|| {
        Stop::Thrown("An operation failed because it depends on a record that was not found.".to_owned())
    })
}

/// Turns a webhook on or off. Any caller may, whatever the project.
pub(super) fn update_webhook(database: &mut Database, call: &Call) -> Outcome {
    echoed(webhook_updated(database, call))
}

fn webhook_updated(database: &mut Database, call: &Call) -> HandlerResult {
    caller(database, call)?;
    let body = body(call)?;
    let id = checked_id(body.text_of("id").ok_or_else(|| bad("Webhook id required"))?)?;
    let now = database.now();
    let webhook = existing_webhook(database.webhooks.iter_mut().find(|webhook| webhook.id == id))?;
    webhook.is_active = body.get("active").is_some_and(Json::is_truthy);
    webhook.updated = now;
    Ok(Reply::ok(&webhook_record(webhook).into()))
}

/// Deletes the webhook that the query names. Any caller may, whatever the project.
pub(super) fn delete_webhook(database: &mut Database, call: &Call) -> Outcome {
    echoed(webhook_deleted(database, call))
}

fn webhook_deleted(database: &mut Database, call: &Call) -> HandlerResult {
    caller(database, call)?;
    let id = checked_id(call.query("id").ok_or_else(|| bad("Webhook id required"))?)?;
    existing_webhook(database.webhooks.iter_mut().find(|webhook| webhook.id == id))?;
    database.webhooks.retain(|webhook| webhook.id != id);
    Ok(success())
}

/// Deletes the webhook of the path, for the project's creator.
pub(super) fn delete_webhook_of_path(database: &mut Database, call: &Call) -> Outcome {
    echoed(webhook_of_path_deleted(database, call))
}

fn webhook_of_path_deleted(database: &mut Database, call: &Call) -> HandlerResult {
    let project = own_webhook_project(database, call)?.map(|project| project.id.clone());
    let id = checked_id(call.param("webhookId"))?;
    let is_it = |webhook: &Webhook| webhook.id == id && Some(&webhook.project) == project.as_ref();
    if !database.webhooks.iter().any(is_it) {
        return Err(not_found("Webhook not found"));
    }
    database.webhooks.retain(|webhook| webhook.id != id);
    Ok(success())
}
