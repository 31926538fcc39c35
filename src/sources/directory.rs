//! A directory of files as a source of secrets: as Docker, Kubernetes and systemd give secrets to a program.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::local;
use super::reader::{DEADLINE, Reader, absolute};
use crate::core::file::{self, FileError};
use crate::core::{
    ErrorKind, Hint, Identity, ScopeDescription, SecretValue, SnapshotSource, Unreadable, UnreadableReason, XtraError,
    file_reason, process,
};
use crate::engine::{KeyWriter, Loaded, SecretSource};

/// The link that Kubernetes keeps in a mount, which leads to the directory of the files as they are now.
const DATA: &str = "..data";

/// How often a directory is read again that has changed while it was read.
const ATTEMPTS: usize = 100;

/// The variable in which systemd tells the directory of a unit's credentials.
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// A directory of files, one a secret: the name of the file is the secret's, its content is the value. Read anew by each load.
///
/// | what is in the directory | what becomes of it |
/// |---|---|
/// | a file | a secret; an empty file is an empty one |
/// | one line end at the end of a file, `\n` or `\r\n` | is taken off, because editors and `echo` put it there; [`keep_line_ends`](Self::keep_line_ends) leaves it |
/// | a file, or the name of one, that is no UTF-8 text | [unreadable](crate::snapshot::UnreadableReason::NotText), and named |
/// | a socket, a pipe, a device | [unreadable](crate::snapshot::UnreadableReason::NoValue), and never opened |
/// | a subdirectory | is left out |
/// | an entry whose name begins with `..` | is left out: Kubernetes keeps its own things there |
/// | a link | is followed, wherever it leads |
/// | a link that leads nowhere, a file that may not be read | an error of the whole read: what cannot be read is not absent |
/// | more than 16 MiB of names and values together | an error; [`max_bytes`](Self::max_bytes) |
///
/// **A snapshot is never half old and half new in a Kubernetes mount.** Kubernetes writes a new directory beside the old one and
/// then changes one link, `..data`. Where there is that link, all files are read from the one directory that it leads to, and read
/// again when it has changed meanwhile. In another directory files are read one by one: replace them by renaming, and
/// those that belong together, such as a user and a password, should be one file.
///
/// # Errors of a read
///
/// [`ErrorKind::Config`] with the path when the directory is missing or something in it cannot be read;
/// [`ErrorKind::TooLarge`]; [`ErrorKind::Timeout`] when the disk does not answer within 10 s, or the directory changed all the
/// time.
///
/// ```
/// use xtrasecurity::{Client, XtraError, sources::Directory};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), XtraError> {
/// let client = Client::new_with_source(Directory::new("/var/run/no-such-mount"));
/// let error = client.read(()).await.unwrap_err();
/// assert!(error.to_string().contains("/var/run/no-such-mount: there is no such directory"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "it is read by a client"]
pub struct Directory {
    files: Arc<Files>,
    shown: String,
    reader: Reader,
}

/// What is read, and how.
#[derive(Debug, Clone)]
struct Files {
    path: PathBuf,
    max_bytes: u64,
    keep_line_ends: bool,
    /// What to do when there is no such directory.
    when_missing: &'static str,
}

