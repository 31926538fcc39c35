//! `xtrasec import`: the secrets of a file.

mod forms;
mod read;
mod yaml;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::Args;
use xtrasecurity::xtra::Xtra;
use xtrasecurity::xtra::write::{SetSecrets, WriteReport};
use xtrasecurity::{ErrorKind, Request, SecretValue, Secrets, XtraError};

use crate::confirm::PlanConfirm;
use crate::failure::{Failure, Outcome};
use crate::name_list::{NameList, Verbosity};
use crate::options::Global;
use crate::output;
use crate::progress::ProgressBar;
use crate::session::{Target, is_bare, not_read};
use crate::write_options::{WriteOptions, status_of};
use read::{Format, Import};

/// Writes the secrets of a file
///
/// First this looks at what is there, and tells which secrets would be created and updated; never a value. Then it asks, or,
/// with --yes, goes on. Where nobody can be asked, --yes or --dry-run is needed. Secrets that have the value already get no new
/// version, and those that the file does not name stay. If somebody changes one of them between the look and the write,
/// this stops. An import that did not come to its end goes on when it is started again.
#[derive(Args)]
#[command(after_long_help = "Formats:\n  \
    dotenv  NAME=value lines; nothing in them is expanded\n  \
    json    one object of texts\n  \
    yaml    one mapping of texts; what some reader takes for a number, a date,\n          \
            yes or no must be in quotes\n\n\
    Examples:\n  \
    xtrasec import .env.staging -e staging --dry-run\n  \
    xtrasec import secrets.yaml -e production --yes\n  \
    xtrasec export -e stg --format json | xtrasec import - --format json -e qa -y")]
pub(crate) struct Arguments {
    /// The file or pipe, - for standard input
    file: PathBuf,
    /// The form [default: by the file's name; dotenv for pipes and standard input]
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[command(flatten)]
    verbosity: Verbosity,
    #[command(flatten)]
    confirm: PlanConfirm,
    #[command(flatten)]
    writing: WriteOptions,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let mut import = Import::read(&arguments.file, arguments.format)?;
    let target = Target::open(global);
    let is_odd = match &target {
        Ok(target) => add_problems(&mut import, target, &arguments.writing),
        // the file is looked at first
        Err(_) => false,
    };
    let secrets = import.into_secrets();
    let secrets =
        if is_odd { secrets.map_err(|failure| failure.so("--allow-any-name accepts odd names"))? } else { secrets? };
    arguments.confirm.check()?;
    let target = target?;
    arguments.writing.check(global)?;
    let plan = Plan::make(&target, secrets, &arguments.writing).await?;
    output::write(plan.text(&target, arguments.verbosity.name_list()).as_bytes())?;
    if plan.is_done() || arguments.confirm.is_dry() {
        return Ok(0);
    }
    let question = format!("Write {} to {}?", these(plan.total()), target.shown());
    arguments.confirm.ask(&question, target.to_be_typed())?;
    write(&target, plan, &arguments.writing).await
}

/// So many secrets, for a question.
pub(crate) fn these(count: usize) -> String {
    if count == 1 { "this secret".to_owned() } else { format!("these {count} secrets") }
}

/// Looks for what no file of any form may hold. Gives whether --allow-any-name would accept some of it.
fn add_problems(import: &mut Import, target: &Target, writing: &WriteOptions) -> bool {
    let request = || writing.of(target.client.set_secrets(target.environment.as_str(), import.pairs()));
    let problems = request().problems();
    let is_odd = request().allow_any_name().problems().len() < problems.len();
    import.add(&problems);
    is_odd
}

async fn write(target: &Target, plan: Plan, writing: &WriteOptions) -> Outcome {
    let started = Instant::now();
    let total = plan.total();
    let done = AtomicUsize::new(0);
    let bar = ProgressBar::new(total);
    let request = plan.request(target, writing).confirm_production().on_progress(|progress| {
        done.store(progress.written, Ordering::Relaxed);
        bar.show(progress.written);
    });
    let written = request.await;
    bar.end();
    let report = written.map_err(|error| unfinished(error, done.into_inner()))?;
    output::done(&summary(&report, total, started.elapsed().as_secs_f64()))?;
    Ok(status_of(&report.unconfirmed, target))
}

fn summary(report: &WriteReport, total: usize, seconds: f64) -> String {
    let digits = if seconds < 10.0 { 1 } else { 0 };
    let (created, updated) = (report.created.len(), report.updated.len());
    let written = created + updated;
    format!("written {written} of {total} in {seconds:.digits$} s: {created} created, {updated} updated\n")
}

