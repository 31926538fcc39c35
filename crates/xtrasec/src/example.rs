//! `xtrasec example`: the file that somebody has to fill in.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::failure::Outcome;
use crate::file;
use crate::misreads;
use crate::output;
use crate::text::all_quoted;

/// Writes what a schema asks for, to be filled in
///
/// Every secret of the schema with its description and its default, if it has them. Reads no secrets and asks no
/// service.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec example --schema schema.json > .env.example")]
pub(crate) struct Arguments {
    /// A JSON Schema of the secrets: an object whose properties are their names. A file or a pipe, - for standard input
    #[arg(long, value_name = "FILE")]
    schema: PathBuf,
    /// The form
    #[arg(long, value_enum, default_value_t = Format::Dotenv)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Dotenv,
    JsonSchema,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let example = file::schema(&arguments.schema)?.example();
    let text = match arguments.format {
        Format::Dotenv => example.dotenv(),
        Format::JsonSchema => example.json_schema(),
    };
    output::write(text.as_bytes())?;
    if !text.ends_with('\n') {
        output::write(b"\n")?;
    }
    if matches!(arguments.format, Format::Dotenv) {
        misreads::tell(example.dotenv_misreads());
        let without: Vec<&str> = example.without_default().iter().map(String::as_str).collect();
        if !without.is_empty() {
            output::note(&format!(
                "a .env file cannot hold these defaults, which are left out: {}",
                all_quoted(&without)
            ));
        }
    }
    Ok(0)
}
