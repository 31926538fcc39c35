//! What the blocking client promises, against the service in memory. What needs a process of its own is in `programs`.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use tokio::runtime::{Builder, Runtime};
use xtrasecurity::blocking::{Client, Request, WithSecret, XtraClient, XtraClientBuilder};
use xtrasecurity::dev_server::{DevServer, Fault, RateLimits, route};
use xtrasecurity::schemars::JsonSchema;
use xtrasecurity::xtra::Xtra;
use xtrasecurity::{
    ErrorKind, SecretSource, SecretValue, UseError, WithSecretError, XtraError,
    clock::ManualClock,
    credentials::{ChainPosition, CredentialProvider, Token, TokenFuture},
    source::{Identity, KeyWriter, Loaded},
};

/// A server on threads of its own, so that it answers while the test's thread is blocked.
struct Service {
    server: DevServer,
    runtime: Runtime,
}

impl Service {
    fn start() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(DevServer::builder().rate_limits(RateLimits::off()).start()).unwrap();
        Self { server, runtime }
    }

    fn builder(&self) -> XtraClientBuilder {
        XtraClient::builder().dev_server(&self.server)
    }

    fn client(&self) -> XtraClient {
        self.builder().build().unwrap()
    }
}

#[test]
fn secrets_are_read_and_cached_by_environment_and_branch() {
    let service = Service::start();
    let client = service.client();
    for _ in 0..3 {
        let main = client.get_secrets("production").send().unwrap();
        assert_eq!(main.require("FEATURE_NEW_UI").unwrap().expose(), "off");
    }
    let branch = client.get_secrets("production").branch("feature/new-ui").send().unwrap();
    assert_eq!(branch.require("FEATURE_NEW_UI").unwrap().expose(), "on");
    assert_eq!((client.stats().hits, client.stats().requests), (2, 2));
    client.get_secrets("production").no_cache().send().unwrap();
    client.clone().clear_cache();
    client.get_secrets("production").send().unwrap();
    assert_eq!(service.server.request_count(route::SECRETS_READ), 4);
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "xtrasecurity::schemars")]
struct Settings {
    api_key: SecretValue,
    #[serde(default)]
    port: u16,
}

#[test]
fn secrets_are_read_as_a_type() {
    let service = Service::start();
    let client = service.client();
    let settings: Settings = client.get_secrets_as("production").send().unwrap();
    assert_eq!((settings.api_key.expose(), settings.port), ("demo-production-key", 0));
    let unexpected = client.get_secrets("production").typed::<Settings>().deny_unexpected().send().unwrap_err();
    assert_eq!((unexpected.kind(), unexpected.names().len()), (ErrorKind::Invalid, 2));
    let empty = client.get_secrets_as::<Settings>("nowhere").send().unwrap_err();
    assert_eq!(empty.kind(), ErrorKind::EmptyScope);
}

/// Every kind of call that could fetch.
fn failures(client: &XtraClient) -> Vec<Option<XtraError>> {
    vec![
        client.get_secrets("production").send().err(),
        client.get_secrets("production").no_cache().send().err(),
        client.get_secrets("production").typed::<Settings>().send().err(),
        client.get_secrets_as::<Settings>("production").send().err(),
        client.get_secrets("production").inject().only(["API_KEY"]).send().err(),
        client.inject_secrets("production").send().err(),
        client.resolve("xtra:///production/API_KEY").send().err(),
        client.render("{{ xtra:///production/API_KEY }}").send().err(),
        client.render_file("/dev/null").send().err(),
        client.resolve_pairs([("A", "xtra:///production/API_KEY")]).send().err(),
        client.preload(["production"]).send().err(),
        unused(client.get_secrets("production").with_secret("API_KEY", never)),
        unused(client.with_secret("API_KEY", never).environment("production")),
        client.block_on(client.raw().projects_list().send()).err(),
        client.block_on(async {}).err(),
    ]
}

fn never(_: SecretValue) -> Result<(), UseError<Infallible>> {
    unreachable!("nothing was read")
}

/// What a request says that must not come to call its closure.
fn unused<'a, F>(request: Request<'a, Xtra, WithSecret<'a, F>>) -> Option<XtraError>
where
    F: FnMut(SecretValue) -> Result<(), UseError<Infallible>>,
{
    match request.send() {
        Err(WithSecretError::Secrets(error)) => Some(error),
        _ => None,
    }
}

