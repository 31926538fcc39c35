//! The routes that the server knows.

mod accounts;
mod branches;
mod projects;
mod records;
mod secrets;
mod upsert;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::{Method, Response, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, any};

use super::front;
use super::gates::{Action, plain, secured};
use super::route;
use super::shared::Shared;
use super::wire::{Call, Reply};

type Methods = MethodRouter<Arc<Shared>>;

/// The routes of the service that this server does not have. They answer 501, so that a missing route is told from a wrong
/// one.
const NOT_SERVED: &[&str] = &[
    "/projects/{projectId}/envs/{env}/secrets/{key}",
    "/projects/{projectId}/envs/{env}/secrets/{key}/history",
    "/projects/{projectId}/envs/{env}/secrets/{key}/rotate",
    "/projects/{projectId}/envs/{env}/secrets/{key}/promote",
    "/projects/{projectId}/envs/{env}/secrets/link",
    "/projects/{projectId}/envs/clone",
    "/projects/{projectId}/service-accounts",
    "/projects/{projectId}/service-accounts/{saId}",
    "/projects/{projectId}/service-accounts/{saId}/keys",
    "/projects/{projectId}/service-accounts/{saId}/keys/{keyId}",
    "/projects/{projectId}/webhooks",
    "/projects/{projectId}/webhooks/{webhookId}",
    "/projects/{projectId}/kubernetes",
    "/project/{id}/{*rest}",
    "/branch/compare",
    "/secret",
    "/secret/{*rest}",
    "/secrets/expiring",
    "/rotation/{*rest}",
    "/team",
    "/team/{*rest}",
    "/workspace",
    "/workspace/{*rest}",
    "/access/{*rest}",
    "/access-requests",
    "/access-requests/{id}",
    "/access-reviews",
    "/jit/{*rest}",
    "/audit",
    "/audit/{*rest}",
    "/auth/{*rest}",
    "/user",
    "/user/{*rest}",
];

pub(super) fn router(shared: Arc<Shared>) -> Router {
    use MethodFilter as M;
    let project = all([
        guarded(M::GET, projects::get),
        guarded(M::POST, projects::create),
        guarded(M::PUT, projects::update),
        guarded(M::DELETE, projects::delete),
    ]);
    let branch = all([
        open(M::GET, branches::list),
        open(M::POST, branches::create_or_clear),
        open(M::PUT, branches::update),
        open(M::DELETE, branches::delete),
    ]);
    let mut api = Router::new()
        .route(
            "/projects/{projectId}/envs/{env}/secrets",
            all([guarded(M::GET, secrets::read), guarded(M::POST, upsert::upsert)]).fallback(refuse_get_post),
        )
        .route("/project", project.fallback(refuse_all_four))
        .route("/branch", branch.fallback(refuse_all_four))
        .route("/branch/{branchId}", open(M::DELETE, branches::delete_with_secrets).fallback(refuse_delete))
        .route("/branch/{branchId}/clear", open(M::POST, branches::clear).fallback(refuse_post))
        .route("/service-account/resolve", open(M::GET, accounts::resolve).fallback(refuse_get))
        .route("/health", open(M::GET, accounts::health).fallback(refuse_get));
    for path in NOT_SERVED {
        api = api.route(path, any(not_served));
    }
    Router::new()
        .nest(route::ROOT, api)
        .fallback(unknown)
        .layer(from_fn_with_state(Arc::clone(&shared), front::watch))
        .with_state(shared)
}

fn all<const N: usize>(methods: [Methods; N]) -> Methods {
    methods.into_iter().fold(MethodRouter::new(), MethodRouter::merge)
}

/// A route behind the gates.
fn guarded(filter: MethodFilter, action: Action) -> Methods {
    on(filter, action, secured)
}

/// A route without them.
fn open(filter: MethodFilter, action: Action) -> Methods {
    on(filter, action, plain)
}

type Runner = fn(&mut super::state::World, &Call, Action) -> Reply;

fn on(filter: MethodFilter, action: Action, run: Runner) -> Methods {
    axum::routing::on(
        filter,
        move |State(shared): State<Arc<Shared>>, params: RawPathParams, request: Request| async move {
            let call = front::read_call(&params, request).await;
            run(&mut shared.world(), &call, action).into_response()
        },
    )
}

async fn unknown() -> Response<Body> {
    Reply::html(StatusCode::NOT_FOUND, "404: This page could not be found").into_response()
}

async fn not_served(path: MatchedPath) -> Response<Body> {
    let route = path.as_str();
    Reply::error(StatusCode::NOT_IMPLEMENTED, &format!("the dev server does not have {route}")).into_response()
}

async fn refuse_get(method: Method) -> Response<Body> {
    refuse(&method, "GET, HEAD, OPTIONS")
}

async fn refuse_post(method: Method) -> Response<Body> {
    refuse(&method, "OPTIONS, POST")
}

async fn refuse_delete(method: Method) -> Response<Body> {
    refuse(&method, "DELETE, OPTIONS")
}

async fn refuse_get_post(method: Method) -> Response<Body> {
    refuse(&method, "GET, HEAD, OPTIONS, POST")
}

async fn refuse_all_four(method: Method) -> Response<Body> {
    refuse(&method, "DELETE, GET, HEAD, OPTIONS, POST, PUT")
}

/// The answer to a method that a route does not have: `Allow` only for `OPTIONS`, and 400 for a method that the service's
/// framework does not know.
fn refuse(method: &Method, allow: &str) -> Response<Body> {
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    if method == Method::OPTIONS {
        return Reply::empty(StatusCode::NO_CONTENT).with(header::ALLOW, allow).into_response();
    }
    let status = if known.contains(method) { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::BAD_REQUEST };
    Reply::empty(status).into_response()
}
