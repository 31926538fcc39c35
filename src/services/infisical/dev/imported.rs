//! The secrets that imports bring into a folder.

use std::collections::BTreeSet;

use super::access::Actor;
use super::database::{Database, Location};
use super::expansion::{Expansion, Value};
use super::refusal::Refusal;
use super::rows::{Folder, Import, Secret};
use super::seed::Action;

/// How deep imports of imports are followed today.
const DEPTH: usize = 10;

/// The secrets of one import.
pub(super) struct Block<'a> {
    pub(super) path: &'a str,
    /// The slug of the environment.
    pub(super) environment: &'a str,
    pub(super) folder: Option<&'a str>,
    pub(super) rows: Vec<Row<'a>>,
}

/// A secret, with the environment and the path that its import names.
pub(super) struct Row<'a> {
    pub(super) secret: &'a Secret,
    pub(super) environment: &'a str,
    pub(super) path: &'a str,
}

impl Row<'_> {
    /// Its value with references expanded where it is; the value itself where that fails.
    pub(super) fn expanded(&self, expansion: &Expansion) -> String {
        let secret = self.secret;
        if expansion.database.generation.is_august() {
            return self.expanded_with_folder(expansion);
        }
        let value = Value {
            text: &secret.value,
            environment: self.environment,
            path: self.path,
            skips_multiline_encoding: secret.skips_multiline_encoding == Some(true),
        };
        expansion.expanded(&value, false).unwrap_or_else(|_| secret.value.clone())
    }

    /// August 2024: the whole folder is expanded at once.
    fn expanded_with_folder(&self, expansion: &Expansion) -> String {
        let values: Vec<_> = expansion
            .database
            .secrets_in(&self.secret.folder, None)
            .into_iter()
            .map(|secret| (secret.key.clone(), secret.value.clone(), secret.skips_multiline_encoding == Some(true)))
            .collect();
        expansion.expanded_folder(&values).remove(&self.secret.key).unwrap_or_default()
    }
}

fn slug_of<'a>(database: &'a Database, import: &Import) -> &'a str {
    database.environment_by_id(&import.environment).map_or("", |environment| &environment.slug)
}

fn source<'a>(database: &'a Database, import: &Import) -> Option<&'a Folder> {
    database.folder_at(&import.environment, &import.path)
}

fn rows<'a>(database: &'a Database, folder: &'a Folder, import: &'a Import) -> Vec<Row<'a>> {
    let (environment, path) = (slug_of(database, import), import.path.as_str());
    let found = database.secrets_in(&folder.id, None).into_iter();
    found.map(|secret| Row { secret, environment, path }).collect()
}

/// The blocks of the imports of a folder, in the order of their positions, without those that an actor may not read.
pub(super) fn blocks<'a>(
    database: &'a Database,
    actor: &Actor,
    project: &str,
    folder: &str,
) -> Result<Vec<Block<'a>>, Refusal> {
    let readable = |import: &&Import| {
        let location = Location { project, environment: slug_of(database, import), path: &import.path };
        database.may(actor, Action::Read, location)
    };
    let imports: Vec<&Import> = database.imports_of(folder).into_iter().filter(readable).collect();
    if database.generation.is_current() {
        return Ok(imports.into_iter().filter_map(|import| whole_block(database, import)).collect());
    }
    let sources: Vec<&Folder> = imports.iter().filter_map(|import| source(database, import)).collect();
    if database.generation.is_august() && sources.len() < imports.len() {
        let message = "Cannot read properties of undefined (reading '0')";
        return Err(Refusal::new(500, "Internal Server Error", message));
    }
    if sources.is_empty() {
        return Ok(Vec::new());
    }
    Ok(shifted_blocks(database, &imports, &sources))
}

/// The blocks of 2024: where a source is missing, the later ones take its label and those before them; of the imports of a source
/// the first alone is followed.
fn shifted_blocks<'a>(database: &'a Database, imports: &[&'a Import], sources: &[&'a Folder]) -> Vec<Block<'a>> {
    let mut blocks = Vec::new();
    for (index, import) in imports.iter().enumerate() {
        let folder = sources.get(index);
        blocks.push(Block {
            path: &import.path,
            environment: slug_of(database, import),
            folder: folder.map(|folder| folder.id.as_str()),
            rows: folder.map(|folder| rows(database, folder, import)).unwrap_or_default(),
        });
    }
    let mut seen: BTreeSet<(&str, &str)> =
        imports.iter().map(|import| (import.environment.as_str(), import.path.as_str())).collect();
    // The last import is followed first.
    for (block, folder) in blocks.iter_mut().zip(sources).rev() {
        let mut at = Some(*folder);
        while let Some(folder) = at {
            let nested = database.imports_of(&folder.id);
            let fresh = |import: &&&Import| !seen.contains(&(import.environment.as_str(), import.path.as_str()));
            let first = nested.iter().find(fresh).copied();
            seen.extend(nested.iter().map(|import| (import.environment.as_str(), import.path.as_str())));
            at = first.and_then(|import| source(database, import));
            if let (Some(import), Some(folder)) = (first, at) {
                block.rows.extend(rows(database, folder, import));
            }
        }
        keep_first(&mut block.rows);
    }
    blocks
}

/// Of rows of one name the first is kept.
fn keep_first(rows: &mut Vec<Row>) {
    let mut names = BTreeSet::new();
    rows.retain(|row| names.insert(row.secret.key.as_str()));
}

/// The block of an import today: with all that its source imports, the nearest first.
fn whole_block<'a>(database: &'a Database, import: &'a Import) -> Option<Block<'a>> {
    let folder = source(database, import)?;
    let mut seen = BTreeSet::from([(import.environment.as_str(), import.path.as_str())]);
    let mut found = rows(database, folder, import);
    let mut level = vec![folder];
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        for folder in level {
            for nested in database.imports_of(&folder.id).into_iter().rev() {
                if seen.insert((nested.environment.as_str(), nested.path.as_str()))
                    && let Some(folder) = source(database, nested)
                {
                    found.extend(rows(database, folder, nested));
                    next.push(folder);
                }
            }
        }
        level = next;
    }
    keep_first(&mut found);
    Some(Block { path: &import.path, environment: slug_of(database, import), folder: Some(&folder.id), rows: found })
}
