//! An answer read to its end.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use zeroize::Zeroizing;

use super::error_body::Refusal;
use super::protocol::Protocol;
use super::retry_after;
use super::sent_names::Sent;
use crate::core::{ErrorKind, wipe};

/// An answer of the service: its status, headers and whole body. The body is wiped when the answer is dropped, and
/// `Debug` prints the status and the number of bytes only.
pub struct Response {
    status: u16,
    headers: HeaderMap,
    body: Zeroizing<Vec<u8>>,
    attempts: u32,
    to_a_write: bool,
    /// What the service's protocol makes of it.
    judgement: Option<Box<Judgement>>,
}

/// An answer in the light of its service's protocol.
struct Judgement {
    protocol: Arc<dyn Protocol>,
    retry_after: Option<Duration>,
    /// What it says, when it refuses.
    refusal: Option<Refusal>,
}

impl Response {
    /// An answer from its parts, as got by the first attempt.
    pub(crate) fn new(status: u16, headers: HeaderMap, body: Zeroizing<Vec<u8>>) -> Self {
        Self { status, headers, body, attempts: 1, to_a_write: false, judgement: None }
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

    /// Whether the request changes something, and it is not known whether it has. Everything leaves that open but a definite
    /// refusal: a status that says, by its meaning, that nothing was done.
    pub(crate) fn leaves_a_write_open(&self) -> bool {
        self.to_a_write && !is_definite_refusal(self.status)
    }

    /// Whether the status is one that the operation promises for its success. A part of an answer (206), or one without the
    /// content that belongs to it (204, 205), is none.
    pub(crate) fn is_success(&self) -> bool {
        self.status == 200 || (self.to_a_write && self.status == 201)
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

    /// The body as it was sent. Secrets reads carry plaintext in it, and a refusal may repeat what the request carried: do not log
    /// it. Of an answer that is no success and no JSON object, only the first 64 KiB are read.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// How many requests were sent until this answer came, the one answered included.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How long the service asks to wait, by its `Retry-After` header or in a 429's body. At least one second when it asks at
    /// all.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.judgement.as_ref()?.retry_after
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Wipes and frees the body.
    pub(crate) fn drop_body(&mut self) {
        // what is left for Zeroizing, which goes byte by byte, is nothing
        wipe(&mut self.body);
        self.body = Zeroizing::default();
    }

    pub(crate) fn body_mut(&mut self) -> &mut Vec<u8> {
        &mut self.body
    }

    /// Judges the answer to a request by the service's protocol.
    pub(crate) fn judged(mut self, operation: &str, protocol: &Arc<dyn Protocol>, sent: Sent<'_>) -> Self {
        let refusal = Refusal::of(operation, self.status, &self.body, &**protocol, sent);
        let by_body = refusal.as_ref().and_then(|refusal| refusal.retry_after);
        let retry_after = retry_after::asked(self.status, &self.headers, by_body, SystemTime::now());
        self.judgement = Some(Box::new(Judgement { protocol: Arc::clone(protocol), retry_after, refusal }));
        self
    }

    /// The protocol that it was judged by.
    pub(super) fn protocol(&self) -> Option<&dyn Protocol> {
        self.judgement.as_ref().map(|judgement| &*judgement.protocol)
    }

    /// What it says, when it refuses.
    pub(super) fn refusal(&self) -> Option<&Refusal> {
        self.judgement.as_ref()?.refusal.as_ref()
    }

    /// Whether the service has refused the token.
    pub(crate) fn refuses_token(&self) -> bool {
        let by_body = self.refusal().and_then(|refusal| refusal.kind);
        by_body.map_or(self.status == 401, |kind| kind == ErrorKind::Unauthorized) && !self.is_foreign_refusal()
    }

    /// Whether somebody else than the service has given this refusal.
    pub(crate) fn is_foreign_refusal(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.foreign)
    }
}

/// Whether a status says that the request was turned down and nothing was done.
///
/// Not among them: 408 and 499, by which a proxy gives up on a request that it may have passed on; 406 and 416, which judge the
/// answer rather than the request; 300 and 302 to 304, which may follow what was done; and what has no meaning here.
fn is_definite_refusal(status: u16) -> bool {
    matches!(status,
        301 | 307 | 308 | 400..=405 | 407 | 409..=415 | 417 | 421..=426 | 428 | 429 | 431 | 451 | 501)
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

    fn open(status: u16) -> bool {
        Response::new(status, HeaderMap::new(), Zeroizing::default()).of_a_write().leaves_a_write_open()
    }

    #[test]
    fn only_a_definite_refusal_says_that_a_write_was_not_carried_out() {
        for status in
            [301, 307, 308, 400, 401, 402, 403, 404, 405, 407, 409, 410, 411, 412, 413, 414, 415, 417, 421, 422, 423]
                .into_iter()
                .chain([424, 425, 426, 428, 429, 431, 451, 501])
        {
            assert!(!open(status), "{status}");
        }
        let left = (100..1000).filter(|status| open(*status)).count();
        assert_eq!(left, 900 - 29);
        for status in [
            100, 101, 199, 202, 204, 205, 206, 299, 302, 303, 304, 399, 406, 408, 418, 440, 499, 500, 502, 505, 599,
            600, 999,
        ] {
            assert!(open(status), "{status}");
        }
        assert!(!Response::new(500, HeaderMap::new(), Zeroizing::default()).leaves_a_write_open());
    }

    #[test]
    fn a_read_succeeds_with_200_alone_and_a_write_with_201_too() {
        for status in 100..1000 {
            let answer = Response::new(status, HeaderMap::new(), Zeroizing::default());
            assert_eq!(answer.is_success(), status == 200, "{status}");
            assert_eq!(answer.of_a_write().is_success(), matches!(status, 200 | 201), "{status}");
        }
    }
}
