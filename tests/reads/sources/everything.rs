//! Everything that a client has, over each of the small sources.

use std::fs;
use std::process::Command;
use std::time::Duration;

use figment::Figment;
use serde::Deserialize;
use xtrasecurity::schemars::{self, JsonSchema};
use xtrasecurity::sources::{Directory, DotenvFile, EnvVars, Layer, Layered};
use xtrasecurity::{Client, EngineOptions, SecretSource, SecretsProvider, clock::ManualClock};

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Settings {
    port: u16,
}

const TTL: Duration = Duration::from_secs(30);

/// Reads `source`, which holds `PORT=8080`, in every way; `change` makes it `PORT=9090`.
async fn read_in_every_way<S>(source: S, change: impl FnOnce())
where
    S: for<'a> SecretSource<Scope<'a> = ()>,
{
    let clock = ManualClock::new();
    let client = Client::with_options(source, EngineOptions::default().clock(clock.clock()));
    let secrets = client.read(()).await.unwrap();
    assert_eq!(secrets.require("PORT").unwrap().expose(), "8080");
    assert!(client.read(()).await.unwrap().is_same_snapshot(&secrets), "from the cache");
    assert_eq!((client.stats().hits, client.stats().misses), (1, 1));
    assert_eq!(client.scope(()).get().await.unwrap().len(), secrets.len());

    assert_eq!(client.read(()).typed::<Settings>().await.unwrap(), Settings { port: 8080 });
    let mut command = Command::new("program");
    let report = secrets.injection().only(["PORT"]).apply_to(&mut command).unwrap();
    assert_eq!(report.set(), ["PORT"]);
    let provider = SecretsProvider::new(&secrets).typed::<Settings>();
    assert_eq!(Figment::new().merge(provider).extract::<Settings>().unwrap().port, 8080);
    let read = client.clone();
    let waited = std::thread::spawn(move || read.read(()).wait()).join().unwrap().unwrap();
    assert!(waited.is_same_snapshot(&secrets));
    let error = secrets.require("PROT").unwrap_err().to_string();
    assert!(error.contains("Perhaps \"PORT\" is meant") && !error.contains("this snapshot"), "{error}");

    let mut changes = client.watch(());
    assert!(changes.next().await.unwrap().unwrap().added.contains(&"PORT".to_owned()));
    change();
    assert_eq!(client.read(()).await.unwrap().require("PORT").unwrap().expose(), "8080", "until it is due");
    clock.advance(TTL);
    let change = tokio::time::timeout(Duration::from_secs(10), changes.next()).await.unwrap().unwrap().unwrap();
    assert_eq!((change.changed.as_slice(), change.added.is_empty()), (&["PORT".to_owned()][..], true));
    assert_eq!(change.snapshot.require("PORT").unwrap().expose(), "9090");
}

#[tokio::test]
async fn a_directory_is_read_cached_typed_injected_provided_and_watched() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("PORT");
    fs::write(&file, "8080\n").unwrap();
    read_in_every_way(Directory::new(dir.path()), || fs::write(&file, "9090\n").unwrap()).await;
}

#[tokio::test]
async fn a_dotenv_file_is_read_cached_typed_injected_provided_and_watched() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(".env");
    fs::write(&file, "PORT=8080\n").unwrap();
    read_in_every_way(DotenvFile::new(&file), || fs::write(&file, "PORT=9090\n").unwrap()).await;
}

#[tokio::test]
async fn layers_are_read_cached_typed_injected_provided_and_watched() {
    let dir = tempfile::tempdir().unwrap();
    let (file, port) = (dir.path().join(".env"), dir.path().join("files/PORT"));
    fs::write(&file, "HOST=db\n").unwrap();
    fs::create_dir(dir.path().join("files")).unwrap();
    fs::write(&port, "8080").unwrap();
    let layers = [
        Layer::new(DotenvFile::new(&file), ()),
        Layer::new(Directory::new(dir.path().join("files")), ()).names(["PORT"]),
        Layer::new(EnvVars::new().prefix("NO_VARIABLE_BEGINS_SO_"), ()).every_name(),
    ];
    read_in_every_way(Layered::new(layers).unwrap(), || fs::write(&port, "9090").unwrap()).await;
}
