//! The parts of a dev server: a service's API in memory, on a loopback port, for tests and for work without an account.
//!
//! A service brings its state, its routes and its habits ([`Service`]); here is what serves them: the listeners, the calls of
//! handlers to the state with other requests in between, the state file, the clock, rate windows, and the controls of a test.
//! A request goes through `server` → `routing` → `middleware` → the service's handler.

mod body;
mod clock;
mod connection;
mod control;
mod error;
mod exchange;
mod faults;
pub(crate) mod javascript;
mod middleware;
mod path_pattern;
mod rate_windows;
mod routing;
mod server;
mod service;
mod snapshot;

pub use control::{Hold, SeenRequest};
pub use error::DevServerError;
pub use faults::Fault;

pub(crate) use clock::{Clock, Millis};
pub(crate) use connection::Connection;
pub(crate) use exchange::{Call, Reply, TEXT};
pub(crate) use rate_windows::{Budget, RateWindows, Spent};
pub(crate) use server::{Server, Settings, control_methods};
#[allow(unused_imports, reason = "not every service has handlers of this kind")]
pub(crate) use service::settle;
pub(crate) use service::{Handler, HandlerPanic, Outcome, Route, Service, routes};
pub(crate) use snapshot::Seeded;
