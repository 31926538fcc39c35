//! The stored rows of a key. The service keeps any number of rows of one key and environment on a branch, and a row that
//! hangs on no branch is read as one of `main`: its routes by key take the first row of any branch, and a read shows the
//! last.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::current_state::Existing;
use super::names::named;
use crate::core::{ErrorKind, Hint, SecretValue, Timestamp, XtraError};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::raw::{ResponseValue, StoredValue, types};
use crate::services::xtra::{Place, Xtra, envelope, shown_name};

/// A secret as it is stored.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) environment: String,
    /// The branch's id; nothing for a row that hangs on no branch.
    pub(crate) branch: Option<String>,
    pub(crate) version: String,
    pub(crate) linked: bool,
    /// As the route that gave the row shows it: ciphertext from the one by key.
    pub(crate) value: Option<SecretValue>,
    pub(crate) history: Vec<Recorded>,
    pub(crate) updated_at: Option<Timestamp>,
    pub(crate) updated_by: Option<String>,
}

/// A version in a row's history.
#[derive(Clone)]
pub(crate) struct Recorded {
    pub(crate) version: String,
    pub(crate) value: Option<SecretValue>,
    pub(crate) updated_at: Option<Timestamp>,
    pub(crate) updated_by: Option<String>,
    pub(crate) description: Option<String>,
}

/// One secret of one place.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) place: &'a Place,
    pub(crate) key: &'a str,
    /// The environment is spelled as it is meant.
    pub(crate) exact: bool,
}

impl Target<'_> {
    /// For a message.
    pub(crate) fn shown(&self) -> String {
        let Place { environment, branch, .. } = self.place;
        format!(
            "the secret {} of the environment {} on the branch {}",
            shown_name(self.key),
            shown_name(environment),
            shown_name(branch)
        )
    }

    fn is_in(&self, row: &Row) -> bool {
        row.environment == self.place.environment
    }

    fn is_spelled_otherwise(&self, row: &Row) -> bool {
        !self.is_in(row) && row.environment.to_lowercase() == self.place.environment.to_lowercase()
    }
}

/// Where a key is.
#[derive(Default)]
pub(crate) struct StoredRows {
    /// The rows of the place that hang on its branch, in the order of reads: the last one is shown.
    pub(crate) here: Vec<Row>,
    /// The spellings of the environment that differ in case, of rows on the branch.
    pub(crate) spellings: Vec<String>,
    /// The other branches that have the key in the environment.
    pub(crate) elsewhere: Vec<String>,
    /// The rows that are here are all that the key has in the environment, on whatever branch or none.
    pub(crate) are_all: bool,
}

/// What the routes by key would take.
pub(crate) enum FirstRow {
    Row(Row),
    Nothing,
    /// They cannot be asked: the caller may not, or the key has no address.
    Unknown,
}

impl FirstRow {
    pub(crate) fn is(&self, row: &Row) -> bool {
        matches!(self, Self::Row(first) if first.id == row.id)
    }
}

impl Xtra {
    /// The rows of a key on the branches of its project.
    pub(crate) async fn stored_rows(&self, target: Target<'_>) -> Result<StoredRows, XtraError> {
        let request = self.raw().branches_list().project_id(&target.place.project);
        let branches = match request.send().await.map_err(from_raw) {
            Ok(answer) => branches(answer, target.key),
            Err(error) if error.kind() == ErrorKind::TooLarge => return self.rows_by_outline(target, error).await,
            Err(error) => return Err(error),
        };
        let name = &target.place.branch;
        if !branches.iter().any(|branch| branch.name == *name) {
            return Err(no_branch(name, branches.into_iter().map(|branch| branch.name)));
        }
        let mut rows = StoredRows::default();
        for branch in branches {
            if branch.name == *name {
                rows.take_here(target, branch.rows);
            } else if branch.rows.iter().any(|row| target.is_in(row)) {
                rows.elsewhere.push(branch.name);
            }
        }
        Ok(rows)
    }

