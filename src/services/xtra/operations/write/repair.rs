//! One row for a secret that has several.

use std::borrow::Cow;

use super::current_state::Existing;
use super::delete::told;
use super::names::{named, shown_version};
use super::stored_rows::{FirstRow, Row, StoredRows, Target, moved, out_of_reach};
use crate::core::{ErrorKind, Hint, Timestamp, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::xtra::operations::{WriteOptions, writes};
use crate::services::xtra::{Xtra, XtraScope, shown_name};

/// The operation of a [`Request`] that leaves one row of a secret.
#[derive(Debug)]
pub struct RepairSecret {
    key: String,
    keep: Option<String>,
    dry_run: bool,
    options: WriteOptions,
}

/// A row that the service keeps of a secret: everything but its value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretRow {
    /// The service's id of the row, as [`keep`](Request::keep) takes it.
    pub id: String,
    /// The row's version, a number in text. Empty where the service tells it of the row that is read only, because the values
    /// that it would tell with it are larger than what is read of an answer.
    pub version: String,
    /// Whether it is what reads return.
    pub is_read: bool,
    /// Whether it hangs on a branch. A row of `main` may hang on none.
    pub has_branch: bool,
    /// Whether it is a link, whose value is that of another secret.
    pub is_link: bool,
    /// When it was last written (ISO 8601), where the service tells.
    pub updated_at: Option<Timestamp>,
    /// Who wrote it last: an e-mail address, a name, or the id of a user or service account.
    pub updated_by: Option<String>,
}

/// What a repair has found and done, or would do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repaired {
    /// The rows that there were, in the order of their creation. Usually it is one, and there is nothing to repair.
    pub rows: Vec<SecretRow>,
    /// The id of the row that stays, and that reads return after the repair.
    pub kept: String,
    /// The ids of the rows that were deleted. Nothing for a [dry run](Request::dry_run).
    pub removed: Vec<String>,
}

/// # Repair a name that has several rows
impl<M> Client<Xtra, M> {
    /// Leaves one row of a secret that the service has several rows of, and deletes the others for good, with their histories.
    ///
    /// The service may hold several rows of one name in one place: its own dashboard makes them, and so do two first writes in
    /// the same moment. It then changes the first on a write, and lets reads return the last, so that what is written is never
    /// read. The row that reads return stays, unless [`keep`](Request::keep) names another. A [dry run](Request::dry_run)
    /// shows the rows and deletes none.
    ///
    /// The rows are looked up, the others deleted one by one, and the rows are looked up again: nothing but the one row must be
    /// there, and reads must return it. Two requests are sent on a branch and three on `main` (four for a service account) to
    /// show the rows; a repair sends as many again, and one for each row that goes. The client's snapshots of the project leave
    /// the cache.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such branch, or no such secret;
    /// [`Invalid`](crate::ErrorKind::Invalid), with nothing deleted, when the row to keep is none of them, or reads return none
    /// of them and none is named, or the secret is there in another spelling of the environment too (see
    /// [`exact`](Request::exact)); [`Forbidden`](crate::ErrorKind::Forbidden) when the token may not delete, or what is read is
    /// shown to users only; [`Conflict`](crate::ErrorKind::Conflict) when the rows changed meanwhile;
    /// [`Incomplete`](crate::ErrorKind::Incomplete) when rows are left, which the message names by id, or another one is read;
    /// [`Unconfirmed`](crate::ErrorKind::Unconfirmed) when production is protected; and those of any call.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{XtraClient, dev_server::{DevServer, SecretSeed}};
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// use xtrasecurity::xtra::write::Written;
    ///
    /// client.set_secret("staging", "PORT", "1").await?;
    /// server.add_secret("demo", SecretSeed::new("staging", "PORT", "2"))?; // a second row, as the dashboard makes it
    /// assert_eq!(client.set_secret("staging", "PORT", "3").await?, Written::Unconfirmed);
    ///
    /// let plan = client.repair_secret("staging", "PORT").dry_run().await?;
    /// assert_eq!(plan.rows.len(), 2);
    /// client.repair_secret("staging", "PORT").await?; // the row that is read stays
    /// assert_eq!(client.set_secret("staging", "PORT", "3").await?, Written::Updated);
    /// # Ok(())
    /// # }
    /// ```
    pub fn repair_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        name: impl Into<String>,
    ) -> Request<'a, Xtra, RepairSecret, M> {
        let operation = RepairSecret { key: name.into(), keep: None, dry_run: false, options: WriteOptions::default() };
        self.request(XtraScope::new(environment), operation)
    }
}

