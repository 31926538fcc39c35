//! Dynamic secrets, which are made on demand, and their leases.

use std::time::Duration;

use crate::dev::Reply;
use crate::dev::javascript::{Json, Members, object};
use crate::services::infisical::dev::asked::{Answer, Asked, endpoints};
use crate::services::infisical::dev::database::{Database, new_id};
use crate::services::infisical::dev::fields::Fields;
use crate::services::infisical::dev::refusal::Refusal;
use crate::services::infisical::dev::rows::{DynamicSecret, Lease};
use crate::services::infisical::dev::seed::Action;
use crate::services::infisical::dev::writes::Place;

endpoints! {
    /// The dynamic secrets of a folder.
    GET "/v1/dynamic-secrets" as DYNAMIC_SECRETS_LIST since August2024, Read Token => list;
    /// The creation of a dynamic secret.
    POST "/v1/dynamic-secrets" as DYNAMIC_SECRETS_CREATE since August2024, Write Token => create;
    /// A dynamic secret by its name.
    GET "/v1/dynamic-secrets/{name}" as DYNAMIC_SECRETS_GET since August2024, Read Token => get;
    /// The change of a dynamic secret.
    PATCH "/v1/dynamic-secrets/{name}" as DYNAMIC_SECRETS_UPDATE since August2024, Write Token => update;
    /// The deletion of a dynamic secret with its leases.
    DELETE "/v1/dynamic-secrets/{name}" as DYNAMIC_SECRETS_DELETE since August2024, Write Token => delete;
    /// The leases of a dynamic secret.
    GET "/v1/dynamic-secrets/{name}/leases" as LEASES_LIST since August2024, Read Token => leases;
    /// The creation of a lease.
    POST "/v1/dynamic-secrets/leases" as LEASES_CREATE since August2024, Write Token => lease;
    /// A lease by its id.
    GET "/v1/dynamic-secrets/leases/{leaseId}" as LEASES_GET since August2024, Read Token => get_lease;
    /// The renewal of a lease.
    POST "/v1/dynamic-secrets/leases/{leaseId}/renew" as LEASES_RENEW since August2024, Write Token => renew;
    /// The end of a lease.
    DELETE "/v1/dynamic-secrets/leases/{leaseId}" as LEASES_REVOKE since August2024, Write Token => revoke;
}

/// A time as it is written: a number and a unit, seconds to weeks.
fn time(text: &str) -> Option<Duration> {
    let end = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(end)?;
    let seconds = match unit.trim() {
        "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hr" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 604_800,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(seconds).map(Duration::from_secs)
}

/// A time of a request; an issue when it is none.
fn checked_time(fields: &mut Fields, name: &str) -> Option<String> {
    let text = fields.nullable_text(name).flatten()?;
    if time(&text).is_none() {
        fields.custom(name, "Invalid TTL");
    }
    Some(text)
}

/// The folder that a query or a body names, by the slugs of its project and its environment.
struct Named(String, String, String);

impl Named {
    fn read(fields: &mut Fields) -> Self {
        Named(fields.word("projectSlug"), fields.word("environmentSlug"), fields.path("path"))
    }

    /// The folder, which the actor may do something in.
    fn found(self, database: &Database, asked: &Asked, action: Action) -> Result<(Place, String), Refusal> {
        let Named(slug, environment, path) = self;
        let project = database.project_by_slug(&slug).map(|project| project.id.clone());
        let project = project.ok_or_else(|| Refusal::unknown_slug(asked.generation, &slug))?;
        let place = Place { project, environment, path };
        database.check(asked.actor()?, action, place.location())?;
        let folder = database.folder(place.location()).map(|folder| folder.id.clone());
        let folder = folder.ok_or_else(|| {
            let Place { environment, path, .. } = &place;
            Refusal::not_found(format!("Folder with path '{path}' in environment with slug '{environment}' not found"))
        })?;
        Ok((place, folder))
    }
}

fn named<'a>(database: &'a Database, folder: &str, name: &str) -> Result<&'a DynamicSecret, Refusal> {
    let found = database.dynamic_secrets.iter().find(|secret| secret.folder == folder && secret.name == name);
    found.ok_or_else(|| Refusal::not_found(format!("Dynamic secret with name '{name}' not found")))
}

fn record(secret: &DynamicSecret) -> Members {
    let mut record = Members::default();
    record.set("id", &secret.id);
    record.set("name", &secret.name);
    record.set("version", i64::from(secret.version));
    record.set("type", &secret.kind);
    record.set("defaultTTL", &secret.default_ttl);
    record.set("maxTTL", secret.max_ttl.clone());
    record.set("folderId", &secret.folder);
    record.set("status", Json::Null);
    record.set("statusDetails", Json::Null);
    record.set("createdAt", secret.created.iso());
    record.set("updatedAt", secret.updated.iso());
    record
}

