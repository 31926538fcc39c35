//! A token in a file, read again when it is refused or has expired.

use std::borrow::Cow;
use std::fmt;
use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::file::{self, FileError};
use super::token::{Flaw, Token};
use super::{CredentialProvider, TokenFuture};
use crate::core::{ErrorKind, Identity, SecretValue, XtraError, events};

/// Gives the token that a file holds, for files that something else keeps current: a mounted secret, an agent, a login tool.
///
/// The file holds the token alone; white space around it is ignored. It is read when the provider is made, and again when
/// the service refuses the token or the token has passed its own end. Reading blocks for as long as a small file takes.
///
/// The [`identity`](CredentialProvider::identity) is that of the token held now: when the file goes over to another token,
/// nothing that was read with the old one is served any more.
///
/// ```
/// use xtrasecurity::credentials::{CredentialProvider, FileToken};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("token");
/// std::fs::write(&path, "xs_0123456789abcdef\n")?;
/// let provider = FileToken::new(&path)?;
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// assert_eq!(provider.token().await?.expose(), "xs_0123456789abcdef");
/// # Ok(())
/// # })
/// # }
/// ```
pub struct FileToken {
    path: PathBuf,
    format: Format,
    place: Cow<'static, str>,
    /// The base URL that was recorded beside the token when the file was opened.
    base_url: Option<String>,
    current: Mutex<Token>,
}

/// How a file holds its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// The token alone.
    Text,
    /// A JSON object with the token under the first of these members that is there, and where it belongs under another one.
    Json { token: &'static [&'static str], base_url: Option<&'static str> },
}

/// Why a file gave no token.
#[derive(Debug)]
pub(super) enum Miss {
    File(FileError),
    /// A JSON object without a token under any of these members.
    NoToken(&'static [&'static str]),
    Flawed(Flaw),
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::NoToken(members) => write!(f, "the file has no token under {}", file::listed(members, "or")),
            Self::Flawed(flaw) => write!(f, "the token in it {flaw}"),
        }
    }
}

/// What a file holds.
struct Held {
    token: Token,
    base_url: Option<String>,
}

impl FileToken {
    /// Reads the token from a file that holds nothing else.
    ///
    /// A token that has already passed its own end is no error here, but when it is asked for.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Credentials`] when the file is missing, is not a regular file of at most 4 MiB, cannot be read, or does
    /// not hold a token.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, XtraError> {
        let path = path.into();
        let place = format!("the file {}", path.display());
        Self::open(path, Format::Text, place.clone()).map_err(|miss| match miss {
            Miss::Flawed(flaw) => flaw.error(&format!("the token in {place}")),
            Miss::File(ref why) => {
                why.attached_to(XtraError::new(ErrorKind::Credentials, format!("no token from {place}: {miss}")))
            }
            Miss::NoToken(_) => XtraError::new(ErrorKind::Credentials, format!("no token from {place}: {miss}")),
        })
    }

    /// Reads the token from a file of a known format. `place` is what messages call it.
    pub(super) fn open(path: PathBuf, format: Format, place: impl Into<Cow<'static, str>>) -> Result<Self, Miss> {
        let Held { token, base_url } = load(&path, format)?;
        if file::is_open_to_others(&path) {
            tracing::warn!(target: events::CREDENTIALS, ?path, "other users can read this file, and it holds a token: take their rights away");
        }
        Ok(Self { path, format, place: place.into(), base_url, current: Mutex::new(token) })
    }

    /// The base URL that is recorded beside the token.
    pub(super) fn base_url(&self) -> Option<&str> {
        self.base_url.as_deref()
    }

    /// Fails when the token read last has passed its own end.
    pub(super) fn ensure_live(&self) -> Result<(), XtraError> {
        self.current().ensure_live(SystemTime::now(), &self.place)
    }

    fn current(&self) -> MutexGuard<'_, Token> {
        // a token is replaced whole, so a panic elsewhere cannot have left half of one
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live_token(&self) -> Result<Token, XtraError> {
        let mut current = self.current();
        let now = SystemTime::now();
        if current.has_expired(now) {
            self.read_again(&mut current);
        }
        current.ensure_live(now, &self.place)?;
        Ok(current.clone())
    }

    /// Takes what the file holds now. `false` when that is no other token.
    fn read_again(&self, current: &mut Token) -> bool {
        match load(&self.path, self.format) {
            Ok(Held { token, .. }) if token == *current => false,
            // the client stays with the base URL that it was made for, and this token belongs to another
            Ok(Held { base_url, .. }) if base_url != self.base_url => {
                tracing::warn!(target: events::CREDENTIALS, path = ?self.path, "the new token is for another base URL: start the program again to use it");
                false
            }
            Ok(Held { token, .. }) => {
                *current = token;
                true
            }
            Err(miss) => {
                tracing::warn!(target: events::CREDENTIALS, path = ?self.path, "no new token: {miss}");
                false
            }
        }
    }
}

impl CredentialProvider for FileToken {
    fn identity(&self) -> Identity {
        self.current().identity()
    }

    fn token(&self) -> TokenFuture<'_> {
        Box::pin(ready(self.live_token()))
    }

    /// The token held now, unless it is a JSON Web Token with an end.
    fn lasting_token(&self) -> Option<Token> {
        self.current().lasting()
    }

    fn invalidate(&self, refused: &Token) -> bool {
        let mut current = self.current();
        // another request may have reported the same token first
        *current != *refused || self.read_again(&mut current)
    }
}

impl fmt::Debug for FileToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileToken").field("path", &self.path).finish_non_exhaustive()
    }
}

fn load(path: &Path, format: Format) -> Result<Held, Miss> {
    let content = file::read(path).map_err(Miss::File)?;
    let (secret, base_url) = match format {
        Format::Text => {
            let text = std::str::from_utf8(&content).map_err(|_| Miss::File(FileError::NotUnicode))?;
            (SecretValue::from(text.trim_ascii()), None)
        }
        Format::Json { token, base_url } => {
            let (secret, base_url) = members(&content, token, base_url).map_err(Miss::File)?;
            (secret.ok_or(Miss::NoToken(token))?, base_url)
        }
    };
    Ok(Held { token: Token::checked(secret).map_err(Miss::Flawed)?, base_url })
}

/// The token and the base URL of a JSON object.
pub(super) fn members(
    content: &[u8],
    token: &[&str],
    base_url: Option<&str>,
) -> Result<(Option<SecretValue>, Option<String>), FileError> {
    let names: Vec<&str> = token.iter().copied().chain(base_url).collect();
    let mut texts = file::texts(content, &names)?;
    let base_url = texts.split_off(token.len()).pop().flatten();
    // all of them become secrets, so that those that are not used are wiped
    let found: Vec<_> = texts.into_iter().flatten().map(SecretValue::new).collect();
    Ok((found.into_iter().next(), base_url))
}

#[cfg(test)]
mod tests;