#[track_caller]
fn assert_all_refused(client: &XtraClient) {
    let (hits, misses) = (client.stats().hits, client.stats().misses);
    for failure in failures(client) {
        let error = failure.expect("refused inside an async runtime");
        assert_eq!(error.kind(), ErrorKind::Config);
        for advice in ["async client", "await", "std::thread"] {
            assert!(error.to_string().contains(advice), "{error}");
        }
    }
    assert_eq!((client.stats().hits, client.stats().misses), (hits, misses), "nothing was read");
}

#[test]
fn inside_an_async_runtime_every_call_is_an_error_cached_or_not() {
    let service = Service::start();
    let (cold, warm) = (service.client(), service.client());
    warm.get_secrets("production").send().unwrap();
    let one = Builder::new_current_thread().enable_all().build().unwrap();
    let bare = Builder::new_current_thread().build().unwrap();
    for client in [&cold, &warm] {
        one.block_on(async { assert_all_refused(client) });
        bare.block_on(async { assert_all_refused(client) });
        service.runtime.block_on(async { assert_all_refused(client) });
        let task = client.clone();
        service.runtime.block_on(service.runtime.spawn(async move { assert_all_refused(&task) })).unwrap();
        let task = client.clone();
        service.runtime.block_on(service.runtime.spawn_blocking(move || assert_all_refused(&task))).unwrap();
        let _inside = one.enter();
        assert_all_refused(client);
    }
    // The advice helps: a thread of its own may call, and so may this one now.
    one.block_on(async {
        let client = cold.clone();
        thread::spawn(move || client.get_secrets("production").send()).join().unwrap().unwrap();
    });
    cold.get_secrets("production").send().unwrap();
}

#[test]
fn a_client_is_made_cloned_and_dropped_inside_an_async_runtime() {
    let service = Service::start();
    let used = service.client();
    used.get_secrets("production").send().unwrap();
    service.runtime.block_on(async {
        let made = service.client();
        drop((made.clone(), made));
        drop(used.clone());
        drop(used);
    });
    service.client().get_secrets("production").send().unwrap();
}

#[test]
fn the_async_client_shares_the_cache_in_both_directions() {
    let service = Service::start();
    let blocking = service.client();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    blocking.get_secrets("production").send().unwrap();
    runtime.block_on(async { blocking.to_async().get_secrets("PRODUCTION").await }).unwrap();
    runtime.block_on(async { blocking.to_async().get_secrets("staging").await }).unwrap();
    let again = XtraClient::from(blocking.to_async());
    again.get_secrets("staging").send().unwrap();
    assert_eq!((again.stats().hits, again.stats().requests), (2, 2));
}

#[test]
fn every_request_of_the_async_client_can_wait_on_the_callers_thread() {
    let service = Service::start();
    let client = service.client().to_async();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let all = || -> Vec<Result<(), XtraError>> {
        let with_secret =
            client.get_secrets("production").with_secret("API_KEY", |_| async { Ok::<_, UseError<()>>(()) });
        vec![
            client.get_secrets("production").wait().map(drop),
            client.refresh("production").wait().map(drop),
            client.get_secrets_as::<Settings>("production").wait().map(drop),
            client.set_secret("staging", "WAITED", "1").wait().map(drop),
            client.whoami().wait().map(drop),
            client.resolve("xtra:///production/API_KEY").wait().map(drop),
            client.resolve_pairs([("A", "xtra:///production/API_KEY")]).wait().map(drop),
            client.preload(["production"]).wait().map(drop),
            with_secret.wait().map_err(|error| match error {
                WithSecretError::Secrets(error) => error,
                other => panic!("{other:?}"),
            }),
        ]
    };
    for outcome in all() {
        outcome.unwrap();
    }
    // the threads of the test's server make it refuse, which it says after it has read
    assert_eq!(client.inject_secrets("production").wait().unwrap_err().kind(), ErrorKind::UnsoundInjection);
    for outcome in runtime.block_on(async { all() }) {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Config);
    }
}

#[test]
fn eight_threads_wait_at_the_same_time_and_each_gets_its_answer() {
    let service = Service::start();
    let client = service.client();
    let hold = service.server.hold(route::SECRETS_READ);
    thread::scope(|scope| {
        let calls: Vec<_> =
            (0..8).map(|_| scope.spawn(|| client.get_secrets("production").no_cache().send())).collect();
        service.runtime.block_on(hold.waiting_for(8));
        hold.release();
        for call in calls {
            assert!(call.join().unwrap().unwrap().contains("DATABASE_URL"));
        }
    });
    assert_eq!(service.server.request_count(route::SECRETS_READ), 8);
}

