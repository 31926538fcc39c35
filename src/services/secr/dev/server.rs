//! The handle of a running server: its credentials and its controls.

use std::fmt;

use super::database::{Database, Environment};
use super::seed::SecrDevServerBuilder;
use crate::dev::{DevServerError, Fault, Hold, SeenRequest, Server, control_methods};

/// A running server. Dropping it stops it as well, without waiting.
pub struct SecrDevServer {
    pub(super) server: Server<Database>,
    /// The first caller's.
    pub(super) token: String,
}

control_methods!(SecrDevServer, "");

impl SecrDevServer {
    /// Starts a server with the project `web` of `acme`, which has no secrets, and one user, `ci`.
    ///
    /// # Errors
    ///
    /// As [`SecrDevServerBuilder::start`].
    pub async fn start() -> Result<Self, DevServerError> {
        Self::builder().start().await
    }

    /// Configures a server before it starts.
    pub fn builder() -> SecrDevServerBuilder {
        SecrDevServerBuilder::default()
    }

    /// The token of the first caller of the seed.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The token of a user or an agent by its name.
    #[must_use]
    pub fn token_for(&self, name: &str) -> Option<&str> {
        self.server.token(name)
    }
}

/// Changes of the state by a test, past authentication. Organisation and project are given by their slugs.
impl SecrDevServer {
    /// Adds an environment to a project; one that is there stays as it is.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the project.
    pub fn add_environment(&self, org: &str, project: &str, environment: &str) -> Result<(), DevServerError> {
        self.server.shared().change(|database| {
            let found = database.projects.iter_mut().find(|known| known.org == org && known.slug == project);
            let found = found.ok_or_else(|| DevServerError::unknown("project", project))?;
            found.environments.entry(environment.to_owned()).or_default();
            Ok(())
        })
    }

    /// Sets a secret, as a write over HTTP does.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the project or the environment.
    pub fn set_secret(
        &self,
        org: &str,
        project: &str,
        environment: &str,
        key: &str,
        value: &str,
    ) -> Result<(), DevServerError> {
        self.change(org, project, environment, |found, now| {
            found.set(key, value, now);
        })
    }

    /// Deletes a secret; false when there was none.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the project or the environment.
    pub fn remove_secret(
        &self,
        org: &str,
        project: &str,
        environment: &str,
        key: &str,
    ) -> Result<bool, DevServerError> {
        self.change(org, project, environment, |found, _| found.remove(key))
    }

    /// The value of a secret.
    #[must_use]
    pub fn secret(&self, org: &str, project: &str, environment: &str, key: &str) -> Option<String> {
        self.change(org, project, environment, |found, _| found.value(key).map(str::to_owned)).ok().flatten()
    }

    /// The keys of an environment, in order.
    #[must_use]
    pub fn keys(&self, org: &str, project: &str, environment: &str) -> Vec<String> {
        let keys = |found: &mut Environment| found.secrets().map(|(key, ..)| key.to_owned()).collect();
        self.change(org, project, environment, |found, _| keys(found)).unwrap_or_default()
    }

    fn change<T>(
        &self,
        org: &str,
        project: &str,
        environment: &str,
        change: impl FnOnce(&mut Environment, crate::dev::Millis) -> T,
    ) -> Result<T, DevServerError> {
        self.server.shared().change(|database| {
            let now = database.now();
            database.environment(org, project, environment).map(|found| change(found, now))
        })
    }

    /// Has lists come in pages of this size at the most, also when they were not asked for. Whether the service does so is not
    /// documented; a server that was not told gives all.
    pub fn set_page_size(&self, secrets: Option<usize>) {
        self.server.shared().state().page_size = secrets;
    }

    /// Has templates come as an object with a list, in place of the list. Which of them the service gives is not documented.
    pub fn set_wrapped_templates(&self, on: bool) {
        self.server.shared().state().wraps_templates = on;
    }
}

impl fmt::Debug for SecrDevServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.server.show("SecrDevServer", formatter)
    }
}
