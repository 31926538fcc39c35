//! `xtrasec rotate`: a new value at random for a secret that exists.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::json;

use crate::confirm::Confirm;
use crate::failure::Outcome;
use crate::options::Global;
use crate::output;
use crate::session::Target;
use crate::text::{self, printable};
use crate::write_options::OneWrite;

/// Gives a secret a new value at random
///
/// That is 32 hexadecimal digits, and a new version; the old value stays in the history. Whatever the value opens must learn
/// the new one too. `xtrasec set` stores a value of your own. In production it asks, or needs --yes.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec rotate SIGNING_KEY -e staging\n  \
    xtrasec rotate SIGNING_KEY -e staging --show > signing.key")]
pub(crate) struct Arguments {
    /// The secret's name
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// Write the new value alone to standard output
    #[arg(long)]
    show: bool,
    /// Print an object: name, environment, branch, version, and (with --show) value
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    writing: OneWrite,
    #[command(flatten)]
    confirm: Confirm,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let target = Target::open(global)?;
    let (key, place) = (printable(&arguments.name), target.shown());
    if target.is_production() {
        let question = format!("This replaces the value of {key} in {place} with a new one at random.");
        arguments.confirm.ask(&question, None)?;
    }
    let request = target.client.rotate_secret(target.environment.as_str(), arguments.name.as_str());
    let new = arguments.writing.of(request).confirm_production().await.map_err(|error| target.not_written(error))?;
    let text = if arguments.json {
        let mut object = json!({
            "name": arguments.name, "environment": target.environment, "branch": target.branch, "version": new.version,
        });
        if arguments.show
            && let Some(object) = object.as_object_mut()
        {
            object.insert("value".to_owned(), new.value.expose().into());
        }
        text::json(&object)
    } else if arguments.show {
        format!("{}\n", new.value.expose())
    } else {
        format!("{key} in {place} has a new value, which is version {}\n", printable(&new.version))
    };
    match arguments.show && !arguments.json {
        true => output::done_with_values(&text)?,
        false => output::done(&text)?,
    }
    Ok(0)
}
