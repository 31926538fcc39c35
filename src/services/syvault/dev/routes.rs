//! The routes, each with its handler.

use std::time::Duration;

use base64::Engine;
use hyper::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::access::point_of;
use super::database::{Database, Lease, bad_request, folder_of, not_found, refusal};
use crate::core::SecretValue;
use crate::dev::javascript::{Json, Members, object, random_uuid};
use crate::dev::{Call, HandlerPanic, Outcome, Reply, routes, settle};
use crate::services::syvault::key::BASE64;
use crate::services::syvault::record::random;

routes! {
    for Database;
    /// The registration of a client's public key.
    POST "/api/sm/v1/bootstrap" as BOOTSTRAP_CREATE => at_once(bootstrap);
    /// The secrets that the client may read.
    GET "/api/sm/v1/secrets" as SECRETS_LIST => at_once(list).guarded();
    /// The creation of a secret.
    POST "/api/sm/v1/secrets" as SECRETS_CREATE => at_once(create).guarded();
    /// One secret.
    GET "/api/sm/v1/secrets/{uid}" as SECRETS_GET => at_once(get).guarded();
    /// The rotation of a secret.
    POST "/api/sm/v1/secrets/{uid}/rotate" as SECRETS_ROTATE => at_once(rotate).guarded();
    /// The creation of a lease.
    POST "/api/sm/v1/dynamic/lease" as LEASES_CREATE => at_once(create_lease).guarded();
    /// The leases that have not ended.
    GET "/api/sm/v1/dynamic/leases" as LEASES_LIST => at_once(list_leases).guarded();
    /// The end of a lease.
    DELETE "/api/sm/v1/dynamic/leases/{leaseId}" as LEASES_REVOKE => at_once(revoke_lease).guarded();
}

/// Random letters and digits, with a sign that an address escapes.
fn new_password() -> Result<String, HandlerPanic> {
    let mut bytes = [0; 15];
    random(&mut bytes).map_err(|_| HandlerPanic)?;
    Ok(BASE64.encode(bytes) + "%")
}

fn bootstrap(database: &mut Database, call: &Call) -> Outcome {
    // as long as a wrapped key of 32 bytes is, whatever wraps it
    let mut wrapped = [0; 60];
    random(&mut wrapped).map_err(|_| HandlerPanic)?;
    settle(|| {
        let body = call.json().ok_or_else(bad_request)?;
        let point = body.text_of("public_key").and_then(point_of).ok_or_else(bad_request)?;
        let folders: Vec<String> = database.folders.iter().map(|folder| folder.id.clone()).collect();
        let client = database.register(body.text_of("token").unwrap_or_default(), point)?;
        let mut keys = Members::default();
        for folder in folders.into_iter().filter(|folder| client.reads(Some(folder))) {
            keys.set(folder, BASE64.encode(wrapped));
        }
        Ok(Reply::ok(&object([
            ("client_id", (&client.id).into()),
            ("application_id", (&client.application).into()),
            ("encrypted_folder_keys", keys.into()),
        ])))
    })
}

fn list(database: &mut Database, call: &Call) -> Outcome {
    settle(|| {
        let client = database.client(call)?;
        let records = database.records.values().filter(|record| client.reads(folder_of(record)));
        Ok(Reply::ok(&object([("data", records.cloned().collect::<Vec<_>>().into())])))
    })
}

/// The record that a path names, when the client may read it.
fn record<'d>(database: &'d Database, call: &Call) -> Result<&'d Members, Reply> {
    let client = database.client(call)?;
    let record = database.records.get(call.param("uid"));
    record.filter(|record| client.reads(folder_of(record))).ok_or_else(not_found)
}

fn get(database: &mut Database, call: &Call) -> Outcome {
    settle(|| Ok(Reply::ok(&record(database, call)?.clone().into())))
}

