//! The state behind the routes: plain vectors in creation order, because the order of creation shows on the wire.

use serde::{Deserialize, Serialize};

use super::clock::{Clock, Moment};
use super::crypto::Vault;
use super::limits::Limiter;
use super::notices::{Document, Notification};
use super::requests::{AccessRequest, Emergency, JitLink, Share, Webhook};
use super::secret::{BranchLink, Entry, FROM_CLI, Secret, Secrets};
use super::seed::{Role, Tier};
use super::tokens::Token;

/// Everything that the service keeps in its database.
#[derive(Serialize, Deserialize)]
pub(super) struct World {
    pub(super) vault: Vault,
    pub(super) clock: Clock,
    /// What was spent of a budget is no part of the state.
    #[serde(skip)]
    pub(super) limiter: Limiter,
    pub(super) ids: Ids,
    pub(super) users: Vec<User>,
    pub(super) workspaces: Vec<Workspace>,
    pub(super) teams: Vec<Team>,
    pub(super) team_projects: Vec<TeamProject>,
    pub(super) projects: Vec<Project>,
    pub(super) branches: Vec<Branch>,
    pub(super) secrets: Secrets,
    pub(super) accounts: Vec<Account>,
    pub(super) tokens: Vec<Token>,
    /// The users who have to be elevated before they read a project.
    pub(super) elevations: Vec<Elevation>,
    pub(super) requests: Vec<AccessRequest>,
    pub(super) links: Vec<JitLink>,
    pub(super) shares: Vec<Share>,
    pub(super) emergencies: Vec<Emergency>,
    pub(super) webhooks: Vec<Webhook>,
    #[serde(default)]
    pub(super) notifications: Vec<Notification>,
    /// Rules and channels of notifications, as they were sent.
    #[serde(default)]
    pub(super) rules: Vec<Document>,
    #[serde(default)]
    pub(super) channels: Vec<Document>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) email: String,
    pub(super) tier: Tier,
    pub(super) mfa: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Workspace {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) owner: String,
    pub(super) created: Moment,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Team {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created: Moment,
    pub(super) created_by: String,
    pub(super) workspace: String,
    pub(super) members: Vec<(String, Role)>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct TeamProject {
    pub(super) id: String,
    pub(super) team: String,
    pub(super) project: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) owner: String,
    pub(super) workspace: String,
    pub(super) created: Moment,
    pub(super) updated: Moment,
    pub(super) blocked: bool,
    pub(super) two_factor: bool,
    pub(super) allowed_ips: Vec<AllowedIp>,
}

/// An address, a network or a pattern that a project lets in.
#[derive(Serialize, Deserialize)]
pub(super) struct AllowedIp {
    pub(super) ip: String,
    pub(super) description: String,
    pub(super) added: Option<Moment>,
}

impl From<String> for AllowedIp {
    fn from(ip: String) -> Self {
        AllowedIp { ip, description: String::new(), added: None }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Branch {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) created_by: String,
    pub(super) project: String,
    pub(super) version: String,
    pub(super) permissions: Vec<String>,
    pub(super) created: Moment,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) project: String,
    pub(super) permissions: Vec<String>,
    pub(super) created_by: String,
    pub(super) created: Moment,
    pub(super) updated: Moment,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Elevation {
    pub(super) user: String,
    pub(super) project: String,
}

/// Ids in the form of the service's database: 24 hex digits, in ascending order.
#[derive(Serialize, Deserialize)]
pub(super) struct Ids {
    next: u64,
}

impl Ids {
    pub(super) fn new() -> Self {
        Ids { next: 1 }
    }

    pub(super) fn next(&mut self, now: Moment) -> String {
        let count = self.next;
        self.next += 1;
        format!("{:08x}{count:016x}", (now.0 / 1000) & 0xffff_ffff)
    }
}

/// A handler gave up where the service would have thrown.
pub(super) struct Crash;

/// The database refuses an id that is not 24 hex digits by throwing.
pub(super) fn checked_id(id: &str) -> Result<&str, Crash> {
    let valid = id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if valid { Ok(id) } else { Err(Crash) }
}

impl World {
    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    pub(super) fn new_id(&mut self) -> String {
        let now = self.clock.now();
        self.ids.next(now)
    }

    pub(super) fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    pub(super) fn project(&self, id: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.id == id)
    }

    pub(super) fn workspace(&self, id: &str) -> Option<&Workspace> {
        self.workspaces.iter().find(|workspace| workspace.id == id)
    }

    pub(super) fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    pub(super) fn branch(&self, id: &str) -> Option<&Branch> {
        self.branches.iter().find(|branch| branch.id == id)
    }

    pub(super) fn branch_named(&self, project: &str, name: &str) -> Option<&Branch> {
        self.branches.iter().find(|branch| branch.project == project && branch.name == name)
    }

    pub(super) fn teams_of<'a>(&'a self, project: &'a str) -> impl Iterator<Item = (&'a TeamProject, &'a Team)> {
        self.team_projects
            .iter()
            .filter(move |link| link.project == project)
            .filter_map(|link| self.teams.iter().find(|team| team.id == link.team).map(|team| (link, team)))
    }

    /// The role of a user on a project: its creator and its workspace's creator own it, others have the strongest role
    /// of their teams.
    pub(super) fn role_of(&self, user: &str, project: &str) -> Option<Role> {
        let found = self.project(project)?;
        let owns_workspace = self.workspace(&found.workspace).is_some_and(|workspace| workspace.owner == user);
        if found.owner == user || owns_workspace {
            return Some(Role::Owner);
        }
        let roles = self.teams_of(project).flat_map(|(_, team)| &team.members);
        roles.filter(|(member, _)| member == user).map(|(_, role)| *role).max()
    }

    /// The text that a read gives for a secret; nothing for one that resolves to nothing.
    pub(super) fn plaintext(&self, secret: &Secret) -> Option<String> {
        let stored = match &secret.source {
            Some(source) => self.secrets.by_id(source)?.stored.as_ref()?,
            None => secret.stored.as_ref()?,
        };
        (!stored.is_empty()).then(|| self.vault.read(stored))
    }

    /// Creates a secret the way a write of many does.
    pub(super) fn insert_secret(&mut self, place: Place, stored: String, by: &str) {
        let id = self.new_id();
        let now = self.now();
        let mut secret = Secret::new(id, place, now, by);
        FROM_CLI.clone_into(&mut secret.description);
        secret.history.push(Entry::by_cli("1", &stored, (now, by), FROM_CLI));
        secret.stored = Some(stored);
        self.secrets.push(secret);
    }

    /// The secrets that a read of a branch sees. `main` also has those that hang on no branch.
    pub(super) fn in_scope<'a>(
        &'a self,
        project: &'a str,
        environment: &'a str,
        branch: &'a Branch,
    ) -> impl Iterator<Item = &'a Secret> {
        let environment = environment.to_lowercase();
        self.secrets.iter().filter(move |secret| {
            let here = match &secret.branch {
                BranchLink::Branch(id) => *id == branch.id,
                BranchLink::Null | BranchLink::Unset => branch.name == MAIN,
            };
            here && secret.project == project && secret.environment.to_lowercase() == environment
        })
    }
}

/// The branch that the service falls back to.
pub(super) const MAIN: &str = "main";

/// Where a new secret goes; `branch` is an id.
pub(super) struct Place {
    pub(super) project: String,
    pub(super) environment: String,
    pub(super) branch: String,
    pub(super) key: String,
}