#[test]
fn eight_threads_on_eight_clients_read_a_thousand_times_without_a_stall() {
    let service = Service::start();
    let clients: Vec<_> = (0..8).map(|_| service.client()).collect();
    let start = Barrier::new(clients.len());
    thread::scope(|scope| {
        for client in &clients {
            scope.spawn(|| {
                start.wait();
                for _ in 0..125 {
                    client.get_secrets("production").no_cache().send().unwrap();
                }
            });
        }
    });
    assert_eq!(service.server.request_count(route::SECRETS_READ), 1_000);
}

#[test]
fn a_herd_of_64_threads_is_one_request() {
    let service = Service::start();
    let client = service.client();
    let hold = service.server.hold(route::SECRETS_READ);
    thread::scope(|scope| {
        let calls: Vec<_> = (0..64).map(|_| scope.spawn(|| client.get_secrets("production").send())).collect();
        service.runtime.block_on(hold.waiting_for(1));
        while client.stats().misses < 64 {
            thread::yield_now();
        }
        hold.release();
        for call in calls {
            assert!(call.join().unwrap().unwrap().contains("DATABASE_URL"));
        }
    });
    assert_eq!(service.server.request_count(route::SECRETS_READ), 1);
}

#[test]
fn the_error_of_a_shared_request_reaches_every_thread_that_waits_and_is_not_cached() {
    let service = Service::start();
    let client = service.builder().max_retries(0).build().unwrap();
    service.server.fault(Fault::status(503).on(route::SECRETS_READ).forever());
    let hold = service.server.hold(route::SECRETS_READ);
    thread::scope(|scope| {
        let calls: Vec<_> = (0..8).map(|_| scope.spawn(|| client.get_secrets("production").send())).collect();
        while client.stats().misses < 8 {
            thread::yield_now();
        }
        hold.release();
        for call in calls {
            assert_eq!(call.join().unwrap().unwrap_err().kind(), ErrorKind::Server);
        }
    });
    // One, but for a thread that was held up between its miss and its wait.
    assert!(client.stats().requests < 8);
    service.server.clear_faults();
    assert!(client.get_secrets("production").send().unwrap().contains("DATABASE_URL"));
}

#[test]
fn a_call_ends_at_its_deadline() {
    let service = Service::start();
    let client = service.builder().call_timeout(Duration::from_millis(50)).build().unwrap();
    service.server.fault(Fault::hang().forever());
    assert_eq!(client.get_secrets("production").send().unwrap_err().kind(), ErrorKind::Timeout);
}

#[test]
fn the_raw_client_runs_by_block_on() {
    let service = Service::start();
    let client = service.client();
    let read = client.raw().secrets_read().project_id(service.server.project_id()).env("production").branch("main");
    let answer = client.block_on(read.send()).unwrap().unwrap();
    assert_eq!(
        answer.get("API_KEY").and_then(xtrasecurity::xtra::raw::SecretEntry::expose),
        Some("demo-production-key")
    );
    let two = client.block_on(async {
        let first = tokio::spawn(async { 1 });
        first.await.unwrap() + 1
    });
    assert_eq!(two.unwrap(), 2);
}

#[test]
fn references_are_resolved_and_several_environments_preloaded() {
    let service = Service::start();
    let client = service.client();
    assert_eq!(client.resolve("xtra:///production/API_KEY").send().unwrap().expose(), "demo-production-key");
    let text = client.render("key={{ xtra:///staging/API_KEY }}").send().unwrap();
    assert_eq!(text.expose(), "key=demo-staging-key");
    let ready = client.preload(["production", "staging"]).required(["API_KEY"]).send().unwrap();
    assert_eq!(ready.iter().count(), 2);
    assert_eq!(client.stats().requests, 2, "all of it came from two reads");
    let error = client.preload(["production"]).required(["ABSENT"]).send().unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::MissingSecret, &["ABSENT".to_owned()][..]));
}

#[test]
fn a_refused_secret_is_fetched_anew_and_tried_once_more() {
    let service = Service::start();
    let clock = ManualClock::new();
    let client = service.builder().environment("production").clock(clock.clock()).build().unwrap();
    client.get_secrets("production").send().unwrap();
    service.server.set_secret("demo", "production", "main", "API_KEY", "rotated").unwrap();
    clock.advance(Duration::from_secs(15));
    let mut tried = Vec::new();
    let log_in = client.with_secret("API_KEY", |key| {
        tried.push(key.expose().to_owned());
        // Closures may make blocking calls, of the same client too.
        assert_eq!(client.get_secrets("production").send().unwrap().require("API_KEY").unwrap(), &key);
        if key == "rotated" { Ok(7) } else { Err(UseError::Refused("wrong key")) }
    });
    assert_eq!(log_in.send().unwrap(), 7);
    assert_eq!(tried, ["demo-production-key", "rotated"]);
    assert_eq!(service.server.request_count(route::SECRETS_READ), 2);
}

