//! The handle of a running server: its credentials and its controls.

use std::fmt;

use super::database::{Client, Database, Folder};
use super::seed::{SecretSeed, SyVaultDevServerBuilder};
use crate::dev::javascript::{Json, Members};
use crate::dev::{DevServerError, Fault, Hold, SeenRequest, Server, control_methods};
use crate::services::syvault::SyVaultFolder;

/// A running server. Dropping it stops it as well, without waiting.
pub struct SyVaultDevServer {
    pub(super) server: Server<Database>,
}

control_methods!(SyVaultDevServer, "");

impl SyVaultDevServer {
    /// Starts a server with the folder `production`, without secrets, and one client, `ci`.
    ///
    /// # Errors
    ///
    /// As [`SyVaultDevServerBuilder::start`].
    pub async fn start() -> Result<Self, DevServerError> {
        Self::builder().start().await
    }

    /// Configures a server before it starts.
    pub fn builder() -> SyVaultDevServerBuilder {
        SyVaultDevServerBuilder::default()
    }

    /// The id of a client by its name.
    #[must_use]
    pub fn client_id(&self, name: &str) -> Option<String> {
        self.of_client(name, |client| Some(client.id.clone()))
    }

    /// The private key of a client that was seeded as registered, by its name.
    #[must_use]
    pub fn client_secret(&self, name: &str) -> Option<String> {
        self.of_client(name, |client| client.secret.clone())
    }

    /// The token that a client can register a key with, until it has.
    #[must_use]
    pub fn one_time_token(&self, name: &str) -> Option<String> {
        self.of_client(name, |client| client.one_time_token.clone())
    }

    fn of_client<T>(&self, name: &str, part: impl FnOnce(&Client) -> Option<T>) -> Option<T> {
        self.server.shared().state().clients.iter().find(|client| client.name == name).and_then(part)
    }

    /// The id and the private key of the first client that has one.
    pub(in super::super) fn credentials(&self) -> Option<(String, String)> {
        let database = self.server.shared().state();
        database.clients.iter().find_map(|client| Some((client.id.clone(), client.secret.clone()?)))
    }

    /// The folders with their keys, for a client's builder.
    #[must_use]
    pub fn folders(&self) -> Vec<SyVaultFolder> {
        self.server.shared().state().folders.iter().map(Folder::shared).collect()
    }
}

/// Changes of the state by a test, past authentication.
impl SyVaultDevServer {
    /// Adds a secret, or puts it in the place of the one with its uid. Gives the uid.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the folder.
    pub fn put_secret(&self, secret: SecretSeed) -> Result<String, DevServerError> {
        self.server.shared().change(|database| secret.put(database))
    }

    /// Adds a record as the service would send it: a JSON object with a text as `uid`, and whatever else. In which forms the real
    /// service sends secrets is not documented.
    ///
    /// # Errors
    ///
    /// [`DevServerError::SeedSyntax`] for what is no object, or has no `uid`.
    pub fn put_record(&self, json: &str) -> Result<(), DevServerError> {
        let broken = |line, column| DevServerError::SeedSyntax { path: None, line, column };
        let record: Members = serde_json::from_str(json).map_err(|error| broken(error.line(), error.column()))?;
        let uid = record.get("uid").and_then(Json::text).ok_or_else(|| broken(1, 1))?.to_owned();
        self.server.shared().change(|database| {
            database.records.insert(uid, record);
            Ok(())
        })
    }

    /// Removes a secret; false when there was none.
    pub fn remove_secret(&self, uid: &str) -> bool {
        self.server.shared().change(|database| Ok(database.records.remove(uid).is_some())).unwrap_or_default()
    }

    /// The value of a field, when the server can open the secret.
    #[must_use]
    pub fn field(&self, uid: &str, name: &str) -> Option<String> {
        let (_, fields) = self.server.shared().state().contents(uid)?;
        fields.into_iter().find(|(known, _)| known == name).map(|(_, value)| value.expose().to_owned())
    }
}

impl fmt::Debug for SyVaultDevServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.server.show("SyVaultDevServer", formatter)
    }
}
