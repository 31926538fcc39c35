//! Tests of the store.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::*;
use crate::core::{Clock, ManualClock};

fn keep<V: Clone + Send + Sync + 'static>(store: &Store<V>, key: &[u8], value: V, token: WriteToken, now: Tick) {
    store.insert(key, value, store.new_entry(token, now, store.options.ttl), now, |_| true);
}

fn store(max_entries: usize) -> Store<u32> {
    let options = CacheOptions { max_entries, jitter: 0.0, ..CacheOptions::default() };
    Store::new(options).expect("the cache is on")
}

#[test]
fn a_value_is_fresh_for_the_ttl_then_stale_then_old_until_max_stale_then_gone() {
    let (store, clock) = (store(4), ManualClock::new());
    let now = || clock.clock().now();
    keep(&store, b"k", 7, store.token(), now());
    clock.advance(Duration::from_secs(29));
    assert_eq!(store.find(b"k", now()), Found::Fresh(7));
    clock.advance(Duration::from_secs(1));
    assert_eq!(store.find(b"k", now()), Found::Stale(7));
    clock.advance(Duration::from_secs(29));
    assert_eq!(store.find(b"k", now()), Found::Stale(7));
    clock.advance(Duration::from_secs(1));
    assert_eq!(store.find(b"k", now()), Found::Old(7));
    clock.advance(Duration::from_secs(3539));
    assert_eq!(store.find(b"k", now()), Found::Old(7));
    clock.advance(Duration::from_secs(1));
    assert_eq!(store.find(b"k", now()), Found::Nothing);
    assert_eq!(store.len(), 0, "a dead entry leaves memory when it is met");
}

#[test]
fn the_bound_is_exact_and_the_least_recently_read_goes_first() {
    let (store, clock) = (store(2), ManualClock::new());
    let now = clock.clock().now();
    keep(&store, b"a", 1, store.token(), now);
    keep(&store, b"b", 2, store.token(), now);
    assert_eq!(store.find(b"a", now), Found::Fresh(1));
    keep(&store, b"c", 3, store.token(), now);
    assert_eq!(store.len(), 2);
    assert_eq!(store.find(b"b", now), Found::Nothing);
    assert_eq!(store.find(b"a", now), Found::Fresh(1));
}

#[test]
fn an_answer_asked_for_earlier_never_replaces_one_asked_for_later() {
    let (store, clock) = (store(2), ManualClock::new());
    let (earlier, later) = (store.token(), store.token());
    keep(&store, b"k", 2, later, clock.clock().now());
    keep(&store, b"k", 1, earlier, clock.clock().now());
    assert_eq!(store.find(b"k", clock.clock().now()), Found::Fresh(2));
}

#[test]
fn what_was_asked_for_before_a_clear_does_not_come_back_after_it() {
    let (store, clock) = (store(2), ManualClock::new());
    let before = store.token();
    store.clear();
    keep(&store, b"k", 1, before, clock.clock().now());
    assert_eq!(store.find(b"k", clock.clock().now()), Found::Nothing);
    keep(&store, b"k", 2, store.token(), clock.clock().now());
    assert_eq!(store.find(b"k", clock.clock().now()), Found::Fresh(2));
}

#[test]
fn what_was_asked_for_before_an_entry_was_dropped_does_not_come_back_and_other_entries_do_not_suffer() {
    let (store, clock) = (store(2), ManualClock::new());
    let now = clock.clock().now();
    let before = store.token();
    keep(&store, b"k", 1, store.token(), now);
    keep(&store, b"other", 2, store.token(), now);
    store.forget(b"k", now);
    keep(&store, b"k", 1, before, now);
    assert_eq!(store.find(b"k", now), Found::Nothing);
    assert_eq!(store.find(b"other", now), Found::Fresh(2));
    keep(&store, b"third", 3, before, now);
    assert_eq!(store.find(b"third", now), Found::Fresh(3));
}

#[test]
fn what_begins_alike_is_dropped_together_and_nothing_under_way_is_kept() {
    let (store, now) = (store(4), ManualClock::new().clock().now());
    let before = store.token();
    for key in [b"one/a", b"one/b", b"two/a"] {
        keep(&store, key, 1, store.token(), now);
    }
    store.forget_under(b"one/", now);
    for key in [b"one/a", b"one/b"] {
        assert_eq!(store.find(key, now), Found::Nothing);
        keep(&store, key, 2, before, now);
        assert_eq!(store.find(key, now), Found::Nothing, "it was asked for before");
    }
    assert_eq!(store.find(b"two/a", now), Found::Fresh(1));
    keep(&store, b"one/a", 3, store.token(), now);
    assert_eq!(store.find(b"one/a", now), Found::Fresh(3));
}

