//! `xtrasec list`: the names of the secrets.

use clap::Args;
use serde_json::{Value, json};
use xtrasecurity::Secrets;

use crate::failure::Outcome;
use crate::options::Global;
use crate::output;
use crate::service::{Readable, with_session};
use crate::session::{Session, is_bare, why};
use crate::text;

/// Lists the names of the secrets
///
/// One name a line, in order. Secrets whose values cannot be read are listed too and marked.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec list -e production\n  xtrasec list --json | jq -r '.[].name'")]
pub(crate) struct Arguments {
    /// Print an array of objects: name, readable, and reason or (with --show) value
    #[arg(long)]
    json: bool,
    /// Write the values as well; in the table, control characters are escaped
    #[arg(long)]
    show: bool,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    with_session!(global, offline: false, |session| tell(session, arguments).await)
}

async fn tell<S: Readable>(session: &Session<S>, arguments: &Arguments) -> Outcome {
    let secrets = session.secrets().await?;
    if is_bare(&secrets) {
        output::note(&session.words.nothing_there(session.environment()?));
    }
    let text = if arguments.json { as_json(&secrets, arguments.show) } else { as_table(&secrets, arguments.show) };
    output::write(text.as_bytes())?;
    Ok(0)
}

fn as_table(secrets: &Secrets, show: bool) -> String {
    let mut rows: Vec<(&str, &str)> =
        secrets.iter().map(|(name, value)| (name, if show { value.expose() } else { "" })).collect();
    let marked: Vec<_> =
        secrets.unreadable().iter().map(|secret| (secret, format!("({})", why(secret.reason)))).collect();
    rows.extend(marked.iter().map(|(secret, mark)| (secret.name.as_str(), mark.as_str())));
    rows.sort_by(|one, other| one.0.cmp(other.0));
    text::table(rows)
}

fn as_json(secrets: &Secrets, show: bool) -> String {
    let readable = secrets.iter().map(|(name, value)| {
        if show {
            json!({ "name": name, "readable": true, "value": value.expose() })
        } else {
            json!({ "name": name, "readable": true })
        }
    });
    let hidden = secrets
        .unreadable()
        .iter()
        .map(|secret| json!({ "name": secret.name, "readable": false, "reason": why(secret.reason) }));
    let mut entries: Vec<Value> = readable.chain(hidden).collect();
    entries
        .sort_by(|one, other| one.get("name").and_then(Value::as_str).cmp(&other.get("name").and_then(Value::as_str)));
    text::json(&Value::Array(entries))
}
