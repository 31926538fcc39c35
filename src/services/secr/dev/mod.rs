//! The service in memory, on a loopback port: for tests and for work without an account.
//!
//! **It follows the vendor's pages, and nothing else**: no server was ever seen. Where the pages leave something open it does what
//! this crate assumes, as the documentation of each method of the client says it. So it shows how a program behaves, and not that the
//! service behaves so. It has every operation of the document that the client is made from.
//!
//! A builder seeds it. It counts requests by route
//! ([`SecrDevServer::request_count`] with the names in [`route`]); faults and holds are those of every dev server. Limits of rate have
//! no documented numbers, and it has none: a [`Fault`] of status 429 is one. Every request is one step, so
//! [`SecrDevServer::hold_writes`] holds nothing.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use xtrasecurity::secr::SecrClient;
//! use xtrasecurity::secr::dev::{SecrDevServer, route};
//!
//! let server = SecrDevServer::start().await?;
//! let client = SecrClient::builder().dev_server(&server).build()?;
//! client.set_secret("acme", "web", "development", "API_KEY", "k-1").await?;
//! assert!(client.get_secrets("acme", "web", "development").await?.contains("API_KEY"));
//! assert_eq!(server.request_count(route::SECRETS_PULL), 1);
//! # server.stop().await;
//! # Ok(())
//! # }
//! ```

mod database;
mod routes;
mod seed;
mod server;

pub use database::Role;
pub use seed::{CallerSeed, ProjectSeed, SecrDevServerBuilder};
pub use server::SecrDevServer;

pub use crate::dev::{DevServerError, Fault, Hold, SeenRequest};

/// The names of the routes, for faults, holds and counts.
pub mod route {
    pub use super::routes::route::*;
}
