//! Who calls.

use super::seed::{Role, Tier};
use super::state::{Crash, World, checked_id};
use super::tokens::Holder;
use super::wire::Call;

/// An authenticated caller.
pub(super) enum Session {
    User { id: String, tier: Tier },
    Account { id: String, project: String, permissions: Vec<String> },
}

/// The token of a request. `X-API-Key` wins whenever it is not empty; the scheme of `Authorization` is matched to the letter,
/// and the token is the word after the one space.
fn presented(call: &Call) -> Option<&str> {
    if let Some(key) = call.header("x-api-key").filter(|key| !key.is_empty()) {
        return Some(key);
    }
    let credentials = call.header("authorization")?.strip_prefix("Bearer ")?;
    credentials.split(' ').next().filter(|token| !token.is_empty())
}

/// The session of a request; nothing for a token that is missing, unknown or expired.
pub(super) fn session(world: &World, call: &Call) -> Option<Session> {
    let token = world.token(presented(call)?)?;
    let now = world.now();
    if token.expires.is_some_and(|expires| expires <= now) {
        return None;
    }
    token.last_used.set(Some(now));
    match &token.holder {
        Holder::User(id) => world.user(id).map(|user| Session::User { id: id.clone(), tier: user.tier }),
        Holder::Account(id) => world.account(id).map(|account| Session::Account {
            id: id.clone(),
            project: account.project.clone(),
            permissions: account.permissions.clone(),
        }),
    }
}

impl Session {
    /// The id that the service writes into its records.
    pub(super) fn user_id(&self) -> String {
        match self {
            Session::User { id, .. } => id.clone(),
            Session::Account { id, .. } => format!("sa_{id}"),
        }
    }

    /// What some records have in the place of the id.
    pub(super) fn email(&self, world: &World) -> String {
        let email = match self {
            Session::User { id, .. } => world.user(id).map(|user| user.email.clone()),
            Session::Account { id, .. } => world.account(id).map(|account| format!("sa_{}@bot", account.name)),
        };
        email.unwrap_or_default()
    }

    pub(super) fn tier(&self) -> Tier {
        match self {
            Session::User { tier, .. } => *tier,
            Session::Account { .. } => Tier::Enterprise,
        }
    }

    /// The user's id where the database wants one; the id of a service account makes it throw.
    pub(super) fn database_id(&self) -> Result<&str, Crash> {
        match self {
            Session::User { id, .. } => Ok(id),
            Session::Account { .. } => Err(Crash),
        }
    }

    /// Whether a service account has a permission, or one of those that stand for all.
    pub(super) fn has_permission(&self, wanted: &str) -> bool {
        match self {
            Session::User { .. } => false,
            Session::Account { permissions, .. } => {
                permissions.iter().any(|permission| [wanted, "admin", "*"].contains(&permission.as_str()))
            }
        }
    }

    /// The role in a project. A service account counts as a developer of its own, whatever its permissions.
    pub(super) fn role(&self, world: &World, project: &str) -> Result<Option<Role>, Crash> {
        match self {
            Session::User { id, .. } => Ok(world.role_of(id, checked_id(project)?)),
            Session::Account { project: own, .. } => Ok((own == project).then_some(Role::Developer)),
        }
    }
}
