//! Watches of layers whose services tell of changes by themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch::{Receiver, Sender, channel};
use xtrasecurity::clock::ManualClock;
use xtrasecurity::source::{Identity, KeyWriter, Listener, Listening, Loaded};
use xtrasecurity::sources::Layer;
use xtrasecurity::watch::Watch;
use xtrasecurity::{Client, SecretSource, XtraError, sources::Layered};

use super::layers::{TTL, client_over};
use crate::kept::source::{Says, Scripted};

/// A source that has one secret, and tells of its changes, unless it is cut off.
struct Telling {
    name: &'static str,
    state: Receiver<(u32, bool)>,
    loads: Arc<AtomicUsize>,
}

impl SecretSource for Telling {
    type Scope<'a> = ();
    type Owned = ();

    fn name(&self) -> &'static str {
        self.name
    }

    fn identity(&self) -> Identity {
        Identity::of("tests")
    }

    fn write_key(&self, (): &(), _: &mut KeyWriter) {}

    fn prepare(&self, (): &()) -> Result<(), XtraError> {
        Ok(())
    }

    async fn load(&self, (): &()) -> Result<Loaded, XtraError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        Ok(Loaded::from_iter([(self.name, self.state.borrow().0.to_string())]))
    }

    fn listen(&self, (): &(), listener: Listener) -> Option<Listening> {
        let mut state = self.state.clone();
        Some(Box::pin(async move {
            listener.connected();
            while state.changed().await.is_ok() {
                let (_, is_connected) = *state.borrow();
                if is_connected { listener.changed() } else { listener.lost() }
            }
        }))
    }

    fn has_timers(&self) -> bool {
        true
    }
}

struct Told {
    source: Option<Telling>,
    state: Sender<(u32, bool)>,
    loads: Arc<AtomicUsize>,
}

impl Told {
    fn new(name: &'static str) -> Self {
        let (state, receiver) = channel((1, true));
        let loads = Arc::<AtomicUsize>::default();
        Self { source: Some(Telling { name, state: receiver, loads: Arc::clone(&loads) }), state, loads }
    }

    fn layer(&mut self) -> Layer {
        Layer::new(self.source.take().unwrap(), ()).every_name()
    }

    fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
    }
}

/// A watch of two layers that tell, with what was there shown; the reads that connecting has brought are over.
async fn watched(layers: impl IntoIterator<Item = Layer>) -> (Client<Layered>, ManualClock, Watch) {
    let (client, clock) = client_over(layers);
    let mut watch = client.watch(());
    watch.next().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    (client, clock, watch)
}

async fn changed(watch: &mut Watch) -> Vec<String> {
    let next = tokio::time::timeout(Duration::from_secs(60), watch.next()).await;
    next.expect("a change is noticed").unwrap().unwrap().changed
}

#[tokio::test(start_paused = true)]
async fn what_any_layer_tells_is_read_at_once_and_polls_are_put_off_while_all_of_them_tell() {
    let (mut one, mut two) = (Told::new("ONE"), Told::new("TWO"));
    let (_client, clock, mut watch) = watched([one.layer(), two.layer()]).await;
    two.state.send_replace((2, true));
    assert_eq!(changed(&mut watch).await, ["TWO"]);
    one.state.send_replace((2, true));
    assert_eq!(changed(&mut watch).await, ["ONE"]);
    tokio::time::sleep(Duration::from_secs(5)).await;

    let before = one.loads();
    clock.advance(4 * TTL);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(one.loads(), before, "not polled");
    two.state.send_replace((2, false));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(one.loads(), before + 1, "polled, for one of the layers does not tell any more");
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_tells_nothing_is_polled_beside_one_that_tells() {
    let silent = Scripted::new(Says::names(&["SILENT"], "1"));
    let mut told = Told::new("ONE");
    let (_client, clock, mut watch) = watched([Layer::new(silent.clone(), "s"), told.layer()]).await;
    told.state.send_replace((2, true));
    assert_eq!(changed(&mut watch).await, ["ONE"]);
    silent.says(Says::names(&["SILENT"], "2"));
    clock.advance(TTL);
    assert_eq!(changed(&mut watch).await, ["SILENT"]);
}
