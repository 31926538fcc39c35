//! SyVault under the contract. A scope is a secret, with its fields.
//!
//! `SY_TEST_SERVER`, `SY_TEST_CLIENT_ID`, `SY_TEST_CLIENT_SECRET`, `SY_TEST_FOLDER_ID` and `SY_TEST_FOLDER_KEY` name a live one, and a
//! folder in which the client may create secrets. They stay there: the service has no documented way to delete one.

use std::collections::BTreeMap;
use std::sync::Mutex;

use xtrasecurity::syvault::dev::{ClientSeed, Fault, SecretSeed, SyVaultDevServer};
use xtrasecurity::syvault::{SyVault, SyVaultClient, SyVaultClientBuilder, SyVaultFolder, SyVaultScope};
use xtrasecurity::{EngineOptions, ErrorKind, XtraError};

use crate::contract::{Condition, Lack, Service, Skip, holds_live, live_run, say, unique, variable};

const SERVER: &str = "SY_TEST_SERVER";
const CLIENT_ID: &str = "SY_TEST_CLIENT_ID";
const CLIENT_SECRET: &str = "SY_TEST_CLIENT_SECRET";
const FOLDER_ID: &str = "SY_TEST_FOLDER_ID";
const FOLDER_KEY: &str = "SY_TEST_FOLDER_KEY";

/// The key of the dev server's folder.
const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// A private key that no service has the public one of.
const STRANGER: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

contract! { SyVaultService }

#[tokio::test]
async fn a_live_service_holds_the_contract_where_one_is_named() {
    holds_live(CONTRACT).await;
}

#[tokio::test]
async fn a_live_run_holds_what_needs_no_changes_and_names_what_it_leaves_behind() {
    let elsewhere = SyVaultService::in_memory().await;
    let Account { server, client_id, client_secret, folder_id, folder_key } = &elsewhere.account;
    let variables = [SERVER, CLIENT_ID, CLIENT_SECRET, FOLDER_ID, FOLDER_KEY]
        .into_iter()
        .zip([server, client_id, client_secret, folder_id, folder_key].map(String::clone));
    let (output, said) = live_run::<SyVaultService>(module_path!(), variables.collect()).await;
    assert!(output.status.success() && said.contains("left behind, for clients delete nothing: "), "{said}");
    // three break the service, two change what is there by another hand, and five need what it lacks
    let held = CONTRACT.len() - 10;
    assert!(said.contains(&format!("live: {held} held, 0 skipped, 10 left out, 0 failed")), "{said}");
    assert!(!said.contains(client_secret.as_str()) && !said.contains(folder_key.as_str()), "{said}");
}

struct SyVaultService {
    writer: SyVaultClient,
    account: Account,
    /// The uids of the secrets that were made, by title.
    uids: Mutex<BTreeMap<String, String>>,
    /// None: it runs elsewhere.
    server: Option<SyVaultDevServer>,
}

struct Account {
    server: String,
    client_id: String,
    client_secret: String,
    folder_id: String,
    folder_key: String,
}

impl Service for SyVaultService {
    type Source = SyVault;

