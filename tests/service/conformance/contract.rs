//! The parts of a contract, and what a service provides to be held to them.

use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::task::JoinError;
use xtrasecurity::{Secrets, XtraError};

/// The reason for which a part of the contract was not held to its end.
#[derive(Debug)]
pub(crate) struct Skip(pub(crate) String);

/// A service that is held to the contract: its dev server, or one that runs elsewhere.
pub(crate) trait Service: Sized + Send + Sync + 'static {
    /// The variables without which there is no live service.
    const VARIABLES: &'static [&'static str];

    /// The dev server, without rate limits.
    async fn in_memory() -> Self;

    /// The service that the variables name.
    async fn live() -> Result<Self, XtraError>;

    /// An environment that nobody else has, emptied at the end.
    fn environment(&self) -> String;

    /// The outcome of what the contract needs and not every token may do: a refusal of a live service skips the part.
    fn may<T>(&self, outcome: Result<T, XtraError>) -> Result<T, Skip>;

    fn read(&self, environment: &str) -> impl Future<Output = Result<Arc<Secrets>, XtraError>> + Send;

    /// Reads with another token.
    fn read_as(&self, token: &str, environment: &str) -> impl Future<Output = Result<Arc<Secrets>, XtraError>> + Send;

    /// Creates and updates secrets.
    fn set(&self, environment: &str, secrets: &[(&str, &str)]) -> impl Future<Output = Result<(), XtraError>> + Send;

    /// Creates a secret that is not there.
    fn create(&self, environment: &str, key: &str, value: &str) -> impl Future<Output = Result<(), XtraError>> + Send;

    fn delete(&self, environment: &str, key: &str) -> impl Future<Output = Result<(), XtraError>> + Send;

    /// Takes away what was made. What stays is said: the run is not to fail because of it.
    fn clean_up(&self) -> impl Future<Output = ()> + Send;

    /// A description of what a part of the contract might leave behind in the dev server.
    fn inventory(&self) -> impl Future<Output = String> + Send;
}

type Run = Pin<Box<dyn Future<Output = Result<(), Skip>> + Send>>;

/// A part of the contract.
pub(crate) struct Part<S> {
    pub(crate) name: &'static str,
    pub(crate) run: fn(Arc<S>) -> Run,
}

impl<S: Service> Part<S> {
    /// Runs it, and takes away what it has made, however it ended.
    async fn hold(&self, service: &Arc<S>) -> Result<Result<(), Skip>, JoinError> {
        let outcome = tokio::spawn((self.run)(Arc::clone(service))).await;
        service.clean_up().await;
        outcome
    }

    /// Holds the dev server to it, which leaves out nothing.
    pub(crate) async fn holds_in_memory(&self) {
        let service = Arc::new(S::in_memory().await);
        let before = service.inventory().await;
        match self.hold(&service).await {
            Ok(outcome) => outcome.unwrap(),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
        assert_eq!(service.inventory().await, before, "nothing is left behind");
    }
}

/// Holds the live service to the whole contract, if the variables name one.
pub(crate) async fn holds_live<S: Service>(contract: &[Part<S>]) {
    let missing: Vec<&str> = S::VARIABLES.iter().copied().filter(|name| variable(name).is_none()).collect();
    if !missing.is_empty() {
        say(&format!("the live part was NOT RUN: {} not set", missing.join(" and ")));
        return;
    }
    let service = Arc::new(S::live().await.unwrap_or_else(|error| panic!("{error}")));
    let (mut held, mut skipped, mut failed) = (0, 0, Vec::new());
    // one after the other, for the sake of the service's limits
    for part in contract {
        let name = part.name;
        match part.hold(&service).await {
            Ok(Ok(())) => {
                held += 1;
                say(&format!("held: {name}"));
            }
            Ok(Err(Skip(why))) => {
                skipped += 1;
                say(&format!("SKIPPED: {name}, for the token may not do it: {why}"));
            }
            Err(_) => {
                say(&format!("FAILED: {name}"));
                failed.push(name);
            }
        }
    }
    say(&format!("live: {held} held, {skipped} skipped, {} failed", failed.len()));
    assert_eq!(failed, [""; 0]);
}

/// Writes past the harness, which would keep it back: what was not tested is to be seen.
pub(crate) fn say(text: &str) {
    let mut stderr = std::io::stderr().lock();
    stderr.write_all(format!("conformance: {text}\n").as_bytes()).unwrap();
}

pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A name that nobody has, in small letters, as services spell environments.
pub(crate) fn unique() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    format!("{now:x}-{:x}-{:x}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// The contract of a service: that of every service, and its own. Each part is a test against its dev server.
macro_rules! contract {
    ($service:ty: $($module:ident::$name:ident),+ $(,)?) => {
        use $crate::conformance::every_service;

        contract! { @parts $service:
            every_service::values_come_back_as_they_were_written,
            every_service::large_values_come_back,
            every_service::a_write_shows_in_the_next_read,
            every_service::what_exists_is_not_created_again,
            every_service::what_was_deleted_is_gone_and_the_rest_is_not,
            every_service::a_token_that_nobody_knows_is_refused,
            $($module::$name),+
        }
    };
    (@parts $service:ty: $($module:ident::$name:ident),+) => {
        const CONTRACT: &[$crate::conformance::contract::Part<$service>] = &[$($crate::conformance::contract::Part {
            name: stringify!($name),
            run: |service| Box::pin($module::$name(service)),
        }),+];

        mod in_memory {
            $(#[tokio::test]
            async fn $name() {
                let part = super::CONTRACT.iter().find(|part| part.name == stringify!($name)).unwrap();
                part.holds_in_memory().await;
            })+
        }
    };
}
