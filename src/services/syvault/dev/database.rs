//! The database: folders with their keys, clients, records as they are sent, and leases.

use std::collections::{BTreeMap, BTreeSet};

use hyper::StatusCode;
use hyper::http::Method;
use serde::{Deserialize, Serialize};

use super::routes;
use crate::core::SecretValue;
use crate::dev::javascript::{Json, Members, object};
use crate::dev::{Call, Clock, DevServerError, Millis, Reply, Route, Service};
use crate::services::syvault::SyVaultFolder;
use crate::services::syvault::folder::Folders;
use crate::services::syvault::record::{self, Record};

/// Everything that the server knows.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Database {
    pub(super) clock: Clock,
    /// What tokens may be signed for.
    pub(super) addresses: Vec<String>,
    pub(super) folders: Vec<Folder>,
    pub(super) clients: Vec<Client>,
    /// The records by uid, as they are sent.
    pub(super) records: BTreeMap<String, Members>,
    /// The fields that a rotation changes, by uid.
    pub(super) policies: BTreeMap<String, BTreeSet<String>>,
    pub(super) leases: Vec<Lease>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Folder {
    pub(super) id: String,
    pub(super) path: Vec<String>,
    /// In base64.
    pub(super) key: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Client {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) application: String,
    /// The public key, once it is registered.
    pub(super) point: Option<String>,
    /// The private key, of a client whom the server has made.
    pub(super) secret: Option<String>,
    /// What a key is registered with, until it is.
    pub(super) one_time_token: Option<String>,
    /// The folders that it may read, and whether it may write; nothing: all of them.
    pub(super) folders: Option<Vec<(String, bool)>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Lease {
    pub(super) id: String,
    pub(super) record: String,
    pub(super) end: Millis,
}

/// The title and the fields of a secret.
pub(super) type Contents = (SecretValue, Vec<(String, SecretValue)>);

/// A refusal. In which form the service gives them is not documented.
pub(super) fn refusal(status: StatusCode, code: &str) -> Reply {
    Reply::json(status, &object([("error", code.into())]))
}

pub(super) fn not_found() -> Reply {
    refusal(StatusCode::NOT_FOUND, "not_found")
}

pub(super) fn bad_request() -> Reply {
    refusal(StatusCode::BAD_REQUEST, "bad_request")
}

/// The folder that a record says it is in.
pub(super) fn folder_of(record: &Members) -> Option<&str> {
    record.get("folder_id").and_then(Json::text)
}

impl Folder {
    pub(super) fn shared(&self) -> SyVaultFolder {
        SyVaultFolder::new(self.id.as_str()).path(&self.path).key(self.key.as_str())
    }
}

impl Database {
    pub(super) fn now(&self) -> Millis {
        self.clock.now()
    }

    fn keys(&self) -> Option<Folders> {
        Folders::of(self.folders.iter().map(Folder::shared).collect()).ok()
    }

    /// What is in a secret, when the server has its folder's key.
    pub(super) fn contents(&self, uid: &str) -> Option<Contents> {
        let record = self.records.get(uid)?;
        let text = |name: &str| record.get(name).and_then(Json::text).map(str::to_owned);
        let fields = match record.get("fields") {
            Some(Json::Object(fields)) => Some(
                fields.iter().map(|(name, value)| (name.to_owned(), value.text().map(SecretValue::from))).collect(),
            ),
            _ => None,
        };
        let record = Record {
            uid: uid.to_owned(),
            id: text("id"),
            folder_id: text("folder_id"),
            title: text("title").map(SecretValue::new),
            fields,
            encrypted_key: text("encrypted_key"),
            encrypted_data: text("encrypted_data"),
        };
        let opened = record.open(&self.keys()?).ok()?;
        let fields = opened.fields.into_iter().map(|(name, value)| Some((name, value?))).collect::<Option<_>>()?;
        Some((opened.title.unwrap_or_else(|| "".into()), fields))
    }

    /// Puts a secret in the place of what its uid had, encrypted under the key of its folder.
    pub(super) fn put(&mut self, uid: String, folder: &str, contents: &Contents) -> Result<(), DevServerError> {
        let cipher = self.keys().and_then(|keys| keys.cipher(folder));
        let cipher = cipher.ok_or_else(|| DevServerError::unknown("folder", folder))?;
        let (title, fields) = contents;
        let sealed = record::seal_as(uid, &cipher, title, fields).map_err(|_| DevServerError::Random)?;
        self.store(&sealed.uid, folder, &sealed.encrypted_key, &sealed.encrypted_data);
        Ok(())
    }

    /// Stores an encrypted secret.
    pub(super) fn store(&mut self, uid: &str, folder: &str, encrypted_key: &str, encrypted_data: &str) {
        let now = self.now().iso();
        let created = self.records.get(uid).and_then(|record| record.get("created_at")).and_then(Json::text);
        let created = created.unwrap_or(&now).to_owned();
        let members = [
            ("uid", uid),
            ("folder_id", folder),
            ("encrypted_key", encrypted_key),
            ("encrypted_data", encrypted_data),
            ("created_at", &created),
            ("updated_at", &now),
        ];
        let mut record = Members::default();
        for (name, value) in members {
            record.set(name, value);
        }
        self.records.insert(uid.to_owned(), record);
    }
}

impl Service for Database {
    const ROOT: &'static str = "";

    type Admission = ();

    fn routes(&self) -> Vec<Route<Self>> {
        routes::routes()
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn clock_mut(&mut self) -> &mut Clock {
        &mut self.clock
    }

    fn guard(&mut self, call: &Call) -> Result<(), Reply> {
        self.client(call).map(drop)
    }

    fn unknown_path(_: &Method, _: &str) -> Reply {
        not_found()
    }

    fn refuse_method(_: &Method, _: &str, _: &str) -> Reply {
        not_found()
    }

    fn error(status: StatusCode, message: &str) -> Reply {
        refusal(status, message)
    }
}
