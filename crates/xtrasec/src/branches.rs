//! `xtrasec branches`: the branches of a project.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use xtrasecurity::xtra::manage::{Branch, BranchComparison, SecretPlace};

use crate::confirm::Confirm;
use crate::failure::Outcome;
use crate::options::Global;
use crate::output;
use crate::session::{not_done, open};
use crate::text::{self, printable};

/// Lists branches, and makes, renames, deletes and compares them
///
/// Without anything else, the branches are listed with the number of their secrets in all environments.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec branches\n  xtrasec branches create feature/new-ui\n  \
    xtrasec branches compare main feature/new-ui\n  xtrasec branches delete feature/new-ui --yes")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Lists the branches
    List {
        /// Print an array of objects: name, secrets, description, created_at
        #[arg(long)]
        json: bool,
    },
    /// Makes an empty branch
    Create {
        /// Its name
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        name: String,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// Gives a branch another name; programs that read it by the old one then find nothing
    Rename {
        /// The branch
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        name: String,
        /// Its new name
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        new_name: String,
        #[command(flatten)]
        confirm: Confirm,
    },
    /// Deletes a branch with all its secrets, in every environment
    Delete {
        /// The branch
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        name: String,
        #[command(flatten)]
        confirm: Confirm,
    },
    /// Compares two branches in every environment: names only
    Compare {
        /// A branch
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        first: String,
        /// The one to compare it with
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        second: String,
        /// End with status 1 when there is a difference
        #[arg(long)]
        exit_code: bool,
    },
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    global.note_unused_environment("a branch holds secrets of every environment");
    let client = open(global)?.client;
    let failed = |error| not_done(&client, error);
    let (text, status) = match &arguments.action {
        None => (table(&client.list_branches().await?), 0),
        Some(Action::List { json: false }) => (table(&client.list_branches().await?), 0),
        Some(Action::List { json: true }) => (as_json(&client.list_branches().await?), 0),
        Some(Action::Create { name, description }) => {
            let request = client.create_branch(name);
            let request = match description {
                Some(text) => request.description(text),
                None => request,
            };
            let made = request.await.map_err(failed)?;
            (format!("created the branch {}\n", printable(&made.name)), 0)
        }
        Some(Action::Rename { name, new_name, confirm }) => {
            let (old, new) = (printable(name), printable(new_name));
            let question = format!("This renames the branch {old}: whoever reads it by that name finds nothing then.");
            confirm.ask(&question, None)?;
            client.rename_branch(name, new_name).confirm_production().await.map_err(failed)?;
            (format!("the branch {old} is {new} now\n"), 0)
        }
        Some(Action::Delete { name, confirm }) => {
            let shown = printable(name);
            let question = format!("This deletes the branch {shown} with its secrets of every environment.");
            confirm.ask(&question, Some(name))?;
            client.delete_branch(name).confirm_production().await.map_err(failed)?;
            (format!("deleted the branch {shown} and its secrets\n"), 0)
        }
        Some(Action::Compare { first, second, exit_code }) => {
            let difference = client.compare_branches(first, second).await.map_err(failed)?;
            let differs = *exit_code && !difference.is_empty();
            (as_lines(&difference, first, second), u8::from(differs))
        }
    };
    match &arguments.action {
        Some(Action::Create { .. } | Action::Rename { .. } | Action::Delete { .. }) => output::done(&text)?,
        _ => output::write(text.as_bytes())?,
    }
    Ok(status)
}

fn table(branches: &[Branch]) -> String {
    let about = |branch: &Branch| {
        let count = branch.secret_count.map(|count| format!("{count} secrets"));
        let description = branch.description.clone().filter(|text| !text.is_empty());
        [count, description].into_iter().flatten().collect::<Vec<_>>().join("  ")
    };
    let rows: Vec<_> = branches.iter().map(|branch| (branch.name.as_str(), about(branch))).collect();
    text::table(rows.iter().map(|(name, about)| (*name, about.as_str())))
}

fn as_json(branches: &[Branch]) -> String {
    let list = branches.iter().map(|branch| {
        json!({
            "name": branch.name,
            "secrets": branch.secret_count,
            "description": branch.description,
            "created_at": branch.created_at.map(|moment| moment.to_string()),
        })
    });
    text::json(&list.collect::<Value>())
}

fn as_lines(difference: &BranchComparison, first: &str, second: &str) -> String {
    let BranchComparison { removed, added, changed, .. } = difference;
    let mut text = String::new();
    for (sign, places) in [('-', removed), ('+', added), ('~', changed)] {
        let line =
            |place: &SecretPlace| format!("{sign} {}\n", printable(&format!("{} {}", place.environment, place.name)));
        text.extend(places.iter().map(line));
    }
    let [removed, added, changed] = [removed, added, changed].map(Vec::len);
    let (first, second) = (printable(first), printable(second));
    text.push_str(&format!("{first} -> {second}: {removed} removed, {added} added, {changed} changed\n"));
    text
}
