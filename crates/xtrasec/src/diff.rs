//! `xtrasec diff`: what differs between two environments or branches.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use clap::Args;
use futures_util::future;
use serde_json::{Value, json};
use xtrasecurity::Secrets;

use crate::failure::{Failure, Outcome, REFUSED};
use crate::options::Global;
use crate::options::Scope;
use crate::output;
use crate::session::{Session, XTRASECURITY, demand, not_read, tell_source};
use crate::text::{self, printable};

/// Compares two environments or branches
///
/// Names only: `-` is in the first alone, `+` in the second alone, `~` in both with different values.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec diff staging production\n  \
    xtrasec diff staging staging@feature/new-ui --exit-code")]
pub(crate) struct Arguments {
    /// An environment, or ENVIRONMENT@BRANCH
    first: Scope,
    /// The one to compare it with
    second: Scope,
    /// Print an object with the arrays removed, added and changed, and the number of equal ones
    #[arg(long)]
    json: bool,
    /// Write the values that differ as well
    #[arg(long)]
    show: bool,
    /// End with status 1 when there is a difference
    #[arg(long)]
    exit_code: bool,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    global.note_unused_environment("the two environments are arguments");
    let session = Session::open(global)?;
    let (first, second) = future::try_join(read(&session, &arguments.first), read(&session, &arguments.second)).await?;
    tell_source(&first);
    for (place, secrets) in [(&arguments.first, &first), (&arguments.second, &second)] {
        if secrets.is_empty() {
            output::note(&XTRASECURITY.nothing_there(&place.shown()));
        }
    }
    note_of_branches(&session, arguments, first.is_empty() && second.is_empty());
    let difference = Difference::between(&first, &second);
    let text = if arguments.json { text::json(&difference.as_json(arguments)) } else { difference.as_lines(arguments) };
    output::write(text.as_bytes())?;
    Ok(if arguments.exit_code && difference.is_one() { REFUSED } else { 0 })
}

/// Two branches without their environment are taken for two environments.
fn note_of_branches(session: &Session, arguments: &Arguments, both_empty: bool) {
    let [first, second] = [&arguments.first, &arguments.second];
    let is_likely = |place: &Scope| place.environment == "main" || place.environment.contains('/');
    if first.branch.is_none() && second.branch.is_none() && both_empty && (is_likely(first) || is_likely(second)) {
        let environment = session.environment().unwrap_or("production");
        let [first, second] = [first, second].map(|place| printable(&format!("{environment}@{}", place.environment)));
        output::note(&format!("to compare branches, say of which environment: xtrasec diff {first} {second}"));
    }
}

/// The secrets of a place, all of which can be read: what cannot be read cannot be compared.
async fn read(session: &Session, place: &Scope) -> Result<Arc<Secrets>, Failure> {
    let request = session.client.get_secrets(place.environment.as_str()).allow_unreadable();
    let secrets = match &place.branch {
        Some(branch) => request.branch(branch.as_str()).await,
        None => request.await,
    };
    let secrets = secrets.map_err(not_read)?;
    demand(&secrets, secrets.unreadable().iter().map(|secret| secret.name.as_str()), &place.shown(), &XTRASECURITY)?;
    Ok(secrets)
}

/// The secrets that are not the same in both, and how many are.
struct Difference<'s> {
    entries: Vec<Entry<'s>>,
    same: usize,
}

struct Entry<'s> {
    name: &'s str,
    /// The values in the first and in the second.
    values: (Option<&'s str>, Option<&'s str>),
}

impl<'s> Difference<'s> {
    fn between(first: &'s Secrets, second: &'s Secrets) -> Self {
        let names: BTreeSet<&str> = first.names().chain(second.names()).collect();
        let mut difference = Self { entries: Vec::new(), same: 0 };
        for name in names {
            let (before, after) = (first.get(name), second.get(name));
            if before == after {
                difference.same += 1;
            } else {
                let values = (before.map(|value| value.expose()), after.map(|value| value.expose()));
                difference.entries.push(Entry { name, values });
            }
        }
        difference
    }

    fn is_one(&self) -> bool {
        !self.entries.is_empty()
    }

    fn of(&self, sign: char) -> impl Iterator<Item = &Entry<'s>> {
        self.entries.iter().filter(move |entry| entry.sign() == sign)
    }

    fn as_lines(&self, arguments: &Arguments) -> String {
        let mut text = String::new();
        for entry in &self.entries {
            let _ = writeln!(text, "{} {}", entry.sign(), printable(entry.name));
            if arguments.show {
                for (sign, value) in [('-', entry.values.0), ('+', entry.values.1)] {
                    if let Some(value) = value {
                        let _ = writeln!(text, "    {sign} {}", printable(value));
                    }
                }
            }
        }
        let [removed, added, changed] = ['-', '+', '~'].map(|sign| self.of(sign).count());
        let (first, second) = (arguments.first.shown(), arguments.second.shown());
        let _ = writeln!(
            text,
            "{first} -> {second}: {removed} removed, {added} added, {changed} changed, {} the same",
            self.same
        );
        text
    }

    fn as_json(&self, arguments: &Arguments) -> Value {
        let list = |sign| -> Value {
            self.of(sign)
                .map(|entry| match arguments.show {
                    true => json!({ "name": entry.name, "first": entry.values.0, "second": entry.values.1 }),
                    false => json!({ "name": entry.name }),
                })
                .collect()
        };
        json!({
            "first": arguments.first.shown(),
            "second": arguments.second.shown(),
            "removed": list('-'),
            "added": list('+'),
            "changed": list('~'),
            "same": self.same,
        })
    }
}

impl Entry<'_> {
    fn sign(&self) -> char {
        match self.values.0.is_some().cmp(&self.values.1.is_some()) {
            Ordering::Less => '+',
            Ordering::Greater => '-',
            Ordering::Equal => '~',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_removed_added_changed_and_the_same() {
        let first = Secrets::from_iter([("GONE", "1"), ("OTHER", "1"), ("EQUAL", "1"), ("EMPTIED", "1")]);
        let second = Secrets::from_iter([("NEW", "1"), ("OTHER", "2"), ("EQUAL", "1"), ("EMPTIED", "")]);
        let difference = Difference::between(&first, &second);
        let names = |sign| difference.of(sign).map(|entry| entry.name).collect::<Vec<_>>();
        assert_eq!((names('-'), names('+'), names('~')), (vec!["GONE"], vec!["NEW"], vec!["EMPTIED", "OTHER"]));
        assert_eq!(difference.same, 1);
    }
}
