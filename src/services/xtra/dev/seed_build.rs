//! Seeds written in code.

use std::path::Path;

use super::error::DevServerError;
use super::seed::{
    BranchSeed, Form, GrantSeed, LinkSeed, ProjectSeed, Role, SecretSeed, Seed, ServiceAccountSeed, Tier, TokenSeed,
    UserSeed, WorkspaceSeed,
};

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
        serde_json::from_str(text).map_err(|error| DevServerError::syntax(None, &error))
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
    pub fn secret(self, environment: impl Into<String>, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.with_secret(SecretSeed::new(environment, key, value))
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
    pub fn new(environment: impl Into<String>, key: impl Into<String>, value: impl Into<String>) -> Self {
        SecretSeed { environment: environment.into(), key: key.into(), value: value.into(), ..Self::default() }
    }

    /// A link to the secret `source` of another project (or the same one), which has to be seeded before.
    #[must_use]
    pub fn link(environment: impl Into<String>, key: impl Into<String>, source: LinkSeed) -> Self {
        SecretSeed { link: Some(source), ..Self::new(environment, key, "") }
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
    /// The secret `key` in `environment` of the project named `project`.
    #[must_use]
    pub fn new(project: impl Into<String>, environment: impl Into<String>, key: impl Into<String>) -> Self {
        LinkSeed { project: project.into(), environment: environment.into(), key: key.into() }
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
        /// Narrows an approved request to some keys.
        keys(keys: impl IntoIterator<Item = impl Into<String>>) => keys = keys.into_iter().map(Into::into).collect();
    }
}
