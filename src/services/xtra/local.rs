//! Local mode: the secrets of a `.env` file in place of the service's.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::credentials::LOCAL_MODE;
use super::envelope::{self, Reading};
use crate::core::{ErrorKind, Hint, SecretValue, SnapshotSource, Unreadable, XtraError, events};
use crate::credentials::file::{self, FileError};
use crate::dotenv::{self, Document, EncryptedBy};
use crate::engine::Loaded;

/// A `.env` file that is read anew for each load.
pub(crate) struct LocalFile {
    path: PathBuf,
    /// Once is enough: a warning at every load would be read by nobody.
    warned: AtomicBool,
}

impl LocalFile {
    /// The file at `path`. It is not looked at yet.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, warned: AtomicBool::new(false) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn load(&self) -> Result<Loaded, XtraError> {
        let content = file::read(&self.path).map_err(|why| self.unusable(&why))?;
        if file::is_open_to_others(&self.path) && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(target: events::SERVICE, path = ?self.path, "other users can read this file, and it holds secrets: take their rights away");
        }
        if let Some(tool) = EncryptedBy::of_file(&content) {
            return Err(self.encrypted(tool, "the file is"));
        }
        let text = std::str::from_utf8(&content).map_err(|_| self.unusable(&FileError::NotUnicode))?;
        let document = Document::parse(text);
        self.refuse_ciphertext(&document)?;
        let pairs = document.into_pairs().map_err(|flaws| {
            XtraError::new(ErrorKind::Config, format!("local mode: {}, {flaws}", self.path.display()))
        })?;
        Ok(loaded(pairs))
    }

    /// Refuses what a tool has put in the place of values: a program would connect with it.
    fn refuse_ciphertext(&self, document: &Document) -> Result<(), XtraError> {
        let of = |entry: &dotenv::Entry| EncryptedBy::of_value(entry.value.expose()).map(|tool| (tool, entry.line));
        match document.entries.iter().find_map(of) {
            Some((tool, line)) => Err(self.encrypted(tool, &format!("from line {line} on, values are"))),
            None => Ok(()),
        }
    }

    fn encrypted(&self, tool: EncryptedBy, what: &str) -> XtraError {
        let message = format!("local mode: {}: {what} encrypted by {tool}", self.path.display());
        let command = tool.decrypting_command();
        let advice = format!("Decrypt it first, into a file that only you can read ({command})");
        XtraError::new(ErrorKind::Config, message).with_hint(Hint::advice(advice))
    }

    fn unusable(&self, why: &FileError) -> XtraError {
        let message = format!("local mode: no secrets from {}: {why}", self.path.display());
        let error = why.attached_to(XtraError::new(ErrorKind::Config, message));
        match why {
            FileError::Missing => error
                .with_hint(Hint::advice("Create it with a line NAME=VALUE for each secret"))
                .with_hint(Hint::LeaveLocalMode { variable: LOCAL_MODE }),
            _ => error,
        }
    }
}

/// The secrets of a file. What is not a value is none here either: such files are often made from what the service sent.
fn loaded(pairs: Vec<(String, SecretValue)>) -> Loaded {
    let mut values = Vec::with_capacity(pairs.len());
    let mut unreadable = Vec::new();
    for (name, value) in pairs {
        match envelope::read(value.expose()) {
            Reading::Plain => values.push((name, value)),
            Reading::Empty => values.push((name, SecretValue::new(String::new()))),
            Reading::Unreadable(reason) => unreadable.push(Unreadable::new(name, reason)),
        }
    }
    unreadable.sort_by(|one, other| one.name.cmp(&other.name));
    Loaded {
        values: values.into_iter().collect(),
        unreadable,
        source: SnapshotSource::LocalFile,
        doubt: None,
        validator: None,
    }
}

impl fmt::Debug for LocalFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalFile").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::core::UnreadableReason;

    fn failure(path: &Path) -> XtraError {
        LocalFile::new(path.to_owned()).load().unwrap_err()
    }

    #[test]
    fn a_file_that_cannot_be_used_is_an_error_that_names_it_and_quotes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".env.local");
        let missing = failure(&path);
        assert_eq!(missing.kind(), ErrorKind::Config);
        assert!(missing.to_string().contains("Create it with a line NAME=VALUE"), "{missing}");
        assert!(failure(dir.path()).to_string().contains("not a regular file"));
        for (content, expected) in [
            (&b"A=1\nhunter2\n"[..], "line 2: it is no comment"),
            (b"A=hunter2\nA=hunter2", "line 1 gives already"),
            (b"A=hunter2\xff", "not UTF-8"),
            (b"A=hunter2#\nhunter2\n", "; line 2: it is no comment"),
            (
                b"B=1\nA=ENC[AES256_GCM,data:hunter2,iv:x,tag:y,type:str]\n",
                "from line 2 on, values are encrypted by sops",
            ),
            (b"\0GITCRYPT\0\xff", "encrypted by git-crypt"),
        ] {
            fs::write(&path, content).unwrap();
            let error = failure(&path);
            assert_eq!(error.kind(), ErrorKind::Config);
            let text = format!("{error} {error:?}");
            assert!(text.contains(expected) && text.contains(".env.local") && !text.contains("hunter2"), "{text}");
        }
        fs::File::create(&path).unwrap().set_len(5 * 1024 * 1024).unwrap();
        assert!(failure(&path).to_string().contains("larger than"));
    }

    #[test]
    fn what_the_service_sends_in_a_value_s_place_is_no_value_in_a_file_either() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets");
        fs::write(&path, "C=***\nB='[Decryption failed]'\nA=1\nD=\n").unwrap();
        let loaded = LocalFile::new(path).load().unwrap();
        let expected = [("B", UnreadableReason::ServerCiphertext), ("C", UnreadableReason::Masked)];
        assert_eq!(loaded.unreadable, expected.map(|(name, reason)| Unreadable::new(name, reason)));
        let names: Vec<_> = loaded.values.names().collect();
        assert_eq!(names, ["A", "D"]);
    }
}
