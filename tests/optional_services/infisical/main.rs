//! Infisical's client: what its users are promised, with servers of both kinds in its place.

mod auth;
mod engine;
mod methods;
mod reads;
mod recordings;
mod replay;
mod server;
