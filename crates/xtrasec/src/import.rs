//! `xtrasec import`: the secrets of a file.

mod json;
mod plan;
mod progress;
mod read;
mod yaml;
mod yaml_text;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::Args;
use xtrasecurity::write::WriteReport;
use xtrasecurity::{ErrorKind, XtraError};

use crate::arguments::Global;
use crate::consent::{Consent, can_ask};
use crate::failure::{Failure, Outcome};
use crate::listing::Verbosity;
use crate::output;
use crate::target::Target;
use crate::writing::{Writing, status_of};
use plan::Plan;
use read::Format;

/// Writes the secrets of a file
///
/// First this looks at what is there, and tells which secrets would be created and updated; never a value. Then it asks, or,
/// with --yes, goes on. Without --yes and a terminal, nothing is written. Secrets that have the value already get no new
/// version, and those that the file does not name stay. If somebody changes one of them between the look and the write,
/// this stops. An import that did not come to its end goes on when it is started again.
#[derive(Args)]
#[command(after_long_help = "Formats:\n  \
    dotenv  NAME=value lines; nothing in them is expanded\n  \
    json    one object of texts\n  \
    yaml    one mapping of texts; what some reader takes for a number, a date, yes or no must be in quotes\n\n\
    Examples:\n  \
    xtrasec import .env.staging -e staging --dry-run\n  \
    xtrasec import secrets.yaml -e production --yes\n  \
    xtrasec export -e staging --format json | xtrasec import - --format json -e qa --yes")]
pub(crate) struct Arguments {
    /// The file, - for standard input
    file: PathBuf,
    /// The form [default: by the file's name; dotenv for standard input]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Tell what would be done, and do nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    verbosity: Verbosity,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    writing: Writing,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let secrets = read::secrets(&arguments.file, arguments.format)?;
    let target = Target::open(global)?;
    arguments.writing.check(global)?;
    let plan = Plan::make(&target, secrets, &arguments.writing).await?;
    output::write(plan.text(&target, arguments.verbosity.listing()).as_bytes())?;
    if plan.is_done() || arguments.dry_run {
        return Ok(0);
    }
    if !arguments.consent.is_given() && !can_ask() {
        output::note("nothing was written. Add --yes to write this");
        return Ok(0);
    }
    let question = format!("Write these {} secrets to {}?", plan.total(), target.shown());
    arguments.consent.obtain(&question, target.to_be_typed())?;
    write(&target, plan, &arguments.writing).await
}

async fn write(target: &Target, plan: Plan, writing: &Writing) -> Outcome {
    let started = Instant::now();
    let total = plan.total();
    let done = AtomicUsize::new(0);
    let bar = progress::bar(total);
    let request = plan.request(target, writing).confirm_production().on_progress(|progress| {
        done.store(progress.written, Ordering::Relaxed);
        bar.set_position(progress.written as u64);
    });
    let written = request.await;
    progress::end(&bar);
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
