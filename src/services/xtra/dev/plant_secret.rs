//! Branches and secrets from a seed, at the start and later.

use super::crypto::Vault;
use super::error::DevServerError;
use super::secret::{BranchLink, FROM_CLI, Secret};
use super::seed::{Form, SecretSeed};
use super::state::{Branch, MAIN, Place, World};

/// What a running server can still be given.
impl World {
    pub(super) fn plant_branch(&mut self, project: &str, name: &str, id: Option<String>) {
        let id = id.unwrap_or_else(|| self.new_id());
        let Some(owner) = self.project(project).map(|project| project.owner.clone()) else {
            return;
        };
        let is_main = name == MAIN;
        let email = self.user(&owner).map(|user| user.email.clone());
        self.branches.push(Branch {
            id,
            name: name.to_owned(),
            description: if is_main { "Initial main branch".to_owned() } else { format!("{name} branch") },
            created_by: owner,
            project: project.to_owned(),
            version: "1".to_owned(),
            permissions: if is_main { email.into_iter().collect() } else { Vec::new() },
            created: self.now(),
        });
    }

    pub(super) fn plant_secret(&mut self, project: &str, owner: &str, seed: SecretSeed) -> Result<(), DevServerError> {
        if let Some(link) = &seed.link {
            let source = self.source_of(&link.project, &link.environment, &link.key)?;
            return self.plant_link(project, owner, &seed, source);
        }
        let name = seed.branch.as_deref().unwrap_or(MAIN);
        let branch = self.branch_named(project, name).map(|branch| branch.id.clone());
        let branch = branch.ok_or_else(|| DevServerError::unknown("branch", name))?;
        let stored = match seed.form {
            Form::Verbatim => Some(seed.value),
            Form::Encrypted => self.vault.seal(&seed.value),
            Form::Undecryptable => Vault::new().and_then(|lost| lost.seal(&seed.value)),
        };
        let place = Place { project: project.to_owned(), environment: seed.environment, branch, key: seed.key };
        self.insert_secret(place, stored.ok_or(DevServerError::Random)?, owner);
        if let Some(secret) = self.secrets.last_mut() {
            if let Some(id) = seed.id {
                secret.id = id;
            }
            if let Some(version) = seed.version {
                secret.version = version.to_string();
                for entry in &mut secret.history {
                    secret.version.clone_into(&mut entry.version);
                }
            }
            if seed.without_branch {
                secret.branch = BranchLink::Null;
            }
        }
        Ok(())
    }

    fn source_of(&self, project: &str, environment: &str, key: &str) -> Result<String, DevServerError> {
        let found = self.projects.iter().find(|found| found.name == project);
        let project = found.ok_or_else(|| DevServerError::unknown("project", project))?;
        let source = self.secrets.first(&project.id, environment, key);
        source.map(|secret| secret.id.clone()).ok_or_else(|| DevServerError::unknown("secret", key))
    }

    fn plant_link(
        &mut self,
        project: &str,
        owner: &str,
        seed: &SecretSeed,
        source: String,
    ) -> Result<(), DevServerError> {
        let id = seed.id.clone().unwrap_or_else(|| self.new_id());
        let place = Place {
            project: project.to_owned(),
            environment: seed.environment.clone(),
            branch: String::new(),
            key: seed.key.clone(),
        };
        let mut link = Secret::link(id, place, (self.now(), owner), source);
        FROM_CLI.clone_into(&mut link.description);
        link.version = seed.version.unwrap_or(1).to_string();
        self.secrets.push(link);
        Ok(())
    }
}
