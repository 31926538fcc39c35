//! Why the command ends without success: one line for people, one number for scripts.

use std::error::Error;
use std::io;

use xtrasecurity::XtraError;

use crate::hints;
use crate::text::one_line;

/// The arguments cannot be used.
pub(crate) const USAGE: u8 = 2;
/// The service refused, or this command did.
pub(crate) const REFUSED: u8 = 1;
/// The service has taken a write, or may have, and nothing confirms it: a read gives something else or could not be made, or
/// the answer was lost.
pub(crate) const UNCONFIRMED: u8 = 3;

/// An exit status, or why there is no success.
pub(crate) type Outcome = Result<u8, Failure>;

/// A status that is not 0, and one line that says why.
pub(crate) struct Failure {
    pub(crate) status: u8,
    pub(crate) line: String,
}

impl Failure {
    /// What was asked for cannot be understood or is incomplete.
    pub(crate) fn usage(message: impl AsRef<str>) -> Self {
        Self::with_status(USAGE, message)
    }

    /// What was asked for is understood and not done.
    pub(crate) fn refused(message: impl AsRef<str>) -> Self {
        Self::with_status(REFUSED, message)
    }

    pub(crate) fn with_status(status: u8, message: impl AsRef<str>) -> Self {
        Self { status, line: one_line(message.as_ref()) }
    }

    /// The same, as a fault of the arguments.
    pub(crate) fn into_usage(self) -> Self {
        Self { status: USAGE, ..self }
    }

    /// Says what that means for the command.
    pub(crate) fn so(mut self, consequence: &str) -> Self {
        self.line.extend([". ", consequence]);
        self
    }

    /// Says what of several this is about.
    pub(crate) fn about(self, what: &str) -> Self {
        Self { line: format!("{what}: {}", self.line), ..self }
    }

    /// Something with a file or a stream did not work. An error of the system holds no data of ours.
    pub(crate) fn io(what: impl AsRef<str>, error: &io::Error) -> Self {
        Self::refused(format!("{}: {}", what.as_ref(), reason(error)))
    }
}

/// The system's words for an error, without its number.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

impl From<XtraError> for Failure {
    fn from(error: XtraError) -> Self {
        let text = hints::told(&error);
        let status = if error.may_have_been_applied() { UNCONFIRMED } else { REFUSED };
        // The error keeps an error number of the system at most.
        match error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
            Some(source) if !tells(error.message(), source.kind()) => {
                Self::with_status(status, format!("{text} ({})", reason(source)))
            }
            _ => Self::with_status(status, text),
        }
    }
}

/// Whether a message says already what the system said.
fn tells(message: &str, kind: io::ErrorKind) -> bool {
    message.contains(&kind.to_string())
        || kind == io::ErrorKind::NotFound && message.contains("there is no such file")
        || kind == io::ErrorKind::ConnectionRefused && message.contains("the connection was refused")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_reason_is_its_words_without_the_number() {
        assert_eq!(reason(&io::Error::from_raw_os_error(2)), "No such file or directory");
        assert_eq!(reason(&io::Error::other("no number")), "no number");
    }

    #[test]
    fn what_a_message_says_is_not_said_again() {
        assert!(tells("cannot be read (permission denied)", io::ErrorKind::PermissionDenied));
        assert!(tells("the connection was refused; check", io::ErrorKind::ConnectionRefused));
        assert!(!tells("the connection was closed", io::ErrorKind::ConnectionReset));
    }
}
