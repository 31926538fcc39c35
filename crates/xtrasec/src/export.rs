//! `xtrasec export`: all secrets in the form that something else reads.

mod github;
mod shell;
mod yaml;

use std::path::Path;
use std::process::Command;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use serde_json::{Map, Value};
use xtrasecurity::{SecretValue, Secrets, Selection};

use crate::arguments::{Choice, Global};
use crate::destination::Destination;
use crate::failure::{Failure, Outcome};
use crate::file;
use crate::output::{self, printable};
use crate::session::Session;

const NOTHING_DONE: &str = "Nothing was written";

/// Writes secrets as a file for something else
///
/// Values go to standard output when it is no terminal, or to a file that only you can read (0600), written whole or not at
/// all.
#[derive(Args)]
#[command(after_long_help = "Formats:\n  \
    dotenv  NAME=value lines, in quotes where that is needed, for .env files\n  \
    json    one object\n  \
    yaml    one mapping, every text in double quotes\n  \
    shell   export NAME='value' lines, for: eval \"$(xtrasec export --format shell)\"\n  \
    github  for GitHub Actions: appended to the file, and every value masked in the log\n\n\
    Examples:\n  \
    xtrasec export --output .env\n  \
    xtrasec export --format json | jq .\n  \
    xtrasec export --format github --output \"$GITHUB_ENV\"")]
pub(crate) struct Arguments {
    /// The form
    #[arg(long, value_enum, default_value_t = Format::Dotenv)]
    format: Format,
    #[command(flatten)]
    choice: Choice,
    /// Allow a variable that shell and github refuse otherwise, such as PATH
    #[arg(long, value_name = "VARIABLE", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    allow_name: Vec<String>,
    #[command(flatten)]
    destination: Destination,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Dotenv,
    Json,
    Yaml,
    Shell,
    Github,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let destination = &arguments.destination;
    match arguments.format {
        Format::Github => {
            github_file(destination)?;
            // The masks are values too.
            destination.check_standard_output()?;
        }
        _ => destination.check()?,
    }
    let session = Session::open(global)?;
    let secrets = session.chosen(&arguments.choice).await.map_err(|failure| failure.so(NOTHING_DONE))?;
    write(&secrets, arguments)
}

/// The file that the runner reads, which is added to and never replaced.
fn github_file(destination: &Destination) -> Result<&Path, Failure> {
    if destination.is_forced() {
        return Err(Failure::usage("--force replaces a file, and the format github adds to one: leave --force out"));
    }
    destination
        .file()
        .ok_or_else(|| Failure::usage("the format github needs the file to append to: add --output \"$GITHUB_ENV\""))
}

fn write(secrets: &Secrets, arguments: &Arguments) -> Outcome {
    if arguments.format == Format::Shell || arguments.format == Format::Github {
        names_are_safe(secrets, &arguments.allow_name).map_err(|failure| failure.so(NOTHING_DONE))?;
    }
    let text = match arguments.format {
        Format::Dotenv => dotenv(secrets).map_err(|failure| failure.so(NOTHING_DONE))?,
        Format::Json => json(secrets),
        Format::Yaml => yaml::document(secrets),
        Format::Shell => shell::script(secrets),
        Format::Github => {
            // Masked first: from then on the values are in no log, whoever prints them.
            output::write(github::masks(secrets).expose().as_bytes())?;
            file::append(github_file(&arguments.destination)?, github::variables(secrets).expose().as_bytes())?;
            return Ok(0);
        }
    };
    arguments.destination.write(text.expose().as_bytes())?;
    Ok(0)
}

fn dotenv(secrets: &Secrets) -> Result<SecretValue, Failure> {
    let advice = "Leave them out with --except, or take the format json, yaml or shell";
    secrets.to_dotenv().map_err(|error| Failure::from(error).so(advice))
}

/// Whoever reads these forms sets variables by them: the names must be names there, and none of those that change what
/// programs load or run.
fn names_are_safe(secrets: &Secrets, allowed: &[String]) -> Result<(), Failure> {
    let odd: Vec<String> =
        secrets.names().filter(|name| !is_identifier(name)).map(|name| format!("\"{}\"", printable(name))).collect();
    if !odd.is_empty() {
        return Err(Failure::refused(format!(
            "these names cannot be names of variables: {}. Leave them out with --except",
            odd.join(", ")
        )));
    }
    let selection = allowed.iter().fold(Selection::new(), |selection, name| selection.allow_name(name));
    // The same checks as for a program that is started; this one is not.
    secrets.injection().select(selection).apply_to(&mut Command::new("true"))?;
    Ok(())
}

fn is_identifier(name: &str) -> bool {
    !name.starts_with(|character: char| character.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn json(secrets: &Secrets) -> SecretValue {
    let object: Map<String, Value> =
        secrets.iter().map(|(name, value)| (name.to_owned(), Value::from(value.expose()))).collect();
    SecretValue::new(output::json(&Value::Object(object)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_ascii_letters_digits_and_underscores_and_begin_with_no_digit() {
        assert!(["A", "_", "a1", "DATABASE_URL"].into_iter().all(is_identifier));
        assert!(!["", "1A", "A-B", "A B", "A.B", "Ä", "A=B", "A\n", "A;id"].into_iter().any(is_identifier));
    }
}
