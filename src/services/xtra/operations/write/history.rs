//! The versions of a secret: reading them, and going back to one.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::current_state::Existing;
use super::names::{named, repair, shown_version};
use super::stored_rows::{InForce, Recorded, Row, Target, recorded_history};
use crate::core::{ErrorKind, Hint, SecretValue, Timestamp, UnreadableReason, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::operations::{ReadsBack, WriteOptions, writes};
use crate::services::xtra::{Place, Xtra, XtraScope, shown_name};

/// The versions of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct History {
    /// The version that reads give now. The service does not record every version: after a rotation it has the values
    /// before it only, so this one may have no entry.
    pub current_version: String,
    /// The recorded versions, the newest first, each once.
    pub entries: Vec<HistoryEntry>,
}

/// One version of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryEntry {
    /// A number, as the service writes it.
    pub version: String,
    /// The value of this version, as far as it can be had.
    pub value: Option<SecretValue>,
    /// Why there is no value.
    pub no_value: Option<NoValue>,
    /// When it was written (ISO 8601). Rotations do not record it.
    pub updated_at: Option<Timestamp>,
    /// Who wrote it: an e-mail address, a name, or the id of a user or service account.
    pub updated_by: Option<String>,
    /// What the writer noted.
    pub description: Option<String>,
}

/// Why a version in a [`History`] has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoValue {
    /// The change was to something else: the value is that of the version before.
    Unchanged,
    /// The service has recorded none.
    NotRecorded,
    /// It did not come through.
    Unreadable(UnreadableReason),
}

/// The operation of a [`Request`] that reads the versions of a secret.
#[derive(Debug)]
pub struct SecretHistory {
    key: String,
}

/// The operation of a [`Request`] that goes back to a version of a secret.
#[derive(Debug)]
pub struct RollbackSecret {
    key: String,
    version: String,
    options: WriteOptions,
}

/// What a rollback has made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RolledBack {
    /// The secret's version now: a new one, with the old value.
    pub version: String,
}

/// # History and rollback
impl<M> Client<Xtra, M> {
    /// The versions of a secret on one branch, with their values. The service gives them to viewers too.
    ///
    /// The environment's case does not matter, as in reads. Nothing is cached. At most three requests are sent, four on `main`: the
    /// service's own history is that of whichever branch has the secret first, so its rows are looked up before. A link has no
    /// history of its own.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such branch, or no such secret;
    /// [`Masked`](crate::ErrorKind::Masked) for a viewer, where another branch has the secret first;
    /// [`Invalid`](crate::ErrorKind::Invalid) for a name with a `%` that hangs on no branch, which the service does not find;
    /// and those of any call.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{XtraClient, dev_server::DevServer};
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// client.set_secret("staging", "API_KEY", "k-1").await?;
    /// client.set_secret("staging", "API_KEY", "k-2").await?;
    ///
    /// let history = client.secret_history("staging", "API_KEY").await?;
    /// assert_eq!(history.current_version, history.entries[0].version);
    /// assert_eq!(history.entries[1].value.as_ref().map(|value| value.expose()), Some("k-1"));
    ///
    /// client.rollback_secret("staging", "API_KEY", &history.entries[1].version).await?;
    /// assert_eq!(client.get_secrets("staging").await?.require("API_KEY")?.expose(), "k-1");
    /// # Ok(())
    /// # }
    /// ```
    pub fn secret_history<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        name: impl Into<String>,
    ) -> Request<'a, Xtra, SecretHistory, M> {
        self.request(XtraScope::new(environment), SecretHistory { key: name.into() })
    }

    /// Gives a secret of one branch the value that it had at `version`. This makes a new version, whose number is returned.
    ///
    /// Four requests are sent: the row is looked up first, so that no other branch's is changed, and the environment is read
    /// back. On `main` there are five, because what hangs on no branch is read there too. [`skip_read_back`](Request::skip_read_back)
    /// leaves the one that reads back out. The client's snapshots of the project leave the cache.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) when the secret is on that version already, is a link, or is there in another
    /// spelling of the environment too (see [`exact`](Request::exact)); [`NotFound`](crate::ErrorKind::NotFound) when there is
    /// no such branch, secret or version: the message names those that there are. [`Forbidden`](crate::ErrorKind::Forbidden)
    /// for viewers everywhere, and for developers and service accounts in production;
    /// [`Conflict`](crate::ErrorKind::Conflict) when what is read afterwards is something else: then
    /// [`may_have_been_applied`](XtraError::may_have_been_applied) is true, and the rollback is *not confirmed*;
    /// [`Unconfirmed`](crate::ErrorKind::Unconfirmed) when production is protected; and those of any call. When
    /// [`may_have_been_applied`](XtraError::may_have_been_applied) is true, the secret's version tells whether it was.
    ///
    /// For an example, see [`secret_history`](Self::secret_history).
    pub fn rollback_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        name: impl Into<String>,
        version: impl ToString,
    ) -> Request<'a, Xtra, RollbackSecret, M> {
        self.request(
            XtraScope::new(environment),
            RollbackSecret { key: name.into(), version: version.to_string(), options: WriteOptions::default() },
        )
    }
}

