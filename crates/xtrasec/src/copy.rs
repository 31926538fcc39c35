//! `xtrasec copy`: the secrets of one place into another, of any two services.

mod address;

use std::time::Instant;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::{Value, json};
use xtrasecurity::copy::{Copies, CopyError, CopyPlan, CopyReport, Obstacle, SecretTarget};
use xtrasecurity::{Client, Request, SecretSource, XtraError};

use crate::confirm::PlanConfirm;
use crate::failure::{Failure, Outcome};
use crate::import::these;
use crate::name_list::{NameList, Verbosity};
use crate::options::Global;
use crate::output;
use crate::progress::ProgressBar;
use crate::run::renaming;
use crate::session::{Session, not_read, refuse_local};
use crate::text;
use address::{Address, GRAMMAR, xtra_scope};

const NOTHING_DONE: &str = "Nothing was written";

/// Copies the secrets of one place into another, of any two services
///
/// First this reads both, and tells which secrets would be created and updated, and which cannot be copied and why; never a value.
/// Then it asks, or, with --yes, goes on. Where nobody can be asked, --yes or --dry-run is needed. While a secret cannot be
/// copied, nothing is written: --exclude leaves it out, --rename and --prefix give it another name. Secrets that the second place
/// has with another value are kept, and stop the copy, unless --overwrite is given; those that only it has stay. A copy that did
/// not come to its end goes on when it is started again.
///
/// Values are those that a read gives: references of infisical arrive as what they refer to. Comments, tags and earlier versions
/// stay behind. Credentials come from each service's own variables.
#[derive(Args)]
#[command(after_long_help = format!("{GRAMMAR}\n\n\
    Credentials:\n  \
    xtra       as of every command\n  \
    infisical  INFISICAL_*, .infisical.json\n  \
    secr       SECR_TOKEN, SECR_API_URL\n  \
    syvault    SY_SERVER, SY_CLIENT_ID,\n             \
               SY_CLIENT_SECRET, SY_FOLDER_KEYS\n\
    SY_FOLDER_KEYS has the keys of folders in base64: ID=KEY,ID=KEY\n\n\
    Examples:\n  \
    xtrasec copy --from infisical:dev:/app --to xtra:development --prefix APP_ --dry-run\n  \
    xtrasec copy --from xtra:staging@feature/new-ui --to secr:acme/web/staging --yes\n  \
    xtrasec copy --from xtra:665f1c2ab7c0de0012345678/qa --to xtra:665f1c2ab7c0de0087654321/qa"))]
pub(crate) struct Arguments {
    /// Where the secrets are
    #[arg(long, value_name = "ADDRESS")]
    from: String,
    /// Where they go
    #[arg(long, value_name = "ADDRESS")]
    to: String,
    /// Copy these secrets and no others; commas between names, or once for each
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    only: Vec<String>,
    /// Leave these secrets out; commas between names, or once for each
    #[arg(long, visible_alias = "except", value_name = "NAME", value_delimiter = ',')]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    exclude: Vec<String>,
    /// Put this in front of every name
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,
    /// Give a secret another name; no prefix is put in front of it
    #[arg(long, value_name = "NAME=NEW_NAME", value_parser = renaming)]
    rename: Vec<(String, String)>,
    /// Replace the values of secrets that the second place has with other ones
    #[arg(long)]
    overwrite: bool,
    /// Take names that not every tool can use
    #[arg(long)]
    allow_any_name: bool,
    /// Copy values that refer to other secrets as they are stored, instead of what they refer to
    #[arg(long)]
    keep_references: bool,
    /// Print one object with the plan and what became of it; needs --yes or --dry-run
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    verbosity: Verbosity,
    #[command(flatten)]
    confirm: PlanConfirm,
}

/// The client of an address and its scope, each in a call of its own: the types differ.
macro_rules! at {
    ($address:expr, $global:expr, $arguments:expr, |$client:ident, $scope:ident| $go_on:expr) => {
        match $address {
            Address::Xtra { project, environment, branch } => {
                refuse_local($global)?;
                let ($client, $scope) = (&Session::open($global)?.client, xtra_scope(project, environment, branch));
                $go_on
            }
            #[cfg(feature = "infisical")]
            Address::Infisical { project, environment, folder } => {
                use xtrasecurity::infisical::{InfisicalClient, InfisicalScope};
                let $client = &InfisicalClient::from_env().map_err(not_read)?;
                let scope = InfisicalScope::new(environment).expand_references(!$arguments.keep_references);
                let scope = project.as_deref().map_or(scope.clone(), |id| scope.project_id(id));
                let $scope = folder.as_deref().map_or(scope.clone(), |path| scope.path(path));
                $go_on
            }
            #[cfg(feature = "secr")]
            Address::Secr { org, project, environment } => {
                use xtrasecurity::secr::{SecrClient, SecrScope};
                let $client = &SecrClient::from_env().map_err(not_read)?;
                let $scope = SecrScope::new(org, project, environment);
                $go_on
            }
            #[cfg(feature = "syvault")]
            Address::SyVault { folder, name } => {
                use xtrasecurity::syvault::{SyVaultClient, SyVaultScope};
                let $client = &SyVaultClient::from_env().map_err(not_read)?;
                let $scope = match folder {
                    Some(folder) => SyVaultScope::titled(folder, name),
                    None => SyVaultScope::secret(name),
                };
                $go_on
            }
        }
    };
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let (from, to) = (Address::parse("--from", &arguments.from)?, Address::parse("--to", &arguments.to)?);
    global.note_unused_environment("the places are in the addresses");
    if arguments.json && !arguments.confirm.is_settled() {
        return Err(Failure::usage("--json needs --yes or --dry-run: nothing is asked beside it"));
    }
    arguments.confirm.check()?;
    at!(&from, global, arguments, |client, scope| read(global, arguments, client, scope, &to).await)
}

