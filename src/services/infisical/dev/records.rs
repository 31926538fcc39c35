//! Rows as they are sent.

use super::database::Database;
use super::rows::{Environment, Folder, Import, Project, Secret, Tag};
use crate::dev::Millis;
use crate::dev::javascript::{Json, Members, object};

/// What stands in the place of a value that is not shown.
pub(super) const HIDDEN: &str = "<hidden-by-infisical>";

/// A secret with what is shown of it.
pub(super) struct Shown<'a> {
    pub(super) secret: &'a Secret,
    pub(super) project: &'a str,
    pub(super) environment: &'a str,
    pub(super) value: String,
    pub(super) comment: String,
    pub(super) is_hidden: bool,
}

fn times(record: &mut Members, created: Millis, updated: Millis) {
    record.set("createdAt", created.iso());
    record.set("updatedAt", updated.iso());
}

impl Shown<'_> {
    fn value(&self) -> String {
        if self.is_hidden { HIDDEN.to_owned() } else { self.value.clone() }
    }

    fn head(&self, workspace: &str) -> Members {
        let mut record = Members::default();
        let secret = self.secret;
        record.set("id", &secret.id);
        record.set("_id", &secret.id);
        record.set("workspace", workspace);
        record.set("environment", self.environment);
        record.set("version", i64::from(secret.version));
        record.set("type", if secret.owner.is_some() { "personal" } else { "shared" });
        record.set("secretKey", &secret.key);
        record.set("secretValue", self.value());
        record
    }

    /// The record as an operation answers it.
    pub(super) fn record(&self, database: &Database) -> Members {
        let mut record = self.head(self.project);
        let secret = self.secret;
        record.set("secretComment", &self.comment);
        record.set("secretReminderNote", secret.reminder_note.clone());
        record.set("secretReminderRepeatDays", secret.reminder_days);
        record.set("skipMultilineEncoding", secret.skips_multiline_encoding);
        record.set("metadata", Json::Null);
        times(&mut record, secret.created, secret.updated);
        if database.generation.is_current() {
            record.set("secretValueHidden", self.is_hidden);
            record.set("secretMetadata", secret.metadata.clone());
            record.set("isRotatedSecret", false);
            record.set("rotationId", Json::Null);
            record.set("actor", Json::Null);
        }
        record
    }

    /// The record of a secret that an import brings into a list.
    pub(super) fn imported(&self, database: &Database, with_times: bool) -> Members {
        let generation = database.generation;
        let mut record = self.head(if generation.is_current() { self.project } else { "" });
        if !(generation.is_august() && self.comment.is_empty()) {
            record.set("secretComment", &self.comment);
        }
        record.set("skipMultilineEncoding", self.secret.skips_multiline_encoding);
        record.set("metadata", Json::Null);
        if with_times {
            times(&mut record, self.secret.created, self.secret.updated);
        }
        if generation.is_current() {
            record.set("secretValueHidden", self.is_hidden);
            record.set("secretMetadata", self.secret.metadata.clone());
        }
        record
    }
}

/// The tags of a secret as they stand in its record.
pub(super) fn tags_of(database: &Database, secret: &Secret) -> Json {
    let record = |tag: &Tag| {
        object([
            ("id", (&tag.id).into()),
            ("slug", (&tag.slug).into()),
            ("color", (&tag.color).into()),
            ("name", (&tag.slug).into()),
        ])
    };
    secret.tags.iter().filter_map(|id| database.tag(id)).map(record).collect::<Vec<_>>().into()
}

pub(super) fn tag(database: &Database, tag: &Tag) -> Members {
    let mut record = Members::default();
    record.set("id", &tag.id);
    record.set("slug", &tag.slug);
    record.set("color", &tag.color);
    times(&mut record, tag.created, tag.updated);
    record.set("createdBy", &tag.created_by);
    record.set("projectId", &tag.project);
    record.set("createdByActorType", if database.user(&tag.created_by).is_some() { "user" } else { "identity" });
    if database.generation.is_current() {
        record.set("name", &tag.slug);
    }
    record
}

pub(super) fn environment_name(environment: &Environment) -> Members {
    let mut record = Members::default();
    record.set("name", &environment.name);
    record.set("slug", &environment.slug);
    record.set("id", &environment.id);
    record
}

pub(super) fn folder(folder: &Folder) -> Members {
    let mut record = Members::default();
    record.set("id", &folder.id);
    record.set("name", &folder.name);
    record.set("version", i64::from(folder.version));
    times(&mut record, folder.created, folder.updated);
    record.set("envId", &folder.environment);
    record.set("parentId", folder.parent.clone());
    record.set("isReserved", false);
    if folder.description.is_some() {
        record.set("description", folder.description.clone());
    }
    record
}

/// A folder with its environment, its path and its project.
pub(super) fn whole_folder(database: &Database, found: &Folder) -> Members {
    let mut record = folder(found);
    if let Some(environment) = database.environment_by_id(&found.environment) {
        let members = [
            ("envId", Json::from(&environment.id)),
            ("envName", (&environment.name).into()),
            ("envSlug", (&environment.slug).into()),
        ];
        record.set("environment", object(members));
    }
    record.set("path", database.path_of(found));
    record.set("projectId", database.project_of_environment(&found.environment).map(|project| project.id.clone()));
    record
}

pub(super) fn import(database: &Database, import: &Import) -> Members {
    let mut record = Members::default();
    record.set("id", &import.id);
    record.set("version", 1);
    record.set("importPath", &import.path);
    record.set("position", i64::from(import.position));
    times(&mut record, import.created, import.updated);
    record.set("folderId", &import.folder);
    record.set("isReplication", false);
    record.set("isReplicationSuccess", Json::Null);
    record.set("replicationStatus", Json::Null);
    record.set("lastReplicated", Json::Null);
    record.set("isReserved", false);
    record.set("importEnv", database.environment_by_id(&import.environment).map(environment_name));
    record
}

pub(super) fn project(database: &Database, project: &Project) -> Members {
    let mut record = Members::default();
    record.set("id", &project.id);
    record.set("name", &project.name);
    record.set("slug", &project.slug);
    record.set("autoCapitalization", true);
    record.set("orgId", &database.organization);
    times(&mut record, project.created, project.created);
    record.set("version", i64::from(project.version));
    record.set("upgradeStatus", Json::Null);
    record.set("pitVersionLimit", 10);
    record.set("kmsCertificateKeyId", Json::Null);
    record.set("auditLogsRetentionDays", Json::Null);
    record.set("_id", &project.id);
    if database.generation.is_current() {
        record.set("type", "secret-manager");
        record.set("hasDeleteProtection", false);
    }
    let environments: Vec<Members> = project.environments.iter().map(environment_name).collect();
    record.set("environments", environments);
    record
}