    /// The same where the list of all branches, which carries every value and every history, is larger than what is read of an
    /// answer. The project tells its secrets without them, to users; where it has several of the name, the list of the one
    /// branch must do.
    async fn rows_by_outline(&self, target: Target<'_>, too_large: XtraError) -> Result<StoredRows, XtraError> {
        let Place { project, branch, .. } = target.place;
        let Ok(answer) = self.raw().projects_get().id(project).send().await else { return Err(too_large) };
        let outline = outline(answer, target.key);
        let Some((_, branch_id)) = outline.branches.iter().find(|(name, _)| name == branch) else {
            return Err(no_branch(branch, outline.branches.into_iter().map(|(name, _)| name)));
        };
        let wanted = target.place.environment.to_lowercase();
        let secrets: Vec<_> =
            outline.secrets.into_iter().filter(|secret| secret.environment.to_lowercase() == wanted).collect();
        if secrets.is_empty() {
            return Ok(StoredRows::default());
        }
        let is_one_place = secrets.len() == 1 || outline.branches.len() == 1;
        if is_one_place && secrets.iter().all(|secret| secret.environment == target.place.environment) {
            let look = self.current_state(target.place).await?;
            // where it is not read, it may be another branch's
            let Some(seen) = look.get(target.key) else { return Err(too_large) };
            let mut here: Vec<_> =
                secrets.iter().map(|secret| Row::of_outline(&secret.id, target, branch_id)).collect();
            if let Some(last) = here.last_mut() {
                (last.version, last.linked) = (seen.version.clone(), seen.linked);
            }
            return Ok(StoredRows { here, are_all: true, ..StoredRows::default() });
        }
        let request = self.raw().secret_records_list().project_id(project).branch_id(branch_id);
        let Ok(answer) = request.send().await else { return Err(too_large) };
        let mut rows = StoredRows::default();
        rows.take_here(target, records(answer, target.key));
        Ok(rows)
    }

