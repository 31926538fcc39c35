//! Infisical's client: what its users are promised, with servers of both kinds in its place.

mod auth;
mod deprecated;
mod engine;
mod methods;
mod parameters;
mod peers;
mod reads;
mod recordings;
mod refusals;
mod replay;
mod server;
mod traps;