    const NAME: &'static str = "SyVault";
    const VARIABLES: &'static [&'static str] = &[SERVER, CLIENT_ID, CLIENT_SECRET, FOLDER_ID, FOLDER_KEY];
    const CREDENTIALS: &'static [&'static str] = &["SY_CLIENT_SECRET"];
    const LEFT_OUT: &'static [(&'static str, Lack)] = &[
        ("a_write_shows_in_the_next_read", Lack::Changes),
        ("what_exists_is_not_created_again", Lack::Creation),
        ("what_was_deleted_is_gone_and_the_rest_is_not", Lack::Changes),
        ("a_refresh_that_loses_everything_is_held_back", Lack::EmptyScopes),
        ("an_empty_scope_is_refused_by_injection_and_types", Lack::EmptyScopes),
    ];

    async fn in_memory() -> Self {
        let folder = SyVaultFolder::new("test").key(KEY);
        let client = ClientSeed::new("ci");
        let server = SyVaultDevServer::builder().folder(folder).client(client).start().await.unwrap();
        let account = Account {
            server: server.url(),
            client_id: server.client_id("ci").unwrap(),
            client_secret: server.client_secret("ci").unwrap(),
            folder_id: "test".to_owned(),
            folder_key: KEY.to_owned(),
        };
        Self::new(account, Some(server)).unwrap()
    }

    async fn live() -> Result<Self, XtraError> {
        let named = |name| variable(name).unwrap_or_default();
        let account = Account {
            server: named(SERVER),
            client_id: named(CLIENT_ID),
            client_secret: named(CLIENT_SECRET),
            folder_id: named(FOLDER_ID),
            folder_key: named(FOLDER_KEY),
        };
        Self::new(account, None)
    }

    async fn new_scope(&self) -> Result<String, Skip> {
        Ok(format!("test-{}", unique()))
    }

    fn scope<'a>(&'a self, name: &'a str) -> SyVaultScope<'a> {
        SyVaultScope::secret(self.shown(name))
    }

    fn client(&self, options: EngineOptions) -> SyVaultClient {
        let builder = self.account.builder().engine_options(options);
        builder.max_retries(if self.server.is_some() { 0 } else { 3 }).build().unwrap()
    }

    fn writer(&self) -> &SyVaultClient {
        &self.writer
    }

    fn stranger(&self) -> Result<SyVaultClient, Skip> {
        Ok(self.account.builder().client_secret(STRANGER).build().unwrap())
    }

    fn credentials(&self) -> Vec<String> {
        vec![self.account.client_secret.clone(), self.account.folder_key.clone(), STRANGER.to_owned()]
    }

    fn shown(&self, name: &str) -> String {
        self.uids.lock().unwrap().get(name).map_or(name, String::as_str).to_owned()
    }

    fn may<T>(&self, outcome: Result<T, XtraError>) -> Result<T, Skip> {
        outcome.map_err(|error| {
            assert!(self.server.is_none() && error.kind() == ErrorKind::Forbidden, "{error}");
            Skip::Refused(error.to_string())
        })
    }

    async fn set(&self, title: &str, fields: &[(&str, &str)]) -> Result<(), Skip> {
        if self.uids.lock().unwrap().contains_key(title) {
            return Err(Lack::Changes.into());
        }
        let fields = fields.iter().map(|(name, value)| (*name, *value));
        let created = self.may(self.writer.create(self.account.folder_id.as_str(), title, fields).await)?;
        self.uids.lock().unwrap().insert(title.to_owned(), created.uid);
        Ok(())
    }

    async fn create(&self, _: &str, _: &str, _: &str) -> Result<Result<(), XtraError>, Skip> {
        Err(Lack::Creation.into())
    }

    async fn delete(&self, _: &str, _: &str) -> Result<(), Skip> {
        Err(Lack::Changes.into())
    }

    /// What is there is changed by people, in the vault.
    async fn put(&self, title: &str, fields: &[(&str, &str)]) -> Result<(), Skip> {
        if fields.is_empty() {
            return Err(Lack::EmptyScopes.into());
        }
        let known = self.uids.lock().unwrap().get(title).cloned();
        match known {
            None => self.set(title, fields).await,
            Some(uid) => {
                let secret = SecretSeed::new(&self.account.folder_id, title).uid(&uid);
                let secret = fields.iter().fold(secret, |secret, (name, value)| secret.field(name, *value));
                self.server.as_ref().ok_or(Skip::IsLive)?.put_secret(secret).unwrap();
                Ok(())
            }
        }
    }

    fn condition(&self, condition: Condition) -> Result<(), Skip> {
        let server = self.server.as_ref().ok_or(Skip::IsLive)?;
        server.clear_faults();
        match condition {
            Condition::Well => {}
            Condition::Away => server.fault(Fault::status(503).forever()),
            Condition::Refusing => server.fault(Fault::status(403).forever()),
        }
        Ok(())
    }

    fn requests(&self, client: &SyVaultClient) -> u64 {
        self.server.as_ref().map_or_else(|| client.stats().requests, SyVaultDevServer::total_requests)
    }

    async fn clean_up(&self) {
        let _ = self.condition(Condition::Well);
        let made = std::mem::take(&mut *self.uids.lock().unwrap());
        if self.server.is_none() && !made.is_empty() {
            say(&format!(
                "left behind, for clients delete nothing: {}",
                made.into_values().collect::<Vec<_>>().join(", ")
            ));
        }
    }
}

impl SyVaultService {
    fn new(account: Account, server: Option<SyVaultDevServer>) -> Result<Self, XtraError> {
        Ok(Self { writer: account.builder().build()?, account, uids: Mutex::default(), server })
    }
}

impl Account {
    fn builder(&self) -> SyVaultClientBuilder {
        let folder = SyVaultFolder::new(self.folder_id.as_str()).key(self.folder_key.as_str());
        let builder = SyVaultClient::builder().server(self.server.as_str()).client_id(self.client_id.as_str());
        builder.client_secret(self.client_secret.as_str()).folder(folder)
    }
}
