//! The router of a service: a table of paths, each with its methods.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Response, StatusCode};

use super::body::Body;
use super::connection::{Connection, Shared};
use super::exchange::{Call, Reply};
use super::middleware::{Request, observe, read_call, route_name, target};
use super::path_pattern::PathPattern;
use super::service::{InSteps, Route, Run, Service};

/// The routes of each path; none for a path that is known and not served.
pub(crate) struct Router<S>(BTreeMap<PathPattern, Vec<Route<S>>>);

/// What is found under a path.
struct Found<'r, S> {
    path: &'static str,
    routes: &'r [Route<S>],
    params: Vec<(String, String)>,
}

impl<S: Service> Router<S> {
    pub(crate) fn new(routes: Vec<Route<S>>) -> Self {
        let not_served = S::NOT_SERVED.iter().map(|path| (PathPattern::new(path), Vec::new()));
        let mut paths: BTreeMap<_, Vec<_>> = not_served.collect();
        for route in routes {
            paths.entry(PathPattern::new(route.path())).or_default().push(route);
        }
        Self(paths)
    }

    fn find(&self, path: &str) -> Option<Found<'_, S>> {
        let path = path.strip_prefix(S::ROOT)?;
        self.0.iter().find_map(|(pattern, routes)| {
            let params = pattern.parameters(path)?;
            Some(Found { path: pattern.as_str(), routes, params })
        })
    }

    pub(crate) async fn answer(&self, shared: &Arc<Shared<S>>, request: Request) -> Response<Body> {
        let method = request.method().clone();
        let found = self.find(request.uri().path());
        let path = found.as_ref().map(|found| found.path);
        let next = async |request: Request| match found {
            Some(found) => dispatch(shared, found, request).await,
            None => respond::<S>(S::unknown_path(request.method(), &target(&request)), request.headers()),
        };
        let mut response = observe(shared, path, request, next).await;
        if let Some(length) = response.body().length() {
            response.headers_mut().entry(header::CONTENT_LENGTH).or_insert(HeaderValue::from(length));
        }
        if method == Method::HEAD {
            *response.body_mut() = Body::default();
        }
        response
    }
}

/// A reply with what the service puts on every one.
fn respond<S: Service>(reply: Reply, request: &HeaderMap) -> Response<Body> {
    S::dress(reply, request).into_response()
}

async fn dispatch<S: Service>(shared: &Arc<Shared<S>>, found: Found<'_, S>, request: Request) -> Response<Body> {
    let Found { path, routes, params } = found;
    if routes.is_empty() {
        return respond::<S>(not_served::<S>(path), request.headers());
    }
    let (method, headers) = (request.method().clone(), request.headers().clone());
    // `HEAD` is answered by the handler of `GET`, without the body
    let wanted = if method == Method::HEAD { "GET" } else { method.as_str() };
    let Some(handler) = routes.iter().find(|route| route.method() == wanted).map(Route::handler) else {
        let refusal = S::refuse_method(&method, &target(&request), &allowed(routes));
        return respond::<S>(refusal, &headers);
    };
    let reply = match handler.run {
        Run::NotServed => not_served::<S>(path),
        Run::AtOnce(action) => {
            let call = read_call::<S>(params, request).await;
            shared.latency().await;
            let run = |state: &mut S| match admit(state, &call, handler.is_guarded) {
                Ok(admission) => S::finish(action(state, &call), admission),
                Err(refusal) => refusal,
            };
            if handler.always_writes || wanted != "GET" {
                // Written down whatever the answer is: a handler that fails half way has done the first half.
                shared.change(|state| Ok(run(state))).unwrap_or_else(|_| not_kept::<S>())
            } else {
                run(&mut shared.state())
            }
        }
        Run::InSteps(steps) => {
            let route = route_name(&method, Some(path));
            let call = read_call::<S>(params, request).await;
            let running = run_in_steps(Arc::clone(shared), route, call, handler.is_guarded, steps);
            shared.run(running).await.unwrap_or_else(|| Reply::empty(StatusCode::SERVICE_UNAVAILABLE))
        }
    };
    respond::<S>(reply, &headers)
}

fn admit<S: Service>(state: &mut S, call: &Call, guarded: bool) -> Result<Option<S::Admission>, Reply> {
    if guarded { state.guard(call).map(Some) } else { Ok(None) }
}

async fn run_in_steps<S: Service>(
    shared: Arc<Shared<S>>,
    route: String,
    call: Call,
    guarded: bool,
    steps: InSteps<S>,
) -> Reply {
    let admitted = admit(&mut *shared.state(), &call, guarded);
    let admission = match admitted {
        Ok(admission) => admission,
        Err(refusal) => return refusal,
    };
    let connection = Connection::new(Arc::clone(&shared), route).await;
    let outcome = steps(&connection, &call).await;
    // Written down once, before the answer, whatever it is.
    match shared.change(|_| Ok(())) {
        Ok(()) => S::finish(outcome, admission),
        Err(_) => not_kept::<S>(),
    }
}

fn not_kept<S: Service>() -> Reply {
    S::error(StatusCode::INTERNAL_SERVER_ERROR, "the dev server cannot write its state file")
}

fn not_served<S: Service>(path: &str) -> Reply {
    S::error(StatusCode::NOT_IMPLEMENTED, &format!("the dev server does not have {}{path}", S::ROOT))
}

/// The value of `Allow`: the methods of a path in the order of the alphabet.
fn allowed<S>(routes: &[Route<S>]) -> String {
    let mut methods: BTreeSet<&str> = routes.iter().map(Route::method).collect();
    methods.insert("OPTIONS");
    if methods.contains("GET") {
        methods.insert("HEAD");
    }
    methods.into_iter().collect::<Vec<_>>().join(", ")
}
