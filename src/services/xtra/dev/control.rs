//! Changes of a running server's state by a test, past authentication and limits.

use super::crypto::fingerprint;
use super::database::{Database, MAIN};
use super::rows::{Branch, Project};
use super::secret::{BranchLink, Secret, SecretLocation};
use super::{DevServer, DevServerError, Fault, Hold, SecretSeed, SeenRequest};
use crate::dev::control_methods;

control_methods!(DevServer, "/api");

/// Changes of the state, past authentication and limits. A project is given by its name or its id. A server that keeps its
/// state in a file writes it after each, and those that fail then tell so ([`DevServerError::StateFile`]).
impl DevServer {
    /// Creates or updates a secret, as a write over HTTP does.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the project or the branch.
    pub fn set_secret(
        &self,
        project: &str,
        environment: &str,
        branch: &str,
        name: &str,
        value: &str,
    ) -> Result<(), DevServerError> {
        self.server.shared().change(|database| {
            let (found, on) = find_branch(database, project, branch)?;
            let (project, owner, branch_id) = (found.id.clone(), found.owner.clone(), on.id.clone());
            let location = SecretLocation {
                project,
                environment: environment.to_owned(),
                branch: branch_id,
                key: name.to_owned(),
            };
            database.write(location, branch == MAIN, value, &owner).map_err(|_| DevServerError::Random)
        })
    }

    /// Adds a secret of any form; one with the same name stays as well, and the later one wins on a read.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the project, the branch or the source of a link.
    pub fn add_secret(&self, project: &str, secret: SecretSeed) -> Result<(), DevServerError> {
        self.server.shared().change(|database| {
            let found = find_project(database, project)?;
            let (id, owner) = (found.id.clone(), found.owner.clone());
            database.add_secret(&id, &owner, secret)
        })
    }

    /// Removes a secret; false when there was none.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the project or the branch.
    pub fn remove_secret(
        &self,
        project: &str,
        environment: &str,
        branch: &str,
        name: &str,
    ) -> Result<bool, DevServerError> {
        self.server.shared().change(|database| {
            let (found, on) = find_branch(database, project, branch)?;
            let (project, branch_id, on_main) = (found.id.clone(), on.id.clone(), branch == MAIN);
            let before = database.secrets.len();
            database.secrets.retain(|secret| !is_at(secret, &project, environment, &branch_id, on_main, name));
            Ok(database.secrets.len() < before)
        })
    }

    /// The value of a secret as an owner reads it.
    #[must_use]
    pub fn secret(&self, project: &str, environment: &str, branch: &str, name: &str) -> Option<String> {
        self.find(project, environment, branch, name, |database, secret| database.plaintext(secret)).flatten()
    }

    /// The version of a secret.
    #[must_use]
    pub fn secret_version(&self, project: &str, environment: &str, branch: &str, name: &str) -> Option<String> {
        self.find(project, environment, branch, name, |_, secret| secret.version.clone())
    }

    /// How many rows there are of one name: more than one after a create of a name that exists, and after first writes of
    /// it at once. 0 for a project, a branch or a name that does not exist.
    #[must_use]
    pub fn secret_rows(&self, project: &str, environment: &str, branch: &str, name: &str) -> usize {
        let database = self.server.shared().state();
        let Ok((project, on)) = find_branch(&database, project, branch) else {
            return 0;
        };
        let rows = database.secrets.with_key(name);
        rows.filter(|secret| is_at(secret, &project.id, environment, &on.id, branch == MAIN, name)).count()
    }

    /// Adds a branch to a project.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the project, [`DevServerError::Duplicate`] for the branch.
    pub fn add_branch(&self, project: &str, name: &str) -> Result<(), DevServerError> {
        self.server.shared().change(|database| {
            let id = find_project(database, project)?.id.clone();
            if database.branch_named(&id, name).is_some() {
                return Err(DevServerError::Duplicate { what: "branch", name: name.to_owned() });
            }
            database.add_branch(&id, name, None);
            Ok(())
        })
    }

    /// Gives a branch another name: to its old name it looks deleted.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the project or the branch.
    pub fn rename_branch(&self, project: &str, name: &str, new_name: &str) -> Result<(), DevServerError> {
        self.server.shared().change(|database| {
            let id = find_branch(database, project, name)?.1.id.clone();
            for branch in database.branches.iter_mut().filter(|branch| branch.id == id) {
                new_name.clone_into(&mut branch.name);
            }
            Ok(())
        })
    }

    /// Blocks a project, or unblocks it.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the project.
    pub fn set_blocked(&self, project: &str, blocked: bool) -> Result<(), DevServerError> {
        self.change(project, |project| project.blocked = blocked)
    }

    /// Requires a second factor, or no longer.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the project.
    pub fn set_two_factor_required(&self, project: &str, required: bool) -> Result<(), DevServerError> {
        self.change(project, |project| project.two_factor = required)
    }

    /// Sets the addresses that a project lets in; none means everyone.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the project.
    pub fn set_allowed_ips<'a>(
        &self,
        project: &str,
        ips: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), DevServerError> {
        let ips = ips.into_iter().map(|ip| ip.to_owned().into()).collect();
        self.change(project, |project| project.allowed_ips = ips)
    }

    /// Revokes a token; false when it was none.
    #[must_use = "a token that is unknown is not revoked"]
    pub fn revoke_token(&self, token: &str) -> bool {
        let fingerprint = fingerprint(token);
        let mut revoked = false;
        // A file that cannot be written now is written with the next change.
        let _ = self.server.shared().change(|database| {
            let before = database.tokens.len();
            database.tokens.retain(|token| token.fingerprint != fingerprint);
            revoked = database.tokens.len() < before;
            Ok(())
        });
        revoked
    }

    fn change(&self, project: &str, change: impl FnOnce(&mut Project)) -> Result<(), DevServerError> {
        self.server.shared().change(|database| {
            let id = find_project(database, project)?.id.clone();
            if let Some(project) = database.projects.iter_mut().find(|project| project.id == id) {
                change(project);
            }
            Ok(())
        })
    }

    fn find<T>(
        &self,
        project: &str,
        environment: &str,
        branch: &str,
        name: &str,
        of: impl FnOnce(&Database, &Secret) -> T,
    ) -> Option<T> {
        let database = self.server.shared().state();
        let (project, on) = find_branch(&database, project, branch).ok()?;
        let mut secrets = database.secrets.with_key(name).rev();
        let secret = secrets.find(|secret| is_at(secret, &project.id, environment, &on.id, branch == MAIN, name))?;
        Some(of(&database, secret))
    }
}

fn find_project<'a>(database: &'a Database, project: &str) -> Result<&'a Project, DevServerError> {
    let mut projects = database.projects.iter();
    let found = projects.find(|known| known.id == project || known.name == project);
    found.ok_or_else(|| DevServerError::unknown("project", project))
}

fn find_branch<'a>(
    database: &'a Database,
    project: &str,
    branch: &str,
) -> Result<(&'a Project, &'a Branch), DevServerError> {
    let found = find_project(database, project)?;
    let branch = database.branch_named(&found.id, branch).ok_or_else(|| DevServerError::unknown("branch", branch))?;
    Ok((found, branch))
}

fn is_at(secret: &Secret, project: &str, environment: &str, branch: &str, on_main: bool, name: &str) -> bool {
    let here = match &secret.branch {
        BranchLink::Branch(id) => id == branch,
        BranchLink::Null | BranchLink::Unset => on_main,
    };
    here && secret.project == project && secret.environment == environment && secret.key == name
}