impl<M> Request<'_, Xtra, RepairSecret, M> {
    /// The id of the row that stays, in place of the one that reads return.
    pub fn keep(mut self, row: impl Into<String>) -> Self {
        self.operation.keep = Some(row.into());
        self
    }

    /// Shows the rows, and which of them would stay, but deletes none.
    pub fn dry_run(mut self) -> Self {
        self.operation.dry_run = true;
        self
    }
}

impl Operation for RepairSecret {
    const NAME: &'static str = "repair_secret";
    type Source = Xtra;
    type Output = Repaired;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Repaired, XtraError> {
        let Self { key, keep, dry_run, options } = self;
        let place = call.place().await?;
        if !dry_run {
            call.confirm(options, &place.environment)?;
        }
        // secrets of any environment may be links to a row, and go with it
        let _changing = (!dry_run).then(|| call.changing(&place.project));
        let target = Target { place: &place, key: &key, exact: options.is_exact() };
        call.source().repair(target, keep.as_deref(), dry_run).await
    }
}

writes!(RepairSecret);

impl Xtra {
    /// Shows the rows of a secret, and leaves one of them.
    async fn repair(&self, target: Target<'_>, keep: Option<&str>, dry_run: bool) -> Result<Repaired, XtraError> {
        let (rows, read) = self.rows_and_read(target).await?;
        let shown = rows.iter().enumerate().map(|(number, row)| SecretRow::of(row, Some(number) == read)).collect();
        let kept = match keep {
            Some(id) => rows.iter().find(|row| row.id == id).ok_or_else(|| unknown_row(target, id, &rows))?,
            None => match (rows.as_slice(), read.and_then(|read| rows.get(read))) {
                (_, Some(row)) | ([row], None) => row,
                _ => return Err(unread(target, &rows)),
            },
        };
        let others: Vec<_> = rows.iter().filter(|row| row.id != kept.id).cloned().collect();
        let mut repaired = Repaired { rows: shown, kept: kept.id.clone(), removed: Vec::new() };
        if dry_run || others.is_empty() {
            return Ok(repaired);
        }
        let deleted = self.delete_rows(target, &others, 0).await?;
        self.check_repaired(target, kept, deleted).await?;
        repaired.removed = others.into_iter().map(|row| row.id).collect();
        Ok(repaired)
    }

    /// Every row of the secret in this place, and which of them reads return.
    async fn rows_and_read(&self, target: Target<'_>) -> Result<(Vec<Row>, Option<usize>), XtraError> {
        let found = self.stored_rows(target).await?;
        found.check_spelling(target)?;
        let is_mixed = !found.spellings.is_empty();
        let (rows, all) = self.every_row(target, found).await?;
        if is_mixed {
            // reads mix the two spellings, so the last row of the one that is meant counts
            let last = rows.len().checked_sub(1);
            return Ok((rows, last));
        }
        let look = self.current_state(target.place).await?;
        let Some(seen) = look.get(target.key) else { return Ok((rows, None)) };
        match rows.iter().rposition(|row| self.shows(target, row, seen)) {
            Some(read) => Ok((rows, Some(read))),
            None if all => Err(moved(target)),
            None => Err(out_of_reach(target)),
        }
    }

