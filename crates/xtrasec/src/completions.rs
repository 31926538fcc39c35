//! `xtrasec completions`: what a shell needs to complete arguments.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::completer;
use crate::failure::Outcome;
use crate::output;

/// Writes the completions for a shell
///
/// Commands and options are completed. With --dynamic, environments and the names of secrets are too: at each key the service
/// is asked, which counts as a call, for less than a second; never for values.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec completions bash > /etc/bash_completion.d/xtrasec\n  \
    xtrasec completions zsh > ~/.zfunc/_xtrasec\n  \
    source <(xtrasec completions bash --dynamic)")]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
    /// Complete environments and names of secrets too, by asking the service
    #[arg(long)]
    dynamic: bool,
}

/// `command` is the whole of `xtrasec`, as its parser knows it.
pub(crate) fn run(arguments: &Arguments, mut command: Command) -> Outcome {
    if arguments.dynamic {
        output::write(&completer::registration(&arguments.shell.to_string())?)?;
        return Ok(0);
    }
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "xtrasec", &mut script);
    output::write(&script)?;
    Ok(0)
}
