//! The versions of one secret: reading them, and going back to one.

use super::convert;
use super::look::Seen;
use super::names::{named, shown_version};
use super::rows::{InForce, Recorded, Row, Target};
use crate::core::{ErrorKind, SecretValue, UnreadableReason, XtraError};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::{Place, Xtra, shown_name};

/// What the service records in place of a value that a change left as it was.
pub(crate) const UNCHANGED: &str = "Value unchanged in this version";
/// What it shows where it cannot decrypt a recorded value.
pub(crate) const UNDECRYPTABLE: &str = "Error decrypting or legacy format";

/// What the service has recorded of a secret, in no order.
pub(crate) struct Past {
    pub(crate) current: String,
    pub(crate) entries: Vec<Recorded>,
}

impl Xtra {
    /// The history of the row that reads of the place show.
    pub(crate) async fn past(&self, target: Target<'_>) -> Result<Past, XtraError> {
        let mut rows = self.rows(target).await?;
        // like a read, this does not tell cases apart; where the service has several spellings, the one given counts
        let spelled;
        let mut target = target;
        if let ([], [only]) = (rows.here.as_slice(), rows.spellings.as_slice()) {
            spelled = Place { environment: only.clone(), ..target.place.clone() };
            target.place = &spelled;
            rows = self.rows(target).await?;
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
        let (current, entries) = convert::history(request.send().await.map_err(from_raw)?);
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
            XtraError::new(ErrorKind::Invalid, message).with_keys([target.key])
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
        Err(XtraError::new(ErrorKind::Masked, message).with_keys([target.key]))
    }

    /// Goes back to a version, and gives the number of the new one that this makes.
    pub(crate) async fn roll_back(
        &self,
        target: Target<'_>,
        version: &str,
        reads_back: bool,
    ) -> Result<String, XtraError> {
        let rows = self.rows(target).await?;
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
            let error = error.with_keys([target.key]);
            match error.may_have_been_applied() {
                true => error.adding(&format!(
                    ". It was to change {}, which was on version {}: read its history, a later version tells that it was done",
                    target.shown(),
                    shown_version(&found.row.version)
                )),
                false => error,
            }
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
                ". {} is rolled back, to version {}; this was to read it back",
                target.shown(),
                shown_version(version)
            );
            error.adding(&told).with_keys([target.key]).with_unknown_outcome()
        };
        let look = self.look(target.place).await.map_err(unknown)?;
        let is_it = |seen: &Seen| {
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
             service has a second row of it, which hides this one: repair_secret(..).dry_run() shows the rows",
            target.shown(),
            shown_version(version)
        );
        Err(XtraError::new(ErrorKind::Conflict, message).with_keys([target.key]).with_unknown_outcome())
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
        let Ok(rows) = self.rows(target).await else { return false };
        let unchanged = |row: &Row| row.id == found.row.id && row.version == found.row.version;
        rows.here.iter().any(unchanged)
    }
}

/// Whether the history's routes find the key: they decode it once more than others.
fn is_addressable(key: &str) -> bool {
    !key.contains('%')
}

fn check_version(target: Target<'_>, row: &Row, version: &str) -> Result<(), XtraError> {
    let invalid = |message: String| Err(XtraError::new(ErrorKind::Invalid, message).with_keys([target.key]));
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
    Err(XtraError::new(ErrorKind::NotFound, message).with_keys([target.key]))
}

fn untold() -> XtraError {
    let message = "the service has rolled the secret back, and does not tell the version that this made";
    XtraError::new(ErrorKind::Decode, message).with_unknown_outcome()
}