fn create(database: &mut Database, call: &Call) -> Outcome {
    settle(|| {
        let body = call.json().ok_or_else(bad_request)?;
        let text = |name: &str| body.text_of(name).ok_or_else(bad_request);
        let (uid, folder) = (text("uid")?, text("folder_id")?);
        let (key, data) = (text("encrypted_key")?, text("encrypted_data")?);
        if !database.client(call)?.writes(Some(folder)) {
            return Err(refusal(StatusCode::FORBIDDEN, "forbidden"));
        }
        if !database.folders.iter().any(|known| known.id == folder) {
            return Err(not_found());
        }
        if database.records.contains_key(uid) {
            return Err(refusal(StatusCode::CONFLICT, "conflict"));
        }
        database.store(uid, folder, key, data);
        Ok(Reply::json(StatusCode::CREATED, &object([("uid", uid.into())])))
    })
}

fn rotate(database: &mut Database, call: &Call) -> Outcome {
    let password = new_password()?;
    settle(|| {
        let uid = call.param("uid");
        let folder = folder_of(record(database, call)?).map(str::to_owned);
        if !database.client(call)?.writes(folder.as_deref()) {
            return Err(refusal(StatusCode::FORBIDDEN, "forbidden"));
        }
        let no_policy = || refusal(StatusCode::CONFLICT, "no_rotation_policy");
        let policy = database.policies.get(uid).cloned().ok_or_else(no_policy)?;
        let (title, mut fields) = database.contents(uid).ok_or_else(no_policy)?;
        let mut changed = Members::default();
        for (name, value) in fields.iter_mut().filter(|(name, _)| policy.contains(name)) {
            *value = SecretValue::from(password.as_str());
            changed.set(name.as_str(), password.as_str());
        }
        database.put(uid.to_owned(), &folder.unwrap_or_default(), &(title, fields)).map_err(|_| no_policy())?;
        Ok(Reply::ok(&object([("status", "completed".into()), ("new_fields", changed.into())])))
    })
}

fn create_lease(database: &mut Database, call: &Call) -> Outcome {
    const LONGEST: i64 = 86_400;
    let password = new_password()?;
    settle(|| {
        let body = call.json().ok_or_else(bad_request)?;
        let uid = body.text_of("record_uid").ok_or_else(bad_request)?;
        let ttl = body.get("ttl_seconds").and_then(Json::whole).filter(|ttl| (1..=LONGEST).contains(ttl));
        let ttl = Duration::from_secs(ttl.ok_or_else(bad_request)?.unsigned_abs());
        let client = database.client(call)?;
        database.records.get(uid).filter(|record| client.reads(folder_of(record))).ok_or_else(not_found)?;
        let lease = Lease { id: random_uuid(), record: uid.to_owned(), end: database.now().plus(ttl) };
        let user = format!("v-{}", lease.id.get(..8).unwrap_or_default());
        let escaped = utf8_percent_encode(&password, NON_ALPHANUMERIC);
        let reply = object([
            ("lease_id", (&lease.id).into()),
            ("username", (&user).into()),
            ("password", (&password).into()),
            ("connection_string", format!("postgres://{user}:{escaped}@db.example.com/app").into()),
            ("expires_at", lease.end.iso().into()),
        ]);
        database.leases.push(lease);
        Ok(Reply::json(StatusCode::CREATED, &reply))
    })
}

fn list_leases(database: &mut Database, _: &Call) -> Outcome {
    settle(|| {
        let now = database.now();
        let leases = database.leases.iter().filter(|lease| lease.end > now).map(|lease| {
            object([
                ("lease_id", (&lease.id).into()),
                ("record_uid", (&lease.record).into()),
                ("expires_at", lease.end.iso().into()),
            ])
        });
        Ok(Reply::ok(&object([("data", leases.collect::<Vec<_>>().into())])))
    })
}

fn revoke_lease(database: &mut Database, call: &Call) -> Outcome {
    settle(|| {
        let now = database.now();
        let is_it = |lease: &Lease| lease.id == call.param("leaseId") && lease.end > now;
        let at = database.leases.iter().position(is_it).ok_or_else(not_found)?;
        database.leases.remove(at);
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    })
}
