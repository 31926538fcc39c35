//! The errors of the disk cache.

use std::time::Duration;
use std::{fmt, io};

/// Why a copy was not saved, or not used. The text names no path, name or value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DiskError {
    /// Nothing was saved under this token or key for this scope.
    #[error("none was saved for this scope and token")]
    Absent,
    /// The system's error at a step.
    #[error("{0} ({1})")]
    System(Step, io::ErrorKind),
    /// A link, a directory, a pipe, a socket or a device in the place of what is looked for.
    #[error("{0} is a link, or no {kind}{advice}", kind = .0.kind(), advice = .0.instead())]
    WrongKind(What),
    /// It belongs to another user than the one that the process runs as.
    #[cfg(unix)]
    #[error("{0} belongs to another user")]
    OtherOwner(What),
    /// Users other than the owner have rights.
    #[cfg(unix)]
    #[error("other users have rights to {0}: take them away (chmod {mode})", mode = .0.mode())]
    OpenToOthers(What),
    #[error("the copy is larger than max_bytes")]
    TooLarge,
    /// It does not begin as a copy does.
    #[error("the file is not a saved copy")]
    NoCopy,
    /// It was written by another version of this crate, in another form.
    #[error("the saved copy has the form of another version of this library")]
    OtherVersion,
    /// It was changed or cut, or belongs to another token, key, account or scope.
    #[error("the saved copy does not open: it was changed or cut, or saved under another token or key")]
    Unopened,
    #[error("the saved copy is too old: it was saved {} s ago", .0.as_secs())]
    TooOld(Duration),
    /// It was saved later than now: a clock was put back.
    #[error("the saved copy is from the future: the clock was put back")]
    FromTheFuture,
    /// The service has refused it since it was saved, and it could not be deleted.
    #[error("the service has refused access since the copy was saved")]
    Refused,
    /// The system would start no thread, or one before is still waiting for the disk.
    #[error("no thread could be started for the file")]
    NoThread,
    /// The disk took longer than anybody waits.
    #[error("the disk takes too long")]
    TooSlow,
    /// There is no key, nor a token that lasts to make one of.
    #[error("there is no key, nor a token that lasts to make one of")]
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

impl What {
    fn kind(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::File => "regular file",
        }
    }

    fn instead(self) -> &'static str {
        match self {
            Self::Directory => ": give one that is",
            Self::File => "",
        }
    }

    #[cfg(unix)]
    fn mode(self) -> u32 {
        match self {
            Self::Directory => 700,
            Self::File => 600,
        }
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
