//! The reads of secrets: a list of a folder, and one by its name, whatever the version of the interface.

use super::access::Actor;
use super::asked::Answer;
use super::database::{Database, HalfExpansion, Location};
use super::expansion::{Expansion, Value};
use super::fields::is_folder_path;
use super::generation::Generation;
use super::imported::{Block, blocks};
use super::records::{Shown, tags_of};
use super::refusal::{Refusal, SecretStep};
use super::rows::{Folder, Secret};
use super::seed::Action;
use crate::dev::Reply;
use crate::dev::javascript::{Json, Members, object};

/// Which of the personal rows a list has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Personal {
    /// Beside the shared ones.
    Beside,
    /// In the place of the shared ones.
    Instead,
    /// None.
    None,
}

/// The switches of a read.
#[derive(Clone, Copy)]
pub(super) struct Switches {
    pub(super) views: bool,
    pub(super) expands: bool,
    pub(super) is_recursive: bool,
    pub(super) imports: bool,
    pub(super) personal: Personal,
}

/// A list of secrets as it is asked for.
pub(super) struct ListRequest {
    pub(super) project: String,
    pub(super) environment: String,
    pub(super) path: String,
    pub(super) switches: Switches,
    /// The slugs of tags, one of which a secret has; nothing for all.
    pub(super) tags: Vec<String>,
    /// Pairs of a key and a value that the metadata of a secret has.
    pub(super) metadata: Vec<(String, String)>,
}

/// One secret as it is asked for.
pub(super) struct GetRequest {
    pub(super) project: String,
    pub(super) environment: String,
    pub(super) path: String,
    pub(super) name: String,
    pub(super) is_personal: bool,
    pub(super) version: Option<u32>,
    pub(super) switches: Switches,
}

impl Database {
    /// The refusal of a project that does not exist, or whose values the server cannot open.
    pub(super) fn check_project(&self, id: &str) -> Result<(), Refusal> {
        let project = self.project(id).ok_or_else(|| Refusal::unknown_project(self.generation, id))?;
        if project.version < 2 {
            return Err(Refusal::legacy_project(id));
        }
        Ok(())
    }

    /// The refusal of a path that the database does not look for.
    pub(super) fn check_path(&self, path: &str) -> Result<(), Refusal> {
        if is_folder_path(path) { Ok(()) } else { Err(Refusal::failed_step("Find by secret path")) }
    }

    /// The refusal of an actor that may not read a folder's secrets, or not their values.
    fn check_read(&self, actor: &Actor, at: Location, views: bool) -> Result<(), Refusal> {
        if !self.generation.is_current() {
            return self.check(actor, Action::Read, at);
        }
        self.check_member(actor, at.project)?;
        let sees = self.may(actor, Action::Describe, at) || self.may(actor, Action::Read, at);
        if !sees {
            return Err(Refusal::no_permission(self.generation, "describeSecret", "secrets"));
        }
        if views && !self.may(actor, Action::Read, at) {
            return Err(Refusal::no_permission(self.generation, "readValue", "secrets"));
        }
        Ok(())
    }

    /// Answers a list.
    pub(super) fn list(&self, actor: &Actor, request: &ListRequest) -> Answer {
        let ListRequest { project, environment, path, switches, .. } = request;
        let location = Location { project, environment, path };
        self.check_project(project)?;
        self.check_read(actor, location, switches.views)?;
        self.check_path(path)?;
        let folders = match self.listed_folders(actor, location, switches.is_recursive)? {
            Some(folders) => folders,
            // A folder that is missing answers imports although nobody asked for them.
            None => {
                return Ok(Reply::ok(&object([
                    ("secrets", Json::List(Vec::new())),
                    ("imports", Json::List(Vec::new())),
                ])));
            }
        };
        let mut rows: Vec<(&Folder, &Secret)> = Vec::new();
        for folder in &folders {
            let here = self.secrets_in(&folder.id, actor.user());
            rows.extend(here.into_iter().filter(|secret| request.has(self, secret)).map(|secret| (*folder, secret)));
        }
        keep_personal(&mut rows, switches.personal);
        rows.sort_by(|one, other| one.1.id.cmp(&other.1.id));
        let mut answer = Members::default();
        answer.set("secrets", self.listed(actor, request, &rows)?);
        if switches.imports {
            let imports = match &folders[..] {
                [folder] if !switches.is_recursive || self.generation.is_current() => {
                    self.import_blocks(actor, request, folder)?
                }
                _ => Vec::new(),
            };
            answer.set("imports", imports);
        }
        Ok(Reply::ok(&answer.into()))
    }

