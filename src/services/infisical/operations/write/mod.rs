//! Writes of secrets: one, several, and the deletion of one.
//!
//! A write that the server keeps back for an approval is [`Written::AwaitsApproval`]: no error, and nothing is stored.
//!
//! Recorded with servers of 2024: every write of the older interface (`/v3/secrets/raw`), in batches too. Documented only:
//! the newer interface (`/v4/secrets`), and metadata.

mod batch;
mod create;
mod delete;
mod details;
mod read_back;
mod send;
mod set;
mod update;

pub use batch::{BatchWritten, SetSecrets};
pub use create::CreateSecret;
pub use delete::DeleteSecret;
pub use details::{HasDetails, SecretDetails};
pub use set::SetSecret;
pub use update::UpdateSecret;

use crate::core::{ErrorKind, Hint, SecretValue, XtraError};
use crate::engine::{Operation, Request};
use crate::services::infisical::scope::quoted;
use crate::services::infisical::source::Infisical;

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a write that awaits an approval has changed nothing"]
pub enum Written<T> {
    /// It was carried out, by the server's answer.
    Applied(T),
    /// A policy of the folder asks for an approval. **Nothing has changed**, and nothing will before somebody approves.
    AwaitsApproval(Approval),
}

impl<T> Written<T> {
    /// Whether it was carried out.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        matches!(self, Self::Applied(_))
    }

    /// What was carried out; `None` when it awaits an approval.
    #[must_use]
    pub fn applied(self) -> Option<T> {
        match self {
            Self::Applied(applied) => Some(applied),
            Self::AwaitsApproval(_) => None,
        }
    }
}

/// A request for an approval, which a write has become.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Approval {
    /// Its id.
    pub id: String,
    /// Its short name, as the dashboard shows it.
    pub slug: Option<String>,
    /// Where it stands; `open` while it waits.
    pub status: Option<String>,
}

/// A secret that was written or deleted. It holds no value: an answer to a write has not always the one that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrittenSecret {
    /// Its id.
    pub id: Option<String>,
    /// Its name, the new one when it was renamed.
    pub name: String,
    /// The version that it has now: every write counts. Deleted and created again, it begins at 1.
    pub version: Option<u64>,
    /// The read after the change failed, or gave another value: somebody else may have written meanwhile. Only a change of one
    /// secret, at a server that has the older interface alone, is read back; anything else is never unconfirmed.
    pub unconfirmed: bool,
}

/// An [`Operation`] that sends a value, of which a server takes white space around it away.
pub trait SendsValue: Operation<Source = Infisical> {
    /// Whether values are sent that a server stores otherwise.
    fn trimming(&mut self) -> &mut Trimming;
}

/// What happens to a value with white space around it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trimming {
    /// It is refused, and nothing is sent.
    #[default]
    Refused,
    /// It is sent, and the server takes the white space away.
    Allowed,
}

impl<Op: SendsValue, M> Request<'_, Infisical, Op, M> {
    /// Sends values with white space around them, which the server takes away: all but one line feed at the end. Without this, such
    /// a value is refused ([`Invalid`](crate::ErrorKind::Invalid)), and nothing is sent.
    pub fn allow_trimming(mut self) -> Self {
        *self.operation.trimming() = Trimming::Allowed;
        self
    }
}

/// Whether servers take this character away at the ends of a value: what JavaScript calls white space.
fn is_trimmed(letter: char) -> bool {
    (letter.is_whitespace() && letter != '\u{85}') || letter == '\u{feff}'
}

/// Whether a server stores exactly this value.
fn is_stored_as_it_is(value: &str) -> bool {
    let bare = value.trim_matches(is_trimmed);
    match value.strip_suffix('\n') {
        Some(line) => line == bare,
        None => value == bare,
    }
}

/// Whether a server may have made `stored` of what was sent.
fn may_be_stored_as(sent: &str, stored: &str) -> bool {
    sent == stored || sent.trim_matches(is_trimmed) == stored.trim_matches(is_trimmed)
}

pub(in crate::services::infisical) fn check_value(
    name: &str,
    value: &SecretValue,
    trimming: Trimming,
) -> Result<(), XtraError> {
    if trimming == Trimming::Allowed || is_stored_as_it_is(value.expose()) {
        return Ok(());
    }
    let message = format!(
        "nothing was sent: the value of {} has white space around it, which the server would take away",
        quoted(name)
    );
    Err(XtraError::new(ErrorKind::Invalid, message)
        .with_names([name])
        .with_hint(Hint::advice("Take it away yourself, encode the value, or allow trimming")))
}

/// A name that a secret has already: servers of 2024 took almost any.
fn check_name(name: &str) -> Result<(), XtraError> {
    let flaw = match name {
        "" => "is empty",
        "." | ".." => "cannot be part of a path",
        _ => return Ok(()),
    };
    Err(XtraError::new(ErrorKind::Invalid, format!("nothing was sent: the name of the secret {} {flaw}", quoted(name))))
}

/// A name that a secret is to have. Servers of today refuse what those of 2024 stored and could hardly be asked for.
pub(in crate::services::infisical) fn check_new_name(name: &str) -> Result<(), XtraError> {
    check_name(name)?;
    let flaw = match name {
        _ if name.trim_matches(is_trimmed) != name => "begins or ends with white space",
        _ if name.contains([':', '/']) => "holds a colon or a slash",
        _ if name.chars().any(char::is_control) => "holds a control character",
        _ => return Ok(()),
    };
    Err(XtraError::new(ErrorKind::Invalid, format!("nothing was sent: the name of the secret {} {flaw}", quoted(name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_would_change_of_a_value_is_known() {
        for value in ["", "a", "a b", "a\n", "-----\nkey\n-----\n", "\n", "\u{85}a"] {
            assert!(is_stored_as_it_is(value), "{value:?}");
        }
        for value in [" a", "a ", "a\n\n", "a\r\n", "\u{feff}a", "a\u{a0}", "\n\n", " "] {
            assert!(!is_stored_as_it_is(value), "{value:?}");
            assert!(check_value("A", &value.into(), Trimming::Refused).is_err());
            assert!(check_value("A", &value.into(), Trimming::Allowed).is_ok());
        }
    }

    #[test]
    fn names_that_servers_of_today_refuse_are_for_secrets_that_are_there_already() {
        for name in ["a:b", "a/b", " A", "A\u{1}"] {
            assert!(check_name(name).is_ok() && check_new_name(name).is_err(), "{name:?}");
        }
        for name in ["", ".", ".."] {
            assert!(check_name(name).is_err() && check_new_name(name).is_err(), "{name:?}");
        }
        assert!(check_new_name("DB_URL").is_ok());
    }
}
