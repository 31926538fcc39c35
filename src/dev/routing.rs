//! The router of a service: a table of paths, each with its methods.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, Method, Response, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::any;

use super::connection::{Connection, Shared};
use super::exchange::{Call, Reply};
use super::middleware::{observe, read_call, route_name, target};
use super::service::{InSteps, Route, Run, Service};

pub(crate) fn router<S: Service>(shared: Arc<Shared<S>>) -> Router {
    let mut paths: BTreeMap<&str, Vec<Route<S>>> = BTreeMap::new();
    let all = shared.state().routes();
    for route in all {
        paths.entry(route.path()).or_default().push(route);
    }
    let mut api = Router::new();
    for (path, routes) in paths {
        let routes: Arc<[Route<S>]> = routes.into();
        let dispatch = move |State(shared), path: MatchedPath, params: RawPathParams, request: Request| {
            dispatch(shared, Arc::clone(&routes), path, params, request)
        };
        api = api.route(path, any(dispatch));
    }
    for path in S::NOT_SERVED {
        let refuse = async |path: MatchedPath, request: Request| respond::<S>(not_served::<S>(&path), request.headers());
        api = api.route(path, any(refuse));
    }
    Router::new()
        .nest(S::ROOT, api)
        .fallback(async |request: Request| {
            respond::<S>(S::unknown_path(request.method(), &target(&request)), request.headers())
        })
        .layer(from_fn_with_state(Arc::clone(&shared), observe::<S>))
        .with_state(shared)
}

/// A reply with what the service puts on every one.
fn respond<S: Service>(reply: Reply, request: &HeaderMap) -> Response<Body> {
    S::dress(reply, request).into_response()
}

async fn dispatch<S: Service>(
    shared: Arc<Shared<S>>,
    routes: Arc<[Route<S>]>,
    path: MatchedPath,
    params: RawPathParams,
    request: Request,
) -> Response<Body> {
    let (method, headers) = (request.method().clone(), request.headers().clone());
    // `HEAD` is answered by the handler of `GET`, without the body
    let wanted = if method == Method::HEAD { "GET" } else { method.as_str() };
    let Some(handler) = routes.iter().find(|route| route.method() == wanted).map(Route::handler) else {
        let refusal = S::refuse_method(&method, &target(&request), &allowed(&routes));
        return respond::<S>(refusal, &headers);
    };
    let reply = match handler.run {
        Run::NotServed => not_served::<S>(&path),
        Run::AtOnce(action) => {
            let call = read_call::<S>(&params, request).await;
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
            let route = route_name::<S>(&method, Some(&path));
            let call = read_call::<S>(&params, request).await;
            let running = run_in_steps(Arc::clone(&shared), route, call, handler.is_guarded, steps);
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

fn not_served<S: Service>(path: &MatchedPath) -> Reply {
    S::error(StatusCode::NOT_IMPLEMENTED, &format!("the dev server does not have {}", path.as_str()))
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
