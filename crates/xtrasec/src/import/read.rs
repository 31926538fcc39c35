//! The secrets in a file of any of the forms.

use std::path::Path;

use clap::ValueEnum;
use xtrasecurity::dotenv::EncryptedBy;
use xtrasecurity::xtra::write::NameProblem;
use xtrasecurity::{SecretValue, Secrets};

use super::forms::{Contents, Flaw, of_dotenv, of_json, of_yaml};
use crate::failure::Failure;
use crate::file;

const NOTHING_DONE: &str = "Nothing was written";

/// As much as is read.
const MOST: usize = 64 << 20;

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Format {
    Dotenv,
    Json,
    Yaml,
}

/// A file that has been read, whatever it holds.
pub(super) struct Import {
    /// The file as messages call it.
    name: String,
    contents: Contents,
    /// Nobody has said which form it is.
    is_guessed: bool,
}

impl Import {
    pub(super) fn read(path: &Path, format: Option<Format>) -> Result<Self, Failure> {
        let name = file::name(path);
        let is_guessed = format.is_none() && file::is_stream(path);
        let format = match format.or_else(|| by_name(path)) {
            Some(format) => format,
            None if is_guessed => Format::Dotenv,
            None => return Err(Failure::usage(format!("{name}: its name does not tell its form. Add --format"))),
        };
        let text = file::read(path, MOST)?;
        if let Some(tool) = EncryptedBy::of_file(text.expose().as_bytes()) {
            return Err(file::encrypted(&name, tool));
        }
        let text = text.expose().strip_prefix('\u{feff}').unwrap_or(text.expose());
        // for some of the forms an empty text would be an error in the first line
        let contents = match format {
            _ if text.trim_ascii().is_empty() => Contents::default(),
            Format::Dotenv => of_dotenv(text),
            Format::Json => of_json(text),
            Format::Yaml => of_yaml(text),
        };
        if let Some(tool) = contents.encrypted_by() {
            return Err(file::encrypted(&name, tool));
        }
        Ok(Self { name, contents, is_guessed })
    }

    /// Names and values, as far as the file gives them.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (String, SecretValue)> {
        self.contents.pairs()
    }

    /// Adds what is wrong with secrets wherever they come from.
    pub(super) fn add(&mut self, problems: &[NameProblem]) {
        let lines = self.contents.lines();
        let flaw =
            |problem: &NameProblem| Flaw { line: lines.get(problem.name.as_str()).copied(), what: problem.to_string() };
        let flaws: Vec<Flaw> = problems.iter().map(flaw).collect();
        self.contents.flaws.extend(flaws);
    }

    /// The secrets, when nothing is wrong with any; otherwise all that is, in the order of the lines.
    pub(super) fn into_secrets(mut self) -> Result<Secrets, Failure> {
        const SHOWN: usize = 50;
        let flaws = &mut self.contents.flaws;
        if flaws.is_empty() {
            let secrets: Secrets = self.contents.pairs().collect();
            return match secrets.is_empty() {
                true => Err(Failure::refused(format!("{} holds no secrets", self.name))),
                false => Ok(secrets),
            };
        }
        flaws.sort_by_key(|flaw| flaw.line);
        let mut told: Vec<String> = flaws.iter().take(SHOWN).map(Flaw::to_string).collect();
        if let Some(more @ 1..) = flaws.len().checked_sub(SHOWN) {
            told.push(format!("and {more} more"));
        }
        let failure = Failure::refused(format!("{}: {}. {NOTHING_DONE}", self.name, told.join("; ")));
        Err(if self.is_guessed { failure.so("Add --format if it is of another form than dotenv") } else { failure })
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
}
