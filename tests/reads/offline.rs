//! What copies on disk promise: a start during an outage, and never a secret that is not the caller's.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use xtrasecurity::dev_server::{DevServer, Fault, RateLimits, route};
use xtrasecurity::{
    ErrorKind, OfflineKey, OfflineOptions, SecretValue, Secrets, UseError, XtraClient, XtraClientBuilder, XtraError,
    blocking,
    clock::ManualClock,
    credentials::{ChainPosition, CredentialProvider, Token, TokenFuture},
    snapshot::SnapshotSource,
    source::Identity,
};

const READ: &str = route::SECRETS_READ;
const HOUR: Duration = Duration::from_secs(3600);

struct World {
    server: DevServer,
    clock: ManualClock,
    dir: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
        Self { server, clock: ManualClock::new(), dir: tempfile::tempdir().unwrap() }
    }

    /// One in which the environments have been read once.
    async fn saved() -> Self {
        let world = Self::new().await;
        let client = world.client();
        client.get_secrets("production").await.unwrap();
        client.get_secrets("staging").await.unwrap();
        assert_eq!(world.files().len(), 2);
        world
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("copies")
    }

    fn options(&self) -> OfflineOptions {
        OfflineOptions::new(self.folder())
    }

    fn builder(&self) -> XtraClientBuilder {
        let builder = XtraClient::builder().dev_server(&self.server).clock(self.clock.clock());
        builder.max_retries(0).offline(self.options())
    }

    /// A client of a process that has just started.
    fn client(&self) -> XtraClient {
        self.builder().build().unwrap()
    }

    fn files(&self) -> Vec<PathBuf> {
        match fs::read_dir(self.folder()) {
            Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
            Err(_) => Vec::new(),
        }
    }

    fn away(&self) {
        self.server.fault(Fault::refuse().forever());
    }
}

fn key(secrets: &Secrets) -> &str {
    secrets.require("API_KEY").unwrap().expose()
}

async fn fails(client: &XtraClient) -> XtraError {
    client.get_secrets("production").await.unwrap_err()
}

#[tokio::test]
async fn a_program_that_starts_during_an_outage_is_served_the_copy_which_says_what_it_is() {
    let world = World::saved().await;
    let before = world.client().get_secrets("production").await.unwrap();
    world.away();
    world.clock.advance(3 * HOUR);
    let client = world.client();
    let secrets = client.get_secrets("production").await.unwrap();
    assert_eq!(secrets.iter().collect::<Vec<_>>(), before.iter().collect::<Vec<_>>());
    assert_eq!((secrets.source(), secrets.is_stale()), (SnapshotSource::Offline, true));
    assert!(secrets.age() >= 3 * HOUR && secrets.age() < 4 * HOUR, "{:?}", secrets.age());
    world.clock.advance(HOUR / 4);
    assert!(secrets.age() >= 3 * HOUR + HOUR / 4);
    assert_eq!((client.stats().offline, client.stats().offline_failures), (1, 0));
}

#[tokio::test]
async fn what_a_retry_may_mend_is_answered_with_the_copy_and_nothing_else_is() {
    let world = World::saved().await;
    let tried = async |fault: Fault| {
        world.server.fault(fault.on(READ));
        let client = world.builder().call_timeout(Duration::from_millis(500)).build().unwrap();
        let answer = client.get_secrets("production").await;
        world.server.clear_faults();
        answer.map(|secrets| secrets.source()).map_err(|error| error.kind())
    };
    for passing in [
        Fault::refuse(),
        Fault::hang(),
        Fault::cut_body(),
        Fault::status(429),
        Fault::status(502),
        Fault::status(503),
        Fault::status(504),
    ] {
        let shown = format!("{passing:?}");
        assert_eq!(tried(passing).await, Ok(SnapshotSource::Offline), "{shown}");
    }
    let html = Fault::body(200, "text/html", "<html>");
    assert_eq!(tried(html).await, Err(ErrorKind::Decode));
    assert_eq!(tried(Fault::status(500)).await, Err(ErrorKind::Server));
    assert_eq!(tried(Fault::status(400)).await, Err(ErrorKind::Invalid));
    assert_eq!(tried(Fault::redirect(302, "https://example.com")).await, Err(ErrorKind::Redirected));
    assert_eq!(world.files().len(), 2);
}

