//! The errors of a dev server that does not start, or cannot be changed.

use std::io;
use std::path::{Path, PathBuf};

/// Why a server did not start, or why its state could not be changed.
///
/// It names users, projects and files, never a secret value or a token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevServerError {
    /// No loopback port could be opened.
    #[error("the dev server could not open a loopback port")]
    Bind(#[source] io::Error),
    /// The operating system gave no random numbers for the key of the values at rest.
    #[error("the system gave no random numbers to the dev server")]
    Random,
    /// A seed file could not be read.
    #[error("the seed file {} cannot be read", path.display())]
    SeedFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// A seed file is not a seed. The text around the place is not quoted, because it may hold secrets.
    #[error("{} is not a seed: line {line}, column {column}", seed_name(path.as_deref()))]
    SeedSyntax {
        /// The file, when there is one.
        path: Option<PathBuf>,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A seed, or a call on a running server, names something that does not exist.
    #[error("the dev server knows no {what} {name:?}")]
    Unknown {
        /// What kind of thing: `user`, `project`, `branch` …
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A seed gives the same name, or the same token, to two things.
    #[error("the seed has the {what} {name:?} twice")]
    Duplicate {
        /// What kind of thing.
        what: &'static str,
        /// Its name; for a token, the name of its second holder.
        name: String,
    },
    /// The file of the state could not be read or written. Nothing was put into its place.
    #[error("the state file {} cannot be read or written", path.display())]
    StateFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// A file is not the state of a dev server, or is damaged. It is left as it is; to start anew, remove it. The text around
    /// the place is not quoted, because it holds secrets.
    #[error("{} is not the state of a dev server: line {line}, column {column}", path.display())]
    StateSyntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The file of the state was written by a version of this crate that writes another form. It is left as it is.
    #[error("the state file {} has the form {format}, which this version does not read", path.display())]
    StateFormat {
        /// The file.
        path: PathBuf,
        /// The number of its form.
        format: u32,
    },
    /// There is no tokio runtime to run on.
    #[error("the dev server needs a tokio runtime to run on")]
    NoRuntime,
}

impl DevServerError {
    pub(crate) fn unknown(what: &'static str, name: &str) -> Self {
        DevServerError::Unknown { what, name: name.to_owned() }
    }

    /// `serde_json` quotes the offending text, so only the place is kept.
    pub(crate) fn syntax(path: Option<&Path>, error: &serde_json::Error) -> Self {
        DevServerError::SeedSyntax { path: path.map(Path::to_owned), line: error.line(), column: error.column() }
    }
}

fn seed_name(path: Option<&Path>) -> String {
    path.map_or_else(|| "this".to_owned(), |path| path.display().to_string())
}
