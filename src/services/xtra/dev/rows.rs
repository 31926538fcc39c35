//! What gives access beside a role: requests and the links by which they are made, shared secrets, emergencies. And
//! webhooks, which hang on a project as they do.

use serde::{Deserialize, Serialize};

use super::clock::Moment;
use super::js::{Json, Members};
use super::state::World;

pub(super) const PENDING: &str = "pending";
pub(super) const APPROVED: &str = "approved";

/// A request of a user to read a project, or some secrets of it.
#[derive(Serialize, Deserialize)]
pub(super) struct AccessRequest {
    pub(super) id: String,
    pub(super) user: String,
    /// None means the whole project.
    pub(super) secrets: Vec<String>,
    pub(super) project: Option<String>,
    pub(super) reason: String,
    pub(super) minutes: i64,
    /// Open text: one of the routes takes any.
    pub(super) status: String,
    pub(super) approved_by: Option<String>,
    pub(super) approved: Option<Moment>,
    pub(super) expires: Option<Moment>,
    pub(super) requested: Moment,
    pub(super) workspace: Option<String>,
}

/// A link by which whoever has it asks for access.
#[derive(Serialize, Deserialize)]
pub(super) struct JitLink {
    pub(super) token: String,
    pub(super) project: String,
    pub(super) branch: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) secrets: Vec<String>,
    pub(super) minutes: i64,
    pub(super) label: Option<String>,
    pub(super) expires: Moment,
    pub(super) max_uses: i64,
    pub(super) used: i64,
    pub(super) created_by: String,
    pub(super) created: Moment,
}

/// A link that shows one secret.
#[derive(Serialize, Deserialize)]
pub(super) struct Share {
    pub(super) id: String,
    pub(super) token: String,
    pub(super) secret: String,
    pub(super) label: Option<String>,
    pub(super) views: i64,
    pub(super) max_views: Option<i64>,
    pub(super) expires: Moment,
    pub(super) is_revoked: bool,
    pub(super) created_by: String,
}

/// A break-glass session.
#[derive(Serialize, Deserialize)]
pub(super) struct Emergency {
    pub(super) id: String,
    pub(super) user: String,
    pub(super) project: String,
    pub(super) incident: String,
    pub(super) reason: String,
    pub(super) started: Moment,
    pub(super) expires: Moment,
    pub(super) ended: Option<Moment>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Webhook {
    pub(super) id: String,
    pub(super) project: String,
    pub(super) url: String,
    pub(super) events: Vec<String>,
    pub(super) is_active: bool,
    pub(super) created: Moment,
    pub(super) updated: Moment,
}

impl AccessRequest {
    pub(super) fn is_valid(&self, now: Moment) -> bool {
        self.status == APPROVED && self.expires.is_none_or(|expires| expires > now)
    }

    /// The workspace that it belongs to: its own, else that of its project, else that of the project of its first secret.
    pub(super) fn workspace_in<'a>(&'a self, world: &'a World) -> Option<&'a str> {
        let of_secret = || self.secrets.first().and_then(|id| world.secrets.by_id(id)).map(|secret| &secret.project);
        let of_project = || self.project.as_ref().or_else(of_secret).and_then(|id| world.project(id));
        self.workspace.as_deref().or_else(|| of_project().map(|project| project.workspace.as_str()))
    }

    /// Whether lists of a workspace have it: it names the workspace, or its project is there.
    pub(super) fn is_listed_in(&self, world: &World, workspace: &str) -> bool {
        let project = self.project.as_ref().and_then(|id| world.project(id));
        self.workspace.as_deref() == Some(workspace) || project.is_some_and(|project| project.workspace == workspace)
    }

    /// Decides about it: an approval counts from now.
    pub(super) fn decide(&mut self, status: &str, by: &str, now: Moment) {
        if status == APPROVED && self.status == PENDING {
            let length = u64::try_from(self.minutes).unwrap_or_default().saturating_mul(60_000);
            self.expires = Some(Moment(now.0.saturating_add(length)));
        }
        if status != PENDING {
            self.approved_by = Some(by.to_owned());
            self.approved = Some(now);
        }
        status.clone_into(&mut self.status);
    }

    pub(super) fn record(&self) -> Members {
        let time = |moment: Option<Moment>| Json::from(moment.map(Moment::iso));
        let mut record = Members::default();
        record.set("id", &self.id);
        record.set("userId", &self.user);
        record.set("secretIds", self.secrets.clone());
        record.set("projectId", self.project.clone());
        record.set("reason", &self.reason);
        record.set("duration", self.minutes);
        record.set("status", &self.status);
        record.set("approvedBy", self.approved_by.clone());
        record.set("approvedAt", time(self.approved));
        record.set("expiresAt", time(self.expires));
        record.set("requestedAt", self.requested.iso());
        record.set("workspaceId", self.workspace.clone());
        record
    }
}

impl World {
    pub(super) fn request_mut(&mut self, id: &str) -> Option<&mut AccessRequest> {
        self.requests.iter_mut().find(|request| request.id == id)
    }

    /// The approved requests of a user that have not run out, the oldest first.
    pub(super) fn valid_requests<'a>(&'a self, user: &'a str) -> impl Iterator<Item = &'a AccessRequest> {
        let now = self.now();
        self.requests.iter().filter(move |request| request.user == user && request.is_valid(now))
    }

    /// The break-glass session of a user in a project, while it lasts.
    pub(super) fn emergency(&self, user: &str, project: &str) -> Option<&Emergency> {
        let now = self.now();
        let mut own = self.emergencies.iter().filter(|known| known.user == user && known.project == project);
        own.find(|known| known.ended.is_none() && known.expires > now)
    }
}
