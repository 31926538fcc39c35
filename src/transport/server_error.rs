//! Answers that are not a success, as typed errors.

use std::time::SystemTime;

use reqwest::header::HeaderMap;

use super::response::Response;
use super::retry_after;
use super::server_words::{ServerWords, clean};
use crate::error::{ErrorKind, XtraError};

/// How many changed keys a conflict's message names; [`XtraError::conflicts`] has them all.
const KEYS_NAMED: usize = 5;

/// The operation whose ids are checked before it is sent, and which service accounts may call.
const IDS_CHECKED: &str = "secrets_read";

/// The error that an answer stands for. `operation` is the generated operation's name, which the message begins with.
pub(crate) fn from_response(response: &Response, operation: &str) -> XtraError {
    let meets = if response.leaves_a_write_open() { Meets::Write } else { Meets::Read };
    let error = describe(response.status(), response.headers(), response.body(), operation, meets);
    let error = error.with_attempts(response.attempts());
    if meets == Meets::Write { error.with_unknown_outcome() } else { error }
}

/// [`from_response`] for an answer to a read that has been taken apart.
#[cfg(any(fuzzing, test))]
pub(crate) fn from_parts(status: u16, headers: &HeaderMap, body: &[u8], operation: &str) -> XtraError {
    describe(status, headers, body, operation, Meets::Read)
}

/// What a failure of the service meets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meets {
    /// Nothing that has been done.
    Read,
    /// A write that the service may have carried out, wholly or in part.
    Write,
}

fn describe(status: u16, headers: &HeaderMap, body: &[u8], operation: &str, meets: Meets) -> XtraError {
    // A failing service quotes ids, fields and ciphertext, so its words count only when it refuses.
    let words = if (400..500).contains(&status) { ServerWords::of(body) } else { ServerWords::default() };
    let Meaning { kind, what, advice } = meaning(status, &words, operation);
    let mut message = format!("{operation}: {what} (status {status}");
    if let Some(said) = &words.said {
        message.push_str(", the service says \"");
        message.push_str(said);
        message.push('"');
    }
    message.push_str("); ");
    // "try again" is no advice for what may be done already
    if meets == Meets::Read || status == 500 {
        message.push_str(&advice);
    }
    if meets == Meets::Write {
        let before = if status == 500 { ". The write" } else { "the write" };
        message.push_str(before);
        message.push_str(" may have been applied, wholly or in part: look what is there before it is sent again");
    }

    let mut error = XtraError::new(kind, message).with_status(status);
    let code = if kind == ErrorKind::ElevationRequired { words.action } else { words.code };
    if let Some(code) = code {
        error = error.with_code(code);
    }
    if let Some(said) = words.said {
        error = error.with_server_message(said);
    }
    if let Some(wait) = retry_after::asked(status, headers, body, SystemTime::now()) {
        error = error.with_retry_after(wait);
    }
    if !words.conflicts.is_empty() {
        error = error.with_conflicts(words.conflicts);
    }
    error
}

struct Meaning {
    kind: ErrorKind,
    what: &'static str,
    advice: String,
}

impl Meaning {
    fn new(kind: ErrorKind, what: &'static str, advice: &str) -> Self {
        Self { kind, what, advice: advice.to_owned() }
    }
}

