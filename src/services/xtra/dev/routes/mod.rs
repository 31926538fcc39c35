//! The routes that the server knows.

mod access;
mod access_requests;
mod accounts;
mod addresses;
mod answers;
mod branches;
mod break_glass;
mod by_id;
mod by_key;
mod clone;
mod compare;
mod history;
mod jit;
mod notifications;
mod projects;
mod records;
mod rewrite;
mod secrets;
mod service_accounts;
mod shares;
mod teams;
mod upsert;
mod users;
mod webhooks;

use std::future::{Ready, ready};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::{Method, Response, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, any};

use super::database::Database;
use super::gates::{Action, Guard, Steps};
use super::shared::Shared;
use super::state::World;
use super::wire::{Call, Reply};
use super::{front, route};

type Methods = MethodRouter<Arc<Shared>>;

/// The routes of the service that this server does not have. They answer 501, so that a missing route is told from a wrong
/// one.
const NOT_SERVED: &[&str] = &[
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
        open_steps(M::POST, branches::create_or_clear),
        open_steps(M::PUT, branches::update),
        open_steps(M::DELETE, branches::delete),
    ]);
    let mut api = Router::new()
        .route(
            "/projects/{projectId}/envs/{env}/secrets",
            all([guarded(M::GET, secrets::read), guarded_steps(M::POST, upsert::upsert)])
                .fallback(refusing("GET, HEAD, OPTIONS, POST")),
        )
        .merge(of_one_secret())
        .merge(of_accounts())
        .merge(of_the_dashboard())
        .merge(of_access())
        .merge(of_a_project())
        .merge(of_notifications())
        .route("/project", project.fallback(refusing("DELETE, GET, HEAD, OPTIONS, POST, PUT")))
        .route("/branch", branch.fallback(refusing("DELETE, GET, HEAD, OPTIONS, POST, PUT")))
        .route(
            "/branch/{branchId}",
            open(M::DELETE, branches::delete_with_secrets).fallback(refusing("DELETE, OPTIONS")),
        )
        .route("/branch/{branchId}/clear", open(M::POST, branches::clear).fallback(refusing("OPTIONS, POST")))
        .route("/service-account/resolve", open(M::GET, accounts::resolve).fallback(refusing("GET, HEAD, OPTIONS")))
        .route("/subscription/usage", open(M::GET, accounts::usage).fallback(refusing("GET, HEAD, OPTIONS")))
        .route("/docs", open(M::GET, accounts::docs).fallback(refusing("GET, HEAD, OPTIONS")))
        .route("/health", open(M::GET, accounts::health).fallback(refusing("GET, HEAD, OPTIONS")));
    for path in NOT_SERVED {
        api = api.route(path, any(not_served));
    }
    Router::new()
        .nest(route::ROOT, api)
        .fallback(unknown)
        .layer(from_fn_with_state(Arc::clone(&shared), front::watch))
        .with_state(shared)
}

/// What is below the route of an environment's secrets, and the copy of an environment.
fn of_one_secret() -> Router<Arc<Shared>> {
    use MethodFilter as M;
    let history = all([open(M::GET, history::list), open_steps(M::POST, history::roll_back)]);
    let secret = all([open(M::GET, by_key::get), open_steps(M::DELETE, by_key::delete)]);
    let below = "/projects/{projectId}/envs/{env}/secrets";
    Router::new()
        .route(&format!("{below}/{{key}}"), secret.fallback(refusing("DELETE, GET, HEAD, OPTIONS")))
        .route(&format!("{below}/{{key}}/history"), history.fallback(refusing("GET, HEAD, OPTIONS, POST")))
        .route(
            &format!("{below}/{{key}}/rotate"),
            open_steps(M::POST, by_key::rotate).fallback(refusing("OPTIONS, POST")),
        )
        .route(&format!("{below}/{{key}}/promote"), open(M::POST, by_key::promote).fallback(refusing("OPTIONS, POST")))
        .route(&format!("{below}/link"), open_steps(M::POST, by_key::link).fallback(refusing("OPTIONS, POST")))
        .route(
            "/projects/{projectId}/envs/clone",
            open_steps(M::POST, clone::clone).fallback(refusing("OPTIONS, POST")),
        )
}

