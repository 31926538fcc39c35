//! Database records as they are sent: whole, in the order of the schema, with null for what is not set.

use crate::dev::Millis;
use crate::dev::javascript::{Json, Members, object};
use crate::services::xtra::dev::database::Database;
use crate::services::xtra::dev::rows::{AllowedIp, Branch, Project, Team, TeamProject};
use crate::services::xtra::dev::secret::{Entry, Secret};

pub(super) fn project(project: &Project) -> Members {
    let mut record = Members::default();
    record.set("id", &project.id);
    record.set("name", &project.name);
    record.set("description", &project.description);
    record.set("status", "active");
    record.set("userId", &project.owner);
    record.set("workspaceId", &project.workspace);
    record.set("createdAt", project.created.iso());
    record.set("updatedAt", project.updated.iso());
    record.set("accessControl", "private");
    record.set("securityLevel", "low");
    record.set("isBlocked", project.blocked);
    record.set("twoFactorRequired", project.two_factor);
    record.set("passwordMinLength", 8);
    record.set("passwordRequireSpecialChars", false);
    record.set("passwordRequireNumbers", false);
    record.set("passwordExpiryDays", 90);
    record.set("ipRestrictions", allowed_ips(project));
    record.set("auditLogging", false);
    record.set("lastSecurityAudit", Json::Null);
    record
}

/// The addresses that a project lets in.
pub(super) fn allowed_ips(project: &Project) -> Json {
    let record = |allowed: &AllowedIp| {
        let mut record = Members::default();
        record.set("ip", &allowed.ip);
        record.set("description", &allowed.description);
        if let Some(added) = allowed.added {
            record.set("addedAt", added.iso());
        }
        record
    };
    project.allowed_ips.iter().map(record).collect::<Vec<_>>().into()
}

pub(super) fn branch(branch: &Branch) -> Members {
    let mut record = Members::default();
    record.set("id", &branch.id);
    record.set("name", &branch.name);
    record.set("description", &branch.description);
    record.set("createdBy", &branch.created_by);
    record.set("projectId", &branch.project);
    record.set("versionNo", &branch.version);
    record.set("permissions", branch.permissions.clone());
    record.set("createdAt", branch.created.iso());
    record
}

/// A branch with its project.
pub(super) fn branch_in_project(database: &Database, found: &Branch) -> Members {
    let mut record = branch(found);
    record.set("project", database.project(&found.project).map(project));
    record
}

/// The branches of a project.
pub(super) fn branches(database: &Database, project: &str) -> Json {
    let found = database.branches.iter().filter(|branch| branch.project == project);
    found.map(branch).collect::<Vec<_>>().into()
}

/// The secrets of a project as it lists them: without values.
pub(super) fn secret_metas(database: &Database, project: &str) -> Json {
    let found = database.secrets.iter().filter(|secret| secret.project == project);
    let meta = |secret: &Secret| {
        object([
            ("id", Json::from(&secret.id)),
            ("key", Json::from(&secret.key)),
            ("description", Json::from(&secret.description)),
            ("environmentType", Json::from(&secret.environment)),
            ("type", Json::from(&secret.kind)),
            ("lastUpdated", secret.updated.iso().into()),
            ("expiryDate", secret.expires.map(Millis::iso).into()),
            ("rotationPolicy", Json::from(&secret.rotation_policy)),
        ])
    };
    found.map(meta).collect::<Vec<_>>().into()
}

/// The teams of a project.
pub(super) fn team_projects(database: &Database, project: &str) -> Json {
    let links = database.teams_of(project).map(|(link, team)| team_project(link, team));
    links.collect::<Vec<_>>().into()
}

pub(super) fn team_project(link: &TeamProject, team: &Team) -> Json {
    object([
        ("id", Json::from(&link.id)),
        ("teamId", Json::from(&link.team)),
        ("projectId", Json::from(&link.project)),
        ("team", team_record(team)),
    ])
}

fn team_record(team: &Team) -> Json {
    object([
        ("id", Json::from(&team.id)),
        ("name", Json::from(&team.name)),
        ("description", format!("{} team", team.name).into()),
        ("createdAt", team.created.iso().into()),
        ("teamColor", "blue".into()),
        ("roles", Json::List(Vec::new())),
        ("createdBy", Json::from(&team.created_by)),
        ("workspaceId", Json::from(&team.workspace)),
    ])
}

/// A secret with its value and history as the lists of the dashboard show them.
pub(super) fn secret(database: &Database, secret: &Secret, redacted: bool) -> Members {
    if redacted {
        return row(secret, "[REDACTED]".into(), Vec::new());
    }
    // Here a value that does not open is a word, not the ciphertext.
    let opened = secret.stored.as_ref().and_then(|stored| database.vault.open(stored));
    let value = opened.unwrap_or_else(|| "[Decryption failed]".to_owned());
    let history = secret.history.iter().map(|entry| step(entry, database.vault.read(&entry.stored).into()));
    row(secret, value.into(), history.collect())
}

/// A secret as it lies in the database.
pub(super) fn raw_secret(secret: &Secret) -> Members {
    raw_with_value(secret, Json::List(secret.stored.iter().map(Json::from).collect()))
}

/// A secret as it lies in the database, but with another value: some answers show the one that was just sent.
pub(super) fn raw_with_value(secret: &Secret, value: Json) -> Members {
    let history = secret.history.iter().map(|entry| step(entry, Json::List(vec![Json::from(&entry.stored)])));
    row(secret, value, history.collect())
}

fn row(secret: &Secret, value: Json, history: Vec<Json>) -> Members {
    let mut record = Members::default();
    record.set("id", &secret.id);
    record.set("key", &secret.key);
    record.set("value", value);
    record.set("description", &secret.description);
    record.set("environmentType", &secret.environment);
    record.set("version", &secret.version);
    record.set("projectId", &secret.project);
    record.set("branchId", secret.branch.json());
    record.set("type", &secret.kind);
    record.set("history", history);
    record.set("lastUpdated", secret.updated.iso());
    record.set("updatedBy", &secret.updated_by);
    record.set("permission", secret.permission.clone());
    record.set("expiryDate", secret.expires.map(Millis::iso));
    record.set("rotationPolicy", &secret.rotation_policy);
    record.set("isReference", secret.is_linked());
    record.set("sourceSecretId", secret.source.clone());
    record.set("shadowValue", Json::List(Vec::new()));
    record
}

fn step(entry: &Entry, value: Json) -> Json {
    let mut step = Members::default();
    step.set("version", &entry.version);
    step.set("value", value);
    for (name, note) in entry.notes.iter() {
        step.set(name, note.clone());
    }
    step.into()
}
