//! An answer read to its end.

use std::fmt;
use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use zeroize::Zeroizing;

use super::{echo, retry_after};

/// An answer of the service: its status, headers and whole body. The body is wiped when the answer is dropped, and
/// `Debug` prints the status and the number of bytes only.
pub struct Response {
    status: u16,
    headers: HeaderMap,
    body: Zeroizing<Vec<u8>>,
    attempts: u32,
    to_a_write: bool,
}

impl Response {
    /// An answer from its parts, as got by the first attempt.
    pub(crate) fn new(status: u16, headers: HeaderMap, body: Zeroizing<Vec<u8>>) -> Self {
        Self { status, headers, body, attempts: 1, to_a_write: false }
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// The request was one that changes something.
    pub(crate) fn of_a_write(mut self) -> Self {
        self.to_a_write = true;
        self
    }

    /// Whether the request changes something.
    pub(crate) fn is_of_a_write(&self) -> bool {
        self.to_a_write
    }

    /// Whether the request changes something, and it is not known whether it has: the service failed on the way.
    pub(crate) fn leaves_a_write_open(&self) -> bool {
        self.to_a_write && (500..600).contains(&self.status) && self.status != 501
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The first header of that name, when there is one and it is ASCII text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as it was sent. Secrets reads carry plaintext in it: do not log it.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// How many requests were sent until this answer came, the one answered included.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How long the service asks to wait, by its `Retry-After` header or a `retryAfter` in a 429's body. At least one
    /// second when it asks at all.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after::asked(self.status, &self.headers, &self.body, SystemTime::now())
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(crate) fn into_parts(self) -> (u16, HeaderMap, Zeroizing<Vec<u8>>) {
        (self.status, self.headers, self.body)
    }

    /// Takes the token out of the body, and the values that the request carried: a service, or a proxy before it, may repeat
    /// them in its error page, and error bodies are what gets shown.
    pub(crate) fn mask(&mut self, token: &str, sent: Option<&[u8]>) {
        echo::mask(token.as_bytes(), sent, &mut self.body);
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn response(body: &str) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert("x-canary", HeaderValue::from_static("canary-header"));
        Response::new(404, headers, Zeroizing::new(body.as_bytes().to_vec()))
    }

    #[test]
    fn debug_shows_neither_body_nor_headers() {
        let shown = format!("{:?}", response("canary-body"));
        assert_eq!(shown, "Response { status: 404, body_bytes: 11, .. }");
    }

    #[test]
    fn headers_are_found_whatever_the_case() {
        assert_eq!(response("").header("X-Canary"), Some("canary-header"));
        assert_eq!(response("").header("absent"), None);
    }

    #[test]
    fn a_repeated_token_is_masked_everywhere() {
        let mut answer = response("bad token tok-1: tok-1tok-1, not tok-2");
        answer.mask("tok-1", None);
        assert_eq!(answer.body(), b"bad token *****: **********, not tok-2");
        answer.mask("", None);
        assert_eq!(answer.body().len(), 38);
    }
}
