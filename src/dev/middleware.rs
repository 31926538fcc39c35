//! The middleware: every request is counted, held back, hit by a fault and limited by its address before its handler.

use hyper::body::Incoming;
use hyper::{Method, Response};

use super::body::{self, Body};
use super::connection::Shared;
use super::control::{SeenBody, SeenRequest};
use super::exchange::{Call, query_pairs};
use super::service::Service;

pub(crate) type Request = hyper::Request<Incoming>;

/// The address of the other end, put into every request by the server.
#[derive(Clone)]
pub(crate) struct Peer(pub(crate) String);

/// The path and the query as they were sent, put into every request by the server.
#[derive(Clone)]
pub(crate) struct Target(pub(crate) String);

/// The name of a request's route; `GET *` when there is none.
pub(crate) fn route_name(method: &Method, path: Option<&str>) -> String {
    format!("{method} {}", path.unwrap_or("*"))
}

/// Counts a request, holds it back, lets a fault hit it, and limits its address.
pub(crate) async fn observe<S: Service>(
    shared: &Shared<S>,
    path: Option<&str>,
    mut request: Request,
    next: impl AsyncFnOnce(Request) -> Response<Body>,
) -> Response<Body> {
    let route = route_name(request.method(), path);
    record(shared, &route, &mut request);
    for gate in shared.controls().holds().closed(&route) {
        gate.pass().await;
    }
    let fault = shared.controls().script().take(&route);
    let answer = limited(shared, request, next);
    match fault {
        Some(fault) => fault.apply(answer).await,
        None => answer.await,
    }
}

/// Writes a request into the journal.
pub(crate) fn record<S, B>(shared: &Shared<S>, route: &str, request: &mut hyper::Request<B>) {
    let body = SeenBody::default();
    let seen = SeenRequest::new(route, target(request), request.headers().clone(), body.clone());
    request.extensions_mut().insert(body);
    shared.controls().journal().record(seen);
}

async fn limited<S: Service>(
    shared: &Shared<S>,
    request: Request,
    next: impl AsyncFnOnce(Request) -> Response<Body>,
) -> Response<Body> {
    let address = S::address(request.headers(), peer(&request));
    let admitted = shared.state().admit(&address);
    match admitted {
        Ok(()) => next(request).await,
        Err(refusal) => S::dress(refusal, request.headers()).into_response(),
    }
}

/// The path and the query of a request as they were sent.
pub(crate) fn target<B>(request: &hyper::Request<B>) -> String {
    let sent = request.extensions().get::<Target>();
    sent.map_or_else(|| request.uri().to_string(), |Target(target)| target.clone())
}

fn peer(request: &Request) -> &str {
    request.extensions().get::<Peer>().map_or("127.0.0.1", |peer| &peer.0)
}

/// Reads a request whole. A body that is too long is as good as empty: services cut it, so that it is no JSON any more.
pub(crate) async fn read_call<S: Service>(params: Vec<(String, String)>, request: Request) -> Call {
    let address = S::address(request.headers(), peer(&request));
    let query = request.uri().query().map(query_pairs).unwrap_or_default();
    let target = target(&request);
    let (head, body) = request.into_parts();
    let body = body::read(body).await;
    if let Some(seen) = head.extensions.get::<SeenBody>() {
        seen.keep(&body);
    }
    Call { method: head.method, target, params, query, headers: head.headers, address, body }
}