    /// The folders of a list; nothing when there is no such folder and that is no refusal.
    fn listed_folders(&self, actor: &Actor, at: Location, is_recursive: bool) -> Result<Option<Vec<&Folder>>, Refusal> {
        let Some(environment) = self.environment(at.project, at.environment).filter(|_| is_recursive) else {
            if is_recursive {
                return Err(self.missing_environment(at));
            }
            let found = self.folder(at);
            if found.is_none() && self.generation.is_current() {
                let message =
                    format!("Folder with path '{}' in environment with slug '{}' not found", at.path, at.environment);
                return Err(Refusal::new(404, "SecretPathNotFound", message));
            }
            return Ok(found.map(|folder| vec![folder]));
        };
        let below = format!("{}/", at.path.trim_end_matches('/'));
        let found = self.folders.iter().filter(|folder| folder.environment == environment.id).filter(|folder| {
            let path = self.path_of(folder);
            // The servers of 2024 compare the beginning of the text alone.
            let is_below = if self.generation.is_current() {
                path == at.path || path.starts_with(&below)
            } else {
                path.starts_with(at.path)
            };
            is_below && self.may(actor, Action::Read, Location { path: &path, ..at })
        });
        Ok(Some(found.collect()))
    }

    fn missing_environment(&self, at: Location) -> Refusal {
        let Location { project, environment, .. } = at;
        if self.generation.is_august() {
            let message = format!("'{environment}' environment not found in project with ID {project}");
            return Refusal::new(500, "Internal Server Error", message);
        }
        Refusal::not_found(format!("Environment with slug '{environment}' in project with ID {project} not found"))
    }

    /// The rows of a list as they are answered.
    fn listed(
        &self,
        actor: &Actor,
        request: &ListRequest,
        rows: &[(&Folder, &Secret)],
    ) -> Result<Vec<Members>, Refusal> {
        let expansion = Expansion { database: self, actor, project: &request.project, first: None };
        let expands = request.switches.expands && request.switches.views;
        let together = (expands && self.generation.is_august()).then(|| expansion.expanded_folder(&raw(rows)));
        let mut listed = Vec::new();
        for (folder, secret) in rows {
            let path = self.path_of(folder);
            let value = match &together {
                Some(values) => values.get(&secret.key).cloned().unwrap_or_else(|| secret.value.clone()),
                None if expands => self.expanded_row(&expansion, &request.environment, &path, secret)?,
                None => secret.value.clone(),
            };
            let shown = Shown {
                secret,
                project: &request.project,
                environment: &request.environment,
                value,
                comment: secret.comment.clone(),
                is_hidden: !request.switches.views,
            };
            let mut record = shown.record(self);
            record.set("secretPath", path);
            record.set("tags", self.listed_tags(request, secret));
            listed.push(record);
        }
        Ok(listed)
    }

    /// A row's value expanded. Where that fails, the servers of 2024 answer the value as it is.
    fn expanded_row(
        &self,
        expansion: &Expansion,
        environment: &str,
        path: &str,
        secret: &Secret,
    ) -> Result<String, Refusal> {
        let value = Value {
            text: &secret.value,
            environment,
            path,
            skips_multiline_encoding: secret.skips_multiline_encoding == Some(true),
        };
        match expansion.expanded(&value, self.is_half_expanded(&secret.key)) {
            Ok(value) => Ok(value),
            Err(unexpanded) if self.generation.is_current() => Err(unexpanded.refusal(self.generation)),
            Err(_) => Ok(secret.value.clone()),
        }
    }

    fn is_half_expanded(&self, key: &str) -> bool {
        match &self.half_expansion {
            HalfExpansion::Never => false,
            HalfExpansion::Random => fastrand::u8(..5) == 0,
            HalfExpansion::Of(keys) => keys.contains(key),
        }
    }

