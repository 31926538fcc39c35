//! The state of a server in a file, so that it outlives the process.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;

use serde::{Deserialize, Serialize};

use super::error::DevServerError;
use super::limits::{Limiter, RateLimits};
use super::plant::Planted;
use super::state::World;

/// The form of the file. One of another form is refused.
const FORMAT: u32 = 1;

/// Where the state is written to, with what is no part of the world.
pub(super) struct Store {
    path: PathBuf,
    tokens: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    tokens: &'a BTreeMap<String, String>,
    world: &'a World,
}

/// What is looked at first, so that a file of another form is told from a broken one.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

#[derive(Deserialize)]
struct Whole {
    tokens: BTreeMap<String, String>,
    world: World,
}

/// The state in a file; nothing when there is no file.
pub(super) fn load(path: &Path, limits: RateLimits) -> Result<Option<Planted>, DevServerError> {
    // Read at once, not through the runtime: that would start a thread.
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, error)),
    };
    let broken = |error: serde_json::Error| DevServerError::StateSyntax {
        path: path.to_owned(),
        line: error.line(),
        column: error.column(),
    };
    let Head { format } = serde_json::from_slice(&text).map_err(broken)?;
    if format != FORMAT {
        return Err(DevServerError::StateFormat { path: path.to_owned(), format });
    }
    let Whole { tokens, mut world } = serde_json::from_slice(&text).map_err(broken)?;
    world.limiter = Limiter::new(limits);
    Ok(Some(Planted { world, tokens }))
}

fn failed(path: &Path, error: io::Error) -> DevServerError {
    DevServerError::StateFile { path: path.to_owned(), error }
}

impl Store {
    pub(super) fn new(path: PathBuf, tokens: BTreeMap<String, String>) -> Self {
        Store { path, tokens }
    }

    /// Puts the state into the place of the one that was written before, at once: whoever is killed here leaves one or the
    /// other.
    pub(super) fn save(&self, world: &World) -> Result<(), DevServerError> {
        let written = Written { format: FORMAT, tokens: &self.tokens, world };
        let text = serde_json::to_vec(&written).map_err(|error| failed(&self.path, error.into()))?;
        let beside = self.beside();
        let saved = write_new(&beside, &text).and_then(|()| fs::rename(&beside, &self.path));
        saved.map_err(|error| {
            let _ = fs::remove_file(&beside);
            failed(&self.path, error)
        })
    }

    /// A name that no other process takes.
    fn beside(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", process::id()));
        self.path.with_file_name(name)
    }
}

fn write_new(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = match create(path) {
        // Left behind by a process of the same number.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            create(path)?
        }
        created => created?,
    };
    file.write_all(text)?;
    file.sync_all()
}

/// A new file, on Unix for its owner alone.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
