//! What the promises are tried in: a load map, loads that are counted while they live, and a gate that loads wait at.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::FutureExt;
use loom::sync::{Condvar, Mutex};

use crate::single_flight::{InFlight, SingleFlight};

pub(crate) const KEY: &[u8] = b"k";

/// A load, by its number.
pub(crate) type Number = usize;

pub(crate) struct World {
    pub(crate) loads: SingleFlight<Number>,
    /// Loads begun so far.
    started: AtomicUsize,
    /// Those of a kind that are under way, and the most there may be.
    alive: AtomicUsize,
    steps: loom::sync::atomic::AtomicUsize,
    gate: Mutex<Gate>,
    /// Whether a bell has rung since callers were woken last.
    rang: Arc<AtomicBool>,
    beds: Mutex<()>,
    morning: Condvar,
}

#[derive(Default)]
struct Gate {
    is_open: bool,
    waiting: Vec<Waker>,
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            loads: SingleFlight::new(),
            started: AtomicUsize::new(0),
            alive: AtomicUsize::new(0),
            steps: loom::sync::atomic::AtomicUsize::new(0),
            gate: Mutex::new(Gate::default()),
            rang: Arc::default(),
            beds: Mutex::new(()),
            morning: Condvar::new(),
        })
    }

    /// A point at which the other threads may come first.
    pub(crate) fn step(&self) {
        self.steps.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn started(&self) -> usize {
        self.started.load(Ordering::SeqCst)
    }

    /// A load that is interrupted once. No two loads that are `counted` may be under way together.
    pub(crate) fn load(self: &Arc<Self>, counted: bool) -> impl Future<Output = Number> + Send + 'static {
        let (number, alive) = (self.started.fetch_add(1, Ordering::SeqCst), counted.then(|| Alive::new(self)));
        let world = Arc::clone(self);
        async move {
            world.pass().await;
            drop(alive);
            number
        }
    }

    /// A load that ends when the gate opens.
    pub(crate) fn gated(self: &Arc<Self>) -> impl Future<Output = Number> + Send + 'static {
        let (number, alive) = (self.started.fetch_add(1, Ordering::SeqCst), Alive::new(self));
        let world = Arc::clone(self);
        async move {
            poll_fn(|context| world.at_gate(context)).await;
            drop(alive);
            number
        }
    }

    pub(crate) fn open_gate(&self) {
        let waiting = {
            let mut gate = self.gate.lock().unwrap();
            gate.is_open = true;
            std::mem::take(&mut gate.waiting)
        };
        for waker in waiting {
            self.step();
            waker.wake();
        }
        self.wake_whose_bell_rang();
    }

    fn at_gate(&self, context: &Context<'_>) -> Poll<()> {
        let mut gate = self.gate.lock().unwrap();
        if gate.is_open {
            return Poll::Ready(());
        }
        gate.waiting.push(context.waker().clone());
        Poll::Pending
    }

    /// Comes back later, once.
    async fn pass(&self) {
        let mut came = false;
        poll_fn(|context| {
            self.step();
            if came {
                return Poll::Ready(());
            }
            came = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Waits for a load, and lets the others come first at each of its polls.
    pub(crate) fn wait(&self, mut load: InFlight<Number>) -> Number {
        let bell = Bell::new(self);
        let waker = Waker::from(Arc::clone(&bell));
        loop {
            self.step();
            let polled = load.poll_unpin(&mut Context::from_waker(&waker));
            self.wake_whose_bell_rang();
            if let Poll::Ready(number) = polled {
                self.leave(load);
                return number;
            }
            let mut sleeping = self.beds.lock().unwrap();
            while !bell.rings.swap(false, Ordering::SeqCst) {
                sleeping = self.morning.wait(sleeping).unwrap();
            }
        }
    }

    fn wake_whose_bell_rang(&self) {
        if self.rang.swap(false, Ordering::SeqCst) {
            drop(self.beds.lock().unwrap());
            self.morning.notify_all();
        }
    }

    /// Looks once whether a load has ended, as a caller does that goes away then.
    pub(crate) fn look(&self, load: &mut InFlight<Number>) {
        self.step();
        let _ = load.poll_unpin(&mut Context::from_waker(Waker::noop()));
        self.wake_whose_bell_rang();
    }

    pub(crate) fn leave(&self, load: InFlight<Number>) {
        self.step();
        drop(load);
    }
}

/// What wakes a caller. Shared futures ring it with a lock of theirs held, at which loom must not turn to another thread: that one
/// would stand at the lock for ever. So it is only noted here, and whoever rang wakes the callers when he holds no lock.
struct Bell {
    rings: AtomicBool,
    rang: Arc<AtomicBool>,
}

impl Bell {
    fn new(world: &World) -> Arc<Self> {
        Arc::new(Self { rings: AtomicBool::new(false), rang: Arc::clone(&world.rang) })
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rings.store(true, Ordering::SeqCst);
        self.rang.store(true, Ordering::SeqCst);
    }
}

/// A load under way.
struct Alive(Arc<World>);

impl Alive {
    fn new(world: &Arc<World>) -> Self {
        let others = world.alive.fetch_add(1, Ordering::SeqCst);
        assert_eq!(others, 0, "two loads at the same time");
        Self(Arc::clone(world))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::SeqCst);
    }
}