#[tokio::test]
async fn a_refusal_deletes_the_copy_of_its_scope_and_of_no_other() {
    for status in [401, 403, 404] {
        let world = World::saved().await;
        world.server.fault(Fault::status(status).on(READ));
        let error = fails(&world.client()).await;
        assert_eq!(error.status(), Some(status));
        assert_eq!(world.files().len(), 1, "{status}");
        world.away();
        let error = fails(&world.client()).await;
        assert!(error.is_retryable() && error.to_string().contains("none was saved"), "{error}");
        let other = world.client().get_secrets("staging").await.unwrap();
        assert_eq!(other.source(), SnapshotSource::Offline);
    }
}

#[tokio::test]
async fn what_memory_holds_is_served_before_any_copy() {
    let world = World::new().await;
    let client = world.client();
    client.get_secrets("production").await.unwrap();
    world.away();
    world.clock.advance(HOUR / 2);
    assert_eq!(client.get_secrets("production").await.unwrap().source(), SnapshotSource::Service);
    world.clock.advance(HOUR);
    assert_eq!(client.get_secrets("production").await.unwrap().source(), SnapshotSource::Offline);
    assert_eq!(client.stats().offline, 1);
}

#[tokio::test]
async fn who_asks_for_something_newer_is_not_given_a_copy() {
    let world = World::saved().await;
    world.away();
    let client = world.client();
    assert_eq!(client.get_secrets("production").no_cache().await.unwrap_err().kind(), ErrorKind::Network);
    assert_eq!(client.refresh("production").await.unwrap_err().kind(), ErrorKind::Network);
    assert_eq!(client.stats().offline, 0);
    let client = world.client();
    let refused = |_: SecretValue| async { Err::<(), _>(UseError::Refused("refused")) };
    client.get_secrets("production").with_secret("API_KEY", refused).await.unwrap_err();
    assert_eq!(client.stats().offline, 1, "the first value is the copy's, and no second one is");
}

#[tokio::test]
async fn a_hundred_readers_in_an_outage_look_at_the_disk_once_and_later_ones_not_at_all() {
    let world = World::saved().await;
    world.away();
    let client = world.client();
    let reads: Vec<_> = (0..100).map(|_| client.get_secrets("production").send()).collect();
    for read in futures_util::future::join_all(reads).await {
        assert_eq!(read.unwrap().source(), SnapshotSource::Offline);
    }
    let requests = client.stats().requests;
    for _ in 0..10 {
        assert_eq!(client.get_secrets("production").await.unwrap().source(), SnapshotSource::Offline);
    }
    assert_eq!((client.stats().offline, client.stats().requests), (1, requests), "the scope is left alone for now");
}