fn of_accounts() -> Router<Arc<Shared>> {
    use MethodFilter as M;
    use service_accounts as accounts;
    let all_accounts = all([open(M::GET, accounts::list), open(M::POST, accounts::create)]);
    let account = all([open(M::PATCH, accounts::update), open(M::DELETE, accounts::delete)]);
    let keys = all([
        open(M::GET, accounts::list_keys),
        open(M::POST, accounts::create_key),
        open(M::DELETE, accounts::refuse_to_delete_keys),
    ]);
    let below = "/projects/{projectId}/service-accounts";
    Router::new()
        .route(below, all_accounts.fallback(refusing("GET, HEAD, OPTIONS, POST")))
        .route(&format!("{below}/{{saId}}"), account.fallback(refusing("DELETE, OPTIONS, PATCH")))
        .route(&format!("{below}/{{saId}}/keys"), keys.fallback(refusing("DELETE, GET, HEAD, OPTIONS, POST")))
        .route(
            &format!("{below}/{{saId}}/keys/{{keyId}}"),
            open(M::DELETE, accounts::delete_key).fallback(refusing("DELETE, OPTIONS")),
        )
}

/// The caller, the caller's keys and workspaces, and secrets by id.
fn of_the_dashboard() -> Router<Arc<Shared>> {
    use MethodFilter as M;
    let secret = all([
        guarded(M::GET, by_id::list),
        guarded_steps(M::POST, by_id::create),
        guarded_steps(M::PUT, by_id::update),
        guarded_steps(M::DELETE, by_id::delete),
    ]);
    let keys = all([open(M::GET, users::list_keys), open(M::POST, users::create_key)]);
    let workspace = guarded(M::GET, users::workspaces).on(M::POST.or(M::PUT).or(M::DELETE), not_served);
    Router::new()
        .route("/secret", secret.fallback(refusing("DELETE, GET, HEAD, OPTIONS, POST, PUT")))
        .route("/secret/rotate", guarded_steps(M::POST, rewrite::rewrite).fallback(refusing("OPTIONS, POST")))
        .route("/secret/rollback", open_steps(M::POST, by_id::roll_back).fallback(refusing("OPTIONS, POST")))
        .route("/branch/compare", guarded(M::GET, compare::compare).fallback(refusing("GET, HEAD, OPTIONS")))
        .route("/user", open(M::GET, users::get).fallback(refusing("GET, HEAD, OPTIONS")))
        .route("/auth/api-keys", keys.fallback(refusing("GET, HEAD, OPTIONS, POST")))
        .route("/auth/api-keys/{id}", open(M::DELETE, users::delete_key).fallback(refusing("DELETE, OPTIONS")))
        .route("/auth/cli-login", open(M::POST, users::sign_in).fallback(refusing("OPTIONS, POST")))
        .route("/workspace", workspace.fallback(refusing("DELETE, GET, HEAD, OPTIONS, POST, PUT")))
}

