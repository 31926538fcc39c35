//! What a server starts with.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The plan of a user. A project's quota is that of its owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Tier {
    /// 100 requests a minute and 1,000 a day.
    #[default]
    Free,
    /// 1,000 requests a minute and 10,000 a day.
    Pro,
    /// 10,000 requests a minute and 100,000 a day.
    Enterprise,
}

/// What a user may do in a project, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Role {
    /// Reads keys; every value is masked.
    Viewer,
    /// Reads and writes.
    Developer,
    /// Reads, writes and manages.
    Admin,
    /// Everything.
    Owner,
}

/// How a value lies in the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Form {
    /// Encrypted with the server's key: what every write makes.
    #[default]
    Encrypted,
    /// The text itself: rows from before there was encryption, and envelopes that a client made.
    Verbatim,
    /// Encrypted with a key that the server has lost: a read gives the ciphertext.
    Undecryptable,
}

/// The world of a server: users, projects, tokens.
///
/// Built in code, or read from JSON with [`Seed::from_json`] and
/// [`DevServerBuilder::seed_file`](crate::services::xtra::dev::DevServerBuilder::seed_file); the members have the names of the fields in
/// camelCase. Everything but names and values can be left out.
///
/// ```
/// use xtrasecurity::dev_server::Seed;
///
/// let seed = Seed::from_json(r#"{
///     "users": [{ "name": "ann", "tier": "pro" }, { "name": "vic" }],
///     "projects": [{
///         "name": "web",
///         "owner": "ann",
///         "members": { "vic": "viewer" },
///         "branches": ["feature/new-ui"],
///         "secrets": [
///             { "environment": "production", "key": "DATABASE_URL", "value": "postgres://db/web" },
///             { "environment": "staging", "key": "FLAG", "value": "on", "branch": "feature/new-ui" }
///         ],
///         "serviceAccounts": [{ "name": "ci", "permissions": ["read:secrets"] }]
///     }]
/// }"#)?;
/// assert_eq!(seed.projects[0].secrets.len(), 2);
/// # Ok::<(), xtrasecurity::dev_server::DevServerError>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Seed {
    /// The users. One that owns a project and is not listed is created.
    pub users: Vec<UserSeed>,
    /// Workspaces that need an id of their own. One that a project names and that is not listed is created.
    pub workspaces: Vec<WorkspaceSeed>,
    /// The projects.
    pub projects: Vec<ProjectSeed>,
    /// Tokens besides the one that every user and service account has.
    pub tokens: Vec<TokenSeed>,
}

/// A user.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct UserSeed {
    /// The name by which the seed knows the user.
    pub name: String,
    /// 24 hex digits; generated when left out.
    pub id: Option<String>,
    /// `<name>@example.test` when left out.
    pub email: Option<String>,
    /// The plan; free when left out.
    pub tier: Tier,
    /// Whether the user has a second factor.
    pub mfa: bool,
    /// The user's token; made from the name when left out.
    pub token: Option<String>,
}

/// A workspace.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct WorkspaceSeed {
    /// The name by which the seed knows the workspace.
    pub name: String,
    /// 24 hex digits; generated when left out.
    pub id: Option<String>,
    /// The name of the user who created it; `owner` when left out.
    pub owner: Option<String>,
}

/// A project. A branch `main` is always there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ProjectSeed {
    /// The name.
    pub name: String,
    /// 24 hex digits; generated when left out.
    pub id: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The name of the user who created it; `owner` when left out.
    pub owner: Option<String>,
    /// The name of its workspace; one named after the owner when left out.
    pub workspace: Option<String>,
    /// The roles of other users, by name.
    pub members: BTreeMap<String, Role>,
    /// Branches besides `main`.
    pub branches: Vec<BranchSeed>,
    /// The secrets, in the order in which they were created.
    pub secrets: Vec<SecretSeed>,
    /// The service accounts.
    pub service_accounts: Vec<ServiceAccountSeed>,
    /// Access that comes from no role.
    pub grants: Vec<GrantSeed>,
    /// Whether the project is blocked.
    pub blocked: bool,
    /// Whether callers need a second factor.
    pub two_factor_required: bool,
    /// Addresses, IPv4 networks or patterns such as `10.0.*.*`; empty means everyone.
    pub allowed_ips: Vec<String>,
}

/// A branch: in JSON its name, or an object.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "BranchForm")]
#[non_exhaustive]
pub struct BranchSeed {
    /// The name, `main` to give that one an id.
    pub name: String,
    /// 24 hex digits; generated when left out.
    pub id: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum BranchForm {
    Name(String),
    Full { name: String, id: Option<String> },
}

impl From<BranchForm> for BranchSeed {
    fn from(form: BranchForm) -> Self {
        match form {
            BranchForm::Name(name) => BranchSeed { name, id: None },
            BranchForm::Full { name, id } => BranchSeed { name, id },
        }
    }
}

/// A secret.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SecretSeed {
    /// The key.
    pub key: String,
    /// The environment, as it is stored.
    pub environment: String,
    /// The value; ignored for a link.
    pub value: String,
    /// The branch; `main` when left out.
    pub branch: Option<String>,
    /// Whether it hangs on no branch; a read of `main` sees it.
    pub without_branch: bool,
    /// How the value lies in the database.
    pub form: Form,
    /// The version; 1 when left out.
    pub version: Option<u64>,
    /// 24 hex digits; generated when left out.
    pub id: Option<String>,
    /// Makes it a link to a secret that is seeded before it.
    pub link: Option<LinkSeed>,
}

/// The secret that a link resolves to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct LinkSeed {
    /// The project's name.
    pub project: String,
    /// The environment.
    pub environment: String,
    /// The key.
    pub key: String,
}

/// A service account of a project.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ServiceAccountSeed {
    /// The name.
    pub name: String,
    /// 24 hex digits; generated when left out.
    pub id: Option<String>,
    /// For example `read:secrets` and `write:secrets`.
    pub permissions: Vec<String>,
    /// The account's token; made from the name when left out.
    pub token: Option<String>,
}

/// One more token of a user or a service account: a second key, an expired one, a signed token of the CLI.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct TokenSeed {
    /// The name of the user or service account.
    pub holder: String,
    /// The token.
    pub token: String,
    /// Whether it has expired.
    pub expired: bool,
    /// The seconds after which it expires; never when left out.
    pub expires_in: Option<u64>,
}

/// Access to a project that comes from no role.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct GrantSeed {
    /// The name of the user.
    pub user: String,
    /// Whether the user has to ask for elevation first: reads answer 403 with `request_jit`. Otherwise it is an approved
    /// request: the user reads, masked.
    pub needs_elevation: bool,
    /// The keys that the request was for; empty means the whole project.
    pub keys: Vec<String>,
}

impl fmt::Debug for UserSeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("UserSeed").field("name", &self.name).field("tier", &self.tier).finish_non_exhaustive()
    }
}

impl fmt::Debug for SecretSeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SecretSeed")
            .field("key", &self.key)
            .field("environment", &self.environment)
            .field("branch", &self.branch)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ServiceAccountSeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ServiceAccountSeed")
            .field("name", &self.name)
            .field("permissions", &self.permissions)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TokenSeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenSeed")
            .field("holder", &self.holder)
            .field("expired", &self.expired)
            .finish_non_exhaustive()
    }
}