    /// The tags of a row. The server of October 2024 leaves out those that were not looked for.
    fn listed_tags(&self, request: &ListRequest, secret: &Secret) -> Json {
        let Json::List(tags) = tags_of(self, secret) else {
            return Json::Null;
        };
        let is_looked_for = |tag: &Json| {
            let slug = tag.get("slug").and_then(Json::text).unwrap_or_default();
            request.tags.is_empty() || request.tags.iter().any(|wanted| wanted == slug)
        };
        let all = self.generation != Generation::October2024;
        Json::List(tags.into_iter().filter(|tag| all || is_looked_for(tag)).collect())
    }

    fn import_blocks(&self, actor: &Actor, request: &ListRequest, folder: &Folder) -> Result<Vec<Members>, Refusal> {
        let first = self.generation.is_current().then_some((request.environment.as_str(), request.path.as_str()));
        let expansion = Expansion { database: self, actor, project: &request.project, first };
        // The servers of 2024 always expand what is imported.
        let expands = request.switches.views && (request.switches.expands || !self.generation.is_current());
        let found = blocks(self, actor, &request.project, &folder.id)?;
        Ok(found.iter().map(|block| self.import_block(request, block, expands.then_some(&expansion), false)).collect())
    }

    /// An import as it is answered.
    pub(super) fn import_block(
        &self,
        request: &ListRequest,
        block: &Block,
        expansion: Option<&Expansion>,
        is_whole: bool,
    ) -> Members {
        let mut answer = Members::default();
        answer.set("secretPath", block.path);
        answer.set("environment", block.environment);
        if is_whole && let Some(environment) = self.environment(&request.project, block.environment) {
            answer.set("environmentInfo", super::records::environment_name(environment));
        }
        if let Some(folder) = block.folder {
            answer.set("folderId", folder);
        }
        let record = |row: &super::imported::Row| {
            let value = expansion.map_or_else(|| row.secret.value.clone(), |expansion| row.expanded(expansion));
            let shown = Shown {
                secret: row.secret,
                project: &request.project,
                environment: row.environment,
                value,
                comment: row.secret.comment.clone(),
                is_hidden: !request.switches.views,
            };
            shown.imported(self, is_whole)
        };
        answer.set("secrets", block.rows.iter().map(record).collect::<Vec<_>>());
        answer
    }

    /// Answers one secret.
    pub(super) fn get(&self, actor: &Actor, request: &GetRequest) -> Answer {
        let GetRequest { project, environment, path, name, switches, .. } = request;
        let location = Location { project, environment, path };
        self.check_project(project)?;
        self.check_read(actor, location, switches.views)?;
        self.check_path(path)?;
        let folder = self
            .folder(location)
            .ok_or_else(|| Refusal::missing_folder(self.generation, SecretStep::Get, environment, path))?;
        if let Some(secret) = self.own_secret(actor, request, &folder.id) {
            return self.own_answer(actor, request, secret);
        }
        if switches.imports {
            let blocks = blocks(self, actor, project, &folder.id)?;
            for block in blocks.iter().rev() {
                if let Some(row) = block.rows.iter().find(|row| row.secret.key == *name) {
                    return self.imported_answer(actor, request, block, row);
                }
            }
        }
        Err(Refusal::missing_secret(self.generation, name))
    }

    fn own_secret(&self, actor: &Actor, request: &GetRequest, folder: &str) -> Option<&Secret> {
        let forced_to_shared = match actor {
            Actor::User(_) => false,
            Actor::Service(_) => true,
            Actor::Identity(_) => self.generation.is_current(),
        };
        if !request.is_personal || forced_to_shared {
            return self.shared_secret(folder, &request.name);
        }
        let user = actor.user()?;
        let mut here = self.secrets.iter().filter(|secret| secret.folder == folder && secret.key == request.name);
        here.find(|secret| secret.owner.as_deref() == Some(user))
    }

