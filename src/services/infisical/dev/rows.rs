//! The rows of the database. None has a `Debug`: they carry secrets.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::seed::{LoginMethod, Role};
use crate::dev::Millis;
use crate::dev::javascript::Json;

#[derive(Serialize, Deserialize)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) created: Millis,
    pub(super) environments: Vec<Environment>,
    /// The ids of identities and users, with their roles.
    pub(super) members: Vec<(String, Role)>,
    pub(super) policies: Vec<Policy>,
}

/// A rule that changes need an approval.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Policy {
    pub(super) id: String,
    pub(super) environment: String,
    pub(super) path: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Environment {
    pub(super) id: String,
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) created: Millis,
    pub(super) updated: Millis,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Folder {
    pub(super) id: String,
    /// The id of its environment.
    pub(super) environment: String,
    /// Nothing for the root.
    pub(super) parent: Option<String>,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) version: u32,
    pub(super) created: Millis,
    pub(super) updated: Millis,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Secret {
    pub(super) id: String,
    /// The id of its folder.
    pub(super) folder: String,
    pub(super) key: String,
    pub(super) value: String,
    pub(super) comment: String,
    pub(super) version: u32,
    /// The user whose own it is.
    pub(super) owner: Option<String>,
    /// The ids of its tags.
    pub(super) tags: Vec<String>,
    pub(super) skips_multiline_encoding: Option<bool>,
    pub(super) reminder_note: Option<String>,
    pub(super) reminder_days: Option<i64>,
    pub(super) metadata: Vec<Json>,
    pub(super) created: Millis,
    pub(super) updated: Millis,
    /// The values of earlier versions, each with its version.
    pub(super) history: Vec<(u32, String)>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Import {
    pub(super) id: String,
    /// The id of the folder that imports.
    pub(super) folder: String,
    /// The id of the environment of the source.
    pub(super) environment: String,
    pub(super) path: String,
    pub(super) position: u32,
    pub(super) created: Millis,
    pub(super) updated: Millis,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Tag {
    pub(super) id: String,
    pub(super) project: String,
    pub(super) slug: String,
    pub(super) color: String,
    pub(super) created_by: String,
    pub(super) created: Millis,
    pub(super) updated: Millis,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) client_id: String,
    pub(super) secrets: Vec<ClientSecret>,
    pub(super) ttl: Duration,
    pub(super) max_ttl: Duration,
    pub(super) uses: u64,
    pub(super) addresses: Vec<String>,
    pub(super) logins: Vec<(LoginMethod, String)>,
    pub(super) lockout: Lockout,
}

/// The failed logins of an identity in a row.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Lockout {
    pub(super) failures: u32,
    pub(super) last: Option<Millis>,
    pub(super) until: Option<Millis>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ClientSecret {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) limit: u64,
    pub(super) uses: u64,
    pub(super) ttl: Duration,
    pub(super) created: Millis,
    pub(super) is_revoked: bool,
}

/// An access token of an identity.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Token {
    pub(super) id: String,
    pub(super) identity: String,
    pub(super) name: Option<String>,
    pub(super) client_secret: Option<String>,
    pub(super) ttl: Duration,
    pub(super) max_ttl: Duration,
    pub(super) limit: u64,
    pub(super) uses: u64,
    pub(super) created: Millis,
    pub(super) renewed: Option<Millis>,
    pub(super) used: Option<Millis>,
    pub(super) is_revoked: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created: Millis,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ServiceToken {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) secret: String,
    pub(super) project: String,
    /// Environments and paths.
    pub(super) scopes: Vec<(String, String)>,
    pub(super) writes: bool,
    pub(super) expires: Option<Millis>,
    pub(super) created: Millis,
    pub(super) used: Option<Millis>,
}

/// A change that waits for an approval.
#[derive(Serialize, Deserialize)]
pub(super) struct Approval {
    pub(super) id: String,
    pub(super) project: String,
    pub(super) policy: Policy,
    pub(super) slug: String,
    pub(super) folder: String,
    pub(super) committer: String,
    pub(super) operation: String,
    pub(super) created: Millis,
}

/// A key of the key service.
#[derive(Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) project: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) is_disabled: bool,
    pub(super) algorithm: String,
    /// In base64.
    pub(super) material: String,
    pub(super) created: Millis,
    pub(super) updated: Millis,
}

/// A secret that is made on demand.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct DynamicSecret {
    pub(super) id: String,
    pub(super) project: String,
    pub(super) folder: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) inputs: Json,
    pub(super) default_ttl: String,
    pub(super) max_ttl: Option<String>,
    pub(super) version: u32,
    pub(super) created: Millis,
    pub(super) updated: Millis,
}

/// A lease of a dynamic secret.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Lease {
    pub(super) id: String,
    pub(super) dynamic_secret: String,
    pub(super) external_id: String,
    pub(super) expires: Millis,
    pub(super) created: Millis,
    pub(super) updated: Millis,
}
