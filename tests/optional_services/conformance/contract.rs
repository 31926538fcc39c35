//! The parts of a contract, and what a service provides to be held to them.

use std::io::Write;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::Pin;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use xtrasecurity::{Client, EngineOptions, SecretSource, XtraError};

/// The reason for which a part of the contract was not held to its end.
#[derive(Debug)]
pub(crate) enum Skip {
    /// The token of a live service may not do it.
    Refused(String),
    /// A live service is not broken on purpose, nor changed behind a client's back.
    IsLive,
    /// The service cannot do it.
    Lacks(Lack),
}

/// What a service cannot do by its nature. A service lists the parts of the contract that need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lack {
    /// It has no writes at all: somebody else keeps the secrets.
    Writes,
    /// It has no operation that changes or deletes one secret of a scope.
    Changes,
    /// It has no creation that fails where the secret exists.
    Creation,
    /// It has no scope without secrets.
    EmptyScopes,
    /// It does not keep white space at the ends of a value.
    OuterWhiteSpace,
    /// It does not ask who reads.
    Callers,
    /// A client of it has one scope.
    Scopes,
    /// It is on this machine, or put together of what is kept elsewhere: no copy of it is made on disk.
    Copies,
}

impl From<Lack> for Skip {
    fn from(lack: Lack) -> Self {
        Self::Lacks(lack)
    }
}

/// How a service answers reads from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Well,
    /// It cannot be reached, or fails in a way that passes.
    Away,
    /// It refuses the caller, in its own words.
    Refusing,
}

/// A scope of a service.
pub(crate) type ScopeOf<'a, S> = <<S as Service>::Source as SecretSource>::Scope<'a>;

/// A service that is held to the contract: its dev server, one that runs elsewhere, or a source without a server.
pub(crate) trait Service: Sized + Send + Sync + 'static {
    type Source: SecretSource;

    const NAME: &'static str;

    /// The variables without which there is no live service; none when there is never one.
    const VARIABLES: &'static [&'static str] = &[];

    /// What else a live service can be told by.
    const OPTIONAL_VARIABLES: &'static [&'static str] = &[];

    /// The variables in which a client finds its credentials.
    const CREDENTIALS: &'static [&'static str] = &[];

    /// The parts of the contract that the service cannot be held to, with what it lacks for each.
    const LEFT_OUT: &'static [(&'static str, Lack)] = &[];

    /// The dev server, without rate limits.
    async fn in_memory() -> Self;

    /// The service that the variables name.
    async fn live() -> Result<Self, XtraError>;

    /// The name of a scope that nobody else has, without secrets, which is taken away at the end.
    async fn new_scope(&self) -> Result<String, Skip>;

    /// The name of a scope that has these secrets, for a part that does not change them: a live service may give it to several.
    async fn read_only_scope(&self, secrets: &[(&str, &str)]) -> Result<String, Skip> {
        let name = self.new_scope().await?;
        self.put(&name, secrets).await?;
        Ok(name)
    }

    /// The scope of this name.
    fn scope<'a>(&'a self, name: &'a str) -> ScopeOf<'a, Self>;

    /// A new client. It does not repeat what fails, so that nothing waits.
    fn client(&self, options: EngineOptions) -> Client<Self::Source>;

    /// The client that writes, by the methods below.
    fn writer(&self) -> &Client<Self::Source>;

    /// A client with credentials that the service does not know.
    fn stranger(&self) -> Result<Client<Self::Source>, Skip>;

    /// What must be shown nowhere, beside values: tokens, keys.
    fn credentials(&self) -> Vec<String>;

    /// How a scope is named by errors.
    fn shown(&self, name: &str) -> String {
        name.to_owned()
    }

    /// The outcome of what the contract needs and not every token may do: a refusal of a live service skips the part.
    fn may<T>(&self, outcome: Result<T, XtraError>) -> Result<T, Skip>;

    /// Creates and updates secrets, by the writer.
    async fn set(&self, scope: &str, secrets: &[(&str, &str)]) -> Result<(), Skip>;

    /// Creates a secret that is not there, by the writer.
    async fn create(&self, scope: &str, key: &str, value: &str) -> Result<Result<(), XtraError>, Skip>;

    /// Deletes a secret, by the writer.
    async fn delete(&self, scope: &str, key: &str) -> Result<(), Skip>;

    /// Makes the scope hold these secrets and no others, which clients but the writer are not told of.
    async fn put(&self, scope: &str, secrets: &[(&str, &str)]) -> Result<(), Skip> {
        let there = self.may(self.writer().read(self.scope(scope)).no_cache().await)?;
        for gone in there.names().filter(|name| !secrets.iter().any(|(key, _)| key == name)) {
            self.delete(scope, gone).await?;
        }
        if secrets.is_empty() { Ok(()) } else { self.set(scope, secrets).await }
    }

    /// Has the service answer so from now on.
    fn condition(&self, condition: Condition) -> Result<(), Skip>;

    /// Whether copies of what is read are made on disk.
    fn copies(&self) -> Result<(), Skip> {
        Ok(())
    }

    /// How often the service was asked for anything, by this client or by all.
    fn requests(&self, client: &Client<Self::Source>) -> u64 {
        client.stats().requests
    }

    /// Takes away what was made. What stays is said: the run is not to fail because of it.
    async fn clean_up(&self) {}

    /// Takes away, after the last part, what was kept for several.
    async fn close(&self) {}

    /// A description of what a part of the contract might leave behind in the dev server.
    async fn inventory(&self) -> String {
        String::new()
    }
}

