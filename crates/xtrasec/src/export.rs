//! `xtrasec export`: all secrets in the form that something else reads.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use clap::builder::{NonEmptyStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value};
use xtrasecurity::{SecretValue, Secrets, inject::Selection};

use crate::failure::{Failure, Outcome};
use crate::file::{self, random_word};
use crate::misreads;
use crate::options::{Choice, Global, Values};
use crate::output;
use crate::output_target::OutputTarget;
use crate::service::{Readable, with_session};
use crate::session::Session;
use crate::text::{self, all_quoted, is_plain};

const NOTHING_DONE: &str = "Nothing was written";

/// Writes secrets as a file for something else
///
/// Values go to standard output when it is no terminal, or to a file that only you can read (0600), written whole or not at
/// all.
#[derive(Args)]
#[command(after_long_help = "Formats:\n  \
    dotenv  NAME=value lines, in quotes where that is needed, for .env files;\n          \
            what only some of their readers take as it is, standard error names\n  \
    docker  NAME=value lines without quotes, for docker run --env-file and\n          \
            kubectl --from-env-file; values of several lines are refused\n  \
    json    one object\n  \
    yaml    one mapping, every text in double quotes\n  \
    shell   export NAME='value' lines: eval \"$(xtrasec export --format shell)\"\n  \
    github  for GitHub Actions: appended to the file, and values masked in the\n          \
            log, but for lines of less than four bytes\n\n\
    Examples:\n  \
    xtrasec export --output .env\n  \
    xtrasec export --format docker --output app.env\n  \
    xtrasec export --format json | jq .\n  \
    xtrasec export --format github --output \"$GITHUB_ENV\"")]
pub(crate) struct Arguments {
    /// The form
    #[arg(long, value_enum, default_value_t = Format::Dotenv)]
    format: Format,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    values: Values,
    /// Allow a variable that docker, shell and github refuse otherwise, such as PATH
    #[arg(long, value_name = "VARIABLE", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    allow_name: Vec<String>,
    #[command(flatten)]
    destination: OutputTarget,
}

/// A form that secrets are written in.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Dotenv,
    Docker,
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
    with_session!(global, offline: false, |session| take(session, arguments).await)
}

async fn take<S: Readable>(session: &Session<S>, arguments: &Arguments) -> Outcome {
    let secrets =
        session.chosen(&arguments.choice, arguments.values).await.map_err(|failure| failure.so(NOTHING_DONE))?;
    write(&secrets, arguments)
}

/// The file that the runner reads, which is added to and never replaced.
fn github_file(destination: &OutputTarget) -> Result<&Path, Failure> {
    if destination.is_forced() {
        return Err(Failure::usage("--force replaces a file, and the format github adds to one: leave --force out"));
    }
    destination
        .file()
        .ok_or_else(|| Failure::usage("the format github needs the file to append to: add --output \"$GITHUB_ENV\""))
}

impl Format {
    /// The parser of those that are one text.
    pub(crate) fn of_text() -> impl TypedValueParser<Value = Self> {
        let names = Self::value_variants().iter().filter(|format| **format != Self::Github);
        let names: Vec<PossibleValue> = names.filter_map(ValueEnum::to_possible_value).collect();
        PossibleValuesParser::new(names).try_map(|name| Self::from_str(&name, false))
    }

    /// The secrets in this form, of github the variables; refused when it cannot hold some of them.
    pub(crate) fn text(self, secrets: &Secrets, allowed: &[String]) -> Result<SecretValue, Failure> {
        self.checked_text(secrets, allowed).map_err(|failure| failure.so(NOTHING_DONE))
    }

    fn checked_text(self, secrets: &Secrets, allowed: &[String]) -> Result<SecretValue, Failure> {
        let is_name: Option<fn(&str) -> bool> = match self {
            Self::Shell | Self::Github => Some(is_identifier),
            Self::Docker => Some(is_docker_name),
            Self::Dotenv | Self::Json | Self::Yaml => None,
        };
        if let Some(is_name) = is_name {
            names_are_safe(secrets, allowed, is_name)?;
        }
        match self {
            Self::Dotenv => dotenv(secrets),
            Self::Docker => docker(secrets),
            Self::Json => Ok(json(secrets)),
            Self::Yaml => Ok(yaml_document(secrets)),
            Self::Shell => Ok(shell_script(secrets)),
            Self::Github => Ok(github_variables(secrets)),
        }
    }
}

fn write(secrets: &Secrets, arguments: &Arguments) -> Outcome {
    let text = arguments.format.text(secrets, &arguments.allow_name)?;
    if arguments.format == Format::Github {
        // Masked first: from then on the values are in no log, whoever prints them.
        output::write(github_masks(secrets).expose().as_bytes())?;
        tell_unmasked(secrets);
        file::append(github_file(&arguments.destination)?, text.expose().as_bytes())?;
        return Ok(0);
    }
    arguments.destination.write(text.expose())?;
    if arguments.format == Format::Dotenv {
        misreads::tell(&secrets.dotenv_misreads());
    }
    Ok(0)
}

