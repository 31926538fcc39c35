//! The state behind the routes: plain vectors in creation order, because the order of creation shows on the wire.

use super::clock::{Clock, Moment};
use super::crypto::Vault;
use super::js::Json;
use super::limits::Limiter;
use super::seed::{Role, Tier};

/// Everything that the service keeps in its database.
pub(super) struct World {
    pub(super) vault: Vault,
    pub(super) clock: Clock,
    pub(super) limiter: Limiter,
    pub(super) ids: Ids,
    pub(super) users: Vec<User>,
    pub(super) workspaces: Vec<Workspace>,
    pub(super) teams: Vec<Team>,
    pub(super) team_projects: Vec<TeamProject>,
    pub(super) projects: Vec<Project>,
    pub(super) branches: Vec<Branch>,
    pub(super) secrets: Vec<Secret>,
    pub(super) accounts: Vec<Account>,
    pub(super) tokens: Vec<Token>,
    pub(super) grants: Vec<Grant>,
}

pub(super) struct User {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) email: String,
    pub(super) tier: Tier,
    pub(super) mfa: bool,
}

pub(super) struct Workspace {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) owner: String,
}

pub(super) struct Team {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created: Moment,
    pub(super) created_by: String,
    pub(super) workspace: String,
    pub(super) members: Vec<(String, Role)>,
}

pub(super) struct TeamProject {
    pub(super) id: String,
    pub(super) team: String,
    pub(super) project: String,
}

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
    pub(super) allowed_ips: Vec<String>,
}

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

/// Where a secret hangs. The service tells a branch that is null from one that was never set: a write to `main` finds
/// the first and not the second, a read finds both.
#[derive(Clone, PartialEq)]
pub(super) enum BranchLink {
    Branch(String),
    Null,
    Unset,
}

impl BranchLink {
    pub(super) fn is(&self, branch: &str) -> bool {
        matches!(self, BranchLink::Branch(id) if id == branch)
    }
}

pub(super) struct Secret {
    pub(super) id: String,
    pub(super) key: String,
    /// The at-rest text; nothing for a linked secret.
    pub(super) stored: Option<String>,
    pub(super) description: String,
    pub(super) environment: String,
    pub(super) version: String,
    pub(super) project: String,
    pub(super) branch: BranchLink,
    pub(super) kind: &'static str,
    pub(super) history: Vec<Entry>,
    pub(super) updated: Moment,
    pub(super) updated_by: String,
    /// The id of the secret that a linked one resolves to.
    pub(super) source: Option<String>,
}

/// One step of a secret's history.
pub(super) struct Entry {
    pub(super) version: String,
    pub(super) stored: String,
    pub(super) updated: Moment,
    pub(super) updated_by: String,
    pub(super) description: &'static str,
}

pub(super) struct Account {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) project: String,
    pub(super) permissions: Vec<String>,
}

#[derive(Clone)]
pub(super) enum Holder {
    User(String),
    Account(String),
}

pub(super) struct Token {
    pub(super) fingerprint: String,
    pub(super) holder: Holder,
    pub(super) expires: Option<Moment>,
}

/// Access to a project that comes from no role.
pub(super) struct Grant {
    pub(super) user: String,
    pub(super) project: String,
    pub(super) kind: GrantKind,
}

pub(super) enum GrantKind {
    /// An approved request; empty ids mean the whole project.
    Approved { secrets: Vec<String>, expires: Option<Moment> },
    /// A grant that has to be elevated first.
    NeedsElevation,
}

/// Ids in the form of the service's database: 24 hex digits, in ascending order.
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
            Some(source) => self.secrets.iter().find(|other| other.id == *source)?.stored.as_ref()?,
            None => secret.stored.as_ref()?,
        };
        (!stored.is_empty()).then(|| self.vault.read(stored))
    }

    /// Creates a secret the way a bulk write does.
    pub(super) fn insert_secret(&mut self, place: Place, stored: String, by: &str) {
        let (id, now) = (self.new_id(), self.now());
        self.secrets.push(Secret {
            id,
            key: place.key,
            description: FROM_CLI.to_owned(),
            environment: place.environment,
            version: "1".to_owned(),
            project: place.project,
            branch: BranchLink::Branch(place.branch),
            kind: "environment",
            history: vec![Entry::new("1", &stored, now, by, FROM_CLI)],
            stored: Some(stored),
            updated: now,
            updated_by: by.to_owned(),
            source: None,
        });
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
pub(super) const FROM_CLI: &str = "Created via CLI";
pub(super) const BY_CLI: &str = "Updated via CLI";

/// Where a new secret goes; `branch` is an id.
pub(super) struct Place {
    pub(super) project: String,
    pub(super) environment: String,
    pub(super) branch: String,
    pub(super) key: String,
}

impl Entry {
    pub(super) fn new(version: &str, stored: &str, now: Moment, by: &str, description: &'static str) -> Self {
        Entry {
            version: version.to_owned(),
            stored: stored.to_owned(),
            updated: now,
            updated_by: by.to_owned(),
            description,
        }
    }
}

impl Secret {
    /// Replaces the value: the version goes up by one, or to 2 when it was no number.
    pub(super) fn write(&mut self, stored: String, now: Moment, by: &str) {
        self.version = self.version.parse::<u64>().map_or_else(|_| "2".to_owned(), |version| (version + 1).to_string());
        self.history.push(Entry::new(&self.version, &stored, now, by, BY_CLI));
        self.stored = Some(stored);
        self.updated = now;
        self.updated_by = by.to_owned();
    }

    pub(super) fn is_linked(&self) -> bool {
        self.source.is_some()
    }

    pub(super) fn stored_json(&self) -> Json {
        self.stored.as_deref().unwrap_or_default().into()
    }
}