fn lease_record(lease: &Lease) -> Members {
    let mut record = Members::default();
    record.set("id", &lease.id);
    record.set("version", 1);
    record.set("externalEntityId", &lease.external_id);
    record.set("expireAt", lease.expires.iso());
    record.set("status", Json::Null);
    record.set("statusDetails", Json::Null);
    record.set("dynamicSecretId", &lease.dynamic_secret);
    record.set("createdAt", lease.created.iso());
    record.set("updatedAt", lease.updated.iso());
    record
}

fn one(secret: Members) -> Answer {
    Ok(Reply::ok(&object([("dynamicSecret", secret.into())])))
}

fn list(database: &mut Database, asked: &Asked) -> Answer {
    let mut query = asked.query();
    let at = Named::read(&mut query);
    query.done(asked.generation)?;
    let (_, folder) = at.found(database, asked, Action::Read)?;
    let found = database.dynamic_secrets.iter().filter(|secret| secret.folder == folder);
    Ok(Reply::ok(&object([("dynamicSecrets", found.map(record).collect::<Vec<_>>().into())])))
}

fn create(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let at = Named::read(&mut body);
    let name = body.word("name");
    body.not_empty("name", Some(&name));
    let (kind, inputs) =
        body.inner("provider", |provider| Some((provider.word("type"), provider.any("inputs")))).unwrap_or_default();
    let default_ttl = checked_time(&mut body, "defaultTTL");
    if default_ttl.is_none() {
        body.text("defaultTTL");
    }
    let max_ttl = checked_time(&mut body, "maxTTL");
    body.done(asked.generation)?;
    let (place, folder) = at.found(database, asked, Action::Create)?;
    if named(database, &folder, &name).is_ok() {
        return Err(Refusal::bad_request("Provided dynamic secret already exist under the folder"));
    }
    let now = database.now();
    let secret = DynamicSecret {
        id: new_id(),
        project: place.project,
        folder,
        name,
        kind,
        inputs: inputs.unwrap_or(Json::Null),
        default_ttl: default_ttl.unwrap_or_default(),
        max_ttl,
        version: 1,
        created: now,
        updated: now,
    };
    let answer = record(&secret);
    database.dynamic_secrets.push(secret);
    one(answer)
}

fn get(database: &mut Database, asked: &Asked) -> Answer {
    let mut query = asked.query();
    let at = Named::read(&mut query);
    query.done(asked.generation)?;
    let (_, folder) = at.found(database, asked, Action::Read)?;
    let secret = named(database, &folder, &asked.param("name"))?;
    let mut answer = record(secret);
    answer.set("inputs", secret.inputs.clone());
    one(answer)
}

fn update(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let at = Named::read(&mut body);
    let (inputs, default_ttl, max_ttl, new_name) = body.inner("data", |data| {
        (
            data.any("inputs"),
            checked_time(data, "defaultTTL"),
            checked_time(data, "maxTTL"),
            data.optional_word("newName"),
        )
    });
    body.done(asked.generation)?;
    let (_, folder) = at.found(database, asked, Action::Edit)?;
    let id = named(database, &folder, &asked.param("name"))?.id.clone();
    if new_name.as_deref().is_some_and(|name| named(database, &folder, name).is_ok()) {
        return Err(Refusal::bad_request("Provided dynamic secret already exist under the folder"));
    }
    let now = database.now();
    let found = database.dynamic_secrets.iter_mut().find(|secret| secret.id == id);
    let secret = found.ok_or_else(|| Refusal::not_found("Dynamic secret not found"))?;
    secret.inputs = inputs.unwrap_or_else(|| secret.inputs.clone());
    secret.default_ttl = default_ttl.unwrap_or_else(|| secret.default_ttl.clone());
    secret.max_ttl = max_ttl.or_else(|| secret.max_ttl.clone());
    secret.name = new_name.unwrap_or_else(|| secret.name.clone());
    secret.version += 1;
    secret.updated = now;
    one(record(secret))
}

fn delete(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let at = Named::read(&mut body);
    body.done(asked.generation)?;
    let (_, folder) = at.found(database, asked, Action::Delete)?;
    let secret = named(database, &folder, &asked.param("name"))?.clone();
    database.dynamic_secrets.retain(|other| other.id != secret.id);
    database.leases.retain(|lease| lease.dynamic_secret != secret.id);
    one(record(&secret))
}

