//! Answers that are not a success, as typed errors.

use super::error_body::{Refusal, clean};
use super::protocol::{Advice, ErrorAnswer};
use super::response::Response;
use crate::core::{ErrorKind, Hint, Reason, XtraError};

/// How many changed keys a conflict's message names; [`XtraError::conflicts`] has them all.
const KEYS_NAMED: usize = 5;

/// The error that an answer stands for. `operation` is the operation's name, which the error begins with.
pub(crate) fn from_response(response: &Response, operation: &'static str) -> XtraError {
    let nothing = Refusal::default();
    let refusal = response.refusal().unwrap_or(&nothing);
    let status = response.status();
    let open = response.leaves_a_write_open();
    let Advice { meaning, hints } = advice(response, refusal, operation);
    let kind = kind(status, refusal);
    let mut error = XtraError::new(kind, message(&meaning, status, refusal))
        .in_call(operation)
        .with_status(status)
        .with_attempts(response.attempts());
    // "try again" is no advice for what may be done already
    if !open || !matches!(status, 408 | 502..=504) {
        error = hints.into_iter().fold(error, XtraError::with_hint);
    }
    if is_withheld(refusal) {
        error = error.with_hint(Hint::ServerMessage);
    }
    let reason = refusal.reason.as_ref().filter(|_| kind == ErrorKind::Forbidden);
    let is_elevation = matches!(reason, Some(Reason::ElevationNeeded(_)));
    if let Some(code) = if is_elevation { refusal.action } else { refusal.code } {
        error = error.with_code(code);
    }
    if let Some(reason) = reason {
        error = error.with_reason(reason.clone());
    }
    if let Some(said) = &refusal.message {
        error = error.with_server_message(said.clone());
    }
    if let Some(wait) = response.retry_after() {
        error = error.with_retry_after(wait);
    }
    if !refusal.conflicts.is_empty() {
        error = error.with_conflicts(refusal.conflicts.clone());
    }
    if refusal.foreign {
        error = error.with_foreign_refusal();
    }
    if refusal.own {
        error = error.with_own_answer();
    }
    if open { error.with_note(OPEN).with_unknown_outcome() } else { error }
}

/// What is said of a write whose outcome is not known.
const OPEN: &str = "The write may have been applied, wholly or in part: look what is there before it is sent again";

fn message(meaning: &str, status: u16, refusal: &Refusal) -> String {
    let behind = match &refusal.shown {
        // whatever it says, the service has not said it
        _ if refusal.foreign => FOREIGN.to_owned(),
        Some(form) => format!(", the service says \"{form}\""),
        None => String::new(),
    };
    format!("{meaning} (status {status}{behind})")
}

/// Only the service's documented sentences are shown, and they are its own.
fn is_withheld(refusal: &Refusal) -> bool {
    !refusal.foreign && refusal.form.is_none() && refusal.message.is_some()
}

const FOREIGN: &str =
    "; the answer is not one of the service's own: a proxy, a firewall or a bad deployment may have given it";

fn kind(status: u16, refusal: &Refusal) -> ErrorKind {
    refusal.kind.unwrap_or_else(|| kind_by_status(status))
}

fn kind_by_status(status: u16) -> ErrorKind {
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

/// The advice to check the root, with the rule that its path is under.
pub(super) fn check_root(response: &Response) -> Hint {
    Hint::check_base_url(format!("is that of the service{}", ending(response, ", and ends in ")))
}

/// The end that a root must have, behind some words; nothing when there is no such rule.
fn ending(response: &Response, words: &str) -> String {
    match response.protocol().map_or("", |protocol| protocol.base_url_suffix()) {
        "" => String::new(),
        suffix => format!("{words}{suffix}"),
    }
}

/// What the protocol says of the answer, or else what HTTP does.
fn advice(response: &Response, refusal: &Refusal, operation: &str) -> Advice {
    let answer = ErrorAnswer {
        operation,
        status: response.status(),
        kind: kind(response.status(), refusal),
        form: refusal.form,
        code: refusal.code,
        reason: refusal.reason.as_ref(),
        is_foreign: refusal.foreign,
        is_html: refusal.html,
        body: response.body(),
    };
    let special = response.protocol().and_then(|protocol| protocol.explain(&answer));
    special.unwrap_or_else(|| by_status(response, refusal))
}

fn by_status(response: &Response, refusal: &Refusal) -> Advice {
    let (meaning, hint) = match response.status() {
        300..=399 => (
            "the service answered with a redirect, which is never followed",
            Hint::check_base_url(match ending(response, "") {
                suffix if suffix.is_empty() => "has the host that the service prefers".to_owned(),
                suffix => {
                    format!("ends in {suffix}, without a slash after it, and has the host that the service prefers")
                }
            }),
        ),
        401 | 403 | 451 if refusal.foreign => {
            let hint = Hint::advice("Look at what stands between here and the service");
            return Advice::new("refused on the way to the service", hint).and(check_root(response));
        }
        401 => (
            "the service does not accept the token",
            Hint::advice("It is wrong, expired or revoked: create a new one and set it as the token"),
        ),
        403 => ("the token may not do this", Hint::advice("Check what its owner's role allows")),
        404 if refusal.html => ("the service has no such route", check_root(response)),
        404 if refusal.foreign => ("not found", check_root(response)),
        404 => ("not found", Hint::advice("Check the names and ids, which must match letter by letter")),
        405 => ("the service has no such operation on this route", Hint::advice("Check the names in the call")),
        407 => ("the proxy demands credentials", Hint::FixProxy { what: "Put them into the proxy's URL".into() }),
        408 => ("the service gave up waiting for the request", Hint::Retry),
        409 => return conflict(refusal),
        410 => ("it is gone: used up, expired or revoked", Hint::advice("Ask for a new one")),
        413 => ("the request is larger than the service takes", Hint::advice("Send less at once")),
        429 => {
            let wait = Hint::Wait { wait: response.retry_after() };
            return Advice::new("too many requests", wait).and(Hint::CacheLonger);
        }
        400..=499 => ("the service refuses the request as it is", Hint::advice("Correct its arguments")),
        501 => ("the service does not have this operation", check_root(response)),
        502..=504 => ("the service is not available", Hint::Retry),
        500..=599 => ("the service failed", Hint::advice("Try again later; if it stays so, the service has a defect")),
        _ => ("the answer is not one that the API promises", check_root(response)),
    };
    Advice::new(meaning, hint)
}

fn conflict(refusal: &Refusal) -> Advice {
    let count = refusal.conflicts.len() + refusal.unasked;
    if count == 0 {
        let hint = Hint::advice("Read it again, then decide");
        return Advice::new("the state of the service does not allow this now", hint);
    }
    let mut named: Vec<String> =
        refusal.conflicts.iter().take(KEYS_NAMED).filter_map(|conflict| clean(&conflict.name)).collect();
    if count > named.len() {
        named.push(format!("{count} in all"));
    }
    Advice::new(
        format!("secrets have changed since they were read, and nothing was written: {}", named.join(", ")),
        Hint::advice("Read them again, then decide"),
    )
}
