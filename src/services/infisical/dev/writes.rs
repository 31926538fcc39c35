//! The writes of secrets, whatever the version of the interface: one at a time, many at once, and from folder to folder.

use super::access::Actor;
use super::asked::{Answer, Asked};
use super::database::{Database, Location, new_id};
use super::fields::{Fields, is_uuid, stored_value, trimmed};
use super::generation::Generation;
use super::records::Shown;
use super::refusal::{Refusal, SecretStep};
use super::rows::{Approval, Secret};
use super::seed::Action;
use crate::dev::Reply;
use crate::dev::javascript::{Json, Members, object};

/// A project, an environment and a folder, owned.
#[derive(Clone, Default)]
pub(super) struct Place {
    pub(super) project: String,
    pub(super) environment: String,
    pub(super) path: String,
}

impl Place {
    pub(super) fn location(&self) -> Location<'_> {
        Location { project: &self.project, environment: &self.environment, path: &self.path }
    }
}

/// What a write says of a secret; what is left out stays as it is.
#[derive(Default)]
pub(super) struct Change {
    pub(super) key: String,
    pub(super) new_key: Option<String>,
    pub(super) value: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) skips_multiline_encoding: Option<Option<bool>>,
    pub(super) reminder_note: Option<Option<String>>,
    pub(super) reminder_days: Option<Option<i64>>,
    pub(super) metadata: Option<Vec<Json>>,
    pub(super) is_personal: bool,
}

/// The two kinds of writes that carry values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Create,
    Update,
}

impl Change {
    /// Reads the members of a write. A creation needs a value, and so does an update of a server of 2024.
    pub(super) fn read(fields: &mut Fields, kind: Kind, generation: Generation) -> Self {
        let needs_value = kind == Kind::Create || !generation.is_current();
        let value = if needs_value { Some(fields.text("secretValue")) } else { fields.optional_text("secretValue") };
        let new_key = fields.optional_text("newSecretName").filter(|_| kind == Kind::Update);
        fields.not_empty("newSecretName", new_key.as_deref());
        let skips = if kind == Kind::Update && !generation.is_current() {
            fields.boolean("skipMultilineEncoding").map(Some)
        } else {
            fields.nullable_boolean("skipMultilineEncoding")
        };
        let metadata = match fields.any("secretMetadata") {
            Some(Json::List(entries)) if generation.is_current() => Some(entries),
            _ => None,
        };
        Change {
            key: String::new(),
            new_key,
            value: value.map(|value| stored_value(&value)),
            comment: fields.optional_text("secretComment").map(|comment| trimmed(&comment).to_owned()),
            tags: fields.texts("tagIds"),
            skips_multiline_encoding: skips,
            reminder_note: fields.nullable_text("secretReminderNote"),
            reminder_days: fields.nullable_number("secretReminderRepeatDays"),
            metadata,
            is_personal: fields.one_of("type", &["shared", "personal"]).is_some_and(|kind| kind == "personal"),
        }
    }

    fn apply(&self, secret: &mut Secret) {
        if let Some(value) = &self.value {
            secret.value.clone_from(value);
        }
        if let Some(comment) = &self.comment {
            secret.comment.clone_from(comment);
        }
        if let Some(tags) = &self.tags {
            secret.tags.clone_from(tags);
        }
        if let Some(skips) = self.skips_multiline_encoding {
            secret.skips_multiline_encoding = skips;
        }
        if let Some(note) = &self.reminder_note {
            secret.reminder_note.clone_from(note);
        }
        if let Some(days) = self.reminder_days {
            secret.reminder_days = days;
        }
        if let Some(metadata) = &self.metadata {
            secret.metadata.clone_from(metadata);
        }
    }
}

/// The answer of a write: rows, or a request for an approval.
pub(super) enum Written {
    Rows(Vec<Members>),
    Approval(Members),
}

