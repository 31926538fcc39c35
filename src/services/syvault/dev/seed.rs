//! The seed: what a server starts with.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use base64::Engine;

use super::access::point_of;
use super::database::{Client, Database, Folder};
use super::server::SyVaultDevServer;
use crate::core::SecretValue;
use crate::dev::javascript::random_uuid;
use crate::dev::{DevServerError, Seeded, Server};
use crate::services::syvault::SyVaultFolder;
use crate::services::syvault::key::{BASE64, ClientKey, new_client_secret};
use crate::services::syvault::record::{new_uid, random};

/// How long a connection may be idle. The vendor does not say.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// A client of an application. It may read and write every folder, unless it is given some.
#[derive(Clone)]
#[must_use = "a seed does nothing until it is given to a builder"]
pub struct ClientSeed {
    name: String,
    id: Option<String>,
    secret: Option<SecretValue>,
    is_registered: bool,
    folders: Option<Vec<(String, bool)>>,
}

impl ClientSeed {
    /// A client that is registered, with a key of its own.
    pub fn new(name: &str) -> Self {
        ClientSeed { name: name.to_owned(), id: None, secret: None, is_registered: true, folders: None }
    }

    /// A client that has a token to register a key with, and none yet.
    pub fn unregistered(name: &str) -> Self {
        ClientSeed { is_registered: false, ..ClientSeed::new(name) }
    }

    /// Sets the id; a random UUID when left out.
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// Sets the private key, in any form that a client takes; a random one when left out.
    pub fn secret(mut self, key: impl Into<SecretValue>) -> Self {
        self.secret = Some(key.into());
        self
    }

    /// Lets the client read this folder, and no others but those it is given too.
    pub fn reads(self, folder: &str) -> Self {
        self.may(folder, false)
    }

    /// Lets the client read and write this folder, and no others but those it is given too.
    pub fn writes(self, folder: &str) -> Self {
        self.may(folder, true)
    }

    fn may(mut self, folder: &str, writes: bool) -> Self {
        self.folders.get_or_insert_default().push((folder.to_owned(), writes));
        self
    }

    fn build(self) -> Result<Client, DevServerError> {
        let (mut secret, mut point, mut one_time_token) = (None, None, None);
        if self.is_registered {
            let text = self.secret.map_or_else(|| new_client_secret().map_err(|_| DevServerError::Random), Ok)?;
            let key = ClientKey::parse(&text).map_err(|_| DevServerError::unknown("key of the client", &self.name))?;
            point = point_of(&BASE64.encode(key.point()));
            secret = Some(text.expose().to_owned());
        } else {
            one_time_token = Some(format!("vft_{}{}", random_uuid(), random_uuid()).replace('-', ""));
        }
        Ok(Client {
            name: self.name,
            id: self.id.unwrap_or_else(random_uuid),
            application: random_uuid(),
            point,
            secret,
            one_time_token,
            folders: self.folders,
        })
    }
}

impl fmt::Debug for ClientSeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientSeed")
            .field("name", &self.name)
            .field("folders", &self.folders)
            .finish_non_exhaustive()
    }
}

/// A secret of a folder, with its title and its fields.
#[derive(Clone)]
#[must_use = "a seed does nothing until it is given to a builder or a server"]
pub struct SecretSeed {
    folder: String,
    title: SecretValue,
    uid: Option<String>,
    fields: Vec<(String, SecretValue)>,
    rotates: BTreeSet<String>,
}

impl SecretSeed {
    /// A secret without fields in the folder of this id.
    pub fn new(folder: &str, title: impl Into<SecretValue>) -> Self {
        let (title, rotates) = (title.into(), BTreeSet::new());
        SecretSeed { folder: folder.to_owned(), title, uid: None, fields: Vec::new(), rotates }
    }

    /// Sets the uid; a random one when left out.
    pub fn uid(mut self, uid: &str) -> Self {
        self.uid = Some(uid.to_owned());
        self
    }

