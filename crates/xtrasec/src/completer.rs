//! Completion at the prompt: the shell asks for what could stand there, and environments and names come from the service.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, Command, CommandFactory};
use clap_complete::env::{CompleteEnv, Shells};
use clap_complete::{ArgValueCompleter, CompletionCandidate};

use crate::failure::Failure;
use crate::options::Global;
use crate::session::builder;
use crate::text::is_plain;
use crate::{Cli, session};

/// The variable by which the shell's script asks.
const VARIABLE: &str = "XTRASEC_COMPLETE";
/// Whoever presses a key waits no longer.
const PATIENCE: Duration = Duration::from_millis(800);
/// The arguments that name a secret which is there, and those that name an environment.
const NAMES: &[&str] = &["keys", "name", "names", "only", "exclude"];
const ENVIRONMENTS: &[&str] = &["env", "from", "to", "first", "second"];

/// Answers a shell, when one asks.
pub(crate) fn answer() -> Option<ExitCode> {
    std::env::var_os(VARIABLE)?;
    let arguments = std::env::args_os();
    match CompleteEnv::with_factory(command).var(VARIABLE).try_complete(arguments, None) {
        Ok(true) => Some(ExitCode::SUCCESS),
        Ok(false) => None,
        // a message would stand in the middle of the line that is being typed
        Err(_) => Some(ExitCode::FAILURE),
    }
}

/// Writes what makes a shell ask.
pub(crate) fn registration(shell: &str) -> Result<Vec<u8>, Failure> {
    let cannot =
        || Failure::usage(format!("completion that asks the service is not there for {shell}: leave --dynamic out"));
    let shells = Shells::builtins();
    let mut script = Vec::new();
    let completer = shells.completer(shell).ok_or_else(cannot)?;
    completer
        .write_registration(VARIABLE, "xtrasec", "xtrasec", "xtrasec", &mut script)
        .map_err(|error| Failure::io("the completions cannot be made", &error))?;
    Ok(script)
}

fn command() -> Command {
    let commands = Cli::command();
    let names: Vec<String> = commands.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let commands = commands.mut_args(completed);
    names
        .iter()
        .filter(|name| *name != "branches")
        .fold(commands, |all, name| all.mut_subcommand(name, |command| command.mut_args(completed)))
}

fn completed(argument: Arg) -> Arg {
    let id = argument.get_id().as_str();
    if NAMES.contains(&id) {
        argument.add(ArgValueCompleter::new(names))
    } else if ENVIRONMENTS.contains(&id) {
        argument.add(ArgValueCompleter::new(environments))
    } else {
        argument
    }
}

fn environments(typed: &OsStr) -> Vec<CompletionCandidate> {
    among(typed, |global| async move {
        let client = builder(&global).build().ok()?;
        let list = client.list_environments().await.ok()?;
        Some(list.into_iter().map(|environment| environment.name).collect())
    })
}

fn names(typed: &OsStr) -> Vec<CompletionCandidate> {
    among(typed, |global| async move {
        let session = session::Session::open(&global).ok()?;
        let list = session.client.list_secret_names(session.environment().ok()?).await.ok()?;
        Some(list.into_iter().map(|secret| secret.name).collect())
    })
}

/// Those names that begin as what was typed. Whatever goes wrong, there are none.
fn among<W: Future<Output = Option<Vec<String>>>>(
    typed: &OsStr,
    ask: impl FnOnce(Global) -> W,
) -> Vec<CompletionCandidate> {
    let asked = || {
        let typed = typed.to_str()?;
        let global = global()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        let names = runtime.block_on(async { tokio::time::timeout(PATIENCE, ask(global)).await }).ok()??;
        // a name that a shell or a terminal would act on is typed by hand
        let is_fit = |name: &String| name.starts_with(typed) && name.chars().all(|c| is_plain(c) && !c.is_whitespace());
        Some(names.into_iter().filter(is_fit).map(CompletionCandidate::new).collect())
    };
    asked().unwrap_or_default()
}

/// The options on the line so far, as far as they say where the secrets are.
fn global() -> Option<Global> {
    let line = std::env::args_os().skip_while(|word| word != "--").skip(1);
    let mut global = located(line.collect());
    global.read_variables().ok()?;
    global.take_profile().ok()?;
    Some(global)
}

/// The line is not finished, so the parser would refuse it.
fn located(line: Vec<OsString>) -> Global {
    let mut global = Global::default();
    let mut words = line.iter().filter_map(|word| word.to_str()).peekable();
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        let (option, attached) = word.split_once('=').map_or((word, None), |(option, value)| (option, Some(value)));
        let place = match option {
            "-e" | "--env" => &mut global.env,
            "-b" | "--branch" => &mut global.branch,
            "-p" | "--project" => &mut global.project,
            "--api-url" => &mut global.api_url,
            "--profile" => &mut global.profile,
            _ => continue,
        };
        let value = attached.or_else(|| words.next());
        *place = value.filter(|value| !value.is_empty()).map(str::to_owned);
    }
    global
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_not_finished_says_where_the_secrets_are() {
        let line = ["xtrasec", "get", "-e", "stg", "--project=p1", "--", "-b", "x"].map(OsString::from);
        let global = located(line.into());
        assert_eq!((global.env.as_deref(), global.project.as_deref(), global.branch), (Some("stg"), Some("p1"), None));
        assert!(located(["xtrasec", "-e"].map(OsString::from).into()).env.is_none());
    }

    #[test]
    fn the_commands_stay_consistent_when_their_arguments_are_completed() {
        command().debug_assert();
    }
}
