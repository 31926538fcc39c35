//! The errors of the disk cache.

use std::time::Duration;
use std::{fmt, io};

/// Why a copy was not saved, or not used. The text names no path, name or value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiskError {
    /// Nothing was saved under this token or key for this scope.
    Absent,
    /// The system's error at a step.
    System(Step, io::ErrorKind),
    /// A link, a directory, a pipe, a socket or a device in the place of what is looked for.
    WrongKind(What),
    /// It belongs to another user than the one that the process runs as.
    #[cfg(unix)]
    OtherOwner(What),
    /// Users other than the owner have rights.
    #[cfg(unix)]
    OpenToOthers(What),
    TooLarge,
    /// It does not begin as a copy does.
    NoCopy,
    /// It was written by another version of this crate, in another form.
    OtherVersion,
    /// It was changed or cut, or belongs to another token, key, account or scope.
    Unopened,
    TooOld(Duration),
    /// It was saved later than now: a clock was put back.
    FromTheFuture,
    /// The service has refused it since it was saved, and it could not be deleted.
    Refused,
    /// The system would start no thread, or one before is still waiting for the disk.
    NoThread,
    /// The disk took longer than anybody waits.
    TooSlow,
    /// There is no key, nor a token that lasts to make one of.
    NoKey,
}

/// The thing that something is wrong with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Directory,
    File,
}

/// The step at which the system refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    CreateDirectory,
    OpenDirectory,
    Open,
    Read,
    Write,
    Replace,
    Delete,
}

impl DiskError {
    pub(super) fn system(step: Step, error: impl Into<io::Error>) -> Self {
        Self::System(step, error.into().kind())
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "the directory for saved copies",
            Self::File => "the saved copy",
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CreateDirectory => "the directory for saved copies cannot be created",
            Self::OpenDirectory => "the directory for saved copies cannot be opened",
            Self::Open => "the saved copy cannot be opened",
            Self::Read => "the saved copy cannot be read",
            Self::Write => "the copy cannot be written",
            Self::Replace => "the copy cannot be put in its place",
            Self::Delete => "the saved copy cannot be deleted",
        })
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("none was saved for this scope and token"),
            Self::System(step, kind) => write!(f, "{step} ({kind})"),
            Self::WrongKind(What::Directory) => {
                write!(f, "{} is a link, or no directory: give one that is", What::Directory)
            }
            Self::WrongKind(What::File) => write!(f, "{} is a link, or no regular file", What::File),
            #[cfg(unix)]
            Self::OtherOwner(what) => write!(f, "{what} belongs to another user"),
            #[cfg(unix)]
            Self::OpenToOthers(What::Directory) => {
                write!(f, "other users have rights to {}: take them away (chmod 700)", What::Directory)
            }
            #[cfg(unix)]
            Self::OpenToOthers(What::File) => {
                write!(f, "other users have rights to {}: take them away (chmod 600)", What::File)
            }
            Self::TooLarge => f.write_str("the copy is larger than max_bytes"),
            Self::NoCopy => f.write_str("the file is not a saved copy"),
            Self::OtherVersion => f.write_str("the saved copy has the form of another version of this library"),
            Self::Unopened => {
                f.write_str("the saved copy does not open: it was changed or cut, or saved under another token or key")
            }
            Self::TooOld(age) => write!(f, "the saved copy is too old: it was saved {} s ago", age.as_secs()),
            Self::FromTheFuture => f.write_str("the saved copy is from the future: the clock was put back"),
            Self::Refused => f.write_str("the service has refused access since the copy was saved"),
            Self::NoThread => f.write_str("no thread could be started for the file"),
            Self::TooSlow => f.write_str("the disk takes too long"),
            Self::NoKey => f.write_str("there is no key, nor a token that lasts to make one of"),
        }
    }
}
