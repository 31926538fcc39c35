//! A request as handlers see it, and their reply.

use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};
use percent_encoding::percent_decode_str;
use tokio::sync::mpsc::UnboundedReceiver;

use super::body::Body;
use super::javascript::Json;

pub(crate) const JSON: &str = "application/json";
/// The content type of a body that a handler gives as a string.
pub(crate) const TEXT: &str = "text/plain;charset=UTF-8";
const HTML: &str = "text/html; charset=utf-8";

/// A request. It has no `Debug`: it carries the token and values.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The path and the query as they were sent.
    pub(crate) target: String,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) address: String,
    pub(crate) body: Bytes,
}

impl Call {
    /// A path parameter.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// A query parameter that is there and not empty.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The body, read as JSON whatever its content type says.
    pub(crate) fn json(&self) -> Option<Json> {
        Json::parse(&self.body)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The pairs of a query string, decoded once; `+` is a space.
pub(crate) fn query_pairs(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: String,
    /// What is sent after the body, a piece at a time, until nobody has anything to send any more.
    pub(crate) rest: Option<UnboundedReceiver<String>>,
}

impl Reply {
    /// A status alone: no body and no content type.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Reply { status, headers: Vec::new(), body: String::new(), rest: None }
    }

    pub(crate) fn json(status: StatusCode, body: &Json) -> Self {
        Reply { body: body.to_text(), ..Reply::empty(status) }.with(header::CONTENT_TYPE, JSON)
    }

    pub(crate) fn ok(body: &Json) -> Self {
        Reply::json(StatusCode::OK, body)
    }

    pub(crate) fn text(status: StatusCode, body: impl Into<String>) -> Self {
        Reply { body: body.into(), ..Reply::empty(status) }.with(header::CONTENT_TYPE, TEXT)
    }

    pub(crate) fn html(status: StatusCode, title: &str) -> Self {
        let body =
            format!("<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>");
        Reply { body, ..Reply::empty(status) }
            .with(header::CONTENT_TYPE, HTML)
            .with(header::CACHE_CONTROL, "private, no-cache, no-store, max-age=0, must-revalidate")
    }

    /// Adds a header; one whose value is no header value is left out.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        // Pages go out with a length, and everything else in chunks unless a length was set.
        let has_length = self.headers.iter().any(|(name, value)| value == HTML || name == header::CONTENT_LENGTH);
        let body = if has_length || self.status == StatusCode::NO_CONTENT {
            Body::with_length(self.body)
        } else {
            Body::in_chunks(self.body, self.rest)
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
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
