//! The replies of the service's web framework: errors, badly written paths, unknown methods, the headers of a budget.

use hyper::http::{HeaderName, Method, StatusCode, Uri, header};
use percent_encoding::percent_decode_str;

use crate::dev::javascript::object;
use crate::dev::{Budget, Reply, TEXT};

impl Reply {
    /// The usual error: `{"error": …}`.
    pub(super) fn error(status: StatusCode, message: &str) -> Self {
        Reply::json(status, &object([("error", message.into())]))
    }
}

/// A reply that tells a budget.
pub(super) fn with_budget(reply: Reply, budget: Budget) -> Reply {
    reply
        .with(HeaderName::from_static("x-ratelimit-limit"), &budget.limit.to_string())
        .with(HeaderName::from_static("x-ratelimit-remaining"), &budget.remaining.to_string())
        .with(HeaderName::from_static("x-ratelimit-reset"), &budget.reset.to_string())
}

/// JSON, sent as text.
pub(super) fn crashed() -> Reply {
    let body = object([("error", "Internal Server Error".into())]).to_text();
    Reply { body, ..Reply::empty(StatusCode::INTERNAL_SERVER_ERROR) }.with(header::CONTENT_TYPE, TEXT)
}

/// The answer to a method that a route does not have: `Allow` only for `OPTIONS`, and 400 for a method that the service's
/// framework does not know.
pub(super) fn refuse_method(method: &Method, allow: &str) -> Reply {
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    if method == Method::OPTIONS {
        return Reply::empty(StatusCode::NO_CONTENT).with(header::ALLOW, allow);
    }
    let status = if known.contains(method) { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::BAD_REQUEST };
    Reply::empty(status)
}

/// The refusal of a path that is written badly, before any route is looked for.
pub(super) fn refuse_path(uri: &Uri) -> Option<Reply> {
    let path = uri.path();
    if has_bad_escape(path) {
        return Some(Reply::html(StatusCode::BAD_REQUEST, "400: Bad Request"));
    }
    if path.contains("//") || (path.len() > 1 && path.ends_with('/')) {
        return Some(redirect(path, uri.query()));
    }
    let climbs =
        path.split('/').any(|segment| matches!(segment.replace("%2e", ".").replace("%2E", ".").as_str(), "." | ".."));
    climbs.then(|| Reply::html(StatusCode::NOT_FOUND, "404: This page could not be found"))
}

fn redirect(path: &str, query: Option<&str>) -> Reply {
    let mut target =
        path.split('/').filter(|segment| !segment.is_empty()).fold(String::new(), |path, segment| path + "/" + segment);
    if target.is_empty() {
        target.push('/');
    }
    if let Some(query) = query {
        target = target + "?" + query;
    }
    let refresh = format!("0;url={target}");
    let reply = Reply { body: target.clone(), ..Reply::empty(StatusCode::PERMANENT_REDIRECT) };
    reply.with(header::LOCATION, &target).with(header::REFRESH, &refresh)
}

/// An escape that is not two hex digits, or escapes that are not UTF-8.
fn has_bad_escape(path: &str) -> bool {
    let is_escape = |rest: &[u8]| rest.iter().take(2).filter(|digit| digit.is_ascii_hexdigit()).count() == 2;
    let bad_digits = path.as_bytes().split(|byte| *byte == b'%').skip(1).any(|rest| !is_escape(rest));
    bad_digits || percent_decode_str(path).decode_utf8().is_err()
}
