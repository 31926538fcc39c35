//! Database records as they are sent: whole, in the order of the schema, with null for what is not set.

use crate::dev_server::js::{Json, Members, object};
use crate::dev_server::state::{Branch, BranchLink, Project, Secret, Team, World};

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
    record.set("ipRestrictions", project.allowed_ips.iter().map(|ip| allowed_ip(ip)).collect::<Vec<_>>());
    record.set("auditLogging", false);
    record.set("lastSecurityAudit", Json::Null);
    record
}

fn allowed_ip(ip: &str) -> Json {
    object([("ip", ip.into()), ("description", "".into())])
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
pub(super) fn branch_in_project(world: &World, found: &Branch) -> Members {
    let mut record = branch(found);
    record.set("project", world.project(&found.project).map(project));
    record
}

/// The branches of a project.
pub(super) fn branches(world: &World, project: &str) -> Json {
    let found = world.branches.iter().filter(|branch| branch.project == project);
    found.map(branch).collect::<Vec<_>>().into()
}

/// What a project tells of its secrets: no values.
pub(super) fn secret_metas(world: &World, project: &str) -> Json {
    let found = world.secrets.iter().filter(|secret| secret.project == project);
    let meta = |secret: &Secret| {
        object([
            ("id", Json::from(&secret.id)),
            ("key", Json::from(&secret.key)),
            ("description", Json::from(&secret.description)),
            ("environmentType", Json::from(&secret.environment)),
            ("type", secret.kind.into()),
            ("lastUpdated", secret.updated.iso().into()),
            ("expiryDate", Json::Null),
            ("rotationPolicy", "manual".into()),
        ])
    };
    found.map(meta).collect::<Vec<_>>().into()
}

/// The teams of a project.
pub(super) fn team_projects(world: &World, project: &str) -> Json {
    let links = world.teams_of(project).map(|(link, team)| {
        object([
            ("id", Json::from(&link.id)),
            ("teamId", Json::from(&link.team)),
            ("projectId", Json::from(&link.project)),
            ("team", team_record(team)),
        ])
    });
    links.collect::<Vec<_>>().into()
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

/// A secret with its value and history as the list of branches shows them.
pub(super) fn secret(world: &World, secret: &Secret, redacted: bool) -> Json {
    let (value, history) = if redacted {
        ("[REDACTED]".to_owned(), Vec::new())
    } else {
        (decrypted(world, secret), history(world, secret))
    };
    let branch = match &secret.branch {
        BranchLink::Branch(id) => Json::from(id),
        BranchLink::Null | BranchLink::Unset => Json::Null,
    };
    object([
        ("id", Json::from(&secret.id)),
        ("key", Json::from(&secret.key)),
        ("value", value.into()),
        ("description", Json::from(&secret.description)),
        ("environmentType", Json::from(&secret.environment)),
        ("version", Json::from(&secret.version)),
        ("projectId", Json::from(&secret.project)),
        ("branchId", branch),
        ("type", secret.kind.into()),
        ("history", history.into()),
        ("lastUpdated", secret.updated.iso().into()),
        ("updatedBy", Json::from(&secret.updated_by)),
        ("permission", Json::List(Vec::new())),
        ("expiryDate", Json::Null),
        ("rotationPolicy", "manual".into()),
        ("isReference", secret.is_linked().into()),
        ("sourceSecretId", Json::from(secret.source.clone())),
        ("shadowValue", Json::List(Vec::new())),
    ])
}

/// Here a value that does not open is a word, not the ciphertext.
fn decrypted(world: &World, secret: &Secret) -> String {
    let opened = secret.stored.as_ref().and_then(|stored| world.vault.open(stored));
    opened.unwrap_or_else(|| "[Decryption failed]".to_owned())
}

fn history(world: &World, secret: &Secret) -> Vec<Json> {
    let entry = |entry: &crate::dev_server::state::Entry| {
        object([
            ("version", Json::from(&entry.version)),
            ("value", world.vault.read(&entry.stored).into()),
            ("updatedAt", entry.updated.iso().into()),
            ("updatedBy", Json::from(&entry.updated_by)),
            ("description", entry.description.into()),
        ])
    };
    secret.history.iter().map(entry).collect()
}
