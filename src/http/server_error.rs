//! Answers that are not a success, as typed errors.

use std::time::SystemTime;

use super::response::Response;
use super::retry_after;
use super::server_words::{ServerWords, clean};
use crate::core::{ErrorKind, Reason, XtraError};

/// How many changed keys a conflict's message names; [`XtraError::conflicts`] has them all.
const KEYS_NAMED: usize = 5;

/// The operation whose ids are checked before it is sent, and which service accounts may call.
const IDS_CHECKED: &str = "secrets_read";

/// The error that an answer stands for. `operation` is the generated operation's name, which the error begins with.
pub(crate) fn from_response(response: &Response, operation: &str) -> XtraError {
    let nothing = ServerWords::default();
    let words = response.words().unwrap_or(&nothing);
    let status = response.status();
    let open = response.leaves_a_write_open();
    let mut error = XtraError::new(kind(status), message(status, words, operation, open))
        .in_call(operation.to_owned())
        .with_status(status)
        .with_attempts(response.attempts());
    let reason = words.reason.as_ref().filter(|_| status == 403);
    let is_elevation = matches!(reason, Some(Reason::ElevationNeeded(_)));
    if let Some(code) = if is_elevation { words.action } else { words.code } {
        error = error.with_code(code);
    }
    if let Some(reason) = reason {
        error = error.with_reason(reason.clone());
    }
    if let Some(said) = &words.said {
        error = error.with_server_message(said.clone());
    }
    if let Some(wait) = retry_after::asked(status, response.headers(), response.body(), SystemTime::now()) {
        error = error.with_retry_after(wait);
    }
    if !words.conflicts.is_empty() {
        error = error.with_conflicts(words.conflicts.clone());
    }
    if words.foreign {
        error = error.with_foreign_refusal();
    }
    if words.own {
        error = error.with_own_answer();
    }
    if open { error.with_unknown_outcome() } else { error }
}

fn message(status: u16, words: &ServerWords, operation: &str, open: bool) -> String {
    let Meaning { what, advice } = meaning(status, words, operation);
    let mut message = format!("{what} (status {status}");
    if words.foreign {
        // whatever it says, the service has not said it
        message.push_str(FOREIGN);
    } else if let Some(form) = &words.form {
        message.push_str(", the service says \"");
        message.push_str(form);
        message.push('"');
    } else if words.said.is_some() {
        message.push_str(WITHHELD);
    }
    message.push_str("); ");
    // "try again" is no advice for what may be done already
    let is_advice = !open || !matches!(status, 408 | 502..=504);
    if is_advice {
        message.push_str(&advice);
    }
    if open {
        message.push_str(if is_advice { ". The write" } else { "the write" });
        message.push_str(" may have been applied, wholly or in part: look what is there before it is sent again");
    }
    message
}

/// Only the service's documented sentences are shown, and they are its own.
const WITHHELD: &str = "; its own words are not shown: server_message() has them";
const FOREIGN: &str =
    "; the answer is not one of the service's own: a proxy, a firewall or a bad deployment may have given it";

fn kind(status: u16) -> ErrorKind {
    match status {
        300..=399 => ErrorKind::Redirected,
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 | 405 | 410 => ErrorKind::NotFound,
        407 => ErrorKind::Config,
        408 => ErrorKind::Timeout,
        409 => ErrorKind::Conflict,
        429 => ErrorKind::RateLimited,
        400..=499 => ErrorKind::Invalid,
        500..=599 => ErrorKind::Server,
        _ => ErrorKind::Decode,
    }
}

struct Meaning {
    what: &'static str,
    advice: String,
}

impl Meaning {
    fn new(what: &'static str, advice: &str) -> Self {
        Self { what, advice: advice.to_owned() }
    }
}

fn meaning(status: u16, words: &ServerWords, operation: &str) -> Meaning {
    match status {
        300..=399 => Meaning::new(
            "the service answered with a redirect, which is never followed",
            "check that the API root ends in /api, without a slash after it, and has the host that the service prefers",
        ),
        401 | 403 | 451 if words.foreign => Meaning::new(
            "refused on the way to the service",
            "look at what stands between here and the service, and check that the API root ends in /api",
        ),
        401 => Meaning::new(
            "the service does not accept the token",
            "it is wrong, expired or revoked: create a new one and set it as the token",
        ),
        403 => forbidden(words),
        404 | 405 | 410 => absent(status, words),
        407 => Meaning::new("the proxy demands credentials", "put them into the proxy's URL, or turn proxies off"),
        408 => Meaning::new("the service gave up waiting for the request", "try again"),
        409 => conflict(words),
        413 => Meaning::new("the request is larger than the service takes", "send less at once"),
        429 => Meaning::new(
            "too many requests",
            "wait for retry_after, or a minute when there is none; a longer cache_ttl asks less often",
        ),
        400..=499 => Meaning::new("the service refuses the request as it is", "correct its arguments"),
        502..=504 => Meaning::new("the service is not available", "try again later"),
        501 => Meaning::new(
            "the service does not have this operation",
            "check that the API root is that of the service; the dev server has a part of the operations only",
        ),
        500 if operation == IDS_CHECKED => {
            Meaning::new("the service failed", "try again later; if it stays so, the service has a defect")
        }
        500..=599 => Meaning::new(
            "the service failed",
            "it fails in this way for ids of a wrong form and for service accounts where a user is expected: check these first",
        ),
        _ => Meaning::new(
            "the answer is not one that the API promises",
            "check that the API root is that of the service, and ends in /api",
        ),
    }
}

fn forbidden(words: &ServerWords) -> Meaning {
    match &words.reason {
        Some(Reason::ElevationNeeded(_)) => {
            Meaning::new("a just-in-time elevation is needed", "request access, then call again")
        }
        Some(Reason::AddressNotAllowed) => Meaning::new(
            "the project does not allow this address",
            "add the address to the project's allow-list, or call from one that is on it",
        ),
        Some(Reason::SecondFactorNeeded) => Meaning::new(
            "the project demands two-factor authentication",
            "enable it for the user of the token, or use a service account's token",
        ),
        Some(Reason::Blocked) => Meaning::new("the project is blocked", "ask the owner of the project to unblock it"),
        _ => Meaning::new(
            "not found, or no access",
            "check the project id, and that the role of the token allows this: the service does not tell the two apart",
        ),
    }
}

fn absent(status: u16, words: &ServerWords) -> Meaning {
    match status {
        405 => Meaning::new(
            "the service has no such operation on this route",
            "check the names in the call: some are taken by routes of their own",
        ),
        410 => Meaning::new("it is gone: used up, expired or revoked", "ask for a new one"),
        _ if words.html => Meaning::new("the service has no such route", "check that the API root ends in /api"),
        _ if words.foreign => {
            Meaning::new("not found", "check that the API root is that of the service, and ends in /api")
        }
        _ => Meaning::new("not found", "check the names and ids, which must match letter by letter"),
    }
}

fn conflict(words: &ServerWords) -> Meaning {
    let count = words.conflicts.len() + words.unasked;
    if count == 0 {
        return Meaning::new("the state of the service does not allow this now", "read it again, then decide");
    }
    let mut named: Vec<String> =
        words.conflicts.iter().take(KEYS_NAMED).filter_map(|conflict| clean(&conflict.key)).collect();
    if count > named.len() {
        named.push(format!("{count} in all"));
    }
    Meaning {
        what: "secrets have changed since they were read, and nothing was written",
        advice: format!("read them again, then decide: {}", named.join(", ")),
    }
}