fn dotenv(secrets: &Secrets) -> Result<SecretValue, Failure> {
    let advice = "Leave them out with --exclude, or take the format json or yaml";
    secrets.to_dotenv().map_err(|error| Failure::from(error).so(advice))
}

/// Whoever reads these forms sets variables by them: the names must be names there, and none of those that change what
/// programs load or run.
fn names_are_safe(secrets: &Secrets, allowed: &[String], is_name: fn(&str) -> bool) -> Result<(), Failure> {
    let odd: Vec<&str> = secrets.names().filter(|name| !is_name(name)).collect();
    if !odd.is_empty() {
        return Err(Failure::refused(format!(
            "these names cannot be names of variables: {}. Leave them out with --exclude",
            all_quoted(&odd)
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

/// Whether docker and kubectl take it from a file.
fn is_docker_name(name: &str) -> bool {
    !name.starts_with(|character: char| character.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// `NAME=value` lines that mean themselves: docker and kubectl know neither quotes nor escapes. The names have been checked.
fn docker(secrets: &Secrets) -> Result<SecretValue, Failure> {
    let refused: Vec<&str> =
        secrets.iter().filter(|(name, value)| !is_docker_line(name, value.expose())).map(|(name, _)| name).collect();
    if !refused.is_empty() {
        return Err(Failure::refused(format!(
            "the format docker cannot hold these secrets: {}. Their values have several lines, end in a carriage return, or \
             are longer than 64 KiB. Leave them out with --exclude",
            all_quoted(&refused)
        )));
    }
    let room = secrets.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    let mut text = String::with_capacity(room);
    for (name, value) in secrets.iter() {
        text.extend([name, "=", value.expose(), "\n"]);
    }
    Ok(SecretValue::new(text))
}

/// Whether docker and kubectl read the line back. They take one carriage return before a line's end for a part of it, and
/// give up at lines of 64 KiB.
fn is_docker_line(name: &str, value: &str) -> bool {
    const MOST: usize = 64 << 10;
    !value.contains('\n') && !value.ends_with('\r') && name.len() + value.len() + 2 < MOST
}

fn json(secrets: &Secrets) -> SecretValue {
    let object: Map<String, Value> =
        secrets.iter().map(|(name, value)| (name.to_owned(), Value::from(value.expose()))).collect();
    SecretValue::new(text::json(&Value::Object(object)))
}

/// Log commands of GitHub Actions that hide the lines of every value. The runner takes them from standard output and hides
/// them as well.
fn github_masks(secrets: &Secrets) -> SecretValue {
    let mut text = String::new();
    for line in secrets.iter().flat_map(|(_, value)| masked_lines(value.expose())) {
        text.extend(["::add-mask::", &line.replace('%', "%25"), "\n"]);
    }
    SecretValue::new(text)
}

/// The lines that are worth a mask. One of a few bytes gives nothing away, and would blot out every brace of the log. The
/// runner refuses to hide blanks.
fn masked_lines(value: &str) -> impl Iterator<Item = &str> {
    const LEAST: usize = 4;
    value.split(['\n', '\r']).filter(|line| line.len() >= LEAST && !line.trim().is_empty())
}

/// Names the secrets that the log may show.
fn tell_unmasked(secrets: &Secrets) {
    let is_shown = |value: &str| !value.trim().is_empty() && masked_lines(value).next().is_none();
    let shown: Vec<&str> = secrets.iter().filter(|(_, value)| is_shown(value.expose())).map(|(name, _)| name).collect();
    if !shown.is_empty() {
        output::note(&format!("too short to be masked in the log: {}", all_quoted(&shown)));
    }
}

/// The variables for the file of GitHub Actions, each between lines of a word that no value can hold.
fn github_variables(secrets: &Secrets) -> SecretValue {
    let mut text = String::new();
    for (name, value) in secrets.iter() {
        let end = github_delimiter(value.expose());
        text.extend([name, "<<", &end, "\n", value.expose(), "\n", &end, "\n"]);
    }
    SecretValue::new(text)
}

fn github_delimiter(value: &str) -> String {
    loop {
        let word = format!("xtrasec_{}", random_word());
        if !value.contains(&word) {
            return word;
        }
    }
}

/// `export NAME='value'` lines for a POSIX shell. The names have been checked.
fn shell_script(secrets: &Secrets) -> SecretValue {
    let mut text = String::new();
    for (name, value) in secrets.iter() {
        // Between single quotes everything is itself, except the quote.
        text.extend(["export ", name, "='", &value.expose().replace('\'', r"'\''"), "'\n"]);
    }
    SecretValue::new(text)
}

/// The secrets as one YAML mapping that no reader can take for anything but texts. Every line is valid JSON as well.
fn yaml_document(secrets: &Secrets) -> SecretValue {
    if secrets.is_empty() {
        return SecretValue::from("{}\n");
    }
    let mut text = String::new();
    for (name, value) in secrets.iter() {
        quote_yaml(name, &mut text);
        text.push_str(": ");
        quote_yaml(value.expose(), &mut text);
        text.push('\n');
    }
    SecretValue::new(text)
}

/// Writes a text in double quotes, escaping all that some reader folds, drops or refuses.
fn quote_yaml(text: &str, into: &mut String) {
    into.push('"');
    for character in text.chars() {
        match character {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            // Those that are not plain are all below U+10000, so four digits do.
            odd if !is_plain(odd) || matches!(odd, '\u{e000}'..='\u{f8ff}' | '\u{fffe}' | '\u{ffff}') => {
                let _ = write!(into, "\\u{:04x}", u32::from(odd));
            }
            plain => into.push(plain),
        }
    }
    into.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_ascii_letters_digits_and_underscores_and_begin_with_no_digit() {
        assert!(["A", "_", "a1", "DATABASE_URL"].into_iter().all(is_identifier));
        assert!(!["", "1A", "A-B", "A B", "A.B", "Ä", "A=B", "A\n", "A;id"].into_iter().any(is_identifier));
    }

    #[test]
    fn every_line_of_four_bytes_is_masked_and_percent_signs_survive_the_runner() {
        let secrets =
            Secrets::from_iter([("A", "four\r\ntwo%0A\n\n    \nthree\n{\n  }\nabc\n\u{e4}\u{e4}"), ("B", "")]);
        let masks = ["four", "two%250A", "three", "\u{e4}\u{e4}"].map(|line| format!("::add-mask::{line}\n")).concat();
        assert_eq!(github_masks(&secrets).expose(), masks);
    }

    #[test]
    fn a_file_for_docker_has_every_value_bare_and_none_that_would_be_cut() {
        let fitting = [("A.b-c", " $2y$10 'x' \" # \\ "), ("B", ""), ("C", "a\rb"), ("D", "=")];
        let text = docker(&Secrets::from_iter(fitting)).ok().unwrap();
        assert_eq!(text.expose(), "A.b-c= $2y$10 'x' \" # \\ \nB=\nC=a\rb\nD==\n");
        let long = "x".repeat(64 << 10);
        let refused = [("FINE", "1"), ("LINES", "a\nb"), ("END", "a\r"), ("CRLF", "a\r\n"), ("LONG", &long)];
        let failure = docker(&Secrets::from_iter(refused)).err().unwrap();
        assert!(failure.line.contains(r#""CRLF", "END", "LINES", "LONG". "#), "{}", failure.line);
    }

    #[test]
    fn each_variable_ends_at_a_word_of_its_own() {
        let secrets = Secrets::from_iter([("A", "x\ny"), ("B", "")]);
        let text = github_variables(&secrets);
        let lines: Vec<&str> = text.expose().split('\n').collect();
        let [first, "x", "y", first_end, second, "", second_end, ""] = lines[..] else { panic!("{lines:?}") };
        assert_eq!(first, format!("A<<{first_end}"));
        assert_eq!(second, format!("B<<{second_end}"));
        assert_ne!(first_end, second_end);
    }

    #[test]
    fn a_quote_in_a_value_does_not_end_it() {
        let secrets = Secrets::from_iter([("A", "it's $HOME `id`\n\\"), ("B", "")]);
        assert_eq!(shell_script(&secrets).expose(), "export A='it'\\''s $HOME `id`\n\\'\nexport B=''\n");
    }

    #[test]
    fn every_character_of_the_basic_plane_and_beyond_reads_back() {
        let nasty: Vec<String> = ('\0'..=char::MAX)
            .filter(|character| u32::from(*character) < 0x1_0100 || u32::from(*character) % 0x101 == 0)
            .map(|character| format!("a{character}b"))
            .collect();
        let all = nasty.concat();
        let texts =
            ["", "yes", "null", "1e3", "- a", "# c", "a: b", " x ", "%TAG", "@", "`", "\u{feff}", "---\n...", &all];
        let secrets = Secrets::from_iter(texts.iter().enumerate().map(|(n, text)| (format!("K{n}: \"x"), *text)));
        let document = yaml_document(&secrets);
        assert!(document.expose().chars().all(|character| character == '\n' || !character.is_control()));
        let read: std::collections::BTreeMap<String, String> = document
            .expose()
            .lines()
            .flat_map(|line| serde_json::from_str::<std::collections::BTreeMap<_, _>>(&format!("{{{line}}}")).unwrap())
            .collect();
        assert_eq!(read.len(), texts.len());
        for (name, value) in secrets.iter() {
            assert!(read.get(name).unwrap() == value.expose());
        }
    }

    #[test]
    fn nothing_is_an_empty_mapping() {
        assert_eq!(yaml_document(&Secrets::from_iter([] as [(&str, &str); 0])).expose(), "{}\n");
    }
}
