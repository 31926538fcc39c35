//! `xtrasec export`: all secrets in the form that something else reads.

mod github;
mod shell;
mod yaml;

use std::path::PathBuf;
use std::process::Command;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};
use xtrasecurity::{SecretValue, Secrets, Selection};

use crate::arguments::{Choice, Global};
use crate::failure::{Failure, Outcome};
use crate::file::{self, Existing};
use crate::output::{self, printable};
use crate::session::{Session, nothing_there};

/// Writes secrets as a file for something else
///
/// Values go to standard output when it is no terminal, or to a file that only you can read (0600), written whole or not at
/// all.
#[derive(Args)]
#[command(after_long_help = "Formats:\n  \
    dotenv  NAME=\"value\" lines, for .env files\n  \
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
    #[arg(long, value_name = "VARIABLE", value_delimiter = ',')]
    allow_name: Vec<String>,
    /// Write this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "output")]
    force: bool,
    /// Write the values even when standard output is a terminal
    #[arg(long)]
    show: bool,
    /// Write an empty result when there are no secrets
    #[arg(long)]
    allow_empty: bool,
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
    let values_on_stdout = arguments.output.is_none() || arguments.format == Format::Github;
    if arguments.format == Format::Github && arguments.output.is_none() {
        return Err(Failure::usage("the format github needs the file to append to: add --output \"$GITHUB_ENV\""));
    }
    if values_on_stdout {
        output::values_may_be_written(arguments.show)?;
    }
    let session = Session::open(global)?;
    let all = session.chosen(&arguments.choice).await?;
    let secrets = taken(&all, &arguments.choice);
    if secrets.is_empty() && !arguments.allow_empty {
        let what = nothing_there(session.environment()?);
        return Err(Failure::refused(format!("{what}, or add --allow-empty. Nothing was written")));
    }
    write(&secrets, arguments)
}

fn write(secrets: &Secrets, arguments: &Arguments) -> Outcome {
    if arguments.format == Format::Shell || arguments.format == Format::Github {
        names_are_safe(secrets, &arguments.allow_name)?;
    }
    let text = match arguments.format {
        Format::Dotenv => secrets.to_dotenv()?,
        Format::Json => json(secrets),
        Format::Yaml => yaml::document(secrets),
        Format::Shell => shell::script(secrets),
        Format::Github => {
            // Masked first: from then on the values are in no log, whoever prints them.
            output::write(github::masks(secrets).expose().as_bytes())?;
            github::variables(secrets)
        }
    };
    let bytes = text.expose().as_bytes();
    match &arguments.output {
        None => output::write(bytes)?,
        Some(path) if arguments.format == Format::Github => file::append(path, bytes)?,
        Some(path) => file::write(path, bytes, Existing::replaced_if(arguments.force))?,
    }
    Ok(0)
}

fn taken(secrets: &Secrets, choice: &Choice) -> Secrets {
    secrets.iter().filter(|(name, _)| choice.takes(name)).map(|(name, value)| (name, value.clone())).collect()
}

/// Whoever reads these forms sets variables by them: the names must be names there, and none of those that change what
/// programs load or run.
fn names_are_safe(secrets: &Secrets, allowed: &[String]) -> Result<(), Failure> {
    let odd: Vec<String> =
        secrets.names().filter(|name| !is_identifier(name)).map(|name| format!("\"{}\"", printable(name))).collect();
    if !odd.is_empty() {
        return Err(Failure::refused(format!(
            "these names cannot be names of variables: {}. Leave them out with --except. Nothing was written",
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
