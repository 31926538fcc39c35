//! XtraSecurity as the service of a dev server.

use hyper::http::{HeaderMap, Method, StatusCode, Uri};

use super::database::Database;
use super::{guards, replies, routes};
use crate::dev::{Budget, Call, Clock, HandlerPanic, Outcome, Reply, Route, Service};

impl Service for Database {
    const ROOT: &'static str = "/api";

    const NOT_SERVED: &'static [&'static str] = &[
        "/projects/{projectId}/kubernetes",
        "/project/{id}/{*rest}",
        "/secret/{*rest}",
        "/secrets/expiring",
        "/rotation/{*rest}",
        "/team",
        "/team/{*rest}",
        "/workspace/{*rest}",
        "/access-reviews",
        "/audit",
        "/audit/{*rest}",
        "/auth/{*rest}",
        "/user/{*rest}",
    ];

    type Admission = Option<Budget>;

    fn routes(&self) -> Vec<Route<Self>> {
        routes::all()
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn clock_mut(&mut self) -> &mut Clock {
        &mut self.clock
    }

    /// The first entry of `X-Forwarded-For`, which any client may send.
    fn address(headers: &HeaderMap, peer: &str) -> String {
        let forwarded = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
        let first = forwarded.and_then(|list| list.split(',').next()).map(str::trim);
        first.filter(|address| !address.is_empty()).unwrap_or(peer).to_owned()
    }

    /// The refusal tells neither the limit nor when it ends.
    fn admit(&mut self, address: &str) -> Result<(), Reply> {
        let now = self.now();
        let is_admitted = self.limiter.admit(address, now);
        let refusal = || Reply::error(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
        if is_admitted { Ok(()) } else { Err(refusal()) }
    }

    fn guard(&mut self, call: &Call) -> Result<Option<Budget>, Reply> {
        guards::enter(self, call)
    }

    fn finish(outcome: Outcome, admission: Option<Option<Budget>>) -> Reply {
        match (outcome, admission) {
            (Ok(reply), Some(Some(budget))) => replies::with_budget(reply, budget),
            (Ok(reply), _) => reply,
            (Err(HandlerPanic), Some(_)) => replies::crashed(),
            (Err(HandlerPanic), None) => Reply::empty(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    fn refuse_path(uri: &Uri) -> Option<Reply> {
        replies::refuse_path(uri)
    }

    fn unknown_path(_method: &Method, _target: &str) -> Reply {
        Reply::html(StatusCode::NOT_FOUND, "404: This page could not be found")
    }

    fn refuse_method(method: &Method, _target: &str, allow: &str) -> Reply {
        replies::refuse_method(method, allow)
    }

    fn error(status: StatusCode, message: &str) -> Reply {
        Reply::error(status, message)
    }
}
