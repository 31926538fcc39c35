//! One row for a secret that has several.

use super::delete::told;
use super::look::Seen;
use super::names::{named, shown_version};
use super::rows::{First, Row, Rows, Target, moved, out_of_reach};
use crate::core::{ErrorKind, XtraError};
use crate::services::xtra::{Xtra, shown_name};

/// What is to be repaired.
pub(crate) struct Repairing<'a> {
    pub(crate) target: Target<'a>,
    /// The id of the row that stays; nothing for the one that reads return.
    pub(crate) keep: Option<&'a str>,
    /// The rows are told, and all of them stay.
    pub(crate) dry_run: bool,
}

/// What came of it.
pub(crate) struct Mended {
    pub(crate) rows: Vec<Shown>,
    /// The id of the row that stays.
    pub(crate) kept: String,
    /// The ids of the rows that are gone.
    pub(crate) removed: Vec<String>,
}

/// A row without its value.
pub(crate) struct Shown {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) linked: bool,
    pub(crate) has_branch: bool,
    pub(crate) updated_at: Option<String>,
    pub(crate) updated_by: Option<String>,
    /// It is what reads return.
    pub(crate) is_read: bool,
}

impl Xtra {
    /// Shows the rows of a secret, and leaves one of them.
    pub(crate) async fn repair(&self, repairing: Repairing<'_>) -> Result<Mended, XtraError> {
        let Repairing { target, keep, dry_run } = repairing;
        let (rows, read) = self.rows_and_read(target).await?;
        let shown = rows.iter().enumerate().map(|(number, row)| Shown::of(row, Some(number) == read)).collect();
        let kept = match keep {
            Some(id) => rows.iter().find(|row| row.id == id).ok_or_else(|| unknown_row(target, id, &rows))?,
            None => match (rows.as_slice(), read.and_then(|read| rows.get(read))) {
                (_, Some(row)) | ([row], None) => row,
                _ => return Err(unread(target, &rows)),
            },
        };
        let others: Vec<_> = rows.iter().filter(|row| row.id != kept.id).cloned().collect();
        let mut mended = Mended { rows: shown, kept: kept.id.clone(), removed: Vec::new() };
        if dry_run || others.is_empty() {
            return Ok(mended);
        }
        let deleted = self.delete_rows(target, &others, 0).await?;
        self.check_repaired(target, kept, deleted).await?;
        mended.removed = others.into_iter().map(|row| row.id).collect();
        Ok(mended)
    }

    /// Every row of the secret in this place, and which of them reads return.
    async fn rows_and_read(&self, target: Target<'_>) -> Result<(Vec<Row>, Option<usize>), XtraError> {
        let found = self.rows(target).await?;
        found.check_spelling(target)?;
        let is_mixed = !found.spellings.is_empty();
        let (rows, all) = self.every_row(target, found).await?;
        if is_mixed {
            // reads mix the two spellings, so the last row of the one that is meant counts
            let last = rows.len().checked_sub(1);
            return Ok((rows, last));
        }
        let look = self.look(target.place).await?;
        let Some(seen) = look.get(target.key) else { return Ok((rows, None)) };
        match rows.iter().rposition(|row| self.shows(target, row, seen)) {
            Some(read) => Ok((rows, Some(read))),
            None if all => Err(moved(target)),
            None => Err(out_of_reach(target)),
        }
    }

    /// The rows of the branch, and on `main` those that hang on none; and whether these are all. In the order of reads, as far
    /// as the service tells it.
    async fn every_row(&self, target: Target<'_>, found: Rows) -> Result<(Vec<Row>, bool), XtraError> {
        if found.are_all || !target.place.is_on_main() {
            return found.or_absent(target).map(|rows| (rows, true));
        }
        let (loose, all) = match self.listed_rows(target).await? {
            Some(listed) => (listed, true),
            None => match self.first_row(target).await? {
                First::Row(row) if row.branch.is_none() => (vec![row], false),
                First::Nothing => (Vec::new(), true),
                First::Row(_) | First::Unknown => (Vec::new(), false),
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
            let told = format!(". {deleted} rows are deleted; this was to see what is read now");
            error.adding(&told).with_keys([target.key]).with_unknown_outcome()
        };
        let found = self.rows(target).await.map_err(unknown)?;
        let is_mixed = !found.spellings.is_empty();
        let (rows, _) = self.every_row(target, found).await.map_err(unknown)?;
        let left: Vec<_> = rows.into_iter().filter(|row| row.id != kept.id).collect();
        let look = self.look(target.place).await.map_err(unknown)?;
        let is_kept = |seen: &Seen| self.shows(target, kept, seen);
        let incomplete = |message: String| {
            Err(XtraError::new(ErrorKind::Incomplete, message).with_keys([target.key]).with_unknown_outcome())
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

impl Shown {
    fn of(row: &Row, is_read: bool) -> Self {
        Self {
            id: row.id.clone(),
            version: row.version.clone(),
            linked: row.linked,
            has_branch: row.branch.is_some(),
            updated_at: row.updated_at.clone(),
            updated_by: row.updated_by.clone(),
            is_read,
        }
    }
}

impl Rows {
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
    XtraError::new(ErrorKind::Invalid, message).with_keys([target.key])
}

/// No row is what reads return, so the caller has to say which one stays.
fn unread(target: Target<'_>, rows: &[Row]) -> XtraError {
    let message = format!(
        "nothing was changed: reads return none of the rows of {}. Say which one stays, with keep(..): {}",
        target.shown(),
        ids(rows)
    );
    XtraError::new(ErrorKind::Invalid, message).with_keys([target.key])
}
