//! A `.env` file on disk: read whole and strictly at each load, or refused with what is wrong with it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Document, EncryptedBy, Entry};
use crate::core::file::{self, FileError};
use crate::core::{ErrorKind, Hint, SecretValue, XtraError, events};

/// A `.env` file. It is looked at when it is read.
#[derive(Debug)]
pub(crate) struct EnvFile {
    path: PathBuf,
    /// What the messages begin with.
    what: &'static str,
    /// Once is enough: a warning at every load would be read by nobody.
    warned: AtomicBool,
}

/// Why a file gave nothing. Its path is told, and nothing of what is in it.
pub(crate) enum Failure {
    Missing(XtraError),
    Unusable(XtraError),
}

impl EnvFile {
    pub(crate) fn new(path: PathBuf, what: &'static str) -> Self {
        Self { path, what, warned: AtomicBool::new(false) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The assignments of the file. It blocks for as long as the disk takes.
    pub(crate) fn read(&self) -> Result<Vec<(String, SecretValue)>, Failure> {
        let content = file::read(&self.path).map_err(|why| match self.unusable(&why) {
            error if matches!(why, FileError::Missing) => {
                Failure::Missing(error.with_hint(Hint::advice("Create it with a line NAME=VALUE for each secret")))
            }
            error => Failure::Unusable(error),
        })?;
        if file::is_open_to_others(&self.path) && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(target: events::SERVICE, path = ?self.path, "other users can read this file, and it holds secrets: take their rights away");
        }
        self.pairs(&content).map_err(Failure::Unusable)
    }

    fn pairs(&self, content: &[u8]) -> Result<Vec<(String, SecretValue)>, XtraError> {
        if let Some(tool) = EncryptedBy::of_file(content) {
            return Err(self.encrypted(tool, "the file is"));
        }
        let text = std::str::from_utf8(content).map_err(|_| self.unusable(&FileError::NotUnicode))?;
        let document = Document::parse(text);
        self.refuse_ciphertext(&document)?;
        document.into_pairs().map_err(|flaws| {
            XtraError::new(ErrorKind::Config, format!("{}{}, {flaws}", self.what, self.path.display()))
        })
    }

    /// Refuses what a tool has put in the place of values: a program would connect with it.
    fn refuse_ciphertext(&self, document: &Document) -> Result<(), XtraError> {
        let of = |entry: &Entry| EncryptedBy::of_value(entry.value.expose()).map(|tool| (tool, entry.line));
        match document.entries.iter().find_map(of) {
            Some((tool, line)) => Err(self.encrypted(tool, &format!("from line {line} on, values are"))),
            None => Ok(()),
        }
    }

    fn encrypted(&self, tool: EncryptedBy, what: &str) -> XtraError {
        let message = format!("{}{}: {what} encrypted by {tool}", self.what, self.path.display());
        let command = tool.decrypting_command();
        let advice = format!("Decrypt it first, into a file that only you can read ({command})");
        XtraError::new(ErrorKind::Config, message).with_hint(Hint::advice(advice))
    }

    fn unusable(&self, why: &FileError) -> XtraError {
        let message = format!("{}no secrets from {}: {why}", self.what, self.path.display());
        why.attached_to(XtraError::new(ErrorKind::Config, message))
    }
}
