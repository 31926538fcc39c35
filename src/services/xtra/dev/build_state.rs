//! From a seed to the state of a server.

use std::collections::BTreeMap;
use std::time::Duration;

use super::clock::{Clock, Moment};
use super::crypto::{Vault, fingerprint};
use super::error::DevServerError;
use super::limits::{Limiter, RateLimits};
use super::requests::{APPROVED, AccessRequest};
use super::secret::Secrets;
use super::seed::{GrantSeed, ProjectSeed, Role, Seed, ServiceAccountSeed, TokenSeed, UserSeed};
use super::state::{Account, Elevation, Ids, MAIN, Project, Team, TeamProject, User, Workspace, World};
use super::tokens::Holder;

/// The user that projects without an owner belong to.
const OWNER: &str = "owner";

/// A world and the tokens of its users and service accounts by name.
pub(super) struct Planted {
    pub(super) world: World,
    pub(super) tokens: BTreeMap<String, String>,
}

pub(super) fn plant(seed: Seed, limits: RateLimits) -> Result<Planted, DevServerError> {
    let vault = Vault::new().ok_or(DevServerError::Random)?;
    let world = World {
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
    let mut planted = Planted { world, tokens: BTreeMap::new() };
    for user in seed.users {
        planted.user(user)?;
    }
    for workspace in seed.workspaces {
        let owner = planted.owner(workspace.owner.as_deref())?;
        let id = planted.id(workspace.id);
        let created = planted.world.now();
        planted.world.workspaces.push(Workspace { id, name: workspace.name, owner, created });
    }
    for project in seed.projects {
        planted.project(project)?;
    }
    for token in seed.tokens {
        planted.extra_token(token)?;
    }
    Ok(planted)
}

impl Planted {
    fn id(&mut self, given: Option<String>) -> String {
        given.unwrap_or_else(|| self.world.new_id())
    }

    fn user(&mut self, seed: UserSeed) -> Result<(), DevServerError> {
        let id = self.id(seed.id);
        let token = seed.token.unwrap_or_else(|| made_token("xs_", &seed.name, 48));
        self.give_token(&seed.name, token, Holder::User(id.clone()))?;
        self.world.users.push(User {
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
        expires: Option<Moment>,
    ) -> Result<(), DevServerError> {
        if self.world.token(token).is_some() {
            return Err(DevServerError::Duplicate { what: "token of", name: name.to_owned() });
        }
        self.world.add_token(token, holder, name, expires);
        Ok(())
    }

    fn extra_token(&mut self, seed: TokenSeed) -> Result<(), DevServerError> {
        let user = self.world.users.iter().find(|user| user.name == seed.holder);
        let account = self.world.accounts.iter().find(|account| account.name == seed.holder);
        let holder = user
            .map(|user| Holder::User(user.id.clone()))
            .or_else(|| account.map(|account| Holder::Account(account.id.clone())))
            .ok_or_else(|| DevServerError::unknown("user or service account", &seed.holder))?;
        let now = self.world.now();
        let expires = match (seed.expired, seed.expires_in) {
            (true, _) => Some(Moment(now.0.saturating_sub(1))),
            (false, seconds) => seconds.map(|seconds| now.plus(Duration::from_secs(seconds))),
        };
        self.add_token(&seed.holder, &seed.token, holder, expires)
    }

    /// The id of the owner by name; the default one is created when it is not there.
    fn owner(&mut self, name: Option<&str>) -> Result<String, DevServerError> {
        let wanted = name.unwrap_or(OWNER);
        if name.is_none() && !self.world.users.iter().any(|user| user.name == OWNER) {
            self.user(UserSeed::new(OWNER))?;
        }
        self.user_id(wanted)
    }

    fn user_id(&self, name: &str) -> Result<String, DevServerError> {
        let found = self.world.users.iter().find(|user| user.name == name);
        found.map(|user| user.id.clone()).ok_or_else(|| DevServerError::unknown("user", name))
    }

    fn workspace(&mut self, name: Option<String>, owner: &str) -> String {
        let of_owner = self.world.user(owner).map_or_else(String::new, |user| user.name.clone());
        let name = name.unwrap_or(of_owner);
        if let Some(known) = self.world.workspaces.iter().find(|workspace| workspace.name == name) {
            return known.id.clone();
        }
        let id = self.world.new_id();
        let created = self.world.now();
        self.world.workspaces.push(Workspace { id: id.clone(), name, owner: owner.to_owned(), created });
        id
    }

    fn project(&mut self, seed: ProjectSeed) -> Result<(), DevServerError> {
        if self.world.projects.iter().any(|known| known.name == seed.name) {
            return Err(DevServerError::Duplicate { what: "project", name: seed.name });
        }
        let owner = self.owner(seed.owner.as_deref())?;
        let workspace = self.workspace(seed.workspace, &owner);
        let id = self.id(seed.id);
        let now = self.world.now();
        self.world.projects.push(Project {
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
        self.world.plant_branch(&id, MAIN, main_id);
        for branch in seed.branches.into_iter().filter(|branch| branch.name != MAIN) {
            self.world.plant_branch(&id, &branch.name, branch.id);
        }
        self.members(&id, &workspace, seed.members)?;
        for secret in seed.secrets {
            self.world.plant_secret(&id, &owner, secret)?;
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
        let (id, link) = (self.world.new_id(), self.world.new_id());
        let (name, created_by) =
            self.world.project(project).map(|found| (found.name.clone(), found.owner.clone())).unwrap_or_default();
        self.world.teams.push(Team {
            id: id.clone(),
            name: format!("{name} team"),
            created: self.world.now(),
            created_by,
            workspace: workspace.to_owned(),
            members: members?,
        });
        self.world.team_projects.push(TeamProject { id: link, team: id, project: project.to_owned() });
        Ok(())
    }

    fn account(&mut self, project: &str, seed: ServiceAccountSeed) -> Result<(), DevServerError> {
        let id = self.id(seed.id);
        let token = seed.token.unwrap_or_else(|| made_token("xtra_", &seed.name, 64));
        self.give_token(&seed.name, token, Holder::Account(id.clone()))?;
        let now = self.world.now();
        let created_by = self.world.project(project).map(|project| project.owner.clone()).unwrap_or_default();
        self.world.accounts.push(Account {
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
            self.world.elevations.push(Elevation { user, project });
            return Ok(());
        }
        let of_keys = self.world.secrets.iter().filter(|secret| secret.project == project);
        let secrets =
            of_keys.filter(|secret| seed.keys.contains(&secret.key)).map(|secret| secret.id.clone()).collect();
        let (id, now) = (self.world.new_id(), self.world.now());
        let found = self.world.project(&project);
        self.world.requests.push(AccessRequest {
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