/// What to do about an import that has not come to its end.
fn unfinished(error: XtraError, done: usize) -> Failure {
    // Started again, an import that was refused as a whole would be refused again.
    let has_begun = done > 0 || error.may_have_been_applied();
    let is_conflict = error.kind() == ErrorKind::Conflict;
    let failure = Failure::from(error);
    match (has_begun, is_conflict) {
        (false, true) => failure.so("Nothing was written. Start this again to see what would be done now"),
        (false, false) => failure.so("Nothing was written"),
        (true, _) => failure.so("Start the same import again: it writes what is not yet as the file has it"),
    }
}

/// What an import would do, and the request that does just that.
struct Plan {
    /// What is to be written.
    pairs: Vec<(String, SecretValue)>,
    report: WriteReport,
    /// The place holds no secret yet. A misspelt one looks like that too.
    is_first: bool,
    condition: Condition,
}

/// What must still hold when it is carried out.
enum Condition {
    /// The secrets are as they were read, or just as absent.
    Unchanged(Arc<Secrets>),
    /// The secrets that were there have these versions. For values that cannot be read, and so not compared.
    Versions(Vec<(String, String)>),
}

impl Condition {
    /// Looks at what is there, and whether that is anything.
    async fn see(target: &Target, secrets: &Secrets) -> Result<(Self, bool), Failure> {
        let place = target.environment.as_str();
        let seen = target.client.get_secrets(place).no_cache().allow_unreadable().await;
        let seen = seen.map_err(|error| not_read(error).so("Nothing was written"))?;
        let is_first = is_bare(&seen);
        if is_first {
            target.demand_branch().await?;
        }
        if !seen.unreadable().iter().any(|hidden| secrets.contains(&hidden.name)) {
            return Ok((Self::Unchanged(seen), is_first));
        }
        let keys = target.client.list_secret_names(place).await?;
        let keys = keys.into_iter().filter(|key| secrets.contains(&key.name));
        Ok((Self::Versions(keys.map(|key| (key.name, key.version)).collect()), is_first))
    }

    fn of<'a>(&'a self, request: Request<'a, Xtra, SetSecrets<'a>>) -> Request<'a, Xtra, SetSecrets<'a>> {
        match self {
            Self::Unchanged(snapshot) => request.if_unchanged(snapshot),
            Self::Versions(versions) => {
                request.expect_versions(versions.iter().map(|(key, version)| (key.as_str(), version)))
            }
        }
    }
}

impl Plan {
    /// Checks names and values, and sorts them by what is there. Nothing is written.
    async fn make(target: &Target, secrets: Secrets, writing: &WriteOptions) -> Result<Self, Failure> {
        let (condition, is_first) = Condition::see(target, &secrets).await?;
        let pairs = secrets.iter().map(|(key, value)| (key.to_owned(), value.clone()));
        let mut pairs: Vec<_> = pairs.collect();
        let request = target.client.set_secrets(target.environment.as_str(), pairs.iter().cloned());
        let report = writing.of(condition.of(request)).skip_unchanged().dry_run().await;
        let report = report.map_err(|error| match error.kind() {
            ErrorKind::Conflict => Failure::from(error).so("Nothing was written. Start this again"),
            _ => target.not_written(error),
        })?;
        let unchanged: BTreeSet<&String> = report.unchanged.iter().collect();
        pairs.retain(|(key, _)| !unchanged.contains(key));
        Ok(Self { pairs, report, is_first, condition })
    }

    fn total(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is nothing to do.
    fn is_done(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The request that does this, unless something has changed meanwhile.
    fn request<'a>(&'a self, target: &'a Target, writing: &WriteOptions) -> Request<'a, Xtra, SetSecrets<'a>> {
        let pairs = self.pairs.iter().cloned();
        let request = target.client.set_secrets(target.environment.as_str(), pairs);
        writing.of(self.condition.of(request)).skip_unchanged()
    }

    /// What would be done: names, and how many.
    fn text(&self, target: &Target, listing: NameList) -> String {
        let WriteReport { created, updated, unchanged, .. } = &self.report;
        let mut text = String::new();
        listing.push(&mut text, '+', created);
        listing.push(&mut text, '~', updated);
        if listing == NameList::All {
            listing.push(&mut text, '=', unchanged);
        }
        text.push_str(&format!(
            "{} to create, {} to update, {} unchanged in {}{}\n",
            created.len(),
            updated.len(),
            unchanged.len(),
            target.shown(),
            if self.is_first { ", which holds no secrets yet" } else { "" }
        ));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_tells_how_many_and_how_long() {
        let names = |count| (0..count).map(|number: usize| number.to_string()).collect();
        let mut report = WriteReport::default();
        (report.created, report.updated) = (names(3), names(2));
        assert_eq!(summary(&report, 5, 1.26), "written 5 of 5 in 1.3 s: 3 created, 2 updated\n");
        assert_eq!(summary(&report, 5, 61.26), "written 5 of 5 in 61 s: 3 created, 2 updated\n");
    }
}