    /// Adds a field.
    pub fn field(mut self, name: &str, value: impl Into<SecretValue>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    /// Has a rotation change this field. A secret without any such field has no rotation policy, and cannot be rotated.
    pub fn rotates(mut self, field: &str) -> Self {
        self.rotates.insert(field.to_owned());
        self
    }

    /// Puts the secret into the database, and gives its uid.
    pub(super) fn put(self, database: &mut Database) -> Result<String, DevServerError> {
        let uid = match self.uid {
            Some(uid) => uid,
            None => new_uid().map_err(|_| DevServerError::Random)?,
        };
        database.put(uid.clone(), &self.folder, &(self.title, self.fields))?;
        if !self.rotates.is_empty() {
            database.policies.insert(uid.clone(), self.rotates);
        }
        Ok(uid)
    }
}

impl fmt::Debug for SecretSeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SecretSeed")
            .field("folder", &self.folder)
            .field("uid", &self.uid)
            .finish_non_exhaustive()
    }
}

/// Says what a [`SyVaultDevServer`] starts with. Nothing said is the folder `production`, which notations call `Production`, and one
/// client, `ci`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use xtrasecurity::syvault::SyVaultFolder;
/// use xtrasecurity::syvault::dev::{ClientSeed, SecretSeed, SyVaultDevServer};
///
/// let server = SyVaultDevServer::builder()
///     .folder(SyVaultFolder::new("f-1").path(["Production"]))
///     .secret(SecretSeed::new("f-1", "Database").field("password", "hunter2").rotates("password"))
///     .client(ClientSeed::new("reader").reads("f-1"))
///     .client(ClientSeed::unregistered("new"))
///     .start()
///     .await?;
/// assert!(server.one_time_token("new").is_some());
/// # server.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until it is started"]
pub struct SyVaultDevServerBuilder {
    folders: Vec<SyVaultFolder>,
    clients: Vec<ClientSeed>,
    secrets: Vec<SecretSeed>,
}

impl SyVaultDevServerBuilder {
    /// Adds a folder. It gets a random key when it has none.
    pub fn folder(mut self, folder: SyVaultFolder) -> Self {
        self.folders.push(folder);
        self
    }

    /// Adds a client.
    pub fn client(mut self, client: ClientSeed) -> Self {
        self.clients.push(client);
        self
    }

    /// Adds a secret.
    pub fn secret(mut self, secret: SecretSeed) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Starts the server on a free loopback port, as a task of the current tokio runtime. It starts no thread.
    ///
    /// # Errors
    ///
    /// Outside a runtime, when no port is free, when the system gives no random numbers, and when the seed contradicts itself.
    pub async fn start(mut self) -> Result<SyVaultDevServer, DevServerError> {
        if self.folders.is_empty() {
            self.folders.push(SyVaultFolder::new("production").path(["Production"]));
        }
        if self.clients.is_empty() {
            self.clients.push(ClientSeed::new("ci"));
        }
        let server = Server::start_in_memory(KEEP_ALIVE, || self.seeded()).await?;
        // known only now: what tokens are signed for has the port in it
        server.shared().state().addresses = ["127.0.0.1", "localhost"].map(|host| server.root(host)).into();
        Ok(SyVaultDevServer { server })
    }

    fn seeded(self) -> Result<Seeded<Database>, DevServerError> {
        let mut state = Database::default();
        for seed in self.folders {
            let (id, path, key) = seed.into_parts();
            if state.folders.iter().any(|known| known.id == id) {
                return Err(DevServerError::Duplicate { what: "folder", name: id });
            }
            let key = match key {
                Some(key) => key.expose().to_owned(),
                None => {
                    let mut bytes = [0; 32];
                    random(&mut bytes).map_err(|_| DevServerError::Random)?;
                    BASE64.encode(bytes)
                }
            };
            state.folders.push(Folder { id, path, key });
        }
        for seed in self.clients {
            let client = seed.build()?;
            if state.clients.iter().any(|known| known.name == client.name || known.id == client.id) {
                return Err(DevServerError::Duplicate { what: "client", name: client.name });
            }
            state.clients.push(client);
        }
        for seed in self.secrets {
            seed.put(&mut state)?;
        }
        Ok(Seeded { state, tokens: Default::default() })
    }
}
