//! Authentication: the session of a caller, and the signed tokens that keys are exchanged for.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::database::{Database, checked_id};
use super::rows::Holder;
use super::seed::{Role, Tier};
use crate::dev::javascript::{Json, object};
use crate::dev::{Call, HandlerPanic, Millis};

const SIGNED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

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
pub(super) fn session(database: &Database, call: &Call) -> Option<Session> {
    let token = database.token(presented(call)?)?;
    let now = database.now();
    if token.expires.is_some_and(|expires| expires <= now) {
        return None;
    }
    token.last_used.set(Some(now));
    match &token.holder {
        Holder::User(id) => database.user(id).map(|user| Session::User { id: id.clone(), tier: user.tier }),
        Holder::Account(id) => database.account(id).map(|account| Session::Account {
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

    /// The email address, which some records have in the place of the id.
    pub(super) fn email(&self, database: &Database) -> String {
        let email = match self {
            Session::User { id, .. } => database.user(id).map(|user| user.email.clone()),
            Session::Account { id, .. } => database.account(id).map(|account| format!("sa_{}@bot", account.name)),
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
    pub(super) fn database_id(&self) -> Result<&str, HandlerPanic> {
        match self {
            Session::User { id, .. } => Ok(id),
            Session::Account { .. } => Err(HandlerPanic),
        }
    }

    /// Tells whether a service account has a permission, or one of those that stand for all.
    pub(super) fn has_permission(&self, wanted: &str) -> bool {
        match self {
            Session::User { .. } => false,
            Session::Account { permissions, .. } => {
                permissions.iter().any(|permission| [wanted, "admin", "*"].contains(&permission.as_str()))
            }
        }
    }

    /// The role in a project. A service account counts as a developer of its own, whatever its permissions.
    pub(super) fn role(&self, database: &Database, project: &str) -> Result<Option<Role>, HandlerPanic> {
        match self {
            Session::User { id, .. } => Ok(database.role_of(id, checked_id(project)?)),
            Session::Account { project: own, .. } => Ok((own == project).then_some(Role::Developer)),
        }
    }
}

impl Database {
    /// A signed token for a user or a service account, which is accepted for a day.
    pub(super) fn sign_in(&mut self, holder: Holder) -> Result<String, HandlerPanic> {
        let claims = self.claims(&holder).ok_or(HandlerPanic)?;
        let encoded = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_text());
        let head = object([("alg", "HS256".into()), ("typ", "JWT".into())]);
        let signed = format!("{}.{}", encoded(&head), encoded(&claims));
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(self.vault.signature(&signed)));
        let expires = self.now().plus(SIGNED_FOR);
        // The same claims within the same second are the same token.
        if self.token(&token).is_none() {
            self.add_token(&token, holder, "signed in", Some(expires));
        }
        Ok(token)
    }

    fn claims(&self, holder: &Holder) -> Option<Json> {
        let kind = ("type", "cli-token".into());
        let seconds = |moment: Millis| Json::from(i64::try_from(moment.0 / 1000).unwrap_or(i64::MAX));
        let (issued, expires) = (seconds(self.now()), seconds(self.now().plus(SIGNED_FOR)));
        let issued = ("iat", issued);
        let expires = ("exp", expires);
        match holder {
            Holder::User(id) => {
                let user = self.user(id)?;
                Some(object([
                    ("id", Json::from(&user.id)),
                    ("email", Json::from(&user.email)),
                    ("role", "user".into()),
                    ("tier", user.tier.name().into()),
                    kind,
                    issued,
                    expires,
                ]))
            }
            Holder::Account(id) => {
                let account = self.account(id)?;
                Some(object([
                    ("userId", format!("sa_{id}").into()),
                    ("email", format!("sa_{}@bot", account.name).into()),
                    ("role", "service_account".into()),
                    ("tier", "enterprise".into()),
                    kind,
                    ("isServiceAccount", true.into()),
                    ("serviceAccountId", Json::from(id)),
                    ("projectId", Json::from(&account.project)),
                    ("permissions", account.permissions.clone().into()),
                    issued,
                    expires,
                ]))
            }
        }
    }
}