impl Directory {
    /// The files of the directory at `path`, such as the mount of a Kubernetes secret. A relative path is one of the working
    /// directory at this moment. The directory is not looked at yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::of(path.into(), "Create it, or correct the path")
    }

    /// The secrets of a Docker service or of Docker Compose: `/run/secrets`.
    pub fn docker() -> Self {
        Self::of(
            PathBuf::from("/run/secrets"),
            "Give the container a secret (`docker service create --secret`, or `secrets:` in the Compose file)",
        )
    }

    /// The credentials of a systemd unit: the directory that `$CREDENTIALS_DIRECTORY` names.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the variable is not set to an absolute path: the unit has no credentials, or the program was
    /// not started by systemd.
    pub fn systemd() -> Result<Self, XtraError> {
        const ADVICE: &str = "Give the unit a credential (LoadCredential=NAME:/path or LoadCredentialEncrypted=) and start the program by systemd, or use \
                              Directory::new(..)";
        match process::path(CREDENTIALS_DIRECTORY).filter(|path| path.is_absolute()) {
            Some(path) => Ok(Self::of(path, ADVICE)),
            None => {
                let message = format!(
                    "there is no directory of systemd credentials: {CREDENTIALS_DIRECTORY} is not set to an absolute path"
                );
                Err(XtraError::new(ErrorKind::Config, message).with_hint(Hint::advice(ADVICE)))
            }
        }
    }

    fn of(path: PathBuf, when_missing: &'static str) -> Self {
        let path = absolute(path);
        let shown = path.display().to_string();
        let files = Files { path, max_bytes: 16 << 20, keep_line_ends: false, when_missing };
        Self { files: Arc::new(files), shown, reader: Reader::default() }
    }

    /// Leaves the line end at the end of a file in the value.
    pub fn keep_line_ends(mut self) -> Self {
        Arc::make_mut(&mut self.files).keep_line_ends = true;
        self
    }

    /// Reads at most so many bytes of names and values together, whatever the directory holds; a directory with more is an
    /// error. Default 16 MiB.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        Arc::make_mut(&mut self.files).max_bytes = bytes;
        self
    }
}

impl SecretSource for Directory {
    type Scope<'a> = ();
    type Owned = ();

    fn name(&self) -> &'static str {
        "files"
    }

    fn base_url(&self) -> &str {
        &self.shown
    }

    fn describe(&self, (): &()) -> Option<ScopeDescription> {
        Some(ScopeDescription::new(format!("the directory {}", self.shown)).empty_means("It holds no files"))
    }

    fn identity(&self) -> Identity {
        local()
    }

    fn write_key(&self, (): &(), _: &mut KeyWriter) {}

    fn prepare(&self, (): &()) -> Result<(), XtraError> {
        Ok(())
    }

    async fn load(&self, (): &()) -> Result<Loaded, XtraError> {
        let files = Arc::clone(&self.files);
        let Contents { values, unreadable, .. } =
            self.reader.run(&self.files.path, DEADLINE, move || files.read()).await?;
        Ok(Loaded::from_iter(values).with_unreadable(unreadable).from_source(SnapshotSource::LocalFile))
    }
}

/// What was found in the files.
struct Contents {
    values: Vec<(String, SecretValue)>,
    unreadable: Vec<Unreadable>,
    /// How many bytes there may be more.
    left: u64,
}

/// Why a pass over the files has no result.
enum Stop {
    /// Something was gone that had been there a moment before.
    Changed,
    Failed(XtraError),
}

