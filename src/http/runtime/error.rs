//! The errors of raw calls.

use std::fmt;
use std::time::Duration;

use super::path::PathRefused;
use super::value::{Answer, ResponseValue};
use crate::core::{ErrorKind, Hint, XtraError};
use crate::http::server_error;

/// Why a raw call gave no value. `E` is the type of the service's error answers.
///
/// `Display`, `Debug` and `source` show no body, header or URL, so it may be logged as it is; the answer itself is there for
/// whoever asks for it. `?` turns it into an [`XtraError`].
#[derive(thiserror::Error)]
#[error("{}", self.describe())]
#[non_exhaustive]
pub enum Error<E = ()> {
    /// A parameter is missing or cannot be sent. Nothing was sent. The text names the parameter.
    InvalidRequest(String),
    /// There is no answer: no token, no connection, no time left, or more than the cap.
    #[error(transparent)]
    Failed(#[from] XtraError),
    /// The service refused, in the documented form.
    ErrorResponse(ResponseValue<E>),
    /// An answer whose body is not what the document promises: HTML, nothing, other types.
    InvalidResponsePayload(InvalidPayload),
    /// An answer with a status that the document does not know: a redirect, a part of an answer.
    UnexpectedResponse(Answer),
}

/// An answer that could not be decoded. `Debug` prints neither headers nor body.
#[derive(Debug)]
pub struct InvalidPayload {
    answer: Answer,
    problem: PayloadProblem,
}

/// Where decoding failed. It quotes nothing of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadProblem {
    what: &'static str,
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
}

const OTHER_SHAPE: &str = "the JSON has another shape than was expected";

impl InvalidPayload {
    pub(super) fn new(answer: Answer, error: &serde_json::Error) -> Self {
        let what = match error.classify() {
            serde_json::error::Category::Eof => "the body ends too early",
            serde_json::error::Category::Data => OTHER_SHAPE,
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "the body is not JSON",
        };
        Self { answer, problem: PayloadProblem { what, line: error.line(), column: error.column() } }
    }

    /// A refusal of so many parts that decoding them would take many times the room of its bytes.
    pub(super) fn too_many_parts(answer: Answer) -> Self {
        let what = "the refusal has more parts than are read";
        Self { answer, problem: PayloadProblem { what, line: 1, column: 1 } }
    }

    /// Where decoding failed.
    #[must_use]
    pub fn problem(&self) -> PayloadProblem {
        self.problem
    }

    /// The answer, body included.
    #[must_use]
    pub fn answer(&self) -> &Answer {
        &self.answer
    }
}

impl fmt::Display for PayloadProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {}, column {})", self.what, self.line, self.column)
    }
}

impl<E> Error<E> {
    /// The answer, when there was one.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::InvalidRequest(_) | Self::Failed(_) => None,
            Self::ErrorResponse(value) => Some(value.answer()),
            Self::InvalidResponsePayload(payload) => Some(&payload.answer),
            Self::UnexpectedResponse(answer) => Some(answer),
        }
    }

    /// The HTTP status of the answer, when there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Failed(error) => error.status(),
            _ => self.answer().map(|answer| answer.status()),
        }
    }

    /// How long the service asks to wait before the next call, when it said so. At least one second.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Failed(error) => error.retry_after(),
            _ => self.answer().and_then(|answer| answer.retry_after()),
        }
    }

    /// Whether the same call may succeed later without any change. The call has been repeated already where that was safe.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Failed(error) => error.is_retryable(),
            _ => self.answer().is_some_and(|answer| {
                matches!(answer.status(), 429 | 502..=504) && !answer.response().leaves_a_write_open()
            }),
        }
    }

    /// The same failure as the rest of the crate reports it: its kind, its code, and what to do about it.
    #[must_use]
    pub fn into_error(self) -> XtraError {
        match self {
            Self::Failed(error) => error,
            other => other.describe(),
        }
    }

    fn describe(&self) -> XtraError {
        match self {
            Self::Failed(error) => error.clone(),
            Self::InvalidRequest(text) => XtraError::new(ErrorKind::Invalid, format!("nothing was sent: {text}")),
            Self::InvalidResponsePayload(payload) if payload.answer.status() < 300 => payload.describe(),
            Self::InvalidResponsePayload(InvalidPayload { answer, .. }) | Self::UnexpectedResponse(answer) => {
                refused(answer)
            }
            Self::ErrorResponse(value) => refused(value.answer()),
        }
    }
}

fn refused(answer: &Answer) -> XtraError {
    server_error::from_response(answer.response(), answer.operation())
}

impl InvalidPayload {
    pub(super) fn describe(&self) -> XtraError {
        let error = XtraError::new(ErrorKind::Decode, self.problem.to_string())
            .in_call(self.answer.operation())
            .with_hint(match self.problem.what {
                OTHER_SHAPE => {
                    Hint::advice("Check the type that it is decoded into, and that the base URL is the service's")
                }
                _ => server_error::check_root(self.answer.response()),
            })
            .with_status(self.answer.status())
            .with_attempts(self.answer.attempts());
        // it says "done", and cannot be read
        match self.answer.response().is_of_a_write() {
            true => error
                .with_note(
                    "The write was answered, and may have been applied: look what is there before it is sent again",
                )
                .with_unknown_outcome(),
            false => error,
        }
    }
}

impl<E> fmt::Debug for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidRequest(text) => f.debug_tuple("InvalidRequest").field(text).finish(),
            Self::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
            Self::ErrorResponse(value) => f.debug_tuple("ErrorResponse").field(value.answer()).finish(),
            Self::InvalidResponsePayload(payload) => f.debug_tuple("InvalidResponsePayload").field(payload).finish(),
            Self::UnexpectedResponse(answer) => f.debug_tuple("UnexpectedResponse").field(answer).finish(),
        }
    }
}

impl<E> From<Error<E>> for XtraError {
    fn from(error: Error<E>) -> Self {
        error.into_error()
    }
}

impl<E> From<PathRefused> for Error<E> {
    fn from(refused: PathRefused) -> Self {
        Self::InvalidRequest(refused.to_string())
    }
}

/// Building a request is all that generated code does with the HTTP client. The cause is not kept: it may quote the URL.
impl<E> From<reqwest::Error> for Error<E> {
    fn from(_: reqwest::Error) -> Self {
        Self::InvalidRequest("the parameters make no valid request".to_owned())
    }
}

impl<E> From<reqwest::header::InvalidHeaderValue> for Error<E> {
    fn from(_: reqwest::header::InvalidHeaderValue) -> Self {
        Self::InvalidRequest("a header parameter holds characters that no header may hold".to_owned())
    }
}
