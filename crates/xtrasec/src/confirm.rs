//! Whether somebody means it: `--yes`, or an answer on a terminal.

use std::io::{self, IsTerminal};

use clap::Args;

use crate::failure::Failure;
use crate::password_prompt;

const NOTHING_DONE: &str = "Nothing was changed";

#[derive(Args)]
pub(crate) struct Confirm {
    /// Go on without a question; needed where nobody can be asked
    #[arg(long, short)]
    yes: bool,
}

impl Confirm {
    /// Refuses where this question would come and nobody can be asked: before anything is typed, or asked of the service.
    pub(crate) fn check(&self, question: &str) -> Result<(), Failure> {
        if self.yes || can_ask() {
            return Ok(());
        }
        Err(Failure::usage(format!("{question} Nobody can be asked here: add --yes if it is meant")))
    }

    /// Refuses unless it was given, or somebody answers that this is meant: with y, or with the word to be typed.
    pub(crate) fn ask(&self, question: &str, typed: Option<&str>) -> Result<(), Failure> {
        const YES: [&str; 5] = ["y", "yes", "Y", "Yes", "YES"];
        self.check(question)?;
        if self.yes {
            return Ok(());
        }
        let is_meant = match typed {
            Some(word) => password_prompt::ask_for(&[word], &format!("{question} Type {word} to go on:"))? == word,
            None => {
                let words = [&YES[..], &["n", "no", "N", "No", "NO"]].concat();
                YES.contains(&password_prompt::ask_for(&words, &format!("{question} [y/N]"))?.as_str())
            }
        };
        if is_meant { Ok(()) } else { Err(Failure::refused(NOTHING_DONE)) }
    }
}

/// What somebody means who is shown first what would be done.
#[derive(Args)]
pub(crate) struct PlanConfirm {
    /// Tell what would be done, and do nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    confirm: Confirm,
}

impl PlanConfirm {
    /// Refuses where a question would come and nobody can be asked.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.dry_run || self.confirm.yes || can_ask() {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "nobody can be asked here: add --yes to do it, or --dry-run to see what would be done. {NOTHING_DONE}"
        )))
    }

    /// Whether the plan is all that is wanted.
    pub(crate) fn is_dry(&self) -> bool {
        self.dry_run
    }

    /// Whether nothing is asked, because it is known what is wanted.
    pub(crate) fn is_settled(&self) -> bool {
        self.dry_run || self.confirm.yes
    }

    /// As [`Confirm::ask`].
    pub(crate) fn ask(&self, question: &str, typed: Option<&str>) -> Result<(), Failure> {
        self.confirm.ask(question, typed)
    }
}

/// Whether a person can be asked: one sees the question, and types the answer.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}
