//! `xtrasec check`: whether the secrets are what a program needs.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use xtrasecurity::{
    ErrorKind,
    schema::{SchemaProblem, SchemaReport},
    xtra::Xtra,
};

use crate::failure::{Outcome, REFUSED};
use crate::file;
use crate::options::{Global, Values};
use crate::output;
use crate::session::{Session, is_bare, tell_references};
use crate::text::{self, printable};

/// Checks the secrets against a JSON Schema
///
/// Lists every secret that is missing or does not fit, and those that the schema does not know. Never a value of a secret.
/// Ends with status 1 when one is missing or does not fit, and when there are no secrets at all.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec check --schema schema.json -e production\n  \
    xtrasec check --schema schema.json --deny-unexpected --json")]
pub(crate) struct Arguments {
    /// A JSON Schema of the secrets: an object whose properties are their names. A file or a pipe, - for standard input
    #[arg(long, value_name = "FILE")]
    schema: PathBuf,
    /// Fail for secrets that the schema does not know, too
    #[arg(long)]
    deny_unexpected: bool,
    /// Accept an environment without secrets, if none is required
    #[arg(long)]
    allow_empty: bool,
    /// Print an object: valid, and the arrays missing, invalid and unexpected
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    values: Values,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let schema = file::schema(&arguments.schema)?;
    let session = Session::open(global)?;
    // What cannot be read is one of the findings.
    let secrets = session.values(arguments.values).await?;
    tell_references::<Xtra>(&secrets, arguments.values);
    let bare = is_bare(&secrets);
    if bare {
        let what = session.words.nothing_there(session.environment()?);
        let advice = if arguments.allow_empty { "" } else { ", or add --allow-empty" };
        output::note(&format!("{what}{advice}"));
    }
    let report = secrets.check_schema(&schema);
    if let Err(error) = report.clone().into_result()
        && error.kind() == ErrorKind::Config
    {
        return Err(error.into());
    }
    let valid = report.is_valid()
        && (report.unexpected().is_empty() || !arguments.deny_unexpected)
        // A mistyped name would pass wherever nothing is required.
        && (!bare || arguments.allow_empty);
    let text = if arguments.json { as_json(&report, valid) } else { as_lines(&report, valid) };
    output::write(text.as_bytes())?;
    Ok(if valid { 0 } else { REFUSED })
}

fn parts(report: &SchemaReport) -> [(&'static str, &[SchemaProblem]); 3] {
    [("missing", report.missing()), ("invalid", report.invalid()), ("unexpected", report.unexpected())]
}

fn as_lines(report: &SchemaReport, valid: bool) -> String {
    let mut text = String::new();
    for (part, problems) in parts(report) {
        text.extend(problems.iter().map(|problem| format!("{part:<10}  {}\n", printable(&problem.to_string()))));
    }
    let counts = parts(report).map(|(part, problems)| format!("{} {part}", problems.len())).join(", ");
    let verdict = if valid { "fit" } else { "do not fit" };
    text.push_str(&format!("the secrets {verdict} the schema: {counts}\n"));
    text
}

fn as_json(report: &SchemaReport, valid: bool) -> String {
    let mut document = json!({ "valid": valid });
    for (part, problems) in parts(report) {
        let list = problems.iter().map(|problem| {
            json!({ "name": problem.name(), "problem": problem.problem(), "description": problem.description() })
        });
        if let Some(object) = document.as_object_mut() {
            object.insert(part.to_owned(), Value::Array(list.collect()));
        }
    }
    text::json(&document)
}