type Run = Pin<Box<dyn Future<Output = Result<(), Skip>>>>;

/// A part of the contract.
pub(crate) struct Part<S> {
    pub(crate) name: &'static str,
    pub(crate) run: fn(Arc<S>) -> Run,
}

impl<S: Service> Part<S> {
    /// Runs it, and takes away what it has made, however it ended. What the service lacks must be listed, and the other way round.
    async fn hold(&self, service: &Arc<S>) -> std::thread::Result<Result<(), Skip>> {
        let listed = S::LEFT_OUT.iter().find(|(name, _)| *name == self.name).map(|(_, lack)| *lack);
        let run = async {
            let outcome = (self.run)(Arc::clone(service)).await;
            match &outcome {
                Err(Skip::Refused(_) | Skip::IsLive) => {}
                Ok(()) => assert_eq!(listed, None, "{} holds it: it is not to be listed as left out", S::NAME),
                Err(Skip::Lacks(lack)) => assert_eq!(Some(*lack), listed, "what is left out is listed by {}", S::NAME),
            }
            outcome
        };
        let outcome = AssertUnwindSafe(run).catch_unwind().await;
        service.clean_up().await;
        outcome
    }

    /// Holds the dev server to it. It leaves out nothing but what it lacks.
    pub(crate) async fn holds_in_memory(&self) {
        let service = Arc::new(S::in_memory().await);
        let before = service.inventory().await;
        match self.hold(&service).await {
            Ok(Ok(())) => {}
            Ok(Err(Skip::Lacks(lack))) => say(&format!("{}: LEFT OUT: {}, for it lacks {lack:?}", S::NAME, self.name)),
            Ok(Err(skip)) => panic!("{skip:?}"),
            Err(panic) => resume_unwind(panic),
        }
        assert_eq!(service.inventory().await, before, "nothing is left behind");
    }
}

/// Holds the live service to the whole contract, if the variables name one.
pub(crate) async fn holds_live<S: Service>(contract: &[Part<S>]) {
    let missing: Vec<&str> = S::VARIABLES.iter().copied().filter(|name| variable(name).is_none()).collect();
    if !missing.is_empty() {
        say(&format!("{}: the live part was NOT RUN: {} not set", S::NAME, missing.join(" and ")));
        return;
    }
    let service = Arc::new(S::live().await.unwrap_or_else(|error| panic!("{error}")));
    let (mut held, mut skipped, mut left_out, mut failed) = (0, 0, 0, Vec::new());
    // one after the other, for the sake of the service's limits
    for part in contract {
        let name = part.name;
        match part.hold(&service).await {
            Ok(Ok(())) => {
                held += 1;
                say(&format!("held: {name}"));
            }
            Ok(Err(Skip::Refused(why))) => {
                skipped += 1;
                say(&format!("SKIPPED: {name}, for the token may not do it: {why}"));
            }
            Ok(Err(why)) => {
                left_out += 1;
                say(&format!("LEFT OUT: {name}, {why:?}"));
            }
            Err(_) => {
                say(&format!("FAILED: {name}"));
                failed.push(name);
            }
        }
    }
    service.close().await;
    say(&format!("live: {held} held, {skipped} skipped, {left_out} left out, {} failed", failed.len()));
    assert_eq!(failed, [""; 0]);
}

