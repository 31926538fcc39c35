//! A migration from Infisical to XtraSecurity: what would be written is planned first, and written only if nothing gets lost.
//!
//! XtraSecurity has no folders. The path of a folder becomes the beginning of its secrets' names, or is left out. A folder gives
//! what a program reads from it: with what it imports, and with references in values replaced by what they name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use xtrasecurity::infisical::InfisicalClient;
use xtrasecurity::{ErrorKind, SecretValue, Secrets, XtraClient, XtraError};

/// What becomes of the path of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// `PASSWORD` in `/app/db` becomes `APP_DB_PASSWORD`.
    WithFolder,
    /// `PASSWORD` stays `PASSWORD`. Two folders with two values of one name are a conflict.
    NameAlone,
}

/// Where secrets come from.
#[derive(Debug, Clone, Copy)]
pub struct From<'a> {
    pub client: &'a InfisicalClient,
    pub environment: &'a str,
    /// Folders that hold nothing but imports: no list of secrets names them. Those with secrets of their own are found.
    pub folders_of_imports: &'a [&'a str],
    pub naming: Naming,
}

/// Where they go.
#[derive(Debug, Clone, Copy)]
pub struct To<'a> {
    pub client: &'a XtraClient,
    pub environment: &'a str,
}

/// What a migration would do. `Debug` shows no value.
#[derive(Debug)]
pub struct Plan {
    /// The secrets to write, by the names that they get.
    pub create: BTreeMap<String, Origin>,
    /// Those that are there with the same value.
    pub present: Vec<String>,
    /// Why nothing can be written: name and reason.
    pub conflicts: Vec<(String, String)>,
    /// The target as the plan was made for it.
    target: Arc<Secrets>,
}

/// A secret of the source.
#[derive(Debug)]
pub struct Origin {
    pub folder: String,
    value: SecretValue,
}

/// Reads both sides and writes nothing.
pub async fn plan(from: From<'_>, to: To<'_>) -> Result<Plan, XtraError> {
    let (mut create, mut conflicts) = source(from).await?;
    // a value that is hidden from us there may still be another one
    let target = to.client.get_secrets(to.environment).no_cache().allow_unreadable().await?;
    for unreadable in target.unreadable() {
        if create.remove(&unreadable.name).is_some() {
            conflicts.push((unreadable.name.clone(), "is in the target, with a value that cannot be read".to_owned()));
        }
    }
    let mut present = Vec::new();
    for (name, value) in target.iter() {
        let Some(origin) = create.remove(name) else { continue };
        match origin.value == *value {
            true => present.push(name.to_owned()),
            false => {
                conflicts.push((name.to_owned(), format!("{}: is in the target with another value", origin.folder)))
            }
        }
    }
    let problems = to.client.set_secrets(to.environment, pairs(&create)).problems();
    conflicts.extend(problems.into_iter().map(|problem| (problem.name, problem.problem)));
    conflicts.sort();
    Ok(Plan { create, present, conflicts, target })
}

/// The secrets of every folder, by their new names, and those that would get lost.
async fn source(from: From<'_>) -> Result<(BTreeMap<String, Origin>, Vec<(String, String)>), XtraError> {
    let rows = from.client.list_secrets(from.environment).path("/").recursive().await?;
    let mut folders: BTreeSet<&str> = rows.iter().map(|row| &*row.folder).collect();
    folders.extend(from.folders_of_imports);
    let (mut found, mut conflicts) = (BTreeMap::<String, Origin>::new(), Vec::new());
    for folder in folders {
        let secrets = from.client.get_secrets(from.environment).path(folder).no_cache().allow_unreadable().await?;
        for unreadable in secrets.unreadable() {
            let name = new_name(folder, &unreadable.name, from.naming);
            conflicts.push((name, format!("{folder}: cannot be read ({:?})", unreadable.reason)));
        }
        for (name, value) in secrets.iter() {
            let name = new_name(folder, name, from.naming);
            match found.get(&name) {
                Some(other) if other.value != *value => {
                    conflicts.push((name, format!("{} and {folder}: two values of one name", other.folder)));
                }
                Some(_) => {}
                None => {
                    found.insert(name, Origin { folder: folder.to_owned(), value: value.clone() });
                }
            }
        }
    }
    Ok((found, conflicts))
}

fn new_name(folder: &str, name: &str, naming: Naming) -> String {
    match naming {
        Naming::NameAlone => name.to_owned(),
        Naming::WithFolder => {
            let parts = folder.split('/').filter(|part| !part.is_empty());
            let prefix: String = parts.map(|part| part.to_uppercase().replace('-', "_") + "_").collect();
            prefix + name
        }
    }
}

fn pairs(create: &BTreeMap<String, Origin>) -> Vec<(String, SecretValue)> {
    create.iter().map(|(name, origin)| (name.clone(), origin.value.clone())).collect()
}

/// Writes what is planned, unless there are conflicts or the target has changed since. What was there is never overwritten. In the
/// end the target is read again: each secret has its value, or this is an error that names those that have not.
pub async fn apply(plan: &Plan, to: To<'_>) -> Result<usize, XtraError> {
    if !plan.conflicts.is_empty() {
        let names = plan.conflicts.iter().map(|(name, _)| name.as_str());
        return Err(
            XtraError::new(ErrorKind::Conflict, "nothing was written: the plan has conflicts").with_names(names)
        );
    }
    if plan.create.is_empty() {
        return Ok(0);
    }
    let write = to.client.set_secrets(to.environment, pairs(&plan.create)).if_unchanged(&plan.target);
    let written = write.verify().await?.created.len();
    let after = to.client.get_secrets(to.environment).no_cache().await?;
    let lost = plan.create.iter().filter(|(name, origin)| after.get(name) != Some(&origin.value));
    let lost: Vec<&str> = lost.map(|(name, _)| name.as_str()).collect();
    match lost.is_empty() {
        true => Ok(written),
        false => Err(XtraError::new(ErrorKind::Incomplete, "the target holds other values").with_names(lost)),
    }
}
