//! The database of a seed, and the branches and secrets that a running server can still be given.

use std::collections::BTreeMap;
use std::time::Duration;

use super::crypto::{Vault, fingerprint};
use super::database::{Database, Ids, MAIN};
use super::limits::{Limiter, RateLimits};
use super::rows::{
    APPROVED, AccessRequest, Account, Branch, Elevation, Holder, Project, Team, TeamProject, User, Workspace,
};
use super::secret::{BranchLink, FROM_CLI, Secret, SecretLocation, Secrets};
use super::seed::{Form, GrantSeed, ProjectSeed, Role, SecretSeed, Seed, ServiceAccountSeed, TokenSeed, UserSeed};
use crate::dev::{Clock, DevServerError, Millis, Seeded};

/// The user that projects without an owner belong to.
const OWNER: &str = "owner";

/// The database of a seed, and the tokens of its users and service accounts by name.
pub(super) fn build_state(seed: Seed, limits: RateLimits) -> Result<Seeded<Database>, DevServerError> {
    let vault = Vault::new().ok_or(DevServerError::Random)?;
    let database = Database {
        vault,
        clock: Clock::default(),
        limiter: Limiter::new(limits),
        ids: Ids::new(),
        users: Vec::new(),
        workspaces: Vec::new(),
        teams: Vec::new(),
        team_projects: Vec::new(),
        projects: Vec::new(),
        branches: Vec::new(),
        secrets: Secrets::default(),
        accounts: Vec::new(),
        tokens: Vec::new(),
        elevations: Vec::new(),
        requests: Vec::new(),
        links: Vec::new(),
        shares: Vec::new(),
        emergencies: Vec::new(),
        webhooks: Vec::new(),
        notifications: Vec::new(),
        rules: Vec::new(),
        channels: Vec::new(),
    };
    let mut builder = StateBuilder { database, tokens: BTreeMap::new() };
    for user in seed.users {
        builder.user(user)?;
    }
    for workspace in seed.workspaces {
        let owner = builder.owner(workspace.owner.as_deref())?;
        let id = builder.id(workspace.id);
        let created = builder.database.now();
        builder.database.workspaces.push(Workspace { id, name: workspace.name, owner, created });
    }
    for project in seed.projects {
        builder.project(project)?;
    }
    for token in seed.tokens {
        builder.extra_token(token)?;
    }
    Ok(Seeded { state: builder.database, tokens: builder.tokens })
}

/// A database that is being built, and the tokens given so far.
struct StateBuilder {
    database: Database,
    tokens: BTreeMap<String, String>,
}

impl StateBuilder {
    fn id(&mut self, given: Option<String>) -> String {
        given.unwrap_or_else(|| self.database.new_id())
    }

    fn user(&mut self, seed: UserSeed) -> Result<(), DevServerError> {
        let id = self.id(seed.id);
        let token = seed.token.unwrap_or_else(|| made_token("xs_", &seed.name, 48));
        self.give_token(&seed.name, token, Holder::User(id.clone()))?;
        self.database.users.push(User {
            id,
            email: seed.email.unwrap_or_else(|| format!("{}@example.test", seed.name)),
            display_name: capitalized(&seed.name),
            name: seed.name,
            tier: seed.tier,
            mfa: seed.mfa,
        });
        Ok(())
    }

    /// Every holder has one token that the server tells by name.
    fn give_token(&mut self, name: &str, token: String, holder: Holder) -> Result<(), DevServerError> {
        let taken = DevServerError::Duplicate { what: "user or service account", name: name.to_owned() };
        if self.tokens.contains_key(name) {
            return Err(taken);
        }
        self.add_token(name, &token, holder, None)?;
        self.tokens.insert(name.to_owned(), token);
        Ok(())
    }

    fn add_token(
        &mut self,
        name: &str,
        token: &str,
        holder: Holder,
        expires: Option<Millis>,
    ) -> Result<(), DevServerError> {
        if self.database.token(token).is_some() {
            return Err(DevServerError::Duplicate { what: "token of", name: name.to_owned() });
        }
        self.database.add_token(token, holder, name, expires);
        Ok(())
    }

