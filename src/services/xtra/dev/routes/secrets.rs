//! The secrets of an environment: `/projects/{projectId}/envs/{env}/secrets` and the copy of an environment.

use futures_util::future::BoxFuture;
use hyper::http::{HeaderName, StatusCode};

use super::Connection;
use super::answers::{HandlerResult, Outcome, Stop, bad, body, caller, gone, not_found, refused, uncaught, with_stack};
use crate::dev::javascript::{Json, Members, inherited, object};
use crate::dev::{Call, HandlerPanic, Reply, routes};
use crate::services::xtra::dev::auth::{Session, session};
use crate::services::xtra::dev::database::{Database, MAIN, checked_id};
use crate::services::xtra::dev::secret::{BY_CLI, BranchLink, Entry, Secret, SecretLocation, Seen};
use crate::services::xtra::dev::seed::Role;

routes! {
    for Database;

    /// Reads all values of an environment.
    GET "/projects/{projectId}/envs/{env}/secrets" as SECRETS_READ => at_once(read).guarded();
    /// Creates and updates secrets.
    POST "/projects/{projectId}/envs/{env}/secrets" as SECRETS_UPSERT => in_steps(upsert).guarded();
    /// Copies the secrets of one environment into another.
    POST "/projects/{projectId}/envs/clone" as ENVIRONMENTS_CLONE => in_steps(clone);
}

const MASK: &str = "***";

/// The access of a caller who reads.
pub(super) enum Access {
    /// `masked` for viewers, and for those who have no role but an approved request.
    Granted {
        masked: bool,
    },
    NeedsElevation,
    Denied,
}

pub(super) fn read(database: &mut Database, call: &Call) -> Result<Reply, HandlerPanic> {
    let Some(caller) = session(database, call) else {
        return Ok(Reply::error(StatusCode::UNAUTHORIZED, "Unauthorized"));
    };
    let project = call.param("projectId");
    let masked = match access(database, &caller, project)? {
        Access::Granted { masked } => masked,
        Access::Denied => return Ok(Reply::error(StatusCode::FORBIDDEN, "Access Denied")),
        Access::NeedsElevation => return Ok(elevation_required()),
    };
    // A branch that does not exist is an empty answer that does not even say that it is masked.
    let Some(branch) = database.branch_named(project, call.query("branch").unwrap_or(MAIN)) else {
        return Ok(Reply::ok(&Members::default().into()));
    };
    let only = narrowed_to(database, &caller, project);
    let with_versions = call.query("includeVersions") == Some("true");
    let mut answer = Members::default();
    for secret in database.in_scope(project, call.param("env"), branch) {
        if only.as_ref().is_some_and(|ids| !ids.contains(&secret.id)) {
            continue;
        }
        // What JavaScript is told to put under this name is no member.
        if secret.key == "__proto__" {
            continue;
        }
        let Some(value) = database.plaintext(secret) else {
            continue;
        };
        let value = if masked { MASK.to_owned() } else { value };
        answer.set(&secret.key, if with_versions { versioned(secret, value) } else { value.into() });
    }
    let reply = Reply::ok(&answer.into());
    Ok(if masked && !with_versions { mask_headers(reply) } else { reply })
}

pub(super) fn access(database: &Database, caller: &Session, project: &str) -> Result<Access, HandlerPanic> {
    let role = caller.role(database, project)?;
    let Session::User { id, .. } = caller else {
        // A service account reads its own project whatever its permissions; the database is not asked for another.
        return Ok(role.map_or(Access::Denied, |_| Access::Granted { masked: false }));
    };
    checked_id(project)?;
    if let Some(role) = role {
        return Ok(Access::Granted { masked: role == Role::Viewer });
    }
    if database.valid_requests(id).any(|request| request.project.as_deref() == Some(project)) {
        return Ok(Access::Granted { masked: true });
    }
    let needs_elevation = database.elevations.iter().any(|known| known.user == *id && known.project == project);
    Ok(if needs_elevation { Access::NeedsElevation } else { Access::Denied })
}

pub(super) fn elevation_required() -> Reply {
    let body = object([("error", "JIT Elevation Required".into()), ("action", "request_jit".into())]);
    Reply::json(StatusCode::FORBIDDEN, &body)
}

/// The only secrets that a caller sees, when an approved request for some of them narrows the answer: it does so even for
/// an owner, and only the first such request counts.
fn narrowed_to<'a>(database: &'a Database, caller: &'a Session, project: &'a str) -> Option<&'a Vec<String>> {
    let Session::User { id, .. } = caller else {
        return None;
    };
    let mut requests = database.valid_requests(id).filter(|request| request.project.as_deref() == Some(project));
    requests.find(|request| !request.secrets.is_empty()).map(|request| &request.secrets)
}

