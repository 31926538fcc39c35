//! The handle of a running server: its addresses, its credentials and its controls.

use std::fmt;

use super::builder::InfisicalDevServerBuilder;
use super::database::{Database, HalfExpansion, new_id};
use super::limits::{Limiter, RateLimits};
use super::rows::Policy;
use super::seed::SecretSeed;
use crate::dev::{DevServerError, Fault, Hold, SeenRequest, Server, control_methods};

/// A running server. Dropping it stops it as well, without waiting.
pub struct InfisicalDevServer {
    pub(super) server: Server<Database>,
    pub(super) project: String,
    pub(super) identity: String,
}

control_methods!(InfisicalDevServer, "/api");

impl InfisicalDevServer {
    /// Starts a server of today with one project, `demo`, and one identity, `ci`, that may do everything in it.
    ///
    /// # Errors
    ///
    /// As [`InfisicalDevServerBuilder::start`].
    pub async fn start() -> Result<Self, DevServerError> {
        Self::builder().start().await
    }

    /// Configures a server before it starts.
    pub fn builder() -> InfisicalDevServerBuilder {
        InfisicalDevServerBuilder::default()
    }

    /// The id of the first project of the seed; empty when there is none.
    #[must_use]
    pub fn project_id(&self) -> &str {
        &self.project
    }

    /// The id of a project by its slug.
    #[must_use]
    pub fn project_id_of(&self, slug: &str) -> Option<String> {
        self.server.shared().state().project_by_slug(slug).map(|project| project.id.clone())
    }

    /// An access token of the first identity of the seed; empty when there is none.
    #[must_use]
    pub fn token(&self) -> &str {
        self.server.token(&self.identity).unwrap_or_default()
    }

    /// The token of an identity, a user or a service token by its name. An identity's has the limits of the seed, from the start
    /// on.
    #[must_use]
    pub fn token_for(&self, name: &str) -> Option<&str> {
        self.server.token(name)
    }

    /// The id of an identity by its name.
    #[must_use]
    pub fn identity_id(&self, name: &str) -> Option<String> {
        self.identity_part(name, |identity| identity.id.clone())
    }

    /// The client id of an identity by its name.
    #[must_use]
    pub fn client_id(&self, name: &str) -> Option<String> {
        self.identity_part(name, |identity| identity.client_id.clone())
    }

    /// The first client secret of an identity by its name.
    #[must_use]
    pub fn client_secret(&self, name: &str) -> Option<String> {
        self.identity_part(name, |identity| identity.secrets.first().map(|secret| secret.secret.clone())).flatten()
    }

    fn identity_part<T>(&self, name: &str, part: impl FnOnce(&super::rows::Identity) -> T) -> Option<T> {
        let database = self.server.shared().state();
        database.identities.iter().find(|identity| identity.name == name).map(part)
    }
}

/// Changes of the state by a test, past authentication and limits. A project is given by its slug or its id.
impl InfisicalDevServer {
    /// Adds a secret; one of the same name stays as well.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the project, its environment or the owner.
    pub fn add_secret(&self, project: &str, secret: SecretSeed) -> Result<(), DevServerError> {
        self.server.shared().change(|database| {
            let id = project_id(database, project)?;
            database.add_secret(&id, secret)
        })
    }

    /// Changes the value of the shared secrets of a name in a folder, and counts their versions up.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the project and for a name that is not there.
    pub fn set_value(
        &self,
        project: &str,
        environment: &str,
        path: &str,
        name: &str,
        value: &str,
    ) -> Result<(), DevServerError> {
        self.server.shared().change(|database| {
            let id = project_id(database, project)?;
            let location = super::database::Location { project: &id, environment, path };
            let folder = database.folder(location).map(|folder| folder.id.clone()).unwrap_or_default();
            let now = database.now();
            let mut found = false;
            for secret in database.secrets.iter_mut().filter(|secret| secret.folder == folder && secret.key == name) {
                let earlier = std::mem::replace(&mut secret.value, value.to_owned());
                secret.history.push((secret.version, earlier));
                secret.version += 1;
                secret.updated = now;
                found = true;
            }
            if found { Ok(()) } else { Err(DevServerError::unknown("secret", name)) }
        })
    }