impl Operation for SecretHistory {
    const NAME: &'static str = "secret_history";
    type Source = Xtra;
    type Output = History;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<History, XtraError> {
        let place = call.place().await?;
        // reads do not tell spellings apart
        let target = Target { place: &place, key: &self.key, exact: true };
        let Past { current, entries } = call.source().past(target).await?;
        let read = |text| call.source().read_text(&place.project, text);
        let entries = entries.into_iter().map(|entry| HistoryEntry::of(entry, read)).collect();
        Ok(History { current_version: current, entries: sorted(entries) })
    }
}

impl Operation for RollbackSecret {
    const NAME: &'static str = "rollback_secret";
    type Source = Xtra;
    type Output = RolledBack;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<RolledBack, XtraError> {
        let place = call.place().await?;
        call.confirm(self.options, &place.environment)?;
        let _changing = call.changing_in(&place);
        let target = Target { place: &place, key: &self.key, exact: self.options.is_exact() };
        Ok(RolledBack { version: call.source().roll_back(target, &self.version, self.options.reads_back()).await? })
    }
}

writes!(RollbackSecret);

impl ReadsBack for RollbackSecret {}

impl HistoryEntry {
    fn of(entry: Recorded, read: impl Fn(SecretValue) -> Result<SecretValue, UnreadableReason>) -> Self {
        let (value, no_value) = match entry.value {
            None => (None, Some(NoValue::NotRecorded)),
            Some(text) if text == UNCHANGED => (None, Some(NoValue::Unchanged)),
            Some(text) if text == UNDECRYPTABLE => {
                (None, Some(NoValue::Unreadable(UnreadableReason::ServerCiphertext)))
            }
            Some(text) => match read(text) {
                Ok(value) => (Some(value), None),
                Err(reason) => (None, Some(NoValue::Unreadable(reason))),
            },
        };
        let Recorded { version, updated_at, updated_by, description, .. } = entry;
        Self { version, value, no_value, updated_at, updated_by, description }
    }
}

/// The newest first, and each version once: the service records them in different orders, and a rotation records the old
/// value again under its version. What has a value counts, then what was recorded first.
fn sorted(mut entries: Vec<HistoryEntry>) -> Vec<HistoryEntry> {
    entries.sort_by_key(|entry| entry.value.is_none());
    // what is no number comes last
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.version.parse::<u64>().ok()));
    let mut told = BTreeSet::new();
    entries.retain(|entry| told.insert(entry.version.clone()));
    entries
}

/// What the service records in place of a value that a change left as it was.
const UNCHANGED: &str = "Value unchanged in this version";
/// What it shows where it cannot decrypt a recorded value.
const UNDECRYPTABLE: &str = "Error decrypting or legacy format";

/// What the service has recorded of a secret, in no order.
struct Past {
    current: String,
    entries: Vec<Recorded>,
}

impl Xtra {
    /// The history of the row that reads of the place show.
    async fn past(&self, target: Target<'_>) -> Result<Past, XtraError> {
        let mut rows = self.stored_rows(target).await?;
        // like a read, this does not tell cases apart; where the service has several spellings, the one given counts
        let spelled;
        let mut target = target;
        if let ([], [only]) = (rows.here.as_slice(), rows.spellings.as_slice()) {
            spelled = Place { environment: only.clone(), ..target.place.clone() };
            target.place = &spelled;
            rows = self.stored_rows(target).await?;
        }
        let InForce { row, first, .. } = self.in_force(target, rows).await?;
        if first.is(&row) && is_addressable(target.key) {
            return self.past_by_key(target, &row).await;
        }
        let row = match &row.branch {
            Some(_) => row,
            None => self.listed(target, &row).await?,
        };
        self.check_shown(target, &row)?;
        Ok(Past { current: row.version, entries: row.history })
    }

