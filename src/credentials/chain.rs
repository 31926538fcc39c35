//! The places that a token is looked for, in order.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::file::Problem;
use super::surroundings::Surroundings;
use super::token::{Flaw, Token};
use super::token_file::{FileToken, Format, Miss};
use super::{CredentialProvider, Located, StaticToken, token_file};
use crate::core::{ErrorKind, SecretValue, XtraError};
use crate::env::NotUnicode;

/// Where a [`CredentialProvider`] of the program's own stands among the places that a token is looked for.
///
/// The order is: the token given in the program; `First`; the variables `XTRA_TOKEN` and `XTRA_MACHINE_TOKEN`;
/// `AfterEnvironment`; the file `~/.xtra/config.json`; the settings of the vendor's command line tool; `Last`. The first
/// that has a token is used, and a provider always counts as having one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// Before the environment: only a token given in the program is preferred to it.
    First,
    /// After `XTRA_TOKEN` and `XTRA_MACHINE_TOKEN`, before the files.
    AfterEnvironment,
    /// When nothing else has a token.
    Last,
}

/// A provider of the program's own, and where it stands. Of several in one place the first is used.
#[derive(Clone)]
pub(crate) struct CustomProvider {
    pub(crate) place: Place,
    pub(crate) provider: Arc<dyn CredentialProvider>,
}

/// One place to look at.
#[derive(Debug, Clone, Copy)]
enum Step {
    Explicit,
    Custom(Place),
    Variable(&'static str),
    Home,
    CliStore,
}

const ORDER: [Step; 8] = [
    Step::Explicit,
    Step::Custom(Place::First),
    Step::Variable("XTRA_TOKEN"),
    Step::Variable("XTRA_MACHINE_TOKEN"),
    Step::Custom(Place::AfterEnvironment),
    Step::Home,
    Step::CliStore,
    Step::Custom(Place::Last),
];

type Provider = Arc<dyn CredentialProvider>;

/// A provider, and where it was found.
pub(crate) struct Resolved {
    pub(crate) provider: Provider,
    pub(crate) origin: Cow<'static, str>,
    /// The store that it was found in, when it is a file that a login wrote.
    pub(crate) store: Option<Store>,
}

/// A file that holds a token, and with it where the token belongs.
pub(crate) struct Store {
    /// `None` means the service's own.
    pub(crate) base_url: Option<Located>,
}

/// What `~/.xtra/config.json` says, whether or not the token is taken from it. A file that cannot be used says nothing.
#[derive(Default)]
pub(crate) struct UserSettings {
    pub(crate) base_url: Option<Located>,
    pub(crate) has_token: bool,
}

impl UserSettings {
    pub(crate) fn load(surroundings: &Surroundings) -> Self {
        let Some((base_url, has_token)) = user_file(surroundings).and_then(|path| token_file::look(&path)) else {
            return Self::default();
        };
        Self { base_url: base_url.map(|text| in_store(text, USER_FILE)), has_token }
    }
}

/// How messages call the user's file.
const USER_FILE: &str = "~/.xtra/config.json";

fn user_file(surroundings: &Surroundings) -> Option<PathBuf> {
    surroundings.home.as_ref().map(|home| home.join(".xtra").join("config.json"))
}

fn in_store(text: String, place: &str) -> Located {
    Located::new(text, format!("{place} (apiUrl)"))
}

/// The first token found; else an error that tells what each place had.
///
/// A place with nothing in it is passed over, and so is a file that cannot be used, with a warning. A text that is there and
/// cannot be a token, or one that has expired, is an error at once: going on could act as somebody else.
pub(crate) fn resolve(
    explicit: Option<&str>,
    custom: &[CustomProvider],
    surroundings: &Surroundings,
) -> Result<Resolved, XtraError> {
    let mut seen = Vec::new();
    for step in ORDER {
        let found = match step {
            Step::Explicit => from_text(explicit.map(str::to_owned), "the token option", "not given")?,
            Step::Variable(name) => from_variable(name, surroundings)?,
            Step::Home => from_file(USER_FILE.to_owned(), user_file(surroundings))?,
            Step::CliStore => from_cli_store(surroundings)?,
            Step::Custom(place) => match custom.iter().find(|custom| custom.place == place) {
                Some(custom) => Ok(Resolved {
                    provider: Arc::clone(&custom.provider),
                    origin: "a provider of the program's own".into(),
                    store: None,
                }),
                None => continue,
            },
        };
        match found {
            Ok(resolved) => return Ok(resolved),
            Err(saw) => seen.push(saw),
        }
    }
    let message = format!("no token was found. Looked at {}. Set XTRA_TOKEN, or pass token(..)", seen.join("; "));
    Err(XtraError::new(ErrorKind::Credentials, message))
}

/// A provider, or what was seen in its place.
type Found = Result<Resolved, String>;

fn from_text(text: Option<String>, place: &'static str, absent: &str) -> Result<Found, XtraError> {
    let Some(secret) = text.map(SecretValue::new) else {
        return Ok(Err(format!("{place}: {absent}")));
    };
    if secret.is_empty() {
        return Ok(Err(format!("{place}: empty")));
    }
    let token = Token::checked(secret).map_err(|flaw| flaw.error(place))?;
    token.ensure_live(SystemTime::now(), place)?;
    tracing::debug!(place, "a token was found");
    Ok(Ok(Resolved { provider: Arc::new(StaticToken::found(token, place)), origin: place.into(), store: None }))
}

fn from_variable(name: &'static str, surroundings: &Surroundings) -> Result<Found, XtraError> {
    match surroundings.var(name) {
        Ok(text) => from_text(text, name, "not set"),
        Err(NotUnicode) => Err(Flaw::NotAscii.error(name)),
    }
}

fn from_cli_store(surroundings: &Surroundings) -> Result<Found, XtraError> {
    let path = surroundings.cli_store();
    let place = match &path {
        Some(path) => format!("the settings of the xtra command ({})", below_home(path, surroundings)),
        None => "the settings of the xtra command".to_owned(),
    };
    from_file(place, path)
}

fn from_file(place: String, path: Option<PathBuf>) -> Result<Found, XtraError> {
    let Some(path) = path else {
        return Ok(Err(format!("{place}: no home directory is known")));
    };
    match FileToken::open(path, Format::Json, place.clone()) {
        Ok(provider) => {
            provider.ensure_live()?;
            tracing::debug!(place, "a token was found");
            let store = Some(Store { base_url: provider.base_url().map(|text| in_store(text.to_owned(), &place)) });
            Ok(Ok(Resolved { provider: Arc::new(provider), origin: place.into(), store }))
        }
        Err(Miss::Flawed(flaw)) => Err(flaw.error(&format!("the token in {place}"))),
        Err(miss) => {
            if matches!(miss, Miss::File(ref problem) if !matches!(problem, Problem::Missing)) {
                tracing::warn!("no token from {place}: {miss}");
            }
            Ok(Err(format!("{place}: {miss}")))
        }
    }
}

/// The path as a message shows it: without the name of the user's directory.
fn below_home(path: &Path, surroundings: &Surroundings) -> String {
    match surroundings.home.as_ref().and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests;
