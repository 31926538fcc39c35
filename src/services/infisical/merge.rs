//! The merging of a list: of the rows that a server sends, the value that counts for each name.
//!
//! A secret of the folder itself wins over imports, and of two imports the last. In the block of one import the first row of a
//! name wins: behind the secrets of the source folder come those that it imports itself. Two shared rows of one name in one
//! folder are a fault of the store, of which servers read one and change another: then no value counts.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::scope::{CheckedScope, ProjectName, is_within};
use super::wire::{Block, List, Row};
use crate::core::{ErrorKind, Hint, SecretValue, Unreadable, UnreadableReason, XtraError};

/// What a list comes to.
#[derive(Default)]
pub(super) struct Merged {
    pub(super) values: Vec<(String, SecretValue)>,
    pub(super) unreadable: Vec<Unreadable>,
    /// Places in `values` of those that still hold a reference although they were to be expanded.
    pub(super) unexpanded: Vec<Unexpanded>,
}

/// A value that still holds a reference.
pub(super) struct Unexpanded {
    /// Its place among the values.
    pub(super) at: usize,
    /// The folder that it is read from by its name.
    pub(super) folder: String,
    pub(super) imported: bool,
    pub(super) personal: bool,
}

/// Where a row that counts came from.
enum Place {
    Own { folder: String, personal: bool },
    Imported,
}

/// The row that counts for each name; nothing for a name that has more than one, of which nothing tells which counts.
type Found = HashMap<String, Option<(Row, Place)>>;

/// The rows of the folders that were asked for, in the order sent: of another folder none may be taken for these.
pub(super) fn own_rows(mut rows: Vec<Row>, asked: &CheckedScope) -> Result<Vec<Row>, XtraError> {
    let mut checked = Ok(());
    rows.retain(|row| {
        let is_own = checked.is_ok().then(|| is_own(row, asked)).transpose();
        is_own.map_err(|error| checked = Err(error)).is_ok_and(|is_own| is_own == Some(true))
    });
    checked.map(|()| rows)
}

fn is_own(row: &Row, asked: &CheckedScope) -> Result<bool, XtraError> {
    check_place(row, asked)?;
    // the server takes /apple for a folder below /app
    let is_elsewhere = asked.recursive && row.secret_path.as_deref().is_some_and(|path| !is_within(path, &asked.path));
    Ok(!is_elsewhere && has_metadata(row, asked)?)
}

/// Fails for a row of another place than the one that was asked for: a token of one scope silently reads that, whatever is
/// asked for.
fn check_place(row: &Row, asked: &CheckedScope) -> Result<(), XtraError> {
    let workspace = row.workspace.as_deref().filter(|id| !id.is_empty());
    let which = match (workspace, row.environment.as_deref(), row.secret_path.as_deref()) {
        (Some(id), ..) if is_other_project(id, asked) => "another project",
        (_, Some(slug), _) if slug != asked.environment => "another environment",
        (_, _, Some(folder)) if !asked.recursive && folder != asked.path => "another folder",
        _ => return Ok(()),
    };
    let message = format!("the server has answered with secrets of {which} than was asked for");
    Err(XtraError::new(ErrorKind::Invalid, message).with_hint(Hint::advice(
        "Ask for what the token is of, or use another token: some service tokens read one place whatever is asked for",
    )))
}

fn is_other_project(id: &str, asked: &CheckedScope) -> bool {
    matches!(&asked.project, Some(ProjectName::Id(asked)) if !asked.eq_ignore_ascii_case(id))
}

/// Whether a row has the metadata that is asked for. A server that knows of none sends all rows.
fn has_metadata(row: &Row, asked: &CheckedScope) -> Result<bool, XtraError> {
    if asked.metadata.is_empty() {
        return Ok(true);
    }
    let Some(known) = &row.secret_metadata else {
        let message = "this server knows of no metadata: it is older than the filter by it";
        return Err(XtraError::new(ErrorKind::Invalid, message).with_hint(Hint::advice("Filter by a tag or a folder")));
    };
    let has = |(name, value): &(String, String)| {
        known.iter().any(|entry| entry.key == *name && entry.value.as_deref().unwrap_or_default() == value)
    };
    Ok(asked.metadata.iter().all(has))
}

/// The value that counts for each name.
pub(super) fn merge(list: List, asked: &CheckedScope) -> Result<Merged, XtraError> {
    let own = own_rows(list.secrets, asked)?;
    let mut found = Found::with_capacity(own.len());
    for mut row in own {
        let folder = row.secret_path.take().unwrap_or_else(|| asked.path.clone());
        let place = Place::Own { folder, personal: row.is_personal() };
        take_own(&mut found, row, place, asked.personal);
    }
    for Block { secrets, .. } in list.imports.into_iter().flatten().rev() {
        for mut row in secrets.into_iter().flatten().filter(|row| !row.is_personal()) {
            found.entry(std::mem::take(&mut row.name)).or_insert(Some((row, Place::Imported)));
        }
    }
    Ok(sorted_out(found, asked))
}

fn take_own(found: &mut Found, mut row: Row, place: Place, personal: bool) {
    if row.is_personal() && !personal {
        return;
    }
    match found.entry(std::mem::take(&mut row.name)) {
        Entry::Vacant(entry) => {
            entry.insert(Some((row, place)));
        }
        Entry::Occupied(mut entry) => {
            let kept = match entry.get() {
                Some((kept, Place::Own { folder, .. })) => rank(kept, folder, &row, &place),
                _ => Kept::Neither,
            };
            match kept {
                Kept::Before => {}
                Kept::New => drop(entry.insert(Some((row, place)))),
                Kept::Neither => drop(entry.insert(None)),
            }
        }
    }
}

/// Which of two rows of one name counts.
enum Kept {
    Before,
    New,
    Neither,
}

/// A personal value takes the place of the shared one beside it.
fn rank(before: &Row, folder: &str, row: &Row, place: &Place) -> Kept {
    let Place::Own { folder: other, .. } = place else { return Kept::Neither };
    match (folder == other, before.is_personal(), row.is_personal()) {
        (true, true, false) => Kept::Before,
        (true, false, true) => Kept::New,
        _ => Kept::Neither,
    }
}

fn sorted_out(found: Found, asked: &CheckedScope) -> Merged {
    let mut merged = Merged { values: Vec::with_capacity(found.len()), ..Merged::default() };
    for (name, found) in found {
        let Some((row, place)) = found else {
            merged.unreadable.push(Unreadable::new(name, UnreadableReason::Ambiguous));
            continue;
        };
        // an old server sends values all the same
        let Some(value) = row.into_value().filter(|_| !asked.hidden) else {
            merged.unreadable.push(Unreadable::new(name, UnreadableReason::Masked));
            continue;
        };
        if asked.expand && holds_reference(value.expose()) {
            let at = merged.values.len();
            merged.unexpanded.push(match place {
                Place::Own { folder, personal } => Unexpanded { at, folder, imported: false, personal },
                Place::Imported => Unexpanded { at, folder: asked.path.clone(), imported: true, personal: false },
            });
        }
        merged.values.push((name, value));
    }
    merged
}

/// Whether a value holds what looks like a reference.
pub(super) fn holds_reference(value: &str) -> bool {
    value.contains("${")
}

/// How many it holds.
pub(super) fn references(value: &str) -> usize {
    value.matches("${").count()
}

#[cfg(test)]
mod tests;
