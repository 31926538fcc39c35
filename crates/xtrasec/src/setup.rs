//! `xtrasec setup`: the file `.xtrarc`, which says what commands and programs use in a directory.

use std::fs;
use std::path::Path;

use clap::Args;
use serde_json::{Map, Value, json};
use xtrasecurity::XtraClient;
use xtrasecurity::xtra::manage::{Environment, Project};

use crate::confirm::{Confirm, can_ask};
use crate::failure::{Failure, Outcome};
use crate::file::{self, Existing};
use crate::options::{Global, full_environment_name};
use crate::output;
use crate::password_prompt;
use crate::projects;
use crate::session::{builder, open};
use crate::text::{self, printable, quoted};

/// The file.
const NAME: &str = ".xtrarc";
/// As much as the library takes.
const MOST: usize = 4 << 20;
const NOTHING_DONE: &str = "Nothing was written";

/// Writes .xtrarc: the project and environment that are used here
///
/// The file goes into the working directory. Commands and programs that use the library find it there and, in a repository,
/// in the directories below; the nearest one counts alone. It holds no secret and may be committed. What
/// neither --project, --env and --branch nor their variables give is asked for on a terminal. The service is asked whether the project is there.
#[derive(Args)]
#[command(
    after_long_help = "The file is a JSON object of texts: project, env, branch, apiUrl. Others are left alone. \
    apiUrl is written when --api-url was given; it cannot send a token to a service that the token's owner has not named.\n\n\
    Examples:\n  xtrasec setup\n  xtrasec setup --project 665f1c2ab7c0de0012345678 --env development"
)]
pub(crate) struct Arguments {
    /// Print an object: file, project, env, branch
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    confirm: Confirm,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let path = Path::new(NAME);
    // Before somebody types in vain.
    let mut members = existing(path)?;
    let replaced = format!("{NAME} is there. This replaces what it says of project, environment and branch.");
    if !members.is_empty() {
        arguments.confirm.check(&replaced)?;
    }
    let client = open(global)?.client;
    let project = project(global, &client).await?;
    let environment = environment(global, &client, &project).await?;
    if !members.is_empty() {
        arguments.confirm.ask(&replaced, None)?;
    }
    let branch = global.branch.as_deref().or(global.variables.branch.as_deref());
    let mut put = |name: &str, value: Option<&str>| match value {
        Some(value) => drop(members.insert(name.to_owned(), value.into())),
        None => drop(members.remove(name)),
    };
    put("project", Some(&project.id));
    put("env", environment.as_deref());
    put("branch", branch);
    if global.api_url.is_some() {
        put("apiUrl", global.api_url.as_deref());
    }
    write(path, &members)?;
    let text = if arguments.json {
        text::json(&json!({ "file": NAME, "project": project.id, "env": environment, "branch": branch }))
    } else {
        let place = environment.map(|name| format!(", {name}")).unwrap_or_default();
        format!("wrote {NAME}: {}\n", printable(&format!("{} ({}){place}", project.name, project.id)))
    };
    output::done(&text)?;
    Ok(0)
}

/// What the file says already; nothing when there is none.
fn existing(path: &Path) -> Result<Map<String, Value>, Failure> {
    file::may_be_written(path, Existing::Replace)?;
    if !path.exists() {
        return Ok(Map::new());
    }
    let content = file::read(path, MOST)?;
    let json = content.expose().strip_prefix('\u{feff}').unwrap_or(content.expose());
    serde_json::from_str(json).map_err(|_| {
        Failure::refused(format!("{NAME} is there and is no JSON object. Correct it, or move it away")).so(NOTHING_DONE)
    })
}

/// Everybody who works here reads it.
fn write(path: &Path, members: &Map<String, Value>) -> Result<(), Failure> {
    let cannot = || Failure::refused(format!("{NAME} cannot be put together"));
    let mut text = serde_json::to_vec_pretty(members).map_err(|_| cannot())?;
    text.push(b'\n');
    file::write(path, &text, Existing::Replace)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o644))
            .map_err(|error| Failure::io(format!("{NAME} cannot be made readable"), &error))?;
    }
    Ok(())
}

async fn project(global: &Global, client: &XtraClient) -> Result<Project, Failure> {
    let nothing = |failure: Failure| failure.so(NOTHING_DONE);
    let configuration = builder(global).explain();
    let is_named = configuration.get("project").is_some_and(|setting| setting.origin() == "XTRA_PROJECT_ID");
    if global.project.is_some() || is_named {
        return client.get_project().await.map_err(|error| nothing(error.into()));
    }
    let mut projects = projects::seen(client).await.map_err(nothing)?;
    if projects.len() == 1 {
        return Ok(projects.remove(0));
    }
    if projects.is_empty() {
        return Err(Failure::refused("the token may see no project").so(NOTHING_DONE));
    }
    if !can_ask() {
        return Err(Failure::usage(format!(
            "{} projects can be chosen from, and nobody can be asked here: add --project ID. `xtrasec projects` lists them",
            projects.len()
        )));
    }
    let rows = projects.iter().map(|project| (project.id.as_str(), project.name.as_str()));
    output::write(text::table(rows).as_bytes())?;
    let words: Vec<&str> = projects.iter().flat_map(|project| [project.id.as_str(), project.name.as_str()]).collect();
    let typed = password_prompt::ask_for(&words, "Which project, by its id or name?")?;
    let is_meant = |project: &Project| project.id == typed || project.name == typed;
    let mut meant = projects.into_iter().filter(is_meant);
    match (meant.next(), meant.next()) {
        (Some(project), None) => Ok(project),
        (Some(_), Some(_)) => Err(Failure::refused("several projects have that name: give the id").so(NOTHING_DONE)),
        _ => Err(Failure::refused("no project has that id or name").so(NOTHING_DONE)),
    }
}

/// The environment that was given or is chosen; none is fine: each command then names its own.
async fn environment(global: &Global, client: &XtraClient, project: &Project) -> Result<Option<String>, Failure> {
    let given = global.env.as_ref().or(global.variables.environment.as_ref());
    if given.is_none() && !can_ask() {
        return Ok(None);
    }
    let known = client.list_environments().project_id(project.id.as_str()).await;
    let known = known.map_err(|error| Failure::from(error).so(NOTHING_DONE))?;
    let name = match given {
        Some(name) => name.clone(),
        None => chosen(&known)?,
    };
    let name = full_environment_name(&name);
    let is_it = |environment: &Environment| environment.name.eq_ignore_ascii_case(name);
    if !name.is_empty() && !known.iter().any(is_it) {
        output::note(&format!("the project has no secrets in {} yet", printable(name)));
    }
    Ok((!name.is_empty()).then(|| name.to_owned()))
}

/// The one of these that somebody types. What is typed goes into a file that others read, so it must be one of them.
fn chosen(known: &[Environment]) -> Result<String, Failure> {
    let names: Vec<&str> = known.iter().map(|environment| environment.name.as_str()).collect();
    if names.is_empty() {
        output::note("the project has no environments yet. Name one with --env NAME");
        return Ok(String::new());
    }
    let question = format!("Which environment (there are {}; none if left empty)?", quoted(names.iter().copied()));
    let words = [&names[..], &["dev", "stg", "prod"]].concat();
    let typed = password_prompt::ask_for(&words, &question)?;
    let name = full_environment_name(&typed);
    match typed.is_empty() || names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        true => Ok(typed),
        false => {
            Err(Failure::refused("the project has no such environment. Name a new one with --env NAME")
                .so(NOTHING_DONE))
        }
    }
}
