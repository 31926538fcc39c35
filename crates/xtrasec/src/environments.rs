//! `xtrasec environments`: the environments of a project.

use clap::Args;
use serde_json::{Value, json};

use crate::failure::Outcome;
use crate::options::Global;
use crate::output;
use crate::session::open;
use crate::text;

/// Lists the environments that hold secrets
///
/// With each, the number of its secrets on all branches together. The service knows an environment by its secrets alone, so
/// one without any is not listed.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec environments\n  xtrasec environments --json | jq -r '.[].name'")]
pub(crate) struct Arguments {
    /// Print an array of objects: name, secrets
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    global.note_unused_environment("all of them are listed");
    let environments = open(global)?.client.list_environments().await?;
    if environments.is_empty() {
        output::note("the project holds no secrets, so it has no environments yet");
    }
    let text = if arguments.json {
        let list = environments.iter().map(|one| json!({ "name": one.name, "secrets": one.secret_count }));
        text::json(&list.collect::<Value>())
    } else {
        let counts: Vec<_> = environments.iter().map(|one| format!("{} secrets", one.secret_count)).collect();
        text::table(environments.iter().zip(&counts).map(|(one, count)| (one.name.as_str(), count.as_str())))
    };
    output::write(text.as_bytes())?;
    Ok(0)
}
