//! What `watch` of the blocking client promises, against the service in memory.

use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use xtrasecurity::blocking::{Watch, XtraClient};
use xtrasecurity::dev_server::{DevServer, Fault, RateLimits, route};
use xtrasecurity::{ErrorKind, XtraError, clock::ManualClock, watch::Change};

const TTL: Duration = Duration::from_secs(30);

/// A server on threads of its own, and a client of it on a clock that is driven by hand.
struct World {
    server: DevServer,
    clock: ManualClock,
    client: XtraClient,
    _runtime: Runtime,
}

impl World {
    fn start() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(DevServer::builder().rate_limits(RateLimits::off()).start()).unwrap();
        let clock = ManualClock::new();
        let client = XtraClient::builder().dev_server(&server).clock(clock.clock()).max_retries(0).build().unwrap();
        Self { server, clock, client, _runtime: runtime }
    }

    fn rotates(&self, value: &str) {
        self.server.set_secret("demo", "production", "main", "API_KEY", value).unwrap();
        self.clock.advance(TTL);
    }

    fn polls(&self) -> u64 {
        self.server.request_count(route::SECRETS_READ)
    }
}

type Items = Receiver<Result<Change, XtraError>>;

fn watch(client: &XtraClient) -> (Watch, Items) {
    let (tell, told) = mpsc::channel();
    let watch = client.watch("production", move |item| tell.send(item).unwrap_or_default()).unwrap();
    (watch, told)
}

fn value(items: &Items) -> String {
    items.recv().unwrap().unwrap().snapshot.require("API_KEY").unwrap().expose().to_owned()
}

#[test]
fn the_callback_is_given_the_snapshot_and_then_every_change() {
    let world = World::start();
    let (_watch, items) = watch(&world.client);
    assert_eq!(value(&items), "demo-production-key");
    world.rotates("rotated");
    let change = items.recv().unwrap().unwrap();
    assert_eq!((&change.changed[..], change.added.len(), change.removed.len()), (&["API_KEY".to_owned()][..], 0, 0));
    assert_eq!(change.snapshot.require("API_KEY").unwrap(), "rotated");
    assert_eq!(world.polls(), 2);
}

#[test]
fn the_callback_is_told_of_errors_and_of_what_comes_after_them() {
    let world = World::start();
    let (_watch, items) = watch(&world.client);
    value(&items);
    world.server.fault(Fault::status(503).on(route::SECRETS_READ));
    world.rotates("rotated");
    assert_eq!(items.recv().unwrap().unwrap_err().kind(), ErrorKind::Server);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(value(&items), "rotated");
}

#[test]
fn several_watches_of_a_scope_share_one_poll_and_it_goes_on_with_those_that_are_left() {
    let world = World::start();
    let watches: Vec<_> = (0..5).map(|_| watch(&world.client)).collect();
    watches.iter().for_each(|(_, items)| assert_eq!(value(items), "demo-production-key"));
    assert_eq!(world.polls(), 1);
    let mut watches = watches.into_iter();
    let (last, items) = watches.next_back().unwrap();
    drop(watches);
    world.rotates("rotated");
    assert_eq!(value(&items), "rotated");
    assert_eq!(world.polls(), 2);
    drop(last);
}

#[test]
fn after_a_watch_is_dropped_there_are_no_calls_and_no_polls() {
    let world = World::start();
    let (watch, items) = watch(&world.client);
    value(&items);
    drop(watch);
    world.rotates("rotated");
    // drives the runtime that the poller was on
    world.client.get_secrets("staging").send().unwrap();
    assert_eq!(items.try_recv().unwrap_err(), TryRecvError::Disconnected);
    assert_eq!(world.polls(), 2, "the first poll, and the read of staging");
}

#[cfg(target_os = "linux")]
#[test]
fn callbacks_come_on_one_named_thread_that_is_gone_when_the_watch_is_dropped() {
    let world = World::start();
    let (tell, told) = mpsc::channel();
    let watch = world.client.watch("production", move |_| {
        let task = std::fs::read_link("/proc/thread-self").unwrap();
        tell.send((thread::current().name().map(str::to_owned), task)).unwrap();
    });
    let (name, task) = told.recv().unwrap();
    assert_eq!(name.as_deref(), Some("secrets-watch"));
    world.rotates("rotated");
    assert_eq!(told.recv().unwrap().1, task);
    let task = std::path::Path::new("/proc").join(task);
    assert!(task.exists());
    drop(watch);
    // The kernel takes its name off the list a moment after it has ended.
    let patience = std::time::Instant::now();
    while task.exists() {
        assert!(patience.elapsed() < Duration::from_secs(10), "the thread is still there");
        thread::yield_now();
    }
}

#[test]
fn a_callback_may_make_calls_of_the_client_and_drop_its_own_watch() {
    let world = World::start();
    let (tell, told) = mpsc::channel();
    let own = Arc::new(Mutex::new(None::<Watch>));
    let client = world.client.clone();
    let mine = Arc::clone(&own);
    let mut held = own.lock().unwrap();
    let watch = world.client.watch("production", move |_| {
        let read = client.get_secrets("staging").send().map(|secrets| secrets.len());
        drop(mine.lock().unwrap().take());
        tell.send(read).unwrap();
    });
    *held = Some(watch.unwrap());
    drop(held);
    assert!(told.recv().unwrap().unwrap() > 0);
    world.rotates("rotated");
    assert!(told.recv().is_err(), "it was the last call");
}

#[test]
fn a_callback_that_panics_is_not_called_again_and_harms_nothing_else() {
    let world = World::start();
    let (tell, told) = mpsc::channel();
    let watch_that_ends = world.client.watch("production", move |_| {
        tell.send(()).unwrap();
        panic!("on purpose")
    });
    let watch_that_ends = watch_that_ends.unwrap();
    told.recv().unwrap();
    assert!(told.recv().is_err(), "the callback is dropped");
    while watch_that_ends.is_running() {
        thread::yield_now();
    }
    let (other, items) = watch(&world.client);
    value(&items);
    world.rotates("rotated");
    assert_eq!(value(&items), "rotated");
    assert!(other.is_running());
}

#[test]
fn a_watch_keeps_its_client() {
    let World { server, clock, client, _runtime } = World::start();
    let (_watch, items) = watch(&client);
    drop(client);
    value(&items);
    server.set_secret("demo", "production", "main", "API_KEY", "rotated").unwrap();
    clock.advance(TTL);
    assert_eq!(value(&items), "rotated");
}

#[test]
fn a_watch_may_be_started_and_dropped_inside_an_async_runtime() {
    let world = World::start();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (watch, items) = watch(&world.client);
        value(&items);
        world.rotates("rotated");
        assert_eq!(value(&items), "rotated");
        drop(watch);
    });
}

#[test]
fn a_watch_prints_no_value() {
    let world = World::start();
    let (watch, _items) = watch(&world.client);
    assert_eq!(format!("{watch:?}"), "Watch { is_running: true, .. }");
}
