//! One secret, its history, and all of them in the order of their creation.

use std::collections::HashMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::dev::Millis;
use crate::dev::javascript::{Json, Members};

pub(super) const FROM_CLI: &str = "Created via CLI";
pub(super) const BY_CLI: &str = "Updated via CLI";

/// The branch of a secret. The service tells a branch that is null from one that was never set: a write to `main` finds
/// the first and not the second, a read finds both.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum BranchLink {
    Branch(String),
    Null,
    Unset,
}

impl BranchLink {
    pub(super) fn is(&self, branch: &str) -> bool {
        matches!(self, BranchLink::Branch(id) if id == branch)
    }

    pub(super) fn json(&self) -> Json {
        match self {
            BranchLink::Branch(id) => Json::from(id),
            BranchLink::Null | BranchLink::Unset => Json::Null,
        }
    }
}

/// The location of a new secret; `branch` is an id.
pub(super) struct SecretLocation {
    pub(super) project: String,
    pub(super) environment: String,
    pub(super) branch: String,
    pub(super) key: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Secret {
    pub(super) id: String,
    pub(super) key: String,
    /// The at-rest text; nothing for a linked secret.
    pub(super) stored: Option<String>,
    pub(super) description: String,
    pub(super) environment: String,
    pub(super) version: String,
    pub(super) project: String,
    pub(super) branch: BranchLink,
    pub(super) kind: String,
    pub(super) history: Vec<Entry>,
    pub(super) updated: Millis,
    pub(super) updated_by: String,
    pub(super) permission: Vec<String>,
    pub(super) expires: Option<Millis>,
    pub(super) rotation_policy: String,
    /// The id of the secret that a linked one resolves to.
    pub(super) source: Option<String>,
}

/// One step of a secret's history. The service stores it as free JSON, and every writer has members and an order of its
/// own after the first two.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) version: String,
    pub(super) stored: String,
    pub(super) notes: Members,
}

impl Entry {
    /// As a write over the environment's route makes it; `by` is when and who.
    pub(super) fn by_cli(version: &str, stored: &str, by: (Millis, &str), description: &str) -> Self {
        let (now, who) = by;
        let notes =
            [("updatedAt", now.iso().into()), ("updatedBy", who.into()), ("description", Json::from(description))];
        Entry::new(version, stored, notes)
    }

    pub(super) fn new<const N: usize>(version: &str, stored: &str, notes: [(&str, Json); N]) -> Self {
        let mut members = Members::default();
        for (name, note) in notes {
            members.set(name, note);
        }
        Entry { version: version.to_owned(), stored: stored.to_owned(), notes: members }
    }
}

impl Secret {
    /// A secret of version 1 without a value and without history.
    pub(super) fn new(id: String, location: SecretLocation, now: Millis, by: &str) -> Self {
        Secret {
            id,
            key: location.key,
            stored: None,
            description: String::new(),
            environment: location.environment,
            version: "1".to_owned(),
            project: location.project,
            branch: BranchLink::Branch(location.branch),
            kind: "environment".to_owned(),
            history: Vec::new(),
            updated: now,
            updated_by: by.to_owned(),
            permission: Vec::new(),
            expires: None,
            rotation_policy: "manual".to_owned(),
            source: None,
        }
    }

    /// A link to another secret; `by` is when and who. It hangs on no branch, whatever the place says.
    pub(super) fn link(id: String, location: SecretLocation, by: (Millis, &str), source: String) -> Self {
        Secret {
            branch: BranchLink::Unset,
            kind: "reference".to_owned(),
            source: Some(source),
            ..Secret::new(id, location, by.0, by.1)
        }
    }

    /// The place, the version and the history of a row, for a write that follows from them.
    pub(super) fn seen(&self) -> Seen {
        Seen { id: self.id.clone(), version: self.version.clone(), history: self.history.clone() }
    }

    /// Writes a value with its version and the history that goes with it.
    pub(super) fn overwrite(&mut self, version: String, history: Vec<Entry>, stored: String, by: (Millis, &str)) {
        self.version = version;
        self.history = history;
        self.replace(stored, by.0, by.1);
    }

