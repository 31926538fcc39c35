//! `POST /projects/{projectId}/envs/{env}/secrets`: creates and updates many secrets, one after the other.

use axum::http::StatusCode;

use super::answers::{Outcome, Steps, caller, not_found, refused, uncaught};
use crate::services::xtra::dev::auth::Session;
use crate::services::xtra::dev::database::{Answering, Database};
use crate::services::xtra::dev::js::{Json, Members, inherited, object};
use crate::services::xtra::dev::secret::{BY_CLI, BranchLink, Entry, Secret, Seen};
use crate::services::xtra::dev::seed::Role;
use crate::services::xtra::dev::state::{Crash, MAIN, Place, World, checked_id};
use crate::services::xtra::dev::wire::{Call, Reply};

pub(super) fn upsert<'a>(database: &'a Database, call: &'a Call) -> Answering<'a, Outcome> {
    Box::pin(async move { uncaught(upserted(database, call).await) })
}

async fn upserted(database: &Database, call: &Call) -> Steps {
    let caller = database.look(|world| caller(world, call)).await?;
    let (project, environment) = (call.param("projectId"), call.param("env"));
    if let Some(message) = database.look(|world| forbidden(world, &caller, project)).await? {
        return Err(refused(StatusCode::FORBIDDEN, message));
    }
    let asked = Asked::of(call)?;
    let named = |world: &World| world.branch_named(project, &asked.branch).map(|branch| branch.id.clone());
    let Some(branch) = database.look(named).await else {
        return Err(not_found(&format!("Branch '{}' not found", asked.branch)));
    };
    let mut conflicts = Vec::new();
    for (key, _) in asked.secrets.iter() {
        if let Some(expected) = asked.expected(key) {
            conflicts.extend(database.look(|world| conflict(world, project, environment, key, &expected)).await);
        }
    }
    if !conflicts.is_empty() {
        let body = object([("error", "Conflict detected".into()), ("conflicts", conflicts.into())]);
        return Err(Reply::json(StatusCode::CONFLICT, &body).into());
    }
    let by = caller.user_id();
    let mut count = 0_i64;
    for (key, value) in asked.secrets.iter() {
        // Keys before a value that is no string stay written.
        let value = value.text().ok_or(Crash)?;
        let (project, environment, branch) = (project.to_owned(), environment.to_owned(), branch.clone());
        let place = Place { project, environment, branch, key: key.to_owned() };
        let seen = database.look(|world| world.row_to_write(&place, asked.branch == MAIN)).await;
        let written = database.change(|world| world.write_row(place, seen, value, &by)).await?;
        count += i64::from(written);
    }
    Ok(Reply::ok(&object([("success", true.into()), ("count", count.into())])))
}

/// What the body asks for.
struct Asked {
    secrets: Members,
    branch: String,
    versions: Option<Json>,
}

impl Asked {
    fn of(call: &Call) -> Result<Self, Crash> {
        let body = call.json().ok_or(Crash)?;
        if body == Json::Null {
            return Err(Crash);
        }
        let mut secrets = entries(body.get("secrets").filter(|secrets| secrets.is_truthy()).unwrap_or(&body));
        // A secret named `branch` is taken for the branch.
        let named = secrets.get("branch").filter(|name| name.is_truthy()).cloned();
        let branch = match named.or_else(|| body.get("branch").filter(|name| name.is_truthy()).cloned()) {
            Some(Json::Text(name)) => name,
            Some(_) => return Err(Crash),
            None => call.query("branch").unwrap_or(MAIN).to_owned(),
        };
        secrets.remove("branch");
        Ok(Asked { secrets, branch, versions: body.get("expectedVersions").cloned() })
    }

    /// The version that a key is expected to have. A key that the request says nothing about, but that every object in
    /// JavaScript has a member for, is expected to have the text of that member for a version, which no secret has.
    fn expected(&self, key: &str) -> Option<Json> {
        let said = self.versions.as_ref().and_then(|versions| versions.get(key)).cloned();
        said.or_else(|| inherited(key).map(Json::Text)).filter(Json::is_truthy)
    }
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

/// What a key whose version is not the expected one gives. The service looks at the first secret with the key and the
/// environment on *any* branch, compares without converting, and shows the ciphertext.
fn conflict(world: &World, project: &str, environment: &str, key: &str, expected: &Json) -> Option<Json> {
    let secret = world.secrets.first(project, environment, key)?;
    let conflict = || {
        object([
            ("key", key.into()),
            ("expected", expected.clone()),
            ("actual", Json::from(&secret.version)),
            ("remoteValue", secret.stored_json()),
        ])
    };
    (expected.text() != Some(secret.version.as_str())).then(conflict)
}

impl World {
    /// Creates or updates one secret at once.
    pub(in crate::services::xtra::dev) fn write(
        &mut self,
        place: Place,
        on_main: bool,
        value: &str,
        by: &str,
    ) -> Result<(), Crash> {
        let seen = self.row_to_write(&place, on_main);
        self.write_row(place, seen, value, by).map(|_| ())
    }

    /// The row that a write updates: the first one. On `main` a secret whose branch is null is the same one; a linked one is
    /// not.
    fn row_to_write(&self, place: &Place, on_main: bool) -> Option<Seen> {
        let mut rows = self.secrets.with_key(&place.key);
        let found = rows.find(|secret| {
            let here = secret.branch.is(&place.branch) || (on_main && secret.branch == BranchLink::Null);
            here && secret.is_at(&place.project, &place.environment, &place.key)
        });
        found.map(Secret::seen)
    }

    /// Updates the row that was seen, or creates one. An update of a row that has gone since fails in silence: false.
    fn write_row(&mut self, place: Place, seen: Option<Seen>, value: &str, by: &str) -> Result<bool, Crash> {
        let stored = self.vault.seal(value).ok_or(Crash)?;
        let now = self.now();
        let Some(mut seen) = seen else {
            self.insert_secret(place, stored, by);
            return Ok(true);
        };
        let version = seen.next_version("2");
        let Some(secret) = self.secrets.by_id_mut(&seen.id) else {
            return Ok(false);
        };
        seen.history.push(Entry::by_cli(&version, &stored, (now, by), BY_CLI));
        secret.overwrite(version, seen.history, stored, (now, by));
        Ok(true)
    }
}