    fn extra_token(&mut self, seed: TokenSeed) -> Result<(), DevServerError> {
        let user = self.database.users.iter().find(|user| user.name == seed.holder);
        let account = self.database.accounts.iter().find(|account| account.name == seed.holder);
        let holder = user
            .map(|user| Holder::User(user.id.clone()))
            .or_else(|| account.map(|account| Holder::Account(account.id.clone())))
            .ok_or_else(|| DevServerError::unknown("user or service account", &seed.holder))?;
        let now = self.database.now();
        let expires = match (seed.expired, seed.expires_in) {
            (true, _) => Some(Millis(now.0.saturating_sub(1))),
            (false, seconds) => seconds.map(|seconds| now.plus(Duration::from_secs(seconds))),
        };
        self.add_token(&seed.holder, &seed.token, holder, expires)
    }

    /// The id of the owner by name; the default one is created when it is not there.
    fn owner(&mut self, name: Option<&str>) -> Result<String, DevServerError> {
        let wanted = name.unwrap_or(OWNER);
        if name.is_none() && !self.database.users.iter().any(|user| user.name == OWNER) {
            self.user(UserSeed::new(OWNER))?;
        }
        self.user_id(wanted)
    }

    fn user_id(&self, name: &str) -> Result<String, DevServerError> {
        let found = self.database.users.iter().find(|user| user.name == name);
        found.map(|user| user.id.clone()).ok_or_else(|| DevServerError::unknown("user", name))
    }

    fn workspace(&mut self, name: Option<String>, owner: &str) -> String {
        let of_owner = self.database.user(owner).map_or_else(String::new, |user| user.name.clone());
        let name = name.unwrap_or(of_owner);
        if let Some(known) = self.database.workspaces.iter().find(|workspace| workspace.name == name) {
            return known.id.clone();
        }
        let id = self.database.new_id();
        let created = self.database.now();
        self.database.workspaces.push(Workspace { id: id.clone(), name, owner: owner.to_owned(), created });
        id
    }

    fn project(&mut self, seed: ProjectSeed) -> Result<(), DevServerError> {
        if self.database.projects.iter().any(|known| known.name == seed.name) {
            return Err(DevServerError::Duplicate { what: "project", name: seed.name });
        }
        let owner = self.owner(seed.owner.as_deref())?;
        let workspace = self.workspace(seed.workspace, &owner);
        let id = self.id(seed.id);
        let now = self.database.now();
        self.database.projects.push(Project {
            id: id.clone(),
            description: seed.description.unwrap_or_else(|| format!("{} project", seed.name)),
            name: seed.name,
            owner: owner.clone(),
            workspace: workspace.clone(),
            created: now,
            updated: now,
            blocked: seed.blocked,
            two_factor: seed.two_factor_required,
            allowed_ips: seed.allowed_ips.into_iter().map(Into::into).collect(),
        });
        let main_id = seed.branches.iter().find(|branch| branch.name == MAIN).and_then(|branch| branch.id.clone());
        self.database.add_branch(&id, MAIN, main_id);
        for branch in seed.branches.into_iter().filter(|branch| branch.name != MAIN) {
            self.database.add_branch(&id, &branch.name, branch.id);
        }
        self.members(&id, &workspace, seed.members)?;
        for secret in seed.secrets {
            self.database.add_secret(&id, &owner, secret)?;
        }
        for account in seed.service_accounts {
            self.account(&id, account)?;
        }
        seed.grants.into_iter().try_for_each(|grant| self.grant(&id, grant))
    }

    fn members(
        &mut self,
        project: &str,
        workspace: &str,
        members: BTreeMap<String, Role>,
    ) -> Result<(), DevServerError> {
        if members.is_empty() {
            return Ok(());
        }
        let members: Result<Vec<_>, _> =
            members.into_iter().map(|(name, role)| Ok((self.user_id(&name)?, role))).collect();
        let (id, link) = (self.database.new_id(), self.database.new_id());
        let (name, created_by) =
            self.database.project(project).map(|found| (found.name.clone(), found.owner.clone())).unwrap_or_default();
        self.database.teams.push(Team {
            id: id.clone(),
            name: format!("{name} team"),
            created: self.database.now(),
            created_by,
            workspace: workspace.to_owned(),
            members: members?,
        });
        self.database.team_projects.push(TeamProject { id: link, team: id, project: project.to_owned() });
        Ok(())
    }

