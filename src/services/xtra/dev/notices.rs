//! Notifications, and the rules and channels that users keep for them.

use serde::{Deserialize, Serialize};

use super::clock::Moment;
use super::js::Members;
use super::state::World;

/// A notification to one user.
#[derive(Serialize, Deserialize)]
pub(super) struct Notification {
    pub(super) id: String,
    pub(super) user: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) message: String,
    pub(super) status: String,
    pub(super) is_read: bool,
    pub(super) created: Moment,
    pub(super) workspace: Option<String>,
}

/// A rule or a channel. The service stores them as they are sent.
#[derive(Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) id: String,
    pub(super) workspace: String,
    pub(super) members: Members,
}

impl World {
    /// Notifies a user; `texts` are the title, the description, the message and the status.
    pub(super) fn notify(&mut self, user: &str, texts: [&str; 4], workspace: Option<String>) {
        let [title, description, message, status] = texts.map(str::to_owned);
        let (id, created) = (self.new_id(), self.now());
        let user = user.to_owned();
        let is_read = false;
        self.notifications.push(Notification {
            id,
            user,
            title,
            description,
            message,
            status,
            is_read,
            created,
            workspace,
        });
    }
}
