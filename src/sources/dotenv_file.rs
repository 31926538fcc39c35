//! A `.env` file as a source of secrets.

use std::path::PathBuf;
use std::sync::Arc;

use super::local;
use super::reader::{DEADLINE, Reader, absolute};
use crate::core::{Identity, ScopeDescription, SnapshotSource, XtraError};
use crate::dotenv::file::{EnvFile, Failure};
use crate::engine::{KeyWriter, Loaded, SecretSource};

/// The secrets of a `.env` file, read anew by each load.
///
/// The file is read as [`Secrets::from_dotenv`](crate::Secrets::from_dotenv) reads a text: nothing is expanded, and what readers
/// understand in different ways is refused. A file of more than 4 MiB is refused, and so is one that sops, dotenvx or another
/// tool has encrypted. A file that other users can read is read with a warning.
///
/// # Errors of a read
///
/// [`ErrorKind::Config`](crate::ErrorKind::Config), with the path, when the file is missing, cannot be read or is no `.env` file;
/// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) when the disk does not answer within 10 s. A missing file is never "no
/// secrets".
///
/// ```
/// use xtrasecurity::{Client, XtraError, sources::DotenvFile};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), XtraError> {
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join(".env");
/// # std::fs::write(&path, "API_KEY='k-1'\n").unwrap();
/// let client = Client::new_with_source(DotenvFile::new(path));
/// assert_eq!(client.read(()).await?.require("API_KEY")?.expose(), "k-1");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DotenvFile {
    file: Arc<EnvFile>,
    shown: String,
    reader: Reader,
}

impl DotenvFile {
    /// The file at `path`. A relative path is one of the working directory at this moment. The file is not looked at yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = absolute(path.into());
        let shown = path.display().to_string();
        Self { file: Arc::new(EnvFile::new(path, "")), shown, reader: Reader::default() }
    }
}

impl SecretSource for DotenvFile {
    type Scope<'a> = ();
    type Owned = ();

    fn name(&self) -> &'static str {
        "dotenv"
    }

    fn base_url(&self) -> &str {
        &self.shown
    }

    fn describe(&self, (): &()) -> Option<ScopeDescription> {
        Some(ScopeDescription::new(format!("the file {}", self.shown)).empty_means("It has no line NAME=VALUE"))
    }

    fn identity(&self) -> Identity {
        local()
    }

    fn write_key(&self, (): &(), _: &mut KeyWriter) {}

    fn prepare(&self, (): &()) -> Result<(), XtraError> {
        Ok(())
    }

    async fn load(&self, (): &()) -> Result<Loaded, XtraError> {
        let file = Arc::clone(&self.file);
        let read = move || file.read().map_err(|(Failure::Missing(error) | Failure::Unusable(error))| error);
        let pairs = self.reader.run(self.file.path(), DEADLINE, read).await?;
        Ok(Loaded::from_iter(pairs).from_source(SnapshotSource::LocalFile))
    }
}
