//! Clocks that jump: the service's, in its headers, and the client's own.

use std::time::{Duration, Instant};

use xtrasecurity::ErrorKind::RateLimited;
use xtrasecurity::clock::ManualClock;
use xtrasecurity::dev_server::Fault;

use crate::case::{Case, Ends, Told, Trouble};
use crate::peer::{Act, Manner, Peer, Wrong};
use crate::planted::{ENVIRONMENT, NEW, OLD, leaks_of};
use crate::run::holds;

pub const NAME: &str = "a clock that jumps";

/// The real answer with these headers.
fn says(name: &'static str, headers: &[(&str, &str)]) -> Case {
    Case::works(name, Trouble::fault(Fault::headers(headers.iter().copied())))
}

fn window(name: &'static str, remaining: &str, reset: &str) -> Case {
    says(name, &[("X-RateLimit-Limit", "1000"), ("X-RateLimit-Remaining", remaining), ("X-RateLimit-Reset", reset)])
}

pub fn cases() -> Vec<Case> {
    let limited_by = |date: &str| {
        let limited = Fault::status(429).header("Date", date).header("Retry-After", date);
        Trouble::fault(limited)
    };
    vec![
        says("the service says that it is 1970", &[("Date", "Thu, 01 Jan 1970 00:00:00 GMT")]),
        says("the service says that it is 2106", &[("Date", "Sun, 07 Feb 2106 06:28:15 GMT")]),
        says("the service says a time that is none", &[("Date", "magpie o'clock")]),
        window("a window that ended in 1970", "3", "7"),
        window("a window that ends in 2286", "3", "9999999999"),
        window("a window in milliseconds", "3", "1900000000000"),
        window("a window without an end", "3", "99999999999999999999999"),
        window("a window that is none", "-3", "magpie"),
        window("nothing left in a window that has passed", "0", "7"),
        window("more left than there was", "5000", "1900000000"),
        Case::refused("a wait by a clock in 2106", limited_by("Sun, 07 Feb 2106 06:28:15 GMT"), RateLimited, 429)
            .held_back(),
        Case::refused("a wait by a clock in 1970", limited_by("Thu, 01 Jan 1970 00:00:07 GMT"), RateLimited, 429)
            .held_back(),
        Case::told("the client's clock goes to its end", Ends::Works, end_of_time).requests(3, 5),
    ]
}

/// All that is cached is dead at once, and nothing overflows; the service is asked, and works.
fn end_of_time() -> Told {
    super::on_a_runtime_of_its_own(async {
        let mut peer = Peer::start(Manner::default(), OLD).await;
        let clock = ManualClock::new();
        let client = super::client_of(&peer).clock(clock.clock()).build().unwrap();
        let mut problems = Vec::new();
        let old = client.get_secrets(ENVIRONMENT).await.unwrap();
        peer.turn(NEW);
        clock.advance(Duration::MAX);
        peer.go_wrong(Wrong::Act(Act::bytes(""))).await;
        let started = Instant::now();
        match client.get_secrets(ENVIRONMENT).await {
            Err(error) => problems.extend(leaks_of(&error)),
            Ok(secrets) => problems.push(format!("a snapshot of long ago is served: {secrets:?}")),
        }
        if !old.is_stale() || old.age() < Duration::from_secs(500 * 365 * 24 * 60 * 60) {
            problems.push(format!("the old one is {:?} old", old.age()));
        }
        peer.mend().await;
        clock.advance(Duration::from_secs(61));
        for call in 0..3 {
            match client.get_secrets(ENVIRONMENT).await {
                Ok(secrets) if holds(&secrets, NEW) => {}
                answer => problems.push(format!("call {call} after it: {answer:?}")),
            }
        }
        Told { took: started.elapsed(), requests: peer.requests(), problems }
    })
}