impl Written {
    /// The answer of a write of one secret.
    pub(super) fn one(self) -> Answer {
        Ok(Reply::ok(&match self {
            Written::Rows(rows) => object([("secret", rows.into_iter().next().map(Json::from).into())]),
            Written::Approval(approval) => object([("approval", approval.into())]),
        }))
    }

    /// The answer of a write of many.
    pub(super) fn many(self) -> Answer {
        Ok(Reply::ok(&match self {
            Written::Rows(rows) => object([("secrets", rows.into())]),
            Written::Approval(approval) => object([("approval", approval.into())]),
        }))
    }
}

impl Database {
    /// The folder that an actor may write to.
    fn written_folder(
        &self,
        asked: &Asked,
        place: &Place,
        action: Action,
        step: SecretStep,
    ) -> Result<String, Refusal> {
        self.check_project(&place.project)?;
        self.check(asked.actor()?, action, place.location())?;
        self.check_path(&place.path)?;
        let folder = self.folder(place.location()).map(|folder| folder.id.clone());
        folder.ok_or_else(|| Refusal::missing_folder(self.generation, step, &place.environment, &place.path))
    }

    fn check_tags(&self, tags: Option<&[String]>) -> Result<(), Refusal> {
        for id in tags.unwrap_or_default() {
            if !is_uuid(id) {
                return Err(Refusal::failed_step("Find one"));
            }
            if self.tag(id).is_none() {
                return Err(Refusal::missing_tags(self.generation));
            }
        }
        Ok(())
    }

    /// Keeps a change back where a rule of the folder asks for an approval. The servers of 2024 let machines pass.
    fn held_back(
        &mut self,
        asked: &Asked,
        place: &Place,
        folder: &str,
        operation: &str,
    ) -> Result<Option<Written>, Refusal> {
        let actor = asked.actor()?.clone();
        if !self.generation.is_current() && !matches!(actor, Actor::User(_)) {
            return Ok(None);
        }
        let policies = self.project(&place.project).map(|project| &project.policies[..]).unwrap_or_default();
        let applies = |policy: &&super::rows::Policy| {
            policy.environment == place.environment && super::patterns::matches_path(&policy.path, &place.path)
        };
        let Some(policy) = policies.iter().find(applies).cloned() else {
            return Ok(None);
        };
        let approval = Approval {
            id: new_id(),
            project: place.project.clone(),
            policy,
            slug: format!("{:010x}", fastrand::u64(..) >> 24),
            folder: folder.to_owned(),
            committer: actor.id().to_owned(),
            operation: operation.to_owned(),
            created: self.now(),
        };
        let record = approval_record(&approval);
        self.approvals.push(approval);
        Ok(Some(Written::Approval(record)))
    }

    fn shown(&self, place: &Place, secret: &Secret, value: String, comment: String) -> Members {
        let (project, environment) = (place.project.as_str(), place.environment.as_str());
        Shown { secret, project, environment, value, comment, is_hidden: false }.record(self)
    }

    /// Tells subscribers of changed secrets.
    fn tell(&mut self, event: &str, place: &Place, keys: &[String]) {
        let entry = |key: &String| {
            object([
                ("environment", (&place.environment).into()),
                ("secretPath", (&place.path).into()),
                ("secretKey", key.into()),
            ])
        };
        let payload: Vec<Json> = keys.iter().map(entry).collect();
        self.tell_of(event, place, payload.into());
    }

    /// Tells subscribers of a change in a folder.
    pub(super) fn tell_of(&mut self, event: &str, place: &Place, payload: Json) {
        let data = object([("eventType", event.into()), ("payload", payload)]);
        let told = object([("projectType", "secret-manager".into()), ("data", data)]);
        self.subscriptions.tell(event, (&place.project, &place.environment, &place.path), &told);
    }

