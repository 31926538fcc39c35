//! `xtrasec login` and `xtrasec logout`: the token in a file of the user's.

use clap::Args;
use xtrasecurity::manage::Caller;
use xtrasecurity::{SecretValue, XtraClient, XtraClientBuilder};

use crate::arguments::Global;
use crate::failure::{Failure, Outcome};
use crate::output::{self, printable};
use crate::session::builder;
use crate::target::refuse_local;
use crate::token_store::{NAME, TokenStore};
use crate::{hidden, input};

/// No token is nearly as long.
const MOST: usize = 1 << 20;

/// Stores a token for later commands
///
/// The token is asked for and not shown, or read from standard input; it never is an argument. The service is asked whose it
/// is, and what it knows is put into ~/.xtra/config.json, which only you can read (0600). Programs that use the library find
/// it there too. Everything else in that file stays.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec login\n  pass show xtra/token | xtrasec login")]
pub(crate) struct LoginArguments {}

/// Removes the stored token
///
/// The token itself stays valid until it is revoked. Everything else in ~/.xtra/config.json stays.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec logout")]
pub(crate) struct LogoutArguments {}

pub(crate) async fn login(global: &Global, LoginArguments {}: &LoginArguments) -> Outcome {
    global.note_unused_environment("a token is good for all of them");
    refuse_local(global)?;
    // Before somebody types in vain.
    let mut store = TokenStore::open()?;
    let token = token()?;
    let client = builder(global).token(token.expose()).build()?;
    let caller = client.whoami().await.map_err(|error| Failure::from(error).so("Nothing was stored"))?;
    store.set(&token);
    store.save()?;
    let line = format!("logged in as {}\nthe token is in {NAME}, for you alone to read\n", shown(&caller));
    output::done(&line)?;
    if root(&builder(global)) != root(&XtraClient::builder()) {
        // Otherwise the next command would carry the token to another service.
        output::note(
            "the API root is not stored: set XTRA_API_URL, or put \"apiUrl\" into .xtrarc, for later commands",
        );
    }
    tell_other_token(global, "is preferred to what was stored. Remove it to use that");
    Ok(0)
}

pub(crate) fn logout(global: &Global, LogoutArguments {}: &LogoutArguments) -> Outcome {
    let mut store = TokenStore::open()?;
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

fn token() -> Result<SecretValue, Failure> {
    let text = match input::is_typed() {
        true => hidden::ask("Token (not shown):")?,
        false => input::standard_input(MOST)?,
    };
    let token = text.expose().trim_ascii();
    if token.is_empty() {
        return Err(Failure::refused("no token was given. Nothing was stored"));
    }
    Ok(token.into())
}

fn shown(caller: &Caller) -> String {
    let text = match caller {
        Caller::User { id, name, email, .. } => match (name, email) {
            (Some(name), Some(email)) => format!("{name} <{email}>"),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => format!("the user {id}"),
        },
        Caller::ServiceAccount { id, name, project, .. } => {
            let name = name.as_ref().unwrap_or(id);
            let of = project.as_ref().map(|id| format!(" of the project {id}")).unwrap_or_default();
            format!("the service account {name}{of}")
        }
        other => other.id().to_owned(),
    };
    printable(&text)
}

/// The service that such a client would ask.
fn root(builder: &XtraClientBuilder) -> Option<String> {
    builder.explain().get("api_url")?.shown().map(str::to_owned)
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
