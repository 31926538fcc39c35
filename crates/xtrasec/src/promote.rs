//! `xtrasec promote`: the secrets of one environment into another.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use xtrasecurity::xtra::Xtra;
use xtrasecurity::xtra::write::{PromoteSecrets, Promotion};
use xtrasecurity::{Request, XtraError};

use crate::confirm::PlanConfirm;
use crate::failure::{Failure, Outcome};
use crate::import::these;
use crate::name_list::{NameList, Verbosity};
use crate::options::Global;
use crate::options::Scope;
use crate::output;
use crate::session::{Target, default_branch};
use crate::write_options::{OneWrite, status_of};

/// Copies the secrets of one environment into another
///
/// Secrets that the second has already are kept, unless --overwrite is given, and those that only it has stay. First this
/// tells which would be created and updated; never a value. Then it asks, or, with --yes, goes on. Where nobody can be asked,
/// --yes or --dry-run is needed.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec promote staging production --only NEW_FLAG,API_KEY\n  \
    xtrasec promote staging staging@feature/new-ui --overwrite --yes")]
pub(crate) struct Arguments {
    /// An environment, or ENVIRONMENT@BRANCH
    from: Scope,
    /// The one that gets the secrets
    to: Scope,
    /// Copy these secrets and no others; commas between names, or once for each
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    only: Vec<String>,
    /// Replace the values of secrets that the second has with other ones
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    writing: OneWrite,
    #[command(flatten)]
    verbosity: Verbosity,
    #[command(flatten)]
    confirm: PlanConfirm,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    global.note_unused_environment("the two environments are arguments");
    arguments.confirm.check()?;
    let target = Target::open_at(global, &arguments.to)?;
    let from_branch = arguments.from.branch.clone().unwrap_or_else(|| default_branch(global));
    let request = || {
        let request = target.client.promote_secrets(arguments.from.environment.as_str(), target.environment.as_str());
        let request = request.branch(from_branch.as_str()).to_branch(target.branch.as_str());
        arguments.of(request)
    };
    let plan = match arguments.only.as_slice() {
        [] => request(),
        only => request().only(only),
    };
    let plan = plan.dry_run().await.map_err(|error| target.not_written(error))?;
    if plan.updated.is_empty() && plan.skipped.is_empty() {
        target.demand_branch().await?;
    }
    output::write(listed(&plan, &target, arguments.verbosity.name_list()).as_bytes())?;
    let total = plan.promoted().count();
    if total == 0 || arguments.confirm.is_dry() {
        return Ok(0);
    }
    arguments.confirm.ask(&format!("Write {} to {}?", these(total), target.shown()), target.to_be_typed())?;
    // What has come to the source meanwhile nobody has agreed to.
    let done = request().only(plan.promoted()).confirm_production().await.map_err(unfinished)?;
    let (created, updated) = (done.created.len(), done.updated.len());
    let line = format!("written {} of {total}: {created} created, {updated} updated\n", created + updated);
    output::done(&line)?;
    Ok(status_of(&done.unconfirmed, &target))
}

impl Arguments {
    fn of<'a>(&self, request: Request<'a, Xtra, PromoteSecrets<'a>>) -> Request<'a, Xtra, PromoteSecrets<'a>> {
        self.writing.of(request.overwrite(self.overwrite))
    }
}

fn unfinished(error: XtraError) -> Failure {
    Failure::from(error).so("Start the same promotion again to see what is left to do")
}

fn listed(plan: &Promotion, target: &Target, listing: NameList) -> String {
    let mut text = String::new();
    listing.push(&mut text, '+', &plan.created);
    listing.push(&mut text, '~', &plan.updated);
    if listing == NameList::All {
        listing.push(&mut text, '=', &plan.skipped);
    }
    let [created, updated, kept] = [&plan.created, &plan.updated, &plan.skipped].map(Vec::len);
    text.push_str(&format!("{created} to create, {updated} to update, {kept} to keep in {}\n", target.shown()));
    text
}
