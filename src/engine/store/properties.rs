//! Properties of the cache and its policies, whatever the options and whatever happens in which order.

use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;

use super::{Found, InsertOutcome, Store, WriteToken};
use crate::core::clock::Tick;
use crate::core::{Clock, ManualClock, Quota};
use crate::engine::adaptive_ttl::AdaptiveTtl;
use crate::engine::policy::{CacheOptions, Deadlines};

/// Without a file of failed cases: what fails becomes a test.
fn cases(number: u32) -> ProptestConfig {
    ProptestConfig { cases: number, failure_persistence: None, ..ProptestConfig::default() }
}

/// Short, long and beyond any clock.
fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0..5_000_u64).prop_map(Duration::from_millis),
        (0..100_000_u64).prop_map(Duration::from_secs),
        Just(Duration::ZERO),
        Just(Duration::MAX),
    ]
}

fn start() -> Tick {
    let clock = ManualClock::new();
    clock.advance(Duration::from_secs(1_000));
    clock.clock().now()
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn deadlines_come_in_order_and_the_jitter_only_shortens(
        [ttl, stale, max_stale] in [durations(), durations(), durations()],
        jitter in prop_oneof![-1.0..2.0, any::<f64>()],
        spread in 0.0..1.0,
    ) {
        let options = CacheOptions::default().stale_while_revalidate(stale).max_stale(max_stale).jitter(jitter);
        let start = start();
        let Deadlines { fresh, revalidate, dead } = options.deadlines(start, ttl, spread);
        prop_assert!(start <= fresh && fresh <= revalidate && revalidate <= dead);
        prop_assert!(fresh <= start.after(ttl) && fresh >= start.after(ttl / 2));
        prop_assert!(dead >= start.after(max_stale));
        let share = if jitter.is_nan() { 0.0 } else { jitter.clamp(0.0, 0.5) };
        if ttl < Duration::from_secs(1 << 20) {
            let least = ttl.mul_f64(1.0 - share).saturating_sub(Duration::from_micros(1));
            prop_assert!(fresh >= start.after(least), "{ttl:?} was shortened by more than {share}");
        }
        if ttl.max(stale) < Duration::MAX {
            prop_assert_eq!(revalidate.since(fresh), stale);
        }
    }

    #[test]
    fn a_quota_stretches_the_ttl_within_its_limits_and_never_past_the_window(
        [ttl, max_ttl] in [durations(), durations()],
        told in prop::collection::vec((0..4_u8, 0..2_000_u64, 0..2_000_u64, durations(), 0..100_000_u64), 1..20),
    ) {
        let (pace, clock) = (AdaptiveTtl::new(ttl, max_ttl), ManualClock::new());
        for (key, limit, remaining, resets_in, pause) in told {
            clock.advance(Duration::from_millis(pause));
            let now = clock.clock().now();
            prop_assert_eq!(pace.ttl(&[key], None, now), ttl);
            let paced = pace.ttl(&[key], Some(Quota::new(limit, remaining, resets_in)), now);
            prop_assert!(paced >= ttl && paced <= ttl.max(max_ttl), "{paced:?}");
            prop_assert!(paced <= ttl.max(resets_in), "{paced:?} with {resets_in:?} left");
        }
    }
}

/// What may happen to a store.
#[derive(Debug, Clone)]
enum Step {
    /// A load of so many loads ago lands under a key. It may be refused by who asked for it.
    Land {
        key: u8,
        load: usize,
        ttl: u64,
        may_replace: bool,
    },
    Begin,
    Find(u8),
    Forget(u8),
    Clear,
    Sweep,
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || 0..5_u8;
    let step = prop_oneof![
        4 => (key(), 0..4_usize, 1..120_u64, prop::bool::weighted(0.9))
            .prop_map(|(key, load, ttl, may_replace)| Step::Land { key, load, ttl, may_replace }),
        4 => Just(Step::Begin),
        6 => key().prop_map(Step::Find),
        2 => key().prop_map(Step::Forget),
        1 => Just(Step::Clear),
        1 => Just(Step::Sweep),
        4 => prop_oneof![0..3_000_u64, 0..200_000_u64].prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..80)
}

