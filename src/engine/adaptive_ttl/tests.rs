//! Tests of the adaptive time to live.

use std::time::Duration;

use super::*;
use crate::core::Clock;
use crate::engine::CacheOptions;

const TTL: Duration = Duration::from_secs(30);
const MAX_TTL: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(86_400);

fn start() -> Tick {
    Clock::system().now()
}

fn pace() -> AdaptiveTtl {
    AdaptiveTtl::new(TTL, MAX_TTL)
}

#[test]
fn a_quota_that_lasts_changes_nothing_nor_does_one_that_is_not_known() {
    let (pace, now) = (pace(), start());
    assert_eq!(pace.ttl(b"a", None, now), TTL);
    for limit in [0, 10_000, 100_000, u64::MAX] {
        assert_eq!(pace.ttl(b"a", Some(Quota::new(limit, limit, DAY)), now), TTL, "{limit}");
    }
    assert_eq!(pace.stretched(), 0);
}

#[test]
fn scopes_share_what_is_left_beyond_the_reserve() {
    let (pace, now) = (pace(), start());
    let ttl = |key: &[u8], remaining| pace.ttl(key, Some(Quota::new(1_000, remaining, DAY)), now);
    assert_eq!(ttl(b"a", 1_000).as_secs(), 86_400 / 900);
    assert_eq!(ttl(b"b", 999).as_secs(), 2 * 86_400 / 899);
    assert_eq!(ttl(b"c", 998).as_secs(), 3 * 86_400 / 898);
    assert_eq!(ttl(b"a", 997).as_secs(), 3 * 86_400 / 897, "a scope counts once");
    assert_eq!(pace.stretched(), 4);
}

#[test]
fn a_spent_quota_is_waited_out_up_to_the_limit_and_no_longer() {
    let now = start();
    for remaining in [100, 99, 1, 0] {
        let ttl = |resets_in| pace().ttl(b"a", Some(Quota::new(1_000, remaining, Duration::from_secs(resets_in))), now);
        assert_eq!(ttl(86_400), MAX_TTL);
        assert_eq!(ttl(120), Duration::from_secs(120), "then the quota is whole again");
        assert_eq!(ttl(0), TTL);
    }
}

#[test]
fn a_limit_below_the_ttl_turns_stretching_off() {
    for max_ttl in [Duration::ZERO, Duration::from_secs(29), TTL] {
        let ttl = AdaptiveTtl::new(TTL, max_ttl).ttl(b"a", Some(Quota::new(1_000, 0, DAY)), start());
        assert_eq!(ttl, TTL);
    }
}

#[test]
fn whatever_an_answer_tells_the_ttl_stays_within_its_limits() {
    let pace = pace();
    let mut random = Random(7);
    let mut now = start();
    for _ in 0..20_000 {
        let limit = match random.below(3) {
            0 => 0,
            1 => random.below(100_000),
            _ => random.next(),
        };
        let quota = Quota::new(limit, random.next() % limit.max(1).saturating_mul(2).max(1), random.duration());
        let key = random.below(10_000).to_le_bytes();
        let ttl = pace.ttl(&key, Some(quota), now);
        assert!(ttl >= TTL && ttl <= MAX_TTL, "{ttl:?} by {quota:?}");
        now = now.after(Duration::from_millis(random.below(5_000)));
    }
    let state = pace.state.lock().unwrap();
    assert!(state.windows.len() <= MOST_WINDOWS);
    assert!(state.windows.iter().all(|window| window.scopes.len() <= MOST_SCOPES));
}

#[test]
fn stretching_ends_when_the_quota_is_whole_again_and_is_told_once_each_time() {
    let (pace, now) = (pace(), start());
    let stretching = |remaining, resets_in, at: Tick| {
        pace.ttl(b"a", Some(Quota::new(10_000, remaining, resets_in)), at);
        pace.state.lock().unwrap().windows.iter().map(|window| window.stretching).collect::<Vec<_>>()
    };
    assert_eq!(stretching(10_000, DAY, now), [false]);
    assert_eq!(stretching(2_000, DAY, now), [true]);
    assert_eq!(stretching(1_999, DAY, now), [true]);
    assert_eq!(stretching(10_000, DAY, now.after(DAY)), [false], "the next window");
}

#[test]
fn a_scope_that_is_no_longer_read_stops_counting() {
    let (pace, now) = (pace(), start());
    let quota = |left| Some(Quota::new(1_000, 1_000, left));
    for key in 0_u8..6 {
        pace.ttl(&[key], quota(DAY), now);
    }
    let later = Duration::from_secs(3600);
    assert_eq!(pace.ttl(&[0], quota(DAY - later), now.after(later)).as_secs(), 82_800 / 900);
}

#[test]
fn a_scope_counts_for_as_long_again_as_it_is_fresh() {
    let (pace, now) = (pace(), start());
    let quota = |left| Some(Quota::new(1_000, 1_000, left));
    let ttl = pace.ttl(b"a", quota(DAY), now);
    let later = ttl + ttl / 2;
    let both = 2 * (DAY - later).as_secs() / 900;
    assert_eq!(pace.ttl(b"b", quota(DAY - later), now.after(later)).as_secs(), both);
}

#[test]
fn projects_of_one_owner_share_and_those_of_another_do_not() {
    let (pace, now) = (pace(), start());
    let quota = |resets_in| Some(Quota::new(1_000, 1_000, resets_in));
    pace.ttl(b"a", quota(DAY), now);
    assert_eq!(pace.ttl(b"b", quota(DAY - Duration::from_secs(1)), now).as_secs(), 2 * 86_399 / 900);
    let half = DAY / 2;
    assert_eq!(pace.ttl(b"c", quota(half), now).as_secs(), 43_200 / 900);
    // the next window finds the scopes of the one before
    let next = now.after(half + Duration::from_secs(5));
    assert_eq!(pace.ttl(b"c", quota(DAY), next).as_secs(), 86_400 / 900);
}