fn of_access() -> Router<Arc<Shared>> {
    use MethodFilter as M;
    let request = all([guarded(M::GET, access::status), guarded(M::POST, access::request)]);
    let break_glass =
        all([open(M::POST, break_glass::begin), open(M::PATCH, break_glass::end), open(M::PUT, break_glass::note)]);
    let requests = all([open(M::GET, access_requests::list), open(M::POST, access_requests::create)]);
    Router::new()
        .route("/access/request", request.fallback(refusing("GET, HEAD, OPTIONS, POST")))
        .route("/access/list", guarded(M::GET, access::list).fallback(refusing("GET, HEAD, OPTIONS")))
        .route("/access/approve", guarded_steps(M::POST, access::decide).fallback(refusing("OPTIONS, POST")))
        .route("/access/break-glass", break_glass.fallback(refusing("OPTIONS, PATCH, POST, PUT")))
        .route("/access-requests", requests.fallback(refusing("GET, HEAD, OPTIONS, POST")))
        .route("/access-requests/{id}", open(M::PATCH, access_requests::decide).fallback(refusing("OPTIONS, PATCH")))
        .route("/jit/generate", open(M::POST, jit::generate).fallback(refusing("OPTIONS, POST")))
        .route("/jit/claim", open_steps(M::POST, jit::claim).fallback(refusing("OPTIONS, POST")))
        .route("/jit/{token}", open(M::GET, jit::info).fallback(refusing("GET, HEAD, OPTIONS")))
}

/// What hangs on a project beside its secrets: teams, addresses, webhooks, shared secrets.
fn of_a_project() -> Router<Arc<Shared>> {
    use MethodFilter as M;
    let all_teams = all([open(M::GET, teams::list), open(M::POST, teams::add)]);
    let ip = all([open(M::GET, addresses::list), open(M::POST, addresses::add), open(M::DELETE, addresses::remove)]);
    let hooks = all([
        open(M::GET, webhooks::list),
        open(M::POST, webhooks::create),
        open(M::PATCH, webhooks::update),
        open(M::DELETE, webhooks::delete),
    ]);
    // Deliveries are not made, not even to try them.
    let hook = open(M::DELETE, webhooks::delete_own).on(M::POST, not_served);
    // To look at a shared secret changes it.
    let share = all([
        on(M::GET, Keeps::Always, shares::view, Guard::Nothing),
        open(M::POST, shares::create),
        open(M::DELETE, shares::revoke),
    ]);
    Router::new()
        .route("/project/{id}/teams", all_teams.fallback(refusing("GET, HEAD, OPTIONS, POST")))
        .route(
            "/project/{id}/teams/{teamProjectId}",
            open(M::DELETE, teams::remove).fallback(refusing("DELETE, OPTIONS")),
        )
        .route("/project/{id}/ip", ip.fallback(refusing("DELETE, GET, HEAD, OPTIONS, POST")))
        .route("/projects/{projectId}/webhooks", hooks.fallback(refusing("DELETE, GET, HEAD, OPTIONS, PATCH, POST")))
        .route("/projects/{projectId}/webhooks/{webhookId}", hook.fallback(refusing("DELETE, OPTIONS")))
        .route("/secret/share", share.fallback(refusing("DELETE, GET, HEAD, OPTIONS, POST")))
}

fn of_notifications() -> Router<Arc<Shared>> {
    use MethodFilter as M;
    use notifications as notes;
    let own = all([open(M::GET, notes::list), open(M::PATCH, notes::mark), open(M::DELETE, notes::delete)]);
    let rules = all([
        open(M::GET, notes::list_rules),
        open(M::POST, notes::create_rule),
        open(M::PATCH, notes::change_rule),
        open(M::DELETE, notes::delete_rule),
    ]);
    let channels = all([
        open(M::GET, notes::list_channels),
        open(M::POST, notes::create_channel),
        open(M::PATCH, notes::change_channel),
        open(M::DELETE, notes::delete_channel),
    ]);
    Router::new()
        .route("/notifications", own.fallback(refusing("DELETE, GET, HEAD, OPTIONS, PATCH")))
        .route("/notification-rules", rules.fallback(refusing("DELETE, GET, HEAD, OPTIONS, PATCH, POST")))
        .route("/notification-channels", channels.fallback(refusing("DELETE, GET, HEAD, OPTIONS, PATCH, POST")))
        .route("/notification-channels/test", open(M::POST, notes::test_channel).fallback(refusing("OPTIONS, POST")))
}

fn all<const N: usize>(methods: [Methods; N]) -> Methods {
    methods.into_iter().fold(MethodRouter::new(), MethodRouter::merge)
}

