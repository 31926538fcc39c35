//! The command `xtrasec`: secrets for programs, scripts and CI.
//!
//! It is a user of the library like others and knows its public API only. Every command is a file.

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

mod arguments;
mod branches;
mod check;
mod completions;
mod consent;
mod delete;
mod destination;
mod diff;
mod doctor;
mod export;
mod failure;
mod file;
mod get;
mod hidden;
mod history;
mod import;
mod input;
mod list;
mod listing;
mod login;
mod output;
mod place;
mod promote;
mod render;
mod repair;
mod rollback;
mod run;
mod session;
mod set;
mod target;
mod template;
mod token_store;
mod wording;
mod writing;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Cli, Command};
use failure::{Failure, Outcome};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return output::parser(&error),
    };
    match carry_out(&cli) {
        Ok(status) => ExitCode::from(status),
        Err(failure) => output::failure(&failure),
    }
}

fn carry_out(cli: &Cli) -> Outcome {
    let global = &cli.global;
    match &cli.command {
        Command::Run(arguments) => {
            // The runtime has ended before the program starts.
            let command = wait(run::prepare(global, arguments))?;
            run::start(command)
        }
        Command::Get(arguments) => wait(get::run(global, arguments)),
        Command::List(arguments) => wait(list::run(global, arguments)),
        Command::Export(arguments) => wait(export::run(global, arguments)),
        Command::Check(arguments) => wait(check::run(global, arguments)),
        Command::Template(arguments) => template::run(arguments),
        Command::Render(arguments) => wait(render::run(global, arguments)),
        Command::Set(arguments) => wait(set::run(global, arguments)),
        Command::Import(arguments) => wait(import::run(global, arguments)),
        Command::Delete(arguments) => wait(delete::run(global, arguments)),
        Command::History(arguments) => wait(history::run(global, arguments)),
        Command::Rollback(arguments) => wait(rollback::run(global, arguments)),
        Command::Repair(arguments) => wait(repair::run(global, arguments)),
        Command::Promote(arguments) => wait(promote::run(global, arguments)),
        Command::Branches(arguments) => wait(branches::run(global, arguments)),
        Command::Login(arguments) => wait(login::login(global, arguments)),
        Command::Logout(arguments) => login::logout(global, arguments),
        Command::Diff(arguments) => wait(diff::run(global, arguments)),
        Command::Doctor(arguments) => wait(doctor::run(global, arguments)),
        Command::Completions(arguments) => completions::run(arguments),
    }
}

/// Runs to its end what needs the network, on this thread alone.
fn wait<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::io("the network cannot be used", &error))?;
    runtime.block_on(work)
}
