//! The builder of a server: its seed, limits, latency and state file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::DevServer;
use super::build_state::build_state;
use super::database::Database;
use super::limits::{Limiter, RateLimits};
use super::seed::{ProjectSeed, Seed, TokenSeed, UserSeed, WorkspaceSeed};
use crate::dev::{DevServerError, Seeded, Server, Settings};

/// The service closes a connection that has been idle for so long.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Says what a [`DevServer`] starts with. Nothing said is [`Seed::demo`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use xtrasecurity::dev_server::{DevServer, ProjectSeed, RateLimits, Role, UserSeed};
///
/// let server = DevServer::builder()
///     .user(UserSeed::new("vic"))
///     .project(ProjectSeed::new("web").member("vic", Role::Viewer).secret("production", "API_KEY", "k-1"))
///     .rate_limits(RateLimits::off())
///     .start()
///     .await?;
/// assert!(server.token_for("vic").is_some());
/// # server.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until it is started"]
pub struct DevServerBuilder {
    seed: Seed,
    files: Vec<PathBuf>,
    limits: RateLimits,
    keep_alive: Option<Duration>,
    database_latency: Option<Duration>,
    state: Option<PathBuf>,
}

impl DevServerBuilder {
    /// Adds everything in a seed.
    pub fn seed(mut self, seed: Seed) -> Self {
        self.seed.append(seed);
        self
    }

    /// Adds everything in a JSON file, read when the server starts; [`Seed`] tells its form. Files come after what is said
    /// in code.
    pub fn seed_file(mut self, path: impl AsRef<Path>) -> Self {
        self.files.push(path.as_ref().to_owned());
        self
    }

    /// Adds a user.
    pub fn user(mut self, user: UserSeed) -> Self {
        self.seed.users.push(user);
        self
    }

    /// Adds a workspace.
    pub fn workspace(mut self, workspace: WorkspaceSeed) -> Self {
        self.seed.workspaces.push(workspace);
        self
    }

    /// Adds a project.
    pub fn project(mut self, project: ProjectSeed) -> Self {
        self.seed.projects.push(project);
        self
    }

    /// Adds a token.
    pub fn token(mut self, token: TokenSeed) -> Self {
        self.seed.tokens.push(token);
        self
    }

    /// Sets the rate limits; the service's own when left out.
    pub fn rate_limits(mut self, limits: RateLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how long a connection may be idle before the server closes it; 5 s, as the service does, when left out.
    pub fn keep_alive(mut self, keep_alive: Duration) -> Self {
        self.keep_alive = Some(keep_alive);
        self
    }

    /// Sets how long each call of a handler to the database takes. The service makes several for a request: to find who
    /// calls, to look for the row, to write it. Other requests go on meanwhile, so two that look before either of them
    /// writes get in each other's way: with 3 ms nearly every pair of first writes of one name that are sent at once makes
    /// two rows, of which writes change the first and reads see the last. With [`Duration::ZERO`] a call takes no time, and
    /// others go on between two of them all the same.
    ///
    /// When left out, a handler makes all its calls at once, so that a test does not depend on what else is going on.
    /// [`DevServer::hold_writes`] puts other requests in between there too.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use xtrasecurity::dev_server::DevServer;
    ///
    /// let server = DevServer::builder().database_latency(Duration::from_millis(3)).start().await?;
    /// # server.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn database_latency(mut self, latency: Duration) -> Self {
        self.database_latency = Some(latency);
        self
    }

    /// Keeps the state in a file: users, tokens, projects, branches, secrets with their history, service accounts, requests
    /// for access. A server that is stopped or killed and started again with the same file goes on where it was, and the same
    /// tokens work. Without this the state ends with the server.
    ///
    /// When the file is there, it is the state, and the seed is ignored; else the seed is, and the file is created. It is
    /// written after every change, as a whole and in one step, before the change is answered: what was answered is in it. A
    /// change that cannot be written is answered with 500. On Unix the file is its owner's alone. What has been spent of rate
    /// limits, faults, holds and counts are not kept. Two servers at a time must not have the same file: neither sees what the
    /// other changes.
    ///
    /// For development only: the file holds the tokens and, beside the encrypted values, their key.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use xtrasecurity::dev_server::DevServer;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("dev-server.json");
    /// let server = DevServer::builder().persist(&path).start().await?;
    /// server.set_secret("demo", "production", "main", "API_KEY", "kept")?;
    /// server.stop().await;
    ///
    /// let again = DevServer::builder().persist(&path).start().await?;
    /// assert_eq!(again.secret("demo", "production", "main", "API_KEY").as_deref(), Some("kept"));
    /// # again.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn persist(mut self, path: impl AsRef<Path>) -> Self {
        self.state = Some(path.as_ref().to_owned());
        self
    }

    /// Starts the server on a free loopback port, as a task of the current tokio runtime. It starts no thread. The runtime
    /// needs its I/O and time drivers, which `#[tokio::main]` and `#[tokio::test]` turn on.
    ///
    /// # Errors
    ///
    /// Outside a runtime, when no port is free, when a seed file cannot be read, when the seed contradicts itself, and when
    /// the file of [`persist`](DevServerBuilder::persist) cannot be read or written.
    pub async fn start(self) -> Result<DevServer, DevServerError> {
        let settings = Settings {
            keep_alive: self.keep_alive.unwrap_or(KEEP_ALIVE),
            database_latency: self.database_latency,
            state_file: self.state.clone(),
        };
        let limits = self.limits.clone();
        let saved = |mut saved: Seeded<Database>| {
            saved.state.limiter = Limiter::new(limits);
            saved
        };
        Server::start(settings, saved, || self.seeded()).await.map(DevServer::new)
    }

    /// The database of the seeds, or of the demo.
    fn seeded(self) -> Result<Seeded<Database>, DevServerError> {
        let mut seed = self.seed;
        for file in &self.files {
            seed.append(Seed::from_file(file)?);
        }
        if seed.projects.is_empty() && seed.users.is_empty() && self.files.is_empty() {
            seed = Seed::demo();
        }
        build_state(seed, self.limits)
    }
}
