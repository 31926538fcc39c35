//! The seed of a server: users, projects, secrets and tokens to start with.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::dev::DevServerError;

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

impl Tier {
    pub(super) fn name(self) -> &'static str {
        match self {
            Tier::Free => "free",
            Tier::Pro => "pro",
            Tier::Enterprise => "enterprise",
        }
    }
}

/// What a user may do in a project, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Role {
    /// Reads names; every value is masked.
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

/// The state that a server starts with: users, projects, tokens.
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
///             { "environment": "production", "name": "DATABASE_URL", "value": "postgres://db/web" },
///             { "environment": "staging", "name": "FLAG", "value": "on", "branch": "feature/new-ui" }
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
    /// The secret's name.
    pub name: String,
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
    /// The secret's name.
    pub name: String,
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
    /// The names of the secrets that the request was for; empty means the whole project.
    pub names: Vec<String>,
}

impl Seed {
    /// A seed with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a seed from JSON.
    ///
    /// # Errors
    ///
    /// [`DevServerError::SeedSyntax`] with the place of the first mistake. An unknown member is one.
    pub fn from_json(text: &str) -> Result<Self, DevServerError> {
        serde_json::from_slice(text.as_bytes()).map_err(|error| DevServerError::syntax(None, &error))
    }

    /// Reads a seed from a JSON file.
    ///
    /// # Errors
    ///
    /// [`DevServerError::SeedFile`] when it cannot be read, [`DevServerError::SeedSyntax`] when it is no seed.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, DevServerError> {
        let path = path.as_ref();
        // Read at once, not through the runtime: that would start a thread.
        let text = std::fs::read(path).map_err(|error| DevServerError::SeedFile { path: path.to_owned(), error })?;
        serde_json::from_slice(&text).map_err(|error| DevServerError::syntax(Some(path), &error))
    }

    /// Adds a user.
    #[must_use]
    pub fn user(mut self, user: UserSeed) -> Self {
        self.users.push(user);
        self
    }

    /// Adds a workspace.
    #[must_use]
    pub fn workspace(mut self, workspace: WorkspaceSeed) -> Self {
        self.workspaces.push(workspace);
        self
    }

    /// Adds a project.
    #[must_use]
    pub fn project(mut self, project: ProjectSeed) -> Self {
        self.projects.push(project);
        self
    }

    /// Adds a token.
    #[must_use]
    pub fn token(mut self, token: TokenSeed) -> Self {
        self.tokens.push(token);
        self
    }

    /// The seed of [`DevServer::start`](crate::services::xtra::dev::DevServer::start): the project `demo` of a user `owner` on the
    /// enterprise plan, with the members `admin`, `developer` and `viewer`, the user `outsider`, the branches `main` and
    /// `feature/new-ui`, three environments, and the service accounts `ci` (reads) and `deploy` (reads and writes).
    #[must_use]
    pub fn demo() -> Self {
        let demo = ProjectSeed::new("demo")
            .id("665f1c2ab7c0de0012345678")
            .member("admin", Role::Admin)
            .member("developer", Role::Developer)
            .member("viewer", Role::Viewer)
            .branch("feature/new-ui")
            .secret("development", "DATABASE_URL", "postgres://app:dev@localhost/app")
            .secret("development", "API_KEY", "demo-development-key")
            .secret("staging", "DATABASE_URL", "postgres://app:staging@db.staging.test/app")
            .secret("staging", "API_KEY", "demo-staging-key")
            .secret("production", "DATABASE_URL", "postgres://app:production@db.example.test/app")
            .secret("production", "API_KEY", "demo-production-key")
            .secret("production", "FEATURE_NEW_UI", "off")
            .with_secret(SecretSeed::new("production", "FEATURE_NEW_UI", "on").on_branch("feature/new-ui"))
            .with_secret(SecretSeed::new("staging", "FEATURE_NEW_UI", "on").on_branch("feature/new-ui"))
            .service_account(ServiceAccountSeed::new("ci", ["read:secrets"]))
            .service_account(ServiceAccountSeed::new("deploy", ["read:secrets", "write:secrets"]));
        let mut seed = Seed::new().user(UserSeed::new("owner").tier(Tier::Enterprise)).project(demo);
        for name in ["admin", "developer", "viewer", "outsider"] {
            seed = seed.user(UserSeed::new(name));
        }
        seed
    }

    pub(super) fn append(&mut self, other: Seed) {
        self.users.extend(other.users);
        self.workspaces.extend(other.workspaces);
        self.projects.extend(other.projects);
        self.tokens.extend(other.tokens);
    }
}

