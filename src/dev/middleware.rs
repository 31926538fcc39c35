//! What happens to every request before its handler.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::{Method, Response, StatusCode, Uri, header};
use axum::middleware::Next;

use super::gates::too_many_from_address;
use super::journal::SeenRequest;
use super::route::ROOT;
use super::shared::Shared;
use super::wire::{Call, Reply, believed_address, query_pairs};

/// The address of the other end, put into every request by the server.
#[derive(Clone)]
pub(super) struct Peer(pub(super) String);

/// The longest body, in bytes.
const MAX_BODY: usize = 10 * 1024 * 1024;

/// The refusals that come before routing: paths that are written badly.
pub(super) fn malformed(uri: &Uri) -> Option<Reply> {
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
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else {
            return true;
        };
        decoded.push(u8::try_from(high * 16 + low).unwrap_or_default());
    }
    std::str::from_utf8(&decoded).is_err()
}

/// The name of a request's route; `GET *` when there is none.
pub(super) fn route_name(method: &Method, path: Option<&MatchedPath>) -> String {
    let path = path.map_or("*", |path| path.as_str().strip_prefix(ROOT).unwrap_or("*"));
    format!("{method} {path}")
}

/// Counts a request, holds it back, lets a fault hit it, and limits its address.
pub(super) async fn watch(
    State(shared): State<Arc<Shared>>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let route = route_name(request.method(), path.as_ref());
    shared.record(SeenRequest::new(&route, request.uri().to_string(), request.headers().clone()));
    for gate in shared.gates(&route) {
        gate.pass().await;
    }
    let fault = shared.fault(&route);
    let answer = limited(&shared, request, next);
    match fault {
        Some(fault) => fault.apply(answer).await,
        None => answer.await,
    }
}

async fn limited(shared: &Shared, request: Request, next: Next) -> Response<Body> {
    let address = believed_address(request.headers(), peer(&request));
    let is_admitted = {
        let mut world = shared.world();
        let now = world.now();
        world.limiter.admit(&address, now)
    };
    if is_admitted { next.run(request).await } else { too_many_from_address().into_response() }
}

fn peer(request: &Request) -> &str {
    request.extensions().get::<Peer>().map_or("127.0.0.1", |peer| &peer.0)
}

/// Reads a request whole. The service cuts a body that is too long, so that it is no JSON any more; here it is as good as
/// empty.
pub(super) async fn read_call(params: &RawPathParams, request: Request) -> Call {
    let address = believed_address(request.headers(), peer(&request));
    let query = request.uri().query().map(query_pairs).unwrap_or_default();
    let params = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let (head, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await.unwrap_or_default();
    Call { params, query, headers: head.headers, address, body }
}
