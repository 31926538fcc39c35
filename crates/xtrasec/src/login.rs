//! `xtrasec login` and `xtrasec logout`: the token in a file of the user's.

use clap::Args;
use xtrasecurity::xtra::DEFAULT_API_URL;
use xtrasecurity::{SecretValue, XtraClientBuilder};

use crate::failure::{Failure, Outcome};
use crate::hints;
use crate::options::Global;
use crate::output;
use crate::profile::Profile;
use crate::session::builder;
use crate::session::refuse_local;
use crate::text::{printable, quoted};
use crate::token_store::{NAME, TokenStore};
use crate::whoami::shown;
use crate::{file, password_prompt};

const NOTHING_DONE: &str = "Nothing was stored";
/// No token is nearly as long.
const MOST: usize = 1 << 20;

/// Stores a token for later commands
///
/// The token is asked for and not shown, or read from standard input; it never is an argument. The service is asked whose it
/// is, and the token is put into ~/.xtra/config.json, which only you can read (0600), with the base URL of the service that it
/// is for, unless that is the usual one: later commands send it there. Programs that use the library find both there too.
/// With --profile, both are stored under that name beside the default, for commands with --profile or XTRA_PROFILE.
/// Everything else in that file stays.
#[derive(Args)]
#[command(
    after_long_help = "Examples:\n  xtrasec login\n  xtrasec login --api-url https://secrets.example.com/api\n  xtrasec login --profile work\n  pass show xtra/token | xtrasec login"
)]
pub(crate) struct LoginArguments {}

/// Removes the stored token
///
/// The base URL that was stored with it goes too; with --profile, those of that name alone. The token itself stays valid until it is revoked. Everything else in
/// ~/.xtra/config.json stays.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec logout\n  xtrasec logout --profile work")]
pub(crate) struct LogoutArguments {}

pub(crate) async fn login(global: &Global, LoginArguments {}: &LoginArguments) -> Outcome {
    global.note_unused_environment("a token is good for all of them");
    refuse_local(global)?;
    // Before somebody types in vain.
    let mut store = TokenStore::open()?;
    let base_url = base_url(global, &store)?;
    let token = token()?;
    let builder = builder(global).token(token.expose());
    let builder = match &base_url {
        Some(url) => builder.api_url(url),
        None => builder,
    };
    let client = builder.build()?;
    let caller = client.whoami().await.map_err(|error| Failure::from(error).so(NOTHING_DONE))?;
    let service = base_url.as_ref().map(|url| format!(" at {}", printable(origin(url)))).unwrap_or_default();
    let place = match &global.profile {
        Some(name) => {
            let api_url = base_url.unwrap_or_else(|| DEFAULT_API_URL.to_owned());
            store.set_profile(name, &Profile { token, api_url })?;
            format!("{NAME} as the profile {}", quoted([name.as_str()]))
        }
        None => {
            store.set(&token, base_url.as_deref());
            NAME.to_owned()
        }
    };
    store.save()?;
    let line = format!("logged in as {}{service}\nthe token is in {place}, for you alone to read\n", shown(&caller));
    output::done(&line)?;
    if global.profile.is_some() {
        return Ok(0);
    }
    tell_other_token(global, "is preferred to what was stored. Remove it to use that");
    Ok(0)
}

pub(crate) fn logout(global: &Global, LogoutArguments {}: &LogoutArguments) -> Outcome {
    let mut store = TokenStore::open()?;
    if let Some(name) = &global.profile {
        return logout_of(name, store);
    }
    let line = match store.remove() {
        true => {
            store.save()?;
            format!("the token was removed from {NAME}. It is valid until it is revoked\n")
        }
        false => format!("there is no token in {NAME}\n"),
    };
    output::done(&line)?;
    tell_other_token(global, "still gives a token");
    Ok(0)
}

fn logout_of(name: &str, mut store: TokenStore) -> Outcome {
    let shown = quoted([name]);
    let line = match store.remove_profile(name) {
        true => {
            store.save()?;
            format!("the profile {shown} was removed from {NAME}. Its token is valid until it is revoked\n")
        }
        false => format!("there is no profile {shown} in {NAME}\n"),
    };
    output::done(&line)?;
    Ok(0)
}

fn token() -> Result<SecretValue, Failure> {
    let text = match file::is_typed() {
        true => password_prompt::ask("Token (not shown):")?,
        false => file::standard_input(MOST)?,
    };
    let token = text.expose().trim_ascii();
    if token.is_empty() {
        return Err(Failure::refused("no token was given. Nothing was stored"));
    }
    Ok(token.into())
}

/// The base URL of the service that the token is for: the one that was named, else the one of the last login; `None` is the
/// usual one. One that may not be used is refused before somebody types in vain.
fn base_url(global: &Global, store: &TokenStore) -> Result<Option<String>, Failure> {
    let find = |builder: XtraClientBuilder| {
        let configuration = builder.explain();
        let setting = configuration.get("api_url");
        match setting.and_then(|setting| setting.problem()) {
            Some(problem) if global.api_url.is_some() => Err(Failure::usage(hints::told(problem))),
            Some(problem) => Err(Failure::refused(hints::told(problem)).so(NOTHING_DONE)),
            None => Ok(setting.map(|setting| (setting.origin().to_owned(), setting.shown().map(str::to_owned)))),
        }
    };
    match find(builder(global))? {
        Some((origin, shown)) if origin != "default" && !origin.starts_with(NAME) => Ok(shown),
        _ => match stored(global, store).as_deref() {
            Some(url) => Ok(find(builder(global).api_url(url))?.and_then(|(_, shown)| shown)),
            None => Ok(None),
        },
    }
}

/// The base URL of the last login to the same profile. A new profile is for the usual service, not for that of the default.
fn stored(global: &Global, store: &TokenStore) -> Option<String> {
    match &global.profile {
        Some(name) => {
            let known = store.profile(name).map(|profile| profile.api_url);
            Some(known.unwrap_or_else(|| DEFAULT_API_URL.to_owned()))
        }
        None => store.api_url().map(str::to_owned),
    }
}

/// Scheme, host and port of a base URL in its checked form.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + "://".len());
    let end = url.get(host..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| host + at);
    url.get(..end).unwrap_or(url)
}

/// Tells of a token that commands use whatever is in the file.
fn tell_other_token(global: &Global, what: &str) {
    let configuration = builder(global).explain();
    if let Some(token) = configuration.get("token")
        && token.shown().is_some()
        && token.origin() != NAME
    {
        output::note(&format!("{} {what}", token.origin()));
    }
}
