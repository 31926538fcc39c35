//! A source that answers as it is told to, and a client of it on a clock that is driven by hand.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use xtrasecurity::{
    CacheOptions, Client, EngineOptions, ErrorKind, SecretSource, XtraError,
    clock::ManualClock,
    source::{Identity, KeyWriter, Listener, Listening, Loaded, Quota},
};

#[derive(Clone)]
pub struct Script(Arc<State>);

struct State {
    loads: AtomicUsize,
    answer: Mutex<Result<Loaded, Option<XtraError>>>,
    identity: Mutex<&'static str>,
    quota: Mutex<Option<Quota>>,
    gate: Semaphore,
    told: Mutex<Option<UnboundedReceiver<Word>>>,
}

/// What the source says to the watch that listens to it.
pub enum Word {
    Connected,
    Changed,
    Lost,
    Panic,
}

impl Script {
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(Arc::new(State {
            loads: AtomicUsize::new(0),
            answer: Mutex::new(Ok(Loaded::from_iter(pairs))),
            identity: Mutex::new("one"),
            quota: Mutex::new(None),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            told: Mutex::new(None),
        }))
    }

    pub fn holds<'a>(&self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) {
        self.answers(Loaded::from_iter(pairs));
    }

    pub fn answers(&self, loaded: Loaded) {
        *self.0.answer.lock().unwrap() = Ok(loaded);
    }

    pub fn fails(&self, error: XtraError) {
        *self.0.answer.lock().unwrap() = Err(Some(error));
    }

    pub fn panics(&self) {
        *self.0.answer.lock().unwrap() = Err(None);
    }

    pub fn is_asked_by(&self, name: &'static str) {
        *self.0.identity.lock().unwrap() = name;
    }

    pub fn has_left(&self, quota: Quota) {
        *self.0.quota.lock().unwrap() = Some(quota);
    }

    /// Holds every load back until [`opens`](Self::opens).
    pub fn closes(&self) {
        self.0.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub fn opens(&self) {
        self.0.gate.add_permits(1000);
    }

    /// Has the next watch listen to these words.
    pub fn tells(&self) -> UnboundedSender<Word> {
        let (tell, told) = unbounded_channel();
        *self.0.told.lock().unwrap() = Some(told);
        tell
    }

    pub fn loads(&self) -> usize {
        self.0.loads.load(Ordering::SeqCst)
    }

    /// A client that keeps snapshots fresh for exactly 30 s.
    pub fn client(&self) -> (Client<Script>, ManualClock) {
        self.client_by(CacheOptions::default().jitter(0.0))
    }

    pub fn client_by(&self, cache: CacheOptions) -> (Client<Script>, ManualClock) {
        let clock = ManualClock::new();
        let options = EngineOptions::default().cache(cache).clock(clock.clock()).required(["REQUIRED"]);
        (Client::with_options(self.clone(), options), clock)
    }
}

impl SecretSource for Script {
    type Scope<'a> = &'a str;
    type Owned = String;

    fn name(&self) -> &'static str {
        "script"
    }

    fn identity(&self) -> Identity {
        Identity::of(*self.0.identity.lock().unwrap())
    }

    fn write_key(&self, scope: &&str, key: &mut KeyWriter) {
        key.field(scope);
    }

    fn prepare(&self, scope: &&str) -> Result<String, XtraError> {
        match *scope {
            "" => Err(XtraError::new(ErrorKind::Invalid, "the scope is empty")),
            scope => Ok(scope.to_owned()),
        }
    }

    fn quota(&self, _: &String) -> Option<Quota> {
        *self.0.quota.lock().unwrap()
    }

    fn listen(&self, _: &String, listener: Listener) -> Option<Listening> {
        let mut told = self.0.told.lock().unwrap().take()?;
        Some(Box::pin(async move {
            while let Some(word) = told.recv().await {
                match word {
                    Word::Connected => listener.connected(),
                    Word::Changed => listener.changed(),
                    Word::Lost => listener.lost(),
                    Word::Panic => panic!("on purpose"),
                }
            }
        }))
    }

    async fn load(&self, _: &String) -> Result<Loaded, XtraError> {
        self.0.loads.fetch_add(1, Ordering::SeqCst);
        drop(self.0.gate.acquire().await);
        let answer = self.0.answer.lock().unwrap().clone();
        answer.map_err(|error| error.expect("a panic on purpose"))
    }
}

pub fn error(kind: ErrorKind) -> XtraError {
    XtraError::new(kind, "told to fail")
}

/// Lets every task of this single-threaded runtime do what it can.
pub async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// The tasks of this runtime, once there are `expected`; what there are instead, if that does not come true.
pub async fn tasks(expected: usize) -> usize {
    for _ in 0..1000 {
        if Handle::current().metrics().num_alive_tasks() == expected {
            break;
        }
        tokio::task::yield_now().await;
    }
    Handle::current().metrics().num_alive_tasks()
}

/// What must come without anybody waiting for it: a test that has lost it fails, and does not stand still.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(seconds(30), what).await.expect("it comes")
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