    /// Creates one secret.
    pub(super) fn create(&mut self, asked: &Asked, place: &Place, change: Change) -> Result<Written, Refusal> {
        let folder = self.written_folder(asked, place, Action::Create, SecretStep::Create)?;
        let owner = asked.actor()?.user().filter(|_| change.is_personal).map(str::to_owned);
        if change.is_personal && owner.is_none() {
            return Err(Refusal::bad_request("Must be user to create personal secret"));
        }
        let exists = self.shared_secret(&folder, &change.key).is_some();
        if owner.is_some() && !exists {
            let message = "Failed to create personal secret override for no corresponding shared secret";
            return Err(Refusal::bad_request(message));
        }
        let is_there = |secret: &Secret| secret.folder == folder && secret.key == change.key && secret.owner == owner;
        if self.secrets.iter().any(is_there) {
            return Err(Refusal::secret_exists(self.generation));
        }
        self.check_tags(change.tags.as_deref())?;
        if let Some(approval) = self.held_back(asked, place, &folder, "create")? {
            return Ok(approval);
        }
        let secret = self.insert(&folder, owner, &change);
        let record = self.shown(place, &secret, secret.value.clone(), secret.comment.clone());
        self.tell("secret:create", place, &[secret.key]);
        Ok(Written::Rows(vec![record]))
    }

    fn insert(&mut self, folder: &str, owner: Option<String>, change: &Change) -> Secret {
        let now = self.now();
        let mut secret = Secret {
            id: new_id(),
            folder: folder.to_owned(),
            key: change.key.clone(),
            value: String::new(),
            comment: String::new(),
            version: 1,
            owner,
            tags: Vec::new(),
            skips_multiline_encoding: Some(false),
            reminder_note: None,
            reminder_days: None,
            metadata: Vec::new(),
            created: now,
            updated: now,
            history: Vec::new(),
        };
        change.apply(&mut secret);
        self.secrets.push(secret.clone());
        secret
    }

    /// The row that a write changes: the last of several with one name.
    fn row_to_change(&self, folder: &str, key: &str, owner: Option<&str>) -> Option<usize> {
        self.secrets
            .iter()
            .rposition(|secret| secret.folder == folder && secret.key == key && secret.owner.as_deref() == owner)
    }

    /// Changes one secret.
    pub(super) fn update(&mut self, asked: &Asked, place: &Place, change: Change) -> Result<Written, Refusal> {
        let generation = self.generation;
        let folder = self.written_folder(asked, place, Action::Edit, SecretStep::Update)?;
        let owner = asked.actor()?.user().filter(|_| change.is_personal).map(str::to_owned);
        if change.is_personal && owner.is_none() {
            return Err(Refusal::bad_request("Must be user to create personal secret"));
        }
        let Some(at) = self.row_to_change(&folder, &change.key, owner.as_deref()) else {
            return Err(match generation {
                Generation::October2024 => Refusal::not_found(format!("Secret with name {} not found", change.key)),
                _ => Refusal::missing_secret(generation, &change.key),
            });
        };
        if let Some(new_key) = &change.new_key {
            if owner.is_some() {
                return Err(Refusal::bad_request("Personal secret cannot change the key name"));
            }
            if self.shared_secret(&folder, new_key).is_some() {
                return Err(Refusal::bad_request("Secret with the new name already exist"));
            }
        }
        self.check_tags(change.tags.as_deref())?;
        if let Some(approval) = self.held_back(asked, place, &folder, "update")? {
            return Ok(approval);
        }
        let changed = self.change_row(at, &change);
        let secret = changed.ok_or_else(|| Refusal::missing_secret(generation, &change.key))?;
        // The answer has what was sent, and not what is stored.
        let (value, comment) = (change.value.clone().unwrap_or_default(), change.comment.clone().unwrap_or_default());
        let record = self.shown(place, &secret, value, comment);
        self.tell("secret:update", place, &[change.new_key.unwrap_or(change.key)]);
        Ok(Written::Rows(vec![record]))
    }

