//! One request as the handlers see it, and their answer.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use hyper::body::Frame;

use super::js::{Json, object};
use super::limits::Budget;

pub(super) const JSON: &str = "application/json";
/// What the service's framework calls a body that it was given as a string.
pub(super) const TEXT: &str = "text/plain;charset=UTF-8";
const HTML: &str = "text/html; charset=utf-8";

/// A request. It has no `Debug`: it carries the token and values.
pub(super) struct Call {
    pub(super) params: Vec<(String, String)>,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) address: String,
    pub(super) body: Bytes,
}

impl Call {
    /// A path parameter.
    pub(super) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// A query parameter that is there and not empty.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The body, read as JSON whatever its content type says.
    pub(super) fn json(&self) -> Option<Json> {
        Json::parse(&self.body)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The address that the service believes: the first entry of `X-Forwarded-For`, which any client may send.
pub(super) fn believed_address(headers: &HeaderMap, peer: &str) -> String {
    let forwarded = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
    let first = forwarded.and_then(|list| list.split(',').next()).map(str::trim);
    first.filter(|address| !address.is_empty()).unwrap_or(peer).to_owned()
}

/// Decodes `%` escapes once; bytes that are no UTF-8 become replacement characters.
pub(super) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escape = tail.get(..2).filter(|_| first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The pairs of a query string; `+` is a space.
pub(super) fn query_pairs(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decoded(&text.replace('+', " "));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// An answer.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: String,
}

impl Reply {
    /// A status alone: no body and no content type.
    pub(super) fn empty(status: StatusCode) -> Self {
        Reply { status, headers: Vec::new(), body: String::new() }
    }

    pub(super) fn json(status: StatusCode, body: &Json) -> Self {
        Reply { body: body.to_text(), ..Reply::empty(status) }.with(header::CONTENT_TYPE, JSON)
    }

    pub(super) fn ok(body: &Json) -> Self {
        Reply::json(StatusCode::OK, body)
    }

    /// The usual error: `{"error": …}`.
    pub(super) fn error(status: StatusCode, message: &str) -> Self {
        Reply::json(status, &object([("error", message.into())]))
    }

    pub(super) fn text(status: StatusCode, body: impl Into<String>) -> Self {
        Reply { body: body.into(), ..Reply::empty(status) }.with(header::CONTENT_TYPE, TEXT)
    }

    pub(super) fn html(status: StatusCode, title: &str) -> Self {
        let body =
            format!("<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>");
        Reply { body, ..Reply::empty(status) }
            .with(header::CONTENT_TYPE, HTML)
            .with(header::CACHE_CONTROL, "private, no-cache, no-store, max-age=0, must-revalidate")
    }

    /// Adds a header; one whose value is no header value is left out.
    pub(super) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    pub(super) fn with_budget(self, budget: Budget) -> Self {
        self.with(HeaderName::from_static("x-ratelimit-limit"), &budget.limit.to_string())
            .with(HeaderName::from_static("x-ratelimit-remaining"), &budget.remaining.to_string())
            .with(HeaderName::from_static("x-ratelimit-reset"), &budget.reset.to_string())
    }

    pub(super) fn into_response(self) -> Response<Body> {
        // The service sends pages with a length and everything else in chunks.
        let is_page = self.headers.iter().any(|(_, value)| value == HTML);
        let body = if is_page || self.status == StatusCode::NO_CONTENT {
            Body::from(self.body)
        } else {
            Body::new(Chunked::whole(self.body))
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}

/// A body that does not tell its length, so that it goes out in chunks.
pub(super) struct Chunked(Option<Bytes>);

impl Chunked {
    fn whole(text: String) -> Self {
        Chunked(Some(Bytes::from(text)))
    }
}

impl hyper::body::Body for Chunked {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let chunk = self.0.take().filter(|chunk| !chunk.is_empty());
        Poll::Ready(chunk.map(|chunk| Ok(Frame::data(chunk))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_values_are_decoded_once() {
        let pairs = query_pairs("branch=feature%2Fnew-ui&flag&q=a+b%2520c&&bad=%zz");
        let expected = [("branch", "feature/new-ui"), ("flag", ""), ("q", "a b%20c"), ("bad", "%zz")];
        let expected: Vec<_> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(pairs, expected);
    }
}