    fn own_answer(&self, actor: &Actor, request: &GetRequest, secret: &Secret) -> Answer {
        let mut secret = secret.clone();
        // The servers of 2024 read the version and do not look at it.
        if let Some(version) =
            request.version.filter(|version| *version != secret.version && self.generation.is_current())
        {
            let earlier = secret.history.iter().find(|(known, _)| *known == version).cloned();
            let (version, value) = earlier.ok_or_else(|| Refusal::missing_secret(self.generation, &request.name))?;
            (secret.version, secret.value) = (version, value);
        }
        let value = self.one_value(actor, request, &secret, (&request.environment, &request.path), None)?;
        let mut record = self.answered(request, &secret, &request.environment, value);
        record.set("tags", tags_of(self, &secret));
        if self.generation.is_current() {
            record.set("secretPath", &request.path);
        }
        Ok(Reply::ok(&object([("secret", record.into())])))
    }

    fn imported_answer(
        &self,
        actor: &Actor,
        request: &GetRequest,
        block: &Block,
        row: &super::imported::Row,
    ) -> Answer {
        let own = self.generation.is_current().then_some((request.environment.as_str(), request.path.as_str()));
        let mut secret = row.secret.clone();
        let value = if self.generation.is_august() {
            secret.comment.clear();
            String::new()
        } else {
            self.one_value(actor, request, &secret, (row.environment, row.path), own)?
        };
        let mut record = self.answered(request, &secret, block.environment, value);
        if self.generation.is_current() {
            record.set("secretPath", block.path);
        }
        Ok(Reply::ok(&object([("secret", record.into())])))
    }

    fn answered(&self, request: &GetRequest, secret: &Secret, environment: &str, value: String) -> Members {
        let shown = Shown {
            secret,
            project: &request.project,
            environment,
            value,
            comment: secret.comment.clone(),
            is_hidden: !request.switches.views,
        };
        shown.record(self)
    }

    /// The value of one secret, expanded where that was asked for; a reference that cannot be followed is a refusal.
    fn one_value(
        &self,
        actor: &Actor,
        request: &GetRequest,
        secret: &Secret,
        (environment, path): (&str, &str),
        first: Option<(&str, &str)>,
    ) -> Result<String, Refusal> {
        if !(request.switches.expands && request.switches.views) {
            return Ok(secret.value.clone());
        }
        let expansion = Expansion { database: self, actor, project: &request.project, first };
        let value = Value {
            text: &secret.value,
            environment,
            path,
            skips_multiline_encoding: secret.skips_multiline_encoding == Some(true),
        };
        expansion.expanded(&value, false).map_err(|unexpanded| unexpanded.refusal(self.generation))
    }
}

impl ListRequest {
    /// Has a secret one of the tags and all of the metadata that were asked for?
    fn has(&self, database: &Database, secret: &Secret) -> bool {
        let slugs = || secret.tags.iter().filter_map(|id| database.tag(id)).map(|tag| &tag.slug);
        let has_tag = self.tags.is_empty() || slugs().any(|slug| self.tags.contains(slug));
        let has_pair = |(key, value): &(String, String)| {
            secret.metadata.iter().any(|entry| {
                entry.get("key").and_then(Json::text) == Some(key)
                    && entry.get("value").and_then(Json::text) == Some(value)
            })
        };
        has_tag && self.metadata.iter().all(has_pair)
    }
}

/// The values of rows as they are stored.
fn raw(rows: &[(&Folder, &Secret)]) -> Vec<(String, String, bool)> {
    let parts =
        |secret: &Secret| (secret.key.clone(), secret.value.clone(), secret.skips_multiline_encoding == Some(true));
    rows.iter().map(|(_, secret)| parts(secret)).collect()
}

fn keep_personal(rows: &mut Vec<(&Folder, &Secret)>, personal: Personal) {
    match personal {
        Personal::Beside => {}
        Personal::None => rows.retain(|(_, secret)| secret.owner.is_none()),
        Personal::Instead => {
            let own: Vec<(String, String)> = rows
                .iter()
                .filter(|(_, secret)| secret.owner.is_some())
                .map(|(folder, secret)| (folder.id.clone(), secret.key.clone()))
                .collect();
            rows.retain(|(folder, secret)| {
                secret.owner.is_some() || !own.iter().any(|(at, key)| *at == folder.id && *key == secret.key)
            });
        }
    }
}
