//! The command `xtrasec`: secrets for programs, scripts and CI.
//!
//! It is a user of the library like others and knows its public API only. Every command is a file; `session`, `output` and
//! `failure` are below them all.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]

mod branches;
mod check;
mod clone;
mod completer;
mod completions;
mod confirm;
mod copy;
mod delete;
mod dev;
mod diff;
mod doctor;
#[cfg(test)]
mod documents;
mod environments;
mod events;
mod example;
mod export;
mod failure;
mod file;
mod get;
mod hints;
mod history;
mod import;
mod link;
mod list;
mod login;
mod misreads;
mod name_list;
mod options;
mod output;
mod output_target;
mod password_prompt;
mod profile;
mod progress;
mod projects;
mod promote;
mod render;
mod repair;
mod rollback;
mod rotate;
mod run;
mod service;
mod session;
mod set;
mod setup;
mod spinner;
mod text;
mod token_store;
mod whoami;
mod write_options;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use failure::{Failure, Outcome};
use options::Global;

/// Secrets for programs, scripts and CI.
#[derive(Parser)]
#[command(
    name = "xtrasec",
    version,
    arg_required_else_help = true,
    after_help = "The token comes from XTRA_TOKEN, XTRA_MACHINE_TOKEN or the settings of the xtra command, never from an \
                  argument: arguments can be read by every user of the machine.",
    after_long_help = "The token comes from XTRA_TOKEN, XTRA_MACHINE_TOKEN, ~/.xtra/config.json or the settings of the \
                       xtra command, never from an argument: arguments can be read by every user of the machine. \
                       Defaults for project, environment, branch and base URL come from XTRA_PROJECT_ID, XTRA_ENV, \
                       XTRA_BRANCH, XTRA_API_URL and the file .xtrarc. `xtrasec setup` writes that file; in a repository it \
                       counts in the directories below too. It cannot send the token to a service that you have not named yourself. \
                      With XTRA_LOCAL_MODE=true, secrets are read from .env.local.\n\n\
                      Exit status:\n  \
                       0    success\n  \
                       1    refused by the service, by a check or by this command\n  \
                       2    wrong usage, or --yes is missing where nobody can be asked\n  \
                       3    written or perhaps written, and not confirmed by a read\n  \
                       126  of run: the program cannot be started\n  \
                       127  of run: the program is not found\n\
                       Otherwise `run` passes on the status of the program.\n\n\
                       Examples:\n  \
                       xtrasec run -e production -- ./server --port 8080\n  \
                       xtrasec get --show TLS_KEY > key.pem\n  \
                       xtrasec export --format dotenv --output .env\n  \
                       xtrasec diff staging production\n  \
                       xtrasec set API_KEY -e staging\n  \
                       xtrasec import .env.staging -e staging\n  \
                       xtrasec doctor"
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Arguments),
    Get(get::Arguments),
    List(list::Arguments),
    Export(export::Arguments),
    Check(check::Arguments),
    Example(example::Arguments),
    Render(render::Arguments),
    Diff(diff::Arguments),
    Set(set::Arguments),
    Import(import::Arguments),
    Delete(delete::Arguments),
    History(history::Arguments),
    Rollback(rollback::Arguments),
    Repair(repair::Arguments),
    Rotate(rotate::Arguments),
    Link(link::Arguments),
    Promote(promote::Arguments),
    Copy(copy::Arguments),
    Clone(clone::Arguments),
    Branches(branches::Arguments),
    Environments(environments::Arguments),
    Projects(projects::Arguments),
    Setup(setup::Arguments),
    Login(login::LoginArguments),
    Logout(login::LogoutArguments),
    Whoami(whoami::Arguments),
    Doctor(doctor::Arguments),
    Dev(dev::Arguments),
    Completions(completions::Arguments),
}

fn main() -> ExitCode {
    if let Some(status) = completer::answer() {
        return status;
    }
    let mut cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return output::parser(&error),
    };
    events::start(cli.global.verbosity);
    match prepare(&mut cli).and_then(|()| carry_out(&cli)) {
        Ok(status) => ExitCode::from(status),
        Err(failure) => output::failure(&failure),
    }
}

/// Reads what variables and profiles say. A profile need not be there yet to log in to it.
fn prepare(cli: &mut Cli) -> Result<(), Failure> {
    #[cfg(any(feature = "infisical", feature = "secr", feature = "syvault"))]
    if cli.global.service.is_asked() {
        let reads = matches!(cli.command, Command::Run(_) | Command::Get(_) | Command::List(_) | Command::Export(_));
        return service::check(&cli.global, reads);
    }
    cli.global.read_variables()?;
    match &cli.command {
        Command::Login(_) | Command::Logout(_) | Command::Dev(_) | Command::Completions(_) | Command::Example(_) => {
            Ok(())
        }
        _ => cli.global.take_profile(),
    }
}

fn carry_out(cli: &Cli) -> Outcome {
    let global = &cli.global;
    match &cli.command {
        Command::Run(arguments) => {
            // The runtime has ended before the program starts.
            let prepared = wait(run::prepare(global, arguments))?;
            run::start(prepared)
        }
        Command::Get(arguments) => wait(get::run(global, arguments)),
        Command::List(arguments) => wait(list::run(global, arguments)),
        Command::Export(arguments) => wait(export::run(global, arguments)),
        Command::Check(arguments) => wait(check::run(global, arguments)),
        Command::Example(arguments) => example::run(arguments),
        Command::Render(arguments) => wait(render::run(global, arguments)),
        Command::Set(arguments) => wait(set::run(global, arguments)),
        Command::Import(arguments) => wait(import::run(global, arguments)),
        Command::Delete(arguments) => wait(delete::run(global, arguments)),
        Command::History(arguments) => wait(history::run(global, arguments)),
        Command::Rollback(arguments) => wait(rollback::run(global, arguments)),
        Command::Repair(arguments) => wait(repair::run(global, arguments)),
        Command::Promote(arguments) => wait(promote::run(global, arguments)),
        Command::Copy(arguments) => wait(copy::run(global, arguments)),
        Command::Rotate(arguments) => wait(rotate::run(global, arguments)),
        Command::Link(arguments) => wait(link::run(global, arguments)),
        Command::Clone(arguments) => wait(clone::run(global, arguments)),
        Command::Branches(arguments) => wait(branches::run(global, arguments)),
        Command::Environments(arguments) => wait(environments::run(global, arguments)),
        Command::Projects(arguments) => wait(projects::run(global, arguments)),
        Command::Setup(arguments) => wait(setup::run(global, arguments)),
        Command::Whoami(arguments) => wait(whoami::run(global, arguments)),
        Command::Dev(arguments) => stay(dev::run(global, arguments)),
        Command::Login(arguments) => wait(login::login(global, arguments)),
        Command::Logout(arguments) => login::logout(global, arguments),
        Command::Diff(arguments) => wait(diff::run(global, arguments)),
        Command::Doctor(arguments) => wait(doctor::run(global, arguments)),
        Command::Completions(arguments) => completions::run(arguments, Cli::command()),
    }
}

/// Runs to its end what needs the network, on this thread alone.
fn wait<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    stay(spinner::beside(work))
}

/// The same for what runs until it is interrupted, and says so.
fn stay<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::io("the network cannot be used", &error))?;
    runtime.block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
