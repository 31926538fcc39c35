//! The entries that each thread read most lately, found again without a lock and without a write that another thread would see.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use super::entry::About;
use super::store::{FoundAfter, Pinned, Store};
use crate::core::Secrets;
use crate::core::clock::Tick;

const PLACES: usize = 8;

thread_local! {
    static RECENT: RefCell<[Option<Recent>; PLACES]> = const { RefCell::new([const { None }; PLACES]) };
}

/// An entry of some store, which counts for as long as a read of its key would find it there.
struct Recent {
    about: Arc<About>,
    found: FoundAfter,
    /// Weak, so that a value leaves memory when the store drops it and not when this thread reads again.
    secrets: Weak<Secrets>,
    noted: Tick,
}

/// The snapshot that `store` has under `key`, when this thread has read it lately and it is fresh. The hash of the key tells
/// where to look.
#[inline]
pub(crate) fn find(store: &Store<Arc<Secrets>>, key: &[u8], hash: u64, now: Tick) -> Option<Arc<Secrets>> {
    let look = |recent: &RefCell<[Option<Recent>; PLACES]>| {
        let recent = recent.try_borrow().ok()?;
        let recent = recent.get(place_of(hash))?.as_ref()?;
        // the key first: what is asked whether it is fresh counts as read
        if recent.about.key != key || !store.is_fresh(&recent.about, recent.found, now) {
            return None;
        }
        recent.secrets.upgrade()
    };
    // a thread that is ending remembers nothing any more
    RECENT.try_with(look).ok().flatten()
}

/// Remembers what this thread has just read, and gives it as the thread will find it from now on. A place takes one entry for each
/// step of the clock: keys that are read in turn and share one would otherwise fill it at every read.
pub(crate) fn note(store: &Store<Arc<Secrets>>, pinned: &Pinned<Arc<Secrets>>, hash: u64, now: Tick) -> Arc<Secrets> {
    let fill = |recent: &RefCell<[Option<Recent>; PLACES]>| {
        let mut recent = recent.try_borrow_mut().ok()?;
        let place = recent.get_mut(place_of(hash))?;
        let is_taken = |recent: &Recent| recent.noted == now && !recent.found.is_before(store.latest_change());
        if place.as_ref().is_some_and(is_taken) {
            return None;
        }
        let secrets = pinned.lend(Secrets::share);
        *place = Some(Recent {
            about: Arc::clone(pinned.about()),
            found: pinned.found(),
            secrets: Arc::downgrade(&secrets),
            noted: now,
        });
        Some(secrets)
    };
    RECENT.try_with(fill).ok().flatten().unwrap_or_else(|| Arc::clone(pinned.value()))
}

