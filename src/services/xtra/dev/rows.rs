//! The rows of the database, as plain records.

use std::cell::Cell;

use serde::{Deserialize, Serialize};

use super::seed::{Role, Tier};
use crate::dev::Millis;
use crate::dev::javascript::{Json, Members};

#[derive(Serialize, Deserialize)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) email: String,
    pub(super) tier: Tier,
    pub(super) mfa: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Workspace {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) owner: String,
    pub(super) created: Millis,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Team {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created: Millis,
    pub(super) created_by: String,
    pub(super) workspace: String,
    pub(super) members: Vec<(String, Role)>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct TeamProject {
    pub(super) id: String,
    pub(super) team: String,
    pub(super) project: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) owner: String,
    pub(super) workspace: String,
    pub(super) created: Millis,
    pub(super) updated: Millis,
    pub(super) blocked: bool,
    pub(super) two_factor: bool,
    pub(super) allowed_ips: Vec<AllowedIp>,
}

/// An address, a network or a pattern that a project lets in.
#[derive(Serialize, Deserialize)]
pub(super) struct AllowedIp {
    pub(super) ip: String,
    pub(super) description: String,
    pub(super) added: Option<Millis>,
}

impl From<String> for AllowedIp {
    fn from(ip: String) -> Self {
        AllowedIp { ip, description: String::new(), added: None }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Branch {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) created_by: String,
    pub(super) project: String,
    pub(super) version: String,
    pub(super) permissions: Vec<String>,
    pub(super) created: Millis,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) project: String,
    pub(super) permissions: Vec<String>,
    pub(super) created_by: String,
    pub(super) created: Millis,
    pub(super) updated: Millis,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Elevation {
    pub(super) user: String,
    pub(super) project: String,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Holder {
    User(String),
    Account(String),
}

#[derive(Serialize, Deserialize)]
pub(super) struct Token {
    pub(super) id: String,
    pub(super) fingerprint: String,
    pub(super) holder: Holder,
    pub(super) label: String,
    pub(super) mask: String,
    pub(super) created: Millis,
    /// Told by lists of keys, and changed by every request.
    pub(super) last_used: Cell<Option<Millis>>,
    pub(super) expires: Option<Millis>,
    /// A signed token is no key: no list has it.
    pub(super) is_signed: bool,
}

impl Token {
    pub(super) fn is_of(&self, holder: &Holder) -> bool {
        !self.is_signed && self.holder == *holder
    }
}

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
    pub(super) approved: Option<Millis>,
    pub(super) expires: Option<Millis>,
    pub(super) requested: Millis,
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
    pub(super) expires: Millis,
    pub(super) max_uses: i64,
    pub(super) used: i64,
    pub(super) created_by: String,
    pub(super) created: Millis,
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
    pub(super) expires: Millis,
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
    pub(super) started: Millis,
    pub(super) expires: Millis,
    pub(super) ended: Option<Millis>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Webhook {
    pub(super) id: String,
    pub(super) project: String,
    pub(super) url: String,
    pub(super) events: Vec<String>,
    pub(super) is_active: bool,
    pub(super) created: Millis,
    pub(super) updated: Millis,
}

impl AccessRequest {
    pub(super) fn is_valid(&self, now: Millis) -> bool {
        self.status == APPROVED && self.expires.is_none_or(|expires| expires > now)
    }

    /// Decides about it: an approval counts from now.
    pub(super) fn decide(&mut self, status: &str, by: &str, now: Millis) {
        if status == APPROVED && self.status == PENDING {
            let length = u64::try_from(self.minutes).unwrap_or_default().saturating_mul(60_000);
            self.expires = Some(Millis(now.0.saturating_add(length)));
        }
        if status != PENDING {
            self.approved_by = Some(by.to_owned());
            self.approved = Some(now);
        }
        status.clone_into(&mut self.status);
    }

    pub(super) fn record(&self) -> Members {
        let time = |moment: Option<Millis>| Json::from(moment.map(Millis::iso));
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
    pub(super) created: Millis,
    pub(super) workspace: Option<String>,
}

/// A rule or a channel. The service stores them as they are sent.
#[derive(Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) id: String,
    pub(super) workspace: String,
    pub(super) members: Members,
}