/// A route behind the gates.
fn guarded(filter: MethodFilter, action: Action) -> Methods {
    on(filter, Keeps::of(filter), action, Guard::Gates)
}

/// A route without them.
fn open(filter: MethodFilter, action: Action) -> Methods {
    on(filter, Keeps::of(filter), action, Guard::Nothing)
}

/// Whether a handler changes what is kept in a file.
#[derive(Clone, Copy, PartialEq)]
enum Keeps {
    Always,
    Nothing,
}

impl Keeps {
    /// Nearly everything that is asked for by `GET` changes nothing.
    fn of(filter: MethodFilter) -> Self {
        if filter == MethodFilter::GET { Keeps::Nothing } else { Keeps::Always }
    }
}

fn on(filter: MethodFilter, keeps: Keeps, action: Action, guard: Guard) -> Methods {
    axum::routing::on(
        filter,
        move |State(shared): State<Arc<Shared>>, params: RawPathParams, request: Request| async move {
            let call = front::read_call(&params, request).await;
            shared.latency().await;
            let run = |world: &mut World| match guard.enter(world, &call) {
                Ok(passed) => passed.leave(action(world, &call)),
                Err(refusal) => refusal,
            };
            let reply = if keeps == Keeps::Always {
                // Written down whatever the answer is: a handler that fails half way has done the first half.
                shared.change(|world| Ok(run(world))).unwrap_or_else(|_| not_kept())
            } else {
                run(&mut shared.world())
            };
            reply.into_response()
        },
    )
}

/// A route behind the gates whose handler makes several calls to the database.
fn guarded_steps(filter: MethodFilter, steps: Steps) -> Methods {
    in_steps(filter, steps, Guard::Gates)
}

/// The same without the gates.
fn open_steps(filter: MethodFilter, steps: Steps) -> Methods {
    in_steps(filter, steps, Guard::Nothing)
}

fn in_steps(filter: MethodFilter, steps: Steps, guard: Guard) -> Methods {
    axum::routing::on(
        filter,
        move |State(shared): State<Arc<Shared>>, path: MatchedPath, params: RawPathParams, request: Request| async move {
            let route = front::route_name(request.method(), Some(&path));
            let call = front::read_call(&params, request).await;
            let handler = handle(Arc::clone(&shared), route, call, steps, guard);
            let reply = shared.run(handler).await;
            reply.unwrap_or_else(|| Reply::empty(StatusCode::SERVICE_UNAVAILABLE)).into_response()
        },
    )
}

async fn handle(shared: Arc<Shared>, route: String, call: Call, steps: Steps, guard: Guard) -> Reply {
    let entered = guard.enter(&mut shared.world(), &call);
    let passed = match entered {
        Ok(passed) => passed,
        Err(refusal) => return refusal,
    };
    let database = Database::new(Arc::clone(&shared), route).await;
    let outcome = steps(&database, &call).await;
    // Written down once, before the answer, whatever it is.
    match shared.change(|_| Ok(())) {
        Ok(()) => passed.leave(outcome),
        Err(_) => not_kept(),
    }
}

fn not_kept() -> Reply {
    Reply::error(StatusCode::INTERNAL_SERVER_ERROR, NOT_KEPT)
}

const NOT_KEPT: &str = "the dev server cannot write its state file";

async fn unknown() -> Response<Body> {
    Reply::html(StatusCode::NOT_FOUND, "404: This page could not be found").into_response()
}

async fn not_served(path: MatchedPath) -> Response<Body> {
    let route = path.as_str();
    Reply::error(StatusCode::NOT_IMPLEMENTED, &format!("the dev server does not have {route}")).into_response()
}

/// What answers the methods that a route does not have, when it has these.
fn refusing(allow: &'static str) -> impl Fn(Method) -> Ready<Response<Body>> + Clone + Send + Sync + 'static {
    move |method| ready(refuse(&method, allow))
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
