//! Everything that is written, in one place: nothing here can panic, and a reader that has gone is an error like others.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::failure::{Failure, REFUSED, USAGE};

/// Writes to standard output and makes sure that it arrived.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::io("standard output cannot be written", &error))
}

/// Tells what was done. That it cannot be told does not undo it, which nobody would guess from the error.
pub(crate) fn done(text: &str) -> Result<(), Failure> {
    write(text.as_bytes()).map_err(|failure| failure.so("What was asked for has been done all the same"))
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
    let line = format!("xtrasec: {}\n", one_line(text));
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// Puts a question to the person, and leaves the cursor behind it.
pub(crate) fn ask(question: &str) {
    let text = format!("{} ", one_line(question));
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
    if error.use_stderr() {
        let text = error.render().to_string();
        let (told, usage) = text.split_once("\n\nUsage: ").unwrap_or((&text, "xtrasec"));
        let told = told.split("\n\nFor more information").next().unwrap_or_default();
        let told = unexpected(error).unwrap_or_else(|| told.strip_prefix("error: ").unwrap_or(told));
        return failure(&Failure::with_status(USAGE, format!("{told}\nsee {} --help", command_of(usage))));
    }
    match error.print() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            note(&Failure::io("standard output cannot be written", &error).line);
            ExitCode::from(REFUSED)
        }
    }
}

/// What to say of an argument that fits nowhere, unless it is the name of an option. It may be a token, or a value that
/// somebody put behind its name, and the parser would repeat it in whole.
fn unexpected(error: &clap::Error) -> Option<&'static str> {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return None };
    (error.kind() == ErrorKind::UnknownArgument && !is_option(argument)).then_some(
        "an argument fits nowhere; it is not repeated here, as it may be secret. Tokens and values are typed when they are \
         asked for, or come by standard input or a file",
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

/// A text as one line without anything that a terminal would act on.
pub(crate) fn one_line(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !folded.is_empty() {
            folded.push_str(if folded.ends_with([':', ';', ',', '.']) { " " } else { "; " });
        }
        folded.push_str(line);
    }
    printable(&folded)
}

/// A text with everything escaped that a terminal would act on: names and messages come from elsewhere.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_plain(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    shown
}

/// Whether a character can be shown as it is: no control, no line break, nothing that turns the direction of writing.
pub(crate) fn is_plain(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Rows with the second column aligned. An empty cell ends the row.
pub(crate) fn table<'t>(rows: impl IntoIterator<Item = (&'t str, &'t str)>) -> String {
    let rows: Vec<_> = rows.into_iter().map(|(left, right)| (printable(left), printable(right))).collect();
    let width = rows.iter().map(|(left, _)| left.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for (left, right) in rows {
        text.push_str(&left);
        if !right.is_empty() {
            text.extend(std::iter::repeat_n(' ', width.saturating_sub(left.chars().count()) + 2));
            text.push_str(&right);
        }
        text.push('\n');
    }
    text
}

/// A JSON document as it is printed.
pub(crate) fn json(document: &serde_json::Value) -> String {
    format!("{document:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_many_lines_becomes_one_without_anything_that_a_terminal_acts_on() {
        assert_eq!(one_line("two names are missing:\n  - A\n  - B\n"), "two names are missing: - A; - B");
        assert_eq!(one_line("a\u{1b}[31mred\r\nb\u{202e}c"), "a\\u{1b}[31mred; b\\u{202e}c");
        assert_eq!(one_line("\n\n"), "");
    }

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

    #[test]
    fn the_second_column_is_aligned_and_rows_without_one_end_at_once() {
        assert_eq!(table([("A", "1"), ("LONG", "2"), ("B", "")]), "A     1\nLONG  2\nB\n");
    }
}
