//! The service in memory, on a loopback port: for tests and for work without an account.
//!
//! A server behaves like one [`Generation`] of the service: the two of 2024 as they were recorded, with their errors, their
//! routes and their slips, and that of today as it is documented. A builder seeds it. It counts requests
//! by route ([`InfisicalDevServer::request_count`] with the names in [`route`]); faults and holds are those of every dev
//! server; its clock is moved by hand ([`InfisicalDevServer::advance`]).
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use xtrasecurity::infisical::dev::{InfisicalDevServer, route};
//!
//! let server = InfisicalDevServer::start().await?;
//! println!("{} for the project {}", server.url(), server.project_id());
//! assert_eq!(server.request_count(route::SECRETS_LIST), 0);
//! # server.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! Of the service it has logins and tokens, secrets (versions 3 and 4), folders, imports, tags, environments, projects, keys,
//! dynamic secrets with their leases, and events. Administration is left out: identities, roles and policies come from the seed.
//! Signing keys are left out as well, and their routes answer 501. Every request is one step here, so
//! [`InfisicalDevServer::hold_writes`] holds nothing; the second row of one name that real servers make of writes at once is made by
//! [`InfisicalDevServer::add_secret`].

mod access;
mod asked;
mod build_state;
mod builder;
mod database;
mod expansion;
mod fields;
mod generation;
mod imported;
mod jwt;
mod keys;
mod limits;
mod patterns;
mod reads;
mod records;
mod refusal;
mod routes;
mod rows;
mod seed;
mod server;
mod service;
mod subscriptions;
mod tokens;
mod writes;

pub use builder::InfisicalDevServerBuilder;
pub use database::HalfExpansion;
pub use generation::Generation;
pub use limits::RateLimits;
pub use seed::{
    Action, ClientSecretSeed, EnvironmentSeed, Grant, IdentitySeed, LoginMethod, ProjectSeed, Role, SecretSeed,
    ServiceTokenSeed, TagSeed,
};
pub use server::InfisicalDevServer;

pub use crate::dev::{DevServerError, Fault, Hold, SeenRequest};

/// The names of the routes, for faults, holds and counts.
pub mod route {
    pub use super::routes::names::*;
}
