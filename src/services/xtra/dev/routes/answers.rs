//! The answers that handlers share: refusals, and the texts of what was thrown.

use hyper::http::StatusCode;

use crate::dev::javascript::{Json, object};
use crate::dev::{Call, HandlerPanic, Reply};
use crate::services::xtra::dev::auth::{Session, session};
use crate::services::xtra::dev::database::Database;

pub(super) use crate::dev::Outcome;

/// The early end of a handler.
pub(super) enum Stop {
    /// With an answer.
    With(Reply),
    /// With the text of what was thrown.
    Thrown(String),
}

impl From<HandlerPanic> for Stop {
    fn from(_: HandlerPanic) -> Self {
        Stop::Thrown("Inconsistent column data: Malformed ObjectID".to_owned())
    }
}

impl From<Reply> for Stop {
    fn from(reply: Reply) -> Self {
        Stop::With(reply)
    }
}

/// The result of a handler whose early ends are written with `?`.
pub(super) type HandlerResult = Result<Reply, Stop>;

pub(super) fn refused(status: StatusCode, message: &str) -> Stop {
    Stop::With(Reply::error(status, message))
}

pub(super) fn bad(message: &str) -> Stop {
    refused(StatusCode::BAD_REQUEST, message)
}

pub(super) fn forbidden(message: &str) -> Stop {
    refused(StatusCode::FORBIDDEN, message)
}

pub(super) fn not_found(message: &str) -> Stop {
    refused(StatusCode::NOT_FOUND, message)
}

/// The caller, or the usual 401.
pub(super) fn caller(database: &Database, call: &Call) -> Result<Session, Stop> {
    session(database, call).ok_or_else(|| refused(StatusCode::UNAUTHORIZED, "Unauthorized"))
}

/// The body of a handler that reads it as an object.
pub(super) fn body(call: &Call) -> Result<Json, Stop> {
    match call.json() {
        Some(Json::Null) => Err(Stop::Thrown("Cannot read properties of null".to_owned())),
        Some(body) => Ok(body),
        None => Err(Stop::Thrown(parse_error(&call.body))),
    }
}

/// The words of JavaScript's parser for the commonest mistakes.
fn parse_error(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match text.trim_start().chars().next() {
        None => "Unexpected end of JSON input".to_owned(),
        Some('{') => "Expected property name or '}' in JSON at position 1".to_owned(),
        Some(first) => {
            let shown: String = text.chars().take(10).collect();
            let more = if shown.len() < text.len() { "..." } else { "" };
            format!("Unexpected token '{first}', \"{shown}\"{more} is not valid JSON")
        }
    }
}

fn ended(steps: HandlerResult, thrown: impl FnOnce(&str) -> Reply) -> Reply {
    match steps {
        Ok(reply) | Err(Stop::With(reply)) => reply,
        Err(Stop::Thrown(text)) => thrown(&text),
    }
}

fn internal(body: &Json) -> Reply {
    Reply::json(StatusCode::INTERNAL_SERVER_ERROR, body)
}

/// The text that was thrown is that of the error.
pub(super) fn echoed(steps: HandlerResult) -> Outcome {
    Ok(ended(steps, |text| Reply::error(StatusCode::INTERNAL_SERVER_ERROR, text)))
}

/// Whatever was thrown, the error has one text.
pub(super) fn fixed(message: &str, steps: HandlerResult) -> Outcome {
    Ok(ended(steps, |_| Reply::error(StatusCode::INTERNAL_SERVER_ERROR, message)))
}

/// One text, and what was thrown beside it as `name`.
pub(super) fn detailed(message: &str, name: &str, steps: HandlerResult) -> Outcome {
    Ok(ended(steps, |text| internal(&object([("error", message.into()), (name, text.into())]))))
}

/// As [`echoed`], as `message` in the place of `error`.
pub(super) fn told(steps: HandlerResult) -> Outcome {
    Ok(ended(steps, |text| internal(&object([("message", text.into())]))))
}

/// As [`echoed`], with a stack.
pub(super) fn with_stack(steps: HandlerResult) -> Outcome {
    let stack = |text: &str| format!("Error: {text}\n    at dev-server");
    Ok(ended(steps, |text| internal(&object([("error", text.into()), ("stack", stack(text).into())]))))
}

/// Nobody catches what was thrown.
pub(super) fn uncaught(steps: HandlerResult) -> Outcome {
    match steps {
        Ok(reply) | Err(Stop::With(reply)) => Ok(reply),
        Err(Stop::Thrown(_)) => Err(HandlerPanic),
    }
}

pub(super) fn message(status: StatusCode, text: &str) -> Stop {
    Stop::With(Reply::json(status, &object([("message", text.into())])))
}

pub(super) fn success() -> Reply {
    Reply::ok(&object([("success", true.into())]))
}

/// The error that the database throws for a row that has gone since it was looked at.
pub(super) fn gone() -> Stop {
    Stop::Thrown(
        "An operation failed because it depends on one or more records that were required but not found.".to_owned(),
    )
}