#[tokio::test]
async fn when_the_service_is_back_its_answer_takes_the_place_of_the_copy() {
    let world = World::saved().await;
    world.away();
    let client = world.client();
    client.get_secrets("production").await.unwrap();
    world.server.clear_faults();
    world.server.set_secret("demo", "production", "main", "API_KEY", "rotated").unwrap();
    world.clock.advance(Duration::from_secs(5));
    // the first read after the pause is answered with the copy, while a refresh runs beside it
    let secrets = loop {
        let secrets = client.get_secrets("production").await.unwrap();
        if secrets.source() == SnapshotSource::Service {
            break secrets;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(key(&secrets), "rotated");
    world.away();
    // it is in memory a moment before it is on the disk
    while key(&world.client().get_secrets("production").await.unwrap()) != "rotated" {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_copy_is_served_for_its_time_and_not_a_moment_longer_even_from_memory() {
    let world = World::saved().await;
    world.away();
    world.clock.advance(23 * HOUR + HOUR / 2);
    let client = world.client();
    assert_eq!(client.get_secrets("production").await.unwrap().source(), SnapshotSource::Offline);
    world.clock.advance(HOUR / 2);
    let error = fails(&client).await;
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.to_string().contains("the saved copy is too old"), "{error}");
    assert!(fails(&world.client()).await.to_string().contains("too old"));
}

#[tokio::test]
async fn memory_serves_a_copy_for_no_longer_than_whoever_saved_it_allowed() {
    let world = World::new().await;
    let strict = world.builder().offline(world.options().max_age(HOUR)).build().unwrap();
    strict.get_secrets("production").await.unwrap();
    world.away();
    world.clock.advance(HOUR - Duration::from_secs(60));
    let client = world.client();
    assert_eq!(client.get_secrets("production").await.unwrap().source(), SnapshotSource::Offline);
    world.clock.advance(Duration::from_secs(61));
    assert!(fails(&client).await.to_string().contains("too old"));
}

#[cfg(unix)]
#[tokio::test]
async fn what_the_service_has_refused_is_not_served_even_when_it_could_not_be_deleted_at_once() {
    let world = World::saved().await;
    let client = world.builder().cache(false).build().unwrap();
    let elsewhere = world.dir.path().join("elsewhere");
    fs::rename(world.folder(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, world.folder()).unwrap();
    world.server.fault(Fault::status(403).on(READ));
    assert_eq!(fails(&client).await.status(), Some(403));
    fs::remove_file(world.folder()).unwrap();
    fs::rename(&elsewhere, world.folder()).unwrap();
    assert_eq!((client.stats().offline_failures, world.files().len()), (1, 2));
    world.away();
    let error = fails(&client).await;
    assert!(error.is_retryable() && error.to_string().contains("has refused access"), "{error}");
    assert_eq!(world.files().len(), 1, "deleted now");
    assert!(fails(&client).await.to_string().contains("none was saved"));
    assert_eq!(client.get_secrets("staging").await.unwrap().source(), SnapshotSource::Offline);
}

#[tokio::test]
async fn another_token_project_branch_or_environment_is_served_no_copy() {
    let world = World::saved().await;
    world.away();
    let other = world.builder().token("xs_another_0123456789").build().unwrap();
    assert!(fails(&other).await.to_string().contains("none was saved"));
    let client = world.client();
    for request in [
        client.get_secrets("production").project_id("aaaaaaaaaaaaaaaaaaaaaaaa"),
        client.get_secrets("production").branch("other"),
        client.get_secrets("development"),
    ] {
        assert_eq!(request.await.unwrap_err().kind(), ErrorKind::Network);
    }
    assert!(client.get_secrets("PRODUCTION").await.is_ok(), "environments are the same in either case");
}

#[tokio::test]
async fn damage_is_an_error_that_says_so_and_a_wrong_value_never_comes() {
    let world = World::saved().await;
    world.away();
    for file in world.files() {
        let mut bytes = fs::read(&file).unwrap();
        let last = bytes.len() - 20;
        bytes[last] ^= 1;
        fs::write(&file, bytes).unwrap();
    }
    let error = fails(&world.client()).await;
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.to_string().contains("does not open"), "{error}");
    for file in world.files() {
        fs::write(&file, "something else").unwrap();
    }
    assert!(fails(&world.client()).await.to_string().contains("not a saved copy"));
}

#[tokio::test]
async fn a_disk_that_takes_nothing_fails_no_read_and_is_counted() {
    let world = World::new().await;
    fs::write(world.folder(), "a file in the place of the directory").unwrap();
    let client = world.client();
    assert!(client.get_secrets("production").await.is_ok());
    assert!(client.get_secrets("staging").await.is_ok());
    assert_eq!(client.stats().offline_failures, 2);
    world.away();
    let error = client.get_secrets("development").await.unwrap_err();
    assert!(error.to_string().contains("is a link, or no directory"), "{error}");
}

#[tokio::test]
async fn an_environment_that_looks_empty_or_has_lost_what_is_required_keeps_its_copy() {
    let world = World::saved().await;
    world.server.remove_secret("demo", "production", "main", "API_KEY").unwrap();
    let strict = world.builder().required(["API_KEY"]).build().unwrap();
    assert!(strict.get_secrets("production").await.unwrap().contains("API_KEY"), "the copy's");
    assert_eq!(strict.refresh("production").await.unwrap_err().kind(), ErrorKind::MissingSecret);
    world.server.fault(Fault::body(200, "application/json", "{}").on(READ));
    assert_eq!(world.client().get_secrets("production").await.unwrap().source(), SnapshotSource::Offline);
    world.away();
    assert!(world.client().get_secrets("production").await.unwrap().contains("API_KEY"));
    world.server.clear_faults();
    world.client().get_secrets("production").await.unwrap();
    world.away();
    let lost = world.client().get_secrets("production").await.unwrap();
    assert!(!lost.is_empty() && !lost.contains("API_KEY"), "where nothing is required, what is gone is gone");
}

#[tokio::test]
async fn who_may_see_names_only_from_now_on_has_no_copy_of_the_values_either() {
    let world = World::saved().await;
    world.server.fault(Fault::body(200, "application/json", r#"{"API_KEY":"***"}"#).on(READ));
    assert_eq!(fails(&world.client()).await.kind(), ErrorKind::Masked);
    assert_eq!(world.files().len(), 1, "the other environment's");
    world.away();
    assert!(fails(&world.client()).await.to_string().contains("none was saved"));
    world.client().get_secrets("production").allow_unreadable().await.unwrap_err();
}

#[tokio::test]
async fn clearing_the_cache_leaves_copies_and_files_show_nothing() {
    let world = World::saved().await;
    let client = world.client();
    let secrets = client.get_secrets("production").await.unwrap();
    client.clear_cache();
    client.invalidate("production");
    assert_eq!(world.files().len(), 2);
    for file in world.files() {
        let bytes = fs::read(&file).unwrap();
        let texts = secrets.iter().flat_map(|(name, value)| [name, value.expose()]);
        for text in texts.chain(["production", world.server.token(), world.server.project_id()]) {
            assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{text}");
        }
    }
}

#[tokio::test]
async fn without_a_cache_in_memory_the_copy_is_served_all_the_same() {
    let world = World::saved().await;
    world.away();
    let client = world.builder().cache(false).build().unwrap();
    assert_eq!(client.get_secrets("production").await.unwrap().source(), SnapshotSource::Offline);
    assert!(client.get_secrets("production").no_cache().await.is_err());
}

/// A provider whose tokens are short-lived, of an account that stays the same.
struct Exchanged {
    token: String,
    lasting: Option<String>,
}

impl CredentialProvider for Exchanged {
    fn identity(&self) -> Identity {
        Identity::of("the account")
    }

    fn token(&self) -> TokenFuture<'_> {
        Box::pin(async { Token::new(self.token.clone()) })
    }

    fn lasting_token(&self) -> Option<Token> {
        self.lasting.clone().and_then(|text| Token::new(text).ok())
    }
}

#[tokio::test]
async fn tokens_that_are_exchanged_need_a_key_or_what_they_are_exchanged_for() {
    let world = World::new().await;
    let builder = |lasting: Option<&str>| {
        let provider = Exchanged { token: world.server.token().to_owned(), lasting: lasting.map(str::to_owned) };
        let builder = XtraClient::builder().credentials(ChainPosition::First, std::sync::Arc::new(provider));
        let builder = builder.project_id(world.server.project_id()).api_url(world.server.url());
        builder.max_retries(0).offline(world.options())
    };
    let error = builder(None).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("Give the copies a key"), "{error}");
    let problem = builder(None).explain();
    assert!(
        !problem.is_usable()
            && problem.get("offline").unwrap().problem().unwrap().to_string().contains("Give the copies a key")
    );
    assert!(builder(Some("xs_lasting")).explain().is_usable());
    let with_key = || builder(None).offline(world.options().key(OfflineKey::new([5; 32]).unwrap()));
    let ways: [&dyn Fn() -> XtraClientBuilder; 2] = [&|| builder(Some("xs_lasting")), &with_key];
    for way in ways {
        way().build().unwrap().get_secrets("production").await.unwrap();
        world.away();
        let secrets = way().build().unwrap().get_secrets("production").await.unwrap();
        assert_eq!(secrets.source(), SnapshotSource::Offline);
        world.server.clear_faults();
    }
    world.away();
    assert!(fails(&builder(Some("xs_other")).build().unwrap()).await.to_string().contains("none was saved"));
}

#[tokio::test]
async fn in_local_mode_nothing_is_saved() {
    let world = World::new().await;
    let path = world.dir.path().join("secrets.env");
    fs::write(&path, "A=1").unwrap();
    let client = world.builder().local_file(&path).build().unwrap();
    assert_eq!(client.get_secrets("production").await.unwrap().source(), SnapshotSource::LocalFile);
    assert!(world.files().is_empty());
}

#[tokio::test]
async fn the_blocking_client_saves_and_is_served_copies_too() {
    let world = World::new().await;
    let (url, token) = (world.server.url(), world.server.token().to_owned());
    let (project, options) = (world.server.project_id().to_owned(), world.options());
    let read = move || {
        let builder = blocking::XtraClient::builder().api_url(&url).token(token.as_str()).project_id(&project);
        let client = builder.max_retries(0).offline(options.clone()).build().unwrap();
        client.get_secrets("production").send().unwrap().source()
    };
    let elsewhere = async |read: Box<dyn FnOnce() -> SnapshotSource + Send>| {
        let (tell, told) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || tell.send(read()));
        told.await.unwrap()
    };
    assert_eq!(elsewhere(Box::new(read.clone())).await, SnapshotSource::Service);
    world.away();
    assert_eq!(elsewhere(Box::new(read)).await, SnapshotSource::Offline);
}
