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
//! Requests are served side by side. A handler that looks before it writes has a place between the two, as the service's
//! have, where other requests can come in: two first writes of one name at once may make two rows of it, of which writes
//! change the first and reads see the last. [`DevServer::hold_writes`] holds requests back in that place, and
//! [`DevServerBuilder::database_latency`] says how long they stay there by themselves.
//!
//! The state ends with the server, unless it is kept in a file: [`DevServerBuilder::persist`].
//!
//! The server is a task of the tokio runtime that it was started on, and no thread. On a current-thread runtime it answers
//! only while that runtime runs: a blocking call there that waits for an answer waits for ever.
//!
//! A test that fires many requests turns the rate limits off ([`RateLimits::off`]): by default the hundred-and-first
//! request within a minute is refused, as it is by the service.

mod auth;
mod builder;
mod clock;
mod control;
mod crypto;
mod database;
mod demo;
mod error;
mod faults;
mod front;
mod gates;
mod hold;
mod journal;
mod js;
mod limits;
mod notices;
mod persist;
mod plant;
mod plant_secret;
mod requests;
pub mod route;
mod routes;
mod secret;
mod seed;
mod seed_build;
mod serve;
mod shared;
mod state;
mod tokens;
mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use builder::DevServerBuilder;
pub use error::DevServerError;
pub use faults::Fault;
pub use hold::Hold;
pub use journal::SeenRequest;
pub use limits::RateLimits;
pub use seed::{
    BranchSeed, Form, GrantSeed, LinkSeed, ProjectSeed, Role, SecretSeed, Seed, ServiceAccountSeed, Tier, TokenSeed,
    UserSeed, WorkspaceSeed,
};

use shared::Shared;

/// A running server. Dropping it stops it as well, without waiting.
pub struct DevServer {
    port: u16,
    shared: Arc<Shared>,
    tokens: BTreeMap<String, String>,
    project: String,
    token: String,
    running: Running,
}

struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
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

    /// Says first what the server starts with.
    pub fn builder() -> DevServerBuilder {
        DevServerBuilder::default()
    }

    fn new(port: u16, shared: Arc<Shared>, tokens: BTreeMap<String, String>, running: Running) -> Self {
        let (project, owner) = {
            let world = shared.world();
            let first = world.projects.first();
            let owner = first.and_then(|project| world.user(&project.owner)).or_else(|| world.users.first());
            (first.map(|project| project.id.clone()), owner.map(|owner| owner.name.clone()))
        };
        let token = owner.and_then(|owner| tokens.get(&owner).cloned());
        DevServer {
            port,
            shared,
            tokens,
            project: project.unwrap_or_default(),
            token: token.unwrap_or_default(),
            running,
        }
    }

    /// The API root, `http://127.0.0.1:PORT/api`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, route::ROOT)
    }

    /// The API root by name, `http://localhost:PORT/api`. The server listens on 127.0.0.1 and, where the machine has it, on
    /// ::1.
    #[must_use]
    pub fn localhost_url(&self) -> String {
        format!("http://localhost:{}{}", self.port, route::ROOT)
    }

    /// The port, on loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
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
        self.tokens.get(name).map(String::as_str)
    }

    /// Stops the server and waits until its port is closed and all its connections have ended.
    pub async fn stop(mut self) {
        self.running.stop.send_replace(true);
        // A task that was cancelled with its runtime has ended too.
        let _ = (&mut self.running.task).await;
    }
}

impl Drop for DevServer {
    fn drop(&mut self) {
        self.running.stop.send_replace(true);
        self.running.task.abort();
        self.shared.stop_handlers();
    }
}

impl fmt::Debug for DevServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DevServer")
            .field("port", &self.port)
            .field("project", &self.project)
            .finish_non_exhaustive()
    }
}