#[test]
fn an_entry_that_must_not_be_replaced_stays_as_old_as_it_is() {
    let (store, clock) = (store(2), ManualClock::new());
    let now = || clock.clock().now();
    keep(&store, b"k", 1, store.token(), now());
    clock.advance(Duration::from_secs(31));
    let new_entry = store.new_entry(store.token(), now(), Duration::from_secs(30));
    assert_eq!(store.insert(b"k", 2, new_entry, now(), |kept| *kept != 1), InsertOutcome::Refused(1));
    assert_eq!(store.find(b"k", now()), Found::Stale(1));
    let new_entry = store.new_entry(store.token(), now(), Duration::from_secs(30));
    assert_eq!(store.insert(b"k", 3, new_entry, now(), |kept| *kept == 1), InsertOutcome::Stored);
    assert_eq!(store.find(b"k", now()), Found::Fresh(3));
}

#[test]
fn a_sweep_takes_out_what_is_dead_without_its_being_met_and_tells_when_to_sweep_next() {
    let store = Store::<Arc<u32>>::new(CacheOptions { jitter: 0.0, ..CacheOptions::default() }).expect("on");
    let clock = ManualClock::new();
    let now = || clock.clock().now();
    assert_eq!(store.sweep(now()), None);
    let value = Arc::new(1);
    let weak = Arc::downgrade(&value);
    keep(&store, b"k", value, store.token(), now());
    // read twice, so that it is in front too
    for _ in 0..2 {
        clock.advance(Duration::from_secs(1));
        assert!(matches!(store.find(b"k", now()), Found::Fresh(_)));
    }
    clock.advance(Duration::from_secs(8));
    keep(&store, b"later", Arc::new(2), store.token(), now());
    let dead = now().after(Duration::from_secs(3590));
    assert_eq!(store.sweep(now()), Some(dead));
    clock.advance(Duration::from_secs(3590));
    assert_eq!(store.sweep(now()), Some(dead.after(Duration::from_secs(10))));
    assert!(weak.upgrade().is_none(), "it has left memory");
    assert_eq!(store.len(), 1);
    clock.advance(Duration::from_secs(10));
    assert_eq!(store.sweep(now()), None);
}

#[test]
fn what_is_dropped_or_replaced_is_not_found_although_it_was_just_read() {
    let (store, clock) = (store(2), ManualClock::new());
    let now = clock.clock().now();
    let drop_it: [fn(&Store<u32>, Tick); 3] =
        [|store, now| store.forget(b"k", now), |store, now| store.forget_under(b"k", now), |store, _| store.clear()];
    for drop_it in drop_it {
        keep(&store, b"k", 1, store.token(), now);
        assert_eq!(store.find(b"k", now), Found::Fresh(1));
        assert_eq!(store.find(b"k", now), Found::Fresh(1));
        keep(&store, b"k", 2, store.token(), now);
        assert_eq!(store.find(b"k", now), Found::Fresh(2));
        drop_it(&store, now);
        assert_eq!(store.find(b"k", now), Found::Nothing);
    }
}

#[test]
fn what_is_dropped_replaced_or_dead_leaves_memory_although_it_was_just_read() {
    let options = CacheOptions { max_entries: 1, ..CacheOptions::default() };
    let store = Store::<Arc<u32>>::new(options).expect("the cache is on");
    let clock = ManualClock::new();
    let leave: [&dyn Fn(); 6] = [
        &|| store.forget(b"k", clock.clock().now()),
        &|| store.forget_under(b"", clock.clock().now()),
        &|| store.clear(),
        &|| keep(&store, b"k", Arc::new(2), store.token(), clock.clock().now()),
        &|| keep(&store, b"other", Arc::new(2), store.token(), clock.clock().now()),
        &|| {
            clock.advance(Duration::from_secs(3600));
            assert_eq!(store.find(b"k", clock.clock().now()), Found::Nothing);
        },
    ];
    for leave in leave {
        let value = Arc::new(1);
        let weak = Arc::downgrade(&value);
        keep(&store, b"k", value, store.token(), clock.clock().now());
        clock.advance(Duration::from_millis(1));
        for _ in 0..3 {
            assert!(matches!(store.find(b"k", clock.clock().now()), Found::Fresh(_)));
        }
        leave();
        assert!(weak.upgrade().is_none());
    }
}

