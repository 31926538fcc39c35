//! The secrets in a file of any of the forms.

use std::path::Path;

use clap::ValueEnum;
use xtrasecurity::Secrets;

use super::forms::{Entries, json_entries};
use super::yaml;
use crate::failure::Failure;
use crate::file;
use crate::text::printable;

/// As much as is read.
const MOST: usize = 64 << 20;

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Format {
    Dotenv,
    Json,
    Yaml,
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
    let text = if is_standard_input { file::standard_input(MOST)? } else { file::read(path, MOST)? };
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
        Format::Json => json_entries(text).and_then(Entries::into_secrets).map_err(|flaw| flaw.of(&name, "JSON"))?,
        Format::Yaml => yaml::entries(text).and_then(Entries::into_secrets).map_err(|flaw| flaw.of(&name, "YAML"))?,
    };
    if secrets.is_empty() {
        return Err(nothing());
    }
    Ok(secrets)
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