/// The store as it should be, written for clarity alone. The dead leave it at once.
struct Model {
    capacity: usize,
    held: HashMap<u8, Held>,
    reads: u64,
    /// What was begun before this is out of date: for every key, and for each.
    floor: usize,
    floors: HashMap<u8, usize>,
}

#[derive(Clone, Copy)]
struct Held {
    value: usize,
    sequence: usize,
    deadlines: Deadlines,
    read: u64,
}

impl Model {
    fn bury(&mut self, now: Tick) {
        self.held.retain(|_, held| now < held.deadlines.dead);
    }

    fn find(&mut self, key: u8, now: Tick) -> Found<usize> {
        self.reads += 1;
        let Some(held) = self.held.get_mut(&key) else { return Found::Nothing };
        held.read = self.reads;
        match held.deadlines {
            deadlines if now < deadlines.fresh => Found::Fresh(held.value),
            deadlines if now < deadlines.revalidate => Found::Stale(held.value),
            _ => Found::Old(held.value),
        }
    }

    fn insert(&mut self, key: u8, new: Held, may_replace: bool) -> InsertOutcome<usize> {
        let kept = self.held.get(&key).copied();
        let newer = kept.filter(|kept| kept.sequence > new.sequence);
        let floor = self.floors.get(&key).copied().unwrap_or_default().max(self.floor);
        if newer.is_some() || new.sequence < floor {
            return InsertOutcome::Outdated(newer.map(|kept| kept.value));
        }
        if let Some(kept) = kept.filter(|_| !may_replace) {
            return InsertOutcome::Refused(kept.value);
        }
        if kept.is_none() && self.held.len() == self.capacity {
            let first = self.held.iter().min_by_key(|(_, held)| held.read).map(|(key, _)| *key);
            self.held.remove(&first.expect("it is full"));
        }
        self.reads += 1;
        self.held.insert(key, Held { read: self.reads, ..new });
        InsertOutcome::Stored
    }
}

/// A load that was begun: its right to store, and the model's.
struct Load {
    token: WriteToken,
    started: Tick,
}

fn follows_the_model(capacity: usize, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let options = CacheOptions::default().jitter(0.0).max_entries(capacity).max_stale(Duration::from_secs(100));
    let store = Store::<usize>::new(options.clone()).expect("the cache is on");
    let mut model = Model { capacity, held: HashMap::new(), reads: 0, floor: 0, floors: HashMap::new() };
    let (manual, mut loads) = (ManualClock::new(), Vec::new());
    let clock: Clock = manual.clock();
    for (value, step) in steps.into_iter().enumerate() {
        let now = clock.now();
        model.bury(now);
        match step {
            Step::Pass(millis) => manual.advance(Duration::from_millis(millis)),
            Step::Begin => {
                loads.push(Load { token: store.token(), started: now });
            }
            Step::Land { key, load, ttl, may_replace } => {
                let Some(sequence) = loads.len().checked_sub(load + 1) else { continue };
                let Load { token, started } = loads[sequence];
                let ttl = Duration::from_secs(ttl);
                let deadlines = options.deadlines(started, ttl, 0.0);
                if now >= deadlines.dead {
                    continue;
                }
                let held = Held { value, sequence, deadlines, read: 0 };
                let kept = store.insert(&[key], value, store.new_entry(token, started, ttl), now, |_| may_replace);
                prop_assert_eq!(kept, model.insert(key, held, may_replace));
            }
            Step::Find(key) => prop_assert_eq!(store.find(&[key], now), model.find(key, now)),
            Step::Forget(key) => {
                store.forget(&[key], now);
                model.held.remove(&key);
                model.floors.insert(key, loads.len());
            }
            Step::Clear => {
                store.clear();
                model.held.clear();
                model.floor = loads.len();
            }
            Step::Sweep => {
                let next = store.sweep(now);
                prop_assert_eq!(store.len(), model.held.len(), "the dead are out of memory");
                let first = model.held.values().map(|held| held.deadlines.dead).min();
                prop_assert_eq!(next.is_some(), first.is_some());
                prop_assert!(next <= first, "the next death is not missed");
            }
        }
        prop_assert!(store.len() <= capacity);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn a_store_does_what_a_plain_map_would_whatever_happens_in_which_order(capacity in 1..4_usize, steps in steps()) {
        follows_the_model(capacity, steps)?;
    }
}
