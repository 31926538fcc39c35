//! `xtrasec get`: one secret, or some.

use std::collections::BTreeSet;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use xtrasecurity::Secrets;

use crate::export::Format;
use crate::failure::{Failure, Outcome};
use crate::misreads;
use crate::options::{Global, Values};
use crate::output;
use crate::service::{Readable, with_session};
use crate::session::{Session, demand, tell_references};
use crate::text::printable;

/// Writes one secret, or some
///
/// With --show, the value of one secret is written exactly as it is; a line break is added on a terminal only. Several are
/// written as `xtrasec export` writes them, NAME=value lines unless --format is given. If one is not there, nothing is
/// written, and all that are not there are named. Without --show this tells on a terminal that the secrets are there, and
/// anywhere else it is an error, so that no program takes that for the value.
#[derive(Args)]
#[command(
    after_long_help = "Examples:\n  xtrasec get DATABASE_URL\n  xtrasec get --show TLS_KEY -e prod > key.pem\n  \
    xtrasec get --show --format json DB_USER DB_PASSWORD | jq ."
)]
pub(crate) struct Arguments {
    /// The secrets' names
    #[arg(required = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    names: Vec<String>,
    /// Write the values
    #[arg(long)]
    show: bool,
    /// The form, as of `xtrasec export` [default: the bare value of one secret, dotenv for several]
    #[arg(long, value_name = "FORM", value_parser = Format::of_text(), requires = "show")]
    format: Option<Format>,
    #[command(flatten)]
    values: Values,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    if !arguments.show && !output::is_terminal() {
        return Err(Failure::usage("stdout is not a terminal: add --show to print the value"));
    }
    with_session!(global, offline: false, |session| tell(session, arguments).await)
}

async fn tell<S: Readable>(session: &Session<S>, arguments: &Arguments) -> Outcome {
    let names: BTreeSet<&str> = arguments.names.iter().map(String::as_str).collect();
    let secrets = session.values(arguments.values).await?;
    demand(&secrets, names.iter().copied(), session.environment()?, session.words)?;
    let chosen = chosen(&secrets, &names);
    tell_references::<S>(&chosen, arguments.values);
    if !arguments.show {
        for name in &names {
            output::write(format!("{} {:?}\n", printable(name), chosen.require(name)?).as_bytes())?;
        }
        return Ok(0);
    }
    match (names.first(), names.len(), arguments.format) {
        (Some(name), 1, None) => bare(chosen.require(name)?.expose()),
        (_, _, format) => listed(&chosen, format.unwrap_or(Format::Dotenv)),
    }
}

/// The value and nothing else.
fn bare(value: &str) -> Outcome {
    output::write_values(value)?;
    if output::is_terminal() {
        output::write(b"\n")?;
    }
    Ok(0)
}

fn chosen(secrets: &Secrets, names: &BTreeSet<&str>) -> Secrets {
    secrets.iter().filter(|(name, _)| names.contains(name)).map(|(name, value)| (name, value.clone())).collect()
}

fn listed(chosen: &Secrets, format: Format) -> Outcome {
    output::write_values(format.text(chosen, &[])?.expose())?;
    if format == Format::Dotenv {
        misreads::tell(&chosen.dotenv_misreads());
    }
    Ok(0)
}