impl Files {
    /// The files at one moment.
    fn read(&self) -> Result<Contents, XtraError> {
        for _ in 0..ATTEMPTS {
            let before = self.data()?;
            let passed = match &before {
                Some(target) => self.pass(&self.path.join(target)),
                None => self.pass(&self.path),
            };
            // whatever was met, an error too, may be half of the files from before
            if self.data()? != before {
                continue;
            }
            match passed {
                Ok(contents) => return Ok(contents),
                Err(Stop::Changed) => {}
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
        let message = format!("{} changed each of the {ATTEMPTS} times that it was read", self.path.display());
        Err(XtraError::new(ErrorKind::Timeout, message).with_hint(Hint::Retry))
    }

    /// Where the link of Kubernetes leads, when there is one.
    fn data(&self) -> Result<Option<PathBuf>, XtraError> {
        use io::ErrorKind::{InvalidInput, NotADirectory, NotFound};
        let link = self.path.join(DATA);
        match fs::read_link(&link) {
            Ok(target) => Ok(Some(target)),
            // no directory, no such entry, or one that is no link
            Err(error) if matches!(error.kind(), NotFound | NotADirectory | InvalidInput) => Ok(None),
            Err(error) => Err(self.failed(&link, &error)),
        }
    }

    /// Every file below `root`.
    fn pass(&self, root: &Path) -> Result<Contents, Stop> {
        let listed = |error: io::Error| Stop::Failed(self.unlisted(root, &error));
        let mut contents = Contents { values: Vec::new(), unreadable: Vec::new(), left: self.max_bytes };
        for entry in fs::read_dir(root).map_err(listed)? {
            let entry = entry.map_err(listed)?;
            if !entry.file_name().as_encoded_bytes().starts_with(b"..") {
                self.add(&mut contents, &entry)?;
            }
        }
        Ok(contents)
    }

    fn add(&self, contents: &mut Contents, entry: &fs::DirEntry) -> Result<(), Stop> {
        let (path, name) = (entry.path(), entry.file_name());
        let about = fs::metadata(&path).map_err(|error| self.lost(&path, &error))?;
        if about.is_dir() {
            return Ok(());
        }
        contents.left = contents.left.checked_sub(name.len() as u64).ok_or_else(|| self.too_large())?;
        let Some(name) = name.to_str() else {
            contents.unreadable.push(Unreadable::new(name.to_string_lossy(), UnreadableReason::NotText));
            return Ok(());
        };
        if !about.is_file() {
            contents.unreadable.push(Unreadable::new(name, UnreadableReason::NoValue));
            return Ok(());
        }
        let content = file::read_up_to(&path, contents.left).map_err(|why| match why {
            FileError::TooLarge => self.too_large(),
            FileError::Unreadable(error) => self.lost(&path, &error),
            _ => Stop::Changed,
        })?;
        contents.left = contents.left.saturating_sub(content.len() as u64);
        match std::str::from_utf8(&content) {
            Ok(text) => contents.values.push((name.to_owned(), self.value(text).into())),
            Err(_) => contents.unreadable.push(Unreadable::new(name, UnreadableReason::NotText)),
        }
        Ok(())
    }

    /// The value that a file's text is.
    fn value<'t>(&self, text: &'t str) -> &'t str {
        match text.strip_suffix('\n').filter(|_| !self.keep_line_ends) {
            Some(line) => line.strip_suffix('\r').unwrap_or(line),
            None => text,
        }
    }

    /// A file that was listed and cannot be had.
    fn lost(&self, path: &Path, error: &io::Error) -> Stop {
        let is_gone = error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err();
        if is_gone { Stop::Changed } else { Stop::Failed(self.failed(path, error)) }
    }

    fn failed(&self, path: &Path, error: &io::Error) -> XtraError {
        let (what, advice) = match error.kind() {
            io::ErrorKind::NotFound => {
                ("the link leads to no file".to_owned(), "Remove the link, or put the file where it leads")
            }
            kind => (file_reason(kind), "Let the user of this process read it, or move it out of the directory"),
        };
        let message = format!("no secrets from {}: {}: {what}", self.path.display(), path.display());
        XtraError::new(ErrorKind::Config, message).with_os_error(error).with_hint(Hint::advice(advice))
    }

    fn unlisted(&self, root: &Path, error: &io::Error) -> XtraError {
        let (what, advice) = match error.kind() {
            io::ErrorKind::NotFound => ("there is no such directory".to_owned(), self.when_missing),
            io::ErrorKind::NotADirectory => ("it is no directory".to_owned(), "Name the directory that the file is in"),
            kind => (format!("it cannot be listed ({})", file_reason(kind)), "Let the user of this process read it"),
        };
        let message = format!("no secrets from {}: {what}", root.display());
        XtraError::new(ErrorKind::Config, message).with_os_error(error).with_hint(Hint::advice(advice))
    }

    fn too_large(&self) -> Stop {
        let message = format!("the files of {} have more than {} bytes together", self.path.display(), self.max_bytes);
        Stop::Failed(XtraError::new(ErrorKind::TooLarge, message).with_hint(Hint::Raise { limit: "max_bytes" }))
    }
}