    pub(super) fn replace(&mut self, stored: String, now: Millis, by: &str) {
        self.stored = Some(stored);
        self.updated = now;
        by.clone_into(&mut self.updated_by);
    }

    pub(super) fn is_linked(&self) -> bool {
        self.source.is_some()
    }

    pub(super) fn stored_json(&self) -> Json {
        self.stored.as_deref().unwrap_or_default().into()
    }

    pub(super) fn is_at(&self, project: &str, environment: &str, key: &str) -> bool {
        self.key == key && self.project == project && self.environment == environment
    }
}

/// A row as a handler saw it before it writes. A write sets the version and the whole history, so what another request wrote
/// in between is lost.
pub(super) struct Seen {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) history: Vec<Entry>,
}

impl Seen {
    /// The version after this one; `otherwise` when it is no number.
    pub(super) fn next_version(&self, otherwise: &str) -> String {
        let next = self.version.parse::<u64>().ok().map(|version| version.saturating_add(1).to_string());
        next.unwrap_or_else(|| otherwise.to_owned())
    }
}

/// All secrets in the order of their creation, found by key without looking at the others.
#[derive(Default, Deserialize)]
#[serde(from = "Vec<Secret>")]
pub(super) struct Secrets {
    rows: Vec<Secret>,
    /// The positions of the secrets of a key, in ascending order.
    by_key: HashMap<String, Vec<usize>>,
}

impl Serialize for Secrets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.rows.serialize(serializer)
    }
}

impl From<Vec<Secret>> for Secrets {
    fn from(rows: Vec<Secret>) -> Self {
        let mut secrets = Secrets { rows, by_key: HashMap::new() };
        secrets.index();
        secrets
    }
}

impl Secrets {
    fn index(&mut self) {
        self.by_key.clear();
        for (position, secret) in self.rows.iter().enumerate() {
            self.by_key.entry(secret.key.clone()).or_default().push(position);
        }
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Secret> {
        self.rows.iter()
    }

    /// Everything but the key may be changed this way; see [`Secrets::rename`].
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Secret> {
        self.rows.iter_mut()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn push(&mut self, secret: Secret) {
        self.by_key.entry(secret.key.clone()).or_default().push(self.rows.len());
        self.rows.push(secret);
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut Secret> {
        self.rows.last_mut()
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&Secret) -> bool) {
        let before = self.rows.len();
        self.rows.retain(keep);
        if self.rows.len() < before {
            self.index();
        }
    }

    /// The secrets with a key, of any project, environment and branch.
    pub(super) fn with_key(&self, key: &str) -> impl DoubleEndedIterator<Item = &Secret> {
        let by_key = self.by_key.get(key).map(Vec::as_slice).unwrap_or_default();
        by_key.iter().filter_map(|position| self.rows.get(*position))
    }

    /// The first secret of a key and an environment, spelled exactly, on whatever branch.
    pub(super) fn first(&self, project: &str, environment: &str, key: &str) -> Option<&Secret> {
        self.with_key(key).find(|secret| secret.is_at(project, environment, key))
    }

    /// The first secret at a place, branch and all.
    pub(super) fn first_on(&self, location: &SecretLocation) -> Option<&Secret> {
        let mut found = self.with_key(&location.key);
        found.find(|secret| {
            secret.branch.is(&location.branch) && secret.is_at(&location.project, &location.environment, &location.key)
        })
    }

    pub(super) fn by_id(&self, id: &str) -> Option<&Secret> {
        self.rows.iter().find(|secret| secret.id == id)
    }

    pub(super) fn by_id_mut(&mut self, id: &str) -> Option<&mut Secret> {
        self.rows.iter_mut().find(|secret| secret.id == id)
    }

    /// Removes one row; false when it is not there.
    pub(super) fn remove(&mut self, id: &str) -> bool {
        let before = self.len();
        self.retain(|secret| secret.id != id);
        self.len() < before
    }

    pub(super) fn rename(&mut self, id: &str, key: &str) {
        if let Some(secret) = self.by_id_mut(id) {
            key.clone_into(&mut secret.key);
            self.index();
        }
    }
}
