//! `xtrasec history`: the versions of a secret.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::{Value, json};
use xtrasecurity::xtra::write::{History, HistoryEntry, NoValue};

use crate::failure::Outcome;
use crate::options::Global;
use crate::output;
use crate::session::Target;
use crate::session::why;
use crate::text;

/// Lists the versions of a secret
///
/// The newest first: the version, when it was written and by whom. The service does not record all of that for every version.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec history API_KEY -e staging\n  \
    xtrasec history API_KEY --json | jq -r '.entries[].version'")]
pub(crate) struct Arguments {
    /// The secret's name
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// Write the values as well; in the table, control characters are escaped
    #[arg(long)]
    show: bool,
    /// Print an object: current, and the array entries
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let target = Target::open(global)?;
    let history = target
        .client
        .secret_history(target.environment.as_str(), arguments.name.as_str())
        .await
        .map_err(|error| target.not_done(error))?;
    let text = if arguments.json { as_json(&history, arguments.show) } else { as_table(&history, arguments.show) };
    output::write(text.as_bytes())?;
    Ok(0)
}

fn as_table(history: &History, show: bool) -> String {
    let current = &history.current_version;
    let mut rows = Vec::new();
    if !history.entries.iter().any(|entry| entry.version == *current) {
        rows.push((format!("{current} (current)"), "not recorded".to_owned()));
    }
    for entry in &history.entries {
        let mark = if entry.version == *current { " (current)" } else { "" };
        rows.push((format!("{}{mark}", entry.version), about(entry, show)));
    }
    text::table(rows.iter().map(|(version, about)| (version.as_str(), about.as_str())))
}

fn about(entry: &HistoryEntry, show: bool) -> String {
    let by = entry.updated_by.as_ref().map(|who| format!("by {who}"));
    let value = match (&entry.value, entry.no_value) {
        (Some(value), _) if show => Some(value.expose().to_owned()),
        (None, Some(reason)) => Some(format!("({})", why_none(reason))),
        _ => None,
    };
    [entry.updated_at.map(|moment| moment.to_string()), by, entry.description.clone(), value]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("  ")
}

fn as_json(history: &History, show: bool) -> String {
    let entries = history.entries.iter().map(|entry| {
        let mut object = json!({
            "version": entry.version,
            "updated_at": entry.updated_at.map(|moment| moment.to_string()),
            "updated_by": entry.updated_by,
            "description": entry.description,
            "no_value": entry.no_value.map(why_none),
        });
        if let (true, Some(value), Some(members)) = (show, &entry.value, object.as_object_mut()) {
            members.insert("value".to_owned(), Value::from(value.expose()));
        }
        object
    });
    text::json(&json!({ "current": history.current_version, "entries": entries.collect::<Value>() }))
}

fn why_none(reason: NoValue) -> &'static str {
    match reason {
        NoValue::Unchanged => "the value did not change",
        NoValue::NotRecorded => "no value was recorded",
        NoValue::Unreadable(reason) => why(reason),
        _ => "there is no value",
    }
}
