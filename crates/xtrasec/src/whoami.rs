//! `xtrasec whoami`: whose token commands use.

use clap::Args;
use serde_json::{Value, json};
use xtrasecurity::xtra::manage::Caller;

use crate::failure::Outcome;
use crate::options::Global;
use crate::output;
use crate::session::open;
use crate::text::{self, printable};

/// Tells whose token is used
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec whoami\n  xtrasec whoami --profile work --json")]
pub(crate) struct Arguments {
    /// Print an object: kind (user or service account), id, name, and email, role and tier or permissions and project
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    global.note_unused_environment("a token is good for all of them");
    let caller = open(global)?.client.whoami().await?;
    let text = if arguments.json { text::json(&as_json(&caller)) } else { format!("{}\n", shown(&caller)) };
    output::write(text.as_bytes())?;
    Ok(0)
}

/// A person or a service account, as people call them.
pub(crate) fn shown(caller: &Caller) -> String {
    let text = match caller {
        Caller::User { id, name, email, .. } => match (name, email) {
            (Some(name), Some(email)) => format!("{name} <{email}>"),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => format!("the user {id}"),
        },
        Caller::ServiceAccount { id, name, project_id, .. } => {
            let name = name.as_ref().unwrap_or(id);
            let of = project_id.as_ref().map(|id| format!(" of the project {id}")).unwrap_or_default();
            format!("the service account {name}{of}")
        }
        other => other.id().to_owned(),
    };
    printable(&text)
}

fn as_json(caller: &Caller) -> Value {
    match caller {
        Caller::User { id, name, email, role, tier, .. } => {
            json!({ "kind": "user", "id": id, "name": name, "email": email, "role": role, "tier": tier })
        }
        Caller::ServiceAccount { id, name, permissions, project_id, .. } => json!({
            "kind": "service account", "id": id, "name": name, "permissions": permissions, "project": project_id,
        }),
        other => json!({ "kind": Value::Null, "id": other.id() }),
    }
}
