//! The seed: what a server starts with.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::database::{Agent, Caller, Database, Environment, Project, Role};
use super::server::SecrDevServer;
use crate::core::SecretValue;
use crate::dev::javascript::random_uuid;
use crate::dev::{DevServerError, Seeded, Server};

/// How long a connection may be idle. The vendor does not say.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// The environments of a new project.
const ENVIRONMENTS: [&str; 3] = ["development", "staging", "production"];

/// A user, or an agent, with its token.
#[derive(Clone)]
#[must_use = "a seed does nothing until it is given to a builder"]
pub struct CallerSeed {
    name: String,
    token: Option<SecretValue>,
    role: Role,
    agent: Option<Agent>,
}

impl CallerSeed {
    /// A user with a command's token, an [`Admin`](Role::Admin) of every project.
    pub fn new(name: &str) -> Self {
        CallerSeed { name: name.to_owned(), token: None, role: Role::default(), agent: None }
    }

    /// An agent that reads one environment of one project, and nothing else.
    pub fn agent(name: &str, org: &str, project: &str, environment: &str) -> Self {
        let [org, project, environment] = [org, project, environment].map(str::to_owned);
        let agent = Some(Agent { org, project, environment, keys: None });
        CallerSeed { agent, role: Role::Viewer, ..CallerSeed::new(name) }
    }

    /// Sets the role.
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// Keeps an agent to these keys: it sees no others. A user is kept to none.
    pub fn keys<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        if let Some(agent) = &mut self.agent {
            agent.keys = Some(keys.into_iter().map(Into::into).collect());
        }
        self
    }

    /// Sets the token; a random one when left out.
    pub fn token(mut self, token: impl Into<SecretValue>) -> Self {
        self.token = Some(token.into());
        self
    }

    fn build(self) -> Caller {
        let prefix = if self.agent.is_some() { "secr_agent_" } else { "secr_cli_" };
        let random = || format!("{prefix}{}", random_uuid().replace('-', ""));
        let token = self.token.map_or_else(random, |token| token.expose().to_owned());
        Caller { id: random_uuid(), name: self.name, token, role: self.role, agent: self.agent }
    }
}

impl fmt::Debug for CallerSeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CallerSeed").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

/// A project of an organisation, with the environments `development`, `staging` and `production`.
#[derive(Clone)]
#[must_use = "a seed does nothing until it is given to a builder"]
pub struct ProjectSeed {
    org: String,
    slug: String,
    environments: Vec<String>,
    secrets: Vec<(String, String, SecretValue)>,
}

impl ProjectSeed {
    /// A project by the slugs of its organisation and its own.
    pub fn new(org: &str, slug: &str) -> Self {
        let environments = ENVIRONMENTS.map(str::to_owned).into();
        ProjectSeed { org: org.to_owned(), slug: slug.to_owned(), environments, secrets: Vec::new() }
    }

    /// Adds an environment.
    pub fn environment(mut self, name: &str) -> Self {
        self.environments.push(name.to_owned());
        self
    }

    /// Adds a secret. Its environment is added when it is not there.
    pub fn secret(mut self, environment: &str, key: &str, value: impl Into<SecretValue>) -> Self {
        self.secrets.push((environment.to_owned(), key.to_owned(), value.into()));
        self
    }

    fn build(self, database: &Database) -> Project {
        let mut environments: BTreeMap<String, _> =
            self.environments.into_iter().map(|name| (name, Environment::default())).collect();
        for (environment, key, value) in self.secrets {
            environments.entry(environment).or_default().set(&key, value.expose(), database.now());
        }
        Project { id: random_uuid(), org: self.org, slug: self.slug, environments, templates: BTreeMap::new() }
    }
}

impl fmt::Debug for ProjectSeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ProjectSeed")
            .field("org", &self.org)
            .field("slug", &self.slug)
            .field("secrets", &self.secrets.len())
            .finish_non_exhaustive()
    }
}

/// Says what a [`SecrDevServer`] starts with. Nothing said is the project `web` of `acme`, and one user, `ci`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use xtrasecurity::secr::dev::{CallerSeed, ProjectSeed, SecrDevServer};
///
/// let server = SecrDevServer::builder()
///     .project(ProjectSeed::new("acme", "shop").secret("production", "API_KEY", "k-1"))
///     .caller(CallerSeed::agent("bot", "acme", "shop", "production").keys(["API_KEY"]))
///     .start()
///     .await?;
/// assert!(server.token().starts_with("secr_agent_"));
/// # server.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until it is started"]
pub struct SecrDevServerBuilder {
    projects: Vec<ProjectSeed>,
    callers: Vec<CallerSeed>,
}

impl SecrDevServerBuilder {
    /// Adds a project.
    pub fn project(mut self, project: ProjectSeed) -> Self {
        self.projects.push(project);
        self
    }

    /// Adds a user or an agent.
    pub fn caller(mut self, caller: CallerSeed) -> Self {
        self.callers.push(caller);
        self
    }

    /// Starts the server on a free loopback port, as a task of the current tokio runtime. It starts no thread.
    ///
    /// # Errors
    ///
    /// Outside a runtime, when no port is free, and when two projects or callers have one name.
    pub async fn start(mut self) -> Result<SecrDevServer, DevServerError> {
        if self.projects.is_empty() {
            self.projects.push(ProjectSeed::new("acme", "web"));
        }
        if self.callers.is_empty() {
            self.callers.push(CallerSeed::new("ci"));
        }
        let server = Server::start_in_memory(KEEP_ALIVE, || self.seeded()).await?;
        let token = server.shared().state().callers.first().map(|caller| caller.token.clone()).unwrap_or_default();
        Ok(SecrDevServer { server, token })
    }

    fn seeded(self) -> Result<Seeded<Database>, DevServerError> {
        let mut state = Database::default();
        for seed in self.projects {
            if state.project(&seed.org, &seed.slug).is_some() {
                return Err(DevServerError::Duplicate { what: "project", name: seed.slug });
            }
            state.projects.push(seed.build(&state));
        }
        for seed in self.callers {
            let caller = seed.build();
            if state.callers.iter().any(|known| known.name == caller.name || known.token == caller.token) {
                return Err(DevServerError::Duplicate { what: "caller", name: caller.name });
            }
            state.callers.push(caller);
        }
        let tokens = state.callers.iter().map(|caller| (caller.name.clone(), caller.token.clone())).collect();
        Ok(Seeded { state, tokens })
    }
}
