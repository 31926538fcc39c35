//! Whether somebody means it: `--yes`, or an answer on a terminal.

use std::io::{self, BufRead, IsTerminal, Read};

use clap::Args;

use crate::failure::Failure;
use crate::output;

const NOTHING_DONE: &str = "Nothing was changed";

/// The longest answer that is read.
const LONGEST: u64 = 4096;

#[derive(Args)]
pub(crate) struct Confirm {
    /// Go on without a question; needed where nobody can be asked
    #[arg(long, short)]
    yes: bool,
}

impl Confirm {
    pub(crate) fn is_given(&self) -> bool {
        self.yes
    }

    /// Refuses unless it was given, or somebody answers that this is meant: with y, or with the word to be typed.
    pub(crate) fn ask(&self, question: &str, typed: Option<&str>) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !can_ask() {
            return Err(Failure::usage(format!("{question} Nobody can be asked here: add --yes if it is meant")));
        }
        let is_meant = match typed {
            Some(word) => answer(&format!("{question} Type {word} to go on:"))? == word,
            None => matches!(answer(&format!("{question} [y/N]"))?.as_str(), "y" | "Y" | "yes" | "Yes" | "YES"),
        };
        if is_meant { Ok(()) } else { Err(Failure::refused(NOTHING_DONE)) }
    }
}

/// Whether a person can be asked: one sees the question, and types the answer.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// What the person types.
pub(crate) fn answer(question: &str) -> Result<String, Failure> {
    output::ask(question);
    let mut line = String::new();
    let stdin = io::stdin().lock();
    stdin.take(LONGEST).read_line(&mut line).map_err(|error| Failure::io("the answer cannot be read", &error))?;
    if line.is_empty() {
        // the end of the input: the cursor is still behind the question
        output::line_break();
    }
    Ok(line.trim().to_owned())
}
