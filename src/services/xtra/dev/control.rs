//! What a test does to a running server.

use std::collections::BTreeMap;
use std::time::Duration;

use super::crypto::fingerprint;
use super::error::DevServerError;
use super::faults::Fault;
use super::hold::Hold;
use super::journal::SeenRequest;
use super::secret::{BranchLink, Secret};
use super::state::{Branch, MAIN, Place, Project, World};
use super::{DevServer, SecretSeed};

/// Faults, holds and counts.
impl DevServer {
    /// Lets something go wrong; see [`Fault`].
    pub fn fault(&self, fault: Fault) {
        self.shared.script().add(fault);
    }

    /// Takes back all faults that have not happened.
    pub fn clear_faults(&self) {
        self.shared.script().clear();
    }

    /// How many faults wait, repeated ones counted once: 0 when the script is over. A fault on a route whose name is
    /// misspelt waits for ever.
    #[must_use]
    pub fn pending_faults(&self) -> usize {
        self.shared.script().len()
    }

    /// Holds the answers of a route back: a method and a path as in [`route`](crate::services::xtra::dev::route), or a path alone.
    pub fn hold(&self, route: impl Into<String>) -> Hold {
        let hold = Hold::new(route.into());
        self.shared.add_gate(hold.gate());
        hold
    }

