//! The promises of `resolve_references`: every way to read gives other secrets in the place of the references in values.

use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use xtrasecurity::dev_server::{DevServer, Fault, Form, ProjectSeed, RateLimits, Role, SecretSeed, UserSeed, route};
use xtrasecurity::schemars::{self, JsonSchema};
use xtrasecurity::xtra::XtraScope;
use xtrasecurity::{
    CacheOptions, ErrorKind, OfflineOptions, SecretValue, Secrets, SecretsProvider, UseError, XtraClient,
    XtraClientBuilder, XtraError, blocking, clock::ManualClock, snapshot::SnapshotSource,
};

const READ: &str = route::SECRETS_READ;
const URL: &str = "postgres://app:{{ xtra:///PASSWORD }}@{{ xtra:///shared/HOST }}/app";
const WHOLE: &str = "postgres://app:hunter2@db/app";
const TTL: Duration = Duration::from_secs(30);

struct World {
    server: DevServer,
    clock: ManualClock,
}

impl World {
    async fn new() -> Self {
        let project = ProjectSeed::new("main")
            .id("aaaaaaaaaaaaaaaaaaaaaaa1")
            .owner("owner")
            .member("viewer", Role::Viewer)
            .branch("feature/x")
            .secret("production", "DATABASE_URL", URL)
            .secret("production", "PASSWORD", "hunter2")
            .secret("production", "PORT", "8080")
            .secret("shared", "HOST", "db")
            .secret("plain", "ONLY", "text")
            .with_secret(SecretSeed::new("broken", "LOST", "hunter2").form(Form::Undecryptable));
        let closed =
            ProjectSeed::new("closed").id("ccccccccccccccccccccccc3").owner("somebody").secret("e", "A", "hunter2");
        let users = ["owner", "viewer", "somebody"].map(UserSeed::new);
        let builder = users.into_iter().fold(DevServer::builder(), |builder, user| builder.user(user));
        let server = builder.project(project).project(closed).rate_limits(RateLimits::off()).start().await.unwrap();
        Self { server, clock: ManualClock::new() }
    }

    fn builder(&self) -> XtraClientBuilder {
        XtraClient::builder()
            .dev_server(&self.server)
            .token(self.server.token_for("owner").unwrap())
            .clock(self.clock.clock())
            .cache_options(CacheOptions::default().jitter(0.0).ttl(TTL).max_ttl(TTL))
            .max_retries(0)
    }

    fn client(&self) -> XtraClient {
        self.builder().resolve_references(true).build().unwrap()
    }

    fn set(&self, environment: &str, key: &str, value: &str) {
        self.server.set_secret("main", environment, "main", key, value).unwrap();
    }

