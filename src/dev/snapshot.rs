//! The state file: the state of a server on disk, so that it outlives the process.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::DevServerError;

/// The form of the file. One of another form is refused.
const FORMAT: u32 = 1;

/// The state of a server and the tokens of its callers by name.
#[derive(Deserialize)]
pub(crate) struct Seeded<S> {
    #[serde(rename = "world")]
    pub(crate) state: S,
    pub(crate) tokens: BTreeMap<String, String>,
}

/// The file that the state is written to, and the tokens that go with it. (Its member `world` is the state.)
pub(crate) struct StateFile {
    path: PathBuf,
    tokens: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Written<'a, S> {
    format: u32,
    tokens: &'a BTreeMap<String, String>,
    #[serde(rename = "world")]
    state: &'a S,
}

/// The beginning of the file, read first, so that a file of another form is told from a broken one.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

/// The state in a file; nothing when there is no file.
pub(crate) fn load<S: DeserializeOwned>(path: &Path) -> Result<Option<Seeded<S>>, DevServerError> {
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
    serde_json::from_slice(&text).map(Some).map_err(broken)
}

fn failed(path: &Path, error: io::Error) -> DevServerError {
    DevServerError::StateFile { path: path.to_owned(), error }
}

impl StateFile {
    pub(crate) fn new(path: PathBuf, tokens: BTreeMap<String, String>) -> Self {
        StateFile { path, tokens }
    }

    /// Replaces the file in one step: a process that is killed meanwhile leaves the old one or the new one.
    pub(crate) fn save<S: Serialize>(&self, state: &S) -> Result<(), DevServerError> {
        let written = Written { format: FORMAT, tokens: &self.tokens, state };
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
