//! The small sources under the contract: a directory, a `.env` file, and layers of both. Files do not fail and refuse as services
//! do, so a source around each counts its loads and does that.

use std::fs;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use xtrasecurity::source::{Identity, KeyWriter, Loaded, ScopeDescription};
use xtrasecurity::sources::{Directory, DotenvFile, Layer, Layered};
use xtrasecurity::{Client, EngineOptions, ErrorKind, SecretSource, Secrets, XtraError};

use crate::contract::{Condition, Lack, Service, Skip};

mod directory {
    contract! { super::Local<super::Files> }
}

mod dotenv {
    contract! { super::Local<super::Dotenv> }
}

mod layers {
    contract! { super::Local<super::Layers> }
}

/// A kind of source, in a directory of the test's own.
trait Kind: Send + Sync + 'static {
    const NAME: &'static str;
    type Source: for<'a> SecretSource<Scope<'a> = (), Owned = ()>;

    fn source(place: &Path) -> Self::Source;

    fn put(place: &Path, secrets: &[(&str, &str)]);
}

struct Files;

impl Kind for Files {
    const NAME: &'static str = "a directory";
    type Source = Directory;

    fn source(place: &Path) -> Directory {
        Directory::new(place).keep_line_ends()
    }

    fn put(place: &Path, secrets: &[(&str, &str)]) {
        let _ = fs::remove_dir_all(place);
        fs::create_dir(place).unwrap();
        secrets.iter().for_each(|(name, value)| fs::write(place.join(name), value).unwrap());
    }
}

struct Dotenv;

impl Kind for Dotenv {
    const NAME: &'static str = "a .env file";
    type Source = DotenvFile;

    fn source(place: &Path) -> DotenvFile {
        DotenvFile::new(place)
    }

    fn put(place: &Path, secrets: &[(&str, &str)]) {
        let text = Secrets::from_iter(secrets.iter().copied()).to_dotenv().unwrap();
        fs::write(place, text.expose()).unwrap();
    }
}

struct Layers;

impl Layers {
    fn places(place: &Path) -> (PathBuf, PathBuf) {
        (place.with_extension("env"), place.with_extension("files"))
    }
}

impl Kind for Layers {
    const NAME: &'static str = "layers";
    type Source = Layered;

    fn source(place: &Path) -> Layered {
        let (file, files) = Self::places(place);
        let layers = [Layer::new(Dotenv::source(&file), ()), Layer::new(Files::source(&files), ()).every_name()];
        Layered::new(layers).unwrap()
    }

    /// Every other secret is in the file, and all of them in the directory: those of the file with another value.
    fn put(place: &Path, secrets: &[(&str, &str)]) {
        let (file, files) = Self::places(place);
        let above: Vec<_> = secrets.iter().copied().step_by(2).collect();
        Dotenv::put(&file, &above);
        let below = secrets.iter().enumerate();
        let below: Vec<_> =
            below.map(|(at, (name, value))| (*name, if at % 2 == 0 { "hidden" } else { *value })).collect();
        Files::put(&files, &below);
    }
}

/// A source that is counted, and fails when it is told to.
struct Counted<S> {
    source: S,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    condition: Mutex<Option<Condition>>,
    loads: AtomicU64,
}

impl<S: for<'a> SecretSource<Scope<'a> = (), Owned = ()>> SecretSource for Counted<S> {
    type Scope<'a> = ();
    type Owned = ();

    fn name(&self) -> &'static str {
        self.source.name()
    }

    fn base_url(&self) -> &str {
        self.source.base_url()
    }

    fn describe(&self, scope: &()) -> Option<ScopeDescription> {
        self.source.describe(scope)
    }

    fn identity(&self) -> Identity {
        self.source.identity()
    }

    fn write_key(&self, scope: &(), key: &mut KeyWriter) {
        self.source.write_key(scope, key);
    }

    fn prepare(&self, scope: &()) -> Result<(), XtraError> {
        self.source.prepare(scope)
    }

    async fn load(&self, scope: &()) -> Result<Loaded, XtraError> {
        self.state.loads.fetch_add(1, Ordering::Relaxed);
        match *self.state.condition.lock().unwrap() {
            Some(Condition::Away) => return Err(XtraError::new(ErrorKind::Network, "it is away")),
            Some(Condition::Refusing) => {
                return Err(XtraError::new(ErrorKind::Forbidden, "it refuses").with_status(403));
            }
            Some(Condition::Well) | None => {}
        }
        self.source.load(scope).await
    }
}

struct Local<K: Kind> {
    dir: tempfile::TempDir,
    state: Arc<State>,
    writer: Client<Counted<K::Source>>,
    scopes: AtomicU64,
    kind: PhantomData<K>,
}

impl<K: Kind> Local<K> {
    fn place(dir: &tempfile::TempDir) -> PathBuf {
        dir.path().join("place")
    }
}

impl<K: Kind> Service for Local<K> {
    type Source = Counted<K::Source>;

    const NAME: &'static str = K::NAME;
    const LEFT_OUT: &'static [(&'static str, Lack)] = &[
        ("a_write_shows_in_the_next_read", Lack::Writes),
        ("what_exists_is_not_created_again", Lack::Writes),
        ("what_was_deleted_is_gone_and_the_rest_is_not", Lack::Writes),
        ("a_caller_that_nobody_knows_is_refused", Lack::Callers),
        ("scopes_are_told_apart", Lack::Scopes),
        ("a_copy_on_disk_stands_in_when_the_service_is_away", Lack::Copies),
    ];

    async fn in_memory() -> Self {
        let (dir, state) = (tempfile::tempdir().unwrap(), Arc::<State>::default());
        let source = Counted { source: K::source(&Self::place(&dir)), state: Arc::clone(&state) };
        let writer = Client::new_with_source(source);
        Self { dir, state, writer, scopes: AtomicU64::new(0), kind: PhantomData }
    }

    async fn live() -> Result<Self, XtraError> {
        Ok(Self::in_memory().await)
    }

    async fn new_scope(&self) -> Result<String, Skip> {
        if self.scopes.fetch_add(1, Ordering::Relaxed) > 0 {
            return Err(Lack::Scopes.into());
        }
        let place = Self::place(&self.dir);
        K::put(&place, &[]);
        Ok(place.display().to_string())
    }

    fn scope<'a>(&'a self, _: &'a str) {}

    fn client(&self, options: EngineOptions) -> Client<Self::Source> {
        let source = Counted { source: K::source(&Self::place(&self.dir)), state: Arc::clone(&self.state) };
        Client::with_options(source, options)
    }

    fn writer(&self) -> &Client<Self::Source> {
        &self.writer
    }

    fn stranger(&self) -> Result<Client<Self::Source>, Skip> {
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

    async fn put(&self, _: &str, secrets: &[(&str, &str)]) -> Result<(), Skip> {
        K::put(&Self::place(&self.dir), secrets);
        Ok(())
    }

    fn condition(&self, condition: Condition) -> Result<(), Skip> {
        *self.state.condition.lock().unwrap() = Some(condition);
        Ok(())
    }

    fn copies(&self) -> Result<(), Skip> {
        Err(Lack::Copies.into())
    }

    fn requests(&self, _: &Client<Self::Source>) -> u64 {
        self.state.loads.load(Ordering::Relaxed)
    }
}
