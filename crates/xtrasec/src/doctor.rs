//! `xtrasec doctor`: what was found, whether the service answers, and what is wrong.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use serde_json::{Value, json};
use xtrasecurity::credentials::{Configuration, Setting};
use xtrasecurity::{Secrets, XtraClient, XtraError};

use crate::failure::{Failure, Outcome, REFUSED};
use crate::hints;
use crate::options::{Global, Variables};
use crate::output;
use crate::session::{XTRASECURITY, builder, is_local, why};
use crate::text;

/// Tells what configuration was found and whether it works
///
/// Looks at the settings, asks the service whether it is there, reads the environment if there is one, and tells how many
/// calls are left. That takes up to four calls. Never a value, never the token. Ends with status 1 when something is wrong.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec doctor\n  xtrasec doctor -e production --json")]
pub(crate) struct Arguments {
    /// Print an object: ok, version, and the array checks
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let mut report = Report::default();
    let configuration = builder(global).explain();
    report.settings(global, &configuration);
    match builder(global).build() {
        Ok(client) => ask(&client, &configuration, &mut report).await,
        // Each setting has told its own problem already.
        Err(error) if configuration.is_usable() => report.add("client", State::Problem, Failure::from(error).line),
        Err(_) => {}
    }
    let text = if arguments.json { report.as_json() } else { report.as_table() };
    output::write(text.as_bytes())?;
    Ok(if report.is_ok() { 0 } else { REFUSED })
}

async fn ask(client: &XtraClient, configuration: &Configuration, report: &mut Report) {
    let local = is_local(configuration);
    if local {
        let detail = "on: secrets are those of .env.local, and the service is not asked";
        report.add("local mode", State::Note, detail.to_owned());
    } else {
        report.health(client).await;
    }
    let Some(environment) = client.default_environment() else {
        let detail = "not read: no environment was given. Add --env NAME to try one";
        report.add("secrets", State::Note, detail.to_owned());
        if !local {
            report.add("quota", State::Note, "only known when an environment is read".to_owned());
        }
        return;
    };
    match client.get_secrets(environment).allow_unreadable().await {
        Ok(secrets) => report.secrets(environment, &secrets),
        Err(error) => return report.add("secrets", State::Problem, Failure::from(error).line),
    }
    if !local {
        let project = configuration.get("project").and_then(|setting| setting.shown());
        report.quota(client, project, environment).await;
    }
}

#[derive(Default)]
struct Report {
    checks: Vec<Check>,
}

struct Check {
    name: String,
    state: State,
    detail: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fine,
    Note,
    Problem,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Note => "note",
            Self::Problem => "problem",
        }
    }
}

impl Report {
    fn add(&mut self, name: &str, state: State, detail: String) {
        self.checks.push(Check { name: name.to_owned(), state, detail: text::one_line(&detail) });
    }

    fn is_ok(&self) -> bool {
        self.checks.iter().all(|check| check.state != State::Problem)
    }

    fn settings(&mut self, global: &Global, configuration: &Configuration) {
        for setting in configuration.settings() {
            let name = setting.name().replace('_', " ");
            match (setting.problem(), setting.shown()) {
                (Some(problem), _) => self.add(&name, State::Problem, hints::told(problem)),
                (None, Some(shown)) => self.add(&name, State::Fine, format!("{shown} ({})", origin(global, setting))),
                (None, None) => self.add(&name, State::Note, format!("not set: {}", origin(global, setting))),
            }
        }
    }

    async fn health(&mut self, client: &XtraClient) {
        let asked = Instant::now();
        match client.raw().health_check().send().await {
            Ok(_) => self.add("service", State::Fine, format!("answers after {} ms", asked.elapsed().as_millis())),
            Err(error) => self.add("service", State::Problem, Failure::from(error.into_error()).line),
        }
    }

    fn secrets(&mut self, environment: &str, secrets: &Secrets) {
        if let Some(first) = secrets.unreadable().first() {
            let detail = format!(
                "{} of {} in {environment} cannot be read ({})",
                secrets.unreadable().len(),
                secrets.unreadable().len() + secrets.len(),
                why(first.reason)
            );
            self.add("secrets", State::Problem, detail);
        } else if secrets.is_empty() {
            self.add("secrets", State::Note, XTRASECURITY.nothing_there(environment));
        } else {
            self.add("secrets", State::Fine, format!("{} in {environment}", secrets.len()));
        }
    }

    async fn quota(&mut self, client: &XtraClient, project: Option<&str>, environment: &str) {
        match quota(client, project, environment).await {
            Ok(Some(detail)) => self.add("quota", State::Fine, detail),
            Ok(None) => self.add("quota", State::Note, "not known: the service sent no figures".to_owned()),
            Err(error) => self.add("quota", State::Problem, Failure::from(error).line),
        }
    }

    fn as_table(&self) -> String {
        let rows =
            self.checks.iter().map(|check| (format!("{:<8} {}", check.state.as_str(), check.name), &check.detail));
        let rows: Vec<_> = rows.collect();
        text::table(rows.iter().map(|(left, detail)| (left.as_str(), detail.as_str())))
    }

    fn as_json(&self) -> String {
        let checks: Vec<Value> = self
            .checks
            .iter()
            .map(|check| json!({ "name": check.name, "state": check.state.as_str(), "detail": check.detail }))
            .collect();
        text::json(&json!({ "ok": self.is_ok(), "version": env!("CARGO_PKG_VERSION"), "checks": checks }))
    }
}

/// Where a setting comes from, or is to come from, in terms of what can be typed.
fn origin<'s>(global: &Global, setting: &'s Setting) -> &'s str {
    match setting.option() {
        // the library has these from the command, wherever that had them from
        Some("environment") if global.env.is_none() => Variables::ENVIRONMENT,
        Some("branch") if global.branch.is_none() => Variables::BRANCH,
        Some("token") if global.account.is_some() => "the profile",
        Some("api_url") if global.account.is_some() && global.api_url.is_none() => "the profile",
        Some(option) => hints::flag(option).unwrap_or(setting.origin()),
        None if setting.name() == "environment" && setting.shown().is_none() => "give one with --env",
        None => setting.origin(),
    }
}

/// What is left of the quota today. Only the route of the secrets tells, so they are read once more.
async fn quota(client: &XtraClient, project: Option<&str>, environment: &str) -> Result<Option<String>, XtraError> {
    let project = match project {
        Some(id) => Some(id.to_owned()),
        None => {
            let account = client.raw().service_accounts_resolve().send().await.map_err(|error| error.into_error())?;
            account.into_inner().project.and_then(|project| project.id)
        }
    };
    let Some(project) = project else { return Ok(None) };
    let read = client.raw().secrets_read().project_id(project).env(environment.to_lowercase());
    let answer = read.send().await.map_err(|error| error.into_error())?;
    let number = |name: &str| answer.header(name).and_then(|text| text.parse::<u64>().ok());
    let (Some(left), Some(limit)) = (number("x-ratelimit-remaining"), number("x-ratelimit-limit")) else {
        return Ok(None);
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    // The service sends 0 when it does not know.
    let again = match number("x-ratelimit-reset").filter(|at| *at > now) {
        Some(at) => format!(", all again in {} min", (at - now).div_ceil(60)),
        None => String::new(),
    };
    Ok(Some(format!("{left} of {limit} requests left for the owner of the project{again}")))
}