#[inline]
fn place_of(hash: u64) -> usize {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    (hash.wrapping_mul(SPREAD) >> 32) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::core::{Clock, ManualClock};
    use crate::engine::policy::CacheOptions;

    type Snapshots = Store<Arc<Secrets>>;

    fn store(max_entries: usize) -> Snapshots {
        Store::new(CacheOptions { max_entries, jitter: 0.0, ..CacheOptions::default() }).expect("the cache is on")
    }

    fn keep(store: &Snapshots, key: &[u8], value: &str, now: Tick) {
        let secrets = Arc::new(Secrets::from_iter([("VALUE", value)]));
        let new_entry = store.new_entry(store.token(), now, CacheOptions::default().ttl);
        store.insert(key, secrets, new_entry, now, |_| true);
    }

    fn read_and_note(store: &Snapshots, key: &[u8], now: Tick) -> Weak<Secrets> {
        let pinned = store.pin(key, now).expect("it is fresh");
        Arc::downgrade(&note(store, &pinned, 0, now))
    }

    fn found(store: &Snapshots, key: &[u8], now: Tick) -> Option<String> {
        find(store, key, 0, now).map(|secrets| secrets.require("VALUE").expect("it is there").expose().to_owned())
    }

    #[test]
    fn what_was_read_is_found_again_until_it_is_not_fresh_any_more() {
        let (store, clock) = (store(4), ManualClock::new());
        let now = || clock.clock().now();
        keep(&store, b"k", "1", now());
        assert_eq!(found(&store, b"k", now()), None, "nobody has read it yet");
        read_and_note(&store, b"k", now());
        clock.advance(Duration::from_secs(29));
        assert_eq!(found(&store, b"k", now()).as_deref(), Some("1"));
        assert_eq!(found(&store, b"other", now()), None);
        clock.advance(Duration::from_secs(1));
        assert_eq!(found(&store, b"k", now()), None);
    }

    #[test]
    fn what_is_dropped_or_replaced_is_not_found_and_has_left_memory_although_it_was_just_read() {
        let (store, clock) = (store(1), ManualClock::new());
        let now = clock.clock().now();
        let leave: [&dyn Fn(); 5] = [
            &|| store.forget(b"k", now),
            &|| store.forget_under(b"", now),
            &|| store.clear(),
            &|| keep(&store, b"k", "2", now),
            &|| keep(&store, b"other", "2", now),
        ];
        for leave in leave {
            keep(&store, b"k", "1", now);
            let value = read_and_note(&store, b"k", now);
            assert_eq!(found(&store, b"k", now).as_deref(), Some("1"));
            leave();
            assert_eq!(found(&store, b"k", now), None);
            assert!(value.upgrade().is_none());
        }
    }

    #[test]
    fn what_is_dead_leaves_memory_by_a_sweep_although_it_was_just_read() {
        let (store, clock) = (store(4), ManualClock::new());
        keep(&store, b"k", "1", clock.clock().now());
        let value = read_and_note(&store, b"k", clock.clock().now());
        clock.advance(Duration::from_secs(3600));
        store.sweep(clock.clock().now());
        assert!(value.upgrade().is_none());
    }

    #[test]
    fn each_thread_has_a_snapshot_by_a_count_of_its_own_which_leaves_memory_with_the_entry() {
        let (store, now) = (store(4), ManualClock::new().clock().now());
        keep(&store, b"k", "1", now);
        let read = || {
            let noted = note(&store, &store.pin(b"k", now).expect("it is fresh"), 0, now);
            let again = find(&store, b"k", 0, now).expect("it was noted");
            assert!(Arc::ptr_eq(&noted, &again));
            again
        };
        let here = read();
        let there = std::thread::scope(|scope| scope.spawn(read).join().expect("it reads"));
        assert!(Arc::ptr_eq(&here, store.pin(b"k", now).expect("it is fresh").value()), "one thread needs one count");
        assert!(!Arc::ptr_eq(&here, &there) && here.is_same_snapshot(&there));
        let left = [Arc::downgrade(&here), Arc::downgrade(&there)];
        drop((here, there));
        store.forget(b"k", now);
        assert!(left.iter().all(|secrets| secrets.upgrade().is_none()));
    }

    #[test]
    fn threads_that_have_ended_leave_room_for_the_counts_of_others() {
        let (store, now) = (store(4), ManualClock::new().clock().now());
        keep(&store, b"k", "1", now);
        let has_its_own = || {
            let pinned = store.pin(b"k", now).expect("it is fresh");
            !Arc::ptr_eq(&note(&store, &pinned, 0, now), pinned.value())
        };
        assert!(!has_its_own(), "the first thread has the entry's");
        for _ in 0..200 {
            assert!(std::thread::scope(|scope| scope.spawn(has_its_own).join().expect("it reads")));
        }
    }

    #[test]
    fn stores_with_the_same_keys_are_told_apart() {
        let (one, other, now) = (store(4), store(4), ManualClock::new().clock().now());
        keep(&one, b"k", "one", now);
        keep(&other, b"k", "other", now);
        read_and_note(&one, b"k", now);
        assert_eq!(found(&other, b"k", now), None);
        assert_eq!(found(&one, b"k", now).as_deref(), Some("one"));
    }

    #[test]
    fn what_is_found_again_counts_as_read() {
        let (store, clock) = (store(2), ManualClock::new());
        let now = clock.clock().now();
        keep(&store, b"a", "1", now);
        keep(&store, b"b", "2", now);
        read_and_note(&store, b"a", now);
        store.find(b"b", now);
        assert!(found(&store, b"a", now).is_some());
        keep(&store, b"c", "3", now);
        assert!(store.pin(b"a", now).is_some() && store.pin(b"b", now).is_none());
    }

    #[test]
    fn no_thread_finds_a_value_after_a_newer_one() {
        let (store, clock) = (store(4), Clock::system());
        let done = AtomicBool::new(false);
        let read = || {
            let now = clock.now();
            let secrets = find(&store, b"k", 0, now).or_else(|| {
                let pinned = store.pin(b"k", now)?;
                Some(note(&store, &pinned, 0, now))
            })?;
            secrets.require("VALUE").ok()?.expose().parse::<u32>().ok()
        };
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut newest = 0;
                    while !done.load(Ordering::Relaxed) {
                        let Some(value) = read() else { continue };
                        assert!(value >= newest, "{value} after {newest}");
                        newest = value;
                    }
                });
            }
            for value in 1..5_000 {
                keep(&store, b"k", &value.to_string(), clock.now());
                assert_eq!(read(), Some(value));
            }
            done.store(true, Ordering::Relaxed);
        });
    }
}