    async fn past_by_key(&self, target: Target<'_>, row: &Row) -> Result<Past, XtraError> {
        let Place { project, environment, .. } = target.place;
        let request = self.raw().secrets_history().project_id(project).env(environment).key(target.key);
        let (current, entries) = recorded_history(request.send().await.map_err(from_raw)?);
        Ok(Past { current: current.unwrap_or_else(|| row.version.clone()), entries })
    }

    /// The same row with its history in plain text.
    async fn listed(&self, target: Target<'_>, row: &Row) -> Result<Row, XtraError> {
        let listed = self.listed_rows(target).await?.unwrap_or_default();
        listed.into_iter().find(|listed| listed.id == row.id).ok_or_else(|| {
            let message = format!(
                "the history of {} cannot be read: it hangs on no branch, where the service shows it by an address that it \
                 decodes twice, or to users only. Use a user's token",
                target.shown()
            );
            XtraError::new(ErrorKind::Invalid, message).with_names([target.key])
        })
    }

    /// Viewers are shown a row without its history, as if it had none.
    fn check_shown(&self, target: Target<'_>, row: &Row) -> Result<(), XtraError> {
        let masked =
            |text: &SecretValue| self.read_text(&target.place.project, text.clone()) == Err(UnreadableReason::Masked);
        if !row.history.is_empty() || !row.value.as_ref().is_some_and(masked) {
            return Ok(());
        }
        let message = format!(
            "the service does not show the history of {} to this caller. Use a token with the developer role",
            target.shown()
        );
        Err(XtraError::new(ErrorKind::Masked, message).with_names([target.key]))
    }

    /// Goes back to a version, and gives the number of the new one that this makes.
    async fn roll_back(&self, target: Target<'_>, version: &str, reads_back: bool) -> Result<String, XtraError> {
        let rows = self.stored_rows(target).await?;
        rows.check_spelling(target)?;
        let is_mixed = !rows.spellings.is_empty();
        let found = self.in_force(target, rows).await?;
        check_version(target, &found.row, version)?;
        let request = self.raw().secret_records_rollback();
        let request = request.body_map(|body| body.secret_id(&found.row.id).target_version(version));
        let outcome = match request.send().await.map_err(from_raw) {
            Ok(answer) => Ok(answer.into_inner().version),
            Err(error) if self.may_go_by_key(target, &found, &error).await => {
                self.roll_back_by_key(target, version).await
            }
            Err(error) => Err(error),
        };
        let made = outcome.and_then(|version| version.ok_or_else(untold)).map_err(|error| {
            error.with_names([target.key]).if_in_doubt(|error| {
                let (what, version) = (target.shown(), shown_version(&found.row.version));
                let told = format!(
                    "It was to change {what}, which was on version {version}: a later one tells that it was done"
                );
                error.with_note(told).with_hint(Hint::LookAt { call: "secret_history" })
            })
        })?;
        // of two spellings a read may show the other
        if reads_back && !is_mixed {
            let value = self.recorded_value(target, &found.row, version);
            self.check_in_force(target, &made, value.as_ref()).await?;
        }
        Ok(made)
    }

    /// The value of a version, where the row was shown with its history.
    fn recorded_value(&self, target: Target<'_>, row: &Row, version: &str) -> Option<SecretValue> {
        let entry = row.history.iter().find(|entry| entry.version == version)?;
        let text = entry.value.clone().filter(|text| *text != UNCHANGED && *text != UNDECRYPTABLE)?;
        self.read_text(&target.place.project, text).ok()
    }

    /// Another row of the name, or somebody who has written in the same moment, may hide what was changed.
    async fn check_in_force(
        &self,
        target: Target<'_>,
        version: &str,
        value: Option<&SecretValue>,
    ) -> Result<(), XtraError> {
        let unknown = |error: XtraError| {
            let told = format!(
                "The rollback of {} succeeded (version {}); only the check afterwards failed",
                target.shown(),
                shown_version(version)
            );
            error.with_note(told).with_names([target.key]).with_unknown_outcome()
        };
        let look = self.current_state(target.place).await.map_err(unknown)?;
        let is_it = |seen: &Existing| {
            seen.version == version && value.is_none_or(|value| seen.value.as_ref().is_ok_and(|seen| seen == value))
        };
        let is_read = match look.get(target.key) {
            Some(seen) => is_it(seen),
            None => self.is_there_unread(target, version, value).await.map_err(unknown)?,
        };
        if is_read {
            return Ok(());
        }
        let message = format!(
            "{} was rolled back, to version {}, and is not what is read now. Somebody has written meanwhile, or the \
             service has a second row of it, which hides this one",
            target.shown(),
            shown_version(version)
        );
        let error = XtraError::new(ErrorKind::Conflict, message).with_names([target.key]).with_unknown_outcome();
        Err(error.with_hint(repair(target.key)))
    }

