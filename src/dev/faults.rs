//! Faults on purpose: the script of what goes wrong.

use std::fmt;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use super::body::Body;
use super::exchange::{JSON, Reply};
use super::javascript::object;

/// One thing that goes wrong, for `DevServer::fault`.
///
/// A fault hits the next request of any route, once. [`on`](Fault::on) names a route, [`times`](Fault::times) and
/// [`forever`](Fault::forever) repeat it. Faults wait in the order in which they were added, and a request takes the first
/// that fits; so three calls of `fault` are a script for three requests.
///
/// A request that is hit still counts. One that is answered by a fault reaches neither the rate limits nor the state; a
/// cut, delayed or merely decorated answer is the real one, with its effects.
///
/// ```
/// use std::time::Duration;
/// use xtrasecurity::dev_server::Fault;
///
/// let overloaded = Fault::status(503).header("Retry-After", "1").times(2);
/// let slow_write = Fault::delay(Duration::from_secs(2)).on("POST /secrets");
/// # let _ = (overloaded, slow_write);
/// ```
#[derive(Clone)]
#[must_use = "a fault does nothing until it is given to a server"]
pub struct Fault {
    kind: Kind,
    route: Option<String>,
    left: Option<u32>,
    delay: Option<Duration>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Clone)]
enum Kind {
    Pass,
    Answer { status: StatusCode, body: Bytes },
    Cut,
    Refuse,
    Garbage,
    Hang,
}

/// The end of a connection that gets no answer.
#[derive(Clone, Copy)]
pub(crate) enum Fate {
    Closed,
    Garbage,
}

/// Bytes that no HTTP client takes for an answer.
pub(crate) const GARBAGE: &[u8] = b"\x00\x17\xff this is not HTTP \xfe\r\n\r\n";

impl Fault {
    fn new(kind: Kind) -> Self {
        Fault { kind, route: None, left: Some(1), delay: None, headers: Vec::new() }
    }

    /// Answers with a status and a small JSON error. A number that is no status becomes 500.
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let reason = status.canonical_reason().unwrap_or("Unknown");
        let body = object([("error", reason.into())]).to_text();
        Fault::body(status.as_u16(), JSON, body)
    }

    /// Answers with a status, a content type and a body.
    pub fn body(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let fault = Fault::new(Kind::Answer { status, body: Bytes::from(body.into()) });
        fault.header("content-type", content_type)
    }

    /// Answers with a redirect.
    pub fn redirect(status: u16, location: &str) -> Self {
        Fault::body(status, "text/plain;charset=UTF-8", "").header("location", location)
    }

    /// Gives the real answer, later. Written with [`after`](Fault::after) for other faults.
    pub fn delay(delay: Duration) -> Self {
        Fault::new(Kind::Pass).after(delay)
    }

    /// Gives the real answer with headers of your own; those of the same name are replaced.
    pub fn headers<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        headers.into_iter().fold(Fault::new(Kind::Pass), |fault, (name, value)| fault.header(name, value))
    }

    /// Sends the head and the first half of the real body, then closes the connection.
    pub fn cut_body() -> Self {
        Fault::new(Kind::Cut)
    }

    /// Closes the connection without an answer.
    pub fn refuse() -> Self {
        Fault::new(Kind::Refuse)
    }

    /// Sends bytes that are not HTTP, then closes the connection.
    pub fn garbage() -> Self {
        Fault::new(Kind::Garbage)
    }

    /// Never answers.
    pub fn hang() -> Self {
        Fault::new(Kind::Hang)
    }

    /// Hits only this route: a method and a path as in the module `route`, or a path alone for every method.
    pub fn on(mut self, route: impl Into<String>) -> Self {
        self.route = Some(route.into());
        self
    }

    /// Hits this many requests.
    pub fn times(mut self, times: u32) -> Self {
        self.left = Some(times);
        self
    }

    /// Hits every request until `DevServer::clear_faults`.
    pub fn forever(mut self) -> Self {
        self.left = None;
        self
    }

    /// Waits before it happens.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// Sets a header of the answer. One that HTTP does not allow is left out.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            self.headers.push((name, value));
        }
        self
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Pass => "pass",
            Kind::Answer { status, .. } => status.as_str(),
            Kind::Cut => "cut_body",
            Kind::Refuse => "refuse",
            Kind::Garbage => "garbage",
            Kind::Hang => "hang",
        };
        let mut debug = formatter.debug_struct("Fault");
        debug.field("kind", &kind).field("route", &self.route).field("left", &self.left).finish_non_exhaustive()
    }
}

/// Matches a pattern, `METHOD /path` or `/path`, with the name of a route.
pub(crate) fn matches_route(pattern: &str, route: &str) -> bool {
    pattern == route || route.split_once(' ').is_some_and(|(_, path)| pattern == path)
}

/// The faults that wait, in the order in which they were added.
#[derive(Default)]
pub(crate) struct Script(Vec<Fault>);

impl Script {
    pub(crate) fn add(&mut self, fault: Fault) {
        if fault.left != Some(0) {
            self.0.push(fault);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The fault for a request.
    pub(crate) fn take(&mut self, route: &str) -> Option<Fault> {
        let fits = |fault: &&mut Fault| fault.route.as_deref().is_none_or(|pattern| matches_route(pattern, route));
        let fault = self.0.iter_mut().find(fits)?;
        if let Some(left) = &mut fault.left {
            *left -= 1;
        }
        let taken = fault.clone();
        self.0.retain(|fault| fault.left != Some(0));
        Some(taken)
    }
}

impl Fault {
    /// Applies the fault around the real answer.
    pub(crate) async fn apply(self, answer: impl Future<Output = Response<Body>>) -> Response<Body> {
        if let Some(delay) = self.delay {
            tokio::time::sleep(delay).await;
        }
        let mut response = match self.kind {
            Kind::Pass => answer.await,
            Kind::Cut => cut(answer.await),
            Kind::Answer { status, body } => {
                let mut response = Response::new(Body::with_length(body));
                *response.status_mut() = status;
                response
            }
            Kind::Refuse => instead_of_an_answer(Fate::Closed),
            Kind::Garbage => instead_of_an_answer(Fate::Garbage),
            Kind::Hang => std::future::pending().await,
        };
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

fn instead_of_an_answer(fate: Fate) -> Response<Body> {
    let mut response = Reply::empty(StatusCode::INTERNAL_SERVER_ERROR).into_response();
    response.extensions_mut().insert(fate);
    response
}

fn cut(answer: Response<Body>) -> Response<Body> {
    let (mut head, body) = answer.into_parts();
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, body.cut())
}
