//! Rate limits: the burst limit, which names a wait, the limit by address, which does not, and waits of every form.

use xtrasecurity::ErrorKind::RateLimited;
use xtrasecurity::dev_server::{Fault, route};

use crate::case::{Case, Trouble};

pub const NAME: &str = "a rate limit";

/// The refusal of the burst limit, in the service's form.
fn burst() -> Fault {
    Fault::body(429, "application/json", r#"{"error":"Too Many Requests","retryAfter":37}"#)
        .header("X-RateLimit-Limit", "100")
        .header("X-RateLimit-Remaining", "0")
        .header("X-RateLimit-Reset", "1900000000")
        .header("Retry-After", "37")
}

fn limited(name: &'static str, fault: Fault) -> Case {
    Case::refused(name, Trouble::fault(fault), RateLimited, 429)
}

/// A refusal that asks for this wait.
fn asks(name: &'static str, wait: &str) -> Case {
    limited(name, Fault::status(429).header("Retry-After", wait)).held_back()
}

pub fn cases() -> Vec<Case> {
    vec![
        limited("the burst limit", burst()).held_back(),
        limited("the limit by address", Fault::body(429, "text/plain", "Too many requests")),
        limited("a wait in the body alone", Fault::body(429, "application/json", r#"{"retryAfter":37}"#)).held_back(),
        asks("a wait of 0", "0"),
        asks("a wait below 0", "-30"),
        asks("a wait of a day", "86400"),
        asks("a wait until a date", "Fri, 01 Jan 2094 00:00:00 GMT"),
        asks("a wait until a date that has passed", "Sun, 06 Nov 1994 08:49:37 GMT"),
        asks("a wait that is no number", "magpie"),
        asks("a wait too large for anything", "99999999999999999999999999"),
        Case::works(
            "a wait of 0, with a retry",
            Trouble::Service(vec![Fault::status(429).header("Retry-After", "0").on(route::SECRETS_READ).times(1)]),
        )
        .tuned(|builder| builder.max_retries(1))
        .requests(2, 2),
    ]
}
