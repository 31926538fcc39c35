//! Answers that are not a success, as typed errors.

use std::borrow::Cow;

use super::error_body::{Refusal, clean};
use super::protocol::{Advice, ErrorAnswer};
use super::response::Response;
use crate::core::{ErrorKind, Reason, XtraError};

/// How many changed keys a conflict's message names; [`XtraError::conflicts`] has them all.
const KEYS_NAMED: usize = 5;

/// The error that an answer stands for. `operation` is the operation's name, which the error begins with.
pub(crate) fn from_response(response: &Response, operation: &str) -> XtraError {
    let nothing = Refusal::default();
    let refusal = response.refusal().unwrap_or(&nothing);
    let status = response.status();
    let open = response.leaves_a_write_open();
    let mut error = XtraError::new(kind(status), message(response, refusal, operation, open))
        .in_call(operation.to_owned())
        .with_status(status)
        .with_attempts(response.attempts());
    let reason = refusal.reason.as_ref().filter(|_| status == 403);
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
    if open { error.with_unknown_outcome() } else { error }
}

fn message(response: &Response, refusal: &Refusal, operation: &str, open: bool) -> String {
    let status = response.status();
    let Advice { meaning, what_to_do } = advice(response, refusal, operation);
    let mut message = format!("{meaning} (status {status}");
    if refusal.foreign {
        // whatever it says, the service has not said it
        message.push_str(FOREIGN);
    } else if let Some(form) = &refusal.form {
        message.push_str(", the service says \"");
        message.push_str(form);
        message.push('"');
    } else if refusal.message.is_some() {
        message.push_str(WITHHELD);
    }
    message.push_str("); ");
    // "try again" is no advice for what may be done already
    let is_advice = !open || !matches!(status, 408 | 502..=504);
    if is_advice {
        message.push_str(&what_to_do);
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

/// The advice to check the root, with the rule that its path is under.
pub(super) fn check_root(response: &Response) -> String {
    format!("check that the API root is that of the service{}", ending(response, ", and ends in "))
}

/// The end that a root must have, behind some words; nothing when there is no such rule.
fn ending(response: &Response, words: &str) -> String {
    match response.protocol().map_or("", |protocol| protocol.root_suffix()) {
        "" => String::new(),
        suffix => format!("{words}{suffix}"),
    }
}

/// What the protocol says of the answer, or else what HTTP does.
fn advice(response: &Response, refusal: &Refusal, operation: &str) -> Advice {
    let answer = ErrorAnswer {
        operation,
        status: response.status(),
        reason: refusal.reason.as_ref(),
        is_foreign: refusal.foreign,
        is_html: refusal.html,
    };
    let special = response.protocol().and_then(|protocol| protocol.explain(&answer));
    special.unwrap_or_else(|| by_status(response, refusal))
}

fn by_status(response: &Response, refusal: &Refusal) -> Advice {
    let (meaning, what_to_do): (&'static str, Cow<'static, str>) = match response.status() {
        300..=399 => (
            "the service answered with a redirect, which is never followed",
            match ending(response, "") {
                suffix if suffix.is_empty() => "check that the API root has the host that the service prefers".into(),
                suffix => format!(
                    "check that the API root ends in {suffix}, without a slash after it, and has the host that the service \
                     prefers"
                )
                .into(),
            },
        ),
        401 | 403 | 451 if refusal.foreign => (
            "refused on the way to the service",
            format!("look at what stands between here and the service, and {}", check_root(response)).into(),
        ),
        401 => (
            "the service does not accept the token",
            "it is wrong, expired or revoked: create a new one and set it as the token".into(),
        ),
        403 => ("the token may not do this", "check what its owner's role allows".into()),
        404 if refusal.html => ("the service has no such route", check_root(response).into()),
        404 if refusal.foreign => ("not found", check_root(response).into()),
        404 => ("not found", "check the names and ids, which must match letter by letter".into()),
        405 => ("the service has no such operation on this route", "check the names in the call".into()),
        407 => {
            ("the proxy demands credentials", "put them into the proxy's URL, or turn proxies off".into())
        }
        408 => ("the service gave up waiting for the request", "try again".into()),
        409 => return conflict(refusal),
        410 => ("it is gone: used up, expired or revoked", "ask for a new one".into()),
        413 => ("the request is larger than the service takes", "send less at once".into()),
        429 => (
            "too many requests",
            "wait for retry_after, or a minute when there is none; a longer cache_ttl asks less often".into(),
        ),
        400..=499 => ("the service refuses the request as it is", "correct its arguments".into()),
        501 => ("the service does not have this operation", check_root(response).into()),
        502..=504 => ("the service is not available", "try again later".into()),
        500..=599 => ("the service failed", "try again later; if it stays so, the service has a defect".into()),
        _ => ("the answer is not one that the API promises", check_root(response).into()),
    };
    Advice::new(meaning, what_to_do)
}

fn conflict(refusal: &Refusal) -> Advice {
    let count = refusal.conflicts.len() + refusal.unasked;
    if count == 0 {
        return Advice::new("the state of the service does not allow this now", "read it again, then decide");
    }
    let mut named: Vec<String> =
        refusal.conflicts.iter().take(KEYS_NAMED).filter_map(|conflict| clean(&conflict.key)).collect();
    if count > named.len() {
        named.push(format!("{count} in all"));
    }
    Advice::new(
        "secrets have changed since they were read, and nothing was written",
        format!("read them again, then decide: {}", named.join(", ")),
    )
}
