//! What can go wrong before the server runs.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a server did not start, or why its state could not be changed.
///
/// It names users, projects and files, never a secret value or a token.
#[derive(Debug)]
#[non_exhaustive]
pub enum DevServerError {
    /// No loopback port could be opened.
    Bind(io::Error),
    /// The operating system gave no random numbers for the key of the values at rest.
    Random,
    /// A seed file could not be read.
    SeedFile {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A seed file is not a seed. The text around the place is not quoted, because it may hold secrets.
    SeedSyntax {
        /// The file, when there is one.
        path: Option<PathBuf>,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A seed, or a call on a running server, names something that does not exist.
    Unknown {
        /// What kind of thing: `user`, `project`, `branch` …
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A seed gives the same name, or the same token, to two things.
    Duplicate {
        /// What kind of thing.
        what: &'static str,
        /// Its name; for a token, the name of its second holder.
        name: String,
    },
    /// There is no tokio runtime to run on.
    NoRuntime,
}

impl DevServerError {
    pub(super) fn unknown(what: &'static str, name: &str) -> Self {
        DevServerError::Unknown { what, name: name.to_owned() }
    }

    /// `serde_json` quotes the offending text, so only the place is kept.
    pub(super) fn syntax(path: Option<&Path>, error: &serde_json::Error) -> Self {
        DevServerError::SeedSyntax { path: path.map(Path::to_owned), line: error.line(), column: error.column() }
    }
}

impl fmt::Display for DevServerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DevServerError::Bind(_) => formatter.write_str("the dev server could not open a loopback port"),
            DevServerError::Random => formatter.write_str("the system gave no random numbers to the dev server"),
            DevServerError::SeedFile { path, .. } => {
                write!(formatter, "the seed file {} cannot be read", path.display())
            }
            DevServerError::SeedSyntax { path: Some(path), line, column } => {
                write!(formatter, "{} is not a seed: line {line}, column {column}", path.display())
            }
            DevServerError::SeedSyntax { path: None, line, column } => {
                write!(formatter, "this is not a seed: line {line}, column {column}")
            }
            DevServerError::Unknown { what, name } => {
                write!(formatter, "the dev server knows no {what} {name:?}")
            }
            DevServerError::Duplicate { what, name } => {
                write!(formatter, "the seed has the {what} {name:?} twice")
            }
            DevServerError::NoRuntime => formatter.write_str("the dev server needs a tokio runtime to run on"),
        }
    }
}

impl std::error::Error for DevServerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            DevServerError::Bind(error) | DevServerError::SeedFile { error, .. } => Some(error),
            _ => None,
        }
    }
}