/// The leases that have not ended.
fn open<'a>(database: &'a Database, secret: &'a str) -> impl Iterator<Item = &'a Lease> {
    let now = database.now();
    database.leases.iter().filter(move |lease| lease.dynamic_secret == secret && lease.expires > now)
}

fn leases(database: &mut Database, asked: &Asked) -> Answer {
    let mut query = asked.query();
    let at = Named::read(&mut query);
    query.done(asked.generation)?;
    let (_, folder) = at.found(database, asked, Action::Read)?;
    let secret = named(database, &folder, &asked.param("name"))?;
    let listed: Vec<Members> = open(database, &secret.id).map(lease_record).collect();
    Ok(Reply::ok(&object([("leases", listed.into())])))
}

/// How long a lease lives: as asked for, or as the secret says, and not longer than it allows.
fn lifetime(secret: &DynamicSecret, asked: Option<&str>) -> Result<Duration, Refusal> {
    let wanted = asked.and_then(time).or_else(|| time(&secret.default_ttl)).unwrap_or_default();
    match secret.max_ttl.as_deref().and_then(time) {
        Some(longest) if wanted > longest => Err(Refusal::bad_request("TTL cannot be larger than max TTL")),
        _ => Ok(wanted),
    }
}

fn lease(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let name = body.word("dynamicSecretName");
    let at = Named::read(&mut body);
    let ttl = checked_time(&mut body, "ttl");
    body.done(asked.generation)?;
    let (_, folder) = at.found(database, asked, Action::Read)?;
    let secret = named(database, &folder, &name)?.clone();
    let now = database.now();
    let expires = now.plus(lifetime(&secret, ttl.as_deref())?);
    let user = format!("{:016x}", fastrand::u64(..));
    let lease = Lease {
        id: new_id(),
        dynamic_secret: secret.id.clone(),
        external_id: user.clone(),
        expires,
        created: now,
        updated: now,
    };
    let data = object([("DB_USERNAME", user.into()), ("DB_PASSWORD", format!("{:032x}", fastrand::u128(..)).into())]);
    let answer =
        object([("lease", lease_record(&lease).into()), ("dynamicSecret", record(&secret).into()), ("data", data)]);
    database.leases.push(lease);
    Ok(Reply::ok(&answer))
}

/// An open lease by its id, with its secret.
fn found(database: &Database, asked: &Asked, folder: &str) -> Result<(Lease, DynamicSecret), Refusal> {
    let id = asked.param("leaseId");
    let missing = || Refusal::not_found(format!("Dynamic secret lease with ID '{id}' not found"));
    let mut here = database.dynamic_secrets.iter().filter(|secret| secret.folder == folder);
    here.find_map(|secret| {
        let lease = open(database, &secret.id).find(|lease| lease.id == id)?;
        Some((lease.clone(), secret.clone()))
    })
    .ok_or_else(missing)
}

fn one_lease(lease: &Lease, secret: &DynamicSecret) -> Answer {
    let mut answer = lease_record(lease);
    answer.set("dynamicSecret", record(secret));
    Ok(Reply::ok(&object([("lease", answer.into())])))
}

fn get_lease(database: &mut Database, asked: &Asked) -> Answer {
    let mut query = asked.query();
    let at = Named::read(&mut query);
    query.done(asked.generation)?;
    let (_, folder) = at.found(database, asked, Action::Read)?;
    let (lease, secret) = found(database, asked, &folder)?;
    one_lease(&lease, &secret)
}

fn renew(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let at = Named::read(&mut body);
    let ttl = checked_time(&mut body, "ttl");
    body.done(asked.generation)?;
    let (_, folder) = at.found(database, asked, Action::Read)?;
    let (mut lease, secret) = found(database, asked, &folder)?;
    let now = database.now();
    lease.expires = now.plus(lifetime(&secret, ttl.as_deref())?);
    let longest = secret.max_ttl.as_deref().and_then(time);
    if longest.is_some_and(|longest| lease.expires > lease.created.plus(longest)) {
        return Err(Refusal::bad_request("TTL cannot be larger than max ttl"));
    }
    lease.updated = now;
    for known in database.leases.iter_mut().filter(|known| known.id == lease.id) {
        known.clone_from(&lease);
    }
    one_lease(&lease, &secret)
}

fn revoke(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let at = Named::read(&mut body);
    body.done(asked.generation)?;
    let (_, folder) = at.found(database, asked, Action::Delete)?;
    let (lease, secret) = found(database, asked, &folder)?;
    database.leases.retain(|known| known.id != lease.id);
    one_lease(&lease, &secret)
}
