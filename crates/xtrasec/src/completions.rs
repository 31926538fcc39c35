//! `xtrasec completions`: what a shell needs to complete arguments.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::Outcome;
use crate::output;

/// Writes the completions for a shell
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec completions bash > /etc/bash_completion.d/xtrasec\n  \
    xtrasec completions zsh > ~/.zfunc/_xtrasec")]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

/// `command` is the whole of `xtrasec`, as its parser knows it.
pub(crate) fn run(arguments: &Arguments, mut command: Command) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "xtrasec", &mut script);
    output::write(&script)?;
    Ok(0)
}
