//! Runtimes that end while a call is under way. The client outlives them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use xtrasecurity::{XtraClient, clock::ManualClock};

use crate::case::{Case, Ends, Told};
use crate::peer::{Act, Manner, Peer, Wrong};
use crate::planted::{ENVIRONMENT, NEW, OLD};
use crate::run::holds;

pub const NAME: &str = "a runtime that ends";

pub fn cases() -> Vec<Case> {
    vec![
        Case::told("shut down in mid-flight, with many callers", Ends::Works, in_mid_flight).requests(2, 2),
        Case::told("shut down while a refresh runs behind a stale read", Ends::Works, behind_a_stale_read)
            .requests(3, 4),
        Case::told("dropped with a connection kept, twenty times", Ends::Works, one_after_the_other).requests(20, 20),
        Case::told("dropped unpolled, and read on another one", Ends::Works, unpolled).requests(1, 1),
    ]
}

/// A peer on a runtime that stays.
struct Scene {
    home: Runtime,
    peer: Peer,
}

impl Scene {
    fn set(manner: Manner) -> Self {
        let home = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let peer = home.block_on(Peer::start(manner, OLD));
        Self { home, peer }
    }

    fn go_wrong(&mut self, wrong: Wrong) {
        self.home.block_on(self.peer.go_wrong(wrong));
    }

    fn mend(&mut self) {
        self.peer.turn(NEW);
        self.home.block_on(self.peer.mend());
    }

    fn requested(&self, times: u64) {
        self.home.block_on(self.peer.requested(times));
    }

    /// A read of the newest value on a runtime that is new.
    fn works(&self, client: &XtraClient, problems: &mut Vec<String>) {
        let runtime = fresh();
        let answer =
            runtime.block_on(async { tokio::time::timeout(WAIT, client.get_secrets(ENVIRONMENT).send()).await });
        match answer {
            Ok(Ok(secrets)) if holds(&secrets, NEW) => {}
            answer => problems.push(format!("on a new runtime, it ends with {answer:?}")),
        }
    }

    fn told(self, started: Instant, problems: Vec<String>) -> Told {
        let told = Told { took: started.elapsed(), requests: self.peer.requests(), problems };
        self.home.shutdown_background();
        told
    }
}

/// Never reached when all is well.
const WAIT: Duration = Duration::from_secs(20);

fn fresh() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn many_threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn silence() -> Wrong {
    Wrong::Act(Act::silence_after(""))
}

/// Runs where it may block, which is not in a runtime.
fn aside(program: fn() -> Told) -> Told {
    std::thread::spawn(program).join().expect("the program ends")
}

fn in_mid_flight() -> Told {
    aside(|| {
        let mut scene = Scene::set(Manner::default());
        scene.go_wrong(silence());
        let client = Arc::new(super::client_of(&scene.peer).build().unwrap());
        let runtime = many_threads();
        for _ in 0..64 {
            let client = Arc::clone(&client);
            runtime.spawn(async move { client.get_secrets(ENVIRONMENT).await });
        }
        scene.requested(1);
        let started = Instant::now();
        runtime.shutdown_timeout(Duration::from_secs(5));
        scene.mend();
        let mut problems = Vec::new();
        scene.works(&client, &mut problems);
        scene.told(started, problems)
    })
}

/// Whoever was to fetch the newer one is gone, and somebody else must be let.
fn behind_a_stale_read() -> Told {
    aside(|| {
        let mut scene = Scene::set(Manner::default());
        let clock = ManualClock::new();
        let client = super::client_of(&scene.peer).clock(clock.clock()).build().unwrap();
        let mut problems = Vec::new();
        let runtime = many_threads();
        runtime.block_on(async { client.get_secrets(ENVIRONMENT).await }).unwrap();
        scene.go_wrong(silence());
        clock.advance(Duration::from_secs(45));
        let stale = runtime.block_on(async { client.get_secrets(ENVIRONMENT).await });
        if !stale.as_ref().is_ok_and(|secrets| holds(secrets, OLD) && secrets.is_stale()) {
            problems.push(format!("a read in the second band ends with {stale:?}"));
        }
        scene.requested(2);
        let started = Instant::now();
        runtime.shutdown_timeout(Duration::from_secs(5));
        scene.mend();
        clock.advance(Duration::from_secs(61));
        scene.works(&client, &mut problems);
        scene.told(started, problems)
    })
}

/// A connection belongs to the runtime that opened it, and must not be handed to the next one.
fn one_after_the_other() -> Told {
    aside(|| {
        let scene = Scene::set(Manner { keeps_alive: true, tls: None });
        scene.peer.turn(NEW);
        let client = super::client_of(&scene.peer).build().unwrap();
        let mut problems = Vec::new();
        let started = Instant::now();
        for _ in 0..20 {
            client.clear_cache();
            scene.works(&client, &mut problems);
        }
        scene.told(started, problems)
    })
}

fn unpolled() -> Told {
    aside(|| {
        let scene = Scene::set(Manner::default());
        scene.peer.turn(NEW);
        let client = super::client_of(&scene.peer).build().unwrap();
        let started = Instant::now();
        let runtime = fresh();
        let never_run = client.clone();
        runtime.spawn(async move { never_run.get_secrets(ENVIRONMENT).await });
        drop(runtime);
        let mut problems = Vec::new();
        scene.works(&client, &mut problems);
        scene.told(started, problems)
    })
}