    /// Holds the requests to a route back between their look at the database and their first write to it, so that a test can
    /// put another request in between: with two requests held there, each has seen what was before the other.
    ///
    /// The routes that look and then write have such a place: writes by environment, by key and by id, rollbacks, rotations,
    /// links, copies of environments, the writes to branches, decisions about requests for access and claims of links.
    /// A request that is refused, or that has nothing to write, passes. A client that gives up does not take its request
    /// back: it is written after the release.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use xtrasecurity::XtraClient;
    /// use xtrasecurity::dev_server::{DevServer, route};
    ///
    /// let server = DevServer::start().await?;
    /// let client = XtraClient::builder().dev_server(&server).build()?;
    /// let hold = server.hold_writes(route::SECRETS_UPSERT);
    /// let write = tokio::spawn(async move { client.set_secret("staging", "NEW", "ours").await });
    /// hold.waiting_for(1).await;
    /// server.set_secret("demo", "staging", "main", "NEW", "theirs")?;
    /// hold.release();
    /// let _ = write.await?;
    /// assert_eq!(server.secret_rows("demo", "staging", "main", "NEW"), 2);
    /// # server.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn hold_writes(&self, route: impl Into<String>) -> Hold {
        let hold = Hold::new(route.into());
        self.shared.add_write_gate(hold.gate());
        hold
    }

    /// How many requests a route has had since the start or the last [`reset_counts`](DevServer::reset_counts). A path
    /// alone counts every method; `GET *` counts those to no route.
    #[must_use]
    pub fn request_count(&self, route: &str) -> u64 {
        self.shared.journal().count(route)
    }

    /// How many requests each route has had.
    #[must_use]
    pub fn request_counts(&self) -> BTreeMap<String, u64> {
        self.shared.journal().counts()
    }

    /// How many requests there were.
    #[must_use]
    pub fn total_requests(&self) -> u64 {
        self.shared.journal().counts().values().sum()
    }

    /// The last requests to a route, the oldest first; the server keeps 512 in all.
    #[must_use]
    pub fn requests(&self, route: &str) -> Vec<SeenRequest> {
        self.shared.journal().requests(route)
    }

    /// Forgets the counts and the requests.
    pub fn reset_counts(&self) {
        self.shared.journal().reset();
    }

    /// Moves the server's clock: windows of rate limits end, tokens expire. Nothing sleeps.
    pub fn advance(&self, by: Duration) {
        // A file that cannot be written now is written with the next change.
        let _ = self.shared.change(|world| {
            world.clock.advance(by);
            Ok(())
        });
    }
}

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
        key: &str,
        value: &str,
    ) -> Result<(), DevServerError> {
        self.shared.change(|world| {
            let (found, on) = place(world, project, branch)?;
            let (project, owner, branch_id) = (found.id.clone(), found.owner.clone(), on.id.clone());
            let place = Place { project, environment: environment.to_owned(), branch: branch_id, key: key.to_owned() };
            world.write(place, branch == MAIN, value, &owner).map_err(|_| DevServerError::Random)
        })
    }

    /// Adds a secret of any form; one with the same key stays as well, and the later one wins on a read.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the project, the branch or the source of a link.
    pub fn add_secret(&self, project: &str, secret: SecretSeed) -> Result<(), DevServerError> {
        self.shared.change(|world| {
            let found = find_project(world, project)?;
            let (id, owner) = (found.id.clone(), found.owner.clone());
            world.plant_secret(&id, &owner, secret)
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
        key: &str,
    ) -> Result<bool, DevServerError> {
        self.shared.change(|world| {
            let (found, on) = place(world, project, branch)?;
            let (project, branch_id, on_main) = (found.id.clone(), on.id.clone(), branch == MAIN);
            let before = world.secrets.len();
            world.secrets.retain(|secret| !is_at(secret, &project, environment, &branch_id, on_main, key));
            Ok(world.secrets.len() < before)
        })
    }

    /// The value of a secret as an owner reads it.
    #[must_use]
    pub fn secret(&self, project: &str, environment: &str, branch: &str, key: &str) -> Option<String> {
        self.find(project, environment, branch, key, |world, secret| world.plaintext(secret)).flatten()
    }

    /// The version of a secret.
    #[must_use]
    pub fn secret_version(&self, project: &str, environment: &str, branch: &str, key: &str) -> Option<String> {
        self.find(project, environment, branch, key, |_, secret| secret.version.clone())
    }

    /// How many rows there are of one name: more than one after a create of a name that exists, and after first writes of
    /// it at once. 0 for a project, a branch or a name that does not exist.
    #[must_use]
    pub fn secret_rows(&self, project: &str, environment: &str, branch: &str, key: &str) -> usize {
        let world = self.shared.world();
        let Ok((project, on)) = place(&world, project, branch) else {
            return 0;
        };
        let rows = world.secrets.with_key(key);
        rows.filter(|secret| is_at(secret, &project.id, environment, &on.id, branch == MAIN, key)).count()
    }

    /// Adds a branch to a project.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the project, [`DevServerError::Duplicate`] for the branch.
    pub fn add_branch(&self, project: &str, name: &str) -> Result<(), DevServerError> {
        self.shared.change(|world| {
            let id = find_project(world, project)?.id.clone();
            if world.branch_named(&id, name).is_some() {
                return Err(DevServerError::Duplicate { what: "branch", name: name.to_owned() });
            }
            world.plant_branch(&id, name, None);
            Ok(())
        })
    }

    /// Gives a branch another name: to its old name it looks deleted.
    ///
    /// # Errors
    ///
    /// [`DevServerError::Unknown`] for the project or the branch.
    pub fn rename_branch(&self, project: &str, name: &str, new_name: &str) -> Result<(), DevServerError> {
        self.shared.change(|world| {
            let id = place(world, project, name)?.1.id.clone();
            for branch in world.branches.iter_mut().filter(|branch| branch.id == id) {
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
        let _ = self.shared.change(|world| {
            let before = world.tokens.len();
            world.tokens.retain(|token| token.fingerprint != fingerprint);
            revoked = world.tokens.len() < before;
            Ok(())
        });
        revoked
    }

    fn change(&self, project: &str, change: impl FnOnce(&mut Project)) -> Result<(), DevServerError> {
        self.shared.change(|world| {
            let id = find_project(world, project)?.id.clone();
            if let Some(project) = world.projects.iter_mut().find(|project| project.id == id) {
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
        key: &str,
        of: impl FnOnce(&World, &Secret) -> T,
    ) -> Option<T> {
        let world = self.shared.world();
        let (project, on) = place(&world, project, branch).ok()?;
        let mut secrets = world.secrets.with_key(key).rev();
        let secret = secrets.find(|secret| is_at(secret, &project.id, environment, &on.id, branch == MAIN, key))?;
        Some(of(&world, secret))
    }
}

fn find_project<'a>(world: &'a World, project: &str) -> Result<&'a Project, DevServerError> {
    let mut projects = world.projects.iter();
    let found = projects.find(|known| known.id == project || known.name == project);
    found.ok_or_else(|| DevServerError::unknown("project", project))
}

fn place<'a>(world: &'a World, project: &str, branch: &str) -> Result<(&'a Project, &'a Branch), DevServerError> {
    let found = find_project(world, project)?;
    let branch = world.branch_named(&found.id, branch).ok_or_else(|| DevServerError::unknown("branch", branch))?;
    Ok((found, branch))
}

fn is_at(secret: &Secret, project: &str, environment: &str, branch: &str, on_main: bool, key: &str) -> bool {
    let here = match &secret.branch {
        BranchLink::Branch(id) => id == branch,
        BranchLink::Null | BranchLink::Unset => on_main,
    };
    here && secret.project == project && secret.environment == environment && secret.key == key
}