/// One setter: takes `self`, sets a field, gives `self` back.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($argument:ident: $type:ty) => $field:ident = $value:expr;)*) => {
        $($(#[$doc])* #[must_use] pub fn $name(mut self, $argument: $type) -> Self { self.$field = $value; self })*
    };
}

impl UserSeed {
    /// A user on the free plan without a second factor.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        UserSeed { name: name.into(), ..Self::default() }
    }

    setters! {
        /// Sets the id: 24 hex digits.
        id(id: impl Into<String>) => id = Some(id.into());
        /// Sets the e-mail address.
        email(email: impl Into<String>) => email = Some(email.into());
        /// Sets the plan.
        tier(tier: Tier) => tier = tier;
        /// Sets the token.
        token(token: impl Into<String>) => token = Some(token.into());
    }

    /// Gives the user a second factor.
    #[must_use]
    pub fn with_mfa(mut self) -> Self {
        self.mfa = true;
        self
    }
}

impl WorkspaceSeed {
    /// A workspace of the user `owner`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        WorkspaceSeed { name: name.into(), ..Self::default() }
    }

    setters! {
        /// Sets the id: 24 hex digits.
        id(id: impl Into<String>) => id = Some(id.into());
        /// Sets the name of the user who created it.
        owner(owner: impl Into<String>) => owner = Some(owner.into());
    }
}

impl ProjectSeed {
    /// A project of the user `owner` with the branch `main`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        ProjectSeed { name: name.into(), ..Self::default() }
    }

    setters! {
        /// Sets the id: 24 hex digits.
        id(id: impl Into<String>) => id = Some(id.into());
        /// Sets the name of the user who created it.
        owner(owner: impl Into<String>) => owner = Some(owner.into());
        /// Says what it is for.
        description(description: impl Into<String>) => description = Some(description.into());
        /// Sets the name of the workspace.
        workspace(workspace: impl Into<String>) => workspace = Some(workspace.into());
    }

    /// Gives a user a role.
    #[must_use]
    pub fn member(mut self, user: impl Into<String>, role: Role) -> Self {
        self.members.insert(user.into(), role);
        self
    }

    /// Adds a branch.
    #[must_use]
    pub fn branch(mut self, name: impl Into<String>) -> Self {
        self.branches.push(BranchSeed { name: name.into(), id: None });
        self
    }

    /// Adds a branch with an id, 24 hex digits. With the name `main` it gives that branch its id.
    #[must_use]
    pub fn branch_with_id(mut self, name: impl Into<String>, id: impl Into<String>) -> Self {
        self.branches.push(BranchSeed { name: name.into(), id: Some(id.into()) });
        self
    }

    /// Adds a secret on `main`.
    #[must_use]
    pub fn secret(self, environment: impl Into<String>, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with_secret(SecretSeed::new(environment, name, value))
    }

    /// Adds a secret of any kind.
    #[must_use]
    pub fn with_secret(mut self, secret: SecretSeed) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Adds a service account.
    #[must_use]
    pub fn service_account(mut self, account: ServiceAccountSeed) -> Self {
        self.service_accounts.push(account);
        self
    }

    /// Gives a user access that comes from no role.
    #[must_use]
    pub fn grant(mut self, grant: GrantSeed) -> Self {
        self.grants.push(grant);
        self
    }

    /// Blocks the project.
    #[must_use]
    pub fn blocked(mut self) -> Self {
        self.blocked = true;
        self
    }

    /// Lets in only callers with a second factor, and service accounts.
    #[must_use]
    pub fn two_factor_required(mut self) -> Self {
        self.two_factor_required = true;
        self
    }

    /// Adds an address, an IPv4 network or a pattern such as `10.0.*.*` to those that are let in.
    #[must_use]
    pub fn allowed_ip(mut self, ip: impl Into<String>) -> Self {
        self.allowed_ips.push(ip.into());
        self
    }
}

