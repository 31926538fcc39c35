//! The XtraSecurity API in memory, on a free loopback port: for tests, examples and work without an account.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use xtrasecurity::dev_server::{DevServer, Fault, route};
//!
//! let server = DevServer::start().await?;
//! println!("{} {} ({})", server.url(), server.project_id(), server.token().len());
//!
//! server.set_secret("demo", "production", "main", "API_KEY", "changed behind your back")?;
//! server.fault(Fault::status(503).times(2).on(route::SECRETS_READ));
//! assert_eq!(server.request_count(route::SECRETS_READ), 0);
//! server.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! There is real state behind the routes: what is written is read, versions count up, branches have their own secrets, an
//! approved request opens its project, a key that is deleted stops working. The server has
//!
//! - secrets by environment, by key and by id, with history, rollback, rotation, links, and copies of environments;
//! - projects, branches with their comparison, workspaces to read;
//! - service accounts and their keys, the caller's own keys, signing in with a key, `/user`;
//! - requests for access in both forms, and the links by which they are made; break-glass sessions, shared secrets;
//! - the teams and the addresses of a project, and its webhooks, which are never called;
//! - notifications, their rules and channels, which set nothing off, and what a plan has been used of;
//!
//! each named in [`route`]; and the ways to authenticate, the roles with their masking, the checks of a project (blocked,
//! address, second factor), both kinds of rate limit, and the service's habits: content types, empty answers, redirects, the
//! empty string that reads back as ciphertext, service accounts that make handlers fail. Other routes of the service
//! answer 501.
//!
//! Requests are served side by side. A handler that looks before it writes has a point between the two, as the service's
//! have, where other requests can come in: two first writes of one name at once may make two rows of it, of which writes
//! change the first and reads see the last. The routes that look and then write are writes by environment, by key and by id,
//! rollbacks, rotations, links, copies of environments, the writes to branches, decisions about requests for access and
//! claims of links. [`DevServer::hold_writes`] holds requests back at that point, and
//! [`DevServerBuilder::database_latency`] says how long they stay there by themselves.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use xtrasecurity::XtraClient;
//! use xtrasecurity::dev_server::{DevServer, route};
//!
//! let server = DevServer::start().await?;
//! let client = XtraClient::builder().dev_server(&server).build()?;
//! let hold = server.hold_writes(route::SECRETS_UPSERT);
//! let write = tokio::spawn(async move { client.set_secret("staging", "NEW", "ours").await });
//! hold.waiting_for(1).await;
//! server.set_secret("demo", "staging", "main", "NEW", "theirs")?;
//! hold.release();
//! let _ = write.await?;
//! assert_eq!(server.secret_rows("demo", "staging", "main", "NEW"), 2);
//! # server.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! The state ends with the server, unless it is kept in a file: [`DevServerBuilder::persist`].
//!
//! The server is a task of the tokio runtime that it was started on, and no thread. On a current-thread runtime it answers
//! only while that runtime runs: a blocking call there that waits for an answer waits for ever.
//!
//! A test that fires many requests turns the rate limits off ([`RateLimits::off`]): by default the hundred-and-first
//! request within a minute is refused, as it is by the service.

mod auth;
mod build_state;
mod builder;
mod control;
mod crypto;
mod database;
mod guards;
mod limits;
mod replies;
mod routes;
mod rows;
mod secret;
mod seed;
mod service;

use std::fmt;

pub use crate::dev::{DevServerError, Fault, Hold, SeenRequest};
pub use builder::DevServerBuilder;
pub use limits::RateLimits;
pub use seed::{
    BranchSeed, Form, GrantSeed, LinkSeed, ProjectSeed, Role, SecretSeed, Seed, ServiceAccountSeed, Tier, TokenSeed,
    UserSeed, WorkspaceSeed,
};

use crate::dev::Server;
use database::Database;

/// The names of the routes, for faults, holds and counts.
pub mod route {
    pub use super::routes::names::*;
}

/// A running server. Dropping it stops it as well, without waiting.
pub struct DevServer {
    server: Server<Database>,
    project: String,
    token: String,
}

impl DevServer {
    /// Starts a server with [`Seed::demo`] in it and the service's rate limits.
    ///
    /// # Errors
    ///
    /// As [`DevServerBuilder::start`].
    pub async fn start() -> Result<Self, DevServerError> {
        Self::builder().start().await
    }

    /// Configures a server before it starts.
    pub fn builder() -> DevServerBuilder {
        DevServerBuilder::default()
    }

    fn new(server: Server<Database>) -> Self {
        let (project, owner) = {
            let database = server.shared().state();
            let first = database.projects.first();
            let owner = first.and_then(|project| database.user(&project.owner)).or_else(|| database.users.first());
            (first.map(|project| project.id.clone()), owner.map(|owner| owner.name.clone()))
        };
        let token = owner.and_then(|owner| server.token(&owner).map(str::to_owned));
        DevServer { server, project: project.unwrap_or_default(), token: token.unwrap_or_default() }
    }

    /// The id of the first project of the seed; empty when there is none.
    #[must_use]
    pub fn project_id(&self) -> &str {
        &self.project
    }

    /// The token of the first project's owner; empty when there is no user.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The token of a user or a service account by name.
    #[must_use]
    pub fn token_for(&self, name: &str) -> Option<&str> {
        self.server.token(name)
    }
}

impl fmt::Debug for DevServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.server.show("DevServer", formatter)
    }
}