    /// Changes a row, and gives it as it is then.
    fn change_row(&mut self, at: usize, change: &Change) -> Option<Secret> {
        let now = self.now();
        let secret = self.secrets.get_mut(at)?;
        secret.history.push((secret.version, secret.value.clone()));
        secret.version += 1;
        secret.updated = now;
        change.apply(secret);
        if let Some(new_key) = &change.new_key {
            secret.key.clone_from(new_key);
        }
        Some(secret.clone())
    }

    /// Deletes the secrets of a name, and the personal ones with the shared one.
    pub(super) fn delete(
        &mut self,
        asked: &Asked,
        place: &Place,
        key: &str,
        is_personal: bool,
    ) -> Result<Written, Refusal> {
        let folder = self.written_folder(asked, place, Action::Delete, SecretStep::Delete)?;
        let owner = asked.actor()?.user().filter(|_| is_personal).map(str::to_owned);
        if is_personal && owner.is_none() {
            return Err(Refusal::bad_request("Must be user to delete personal secret"));
        }
        if self.row_to_change(&folder, key, owner.as_deref()).is_none() {
            return Err(Refusal::missing_secret(self.generation, key));
        }
        if let Some(approval) = self.held_back(asked, place, &folder, "delete")? {
            return Ok(approval);
        }
        let record = self.remove(place, &folder, key, owner.as_deref());
        self.tell("secret:delete", place, &[key.to_owned()]);
        Ok(Written::Rows(record.into_iter().collect()))
    }

    fn remove(&mut self, place: &Place, folder: &str, key: &str, owner: Option<&str>) -> Option<Members> {
        let at = self.row_to_change(folder, key, owner)?;
        let secret = self.secrets.get(at)?.clone();
        self.secrets.retain(|other| {
            let is_same = other.folder == folder && other.key == key;
            !(is_same && (owner.is_none() || other.owner.as_deref() == owner))
        });
        Some(self.shown(place, &secret, secret.value.clone(), secret.comment.clone()))
    }

    /// Creates several secrets, or none. The same name twice makes two rows.
    pub(super) fn create_many(
        &mut self,
        asked: &Asked,
        place: &Place,
        changes: Vec<Change>,
    ) -> Result<Written, Refusal> {
        let folder = self.written_folder(asked, place, Action::Create, SecretStep::CreateMany)?;
        let known: Vec<&str> = changes
            .iter()
            .map(|change| change.key.as_str())
            .filter(|key| self.shared_secret(&folder, key).is_some())
            .collect();
        if !known.is_empty() {
            return Err(Refusal::bad_request(format!("Secret already exist: {}", known.join(","))));
        }
        for change in &changes {
            self.check_tags(change.tags.as_deref())?;
        }
        if let Some(approval) = self.held_back(asked, place, &folder, "create")? {
            return Ok(approval);
        }
        let mut rows = Vec::new();
        for change in &changes {
            let secret = self.insert(&folder, None, change);
            rows.push(self.shown(place, &secret, secret.value.clone(), secret.comment.clone()));
        }
        self.tell("secret:create", place, &changes.into_iter().map(|change| change.key).collect::<Vec<_>>());
        Ok(Written::Rows(rows))
    }

    /// The refusal of a write of many of which some are missing: it lists those that are there.
    fn check_all_there(&self, folder: &str, keys: &[&str], october: &str) -> Result<(), Refusal> {
        let there: Vec<&str> = keys.iter().copied().filter(|key| self.shared_secret(folder, key).is_some()).collect();
        if there.len() == keys.len() {
            return Ok(());
        }
        let listed = there.join(",");
        Err(match self.generation {
            Generation::August2024 => Refusal::bad_request(format!("Secret not exist: {listed}")),
            _ => Refusal::not_found(format!("{october}: {listed}")),
        })
    }

