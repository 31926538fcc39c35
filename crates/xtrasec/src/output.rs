//! Everything that is written, in one place: nothing here can panic, and a reader that has gone is an error like others.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use zeroize::Zeroizing;

use crate::failure::{Failure, REFUSED, USAGE};
use crate::spinner;
use crate::text::{one_line, printable_lines};

/// Writes to standard output and makes sure that it arrived.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    spinner::clear();
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::io("standard output cannot be written", &error))
}

/// Writes values to standard output: byte for byte, except on a terminal, which would act on some characters.
pub(crate) fn write_values(text: &str) -> Result<(), Failure> {
    match printable_lines(text).filter(|_| is_terminal()) {
        None => write(text.as_bytes()),
        Some(shown) => {
            write(Zeroizing::new(shown).as_bytes())?;
            note(
                "characters that a terminal would act on are shown as escapes; a pipe or a file gets them as they are",
            );
            Ok(())
        }
    }
}

/// Tells what was done. That it cannot be told does not undo it, which nobody would guess from the error.
pub(crate) fn done(text: &str) -> Result<(), Failure> {
    write(text.as_bytes()).map_err(all_the_same)
}

/// The same for a text that is a value.
pub(crate) fn done_with_values(text: &str) -> Result<(), Failure> {
    write_values(text).map_err(all_the_same)
}

fn all_the_same(failure: Failure) -> Failure {
    failure.so("What was asked for has been done all the same")
}

/// Whether a person reads standard output.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Refuses to show values to whoever looks at the terminal, unless they were asked for.
pub(crate) fn values_may_be_written(asked_for: bool) -> Result<(), Failure> {
    if asked_for || !is_terminal() {
        return Ok(());
    }
    Err(Failure::refused(
        "the values would be shown on this terminal. Send them elsewhere (| or --output FILE), or add --show",
    ))
}

/// Tells the person something beside the result. Nobody there to read it is no reason to fail.
pub(crate) fn note(text: &str) {
    spinner::clear();
    let line = format!("xtrasec: {}\n", one_line(text));
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// Puts a question to the person, and leaves the cursor behind it.
pub(crate) fn ask(question: &str) {
    spinner::clear();
    let text = format!("{} ", one_line(question));
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Shows a part of what is typed as the answer.
pub(crate) fn echo(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Ends a line that a question or a bar has begun.
pub(crate) fn line_break() {
    let _ = io::stderr().lock().write_all(b"\n");
}

/// Says why there is no success.
pub(crate) fn failure(failure: &Failure) -> ExitCode {
    note(&failure.line);
    ExitCode::from(failure.status)
}

/// What the parser of arguments has to say: help and version as they are, an error as one line.
pub(crate) fn parser(error: &clap::Error) -> ExitCode {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // nothing was asked for: the help is no result
        let _ = error.print();
        return ExitCode::from(USAGE);
    }
    if error.use_stderr() {
        let text = error.render().to_string();
        let (told, usage) = text.split_once("\n\nUsage: ").unwrap_or((&text, "xtrasec"));
        let told = told.split("\n\nFor more information").next().unwrap_or_default();
        let told = unexpected(error).unwrap_or_else(|| told.strip_prefix("error: ").unwrap_or(told));
        return failure(&Failure::with_status(USAGE, format!("{told}\nsee {} --help", command_of(usage))));
    }
    match error.print() {
        Ok(()) => ExitCode::SUCCESS,
        // help is often read through `head` or a pager that is left
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            note(&Failure::io("standard output cannot be written", &error).line);
            ExitCode::from(REFUSED)
        }
    }
}

/// What to say of an unexpected argument, unless it is the name of an option. It may be a token, or a value that
/// somebody put behind its name, and the parser would repeat it in whole.
fn unexpected(error: &clap::Error) -> Option<&'static str> {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return None };
    (error.kind() == ErrorKind::UnknownArgument && !is_option(argument)).then_some(
        "unexpected extra argument (hidden: it may be a secret). Tokens and values are typed when they are asked for, or come \
         from standard input or a file",
    )
}

/// Whether a text looks like an option somebody has misspelt.
fn is_option(argument: &str) -> bool {
    const LONGEST: usize = 24;
    let name = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-'));
    name.is_some_and(|name| {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.len() <= LONGEST
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_'))
    })
}

/// The names that a usage begins with: those of this command and of the subcommand.
fn command_of(usage: &str) -> String {
    let is_name = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase());
    usage.split_whitespace().take_while(is_name).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_an_option_is_repeated() {
        for option in ["--frobnicate", "--dry_run", "--api-ur", "-x"] {
            assert!(is_option(option), "{option}");
        }
        for other in ["xs_abc", "-----BEGIN PRIVATE KEY-----\nx", "--Hunter2", "--s3cret", "-7", "-", "--", "B"] {
            assert!(!is_option(other), "{other}");
        }
    }

    #[test]
    fn the_help_to_see_is_that_of_the_command_that_was_typed() {
        assert_eq!(command_of("xtrasec list [OPTIONS]"), "xtrasec list");
        assert_eq!(command_of("xtrasec [OPTIONS] <COMMAND>"), "xtrasec");
        assert_eq!(command_of("xtrasec diff --env <NAME> <FIRST>"), "xtrasec diff");
    }
}
