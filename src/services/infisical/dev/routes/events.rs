//! The stream of events: what changes in a project, as it changes.

use hyper::http::{StatusCode, header};
use tokio::sync::mpsc::unbounded_channel;

use crate::dev::Reply;
use crate::services::infisical::dev::asked::{Answer, Asked, endpoints};
use crate::services::infisical::dev::database::{Database, Location};
use crate::services::infisical::dev::fields::folder_path;
use crate::services::infisical::dev::refusal::Refusal;
use crate::services::infisical::dev::seed::Action;
use crate::services::infisical::dev::subscriptions::{Registration, Subscription};

endpoints! {
    /// The subscription to a project's events.
    POST "/v1/events/subscribe/project-events" as EVENTS_SUBSCRIBE since Current, Read Token => subscribe;
}

/// The events there are.
const EVENTS: [&str; 4] = ["secret:create", "secret:update", "secret:delete", "secret:import-mutation"];

/// The most registrations of a subscription.
const MOST: usize = 10;

fn subscribe(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let project = body.word("projectId");
    let registrations = body.items("register", |item| {
        let event = item.one_of("event", &EVENTS).unwrap_or_default();
        let (environment, path) = match item.any("conditions") {
            Some(_) => item.inner("conditions", |conditions| {
                let path = conditions.optional_word("secretPath").map(|path| folder_path(&path));
                (conditions.optional_word("environmentSlug"), path)
            }),
            None => (None, None),
        };
        Registration { event, environment, path }
    });
    if registrations.len() > MOST {
        body.custom("register", "Array must contain at most 10 element(s)");
    }
    body.done(asked.generation)?;
    let actor = asked.actor()?;
    database.check_member(actor, &project)?;
    if !database.has_events {
        let message =
            "Failed to use event subscriptions due to plan restriction. Upgrade plan to use event subscriptions.";
        return Err(Refusal::bad_request(message));
    }
    for registration in &registrations {
        let environment = registration.environment.as_deref().unwrap_or_default();
        let location = Location { project: &project, environment, path: registration.path.as_deref().unwrap_or("/") };
        let sees = database.may(actor, Action::Read, location) || database.may(actor, Action::Describe, location);
        if !sees {
            return Err(Refusal::no_permission(asked.generation, "subscribe", "secret-events"));
        }
    }
    let (sender, rest) = unbounded_channel();
    database.subscriptions.add(Subscription { project, registrations, sender });
    let reply = Reply { rest: Some(rest), ..Reply::empty(StatusCode::OK) };
    Ok(reply.with(header::CONTENT_TYPE, "text/event-stream").with(header::CACHE_CONTROL, "no-cache"))
}
