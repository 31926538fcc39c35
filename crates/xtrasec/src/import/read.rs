//! The secrets in a file of any of the forms.

use std::path::Path;

use clap::ValueEnum;
use xtrasecurity::{SecretValue, Secrets};

use super::{json, yaml};
use crate::failure::Failure;
use crate::input;
use crate::output::printable;
use crate::session::quoted;

/// As much as is read.
const MOST: usize = 64 << 20;

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Format {
    Dotenv,
    Json,
    Yaml,
}

/// Why a file cannot be used. It quotes no value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Something that is none of the form, and where: line and column.
    Form { line: usize, column: usize },
    /// Not what is wanted as a whole.
    Whole(&'static str),
    /// Names that come twice.
    Repeated(Vec<String>),
    /// Names whose values are no texts.
    NoTexts(Vec<String>),
}

/// Names and values in the order of a file, before it is known whether they can be used.
#[derive(Default)]
pub(super) struct Entries {
    pub(super) texts: Vec<(String, SecretValue)>,
    pub(super) others: Vec<String>,
}

impl Entries {
    fn into_secrets(self) -> Result<Secrets, Flaw> {
        if !self.others.is_empty() {
            return Err(Flaw::NoTexts(self.others));
        }
        let mut names: Vec<&String> = self.texts.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        let mut repeated: Vec<String> = names
            .windows(2)
            .filter(|two| two.first() == two.last())
            .filter_map(|two| two.first().map(|name| (*name).clone()))
            .collect();
        repeated.dedup();
        if !repeated.is_empty() {
            return Err(Flaw::Repeated(repeated));
        }
        Ok(self.texts.into_iter().collect())
    }
}

/// The secrets in a file, all of which are texts, each once.
pub(super) fn secrets(path: &Path, format: Option<Format>) -> Result<Secrets, Failure> {
    let is_standard_input = path.as_os_str() == "-";
    let name = if is_standard_input { "standard input".to_owned() } else { printable(&path.to_string_lossy()) };
    let is_guessed = is_standard_input && format.is_none();
    let format = match format.or_else(|| by_name(path)) {
        Some(format) => format,
        None if is_standard_input => Format::Dotenv,
        None => return Err(Failure::usage(format!("{name}: its name does not tell its form. Add --format"))),
    };
    let text = if is_standard_input { input::standard_input(MOST)? } else { input::file(path, MOST)? };
    let text = text.expose().strip_prefix('\u{feff}').unwrap_or(text.expose());
    let nothing = || Failure::refused(format!("{name} holds no secrets"));
    if text.trim_ascii().is_empty() {
        // For some of the forms that would be an error in the first line.
        return Err(nothing());
    }
    let secrets = match format {
        Format::Dotenv => Secrets::from_dotenv(text).map_err(|error| {
            let failure = Failure::from(error);
            let failure = Failure::refused(format!("{name}: {}", failure.line));
            if is_guessed { failure.so("Add --format if it is of another form") } else { failure }
        })?,
        Format::Json => json::entries(text).and_then(Entries::into_secrets).map_err(|flaw| flaw.of(&name, "JSON"))?,
        Format::Yaml => yaml::entries(text).and_then(Entries::into_secrets).map_err(|flaw| flaw.of(&name, "YAML"))?,
    };
    if secrets.is_empty() {
        return Err(nothing());
    }
    Ok(secrets)
}

impl Flaw {
    fn of(&self, file: &str, form: &str) -> Failure {
        let names = |names: &[String]| quoted(names.iter().map(String::as_str));
        let what = match self {
            Self::Form { line, column } => format!("line {line}, column {column}: this is no {form}"),
            Self::Whole(what) => (*what).to_owned(),
            Self::Repeated(repeated) => format!("these names come more than once: {}", names(repeated)),
            Self::NoTexts(others) => format!(
                "the values of these are no texts (but numbers, dates, lists, yes or no, or nothing): {}. Put each that is \
                 meant as text into quotes",
                names(others)
            ),
        };
        Failure::refused(format!("{file}: {what}. Nothing was written"))
    }
}

fn by_name(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    match name.rsplit_once('.')?.1 {
        "json" => Some(Format::Json),
        "yaml" | "yml" => Some(Format::Yaml),
        "env" => Some(Format::Dotenv),
        _ => name.starts_with(".env").then_some(Format::Dotenv),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_tells_its_form() {
        for (name, format) in [
            (".env", Some(Format::Dotenv)),
            (".env.production", Some(Format::Dotenv)),
            ("dir/prod.ENV", Some(Format::Dotenv)),
            ("a.json", Some(Format::Json)),
            (".env.json", Some(Format::Json)),
            ("a.b.yml", Some(Format::Yaml)),
            ("A.YAML", Some(Format::Yaml)),
            ("secrets.txt", None),
            ("secrets", None),
            ("-", None),
        ] {
            assert_eq!(by_name(Path::new(name)), format, "{name}");
        }
    }

    #[test]
    fn a_name_that_comes_twice_is_refused_once() {
        let texts = ["B", "A", "B", "C", "B", "A"].map(|name| (name.to_owned(), SecretValue::from("v"))).into();
        let flaw = Entries { texts, others: Vec::new() }.into_secrets().unwrap_err();
        assert_eq!(flaw, Flaw::Repeated(vec!["A".into(), "B".into()]));
    }
}