    /// Changes several secrets, or none.
    pub(super) fn update_many(
        &mut self,
        asked: &Asked,
        place: &Place,
        changes: Vec<Change>,
    ) -> Result<Written, Refusal> {
        let folder = self.written_folder(asked, place, Action::Edit, SecretStep::UpdateMany)?;
        let keys: Vec<&str> = changes.iter().map(|change| change.key.as_str()).collect();
        self.check_all_there(&folder, &keys, "Secret does not exist")?;
        for change in &changes {
            self.check_tags(change.tags.as_deref())?;
            if change.new_key.as_deref().is_some_and(|key| self.shared_secret(&folder, key).is_some()) {
                return Err(Refusal::bad_request("Secret with the new name already exist"));
            }
        }
        if let Some(approval) = self.held_back(asked, place, &folder, "update")? {
            return Ok(approval);
        }
        let mut rows = Vec::new();
        for change in &changes {
            let at = self.row_to_change(&folder, &change.key, None);
            if let Some(secret) = at.and_then(|at| self.change_row(at, change)) {
                rows.push(self.shown(place, &secret, secret.value.clone(), secret.comment.clone()));
            }
        }
        let changed = changes.into_iter().map(|change| change.new_key.unwrap_or(change.key)).collect::<Vec<_>>();
        self.tell("secret:update", place, &changed);
        Ok(Written::Rows(rows))
    }

    /// Deletes several secrets, or none.
    pub(super) fn delete_many(&mut self, asked: &Asked, place: &Place, keys: &[String]) -> Result<Written, Refusal> {
        let folder = self.written_folder(asked, place, Action::Delete, SecretStep::DeleteMany)?;
        let wanted: Vec<&str> = keys.iter().map(String::as_str).collect();
        self.check_all_there(&folder, &wanted, "One or more secrets does not exist")?;
        if let Some(approval) = self.held_back(asked, place, &folder, "delete")? {
            return Ok(approval);
        }
        let rows = wanted.iter().filter_map(|key| self.remove(place, &folder, key, None)).collect();
        self.tell("secret:delete", place, keys);
        Ok(Written::Rows(rows))
    }

    /// Moves secrets by their ids into another folder.
    pub(super) fn move_secrets(
        &mut self,
        asked: &Asked,
        (from, to): (&Place, &Place),
        ids: &[String],
        overwrites: bool,
    ) -> Answer {
        let source = self.written_folder(asked, from, Action::Delete, SecretStep::Get)?;
        let target = self.written_folder(asked, to, Action::Create, SecretStep::Create)?;
        let moved: Vec<Secret> =
            self.secrets.iter().filter(|secret| secret.folder == source && ids.contains(&secret.id)).cloned().collect();
        if moved.len() != ids.len() {
            return Err(Refusal::not_found("Invalid secrets"));
        }
        let clash = moved.iter().find(|secret| self.shared_secret(&target, &secret.key).is_some());
        if let Some(secret) = clash.filter(|_| !overwrites) {
            return Err(Refusal::bad_request(format!("Failed to move secrets. Secret already exist: {}", secret.key)));
        }
        for secret in moved {
            self.secrets.retain(|other| !(other.folder == target && other.key == secret.key));
            for other in self.secrets.iter_mut().filter(|other| other.id == secret.id) {
                other.folder.clone_from(&target);
            }
        }
        Ok(Reply::ok(&object([("isSourceUpdated", true.into()), ("isDestinationUpdated", true.into())])))
    }
}

/// A change that waits, as it is answered.
pub(super) fn approval_record(approval: &Approval) -> Members {
    let mut record = Members::default();
    record.set("id", &approval.id);
    record.set("policyId", &approval.policy.id);
    record.set("hasMerged", false);
    record.set("status", "open");
    record.set("conflicts", Json::Null);
    record.set("slug", &approval.slug);
    record.set("folderId", &approval.folder);
    record.set("createdAt", approval.created.iso());
    record.set("updatedAt", approval.created.iso());
    record.set("isReplicated", Json::Null);
    record.set("committerUserId", &approval.committer);
    record.set("statusChangedByUserId", Json::Null);
    record.set("bypassReason", Json::Null);
    record
}