async fn read<'a, F: SecretSource>(
    global: &Global,
    arguments: &Arguments,
    client: &'a Client<F>,
    scope: F::Scope<'a>,
    to: &Address,
) -> Outcome {
    at!(to, global, arguments, |target, place| {
        let request = client.read(scope).copy_to(target, place);
        let plan = arguments.of(request).await.map_err(|error| undone(not_read(error)))?;
        carry_out(&plan, arguments, to).await
    })
}

impl Arguments {
    fn of<'a, S: SecretSource, Op: Copies>(&self, request: Request<'a, S, Op>) -> Request<'a, S, Op> {
        let request = match self.only.as_slice() {
            [] => request,
            only => request.only(only),
        };
        let request = request.exclude(&self.exclude).prefix(self.prefix.as_deref().unwrap_or_default());
        let request = self.rename.iter().fold(request, |request, (name, new)| request.rename(name, new));
        let request = if self.overwrite { request.overwrite() } else { request };
        let request = if self.allow_any_name { request.allow_any_name() } else { request };
        if self.keep_references { request.allow_references() } else { request }
    }
}

async fn carry_out<T: SecretTarget>(plan: &CopyPlan<T>, arguments: &Arguments, to: &Address) -> Outcome {
    if !arguments.json {
        output::write(listed(plan, to, arguments.verbosity.name_list()).as_bytes())?;
    }
    let is_settled = !plan.is_clear() || plan.is_done() || arguments.confirm.is_dry();
    if is_settled {
        tell_json(arguments, plan, None)?;
        return if plan.is_clear() { Ok(0) } else { Err(obstructed(plan.obstacles())) };
    }
    let total = plan.created().len() + plan.replaced().len();
    arguments.confirm.ask(&format!("Write {} to {}?", these(total), to.shown()), to.to_be_typed())?;
    let started = Instant::now();
    let bar = ProgressBar::new(total);
    let applied = plan.apply().on_progress(|progress| bar.show(progress.written)).await;
    bar.end();
    let report = match &applied {
        Ok(report) => report,
        Err(stopped) => stopped.report(),
    };
    tell_json(arguments, plan, Some(report))?;
    if let Err(stopped) = applied {
        return Err(unfinished(stopped));
    }
    if !arguments.json {
        output::done(&summary(report, started.elapsed().as_secs_f64()))?;
    }
    Ok(0)
}

fn listed<T: SecretTarget>(plan: &CopyPlan<T>, to: &Address, listing: NameList) -> String {
    let mut text = String::new();
    listing.push(&mut text, '+', plan.created());
    listing.push(&mut text, '~', plan.replaced());
    if listing == NameList::All {
        listing.push(&mut text, '=', plan.present());
    }
    let obstacles = plan.obstacles();
    text.extend(obstacles.iter().map(|one| format!("! {} {}\n", text::printable(&one.name), one.reason)));
    text.push_str(&format!(
        "{} to create, {} to update, {} unchanged, {} in the way in {}{}\n",
        plan.created().len(),
        plan.replaced().len(),
        plan.present().len(),
        obstacles.len(),
        to.shown(),
        if plan.is_first() { ", which holds no secrets yet" } else { "" }
    ));
    text
}

/// The plan and its outcome as one object, where that was asked for.
fn tell_json<T: SecretTarget>(
    arguments: &Arguments,
    plan: &CopyPlan<T>,
    report: Option<&CopyReport>,
) -> Result<(), Failure> {
    if !arguments.json {
        return Ok(());
    }
    let obstacle = |one: &Obstacle| json!({ "name": one.name, "source": one.source_name, "reason": one.reason });
    let result = report.map_or(Value::Null, |report| {
        json!({
            "created": report.created, "updated": report.replaced, "unchanged": report.present,
            "not_written": report.not_written, "in_doubt": report.in_doubt,
        })
    });
    let document = json!({
        "plan": {
            "create": plan.created(), "update": plan.replaced(), "unchanged": plan.present(),
            "obstacles": plan.obstacles().iter().map(obstacle).collect::<Vec<_>>(),
        },
        "result": result,
    });
    let text = text::json(&document);
    if report.is_some() { output::done(&text) } else { output::write(text.as_bytes()) }
}

fn obstructed(obstacles: &[Obstacle]) -> Failure {
    let count = match obstacles.len() {
        1 => "1 secret cannot be copied".to_owned(),
        count => format!("{count} secrets cannot be copied"),
    };
    Failure::refused(format!(
        "{count}, so nothing was written. --exclude leaves one out, --rename gives it another name, --overwrite replaces another value"
    ))
}

fn unfinished(stopped: CopyError) -> Failure {
    let CopyReport { created, replaced, in_doubt, .. } = stopped.report();
    let is_undone = created.is_empty() && replaced.is_empty() && in_doubt.is_empty();
    let failure = Failure::from(XtraError::from(stopped));
    match is_undone {
        true => undone(failure),
        false => failure.so("Start the same copy again: it writes what is not there yet"),
    }
}

/// The same, with what that means for the second place.
fn undone(failure: Failure) -> Failure {
    if failure.line.to_ascii_lowercase().contains("nothing was") { failure } else { failure.so(NOTHING_DONE) }
}

fn summary(report: &CopyReport, seconds: f64) -> String {
    let digits = if seconds < 10.0 { 1 } else { 0 };
    let (created, updated) = (report.created.len(), report.replaced.len());
    format!("written {} in {seconds:.digits$} s: {created} created, {updated} updated\n", created + updated)
}
