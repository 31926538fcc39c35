//! The base URL of a client, and whether its token may go there.
//!
//! A token goes only to a base URL that its giver named. The working directory may be somebody else's (a cloned repository, an
//! unpacked archive), so a file in it can choose among the origins that are known otherwise, and cannot add one.

use url::Url;

use super::builder::DEFAULT_API_URL;
use crate::core::{ErrorKind, XtraError};
use crate::credentials::{Defaults, Located, Resolved, Surroundings, UserSettings};
use crate::http::BaseUrl;
use crate::services::xtra::ROOT_SUFFIX;

/// The base URL to use: the option, the variable, the file of the working directory if it is trusted, what is recorded beside
/// the token, what the user's settings say, the service's own. `token` is what was found, if any was.
pub(super) fn choose(
    option: Option<Located>,
    defaults: &Defaults,
    token: Option<&Resolved>,
    surroundings: &Surroundings,
) -> Result<Located, XtraError> {
    if let Some(named) = option.or_else(|| defaults.api_url.clone()) {
        return Ok(named);
    }
    let user = UserSettings::load(surroundings);
    let store = token.and_then(|token| token.store.as_ref());
    let recorded = store.and_then(|store| store.base_url.clone());
    if let Some(found) = &defaults.api_url_in_file {
        let trusted = [Some(DEFAULT_API_URL), text(&user.base_url), text(&recorded)];
        ensure_trusted(found, trusted.into_iter().flatten())?;
        return Ok(found.clone());
    }
    let named = match store {
        Some(_) => recorded,
        // beside a token it is that token's
        None if user.has_token => None,
        None => user.base_url,
    };
    Ok(named.unwrap_or_else(|| Located::new(DEFAULT_API_URL, "default")))
}

/// The base URL in its checked form. An error says where a bad one was found.
pub(super) fn parse(found: &Located, danger_allow_http: bool) -> Result<BaseUrl, XtraError> {
    BaseUrl::parse(&found.text, ROOT_SUFFIX, danger_allow_http)
        .map_err(|error| XtraError::new(error.kind(), format!("{}. It comes from {}", error.message(), found.origin)))
}

fn text(found: &Option<Located>) -> Option<&str> {
    found.as_ref().map(|found| found.text.as_str())
}

/// Compares scheme, host and port. The path is the file's to choose: on the same origin it leads to the same service.
fn ensure_trusted<'t>(found: &Located, trusted: impl IntoIterator<Item = &'t str>) -> Result<(), XtraError> {
    let file = &found.origin;
    let Some(origin) = origin(&found.text) else {
        let message = format!(
            "{file} in the working directory is no https URL. Correct it, as in https://host/api, or remove it"
        );
        return Err(XtraError::new(ErrorKind::Config, message));
    };
    if trusted.into_iter().any(|text| self::origin(text).as_ref() == Some(&origin)) {
        return Ok(());
    }
    Err(XtraError::new(
        ErrorKind::Config,
        format!(
            "{file} in the working directory names the base URL {}, which is neither the service's own nor one that you have \
             named. A token is not sent there on the word of such a file, and nothing was sent. If it is right, name it \
             yourself: `export XTRA_API_URL=…` (in CI too), `xtrasec login --api-url …`, or pass api_url(..) to the builder",
            shown(&origin)
        ),
    ))
}

/// Scheme, host and port in their usual form; user info, path and query are not in it.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    Some(url.origin().ascii_serialization())
}

/// The origin, cut to a length that a log can take. It is ASCII.
fn shown(origin: &str) -> String {
    const LONGEST: usize = 300;
    match origin.get(..LONGEST) {
        Some(start) => format!("{start}…"),
        None => origin.to_owned(),
    }
}

#[cfg(test)]
mod tests;
