//! A source of a program's own under the contract: one that is read only, asks nobody who they are, and has no server.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use xtrasecurity::source::{Identity, KeyWriter, Loaded, ScopeDescription};
use xtrasecurity::{Client, EngineOptions, ErrorKind, SecretSource, XtraError};

use crate::contract::{Condition, Lack, Service, Skip, unique};

contract! { OwnService }

/// Secrets by name of their scope.
#[derive(Clone)]
struct Own(Arc<Shared>);

struct Shared {
    scopes: Mutex<BTreeMap<String, Vec<(String, String)>>>,
    condition: Mutex<Condition>,
    loads: AtomicU64,
}

impl SecretSource for Own {
    type Scope<'a> = &'a str;
    type Owned = String;

    fn name(&self) -> &'static str {
        "own"
    }

    fn scope_name<'s>(&self, scope: &'s &str) -> Cow<'s, str> {
        Cow::Borrowed(scope)
    }

    fn describe(&self, scope: &String) -> Option<ScopeDescription> {
        Some(ScopeDescription::new(format!("the scope {scope}")).named(scope))
    }

    fn identity(&self) -> Identity {
        Identity::of("this program")
    }

    fn write_key(&self, scope: &&str, key: &mut KeyWriter) {
        key.field(scope);
    }

    fn prepare(&self, scope: &&str) -> Result<String, XtraError> {
        Ok((*scope).to_owned())
    }

    async fn load(&self, scope: &String) -> Result<Loaded, XtraError> {
        self.0.loads.fetch_add(1, Ordering::Relaxed);
        // as a file is waited for
        tokio::task::yield_now().await;
        match *self.0.condition.lock().unwrap() {
            Condition::Well => Ok(self.0.scopes.lock().unwrap().get(scope).into_iter().flatten().cloned().collect()),
            Condition::Away => Err(XtraError::new(ErrorKind::Network, "it is away")),
            Condition::Refusing => Err(XtraError::new(ErrorKind::Forbidden, "it refuses").with_status(403)),
        }
    }
}

struct OwnService {
    source: Own,
    writer: Client<Own>,
}

impl Service for OwnService {
    type Source = Own;

    const NAME: &'static str = "a source of one's own";
    const LEFT_OUT: &'static [(&'static str, Lack)] = &[
        ("a_write_shows_in_the_next_read", Lack::Writes),
        ("what_exists_is_not_created_again", Lack::Writes),
        ("what_was_deleted_is_gone_and_the_rest_is_not", Lack::Writes),
        ("a_caller_that_nobody_knows_is_refused", Lack::Callers),
    ];

    async fn in_memory() -> Self {
        let condition = Mutex::new(Condition::Well);
        let source = Own(Arc::new(Shared { scopes: Mutex::default(), condition, loads: AtomicU64::new(0) }));
        Self { writer: Client::new_with_source(source.clone()), source }
    }

    async fn live() -> Result<Self, XtraError> {
        Ok(Self::in_memory().await)
    }

    async fn new_scope(&self) -> Result<String, Skip> {
        Ok(unique())
    }

    fn scope<'a>(&'a self, name: &'a str) -> &'a str {
        name
    }

    fn client(&self, options: EngineOptions) -> Client<Own> {
        Client::with_options(self.source.clone(), options)
    }

    fn writer(&self) -> &Client<Own> {
        &self.writer
    }

    fn stranger(&self) -> Result<Client<Own>, Skip> {
        Err(Lack::Callers.into())
    }

    fn credentials(&self) -> Vec<String> {
        Vec::new()
    }

    fn may<T>(&self, outcome: Result<T, XtraError>) -> Result<T, Skip> {
        Ok(outcome.unwrap())
    }

    async fn set(&self, _: &str, _: &[(&str, &str)]) -> Result<(), Skip> {
        Err(Lack::Writes.into())
    }

    async fn create(&self, _: &str, _: &str, _: &str) -> Result<Result<(), XtraError>, Skip> {
        Err(Lack::Writes.into())
    }

    async fn delete(&self, _: &str, _: &str) -> Result<(), Skip> {
        Err(Lack::Writes.into())
    }

    async fn put(&self, scope: &str, secrets: &[(&str, &str)]) -> Result<(), Skip> {
        let secrets = secrets.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.source.0.scopes.lock().unwrap().insert(scope.to_owned(), secrets);
        Ok(())
    }

    fn condition(&self, condition: Condition) -> Result<(), Skip> {
        *self.source.0.condition.lock().unwrap() = condition;
        Ok(())
    }

    fn requests(&self, _: &Client<Own>) -> u64 {
        self.source.0.loads.load(Ordering::Relaxed)
    }
}
