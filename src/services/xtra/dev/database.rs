//! The database behind the routes: plain vectors in creation order, because the order of creation shows on the wire.

use std::cell::Cell;

use serde::{Deserialize, Serialize};

use super::crypto::{Vault, fingerprint};
use super::limits::Limiter;
use super::rows::{
    AccessRequest, Account, Branch, Document, Elevation, Emergency, Holder, JitLink, Notification, Project, Share,
    Team, TeamProject, Token, User, Webhook, Workspace,
};
use super::secret::{BranchLink, Entry, FROM_CLI, Secret, SecretLocation, Secrets};
use super::seed::Role;
use crate::dev::{Clock, HandlerPanic, Millis};

/// The branch that the service falls back to.
pub(super) const MAIN: &str = "main";

/// Everything that the service keeps in its database.
#[derive(Serialize, Deserialize)]
pub(super) struct Database {
    pub(super) vault: Vault,
    pub(super) clock: Clock,
    /// Not kept in the state file: budgets begin anew with the server.
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

/// Ids in the form of the service's database: 24 hex digits, in ascending order.
#[derive(Serialize, Deserialize)]
pub(super) struct Ids {
    next: u64,
}

impl Ids {
    pub(super) fn new() -> Self {
        Ids { next: 1 }
    }

    pub(super) fn next(&mut self, now: Millis) -> String {
        let count = self.next;
        self.next += 1;
        format!("{:08x}{count:016x}", (now.0 / 1000) & 0xffff_ffff)
    }
}

/// The database refuses an id that is not 24 hex digits by throwing.
pub(super) fn checked_id(id: &str) -> Result<&str, HandlerPanic> {
    let valid = id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if valid { Ok(id) } else { Err(HandlerPanic) }
}

impl Database {
    pub(super) fn now(&self) -> Millis {
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
    pub(super) fn insert_secret(&mut self, place: SecretLocation, stored: String, by: &str) {
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

/// Requests for access, notifications and tokens.
impl Database {
    pub(super) fn request_mut(&mut self, id: &str) -> Option<&mut AccessRequest> {
        self.requests.iter_mut().find(|request| request.id == id)
    }

    /// The approved requests of a user that have not run out, the oldest first.
    pub(super) fn valid_requests<'a>(&'a self, user: &'a str) -> impl Iterator<Item = &'a AccessRequest> {
        let now = self.now();
        self.requests.iter().filter(move |request| request.user == user && request.is_valid(now))
    }

    /// The break-glass session of a user in a project, while it lasts.
    pub(super) fn emergency(&self, user: &str, project: &str) -> Option<&Emergency> {
        let now = self.now();
        let mut own = self.emergencies.iter().filter(|known| known.user == user && known.project == project);
        own.find(|known| known.ended.is_none() && known.expires > now)
    }

    /// The workspace that a request belongs to: its own, else that of its project, else that of the project of its first
    /// secret.
    pub(super) fn workspace_of<'a>(&'a self, request: &'a AccessRequest) -> Option<&'a str> {
        let of_secret = || request.secrets.first().and_then(|id| self.secrets.by_id(id)).map(|secret| &secret.project);
        let of_project = || request.project.as_ref().or_else(of_secret).and_then(|id| self.project(id));
        request.workspace.as_deref().or_else(|| of_project().map(|project| project.workspace.as_str()))
    }

    /// Tells whether lists of a workspace have a request: it names the workspace, or its project is there.
    pub(super) fn lists_request(&self, workspace: &str, request: &AccessRequest) -> bool {
        let project = request.project.as_ref().and_then(|id| self.project(id));
        request.workspace.as_deref() == Some(workspace) || project.is_some_and(|project| project.workspace == workspace)
    }

    /// Notifies a user; `texts` are the title, the description, the message and the status.
    pub(super) fn notify(&mut self, user: &str, texts: [&str; 4], workspace: Option<String>) {
        let [title, description, message, status] = texts.map(str::to_owned);
        let (id, created) = (self.new_id(), self.now());
        let user = user.to_owned();
        let is_read = false;
        self.notifications.push(Notification {
            id,
            user,
            title,
            description,
            message,
            status,
            is_read,
            created,
            workspace,
        });
    }

    /// Adds a token; its id.
    pub(super) fn add_token(&mut self, token: &str, holder: Holder, label: &str, expires: Option<Millis>) -> String {
        let id = self.new_id();
        self.tokens.push(Token {
            id: id.clone(),
            fingerprint: fingerprint(token),
            holder,
            label: label.to_owned(),
            mask: mask(token),
            created: self.now(),
            last_used: Cell::new(None),
            expires,
            is_signed: token.matches('.').count() == 2,
        });
        id
    }

    /// The token with this text.
    pub(super) fn token(&self, text: &str) -> Option<&Token> {
        let fingerprint = fingerprint(text);
        self.tokens.iter().find(|token| token.fingerprint == fingerprint)
    }
}

/// A key as lists show it: its kind, and its end.
fn mask(token: &str) -> String {
    let kind = token.split_once('_').map_or("", |(kind, _)| kind);
    let end = token.char_indices().rev().nth(3).map_or(token, |(at, _)| token.get(at..).unwrap_or_default());
    format!("{kind}_...{end}")
}