#[test]
fn a_closure_that_fails_or_panics_is_called_once_and_leaves_the_client_as_it_was() {
    let client = XtraClient::in_memory([("API_KEY", "k-1")]).unwrap();
    let mut calls = 0;
    let failed = client.get_secrets("production").with_secret("API_KEY", |_| -> Result<(), UseError<&str>> {
        calls += 1;
        Err("no route")?;
        Ok(())
    });
    assert!(matches!(failed.send(), Err(WithSecretError::Failed("no route"))));
    let missing = client.get_secrets("production").with_secret("ABSENT", never).send();
    assert!(matches!(missing, Err(WithSecretError::Secrets(error)) if error.kind() == ErrorKind::MissingSecret));
    let panics = client.get_secrets("production").with_secret("API_KEY", |_| -> Result<(), UseError<&str>> {
        calls += 1;
        panic!("on purpose")
    });
    assert!(catch_unwind(AssertUnwindSafe(|| panics.send())).is_err());
    assert_eq!(calls, 2);
    assert!(client.get_secrets("production").send().is_ok());
}

/// A source that panics when it is told to.
#[derive(Default)]
struct Moody(Arc<AtomicBool>);

impl SecretSource for Moody {
    type Scope<'a> = &'a str;
    type Owned = String;

    fn name(&self) -> &'static str {
        "moody"
    }

    fn identity(&self) -> Identity {
        Identity::of("this test")
    }

    fn write_key(&self, scope: &&str, key: &mut KeyWriter) {
        key.field(scope);
    }

    fn prepare(&self, scope: &&str) -> Result<String, XtraError> {
        Ok((*scope).to_owned())
    }

    async fn load(&self, scope: &String) -> Result<Loaded, XtraError> {
        tokio::task::yield_now().await;
        assert!(!self.0.load(Ordering::SeqCst), "on purpose");
        Ok(Loaded::from_iter([("SCOPE", scope.as_str())]))
    }
}

#[test]
fn a_source_of_ones_own_is_read_and_its_panic_harms_no_later_call() {
    let mood = Arc::new(AtomicBool::new(true));
    let client = Client::from(xtrasecurity::Client::new_with_source(Moody(Arc::clone(&mood))));
    let error = client.read("a").send().unwrap_err();
    assert!(error.kind() == ErrorKind::Server && !error.to_string().contains("on purpose"), "{error}");
    mood.store(false, Ordering::SeqCst);
    assert_eq!(client.read("a").send().unwrap().require("SCOPE").unwrap().expose(), "a");
    let service = Service::start();
    assert!(service.client().get_secrets("production").send().is_ok());
}

/// Credentials that are themselves a secret, fetched in the way that cannot work: by a blocking call on the runtime.
struct FromSecrets(XtraClient);

impl CredentialProvider for FromSecrets {
    fn identity(&self) -> Identity {
        Identity::of("from secrets")
    }

    fn token(&self) -> TokenFuture<'_> {
        Box::pin(async {
            let secrets = self.0.get_secrets("production").send()?;
            Token::new(secrets.require("API_KEY")?.expose())
        })
    }
}

#[test]
fn a_blocking_call_from_within_a_request_is_an_error_and_no_deadlock() {
    let service = Service::start();
    let provider = Arc::new(FromSecrets(service.client()));
    let client = XtraClient::builder()
        .project_id(service.server.project_id())
        .api_url(service.server.url())
        .credentials(ChainPosition::First, provider)
        .build()
        .unwrap();
    let error = client.get_secrets("production").send().unwrap_err();
    assert!(error.to_string().contains("inside an async runtime"), "{error}");
}

#[test]
fn clients_and_requests_may_be_sent_to_and_shared_between_threads() {
    fn assert_both<T: Send + Sync>(_: &T) {}
    let client = XtraClient::in_memory([("A", "1")]).unwrap();
    assert_both(&client);
    assert_both(&client.get_secrets("production"));
    assert_both(&client.inject_secrets("production"));
    assert_both(&client.render("text"));
    assert_both(&client.resolve_pairs([("A", "1")]));
    assert_both(&client.preload(["production"]));
    assert_both(&XtraClient::builder());
}
