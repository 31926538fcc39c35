//! `/projects/{projectId}/envs/clone`: the secrets of one environment into another.

use super::answers::{Outcome, Steps, bad, body, caller, not_found, with_stack};
use crate::dev_server::js::{Json, object};
use crate::dev_server::secret::{Entry, Secret};
use crate::dev_server::state::{Crash, MAIN, Place, World, checked_id};
use crate::dev_server::wire::{Call, Reply};

pub(super) fn clone(world: &mut World, call: &Call) -> Outcome {
    with_stack(cloned(world, call))
}

/// An environment's name as it is stored by this route.
fn environment(body: &Json, name: &str) -> Result<Option<String>, Crash> {
    match body.get(name).filter(|name| name.is_truthy()) {
        None => Ok(None),
        Some(name) => Ok(Some(name.text().ok_or(Crash)?.to_lowercase())),
    }
}

fn cloned(world: &mut World, call: &Call) -> Steps {
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
    let overwrites = body.get("overwrite").is_some_and(Json::is_truthy);
    let sources = world.secrets.iter().filter(|secret| secret.project == project && secret.environment == from);
    let sources: Vec<Source> = sources.filter(|secret| secret.branch.is(&branch)).map(Source::of).collect();
    let (mut copied, mut updated, mut skipped) = (0_i64, 0_i64, 0_i64);
    for source in sources {
        let place = Place {
            project: project.to_owned(),
            environment: to.clone(),
            branch: branch.clone(),
            key: source.key.clone(),
        };
        let known = world.secrets.first_on(&place).map(|secret| secret.id.clone());
        match known {
            None => copied += copy(world, place, source, user),
            Some(id) if overwrites => updated += overwrite(world, &id, source, user),
            Some(_) => skipped += 1,
        }
    }
    let summary = object([("copied", copied.into()), ("updated", updated.into()), ("skipped", skipped.into())]);
    Ok(Reply::ok(&object([("success", true.into()), ("summary", summary)])))
}

/// What is taken from a secret. A linked one has no value to take.
struct Source {
    key: String,
    stored: Option<String>,
    kind: String,
    description: String,
    from: String,
}

impl Source {
    fn of(secret: &Secret) -> Self {
        Source {
            key: secret.key.clone(),
            stored: secret.stored.clone(),
            kind: secret.kind.clone(),
            description: secret.description.clone(),
            from: secret.environment.clone(),
        }
    }
}

fn copy(world: &mut World, place: Place, source: Source, by: &str) -> i64 {
    let (id, now) = (world.new_id(), world.now());
    let mut secret = Secret::new(id, place, now, by);
    let stored = source.stored.as_deref().unwrap_or_default();
    secret.history.push(Entry::by_cli("1", stored, (now, by), &format!("Cloned from {}", source.from)));
    secret.stored = source.stored;
    secret.kind = source.kind;
    secret.description = source.description;
    world.secrets.push(secret);
    1
}

fn overwrite(world: &mut World, id: &str, source: Source, by: &str) -> i64 {
    let now = world.now();
    let Some(secret) = world.secrets.by_id_mut(id) else {
        return 0;
    };
    let stored = source.stored.unwrap_or_default();
    secret.version = secret.next_version().unwrap_or_else(|| "2".to_owned());
    let description = format!("Cloned from {}", source.from);
    secret.history.insert(0, Entry::by_cli(&secret.version, &stored, (now, by), &description));
    secret.replace(stored, now, by);
    1
}