#[test]
fn readers_on_other_threads_never_see_a_value_after_a_newer_one() {
    let (store, clock) = (store(4), Clock::system());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut newest = 0;
                while !done.load(Ordering::Relaxed) {
                    if let Found::Fresh(value) = store.find(b"k", clock.now()) {
                        assert!(value >= newest, "{value} after {newest}");
                        newest = value;
                    }
                }
            });
        }
        for value in 1..20_000 {
            keep(&store, b"k", value, store.token(), clock.now());
            assert_eq!(store.find(b"k", clock.now()), Found::Fresh(value));
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn many_entries_are_told_apart_and_the_order_of_reads_is_exact() {
    let (store, clock) = (store(100), ManualClock::new());
    let key = |number: u32| format!("key-{number}").into_bytes();
    for number in 0..100 {
        keep(&store, &key(number), number, store.token(), clock.clock().now());
    }
    for number in (0..100).rev().chain(50..100) {
        clock.advance(Duration::from_micros(1));
        assert_eq!(store.find(&key(number), clock.clock().now()), Found::Fresh(number));
    }
    // read longest ago: 49, 48, … 0, and then 50, 51, …
    for (newcomer, gone) in (1000..).zip((0..50).rev().chain(50..100)) {
        keep(&store, &key(newcomer), newcomer, store.token(), clock.clock().now());
        assert_eq!(store.find(&key(gone), clock.clock().now()), Found::Nothing, "{gone}");
        assert_eq!(store.len(), 100);
    }
}

#[test]
fn what_the_store_remembers_of_entries_that_have_left_is_bounded() {
    let (store, clock) = (store(10), ManualClock::new());
    let now = || clock.clock().now();
    for round in 0..5_000_u32 {
        let key = (round % 25).to_le_bytes();
        match round % 7 {
            0 => store.forget(&key, now()),
            1 => clock.advance(Duration::from_secs(1)),
            // the same key again and again, and others in between
            2..5 => keep(&store, b"k", round, store.token(), now()),
            _ => keep(&store, &key, round, store.token(), now()),
        }
        store.sweep(now());
        assert!(store.len() <= 10);
        assert!(store.ledger().eviction.places() <= 2 * 10 + 64 + 1, "{round}");
    }
}

#[test]
fn the_dead_make_room_before_any_that_may_still_be_served() {
    let (store, clock) = (store(3), ManualClock::new());
    let now = || clock.clock().now();
    keep(&store, b"dies", 1, store.token(), now());
    clock.advance(Duration::from_secs(3000));
    keep(&store, b"a", 2, store.token(), now());
    keep(&store, b"b", 3, store.token(), now());
    clock.advance(Duration::from_secs(599));
    // read last, and dead a second later all the same
    assert_eq!(store.find(b"dies", now()), Found::Old(1));
    clock.advance(Duration::from_secs(1));
    keep(&store, b"c", 4, store.token(), now());
    assert_eq!(store.len(), 3);
    for (key, value) in [(b"a", 2), (b"b", 3)] {
        assert_eq!(store.find(key, now()), Found::Old(value));
    }
}

#[test]
fn a_ttl_of_zero_turns_the_cache_off() {
    assert!(Store::<u32>::new(CacheOptions { ttl: Duration::ZERO, ..CacheOptions::default() }).is_none());
}

#[test]
fn what_began_before_a_drop_is_out_of_date_for_its_key_alone() {
    let mut generations = Generations::default();
    let before = generations.begin();
    generations.drop_key(b"k");
    assert!(!generations.admits(b"k", before));
    assert!(generations.admits(b"other", before));
    let after = generations.begin();
    assert!(generations.admits(b"k", after));
    generations.drop_all();
    assert!(!generations.admits(b"k", after) && !generations.admits(b"other", before));
    let last = generations.begin();
    assert!(generations.admits(b"k", last));
}

#[test]
fn the_memory_of_drops_is_bounded_and_forgets_none_of_them() {
    let mut generations = Generations::default();
    let before = generations.begin();
    for number in 0..3 * Generations::MOST {
        generations.drop_key(&number.to_le_bytes());
        assert!(generations.floors.len() <= Generations::MOST);
    }
    for number in 0..3 * Generations::MOST {
        assert!(!generations.admits(&number.to_le_bytes(), before), "{number}");
    }
}
