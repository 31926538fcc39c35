//! What can be typed: the options of every command, and the commands.

use std::collections::HashSet;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand};

use crate::{
    branches, check, completions, delete, diff, doctor, export, get, history, import, list, login, output, promote,
    render, repair, rollback, run, set, template,
};

/// Secrets for programs, scripts and CI.
#[derive(Parser)]
#[command(
    name = "xtrasec",
    version,
    arg_required_else_help = false,
    after_help = "The token comes from XTRA_TOKEN, XTRA_MACHINE_TOKEN or the settings of the xtra command, never from an \
                  argument: arguments can be read by every user of the machine.",
    after_long_help = "The token comes from XTRA_TOKEN, XTRA_MACHINE_TOKEN, ~/.xtra/config.json or the settings of the \
                       xtra command, never from an argument: arguments can be read by every user of the machine. \
                       Defaults for project, environment, branch and API root come from XTRA_PROJECT_ID, XTRA_API_URL \
                      and the file .xtrarc, which cannot send the token to a service that you have not named yourself. \
                      With XTRA_LOCAL_MODE=true, secrets are read from .env.local.\n\n\
                      Exit status: 0 success, 1 refused by the service or by this command, 2 wrong usage, 3 written and \
                      not confirmed: a read after the write gives something else, or could not be made; `run` \
                       passes on that of the program it starts.\n\n\
                       Examples:\n  \
                       xtrasec run -e production -- ./server --port 8080\n  \
                       xtrasec get --show TLS_KEY > key.pem\n  \
                       xtrasec export --format dotenv --output .env\n  \
                       xtrasec diff staging production\n  \
                       xtrasec set API_KEY -e staging\n  \
                       xtrasec import .env.staging -e staging\n  \
                       xtrasec doctor"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Args)]
#[command(next_help_heading = "Where the secrets are")]
pub(crate) struct Global {
    /// The environment; dev, stg and prod are short for development, staging and production [default: env in .xtrarc]
    #[arg(short, long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) env: Option<String>,
    /// The branch [default: branch in .xtrarc, then main]
    #[arg(short, long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) branch: Option<String>,
    /// The project's id [default: XTRA_PROJECT_ID, then .xtrarc, then the service account's]
    #[arg(short, long, global = true, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) project: Option<String>,
    /// The API root, ending in /api [default: XTRA_API_URL, then .xtrarc, then that of the login, then the service's]
    #[arg(long, global = true, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) api_url: Option<String>,
}

impl Global {
    /// Tells that --env was given to a command that does not heed it: somebody may count on it.
    pub(crate) fn note_unused_environment(&self, why: &str) {
        if self.env.is_some() {
            output::note(&format!("--env has no effect here: {why}"));
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Run(run::Arguments),
    Get(get::Arguments),
    List(list::Arguments),
    Export(export::Arguments),
    Check(check::Arguments),
    Template(template::Arguments),
    Render(render::Arguments),
    Diff(diff::Arguments),
    Set(set::Arguments),
    Import(import::Arguments),
    Delete(delete::Arguments),
    History(history::Arguments),
    Rollback(rollback::Arguments),
    Repair(repair::Arguments),
    Promote(promote::Arguments),
    Branches(branches::Arguments),
    Login(login::LoginArguments),
    Logout(login::LogoutArguments),
    Doctor(doctor::Arguments),
    Completions(completions::Arguments),
}

/// Which of the secrets.
#[derive(Args, Default)]
pub(crate) struct Choice {
    /// Take these secrets and no others; commas between names, or once for each
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    pub(crate) only: Vec<String>,
    /// Leave these secrets out; commas between names, or once for each
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    pub(crate) except: Vec<String>,
    /// Go on when there are no secrets
    #[arg(long)]
    pub(crate) allow_empty: bool,
}

impl Choice {
    /// Which names are taken.
    pub(crate) fn rule(&self) -> impl Fn(&str) -> bool {
        let [only, except] =
            [&self.only, &self.except].map(|names| names.iter().map(String::as_str).collect::<HashSet<_>>());
        move |name| (only.is_empty() || only.contains(name)) && !except.contains(name)
    }
}

/// The short names of environments, as the vendor's command has them.
pub(crate) fn full_environment_name(name: &str) -> &str {
    match name {
        "dev" => "development",
        "stg" => "staging",
        "prod" => "production",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn short_environment_names_are_spelled_out_and_others_left_alone() {
        let full: Vec<_> = ["dev", "stg", "prod", "qa", "Prod"].map(full_environment_name).into();
        assert_eq!(full, ["development", "staging", "production", "qa", "Prod"]);
    }

    #[test]
    fn a_name_left_out_is_not_taken_even_when_it_is_also_chosen() {
        let choice = Choice { only: vec!["A".into(), "B".into()], except: vec!["B".into()], ..Choice::default() };
        let takes = choice.rule();
        assert!(takes("A") && !takes("B") && !takes("C"));
        assert!(Choice::default().rule()("C"));
    }
}
