//! `/projects/{projectId}/envs/clone`: the secrets of one environment into another.

use super::answers::{Outcome, Steps, Stop, bad, body, caller, gone, not_found, with_stack};
use crate::services::xtra::dev::database::{Answering, Database};
use crate::services::xtra::dev::js::{Json, object};
use crate::services::xtra::dev::secret::{Entry, Secret, Seen};
use crate::services::xtra::dev::state::{Crash, MAIN, Place, World, checked_id};
use crate::services::xtra::dev::wire::{Call, Reply};

pub(super) fn clone<'a>(database: &'a Database, call: &'a Call) -> Answering<'a, Outcome> {
    Box::pin(async move { with_stack(cloned(database, call).await) })
}

/// An environment's name as it is stored by this route.
fn environment(body: &Json, name: &str) -> Result<Option<String>, Crash> {
    match body.get(name).filter(|name| name.is_truthy()) {
        None => Ok(None),
        Some(name) => Ok(Some(name.text().ok_or(Crash)?.to_lowercase())),
    }
}

async fn cloned(database: &Database, call: &Call) -> Steps {
    let Copying { user, project, branch, to, overwrites, sources } = database.look(|world| asked(world, call)).await?;
    let (mut copied, mut updated, mut skipped) = (0_i64, 0_i64, 0_i64);
    for source in sources {
        let (project, environment, branch) = (project.clone(), to.clone(), branch.clone());
        let place = Place { project, environment, branch, key: source.key.clone() };
        let known = database.look(|world| world.secrets.first_on(&place).map(Secret::seen)).await;
        match known {
            None => copied += database.change(|world| copy(world, place, source, &user)).await,
            Some(seen) if overwrites => {
                updated += database.change(|world| overwrite(world, seen, source, &user)).await?
            }
            Some(_) => skipped += 1,
        }
    }
    let summary = object([("copied", copied.into()), ("updated", updated.into()), ("skipped", skipped.into())]);
    Ok(Reply::ok(&object([("success", true.into()), ("summary", summary)])))
}

/// What a request asks for, and what there is to copy.
struct Copying {
    user: String,
    project: String,
    branch: String,
    to: String,
    overwrites: bool,
    sources: Vec<Source>,
}

fn asked(world: &World, call: &Call) -> Result<Copying, Stop> {
    let caller = caller(world, call)?;
    let body = body(call)?;
    let (Some(from), Some(to)) = (environment(&body, "fromEnv")?, environment(&body, "toEnv")?) else {
        return Err(bad("Source and destination environments required"));
    };
    if from == to {
        return Err(bad("Cannot clone to same environment"));
    }
    let project = checked_id(call.param("projectId"))?;
    let user = caller.database_id()?;
    // To everybody but its creator the project does not exist.
    let found = world.project(project).filter(|project| project.owner == user);
    found.ok_or_else(|| not_found("Project not found"))?;
    let name = body.text_of("branch").unwrap_or(MAIN);
    let branch = world.branch_named(project, name).map(|branch| branch.id.clone());
    let branch = branch.ok_or_else(|| not_found(&format!("Branch '{name}' not found")))?;
    let sources = world.secrets.iter().filter(|secret| secret.project == project && secret.environment == from);
    let sources = sources.filter(|secret| secret.branch.is(&branch)).map(Source::of).collect();
    let overwrites = body.get("overwrite").is_some_and(Json::is_truthy);
    Ok(Copying { user: user.to_owned(), project: project.to_owned(), branch, to, overwrites, sources })
}

/// What is taken from a secret. A linked one has no value to take.
struct Source {
    key: String,
    stored: Option<String>,
    kind: String,
    from: String,
}

impl Source {
    fn of(secret: &Secret) -> Self {
        Source {
            key: secret.key.clone(),
            stored: secret.stored.clone(),
            kind: secret.kind.clone(),
            from: secret.environment.clone(),
        }
    }
}

impl Source {
    fn description(&self) -> String {
        format!("Cloned from {}", self.from)
    }
}

fn copy(world: &mut World, place: Place, source: Source, by: &str) -> i64 {
    let (id, now) = (world.new_id(), world.now());
    let mut secret = Secret::new(id, place, now, by);
    let stored = source.stored.as_deref().unwrap_or_default();
    let description = source.description();
    secret.history.push(Entry::by_cli("1", stored, (now, by), &description));
    secret.stored = source.stored;
    secret.kind = source.kind;
    secret.description = description;
    world.secrets.push(secret);
    1
}

fn overwrite(world: &mut World, mut seen: Seen, source: Source, by: &str) -> Result<i64, Stop> {
    let now = world.now();
    let secret = world.secrets.by_id_mut(&seen.id).ok_or_else(gone)?;
    let description = source.description();
    let stored = source.stored.unwrap_or_default();
    let version = seen.next_version("2");
    seen.history.insert(0, Entry::by_cli(&version, &stored, (now, by), &description));
    secret.overwrite(version, seen.history, stored, (now, by));
    Ok(1)
}
