//! The subscriptions to events: who wants to be told of which changes.

use tokio::sync::mpsc::UnboundedSender;

use super::patterns::matches_path;
use crate::dev::javascript::Json;

/// The open streams.
#[derive(Default)]
pub(super) struct Subscriptions(Vec<Subscription>);

/// A stream and the changes that it is for.
pub(super) struct Subscription {
    pub(super) project: String,
    pub(super) registrations: Vec<Registration>,
    pub(super) sender: UnboundedSender<String>,
}

/// A kind of change, limited to an environment and a folder where one is named.
pub(super) struct Registration {
    pub(super) event: String,
    pub(super) environment: Option<String>,
    pub(super) path: Option<String>,
}

impl Subscriptions {
    pub(super) fn add(&mut self, subscription: Subscription) {
        self.0.push(subscription);
    }

    pub(super) fn len(&mut self) -> usize {
        self.0.retain(|subscription| !subscription.sender.is_closed());
        self.0.len()
    }

    /// Tells of a change whoever subscribed to it. Streams that ended are forgotten.
    pub(super) fn tell(&mut self, event: &str, (project, environment, path): (&str, &str, &str), data: &Json) {
        let text = format!("event: {event}\ndata: {}\n\n", data.to_text());
        self.0.retain(|subscription| {
            let is_for = |registration: &Registration| {
                registration.event == event
                    && registration.environment.as_deref().is_none_or(|wanted| wanted == environment)
                    && registration.path.as_deref().is_none_or(|wanted| matches_path(wanted, path))
            };
            let wants = subscription.project == project && subscription.registrations.iter().any(is_for);
            if wants { subscription.sender.send(text.clone()).is_ok() } else { !subscription.sender.is_closed() }
        });
    }

    /// Sends a text over every stream as it is.
    pub(super) fn send(&mut self, text: &str) {
        self.0.retain(|subscription| subscription.sender.send(text.to_owned()).is_ok());
    }

    /// Ends every stream.
    pub(super) fn end(&mut self) {
        self.0.clear();
    }
}
