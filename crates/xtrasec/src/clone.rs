//! `xtrasec clone`: an environment copied into another by the service.

use clap::Args;
use serde_json::json;

use crate::confirm::Confirm;
use crate::failure::{Failure, Outcome};
use crate::options::{Global, Scope};
use crate::output;
use crate::session::Target;
use crate::text;
use crate::write_options::status_of;

/// Copies an environment into another one of the same branch
///
/// The service does it, for who made the project alone; `xtrasec promote` does it for everybody who may write, tells first
/// what it would do, and goes across branches. Secrets that the second has already are kept, unless --overwrite is given. It
/// asks, or needs --yes.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec clone staging preview --yes\n  \
    xtrasec clone staging preview --branch feature/new-ui --overwrite")]
pub(crate) struct Arguments {
    /// The environment to copy
    from: Scope,
    /// The one that gets the secrets
    to: Scope,
    /// Replace the values of secrets that the second has
    #[arg(long)]
    overwrite: bool,
    /// Print an object: from, to, branch, copied, updated, kept, not_confirmed
    #[arg(long)]
    json: bool,
    /// Take the environments' names as they are spelled, even if the project has them in other upper and lower case
    #[arg(long)]
    exact: bool,
    #[command(flatten)]
    confirm: Confirm,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    global.note_unused_environment("the two environments are arguments");
    if arguments.from.branch.is_some() || arguments.to.branch.is_some() {
        return Err(Failure::usage(
            "both environments are of one branch, which --branch names. `xtrasec promote` copies across branches",
        ));
    }
    let target = Target::open_at(global, &arguments.to)?;
    let (from, place) = (arguments.from.shown(), target.shown());
    let what = if arguments.overwrite { ", and replaces the values of those that are there" } else { "" };
    let question = format!("This copies the secrets of {from} to {place}{what}.");
    arguments.confirm.ask(&question, target.to_be_typed())?;
    let request = target.client.clone_environment(arguments.from.environment.as_str(), target.environment.as_str());
    let request = request.branch(target.branch.as_str()).overwrite(arguments.overwrite).confirm_production();
    let request = if arguments.exact { request.exact() } else { request };
    let done = request.await.map_err(|error| target.not_written(error))?;
    let text = if arguments.json {
        text::json(&json!({
            "from": arguments.from.environment,
            "to": target.environment,
            "branch": target.branch,
            "copied": done.copied,
            "updated": done.updated,
            "kept": done.skipped,
            "not_confirmed": done.left_out,
        }))
    } else {
        format!("{} copied, {} updated, {} kept in {place}\n", done.copied, done.updated, done.skipped)
    };
    output::done(&text)?;
    Ok(status_of(&done.left_out, &target))
}
