//! `xtrasec projects`: the projects that the token may see.

use clap::Args;
use serde_json::{Value, json};
use xtrasecurity::ErrorKind;
use xtrasecurity::xtra::manage::Project;

use crate::failure::{Failure, Outcome};
use crate::options::Global;
use crate::output;
use crate::session::open;
use crate::text;

/// Lists the projects that the token may see
///
/// One a line, with the id that --project and XTRA_PROJECT_ID take. A service account sees its own alone.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec projects\n  xtrasec projects --json | jq -r '.[].id'")]
pub(crate) struct Arguments {
    /// Print an array of objects: id, name, description, status
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    global.note_unused_environment("a project holds all of them");
    let projects = seen(&open(global)?.client).await?;
    let text = if arguments.json {
        text::json(&projects.iter().map(as_json).collect::<Value>())
    } else {
        text::table(projects.iter().map(|project| (project.id.as_str(), project.name.as_str())))
    };
    output::write(text.as_bytes())?;
    Ok(0)
}

/// The projects that the token may see.
pub(crate) async fn seen(client: &xtrasecurity::XtraClient) -> Result<Vec<Project>, Failure> {
    match client.list_projects().await {
        Ok(projects) => Ok(projects),
        // so the service answers to service accounts, which have one project
        Err(error) if error.kind() == ErrorKind::Forbidden && !error.is_foreign_refusal() => {
            match client.get_project().await {
                Ok(project) => Ok(vec![project]),
                Err(_) => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

fn as_json(project: &Project) -> Value {
    json!({
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "status": project.status,
    })
}