/// splitmix64
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn share(&mut self) -> f64 {
        self.below(1 << 20) as f64 / (1 << 20) as f64
    }

    fn duration(&mut self) -> Duration {
        match self.below(4) {
            0 => Duration::ZERO,
            1 => Duration::MAX,
            _ => Duration::from_secs(self.below(100_000)),
        }
    }
}

/// Processes that read their scopes every ten seconds from one owner's quota, for as long as it is asked for.
struct Fleet {
    /// For each process, the scopes' deadlines and names.
    processes: Vec<(AdaptiveTtl, Vec<Tick>)>,
    limit: u64,
    remaining: u64,
    window_ends: Tick,
    now: Tick,
    random: Random,
    /// Requests beyond those, by chance in each step.
    surprises: f64,
    refused: u64,
    oldest: Duration,
}

impl Fleet {
    fn new(processes: usize, scopes: usize, limit: u64, seed: u64) -> Self {
        let now = start();
        let of_process = || (pace(), vec![now; scopes]);
        Self {
            processes: (0..processes).map(|_| of_process()).collect(),
            limit,
            remaining: limit,
            window_ends: now.after(DAY),
            now,
            random: Random(seed),
            surprises: 0.0,
            refused: 0,
            oldest: Duration::ZERO,
        }
    }

    fn request(&mut self) -> Option<Quota> {
        if self.now >= self.window_ends {
            (self.remaining, self.window_ends) = (self.limit, self.now.after(DAY));
        }
        if self.remaining == 0 {
            self.refused += 1;
            return None;
        }
        self.remaining -= 1;
        let resets_in = Duration::from_secs(self.window_ends.since(self.now).as_secs());
        Some(Quota::new(self.limit, self.remaining, resets_in))
    }

    fn step(&mut self) {
        self.now = self.now.after(Duration::from_secs(10));
        if self.random.share() < self.surprises {
            let _ = self.request();
        }
        for process in 0..self.processes.len() {
            for scope in 0..self.processes[process].1.len() {
                if self.now < self.processes[process].1[scope] {
                    continue;
                }
                let quota = self.request();
                let spread = self.random.share();
                let (pace, scopes) = &mut self.processes[process];
                let ttl = pace.ttl(&scope.to_le_bytes(), quota, self.now);
                self.oldest = self.oldest.max(ttl);
                scopes[scope] = CacheOptions::default().deadlines(self.now, ttl, spread).fresh;
            }
        }
    }

    fn run(&mut self, time: Duration) {
        for _ in 0..time.as_secs() / 10 {
            self.step();
        }
    }
}

/// Six scopes of a process, or a scope of six processes, is what 1,000 requests a day carry at ten minutes each.
#[test]
fn processes_that_do_not_know_of_each_other_stay_within_one_budget() {
    for (processes, scopes) in [(1, 1), (1, 3), (1, 6), (2, 1), (2, 3), (3, 1), (3, 2), (6, 1)] {
        for seed in 0..5 {
            let mut fleet = Fleet::new(processes, scopes, 1_000, seed);
            fleet.run(3 * DAY);
            assert_eq!(fleet.refused, 0, "{processes} processes of {scopes} scopes, seed {seed}");
            assert!(fleet.oldest <= MAX_TTL);
        }
    }
}

#[test]
fn the_quota_is_used_and_not_hoarded() {
    for (processes, scopes) in [(1, 3), (3, 1), (4, 1)] {
        let mut fleet = Fleet::new(processes, scopes, 1_000, 1);
        fleet.run(DAY - Duration::from_secs(60));
        assert!(fleet.remaining < 250, "{processes} of {scopes}: {} left", fleet.remaining);
    }
}

#[test]
fn requests_of_others_are_made_room_for() {
    let mut fleet = Fleet::new(1, 2, 1_000, 3);
    // some 430 a day beside it
    fleet.surprises = 0.05;
    fleet.run(2 * DAY);
    assert_eq!(fleet.refused, 0);
    // and a burst in the middle of a day that takes most of what is left
    fleet.surprises = 0.0;
    fleet.run(DAY / 2);
    fleet.remaining = fleet.remaining.min(300);
    fleet.run(DAY);
    assert_eq!(fleet.refused, 0);
}

#[test]
fn one_burst_of_another_does_not_stretch_for_longer_than_it_must() {
    let (pace, now) = (pace(), start());
    let ttl = |remaining| pace.ttl(b"a", Some(Quota::new(100_000, remaining, DAY)), now);
    assert_eq!(ttl(100_000), TTL);
    ttl(20_000);
    assert_eq!(ttl(19_999), TTL, "a process of one scope needs 2,880 of the 10,000 beyond the reserve");
    assert_eq!(ttl(10_000), MAX_TTL, "nothing is left beyond it");
}

#[test]
fn a_process_that_joins_or_leaves_is_noticed() {
    let mut fleet = Fleet::new(1, 1, 1_000, 5);
    fleet.run(DAY / 4);
    for _ in 0..3 {
        fleet.processes.push((pace(), vec![fleet.now; 1]));
        fleet.run(Duration::from_secs(600));
    }
    fleet.run(DAY / 4);
    fleet.processes.truncate(2);
    fleet.run(DAY);
    assert_eq!(fleet.refused, 0);
}
