//! The routes, each with its handler.

use hyper::StatusCode;

use super::database::{Caller, Database, Environment, Role, Template, bad_request, forbidden, not_found};
use crate::dev::javascript::{Json, Members, object, random_uuid};
use crate::dev::{Call, Outcome, Reply, routes, settle};

routes! {
    for Database;
    /// The account of the token.
    GET "/v1/auth/me" as AUTH_ME => at_once(me).guarded();
    /// The copy of secrets from one environment to another.
    POST "/v1/secrets/{org}/{project}/promote" as SECRETS_PROMOTE => at_once(promote).guarded();
    /// The secrets of an environment, or a page of them.
    GET "/v1/secrets/{org}/{project}/{env}" as SECRETS_PULL => at_once(pull).guarded();
    /// The creation or change of one secret.
    PUT "/v1/secrets/{org}/{project}/{env}" as SECRETS_SET => at_once(set).guarded();
    /// The keys of an environment, or a page of them.
    GET "/v1/secrets/{org}/{project}/{env}/keys" as SECRETS_LIST_KEYS => at_once(list_keys).guarded();
    /// The creation or change of several secrets.
    POST "/v1/secrets/{org}/{project}/{env}/bulk" as SECRETS_SET_BULK => at_once(set_bulk).guarded();
    /// The deletion of a secret.
    DELETE "/v1/secrets/{org}/{project}/{env}/{key}" as SECRETS_DELETE => at_once(delete).guarded();
    /// The templates of a project.
    GET "/v1/templates/{org}/{project}" as TEMPLATES_LIST => at_once(templates).guarded();
    /// The addition of a template.
    POST "/v1/templates/{org}/{project}" as TEMPLATES_CREATE => at_once(add_template).guarded();
    /// The removal of a template.
    DELETE "/v1/templates/{org}/{project}/{key}" as TEMPLATES_DELETE => at_once(remove_template).guarded();
    /// An environment held against the templates.
    GET "/v1/templates/{org}/{project}/validate/{env}" as TEMPLATES_VALIDATE => at_once(validate).guarded();
}

fn me(database: &mut Database, call: &Call) -> Outcome {
    settle(|| {
        let caller = database.caller(call)?;
        let email = format!("{}@example.com", caller.name);
        let user = object([("id", (&caller.id).into()), ("email", email.into())]);
        Ok(Reply::ok(&object([("user", user)])))
    })
}

/// The caller, when it may write.
fn writer<'d>(database: &'d Database, call: &Call) -> Result<&'d Caller, Reply> {
    let caller = database.caller(call)?;
    if caller.role == Role::Viewer { Err(forbidden()) } else { Ok(caller) }
}

/// The keys that the caller is kept to; nothing when it is kept to none.
fn allowed_keys(database: &Database, call: &Call) -> Result<Option<Vec<String>>, Reply> {
    Ok(database.caller(call)?.agent.as_ref().and_then(|agent| agent.keys.clone()))
}

fn pull(database: &mut Database, call: &Call) -> Outcome {
    page(database, call, "secrets", |item, value| item.set("value", value))
}

fn list_keys(database: &mut Database, call: &Call) -> Outcome {
    page(database, call, "keys", |_, _| {})
}

/// A list of secrets by `limit`, `offset` and `search`, as `name`. Without limit and offset it is whole, and has no `pagination`.
fn page(database: &mut Database, call: &Call, name: &str, complete: fn(&mut Members, &str)) -> Outcome {
    settle(|| {
        let number = |name: &str| match call.query(name).map(str::parse::<usize>) {
            Some(Err(_)) => Err(bad_request()),
            Some(Ok(number)) => Ok(Some(number)),
            None => Ok(None),
        };
        let (asked, offset) = (number("limit")?, number("offset")?);
        let search = call.query("search").unwrap_or_default().to_lowercase();
        let (allowed, most) = (allowed_keys(database, call)?, database.page_size);
        let environment = database.project_of(call)?.environment(call.param("env"))?;
        let is_found = |key: &str| {
            let is_allowed = allowed.as_ref().is_none_or(|allowed| allowed.iter().any(|one| one == key));
            is_allowed && key.to_lowercase().contains(&search)
        };
        let found: Vec<_> = environment.secrets().filter(|(key, ..)| is_found(key)).collect();
        let limit = asked.into_iter().chain(most).min();
        let items = found.iter().skip(offset.unwrap_or_default()).take(limit.unwrap_or(usize::MAX));
        let items = items.map(|(key, value, stored)| {
            let mut item = Members::default();
            item.set("key", *key);
            complete(&mut item, value);
            item.set("version", stored.version);
            item.set("updatedAt", stored.updated.iso());
            item.set("description", Json::Null);
            item
        });
        let mut body = Members::default();
        body.set(name, items.collect::<Vec<_>>());
        if limit.is_some() || offset.is_some() {
            let limit = limit.unwrap_or(found.len());
            let pagination = [("limit", limit), ("offset", offset.unwrap_or_default()), ("total", found.len())];
            body.set("pagination", object(pagination.map(|(name, count)| (name, Json::count(count)))));
        }
        Ok(Reply::ok(&body.into()))
    })
}

/// The environment of a write, when the caller may write these keys.
fn environment_to_write<'d>(
    database: &'d mut Database,
    call: &Call,
    keys: &[&str],
) -> Result<&'d mut Environment, Reply> {
    writer(database, call)?;
    if let Some(allowed) = allowed_keys(database, call)?
        && !keys.iter().all(|key| allowed.iter().any(|one| one == key))
    {
        return Err(forbidden());
    }
    database.project_of(call)?.environment(call.param("env"))
}