    /// The value of the shared secret of a name in a folder.
    #[must_use]
    pub fn value(&self, project: &str, environment: &str, path: &str, name: &str) -> Option<String> {
        let database = self.server.shared().state();
        let id = project_id(&database, project).ok()?;
        let folder = database.folder(super::database::Location { project: &id, environment, path })?;
        database.shared_secret(&folder.id, name).map(|secret| secret.value.clone())
    }

    /// Lets an identity in only from these addresses and networks; from everywhere when there are none.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the identity.
    pub fn set_trusted_addresses<'a>(
        &self,
        identity: &str,
        addresses: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), DevServerError> {
        let addresses = addresses.into_iter().map(str::to_owned).collect();
        self.change_identity(identity, |identity| identity.addresses = addresses)
    }

    /// Revokes the client secrets of an identity. Its tokens stay good.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the identity.
    pub fn revoke_client_secrets(&self, identity: &str) -> Result<(), DevServerError> {
        self.change_identity(identity, |identity| {
            for secret in &mut identity.secrets {
                secret.is_revoked = true;
            }
        })
    }

    fn change_identity(
        &self,
        name: &str,
        change: impl FnOnce(&mut super::rows::Identity),
    ) -> Result<(), DevServerError> {
        self.server.shared().change(|database| {
            let found = database.identities.iter_mut().find(|identity| identity.name == name);
            found.map(change).ok_or_else(|| DevServerError::unknown("identity", name))
        })
    }

    /// Ends every token of an identity.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the identity.
    pub fn revoke_tokens(&self, identity: &str) -> Result<(), DevServerError> {
        let id = self.identity_id(identity).ok_or_else(|| DevServerError::unknown("identity", identity))?;
        self.server.shared().change(|database| {
            database.tokens.retain(|token| token.identity != id);
            Ok(())
        })
    }

    /// Sets the rate limits from now on. The windows begin anew.
    pub fn set_rate_limits(&self, limits: RateLimits) {
        self.server.shared().state().limiter = Limiter::new(limits);
    }

    /// Requires an approval for changes in a folder from now on.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the project.
    pub fn add_approval_policy(&self, project: &str, environment: &str, path: &str) -> Result<(), DevServerError> {
        self.server.shared().change(|database| {
            let id = project_id(database, project)?;
            let policy = Policy { id: new_id(), environment: environment.to_owned(), path: path.to_owned() };
            for project in database.projects.iter_mut().filter(|project| project.id == id) {
                project.policies.push(policy.clone());
            }
            Ok(())
        })
    }

    /// Sets which values lists leave half expanded from now on.
    pub fn set_half_expansion(&self, half_expansion: HalfExpansion) {
        self.server.shared().state().half_expansion = half_expansion;
    }

    /// How many streams of events are open.
    #[must_use]
    pub fn subscriptions(&self) -> usize {
        self.server.shared().state().subscriptions.len()
    }

    /// Sends a text over every stream of events as it is, whether or not it is an event.
    pub fn send_to_subscriptions(&self, text: &str) {
        self.server.shared().state().subscriptions.send(text);
    }

    /// Ends every stream of events.
    pub fn end_subscriptions(&self) {
        self.server.shared().state().subscriptions.end();
    }
}

fn project_id(database: &Database, project: &str) -> Result<String, DevServerError> {
    let found = database.project(project).or_else(|| database.project_by_slug(project));
    found.map(|project| project.id.clone()).ok_or_else(|| DevServerError::unknown("project", project))
}

impl fmt::Debug for InfisicalDevServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.server.show("InfisicalDevServer", formatter)
    }
}