fn versioned(secret: &Secret, value: String) -> Json {
    let linked = secret.is_linked();
    object([
        ("value", value.into()),
        ("version", Json::from(&secret.version)),
        ("isReference", linked.into()),
        ("source", if linked { "linked" } else { "local" }.into()),
    ])
}

fn mask_headers(reply: Reply) -> Reply {
    reply
        .with(HeaderName::from_static("x-values-masked"), "true")
        .with(HeaderName::from_static("x-mask-reason"), "viewer-role")
}

pub(super) fn upsert<'a>(connection: &'a Connection, call: &'a Call) -> BoxFuture<'a, Outcome> {
    Box::pin(async move { uncaught(upserted(connection, call).await) })
}

async fn upserted(connection: &Connection, call: &Call) -> HandlerResult {
    let caller = connection.read(|database| caller(database, call)).await?;
    let (project, environment) = (call.param("projectId"), call.param("env"));
    if let Some(message) = connection.read(|database| refusal_to_write(database, &caller, project)).await? {
        return Err(refused(StatusCode::FORBIDDEN, message));
    }
    let asked = Asked::of(call)?;
    let named = |database: &Database| database.branch_named(project, &asked.branch).map(|branch| branch.id.clone());
    let Some(branch) = connection.read(named).await else {
        return Err(not_found(&format!("Branch '{}' not found", asked.branch)));
    };
    let mut conflicts = Vec::new();
    for (key, _) in asked.secrets.iter() {
        if let Some(expected) = asked.expected(key) {
            conflicts
                .extend(connection.read(|database| conflict(database, project, environment, key, &expected)).await);
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
        let value = value.text().ok_or(HandlerPanic)?;
        let (project, environment, branch) = (project.to_owned(), environment.to_owned(), branch.clone());
        let location = SecretLocation { project, environment, branch, key: key.to_owned() };
        let seen = connection.read(|database| database.row_to_write(&location, asked.branch == MAIN)).await;
        let written = connection.write(|database| database.write_row(location, seen, value, &by)).await?;
        count += i64::from(written);
    }
    Ok(Reply::ok(&object([("success", true.into()), ("count", count.into())])))
}

/// The wishes of a body.
struct Asked {
    secrets: Members,
    branch: String,
    versions: Option<Json>,
}

impl Asked {
    fn of(call: &Call) -> Result<Self, HandlerPanic> {
        let body = call.json().ok_or(HandlerPanic)?;
        if body == Json::Null {
            return Err(HandlerPanic);
        }
        let mut secrets = entries(body.get("secrets").filter(|secrets| secrets.is_truthy()).unwrap_or(&body));
        // A secret named `branch` is taken for the branch.
        let named = secrets.get("branch").filter(|name| name.is_truthy()).cloned();
        let branch = match named.or_else(|| body.get("branch").filter(|name| name.is_truthy()).cloned()) {
            Some(Json::Text(name)) => name,
            Some(_) => return Err(HandlerPanic),
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

fn refusal_to_write(
    database: &Database,
    caller: &Session,
    project: &str,
) -> Result<Option<&'static str>, HandlerPanic> {
    if let Session::Account { project: own, permissions, .. } = caller {
        let may_write = own == project && permissions.iter().any(|permission| permission == "write:secrets");
        return Ok((!may_write).then_some("Forbidden: Service Account lacks write:secrets permission."));
    }
    let may_write = caller.role(database, checked_id(project)?)?.is_some_and(|role| role > Role::Viewer);
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

/// The conflict of a key whose version is not the expected one. The service looks at the first secret with the key and the
/// environment on *any* branch, compares without converting, and shows the ciphertext.
fn conflict(database: &Database, project: &str, environment: &str, key: &str, expected: &Json) -> Option<Json> {
    let secret = database.secrets.first(project, environment, key)?;
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

impl Database {
    /// Creates or updates one secret at once.
    pub(in crate::services::xtra::dev) fn write(
        &mut self,
        location: SecretLocation,
        on_main: bool,
        value: &str,
        by: &str,
    ) -> Result<(), HandlerPanic> {
        let seen = self.row_to_write(&location, on_main);
        self.write_row(location, seen, value, by).map(|_| ())
    }

    /// The row that a write updates: the first one. On `main` a secret whose branch is null is the same one; a linked one is
    /// not.
    fn row_to_write(&self, location: &SecretLocation, on_main: bool) -> Option<Seen> {
        let mut rows = self.secrets.with_key(&location.key);
        let found = rows.find(|secret| {
            let here = secret.branch.is(&location.branch) || (on_main && secret.branch == BranchLink::Null);
            here && secret.is_at(&location.project, &location.environment, &location.key)
        });
        found.map(Secret::seen)
    }

    /// Updates the row that was seen, or creates one. An update of a row that has gone since fails in silence: false.
    fn write_row(
        &mut self,
        location: SecretLocation,
        seen: Option<Seen>,
        value: &str,
        by: &str,
    ) -> Result<bool, HandlerPanic> {
        let stored = self.vault.seal(value).ok_or(HandlerPanic)?;
        let now = self.now();
        let Some(mut seen) = seen else {
            self.insert_secret(location, stored, by);
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

pub(super) fn clone<'a>(connection: &'a Connection, call: &'a Call) -> BoxFuture<'a, Outcome> {
    Box::pin(async move { with_stack(cloned(connection, call).await) })
}

/// An environment's name as it is stored by this route.
fn environment(body: &Json, name: &str) -> Result<Option<String>, HandlerPanic> {
    match body.get(name).filter(|name| name.is_truthy()) {
        None => Ok(None),
        Some(name) => Ok(Some(name.text().ok_or(HandlerPanic)?.to_lowercase())),
    }
}

async fn cloned(connection: &Connection, call: &Call) -> HandlerResult {
    let Copying { user, project, branch, to, overwrites, sources } =
        connection.read(|database| asked(database, call)).await?;
    let (mut copied, mut updated, mut skipped) = (0_i64, 0_i64, 0_i64);
    for source in sources {
        let (project, environment, branch) = (project.clone(), to.clone(), branch.clone());
        let location = SecretLocation { project, environment, branch, key: source.key.clone() };
        let known = connection.read(|database| database.secrets.first_on(&location).map(Secret::seen)).await;
        match known {
            None => copied += connection.write(|database| copy(database, location, source, &user)).await,
            Some(seen) if overwrites => {
                updated += connection.write(|database| overwrite(database, seen, source, &user)).await?
            }
            Some(_) => skipped += 1,
        }
    }
    let summary = object([("copied", copied.into()), ("updated", updated.into()), ("skipped", skipped.into())]);
    Ok(Reply::ok(&object([("success", true.into()), ("summary", summary)])))
}

/// The wishes of a request, and the secrets to copy.
struct Copying {
    user: String,
    project: String,
    branch: String,
    to: String,
    overwrites: bool,
    sources: Vec<Source>,
}

fn asked(database: &Database, call: &Call) -> Result<Copying, Stop> {
    let caller = caller(database, call)?;
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
    let found = database.project(project).filter(|project| project.owner == user);
    found.ok_or_else(|| not_found("Project not found"))?;
    let name = body.text_of("branch").unwrap_or(MAIN);
    let branch = database.branch_named(project, name).map(|branch| branch.id.clone());
    let branch = branch.ok_or_else(|| not_found(&format!("Branch '{name}' not found")))?;
    let sources = database.secrets.iter().filter(|secret| secret.project == project && secret.environment == from);
    let sources = sources.filter(|secret| secret.branch.is(&branch)).map(Source::of).collect();
    let overwrites = body.get("overwrite").is_some_and(Json::is_truthy);
    Ok(Copying { user: user.to_owned(), project: project.to_owned(), branch, to, overwrites, sources })
}

/// The parts of a secret that are copied. A linked one has no value to take.
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

fn copy(database: &mut Database, location: SecretLocation, source: Source, by: &str) -> i64 {
    let (id, now) = (database.new_id(), database.now());
    let mut secret = Secret::new(id, location, now, by);
    let stored = source.stored.as_deref().unwrap_or_default();
    let description = source.description();
    secret.history.push(Entry::by_cli("1", stored, (now, by), &description));
    secret.stored = source.stored;
    secret.kind = source.kind;
    secret.description = description;
    database.secrets.push(secret);
    1
}

fn overwrite(database: &mut Database, mut seen: Seen, source: Source, by: &str) -> Result<i64, Stop> {
    let now = database.now();
    let secret = database.secrets.by_id_mut(&seen.id).ok_or_else(gone)?;
    let description = source.description();
    let stored = source.stored.unwrap_or_default();
    let version = seen.next_version("2");
    seen.history.insert(0, Entry::by_cli(&version, &stored, (now, by), &description));
    secret.overwrite(version, seen.history, stored, (now, by));
    Ok(1)
}
