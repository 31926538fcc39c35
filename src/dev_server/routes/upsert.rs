//! `POST /projects/{projectId}/envs/{env}/secrets`: creates and updates many secrets, one after the other.

use axum::http::StatusCode;

use crate::dev_server::auth::{Session, session};
use crate::dev_server::js::{Json, Members, object};
use crate::dev_server::secret::BranchLink;
use crate::dev_server::seed::Role;
use crate::dev_server::state::{Crash, MAIN, Place, World, checked_id};
use crate::dev_server::wire::{Call, Reply};

pub(super) fn upsert(world: &mut World, call: &Call) -> Result<Reply, Crash> {
    let Some(caller) = session(world, call) else {
        return Ok(Reply::error(StatusCode::UNAUTHORIZED, "Unauthorized"));
    };
    let (project, environment) = (call.param("projectId"), call.param("env"));
    if let Some(message) = forbidden(world, &caller, project)? {
        return Ok(Reply::error(StatusCode::FORBIDDEN, message));
    }
    let body = call.json().ok_or(Crash)?;
    if body == Json::Null {
        return Err(Crash);
    }
    let mut secrets = entries(body.get("secrets").filter(|secrets| secrets.is_truthy()).unwrap_or(&body));
    // A secret named `branch` is taken for the branch.
    let named = secrets.get("branch").filter(|name| name.is_truthy()).cloned();
    let branch = named.or_else(|| body.get("branch").filter(|name| name.is_truthy()).cloned());
    let branch = match branch {
        Some(Json::Text(name)) => name,
        Some(_) => return Err(Crash),
        None => call.query("branch").unwrap_or(MAIN).to_owned(),
    };
    secrets.remove("branch");
    let Some(branch_id) = world.branch_named(project, &branch).map(|branch| branch.id.clone()) else {
        return Ok(Reply::error(StatusCode::NOT_FOUND, &format!("Branch '{branch}' not found")));
    };
    let conflicts = conflicts(world, project, environment, &secrets, body.get("expectedVersions"));
    if !conflicts.is_empty() {
        let body = object([("error", "Conflict detected".into()), ("conflicts", conflicts.into())]);
        return Ok(Reply::json(StatusCode::CONFLICT, &body));
    }
    let place = |key: &str| Place {
        project: project.to_owned(),
        environment: environment.to_owned(),
        branch: branch_id.clone(),
        key: key.to_owned(),
    };
    let mut count = 0_i64;
    for (key, value) in secrets.iter() {
        // Keys before a value that is no string stay written.
        world.write(place(key), branch == MAIN, value.text().ok_or(Crash)?, &caller.user_id())?;
        count += 1;
    }
    Ok(Reply::ok(&object([("success", true.into()), ("count", count.into())])))
}

fn forbidden(world: &World, caller: &Session, project: &str) -> Result<Option<&'static str>, Crash> {
    if let Session::Account { project: own, permissions, .. } = caller {
        let may_write = own == project && permissions.iter().any(|permission| permission == "write:secrets");
        return Ok((!may_write).then_some("Forbidden: Service Account lacks write:secrets permission."));
    }
    let may_write = caller.role(world, checked_id(project)?)?.is_some_and(|role| role > Role::Viewer);
    Ok((!may_write).then_some("Forbidden: Your role does not permit writing secrets."))
}

/// The members that the service iterates over: a list and a string have their indices for names.
fn entries(secrets: &Json) -> Members {
    let indexed = |items: Vec<Json>| {
        let mut members = Members::default();
        for (index, item) in items.into_iter().enumerate() {
            members.set(index.to_string(), item);
        }
        members
    };
    match secrets {
        Json::Object(members) => members.clone(),
        Json::List(items) => indexed(items.clone()),
        Json::Text(text) => indexed(text.chars().map(|letter| letter.to_string().into()).collect()),
        Json::Null | Json::Bool(_) | Json::Number(_) => Members::default(),
    }
}

/// The keys whose version is not the expected one. The service looks at the first secret with the key and the environment on
/// *any* branch, compares without converting, and shows the ciphertext.
fn conflicts(world: &World, project: &str, environment: &str, secrets: &Members, expected: Option<&Json>) -> Vec<Json> {
    let mut conflicts = Vec::new();
    for (key, _) in secrets.iter() {
        let Some(expected) = expected.and_then(|expected| expected.get(key)).filter(|version| version.is_truthy())
        else {
            continue;
        };
        let Some(secret) = world.secrets.first(project, environment, key) else {
            continue;
        };
        if expected.text() != Some(secret.version.as_str()) {
            conflicts.push(object([
                ("key", key.into()),
                ("expected", expected.clone()),
                ("actual", Json::from(&secret.version)),
                ("remoteValue", secret.stored_json()),
            ]));
        }
    }
    conflicts
}

impl World {
    /// Creates or updates one secret. On `main` a secret whose branch is null is the same one; a linked one is not.
    pub(in crate::dev_server) fn write(
        &mut self,
        place: Place,
        on_main: bool,
        value: &str,
        by: &str,
    ) -> Result<(), Crash> {
        let stored = self.vault.seal(value).ok_or(Crash)?;
        let now = self.now();
        let found = self.secrets.find_mut(&place.key, |secret| {
            let here = secret.branch.is(&place.branch) || (on_main && secret.branch == BranchLink::Null);
            here && secret.is_at(&place.project, &place.environment, &place.key)
        });
        match found {
            Some(secret) => secret.write(stored, now, by),
            None => self.insert_secret(place, stored, by),
        }
        Ok(())
    }
}