    /// The id of the place's branch; nothing when the caller is not told it without all values.
    pub(crate) async fn branch_id_by_outline(&self, place: &Place) -> Result<Option<String>, XtraError> {
        let answer = match self.raw().projects_get().id(&place.project).send().await.map_err(from_raw) {
            Ok(answer) => answer,
            // so the service answers to service accounts
            Err(error) if matches!(error.status(), Some(403 | 404 | 500)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let branches = outline(answer, "").branches.into_iter();
        Ok(branches.into_iter().find(|(name, _)| *name == place.branch).map(|(_, id)| id))
    }

    /// The first row of the key and environment on any branch or none, which is what the service's routes by key go to.
    pub(crate) async fn first_row(&self, target: Target<'_>) -> Result<FirstRow, XtraError> {
        // these have no address: another route has that of `link`
        if ["", ".", "..", "link"].contains(&target.key) {
            return Ok(FirstRow::Unknown);
        }
        let Place { project, environment, .. } = target.place;
        let request = self.raw().secrets_get().project_id(project).env(environment).key(target.key);
        match request.send().await.map_err(from_raw) {
            Ok(answer) => Ok(FirstRow::Row(record(answer))),
            // a proxy's 404 tells nothing of the row
            Err(error) if error.is_foreign_refusal() => Err(error),
            Err(error) if error.status() == Some(404) => Ok(FirstRow::Nothing),
            Err(error) if error.status() == Some(403) => Ok(FirstRow::Unknown),
            // the answer holds the value as ciphertext, once for each version
            Err(error) if error.kind() == ErrorKind::TooLarge => Ok(FirstRow::Unknown),
            Err(error) => Err(error),
        }
    }

    /// The rows of the key that hang on no branch, spelled in whatever case, from the list that users can ask for. Nothing
    /// when the caller cannot: the service refuses, or it fails and the caller is a service account, for whom it always does.
    pub(crate) async fn listed_rows(&self, target: Target<'_>) -> Result<Option<Vec<Row>>, XtraError> {
        let request = self.raw().secret_records_list().project_id(&target.place.project);
        match request.send().await.map_err(from_raw) {
            Ok(answer) => {
                let rows = records(answer, target.key).into_iter();
                let here = |row: &Row| target.is_in(row) || target.is_spelled_otherwise(row);
                Ok(Some(rows.filter(|row| row.branch.is_none() && here(row)).collect()))
            }
            Err(error) if error.status() == Some(403) && !error.is_foreign_refusal() => Ok(None),
            Err(error) if error.status() == Some(500) && self.asks_as_service_account().await => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the service says that the token is a service account's.
    pub(crate) async fn asks_as_service_account(&self) -> bool {
        self.has_token_of_account() || self.raw().service_accounts_resolve().send().await.is_ok()
    }
}

impl Row {
    /// A row of which the project tells that it is there, and not its version.
    fn of_outline(id: &str, target: Target<'_>, branch: &str) -> Self {
        Self {
            id: id.to_owned(),
            environment: target.place.environment.clone(),
            branch: Some(branch.to_owned()),
            version: String::new(),
            linked: false,
            value: None,
            history: Vec::new(),
            updated_at: None,
            updated_by: None,
        }
    }
}

impl StoredRows {
    /// Takes the rows of the place's own branch.
    fn take_here(&mut self, target: Target<'_>, rows: Vec<Row>) {
        let (here, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| target.is_in(row));
        self.here = here;
        let others = others.into_iter().filter(|row| target.is_spelled_otherwise(row));
        self.spellings = others.map(|row| row.environment).collect();
        self.spellings.dedup();
    }

    /// Refuses a key that is there under another spelling of the environment: reads mix the two.
    pub(crate) fn check_spelling(&self, target: Target<'_>) -> Result<(), XtraError> {
        if target.exact || self.spellings.is_empty() {
            return Ok(());
        }
        let message = format!(
            "nothing was changed: {} is there in another spelling of the environment too, which differs in upper and lower \
             case only: {}. Reads mix the two",
            target.shown(),
            named(&self.spellings)
        );
        Err(XtraError::new(ErrorKind::Invalid, message)
            .with_names([target.key])
            .with_hint(Hint::advice("Spell it so"))
            .with_hint(Hint::Exact))
    }

    /// The error of a key that is not there.
    pub(crate) fn absent(&self, target: Target<'_>) -> XtraError {
        let mut message = format!("{} does not exist", target.shown());
        if !self.spellings.is_empty() {
            message += &format!(
                ". The branch has it in another spelling of the environment, which writes tell apart: {}",
                named(&self.spellings)
            );
        }
        if !self.elsewhere.is_empty() {
            message += &format!(". The environment has it on other branches: {}", named(&self.elsewhere));
        }
        XtraError::new(ErrorKind::NotFound, message).with_names([target.key])
    }
}

fn no_branch(name: &str, names: impl Iterator<Item = String>) -> XtraError {
    let names: Vec<_> = names.collect();
    let message = format!("the project has no branch {}. It has {}", shown_name(name), named(&names));
    XtraError::new(ErrorKind::NotFound, message)
}

/// The row whose value a read shows.
pub(crate) struct InForce {
    pub(crate) row: Row,
    /// What the routes by key would take.
    pub(crate) first: FirstRow,
    /// Whether the service has other rows of the key in this place.
    pub(crate) has_doubles: bool,
    /// Its value was encrypted before it was sent to the service.
    pub(crate) sealed: bool,
}

impl Xtra {
    /// The row of the key that reads of the place show.
    pub(crate) async fn in_force(&self, target: Target<'_>, mut rows: StoredRows) -> Result<InForce, XtraError> {
        let first = match rows.here.as_slice() {
            [first, ..] if rows.are_all => FirstRow::Row(first.clone()),
            _ => self.first_row(target).await?,
        };
        let on_branch = rows.here.len();
        // with two spellings a read shows whichever comes last, and the one that was named is meant
        if !target.place.is_on_main() || (on_branch > 0 && !rows.spellings.is_empty()) {
            let row = rows.here.pop().ok_or_else(|| rows.absent(target))?;
            let sealed = row.value.as_ref().is_some_and(envelope::is_sealed);
            return Ok(InForce { row, first, has_doubles: on_branch > 1, sealed });
        }
        let look = self.current_state(target.place).await?;
        let seen = look.get(target.key);
        let sealed = seen.is_some_and(|seen| seen.sealed);
        // what resolves to nothing is not shown at all
        let is_shown = |row: &Row| seen.is_none_or(|seen| self.shows(target, row, seen));
        if let Some(row) = rows.here.pop_if(|row| is_shown(row)) {
            let under = matches!(&first, FirstRow::Row(first) if first.branch.is_none());
            return Ok(InForce { row, first, has_doubles: on_branch > 1 || under, sealed });
        }
        let (loose, all) = self.loose_rows(target, &first).await?;
        let in_all = on_branch + loose.len();
        match loose.into_iter().rfind(is_shown) {
            Some(row) => Ok(InForce { row, first, has_doubles: in_all > 1, sealed }),
            None if seen.is_some() && !all => Err(out_of_reach(target)),
            None if in_all > 0 => Err(moved(target)),
            None => Err(rows.absent(target)),
        }
    }

    /// Whether a read shows this row of a branch.
    pub(crate) fn shows(&self, target: Target<'_>, row: &Row, seen: &Existing) -> bool {
        let differs = match (&row.value, &seen.value) {
            (Some(text), Ok(value)) => {
                self.read_text(&target.place.project, text.clone()).is_ok_and(|stored| stored != *value)
            }
            _ => false,
        };
        row.version == seen.version && row.linked == seen.linked && !differs
    }

    /// The rows that hang on no branch, and whether these are all of them.
    async fn loose_rows(&self, target: Target<'_>, first: &FirstRow) -> Result<(Vec<Row>, bool), XtraError> {
        if matches!(first, FirstRow::Nothing) {
            return Ok((Vec::new(), true));
        }
        if let Some(rows) = self.listed_rows(target).await? {
            return Ok((rows.into_iter().filter(|row| target.is_in(row)).collect(), true));
        }
        match first {
            FirstRow::Row(row) if row.branch.is_none() => Ok((vec![row.clone()], false)),
            _ => Ok((Vec::new(), false)),
        }
    }
}

pub(crate) fn out_of_reach(target: Target<'_>) -> XtraError {
    let message = format!(
        "what is read as {} hangs on no branch, and where a row of another branch stands before it, the service shows it to \
         users only. Nothing was changed: use a user's token",
        target.shown()
    );
    XtraError::new(ErrorKind::Forbidden, message).with_names([target.key])
}

pub(crate) fn moved(target: Target<'_>) -> XtraError {
    let message = format!("{} changed while it was looked up, and nothing was done. Try again", target.shown());
    XtraError::new(ErrorKind::Conflict, message).with_names([target.key])
}

/// A branch, and its rows of one key. The list sends every value of every branch: what is not asked for is wiped here.
pub(crate) struct Branch {
    pub(crate) name: String,
    pub(crate) rows: Vec<Row>,
}

pub(crate) fn branches(answer: ResponseValue<types::BranchList>, key: &str) -> Vec<Branch> {
    let branches = answer.into_inner().0.into_iter().map(|branch| {
        let rows = branch.secrets.unwrap_or_default().into_iter().filter(|row| row.key == key);
        Branch { name: branch.name, rows: rows.map(row).collect() }
    });
    branches.collect()
}

/// The rows of a name in an environment, as far as they hang on branches.
#[derive(Default)]
pub(crate) struct BranchVersions {
    /// The versions on the branch that is written, without links.
    pub(crate) here: Vec<String>,
    /// Those on other branches.
    pub(crate) elsewhere: Vec<String>,
}

/// Where the keys hang on branches, in the environment of the place.
pub(crate) fn branch_versions(
    answer: ResponseValue<types::BranchList>,
    place: &Place,
    keys: &BTreeSet<&str>,
) -> BTreeMap<String, BranchVersions> {
    let mut standings = BTreeMap::<String, BranchVersions>::new();
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
pub(crate) struct Outline {
    /// Names and ids.
    pub(crate) branches: Vec<(String, String)>,
    pub(crate) secrets: Vec<Outlined>,
}

/// A secret of an [`Outline`].
pub(crate) struct Outlined {
    pub(crate) id: String,
    pub(crate) environment: String,
}

pub(crate) fn outline(answer: ResponseValue<types::ProjectDetails>, key: &str) -> Outline {
    let project = answer.into_inner();
    let branches = project.branches.unwrap_or_default().into_iter().map(|branch| (branch.name, branch.id));
    let secrets = project.secrets.unwrap_or_default().into_iter().filter(|secret| secret.key.as_deref() == Some(key));
    let secrets = secrets.filter_map(|secret| Some(Outlined { id: secret.id?, environment: secret.environment_type? }));
    Outline { branches: branches.collect(), secrets: secrets.collect() }
}

/// The answer for one key, whose values are the service's ciphertext.
pub(crate) fn record(answer: ResponseValue<types::SecretRecord>) -> Row {
    row(answer.into_inner())
}

/// The rows of a key in the list of all rows of a project.
pub(crate) fn records(answer: ResponseValue<types::SecretRecordList>, key: &str) -> Vec<Row> {
    let rows = answer.into_inner().0.into_iter().filter(|row| row.key == key);
    let rows = rows.map(|row| Row {
        id: row.id,
        environment: row.environment_type.unwrap_or_default(),
        branch: row.branch_id,
        version: row.version.unwrap_or_default(),
        linked: row.is_reference == Some(true),
        value: row.value.and_then(first),
        history: row.history.unwrap_or_default().into_iter().map(recorded).collect(),
        updated_at: timestamp(row.last_updated),
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
        updated_at: timestamp(row.last_updated),
        updated_by: row.updated_by,
    }
}

fn recorded(entry: types::StoredHistoryEntry) -> Recorded {
    Recorded {
        version: entry.version.unwrap_or_default(),
        value: entry.value.and_then(first),
        updated_at: timestamp(entry.updated_at.or(entry.created_at)),
        updated_by: entry.updated_by.or(entry.rotated_by),
        description: entry.change_reason.or(entry.description),
    }
}

/// What the history route says: the current version, and the entries.
pub(crate) fn recorded_history(answer: ResponseValue<types::SecretHistory>) -> (Option<String>, Vec<Recorded>) {
    let history = answer.into_inner();
    let entries = history.history.unwrap_or_default().into_iter().map(|entry| Recorded {
        version: entry.version.unwrap_or_default(),
        value: entry.value.and_then(|value| value.into_value()),
        updated_at: timestamp(entry.updated_at),
        updated_by: entry.updated_by,
        description: entry.change_reason.or(entry.description),
    });
    (history.current_version, entries.collect())
}

/// A value is stored as a list of one text.
fn first(value: StoredValue) -> Option<SecretValue> {
    value.iter().next().cloned()
}

fn timestamp(text: Option<String>) -> Option<Timestamp> {
    Timestamp::parse(&text?)
}