    fn account(&mut self, project: &str, seed: ServiceAccountSeed) -> Result<(), DevServerError> {
        let id = self.id(seed.id);
        let token = seed.token.unwrap_or_else(|| made_token("xtra_", &seed.name, 64));
        self.give_token(&seed.name, token, Holder::Account(id.clone()))?;
        let now = self.database.now();
        let created_by = self.database.project(project).map(|project| project.owner.clone()).unwrap_or_default();
        self.database.accounts.push(Account {
            id,
            description: Some(format!("{} service account", seed.name)),
            name: seed.name,
            project: project.to_owned(),
            permissions: seed.permissions,
            created_by,
            created: now,
            updated: now,
        });
        Ok(())
    }

    fn grant(&mut self, project: &str, seed: GrantSeed) -> Result<(), DevServerError> {
        let user = self.user_id(&seed.user)?;
        let project = project.to_owned();
        if seed.needs_elevation {
            self.database.elevations.push(Elevation { user, project });
            return Ok(());
        }
        let of_keys = self.database.secrets.iter().filter(|secret| secret.project == project);
        let secrets =
            of_keys.filter(|secret| seed.names.contains(&secret.key)).map(|secret| secret.id.clone()).collect();
        let (id, now) = (self.database.new_id(), self.database.now());
        let found = self.database.project(&project);
        self.database.requests.push(AccessRequest {
            id,
            user,
            secrets,
            reason: "granted by the seed".to_owned(),
            minutes: 60,
            status: APPROVED.to_owned(),
            approved_by: found.map(|found| found.owner.clone()),
            approved: Some(now),
            // The grant of a seed does not run out.
            expires: None,
            requested: now,
            workspace: found.map(|found| found.workspace.clone()),
            project: Some(project),
        });
        Ok(())
    }
}

/// A token in the service's form that is the same at every start.
fn made_token(prefix: &str, name: &str, digits: usize) -> String {
    let digest = fingerprint(&format!("dev server token of {name}"));
    format!("{prefix}{}", digest.get(..digits).unwrap_or(&digest))
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Branches and secrets, which a running server can still be given.
impl Database {
    pub(super) fn add_branch(&mut self, project: &str, name: &str, id: Option<String>) {
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

    pub(super) fn add_secret(&mut self, project: &str, owner: &str, seed: SecretSeed) -> Result<(), DevServerError> {
        if let Some(link) = &seed.link {
            let source = self.source_of(&link.project, &link.environment, &link.name)?;
            return self.add_link(project, owner, &seed, source);
        }
        let name = seed.branch.as_deref().unwrap_or(MAIN);
        let branch = self.branch_named(project, name).map(|branch| branch.id.clone());
        let branch = branch.ok_or_else(|| DevServerError::unknown("branch", name))?;
        let stored = match seed.form {
            Form::Verbatim => Some(seed.value),
            Form::Encrypted => self.vault.seal(&seed.value),
            Form::Undecryptable => Vault::new().and_then(|lost| lost.seal(&seed.value)),
        };
        let place =
            SecretLocation { project: project.to_owned(), environment: seed.environment, branch, key: seed.name };
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

    fn add_link(
        &mut self,
        project: &str,
        owner: &str,
        seed: &SecretSeed,
        source: String,
    ) -> Result<(), DevServerError> {
        let id = seed.id.clone().unwrap_or_else(|| self.new_id());
        let place = SecretLocation {
            project: project.to_owned(),
            environment: seed.environment.clone(),
            branch: String::new(),
            key: seed.name.clone(),
        };
        let mut link = Secret::link(id, place, (self.now(), owner), source);
        FROM_CLI.clone_into(&mut link.description);
        link.version = seed.version.unwrap_or(1).to_string();
        self.secrets.push(link);
        Ok(())
    }
}
