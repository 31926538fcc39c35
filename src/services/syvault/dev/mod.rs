//! The service in memory, on a loopback port: for tests and for work without an account.
//!
//! **It follows the vendor's pages, and nothing else**: no server was ever seen. Where the pages leave something open, which is much,
//! it does what this crate assumes, as the documentation of each method of the client says it. So it shows how a program behaves, and
//! not that the service behaves so. It has every operation of the document that the client is made from.
//!
//! Tokens are verified as the pages say: signed by ES256 with the key that the client has registered, for this server, for an hour at
//! the most. Secrets are encrypted as the pages say of the vault; the server knows the keys of its folders, which the real one does
//! not, to make secrets by the seed and to rotate them. The keys of folders that it gives at registration are random bytes: how they
//! are wrapped is not published.
//!
//! A builder seeds it. It counts requests by route
//! ([`SyVaultDevServer::request_count`] with the names in [`route`]); faults and holds are those of every dev server. Every request
//! is one step, so [`SyVaultDevServer::hold_writes`] holds nothing.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use xtrasecurity::syvault::SyVaultClient;
//! use xtrasecurity::syvault::dev::{SecretSeed, SyVaultDevServer};
//!
//! let server = SyVaultDevServer::start().await?;
//! let uid = server.put_secret(SecretSeed::new("production", "Database").field("password", "hunter2"))?;
//! let client = SyVaultClient::builder().dev_server(&server).build()?;
//! assert!(client.get(&uid).await?.contains("password"));
//! # server.stop().await;
//! # Ok(())
//! # }
//! ```

mod access;
mod database;
mod routes;
mod seed;
mod server;

pub use seed::{ClientSeed, SecretSeed, SyVaultDevServerBuilder};
pub use server::SyVaultDevServer;

pub use crate::dev::{DevServerError, Fault, Hold, SeenRequest};

/// The names of the routes, for faults, holds and counts.
pub mod route {
    pub use super::routes::route::*;
}