fn meaning(status: u16, words: &ServerWords, operation: &str) -> Meaning {
    match status {
        300..=399 => Meaning::new(
            ErrorKind::Redirected,
            "the service answered with a redirect, which is never followed",
            "check that the API root ends in /api, without a slash after it, and has the host that the service prefers",
        ),
        401 => Meaning::new(
            ErrorKind::Unauthorized,
            "the service does not accept the token",
            "it is wrong, expired or revoked: create a new one and set it as the token",
        ),
        403 => forbidden(words),
        404 | 405 | 410 => absent(status, words),
        407 => Meaning::new(
            ErrorKind::Config,
            "the proxy demands credentials",
            "put them into the proxy's URL, or turn proxies off",
        ),
        408 => Meaning::new(ErrorKind::Timeout, "the service gave up waiting for the request", "try again"),
        409 => conflict(words),
        413 => Meaning::new(ErrorKind::Invalid, "the request is larger than the service takes", "send less at once"),
        429 => Meaning::new(
            ErrorKind::RateLimited,
            "too many requests",
            "wait for retry_after, or a minute when there is none; a longer cache_ttl asks less often",
        ),
        400..=499 => {
            Meaning::new(ErrorKind::Invalid, "the service refuses the request as it is", "correct its arguments")
        }
        502..=504 => Meaning::new(ErrorKind::Server, "the service is not available", "try again later"),
        501 => Meaning::new(
            ErrorKind::Server,
            "the service does not have this operation",
            "check that the API root is that of the service; the dev server has a part of the operations only",
        ),
        500 if operation == IDS_CHECKED => Meaning::new(
            ErrorKind::Server,
            "the service failed",
            "try again later; if it stays so, the service has a defect",
        ),
        500..=599 => Meaning::new(
            ErrorKind::Server,
            "the service failed",
            "it fails in this way for ids of a wrong form and for service accounts where a user is expected: check these first",
        ),
        _ => Meaning::new(
            ErrorKind::Decode,
            "the answer is not one that the API promises",
            "check that the API root is that of the service, and ends in /api",
        ),
    }
}

fn forbidden(words: &ServerWords) -> Meaning {
    if words.action.as_deref() == Some("request_jit") {
        return Meaning::new(
            ErrorKind::ElevationRequired,
            "a just-in-time elevation is needed",
            "request access, then call again",
        );
    }
    match words.code.as_deref() {
        Some("IP_NOT_ALLOWED") => {
            return Meaning::new(
                ErrorKind::IpNotAllowed,
                "the project does not allow this address",
                "add the address to the project's allow-list, or call from one that is on it",
            );
        }
        Some("2FA_REQUIRED") => {
            return Meaning::new(
                ErrorKind::TwoFactorRequired,
                "the project demands two-factor authentication",
                "enable it for the user of the token, or use a service account's token",
            );
        }
        _ => {}
    }
    // the one answer of this kind that has no code
    if words.said.as_deref().is_some_and(|said| said.contains("has been blocked")) {
        return Meaning::new(
            ErrorKind::Blocked,
            "the project is blocked",
            "ask the owner of the project to unblock it",
        );
    }
    Meaning::new(
        ErrorKind::Forbidden,
        "not found, or no access",
        "check the project id, and that the role of the token allows this: the service does not tell the two apart",
    )
}

fn absent(status: u16, words: &ServerWords) -> Meaning {
    match status {
        405 => Meaning::new(
            ErrorKind::NotFound,
            "the service has no such operation on this route",
            "check the names in the call: some are taken by routes of their own",
        ),
        410 => Meaning::new(ErrorKind::NotFound, "it is gone: used up, expired or revoked", "ask for a new one"),
        _ if words.html => {
            Meaning::new(ErrorKind::NotFound, "the service has no such route", "check that the API root ends in /api")
        }
        _ => {
            Meaning::new(ErrorKind::NotFound, "not found", "check the names and ids, which must match letter by letter")
        }
    }
}

fn conflict(words: &ServerWords) -> Meaning {
    if words.conflicts.is_empty() {
        return Meaning::new(
            ErrorKind::Conflict,
            "the state of the service does not allow this now",
            "read it again, then decide",
        );
    }
    let mut named: Vec<String> =
        words.conflicts.iter().take(KEYS_NAMED).filter_map(|conflict| clean(&conflict.key)).collect();
    if words.conflicts.len() > named.len() {
        named.push(format!("{} in all", words.conflicts.len()));
    }
    Meaning {
        kind: ErrorKind::Conflict,
        what: "secrets have changed since they were read, and nothing was written",
        advice: format!("read them again, then decide: {}", named.join(", ")),
    }
}