impl SecretSeed {
    /// A secret on `main`.
    #[must_use]
    pub fn new(environment: impl Into<String>, name: impl Into<String>, value: impl Into<String>) -> Self {
        SecretSeed { environment: environment.into(), name: name.into(), value: value.into(), ..Self::default() }
    }

    /// A link to the secret `source` of another project (or the same one), which has to be seeded before.
    #[must_use]
    pub fn link(environment: impl Into<String>, name: impl Into<String>, source: LinkSeed) -> Self {
        SecretSeed { link: Some(source), ..Self::new(environment, name, "") }
    }

    setters! {
        /// Puts it on a branch.
        on_branch(branch: impl Into<String>) => branch = Some(branch.into());
        /// Sets how the value lies in the database.
        form(form: Form) => form = form;
        /// Sets the version.
        version(version: u64) => version = Some(version);
        /// Sets the id: 24 hex digits.
        id(id: impl Into<String>) => id = Some(id.into());
    }

    /// Hangs it on no branch; a read of `main` sees it.
    #[must_use]
    pub fn without_branch(mut self) -> Self {
        self.without_branch = true;
        self
    }
}

impl LinkSeed {
    /// The secret `name` in `environment` of the project named `project`.
    #[must_use]
    pub fn new(project: impl Into<String>, environment: impl Into<String>, name: impl Into<String>) -> Self {
        LinkSeed { project: project.into(), environment: environment.into(), name: name.into() }
    }
}

impl ServiceAccountSeed {
    /// A service account with permissions.
    #[must_use]
    pub fn new(name: impl Into<String>, permissions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let permissions = permissions.into_iter().map(Into::into).collect();
        ServiceAccountSeed { name: name.into(), permissions, ..Self::default() }
    }

    setters! {
        /// Sets the id: 24 hex digits.
        id(id: impl Into<String>) => id = Some(id.into());
        /// Sets the token.
        token(token: impl Into<String>) => token = Some(token.into());
    }
}

impl TokenSeed {
    /// A token of the user or service account with this name.
    #[must_use]
    pub fn new(holder: impl Into<String>, token: impl Into<String>) -> Self {
        TokenSeed { holder: holder.into(), token: token.into(), ..Self::default() }
    }

    setters! {
        /// Sets the seconds after which it expires.
        expires_in(seconds: u64) => expires_in = Some(seconds);
    }

    /// Makes it one that has expired.
    #[must_use]
    pub fn expired(mut self) -> Self {
        self.expired = true;
        self
    }
}

impl GrantSeed {
    /// An approved request of a user for the whole project.
    #[must_use]
    pub fn approved(user: impl Into<String>) -> Self {
        GrantSeed { user: user.into(), ..Self::default() }
    }

    /// A grant that has to be elevated before it lets a user read.
    #[must_use]
    pub fn needs_elevation(user: impl Into<String>) -> Self {
        GrantSeed { user: user.into(), needs_elevation: true, ..Self::default() }
    }

    setters! {
        /// Narrows an approved request to some secrets.
        names(names: impl IntoIterator<Item = impl Into<String>>) => names = names.into_iter().map(Into::into).collect();
    }
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
            .field("name", &self.name)
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