    fn requests(&self) -> u64 {
        self.server.request_count(READ)
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn url(secrets: &Secrets) -> &str {
    secrets.require("DATABASE_URL").unwrap().expose()
}

/// No part of an error shows a value.
#[track_caller]
fn hides(error: &XtraError) {
    let shown = format!("{error} {error:?} {error:#?}");
    assert!(!shown.contains("hunter2") && !shown.contains("postgres"), "{shown}");
}

#[derive(Deserialize, JsonSchema)]
struct Settings {
    database_url: SecretValue,
    port: u16,
}

#[tokio::test]
async fn every_way_to_read_gives_what_values_refer_to() {
    let world = World::new().await;
    let client = world.client();
    assert_eq!(url(&client.get_secrets("production").await.unwrap()), WHOLE);
    assert_eq!(url(&client.get_secrets("production").no_cache().await.unwrap()), WHOLE);
    assert_eq!(url(&client.refresh("production").await.unwrap()), WHOLE);
    assert_eq!(client.get_secret("production", "DATABASE_URL").await.unwrap().expose(), WHOLE);
    let settings: Settings = client.get_secrets_as("production").await.unwrap();
    assert_eq!((settings.database_url.expose(), settings.port), (WHOLE, 8080));
    let mut handle = client.scope("production");
    for _ in 0..3 {
        assert_eq!(url(handle.get().await.unwrap()), WHOLE);
    }
    let used = client
        .get_secrets("production")
        .with_secret("DATABASE_URL", |value| async move { Ok::<_, UseError<()>>(value.expose().to_owned()) });
    assert_eq!(used.await.unwrap(), WHOLE);
    let ready = client.preload(["production", "plain"]).await.unwrap();
    assert_eq!(url(ready.get("production").unwrap()), WHOLE);
    let mut changes = client.watch("production");
    assert_eq!(url(&changes.next().await.unwrap().unwrap().snapshot), WHOLE);
    let provider = SecretsProvider::of_client(&client, "production");
    let config = config::Config::builder().add_async_source(provider).build().await.unwrap();
    assert_eq!(config.get::<String>("database_url").unwrap(), WHOLE);
    let provider = SecretsProvider::new(&client.get_secrets("production").await.unwrap());
    assert_eq!(figment::Figment::from(provider).extract_inner::<String>("database_url").unwrap(), WHOLE);
    let mut command = Command::new("true");
    client.get_secrets("production").await.unwrap().apply_to(&mut command).unwrap();
    assert!(command.get_envs().any(|(_, value)| value.is_some_and(|value| value == WHOLE)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_blocking_client_does_so_too() {
    let world = World::new().await;
    let client = blocking::XtraClient::from(world.client());
    let asked = std::thread::spawn(move || {
        let whole = client.get_secrets("production").send().unwrap();
        let stored = client.get_secrets("production").resolve_references(false).send().unwrap();
        (url(&whole).to_owned(), url(&stored).to_owned())
    });
    assert_eq!(asked.join().unwrap(), (WHOLE.to_owned(), URL.to_owned()));
}

#[tokio::test]
async fn without_the_option_values_are_as_they_are_stored_and_a_request_may_say_otherwise() {
    let world = World::new().await;
    let client = world.builder().build().unwrap();
    assert_eq!(url(&client.get_secrets("production").await.unwrap()), URL);
    assert_eq!(url(&client.get_secrets("production").resolve_references(true).await.unwrap()), WHOLE);
    assert_eq!(url(client.scope("production").resolve_references(true).get().await.unwrap()), WHOLE);
    let ready = client.preload(["production"]).resolve_references(true).await.unwrap();
    assert_eq!(url(ready.get("production").unwrap()), WHOLE);
    // each is found again in the cache, and neither is taken for the other
    let before = world.requests();
    assert_eq!(url(&client.get_secrets("production").await.unwrap()), URL);
    assert_eq!(url(&client.get_secrets("production").resolve_references(true).await.unwrap()), WHOLE);
    assert_eq!(world.requests(), before);
    let following = world.client();
    assert_eq!(url(&following.get_secrets("production").resolve_references(false).await.unwrap()), URL);
}

#[tokio::test]
async fn a_scope_without_references_costs_no_further_request_and_each_other_scope_one() {
    let world = World::new().await;
    let client = world.client();
    client.get_secrets("plain").await.unwrap();
    assert_eq!(world.requests(), 1);
    client.get_secrets("production").await.unwrap();
    assert_eq!(world.requests(), 3, "its own, and that of shared; what is in its own environment is there");
    client.get_secrets("production").await.unwrap();
    assert_eq!(world.requests(), 3);
    world.set("staging", "HOST", "xtra:///shared/HOST");
    assert_eq!(client.get_secrets("staging").await.unwrap().require("HOST").unwrap().expose(), "db");
    assert_eq!(world.requests(), 4, "the snapshot of shared is young enough");
}

#[tokio::test]
async fn a_snapshot_is_as_old_as_its_oldest_part_and_is_asked_for_again_when_that_would_be() {
    let world = World::new().await;
    let client = world.client();
    client.get_secrets("shared").resolve_references(false).await.unwrap();
    world.advance(10);
    let secrets = client.get_secrets("production").await.unwrap();
    assert_eq!((secrets.age(), world.requests()), (Duration::from_secs(10), 2));
    world.advance(19);
    client.get_secrets("production").await.unwrap();
    assert_eq!(client.stats().stale, 0);
    world.advance(1);
    assert!(client.get_secrets("production").await.unwrap().is_stale());
    assert_eq!(client.stats().stale, 1);
    // a part in the second half of its time is not taken: what is put together would be out of date in a moment
    let late = world.client();
    late.get_secrets("shared").resolve_references(false).await.unwrap();
    world.advance(16);
    assert_eq!(late.get_secrets("production").await.unwrap().age(), Duration::ZERO);
}

#[tokio::test]
async fn what_asks_for_something_newer_asks_for_newer_parts() {
    let world = World::new().await;
    let client = world.client();
    client.get_secrets("production").await.unwrap();
    let newer = |host: &str| WHOLE.replace("@db/", &format!("@{host}/"));
    world.set("shared", "HOST", "db2");
    assert_eq!(url(&client.get_secrets("production").await.unwrap()), WHOLE, "it is fresh");
    assert_eq!(url(&client.refresh("production").await.unwrap()), newer("db2"));
    world.set("shared", "HOST", "db3");
    assert_eq!(url(&client.get_secrets("production").no_cache().await.unwrap()), newer("db3"));
    world.set("shared", "HOST", "db4");
    client.invalidate("production");
    client.invalidate("shared");
    assert_eq!(url(&client.get_secrets("production").await.unwrap()), newer("db4"));
}

#[tokio::test]
async fn a_refused_credential_is_put_together_anew_though_its_part_is_in_the_cache() {
    let world = World::new().await;
    let client = world.client();
    client.get_secrets("production").await.unwrap();
    world.advance(11);
    client.get_secrets("shared").resolve_references(false).await.unwrap();
    world.set("shared", "HOST", "db2");
    let used = client.get_secrets("production").with_secret("DATABASE_URL", |value| async move {
        if value.expose().contains("@db2/") { Ok(()) } else { Err(UseError::Refused(())) }
    });
    used.await.unwrap();
}

#[tokio::test]
async fn a_watch_tells_what_changes_in_another_environment() {
    let world = World::new().await;
    let client = world.client();
    let mut changes = client.watch("production");
    changes.next().await.unwrap().unwrap();
    world.set("shared", "HOST", "db2");
    client.invalidate("shared");
    client.invalidate("production");
    let change = changes.next().await.unwrap().unwrap();
    assert_eq!(
        (change.changed, url(&change.snapshot)),
        (vec!["DATABASE_URL".to_owned()], &*WHOLE.replace("@db/", "@db2/"))
    );
}

#[tokio::test]
async fn a_write_drops_what_is_put_together() {
    let world = World::new().await;
    let client = world.client();
    client.get_secrets("production").await.unwrap();
    client.set_secret("shared", "HOST", "db2").await.unwrap();
    assert_eq!(url(&client.get_secrets("production").await.unwrap()), WHOLE.replace("@db/", "@db2/"));
}

#[tokio::test]
async fn a_copy_on_disk_is_of_what_is_put_together_and_serves_no_other_read() {
    let world = World::new().await;
    let dir = tempfile::tempdir().unwrap();
    let builder = || world.builder().resolve_references(true).offline(OfflineOptions::new(dir.path().join("copies")));
    builder().build().unwrap().get_secrets("production").await.unwrap();
    world.server.fault(Fault::status(503).on(READ).forever());
    let client = builder().build().unwrap();
    let secrets = client.get_secrets("production").await.unwrap();
    assert_eq!((url(&secrets), secrets.source()), (WHOLE, SnapshotSource::Offline));
    let error = client.get_secrets("production").resolve_references(false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server, "there is no copy of the values as they are stored");
}

#[tokio::test]
async fn everything_that_leads_nowhere_is_one_error_with_where_it_was_looked_for() {
    let world = World::new().await;
    let client = world.client();
    world.set("bad", "ONE", "xtra:///shared/HOTS");
    world.set("bad", "TWO", "{{ xtra:///shraed/HOST }}");
    world.set("bad", "THREE", "{{ xtra:///broken/LOST }}");
    world.set("bad", "FOUR", "{{ xtra://ccccccccccccccccccccccc3/e/A }}");
    client.get_secrets("shared").await.unwrap();
    let error = client.get_secrets("bad").await.unwrap_err();
    hides(&error);
    assert_eq!((error.kind(), error.names().len()), (ErrorKind::MissingSecret, 4), "{error}");
    let text = error.to_string();
    for told in [
        "get_secrets(\"bad\"): 4 references cannot be resolved",
        "(in \"ONE\"): there is no such secret among the 1 of the environment \"shared\"",
        "Perhaps \"HOST\" is meant",
        "(in \"TWO\"): there is no secret at all in the environment \"shraed\"",
        "(in \"THREE\"): its value arrived as ciphertext",
        "(in \"FOUR\"): ",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let error = client.watch("bad").next().await.unwrap().unwrap_err();
    assert_eq!(error.names().len(), 4, "a watch is told so too");
    let error = client.get_secret("bad", "ONE").await.unwrap_err();
    assert!(error.to_string().starts_with("get_secret(\"bad\", \"ONE\"): "), "{error}");
}

#[tokio::test]
async fn a_masked_part_is_an_error_and_so_are_circles_chains_without_end_and_malformed_references() {
    let world = World::new().await;
    let viewer =
        world.builder().token(world.server.token_for("viewer").unwrap()).resolve_references(true).build().unwrap();
    let error = viewer.get_secrets("production").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Masked);
    hides(&error);
    world.set("circle", "A", "{{ xtra:///B }}");
    world.set("circle", "B", "{{ xtra:///elsewhere/C }}");
    world.set("elsewhere", "C", "{{ xtra:///circle/A }}");
    (0..20).for_each(|number| world.set("deep", &format!("K{number}"), &format!("{{{{ xtra:///K{} }}}}", number + 1)));
    world.set("deep", "K20", "hunter2");
    world.set("malformed", "A", "hunter2 {{ xtra://production/USER }}");
    let client = world.client();
    for (environment, told) in [("circle", "circle"), ("deep", "more than 16"), ("malformed", "third slash")] {
        let error = client.get_secrets(environment).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(error.to_string().contains(told), "{error}");
        hides(&error);
    }
}

#[tokio::test]
async fn what_the_service_refuses_is_not_served_on_as_a_part() {
    let world = World::new().await;
    let client = world.client();
    world.set("production", "DATABASE_URL", "{{ xtra://ccccccccccccccccccccccc3/e/A }}");
    let error = client.get_secrets("production").await.unwrap_err();
    assert_eq!(error.status(), Some(403), "{error}");
    assert_eq!(client.stats().cached, 0);
}

#[tokio::test]
async fn a_reference_that_names_no_environment_means_the_one_that_it_stands_in_and_in_a_text_the_default_one() {
    let world = World::new().await;
    world.set("elsewhere", "PASSWORD", "other");
    world.set("elsewhere", "KEY", "[{{ xtra:///PASSWORD }}]");
    world.set("production", "FAR", "xtra:///elsewhere/KEY");
    let client = world.builder().environment("production").resolve_references(true).build().unwrap();
    let secrets = client.get_secrets("production").await.unwrap();
    assert_eq!(secrets.require("FAR").unwrap().expose(), "[other]");
    assert_eq!(client.render("{{ xtra:///PASSWORD }}").await.unwrap().expose(), "hunter2");
    let error = world.client().render("{{ xtra:///PASSWORD }}").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("no environment"), "{error}");
}

#[tokio::test]
async fn a_reference_on_a_branch_means_the_branch_that_it_stands_on() {
    let world = World::new().await;
    for (key, value) in [("A", "{{ xtra:///B }}"), ("B", "branched")] {
        world.server.set_secret("main", "production", "feature/x", key, value).unwrap();
    }
    let secrets = world.client().get_secrets("production").branch("feature/x").await.unwrap();
    assert_eq!(secrets.require("A").unwrap().expose(), "branched");
    let secrets = world.client().read(XtraScope::new("production").branch("feature/x")).await.unwrap();
    assert_eq!(secrets.require("A").unwrap().expose(), "branched");
}

#[tokio::test]
async fn all_of_it_has_the_time_of_one_call() {
    let world = World::new().await;
    let client = world.builder().resolve_references(true).call_timeout(Duration::from_millis(600)).build().unwrap();
    world.server.fault(Fault::delay(Duration::from_millis(400)).on(READ).forever());
    let begun = std::time::Instant::now();
    let error = client.get_secrets("production").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(begun.elapsed() < Duration::from_millis(1200), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn what_is_kept_is_served_while_a_part_cannot_be_reached() {
    let world = World::new().await;
    let client = world.client();
    client.get_secrets("production").await.unwrap();
    world.advance(120);
    world.server.fault(Fault::status(503).on(READ).forever());
    let secrets = client.get_secrets("production").await.unwrap();
    assert!(url(&secrets) == WHOLE && secrets.is_stale());
}

#[tokio::test]
async fn names_of_values_with_references_are_told() {
    let world = World::new().await;
    let secrets = world.builder().build().unwrap().get_secrets("production").await.unwrap();
    assert_eq!(secrets.references::<xtrasecurity::xtra::Xtra>().collect::<Vec<_>>(), ["DATABASE_URL"]);
}