/// A key and a value of a body.
fn pair(item: &Json) -> Option<(&str, &str)> {
    Some((item.text_of("key")?, item.get("value")?.text()?))
}

fn set(database: &mut Database, call: &Call) -> Outcome {
    settle(|| {
        let (body, now) = (call.json(), database.now());
        let Some((key, value)) = body.as_ref().and_then(pair) else { return Err(bad_request()) };
        let version = environment_to_write(database, call, &[key])?.set(key, value, now);
        Ok(Reply::ok(&object([("key", key.into()), ("version", version.into())])))
    })
}

fn set_bulk(database: &mut Database, call: &Call) -> Outcome {
    settle(|| {
        let (body, now) = (call.json(), database.now());
        let Some(Json::List(items)) = body.as_ref().and_then(|body| body.get("secrets")) else {
            return Err(bad_request());
        };
        let pairs: Vec<_> = items.iter().map(pair).collect::<Option<_>>().ok_or_else(bad_request)?;
        let keys: Vec<&str> = pairs.iter().map(|(key, _)| *key).collect();
        let environment = environment_to_write(database, call, &keys)?;
        let (mut created, mut updated) = (0, 0);
        for (key, value) in pairs {
            *if environment.value(key).is_some() { &mut updated } else { &mut created } += 1;
            environment.set(key, value, now);
        }
        let counts = [("created", created), ("updated", updated), ("total", created + updated)];
        Ok(Reply::ok(&object(counts.map(|(name, count)| (name, Json::count(count))))))
    })
}

fn delete(database: &mut Database, call: &Call) -> Outcome {
    settle(|| {
        let key = call.param("key");
        match environment_to_write(database, call, &[key])?.remove(key) {
            true => Ok(Reply::ok(&object([("deleted", true.into()), ("key", key.into())]))),
            false => Err(not_found()),
        }
    })
}

fn promote(database: &mut Database, call: &Call) -> Outcome {
    settle(|| {
        writer(database, call)?;
        let (body, now) = (call.json().ok_or_else(bad_request)?, database.now());
        let (Some(from), Some(to)) = (body.text_of("fromEnv"), body.text_of("toEnv")) else {
            return Err(bad_request());
        };
        if from == to {
            return Err(bad_request());
        }
        let (only, overwrites) = (body.texts_of("keys"), body.get("overwrite") == Some(&Json::Bool(true)));
        let project = database.project_of(call)?;
        let is_named = |key: &str| only.as_ref().is_none_or(|only| only.iter().any(|one| one == key));
        let secrets = project.environment(from)?.secrets();
        let named: Vec<_> = secrets
            .filter(|(key, ..)| is_named(key))
            .map(|(key, value, _)| (key.to_owned(), value.to_owned()))
            .collect();
        let target = project.environment(to)?;
        let (mut created, mut updated, mut skipped) = (0, 0, 0);
        for (key, value) in named {
            match target.value(&key) {
                Some(_) if !overwrites => {
                    skipped += 1;
                    continue;
                }
                Some(_) => updated += 1,
                None => created += 1,
            }
            target.set(&key, &value, now);
        }
        let counts =
            [("promoted", created + updated), ("created", created), ("updated", updated), ("skipped", skipped)];
        Ok(Reply::ok(&object(counts.map(|(name, count)| (name, Json::count(count))))))
    })
}

fn templates(database: &mut Database, call: &Call) -> Outcome {
    settle(|| {
        let wraps = database.wraps_templates;
        let templates = database.project_of(call)?.templates.iter();
        let list: Vec<Json> = templates.map(|(key, template)| item(key, template)).collect();
        Ok(Reply::ok(&if wraps { object([("templates", list.into())]) } else { list.into() }))
    })
}

fn item(key: &str, template: &Template) -> Json {
    object([
        ("id", (&template.id).into()),
        ("key", key.into()),
        ("description", template.description.clone().into()),
        ("required", template.required.into()),
        ("createdAt", template.created.iso().into()),
    ])
}

fn add_template(database: &mut Database, call: &Call) -> Outcome {
    settle(|| {
        writer(database, call)?;
        let (body, created) = (call.json().ok_or_else(bad_request)?, database.now());
        let key = body.text_of("key").ok_or_else(bad_request)?;
        let template = Template {
            id: random_uuid(),
            description: body.text_of("description").map(str::to_owned),
            required: body.get("required") != Some(&Json::Bool(false)),
            created,
        };
        let reply = Reply::json(StatusCode::CREATED, &item(key, &template));
        database.project_of(call)?.templates.insert(key.to_owned(), template);
        Ok(reply)
    })
}

fn remove_template(database: &mut Database, call: &Call) -> Outcome {
    settle(|| {
        writer(database, call)?;
        match database.project_of(call)?.templates.remove(call.param("key")) {
            Some(_) => Ok(Reply::empty(StatusCode::NO_CONTENT)),
            None => Err(not_found()),
        }
    })
}

fn validate(database: &mut Database, call: &Call) -> Outcome {
    settle(|| {
        let project = database.project_of(call)?;
        let environment = project.environments.get(call.param("env")).ok_or_else(not_found)?;
        let required = project.templates.iter().filter(|(_, template)| template.required).map(|(key, _)| key.as_str());
        let missing: Vec<&str> = required.filter(|key| environment.value(key).is_none()).collect();
        let extra: Vec<&str> =
            environment.secrets().map(|(key, ..)| key).filter(|key| !project.templates.contains_key(*key)).collect();
        Ok(Reply::ok(&object([
            ("valid", missing.is_empty().into()),
            ("missing", missing.into()),
            ("extra", extra.into()),
        ])))
    })
}
