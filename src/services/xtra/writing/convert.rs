//! What the service says of stored rows, without the generated types.

use std::collections::{BTreeMap, BTreeSet};

use super::explain::Standing;
use super::rows::{Recorded, Row};
use crate::core::SecretValue;
use crate::services::xtra::Place;
use crate::services::xtra::raw::{ResponseValue, StoredValue, types};

/// A branch, and its rows of one key. The list sends every value of every branch: what is not asked for is wiped here.
pub(super) struct Branch {
    pub(super) name: String,
    pub(super) rows: Vec<Row>,
}

pub(super) fn branches(answer: ResponseValue<types::BranchList>, key: &str) -> Vec<Branch> {
    let branches = answer.into_inner().0.into_iter().map(|branch| {
        let rows = branch.secrets.unwrap_or_default().into_iter().filter(|row| row.key == key);
        Branch { name: branch.name, rows: rows.map(row).collect() }
    });
    branches.collect()
}

/// Where the keys hang on branches, in the environment of the place.
pub(super) fn standings(
    answer: ResponseValue<types::BranchList>,
    place: &Place,
    keys: &BTreeSet<&str>,
) -> BTreeMap<String, Standing> {
    let mut standings = BTreeMap::<String, Standing>::new();
    for branch in answer.into_inner().0 {
        for row in branch.secrets.unwrap_or_default() {
            let is_asked_for =
                row.environment_type.as_ref() == Some(&place.environment) && keys.contains(row.key.as_str());
            if !is_asked_for || row.is_reference == Some(true) {
                continue;
            }
            let standing = standings.entry(row.key).or_default();
            let versions = if branch.name == place.branch { &mut standing.here } else { &mut standing.elsewhere };
            versions.push(row.version.unwrap_or_default());
        }
    }
    standings
}

/// What a project tells of its branches and secrets, which is everything but values, versions and branches of secrets.
pub(super) struct Outline {
    /// Names and ids.
    pub(super) branches: Vec<(String, String)>,
    pub(super) secrets: Vec<Outlined>,
}

/// A secret of an [`Outline`].
pub(super) struct Outlined {
    pub(super) id: String,
    pub(super) environment: String,
}

pub(super) fn outline(answer: ResponseValue<types::ProjectDetails>, key: &str) -> Outline {
    let project = answer.into_inner();
    let branches = project.branches.unwrap_or_default().into_iter().map(|branch| (branch.name, branch.id));
    let secrets = project.secrets.unwrap_or_default().into_iter().filter(|secret| secret.key.as_deref() == Some(key));
    let secrets = secrets.filter_map(|secret| Some(Outlined { id: secret.id?, environment: secret.environment_type? }));
    Outline { branches: branches.collect(), secrets: secrets.collect() }
}

/// The answer for one key, whose values are the service's ciphertext.
pub(super) fn record(answer: ResponseValue<types::SecretRecord>) -> Row {
    row(answer.into_inner())
}

/// The rows of a key in the list of all rows of a project.
pub(super) fn records(answer: ResponseValue<types::SecretRecordList>, key: &str) -> Vec<Row> {
    let rows = answer.into_inner().0.into_iter().filter(|row| row.key == key);
    let rows = rows.map(|row| Row {
        id: row.id,
        environment: row.environment_type.unwrap_or_default(),
        branch: row.branch_id,
        version: row.version.unwrap_or_default(),
        linked: row.is_reference == Some(true),
        value: row.value.and_then(first),
        history: row.history.unwrap_or_default().into_iter().map(recorded).collect(),
        updated_at: row.last_updated,
        updated_by: row.updated_by,
    });
    rows.collect()
}

fn row(row: types::SecretRecord) -> Row {
    Row {
        id: row.id,
        environment: row.environment_type.unwrap_or_default(),
        branch: row.branch_id,
        version: row.version.unwrap_or_default(),
        linked: row.is_reference == Some(true),
        value: row.value.and_then(first),
        history: row.history.unwrap_or_default().into_iter().map(recorded).collect(),
        updated_at: row.last_updated,
        updated_by: row.updated_by,
    }
}

fn recorded(entry: types::StoredHistoryEntry) -> Recorded {
    Recorded {
        version: entry.version.unwrap_or_default(),
        value: entry.value.and_then(first),
        updated_at: entry.updated_at.or(entry.created_at),
        updated_by: entry.updated_by.or(entry.rotated_by),
        description: entry.change_reason.or(entry.description),
    }
}

/// What the history route says: the current version, and the entries.
pub(super) fn history(answer: ResponseValue<types::SecretHistory>) -> (Option<String>, Vec<Recorded>) {
    let history = answer.into_inner();
    let entries = history.history.unwrap_or_default().into_iter().map(|entry| Recorded {
        version: entry.version.unwrap_or_default(),
        value: entry.value.and_then(|value| value.into_value()),
        updated_at: entry.updated_at,
        updated_by: entry.updated_by,
        description: entry.change_reason.or(entry.description),
    });
    (history.current_version, entries.collect())
}

/// A value is stored as a list of one text.
fn first(value: StoredValue) -> Option<SecretValue> {
    value.iter().next().cloned()
}