    /// The rows of the branch, and on `main` those that hang on none; and whether these are all. In the order of reads, as far
    /// as the service tells it.
    async fn every_row(&self, target: Target<'_>, found: StoredRows) -> Result<(Vec<Row>, bool), XtraError> {
        if found.are_all || !target.place.is_on_main() {
            return found.or_absent(target).map(|rows| (rows, true));
        }
        let (loose, all) = match self.listed_rows(target).await? {
            Some(listed) => (listed, true),
            None => match self.first_row(target).await? {
                FirstRow::Row(row) if row.branch.is_none() => (vec![row], false),
                FirstRow::Nothing => (Vec::new(), true),
                FirstRow::Row(_) | FirstRow::Unknown => (Vec::new(), false),
            },
        };
        let loose = loose.into_iter().filter(|row| row.environment == target.place.environment);
        let mut found = found;
        found.here.extend(loose);
        // ids begin with the second in which they were made
        found.here.sort_by(|one, other| one.id.cmp(&other.id));
        found.or_absent(target).map(|rows| (rows, all))
    }

    /// Reads again: nothing but the row that stays must be there, and reads must return it.
    async fn check_repaired(&self, target: Target<'_>, kept: &Row, deleted: usize) -> Result<(), XtraError> {
        let unknown = |error: XtraError| {
            let told = format!("{deleted} rows are deleted; this was to see what is read now");
            error.with_note(told).with_names([target.key]).with_unknown_outcome()
        };
        let found = self.stored_rows(target).await.map_err(unknown)?;
        let is_mixed = !found.spellings.is_empty();
        let (rows, _) = self.every_row(target, found).await.map_err(unknown)?;
        let left: Vec<_> = rows.into_iter().filter(|row| row.id != kept.id).collect();
        let look = self.current_state(target.place).await.map_err(unknown)?;
        let is_kept = |seen: &Existing| self.shows(target, kept, seen);
        let incomplete = |message: String| {
            Err(XtraError::new(ErrorKind::Incomplete, message).with_names([target.key]).with_unknown_outcome())
        };
        if !left.is_empty() {
            return incomplete(format!(
                "{deleted} rows of {} are deleted, and others are left, or were made meanwhile{}. Repair it again",
                target.shown(),
                told(&left)
            ));
        }
        match look.get(target.key) {
            Some(seen) if is_mixed || is_kept(seen) => Ok(()),
            // what resolves to nothing, or is not for this caller, was not read before either
            None => Ok(()),
            Some(seen) => incomplete(format!(
                "{deleted} rows of {} are deleted, and what is read now is not the row that was kept ({}), but version {}: \
                 somebody has written meanwhile, or there is another row, which is not shown to this caller",
                target.shown(),
                shown_name(&kept.id),
                shown_version(&seen.version)
            )),
        }
    }
}

impl SecretRow {
    fn of(row: &Row, is_read: bool) -> Self {
        Self {
            id: row.id.clone(),
            version: row.version.clone(),
            is_link: row.linked,
            has_branch: row.branch.is_some(),
            updated_at: row.updated_at,
            updated_by: row.updated_by.clone(),
            is_read,
        }
    }
}

impl StoredRows {
    fn or_absent(self, target: Target<'_>) -> Result<Vec<Row>, XtraError> {
        if self.here.is_empty() { Err(self.absent(target)) } else { Ok(self.here) }
    }
}

fn ids(rows: &[Row]) -> String {
    let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
    named(&ids)
}

fn unknown_row(target: Target<'_>, id: &str, rows: &[Row]) -> XtraError {
    let message =
        format!("nothing was changed: {} has no row {}. It has {}", target.shown(), shown_name(id), ids(rows));
    XtraError::new(ErrorKind::Invalid, message).with_names([target.key])
}

/// No row is what reads return, so the caller has to say which one stays.
fn unread(target: Target<'_>, rows: &[Row]) -> XtraError {
    let message =
        format!("nothing was changed: reads return none of the rows of {}. It has {}", target.shown(), ids(rows));
    XtraError::new(ErrorKind::Invalid, message).with_names([target.key]).with_hint(Hint::KeepRow)
}