/// What is left out under a name that no part has would be held to nothing.
pub(crate) fn knows_what_is_left_out<S: Service>(contract: &[Part<S>]) {
    for (name, _) in S::LEFT_OUT {
        assert!(contract.iter().any(|part| part.name == *name), "{name}");
    }
}

/// This binary again, with nothing but the live part of a module, which these variables name a service for; and what it said.
pub(crate) async fn live_run<S: Service>(module: &str, variables: Vec<(&'static str, String)>) -> (Output, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let (_, module) = module.split_once("::").unwrap();
    command.args(["--exact", &format!("{module}::a_live_service_holds_the_contract_where_one_is_named")]);
    for name in S::VARIABLES.iter().chain(S::OPTIONAL_VARIABLES) {
        command.env_remove(name);
    }
    command.envs(variables);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    (output, said)
}

/// Writes past the harness, which would keep it back: what was not tested is to be seen.
pub(crate) fn say(text: &str) {
    let mut stderr = std::io::stderr().lock();
    stderr.write_all(format!("conformance: {text}\n").as_bytes()).unwrap();
}

pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A name that nobody has, in small letters, as services spell environments, and short, as errors show names.
pub(crate) fn unique() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    format!("{now:x}-{:x}-{:x}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// The contract of a service: that of every service, and its own. Each part is a test against its dev server.
macro_rules! contract {
    ($service:ty $(: $($module:ident::$name:ident),+ $(,)?)?) => {
        use $crate::{engine_promises, service_promises};

        contract! { @parts $service:
            service_promises::values_come_back_as_they_were_written,
            service_promises::white_space_around_values_comes_back,
            service_promises::large_values_come_back,
            service_promises::a_write_shows_in_the_next_read,
            service_promises::what_exists_is_not_created_again,
            service_promises::what_was_deleted_is_gone_and_the_rest_is_not,
            service_promises::a_caller_that_nobody_knows_is_refused,
            engine_promises::a_hit_sends_nothing,
            engine_promises::concurrent_first_reads_are_one_load,
            engine_promises::scopes_are_told_apart,
            engine_promises::a_failed_refresh_serves_the_snapshot_that_is_kept_and_says_that_it_is_stale,
            engine_promises::a_refusal_drops_the_snapshot,
            engine_promises::a_refresh_that_loses_everything_is_held_back,
            engine_promises::no_cache_fetches_and_stores,
            engine_promises::secrets_become_a_type,
            engine_promises::a_child_gets_the_secrets_without_the_credentials_of_the_client,
            engine_promises::a_watch_tells_what_has_changed,
            engine_promises::a_copy_on_disk_stands_in_when_the_service_is_away,
            engine_promises::requests_can_wait_on_a_thread_without_a_runtime,
            engine_promises::a_name_that_is_missing_is_told_with_its_scope,
            engine_promises::an_empty_scope_is_refused_by_injection_and_types,
            engine_promises::nothing_secret_is_in_debug,
            $($($module::$name),+)?
        }
    };
    (@parts $service:ty: $($module:ident::$name:ident),+ $(,)?) => {
        const CONTRACT: &[$crate::contract::Part<$service>] = &[$($crate::contract::Part {
            name: stringify!($name),
            run: |service| Box::pin($module::$name(service)),
        }),+];

        mod in_memory {
            $(#[tokio::test]
            async fn $name() {
                let part = super::CONTRACT.iter().find(|part| part.name == stringify!($name)).unwrap();
                part.holds_in_memory().await;
            })+

            #[test]
            fn what_is_left_out_is_a_part_of_the_contract() {
                $crate::contract::knows_what_is_left_out(super::CONTRACT);
            }
        }
    };
}
