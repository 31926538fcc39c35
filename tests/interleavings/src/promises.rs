//! What holds in whatever order threads take their steps.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use loom::sync::atomic::AtomicBool;
use loom::thread;

use crate::world::{KEY, World};

/// Each promise and how it is tried.
pub(crate) const ALL: [(&str, fn()); 7] = [
    ("callers at the same time share one load", callers_at_the_same_time_share_one_load),
    ("one caller leads, and after its load another may", one_caller_leads_and_after_its_load_another_may),
    ("a leader that goes away strands nobody", a_leader_that_goes_away_strands_nobody),
    ("a claim that is dropped is free again", a_claim_that_is_dropped_is_free_again),
    ("what is abandoned is answered and not joined any more", || abandoned(2, |world| world.loads.abandon_all())),
    ("the same for one key", || abandoned(1, |world| world.loads.abandon(KEY))),
    ("what is abandoned takes off nothing but itself when it ends", what_is_abandoned_takes_off_nothing_but_itself),
];

fn callers_at_the_same_time_share_one_load() {
    let world = World::new();
    let call = |world: Arc<World>| {
        move || {
            world.step();
            let load = world.loads.join(KEY, || world.load(true));
            let number = world.wait(load);
            assert!(number < world.started());
        }
    };
    let others = [thread::spawn(call(Arc::clone(&world))), thread::spawn(call(Arc::clone(&world)))];
    call(Arc::clone(&world))();
    for other in others {
        other.join().unwrap();
    }
    assert!(world.loads.in_flight(KEY).is_none(), "it has ended, and may still be joined");
}

fn one_caller_leads_and_after_its_load_another_may() {
    let world = World::new();
    let claim = |world: Arc<World>| {
        move || {
            world.step();
            let load = world.loads.lead(KEY, || world.load(true));
            load.map(|load| world.wait(load)).is_some()
        }
    };
    let others = [thread::spawn(claim(Arc::clone(&world))), thread::spawn(claim(Arc::clone(&world)))];
    let mut led = usize::from(claim(Arc::clone(&world))());
    for other in others {
        led += usize::from(other.join().unwrap());
    }
    assert!(led >= 1, "nobody leads");
    assert_eq!(led, world.started(), "a load that nobody drives");
    let next = world.loads.lead(KEY, || world.load(true));
    assert!(next.is_some(), "it has ended, and nobody may lead");
    assert!(world.loads.lead(KEY, || world.load(true)).is_none(), "two lead");
}

fn a_leader_that_goes_away_strands_nobody() {
    let world = World::new();
    let leader = thread::spawn({
        let world = Arc::clone(&world);
        move || {
            let mut load = world.loads.join(KEY, || world.gated());
            world.look(&mut load);
            world.leave(load);
        }
    });
    let follower = thread::spawn({
        let world = Arc::clone(&world);
        move || {
            world.step();
            let load = world.loads.join(KEY, || world.gated());
            world.wait(load)
        }
    });
    world.open_gate();
    leader.join().unwrap();
    assert!(follower.join().unwrap() < world.started());
}

fn a_claim_that_is_dropped_is_free_again() {
    let world = World::new();
    let claim_and_drop = |world: Arc<World>| {
        move || {
            world.step();
            if let Some(mut load) = world.loads.lead(KEY, || world.gated()) {
                world.look(&mut load);
                world.leave(load);
            }
        }
    };
    let others = [thread::spawn(claim_and_drop(Arc::clone(&world))), thread::spawn(claim_and_drop(Arc::clone(&world)))];
    for other in others {
        other.join().unwrap();
    }
    assert!(world.started() >= 1);
    assert!(world.loads.lead(KEY, || world.gated()).is_some(), "the claim is lost");
}

fn abandoned(others: usize, abandon: fn(&World)) {
    let world = World::new();
    // set on either side of the abandoning
    let (begun, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    // for each load, whether it may be one from before
    let old = Arc::new(std::sync::Mutex::new(Vec::new()));
    let call = {
        let (begun, done, old) = (Arc::clone(&begun), Arc::clone(&done), Arc::clone(&old));
        move |world: &Arc<World>| {
            world.step();
            let load = world.loads.join(KEY, || {
                let (may_be_old, is_new) = (!begun.load(SeqCst), done.load(SeqCst));
                let load = world.load(is_new);
                old.lock().unwrap().push(may_be_old);
                load
            });
            world.wait(load)
        }
    };
    let mut callers = Vec::new();
    for _ in 0..others {
        let (world, call) = (Arc::clone(&world), call.clone());
        callers.push(thread::spawn(move || call(&world)));
    }
    begun.store(true, SeqCst);
    abandon(&world);
    done.store(true, SeqCst);
    let number = call(&world);
    assert!(!old.lock().unwrap()[number], "a load from before is joined");
    for caller in callers {
        assert!(caller.join().unwrap() < world.started());
    }
    assert!(world.loads.in_flight(KEY).is_none(), "it has ended, and may still be joined");
}

fn what_is_abandoned_takes_off_nothing_but_itself() {
    let world = World::new();
    let old = world.loads.join(KEY, || world.load(false));
    world.loads.abandon_all();
    let call = |world: Arc<World>| {
        move || {
            world.step();
            let load = world.loads.join(KEY, || world.load(true));
            world.wait(load)
        }
    };
    let driver = thread::spawn({
        let world = Arc::clone(&world);
        move || world.wait(old)
    });
    let other = thread::spawn(call(Arc::clone(&world)));
    assert_ne!(call(Arc::clone(&world))(), 0, "a load from before is joined");
    assert_eq!(driver.join().unwrap(), 0);
    assert_ne!(other.join().unwrap(), 0, "a load from before is joined");
}
