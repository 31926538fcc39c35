//! Local mode: the secrets of a `.env` file in place of the service's.

use std::path::{Path, PathBuf};

use super::credentials::LOCAL_MODE;
use super::envelope::{self, Reading};
use crate::core::{Hint, SecretValue, SnapshotSource, Unreadable, XtraError};
use crate::dotenv::file::{EnvFile, Failure};
use crate::engine::Loaded;

/// A `.env` file that is read anew for each load.
#[derive(Debug)]
pub(crate) struct LocalFile(EnvFile);

impl LocalFile {
    /// The file at `path`. It is not looked at yet.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(EnvFile::new(path, "local mode: "))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn load(&self) -> Result<Loaded, XtraError> {
        let pairs = self.0.read().map_err(|failure| match failure {
            Failure::Missing(error) => error.with_hint(Hint::LeaveLocalMode { variable: LOCAL_MODE }),
            Failure::Unusable(error) => error,
        })?;
        Ok(loaded(pairs))
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
    Loaded::from_iter(values).with_unreadable(unreadable).from_source(SnapshotSource::LocalFile)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::core::{ErrorKind, UnreadableReason};

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
