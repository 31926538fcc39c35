//! The answers to raw calls, whole and decoded.

use std::fmt;
use std::ops::{Deref, DerefMut};

use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;

use super::error::{Error, InvalidPayload};
use crate::core::XtraError;
use crate::http::Response;

/// An answer and the operation that it came to. `Debug` prints neither headers nor body.
pub struct Answer {
    response: Response,
    operation: &'static str,
}

impl Answer {
    pub(crate) fn new(response: Response, operation: &'static str) -> Self {
        Self { response, operation }
    }

    /// The name of the operation that was called.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    pub(super) fn response(&self) -> &Response {
        &self.response
    }

    /// Decodes a success by `decode`, which may take the body over: what it leaves is wiped. A refusal is decoded as `E`.
    #[allow(clippy::result_large_err, reason = "the generated methods fail with it, and it holds the answer")]
    pub(crate) fn decode<T, E: DeserializeOwned>(
        mut self,
        decode: impl FnOnce(&mut Vec<u8>) -> serde_json::Result<T>,
    ) -> Result<ResponseValue<T>, Error<E>> {
        match self.status() {
            400..=599 => Err(ResponseValue::decoded(self).map_or_else(|error| error, Error::ErrorResponse)),
            _ if !self.response.is_success() => Err(Error::UnexpectedResponse(self)),
            _ => match decode(self.response.body_mut()) {
                Ok(inner) => Ok(ResponseValue { inner, answer: self.without_body() }),
                Err(problem) => Err(Error::InvalidResponsePayload(InvalidPayload::new(self, &problem))),
            },
        }
    }

    /// The answer as the document promises it: a success decoded as `T`, a refusal as `E`.
    #[allow(clippy::result_large_err, reason = "the generated methods fail with it, and it holds the answer")]
    pub(crate) fn documented<T: DeserializeOwned, E: DeserializeOwned>(self) -> Result<ResponseValue<T>, Error<E>> {
        match self.status() {
            200..=299 => ResponseValue::decoded(self),
            400..=599 => Err(ResponseValue::decoded(self).map_or_else(|error| error, Error::ErrorResponse)),
            _ => Err(Error::UnexpectedResponse(self)),
        }
    }

    /// Wipes and frees the body; what was decoded from it is what counts from here on.
    fn without_body(mut self) -> Self {
        self.response.drop_body();
        self
    }

    /// The body decoded from JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) when it is no JSON, or of another shape than `T`. The message quotes
    /// nothing of it.
    pub fn json<T: DeserializeOwned>(self) -> Result<T, XtraError> {
        match from_json(self.body()) {
            Ok(value) => {
                drop(self.without_body());
                Ok(value)
            }
            Err(problem) => Err(InvalidPayload::new(self, &problem).describe()),
        }
    }
}

impl Deref for Answer {
    type Target = Response;

    fn deref(&self) -> &Response {
        &self.response
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("operation", &self.operation).field("response", &self.response).finish()
    }
}

/// What the service answered, decoded; it dereferences to the value, and has the status and headers beside it.
pub struct ResponseValue<T> {
    inner: T,
    answer: Answer,
}

impl<T> ResponseValue<T> {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.answer.status()
    }

    /// The first header of that name, when there is one and it is ASCII text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.answer.header(name)
    }

    /// All headers. They may hold cookies: do not log them.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.answer.response().headers()
    }

    /// How many requests were sent until this answer came.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.answer.attempts()
    }

    /// The value alone.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.inner
    }

    pub(super) fn answer(&self) -> &Answer {
        &self.answer
    }
}

impl<T: DeserializeOwned> ResponseValue<T> {
    /// Decodes an answer. A success is one by its status: of others, such as a part of an answer, nothing is used. An error
    /// keeps its body, from which its cause is told; a success is wiped once it is decoded.
    #[allow(clippy::result_large_err, reason = "the generated methods fail with it, and it holds the answer")]
    fn decoded<E>(answer: Answer) -> Result<Self, Error<E>> {
        let is_success = answer.status() < 300;
        if is_success && !answer.response().is_success() {
            return Err(Error::UnexpectedResponse(answer));
        }
        if !is_success && has_too_many_parts(answer.body()) {
            return Err(Error::InvalidResponsePayload(InvalidPayload::too_many_parts(answer)));
        }
        match from_json(answer.body()) {
            Ok(inner) if is_success => Ok(Self { inner, answer: answer.without_body() }),
            Ok(inner) => Ok(Self { inner, answer }),
            Err(problem) => Err(Error::InvalidResponsePayload(InvalidPayload::new(answer, &problem))),
        }
    }
}

/// Decodes a body. It is checked as a whole, so that no string in it is checked by itself.
fn from_json<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    let text = std::str::from_utf8(body).map_err(|_| serde::de::Error::custom("not UTF-8"))?;
    serde_json::from_str(text)
}

/// Whether JSON of so many bytes is decoded into very many values. A conflict has about ten parts, and there is one for a key.
fn has_too_many_parts(json: &[u8]) -> bool {
    const MOST: usize = 250_000;
    json.len() > MOST && json.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count() > MOST
}

impl<T> Deref for ResponseValue<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for ResponseValue<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T> AsRef<T> for ResponseValue<T> {
    fn as_ref(&self) -> &T {
        &self.inner
    }
}

impl<T: fmt::Debug> fmt::Debug for ResponseValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseValue")
            .field("status", &self.status())
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
