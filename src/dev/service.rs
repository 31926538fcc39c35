//! The service of a dev server: its state, its routes and its habits.

use futures_util::future::BoxFuture;
use hyper::{HeaderMap, Method, StatusCode, Uri};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::clock::Clock;
use super::connection::Connection;
use super::exchange::{Call, Reply};

/// A handler that gave up where the service would have thrown.
pub(crate) struct HandlerPanic;

/// The outcome of a handler.
pub(crate) type Outcome = Result<Reply, HandlerPanic>;

/// The state of one service's dev server, with what its routes and its refusals are like.
pub(crate) trait Service: Serialize + DeserializeOwned + Send + Sized + 'static {
    /// The path where the API begins, such as `/api`.
    const ROOT: &'static str;

    /// Paths of the service that the server does not have. They answer 501, so that a missing route is told from a wrong one.
    const NOT_SERVED: &'static [&'static str] = &[];

    /// The guards' note on a request that passes, for its reply.
    type Admission: Send;

    /// The routes of this server. They may depend on how it was set up.
    fn routes(&self) -> Vec<Route<Self>>;

    fn clock(&self) -> &Clock;

    fn clock_mut(&mut self) -> &mut Clock;

    /// The address that the service believes a request to come from.
    fn address(_headers: &HeaderMap, peer: &str) -> String {
        peer.to_owned()
    }

    /// Counts a request of an address, or refuses it.
    fn admit(&mut self, _address: &str) -> Result<(), Reply> {
        Ok(())
    }

    /// Lets a request to a guarded route pass, or refuses it.
    fn guard(&mut self, call: &Call) -> Result<Self::Admission, Reply>;

    /// The reply of a handler, decorated if guards admitted the request.
    fn finish(outcome: Outcome, _admission: Option<Self::Admission>) -> Reply {
        outcome.unwrap_or_else(|HandlerPanic| Reply::empty(StatusCode::INTERNAL_SERVER_ERROR))
    }

    /// The refusal of a path before any route is looked for.
    fn refuse_path(_uri: &Uri) -> Option<Reply> {
        None
    }

    /// The address by which routes are looked for, where it is not the one that was sent.
    fn routed(_uri: &Uri) -> Option<Uri> {
        None
    }

    /// The reply to a path that no route has; `target` is the path and the query as they were sent.
    fn unknown_path(method: &Method, target: &str) -> Reply;

    /// The reply to a method that a path does not have; `allow` lists those that it has.
    fn refuse_method(method: &Method, target: &str, allow: &str) -> Reply;

    /// A reply with what every one gets, by the headers of its request.
    fn dress(reply: Reply, _request: &HeaderMap) -> Reply {
        reply
    }

    /// An error in the form that the service gives its errors.
    fn error(status: StatusCode, message: &str) -> Reply;

    /// Ends what would keep a connection open, before the server stops.
    fn end(&mut self) {}
}

/// A handler that ends with a reply, of which a refusal is one.
#[allow(dead_code, reason = "not every service has handlers of this kind")]
pub(crate) fn settle(handler: impl FnOnce() -> Result<Reply, Reply>) -> Outcome {
    Ok(handler().unwrap_or_else(|refusal| refusal))
}

/// A route: its name, `METHOD /path`, and its handler.
pub(crate) struct Route<S> {
    name: &'static str,
    handler: Handler<S>,
}

impl<S> Route<S> {
    pub(crate) fn new(name: &'static str, handler: Handler<S>) -> Self {
        Route { name, handler }
    }

    pub(crate) fn method(&self) -> &'static str {
        self.name.split_once(' ').map_or("", |(method, _)| method)
    }

    pub(crate) fn path(&self) -> &'static str {
        self.name.split_once(' ').map_or("", |(_, path)| path)
    }

    pub(crate) fn handler(&self) -> Handler<S> {
        self.handler
    }
}

/// A handler of one call to the database.
pub(crate) type AtOnce<S> = fn(&mut S, &Call) -> Outcome;

/// A handler of several calls, between which other requests go on.
pub(crate) type InSteps<S> = for<'a> fn(&'a Connection<S>, &'a Call) -> BoxFuture<'a, Outcome>;

/// The function of a handler.
pub(crate) enum Run<S> {
    AtOnce(AtOnce<S>),
    InSteps(InSteps<S>),
    NotServed,
}

/// A handler, with what comes before and after it.
pub(crate) struct Handler<S> {
    pub(crate) run: Run<S>,
    /// Guards may refuse the request before it runs, and decorate its reply.
    pub(crate) is_guarded: bool,
    /// The state is written to its file although the method is `GET`.
    pub(crate) always_writes: bool,
}

impl<S> Handler<S> {
    /// A handler of one call to the database.
    pub(crate) fn at_once(handler: AtOnce<S>) -> Self {
        Handler { run: Run::AtOnce(handler), is_guarded: false, always_writes: false }
    }

    /// A handler of several calls to the database.
    pub(crate) fn in_steps(handler: InSteps<S>) -> Self {
        Handler { run: Run::InSteps(handler), is_guarded: false, always_writes: false }
    }

    /// A route that the service has and this server does not.
    pub(crate) fn not_served() -> Self {
        Handler { run: Run::NotServed, is_guarded: false, always_writes: false }
    }

    /// The same handler behind the guards.
    pub(crate) fn guarded(self) -> Self {
        Handler { is_guarded: true, ..self }
    }

    /// The same handler, which changes the state although its method is `GET`.
    pub(crate) fn that_writes(self) -> Self {
        Handler { always_writes: true, ..self }
    }
}

impl<S> Clone for Run<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Run<S> {}

impl<S> Clone for Handler<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Handler<S> {}

/// The routes of one resource: `METHOD "/path" as NAME => at_once(handler);`, where a route that tests do not name goes without
/// a name. Makes the module `route` of the names and the function `routes`.
macro_rules! routes {
    (
        for $state:ty;
        $($(#[$doc:meta])* $method:ident $path:literal $(as $name:ident)? => $kind:ident($($handler:path)?)$(.$more:ident())?;)+
    ) => {
        /// The names of the routes.
        pub mod route {
            $($crate::dev::routes! { @name [$($name)?] $(#[$doc])* $method $path })+
        }

        pub(super) fn routes() -> Vec<$crate::dev::Route<$state>> {
            vec![$($crate::dev::Route::new(
                concat!(stringify!($method), " ", $path),
                $crate::dev::Handler::$kind($($handler)?)$(.$more())?,
            )),+]
        }
    };
    (@name [] $method:ident $path:literal) => {};
    (@name [$name:ident] $(#[$doc:meta])* $method:ident $path:literal) => {
        $(#[$doc])*
        pub const $name: &str = concat!(stringify!($method), " ", $path);
    };
}

pub(crate) use routes;