    async fn roll_back_by_key(&self, target: Target<'_>, version: &str) -> Result<Option<String>, XtraError> {
        let Place { project, environment, .. } = target.place;
        let request = self.raw().secrets_rollback().project_id(project).env(environment).key(target.key);
        let answer = request.body_map(|body| body.version(version)).send().await.map_err(from_raw)?;
        Ok(answer.into_inner().version)
    }

    /// Whether the route by id failed for this kind of caller, has done nothing, and the one by key goes to the same row.
    async fn may_go_by_key(&self, target: Target<'_>, found: &InForce, error: &XtraError) -> bool {
        if error.status() != Some(500) || !found.first.is(&found.row) || !is_addressable(target.key) {
            return false;
        }
        let Ok(rows) = self.stored_rows(target).await else { return false };
        let unchanged = |row: &Row| row.id == found.row.id && row.version == found.row.version;
        rows.here.iter().any(unchanged)
    }
}

/// Whether the history's routes find the key: they decode it once more than others.
fn is_addressable(key: &str) -> bool {
    !key.contains('%')
}

fn check_version(target: Target<'_>, row: &Row, version: &str) -> Result<(), XtraError> {
    let invalid = |message: String| Err(XtraError::new(ErrorKind::Invalid, message).with_names([target.key]));
    if row.linked {
        return invalid(format!("{} is a link, which has no versions: roll its source back", target.shown()));
    }
    if row.version == version {
        return invalid(format!("{} is on version {} already", target.shown(), shown_version(version)));
    }
    // a caller who may not see the history is not shown any
    if row.history.is_empty() || row.history.iter().any(|entry| entry.version == version) {
        return Ok(());
    }
    let mut versions: Vec<_> = row.history.iter().map(|entry| shown_version(&entry.version).to_owned()).collect();
    versions.sort_by_key(|version| version.parse::<u64>().ok());
    versions.dedup();
    let message = format!("{} has no version {}. It has {}", target.shown(), shown_name(version), named(&versions));
    Err(XtraError::new(ErrorKind::NotFound, message).with_names([target.key]))
}

fn untold() -> XtraError {
    let message = "the service has rolled the secret back, and does not tell the version that this made";
    XtraError::new(ErrorKind::Decode, message).with_unknown_outcome()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(version: &str, value: Option<&str>) -> HistoryEntry {
        let recorded = Recorded {
            version: version.to_owned(),
            value: value.map(SecretValue::from),
            updated_at: None,
            updated_by: None,
            description: None,
        };
        HistoryEntry::of(recorded, Ok)
    }

    #[test]
    fn versions_are_sorted_as_numbers_and_each_is_told_once() {
        let entries =
            vec![entry("2", Some("b")), entry("10", Some("j")), entry("1", Some("a")), entry("2", Some("late"))];
        let sorted = sorted(entries);
        let shown = sorted.iter().map(|entry| (entry.version.as_str(), entry.value.as_ref().unwrap().expose()));
        assert_eq!(shown.collect::<Vec<_>>(), [("10", "j"), ("2", "b"), ("1", "a")]);
    }

    #[test]
    fn of_two_entries_of_a_version_the_one_with_a_value_counts() {
        let sorted =
            sorted(vec![entry("NaN", None), entry("3", Some(UNCHANGED)), entry("3", Some("c")), entry("4", None)]);
        let versions: Vec<_> = sorted.iter().map(|entry| entry.version.as_str()).collect();
        assert_eq!(versions, ["4", "3", "NaN"]);
        assert_eq!(sorted[1].value.as_ref().map(SecretValue::expose), Some("c"));
    }

    #[test]
    fn the_service_s_words_in_place_of_a_value_are_no_values() {
        let reason = |value| entry("1", value).no_value;
        assert_eq!(reason(None), Some(NoValue::NotRecorded));
        assert_eq!(reason(Some(UNCHANGED)), Some(NoValue::Unchanged));
        assert_eq!(reason(Some(UNDECRYPTABLE)), Some(NoValue::Unreadable(UnreadableReason::ServerCiphertext)));
        assert_eq!(reason(Some("value")), None);
    }
}
