//! `xtrasec repair`: one row for a secret that has several.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use xtrasecurity::Request;
use xtrasecurity::xtra::Xtra;
use xtrasecurity::xtra::write::{RepairSecret, Repaired, SecretRow};

use crate::confirm::PlanConfirm;
use crate::failure::Outcome;
use crate::options::Global;
use crate::output;
use crate::session::Target;
use crate::text::{self, printable};

/// Deletes the surplus rows of a secret that the service has several rows of
///
/// The service may hold several rows of one name: its dashboard makes them, and so do two programs that set a new secret in
/// the same moment. A write then goes to the first row, and reads return the last. This shows the rows by id, never a value.
/// Then it asks, or, with --yes, goes on: the row that is read stays, or the one of --keep, and the others are deleted for good,
/// with their histories. A value that was set and never read goes with its row, unless --keep names that: set it again
/// afterwards. Where nobody can be asked, --yes or --dry-run is needed.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec repair API_KEY -e staging --dry-run\n  \
    xtrasec repair API_KEY -e staging --keep 665f1c2ab7c0de0012345678 --yes")]
pub(crate) struct Arguments {
    /// The secret's name
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// The id of the row that stays [default: the one that is read]
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    keep: Option<String>,
    /// Take the environment's name as it is spelled, even if the project has it in other upper and lower case
    #[arg(long)]
    exact: bool,
    #[command(flatten)]
    confirm: PlanConfirm,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    arguments.confirm.check()?;
    let target = Target::open(global)?;
    let plan = arguments.request(&target).dry_run().await.map_err(|error| target.not_done(error))?;
    let (key, place) = (printable(&arguments.name), target.shown());
    output::write(listed(&plan, &key, &place).as_bytes())?;
    let others = plan.rows.iter().filter(|row| row.id != plan.kept).count();
    if others == 0 || arguments.confirm.is_dry() {
        return Ok(0);
    }
    let question = format!("Delete {others} of the rows of {key} in {place}, and leave {}?", printable(&plan.kept));
    arguments.confirm.ask(&question, target.to_be_typed())?;
    // the row that was shown, whatever is read by now
    let request = arguments.request(&target).keep(plan.kept).confirm_production();
    let done = request.await.map_err(|error| target.not_done(error))?;
    let version = done.rows.iter().find(|row| row.id == done.kept).map_or("", |row| row.version.as_str());
    let (removed, kept) = (done.removed.len(), printable(&done.kept));
    let rows = if removed == 1 { "row" } else { "rows" };
    let line = format!("deleted {removed} {rows}; what is read now is {kept}, version {}\n", printable(version));
    output::done(&line)?;
    Ok(0)
}

impl Arguments {
    fn request<'a>(&'a self, target: &'a Target) -> Request<'a, Xtra, RepairSecret> {
        let request = target.client.repair_secret(target.environment.as_str(), self.name.as_str());
        let request = if self.exact { request.exact() } else { request };
        match &self.keep {
            Some(row) => request.keep(row.as_str()),
            None => request,
        }
    }
}

/// The rows, and what would become of each.
fn listed(plan: &Repaired, key: &str, place: &str) -> String {
    let told: Vec<_> = plan.rows.iter().map(|row| (row.id.as_str(), told(row, &plan.kept))).collect();
    let table = text::table(told.iter().map(|(id, told)| (*id, told.as_str())));
    match plan.rows.len() {
        1 => format!("{table}{key} in {place} has one row, and there is nothing to repair\n"),
        rows => format!("{table}{key} in {place} has {rows} rows\n"),
    }
}

fn told(row: &SecretRow, kept: &str) -> String {
    let version = if row.version.is_empty() { "unknown" } else { row.version.as_str() };
    let mut parts = vec![format!("version {version}")];
    parts.extend(row.updated_at.as_ref().map(|at| format!("written {at}")));
    parts.extend(row.updated_by.as_ref().map(|by| format!("by {by}")));
    let marks = [(row.is_link, "a link"), (!row.has_branch, "on no branch"), (row.is_read, "is read")];
    parts.extend(marks.into_iter().filter(|(holds, _)| *holds).map(|(_, mark)| mark.to_owned()));
    parts.push(if row.id == kept { "stays" } else { "to be deleted" }.to_owned());
    parts.join(", ")
}
