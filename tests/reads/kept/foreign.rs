//! Refusals that are not the service's own: they delete nothing, and are forgiven for a while.

use std::time::Duration;

use xtrasecurity::{
    CacheOptions, ErrorKind, OfflineOptions, SecretValue, UseError, XtraClient, XtraClientBuilder, XtraError, blocking,
    clock::ManualClock, snapshot::SnapshotSource,
};

use crate::kept::server::{Says, Server, answer, html, json, own};
use crate::kept::source::{Says as SourceSays, Scripted};

const MINUTE: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(15 * 60);

struct World {
    server: Server,
    clock: ManualClock,
    dir: tempfile::TempDir,
}

impl World {
    /// One in which production has been read once.
    async fn saved() -> (Self, XtraClient) {
        let server = Server::start(Says::Bytes(own(r#"{"API_KEY":"first"}"#)));
        let world = Self { server, clock: ManualClock::new(), dir: tempfile::tempdir().unwrap() };
        let client = world.client();
        client.get_secrets("production").await.unwrap();
        assert_eq!(world.files(), 1);
        (world, client)
    }

    fn builder(&self) -> XtraClientBuilder {
        let builder = self.server.builder().clock(self.clock.clock()).offline(self.options());
        builder.cache_options(CacheOptions::default().jitter(0.0))
    }

    fn options(&self) -> OfflineOptions {
        OfflineOptions::new(self.dir.path().join("copies"))
    }

    /// A client of a process that has just started.
    fn client(&self) -> XtraClient {
        self.builder().build().unwrap()
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.dir.path().join("copies")).map_or(0, Iterator::count)
    }

    async fn value(client: &XtraClient) -> Result<String, XtraError> {
        let secrets = client.get_secrets("production").await?;
        Ok(secrets.require("API_KEY")?.expose().to_owned())
    }
}

fn foreign() -> Vec<(u16, Vec<u8>)> {
    let proxy = "www-authenticate: Basic realm=\"proxy\"\r\ncontent-type: text/html\r\n";
    vec![
        (404, html(404, "<html><body><h1>Not Found</h1></body></html>")),
        (404, answer(404, "", "")),
        (404, json(404, r#"{"detail":"no Route matched with those values"}"#)),
        (403, html(403, "<html>Request blocked by the web application firewall</html>")),
        (403, json(403, r#"{"Message":"User is not authorized to access this resource"}"#)),
        (403, json(403, "{}")),
        (403, json(403, "[]")),
        (401, answer(401, proxy, "<html>Authorization Required</html>")),
        (401, answer(401, "", "")),
        (410, html(410, "<html>Gone</html>")),
    ]
}

#[tokio::test]
async fn a_refusal_of_others_keeps_its_kind_and_status_and_wipes_neither_memory_nor_disk() {
    for (status, bytes) in foreign() {
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let (world, client) = World::saved().await;
        world.server.says(Says::Bytes(bytes));
        let error = client.refresh("production").await.unwrap_err();
        assert_eq!(error.status(), Some(status), "{shown}");
        assert!(!error.is_retryable() && error.is_foreign_refusal(), "{shown}");
        assert_eq!(world.server.requests(), 2, "it is not retried: {shown}");
        world.clock.advance(5 * MINUTE);
        assert_eq!(World::value(&client).await.unwrap(), "first", "{shown}");
        assert!(client.stats().foreign_refusals >= 1);
        let other = world.client();
        assert_eq!(World::value(&other).await.unwrap(), "first", "a new process: {shown}");
        assert_eq!((other.stats().foreign_refusals, other.stats().offline), (1, 1));
        world.server.says(Says::Closes);
        world.clock.advance(MINUTE);
        assert_eq!(World::value(&client).await.unwrap(), "first", "then an outage: {shown}");
        assert_eq!(World::value(&world.client()).await.unwrap(), "first", "and a new process: {shown}");
        assert_eq!(world.files(), 1);
    }
}

#[tokio::test]
async fn a_refusal_of_the_service_itself_drops_memory_and_disk_as_before() {
    for (status, body) in [
        (401, r#"{"error":"Unauthorized"}"#),
        (403, r#"{"error":"Access Denied"}"#),
        (404, r#"{"error":"Project not found"}"#),
    ] {
        for content_type in ["application/json", "text/plain"] {
            let (world, client) = World::saved().await;
            world.server.says(Says::Bytes(answer(status, &format!("content-type: {content_type}\r\n"), body)));
            world.clock.advance(2 * MINUTE);
            let error = World::value(&client).await.unwrap_err();
            assert!(error.status() == Some(status) && !error.is_foreign_refusal(), "{error}");
            assert_eq!((client.stats().cached, world.files()), (0, 0), "{body}");
            world.server.says(Says::Closes);
            assert_eq!(World::value(&client).await.unwrap_err().kind(), ErrorKind::Network);
            assert_eq!(World::value(&world.client()).await.unwrap_err().kind(), ErrorKind::Network);
        }
    }
}

#[tokio::test]
async fn after_the_grace_it_is_the_error_and_nothing_is_deleted() {
    let (world, client) = World::saved().await;
    world.server.says(Says::Bytes(html(404, "<html>")));
    world.clock.advance(MINUTE);
    World::value(&client).await.unwrap();
    world.clock.advance(GRACE - Duration::from_secs(1));
    World::value(&client).await.unwrap();
    World::value(&world.client()).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    for client in [&client, &world.client()] {
        let error = World::value(client).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(404)));
        assert!(error.to_string().contains("foreign_refusal_grace"), "{error}");
    }
    assert_eq!(world.files(), 1);
    world.server.says(Says::Closes);
    assert_eq!(World::value(&client).await.unwrap(), "first", "an outage is served over as ever");
    assert_eq!(World::value(&world.client()).await.unwrap(), "first");
    world.server.says(Says::Bytes(own(r#"{"API_KEY":"second"}"#)));
    world.clock.advance(MINUTE);
    while World::value(&client).await.unwrap() != "second" {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_restart_continues_the_same_minutes_and_an_answer_of_the_service_ends_them() {
    let (world, _) = World::saved().await;
    for minute in 0..15 {
        world.server.says(Says::Bytes(html(403, "<html>")));
        assert_eq!(World::value(&world.client()).await.unwrap(), "first", "minute {minute}");
        world.clock.advance(MINUTE);
    }
    assert_eq!(World::value(&world.client()).await.unwrap_err().status(), Some(403));
    world.server.says(Says::Bytes(own(r#"{"API_KEY":"first"}"#)));
    world.client().get_secrets("production").await.unwrap();
    world.server.says(Says::Bytes(html(403, "<html>")));
    assert_eq!(World::value(&world.client()).await.unwrap(), "first", "it has answered, although nothing has changed");
    world.clock.advance(GRACE);
    assert!(World::value(&world.client()).await.is_err());
}

#[tokio::test]
async fn with_secret_preload_watch_and_the_blocking_client_are_served_too() {
    let (world, client) = World::saved().await;
    world.server.says(Says::Bytes(html(401, "<html>")));
    world.clock.advance(2 * MINUTE);
    let used = client.get_secrets("production").with_secret("API_KEY", |value: SecretValue| async move {
        Ok::<_, UseError<std::io::Error>>(value.expose().to_owned())
    });
    assert_eq!(used.await.unwrap(), "first");
    client.preload(["production"]).required(["API_KEY"]).await.unwrap();
    let fresh = world.client();
    let mut watch = fresh.watch("production");
    assert!(watch.next().await.unwrap().is_ok_and(|change| change.added == ["API_KEY"]), "from the copy");
    assert_eq!(watch.next().await.unwrap().unwrap_err().status(), Some(401));
    let (builder, clock, url) = (blocking::XtraClient::builder(), world.clock.clock(), world.server.url());
    let builder = builder.token(crate::kept::server::TOKEN).project_id(crate::kept::server::PROJECT).api_url(url);
    let offline = world.options();
    let read = std::thread::spawn(move || {
        let client = builder.clock(clock).offline(offline).max_retries(0).build().unwrap();
        let secrets = client.get_secrets("production").send().unwrap();
        (secrets.source(), client.stats().foreign_refusals)
    });
    assert_eq!(read.join().unwrap(), (SnapshotSource::Offline, 1));
}

#[tokio::test]
async fn any_answer_of_the_service_itself_ends_the_time_be_it_a_refusal_for_now() {
    for (status, body, is_own) in [
        (429, r#"{"error":"Too Many Requests","retryAfter":1}"#, true),
        (400, r#"{"error":"Invalid request"}"#, true),
        (429, "<html>slow down</html>", false),
        (400, "<html>Bad Request</html>", false),
        (503, r#"{"error":"Too Many Requests"}"#, false),
    ] {
        let (world, client) = World::saved().await;
        world.server.says(Says::Bytes(html(403, "<html>")));
        client.refresh("production").await.unwrap_err();
        world.clock.advance(10 * MINUTE);
        world.server.says(Says::Bytes(json(status, body)));
        client.refresh("production").await.unwrap_err();
        world.server.says(Says::Bytes(html(403, "<html>")));
        world.clock.advance(2 * MINUTE);
        client.refresh("production").await.unwrap_err();
        world.clock.advance(10 * MINUTE);
        assert_eq!(World::value(&client).await.is_ok(), is_own, "{status} {body}");
        assert_eq!(World::value(&world.client()).await.is_ok(), is_own, "a new process: {status} {body}");
    }
}

#[tokio::test]
async fn who_has_nothing_kept_is_told_on_every_path_of_reading_that_the_refusal_is_not_the_service_s() {
    let server = Server::start(Says::Bytes(html(403, "<html>")));
    let client = || server.builder().build().unwrap();
    let errors = [
        client().get_secrets("production").await.unwrap_err(),
        client().preload(["production", "staging"]).await.unwrap_err(),
        client().inject_secrets("production").await.unwrap_err(),
        client().resolve("xtra:///production/API_KEY").await.unwrap_err(),
        client().render("{{ xtra:///production/API_KEY }}").await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_foreign_refusal() && error.status() == Some(403), "{error}");
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    }
}

#[tokio::test]
async fn a_grace_of_zero_forgives_nothing_and_deletes_nothing() {
    let (world, _) = World::saved().await;
    let client = world.builder().foreign_refusal_grace(Duration::ZERO).build().unwrap();
    client.get_secrets("production").await.unwrap();
    world.server.says(Says::Bytes(html(404, "<html>")));
    world.clock.advance(2 * MINUTE);
    assert_eq!(World::value(&client).await.unwrap_err().status(), Some(404));
    assert_eq!((client.stats().cached, world.files()), (1, 1));
}

fn refusal() -> SourceSays {
    SourceSays::Fails(XtraError::new(ErrorKind::NotFound, "somebody else").with_status(404).with_foreign_refusal())
}

#[tokio::test]
async fn a_source_of_one_s_own_can_tell_and_the_same_holds() {
    let (clock, source) = (ManualClock::new(), Scripted::new(SourceSays::names(&["A"], "1")));
    let client = source.client(&clock, |options| options);
    client.read("team").await.unwrap();
    source.says(refusal());
    clock.advance(2 * MINUTE);
    for _ in 0..3 {
        client.read("team").await.unwrap();
    }
    assert_eq!((client.stats().foreign_refusals, source.loads()), (3, 2), "each read counts, and not each asks");
    clock.advance(GRACE);
    assert!(client.read("team").await.unwrap_err().is_foreign_refusal());
    assert_eq!(client.stats().cached, 1);
}

#[tokio::test]
async fn the_time_counts_from_the_first_and_other_failures_do_not_end_it() {
    let (clock, source) = (ManualClock::new(), Scripted::new(SourceSays::names(&["A"], "1")));
    let client = source.client(&clock, |options| options);
    client.read("team").await.unwrap();
    let away = SourceSays::Fails(XtraError::new(ErrorKind::Server, "bad gateway").with_status(502));
    for minute in 0..15 {
        source.says(if minute % 2 == 0 { refusal() } else { away.clone() });
        clock.advance(MINUTE);
        client.refresh("team").await.unwrap_err();
        client.read("team").await.unwrap();
    }
    source.says(refusal());
    clock.advance(MINUTE);
    assert!(client.refresh("team").await.is_err() && client.read("team").await.is_err());
    source.says(SourceSays::names(&["A"], "2"));
    client.read("team").await.unwrap();
    source.says(refusal());
    clock.advance(2 * MINUTE);
    client.read("team").await.unwrap();
}

/// A clock that was put back cannot make the time longer than it is, nor can a file that was changed.
#[tokio::test]
async fn a_copy_that_was_tampered_with_serves_nothing_and_a_later_first_refusal_counts_anew() {
    let (clock, source) = (ManualClock::new(), Scripted::new(SourceSays::names(&["A"], "1")));
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("copies");
    let client = || source.client(&clock, |options| options.offline(OfflineOptions::new(&folder)));
    client().read("team").await.unwrap();
    source.says(refusal());
    client().read("team").await.unwrap();
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let bytes = std::fs::read(&file).unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x55;
        std::fs::write(&file, changed).unwrap();
        assert!(client().read("team").await.is_err(), "byte {at}");
    }
    std::fs::write(&file, bytes).unwrap();
    client().read("team").await.unwrap();
}
