//! The builder of a server: its generation, its seed and its limits.

use std::time::Duration;

use super::build_state::build_state;
use super::database::HalfExpansion;
use super::generation::Generation;
use super::limits::{Limiter, RateLimits};
use super::seed::{IdentitySeed, ProjectSeed, Seed, ServiceTokenSeed};
use super::server::InfisicalDevServer;
use crate::dev::{DevServerError, Server};

/// The service closes a connection that has been idle for so long.
const KEEP_ALIVE: Duration = Duration::from_secs(72);

/// Says what an [`InfisicalDevServer`] starts with. Nothing said is one project, `demo`, and one identity, `ci`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use xtrasecurity::infisical::dev::{Generation, IdentitySeed, InfisicalDevServer, ProjectSeed, Role, SecretSeed};
///
/// let server = InfisicalDevServer::builder()
///     .generation(Generation::October2024)
///     .identity(IdentitySeed::new("ci"))
///     .project(
///         ProjectSeed::new("web")
///             .member("ci", Role::Viewer)
///             .secret(SecretSeed::new("prod", "API_KEY", "k-1").path("/app")),
///     )
///     .start()
///     .await?;
/// assert!(server.client_secret("ci").is_some());
/// # server.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until it is started"]
pub struct InfisicalDevServerBuilder {
    generation: Generation,
    seed: Seed,
    limits: RateLimits,
    half_expansion: HalfExpansion,
    lacks_events: bool,
    keep_alive: Option<Duration>,
}

impl InfisicalDevServerBuilder {
    /// Sets the age of the service; today's when left out.
    pub fn generation(mut self, generation: Generation) -> Self {
        self.generation = generation;
        self
    }

    /// Adds a project.
    pub fn project(mut self, project: ProjectSeed) -> Self {
        self.seed.projects.push(project);
        self
    }

    /// Adds a machine identity.
    pub fn identity(mut self, identity: IdentitySeed) -> Self {
        self.seed.identities.push(identity);
        self
    }

    /// Adds a user, by name.
    pub fn user(mut self, name: &str) -> Self {
        self.seed.users.push(name.to_owned());
        self
    }

    /// Adds a service token.
    pub fn service_token(mut self, token: ServiceTokenSeed) -> Self {
        self.seed.service_tokens.push(token);
        self
    }

    /// Sets the rate limits; none when left out.
    pub fn rate_limits(mut self, limits: RateLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets which values lists leave half expanded; none when left out. The server of October 2024 did so by chance.
    pub fn half_expansion(mut self, half_expansion: HalfExpansion) -> Self {
        self.half_expansion = half_expansion;
        self
    }

    /// Refuses subscriptions to events, as a server without the licence for them does.
    pub fn without_events(mut self) -> Self {
        self.lacks_events = true;
        self
    }

    /// Sets how long a connection may be idle before the server closes it; 72 s, as the service does, when left out.
    pub fn keep_alive(mut self, keep_alive: Duration) -> Self {
        self.keep_alive = Some(keep_alive);
        self
    }

    /// Starts the server on a free loopback port, as a task of the current tokio runtime. It starts no thread.
    ///
    /// # Errors
    ///
    /// Outside a runtime, when no port is free, and when the seed contradicts itself.
    pub async fn start(self) -> Result<InfisicalDevServer, DevServerError> {
        let is_unseeded = self.seed.projects.is_empty() && self.seed.identities.is_empty();
        let seed = if is_unseeded { Seed::demo() } else { self.seed };
        let identity = seed.identities.first().map(|identity| identity.name.clone()).unwrap_or_default();
        let seeded = || {
            let mut seeded = build_state(seed, self.generation)?;
            seeded.state.limiter = Limiter::new(self.limits);
            seeded.state.half_expansion = self.half_expansion;
            seeded.state.has_events = !self.lacks_events;
            Ok(seeded)
        };
        let server = Server::start_in_memory(self.keep_alive.unwrap_or(KEEP_ALIVE), seeded).await?;
        let project = server.shared().state().projects.first().map(|project| project.id.clone()).unwrap_or_default();
        Ok(InfisicalDevServer { server, project, identity })
    }
}
