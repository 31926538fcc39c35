//! `xtrasec rollback`: a secret as it was.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::confirm::Confirm;
use crate::failure::Outcome;
use crate::options::Global;
use crate::output;
use crate::session::Target;
use crate::text::printable;
use crate::write_options::OneWrite;

/// Gives a secret the value of an earlier version
///
/// That makes a new version. `xtrasec history` lists those that there are. In production it asks, or needs --yes.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec history API_KEY -e staging\n  xtrasec rollback API_KEY 6 -e staging")]
pub(crate) struct Arguments {
    /// The secret's name
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// The version to go back to
    version: u64,
    #[command(flatten)]
    writing: OneWrite,
    #[command(flatten)]
    confirm: Confirm,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let target = Target::open(global)?;
    let (key, version, place) = (printable(&arguments.name), arguments.version, target.shown());
    if target.is_production() {
        arguments.confirm.ask(&format!("This takes {key} in {place} back to version {version}."), None)?;
    }
    let request = target.client.rollback_secret(target.environment.as_str(), arguments.name.as_str(), version);
    let now = arguments.writing.of(request).confirm_production().await.map_err(|error| target.not_written(error))?;
    let line = format!("{key} in {place} is as in version {version} again, which makes it version {}\n", now.version);
    output::done(&line)?;
    Ok(0)
}
