//! The seed of a server: projects, folders, secrets, identities and tokens to start with.

use std::fmt;
use std::time::Duration;

/// What an actor may do in a project.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Role {
    /// Everything.
    Admin,
    /// Reads and writes secrets and keys.
    Member,
    /// Reads.
    Viewer,
    /// Nothing.
    NoAccess,
    /// What the grants allow, of secrets alone.
    Custom(Vec<Grant>),
}

/// One thing to do with secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Action {
    /// Sees names, not values. Older generations know no such right: there it is no right at all.
    Describe,
    /// Reads values.
    Read,
    /// Creates secrets, folders and imports.
    Create,
    /// Changes them.
    Edit,
    /// Deletes them.
    Delete,
}

/// A right to do some things in the environments and folders that it names; everywhere when it names none.
///
/// ```
/// use xtrasecurity::infisical::dev::{Action, Grant, Role};
///
/// let role = Role::Custom(vec![Grant::new([Action::Read]).environment("dev").path("/app/**")]);
/// # let _ = role;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Grant {
    pub(super) actions: Vec<Action>,
    pub(super) environment: Option<String>,
    pub(super) path: String,
}

impl Grant {
    /// A right to do some things everywhere in a project.
    pub fn new(actions: impl IntoIterator<Item = Action>) -> Self {
        Grant { actions: actions.into_iter().collect(), environment: None, path: "/**".to_owned() }
    }

    /// Limits it to an environment, by its slug.
    #[must_use]
    pub fn environment(mut self, slug: &str) -> Self {
        self.environment = Some(slug.to_owned());
        self
    }

    /// Limits it to folders: a path, with `*` for a part of it and `**` for any number of parts.
    #[must_use]
    pub fn path(mut self, pattern: &str) -> Self {
        pattern.clone_into(&mut self.path);
        self
    }
}

/// An environment of a project.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EnvironmentSeed {
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) id: Option<String>,
}

impl EnvironmentSeed {
    /// An environment by its slug and the name that is shown.
    #[must_use]
    pub fn new(slug: &str, name: &str) -> Self {
        EnvironmentSeed { slug: slug.to_owned(), name: name.to_owned(), id: None }
    }

    /// Sets its id, a UUID; generated when left out.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }
}

/// A tag of a project.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TagSeed {
    pub(super) slug: String,
    pub(super) color: String,
    pub(super) id: Option<String>,
}

impl TagSeed {
    /// A tag by its slug, in red.
    #[must_use]
    pub fn new(slug: &str) -> Self {
        TagSeed { slug: slug.to_owned(), color: "#ff0000".to_owned(), id: None }
    }

    /// Sets its color, in hex.
    #[must_use]
    pub fn color(mut self, color: &str) -> Self {
        color.clone_into(&mut self.color);
        self
    }

    /// Sets its id, a UUID; generated when left out.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }
}

/// A secret of a project. `Debug` hides its value.
#[derive(Clone)]
#[non_exhaustive]
pub struct SecretSeed {
    pub(super) environment: String,
    pub(super) path: String,
    pub(super) name: String,
    pub(super) value: String,
    pub(super) comment: String,
    pub(super) tags: Vec<String>,
    pub(super) id: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) skips_multiline_encoding: bool,
}

impl SecretSeed {
    /// A shared secret at the root of an environment. Its folders are made as well.
    #[must_use]
    pub fn new(environment: &str, name: &str, value: &str) -> Self {
        SecretSeed {
            environment: environment.to_owned(),
            path: "/".to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
            comment: String::new(),
            tags: Vec::new(),
            id: None,
            owner: None,
            skips_multiline_encoding: false,
        }
    }

    /// Puts it into a folder, such as `/app/db`.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Sets its comment.
    #[must_use]
    pub fn comment(mut self, comment: &str) -> Self {
        comment.clone_into(&mut self.comment);
        self
    }

    /// Adds a tag by its slug. A tag that the project does not have is made.
    #[must_use]
    pub fn tag(mut self, slug: &str) -> Self {
        self.tags.push(slug.to_owned());
        self
    }

    /// Sets its id, a UUID; generated when left out. Lists are in the order of ids.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// Makes it a user's own, beside the shared one of the same name.
    #[must_use]
    pub fn personal_of(mut self, user: &str) -> Self {
        self.owner = Some(user.to_owned());
        self
    }

    /// Sets `skipMultilineEncoding`, which quotes a value with references and writes its line ends as `\n`.
    #[must_use]
    pub fn skips_multiline_encoding(mut self) -> Self {
        self.skips_multiline_encoding = true;
        self
    }
}

impl fmt::Debug for SecretSeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("SecretSeed");
        debug.field("environment", &self.environment).field("path", &self.path).field("name", &self.name);
        debug.finish_non_exhaustive()
    }
}

/// An import of one folder into another.
#[derive(Clone, Debug)]
pub(super) struct ImportSeed {
    pub(super) into: (String, String),
    pub(super) from: (String, String),
    pub(super) id: Option<String>,
}

/// A project with what is in it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProjectSeed {
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) id: Option<String>,
    pub(super) version: u32,
    pub(super) environments: Vec<EnvironmentSeed>,
    pub(super) folders: Vec<(String, String)>,
    pub(super) tags: Vec<TagSeed>,
    pub(super) secrets: Vec<SecretSeed>,
    pub(super) imports: Vec<ImportSeed>,
    pub(super) members: Vec<(String, Role)>,
    pub(super) policies: Vec<(String, String)>,
}

impl ProjectSeed {
    /// A project by its slug. Without environments of its own it has `dev`, `staging` and `prod`.
    #[must_use]
    pub fn new(slug: &str) -> Self {
        ProjectSeed {
            slug: slug.to_owned(),
            name: slug.to_owned(),
            id: None,
            version: 3,
            environments: Vec::new(),
            folders: Vec::new(),
            tags: Vec::new(),
            secrets: Vec::new(),
            imports: Vec::new(),
            members: Vec::new(),
            policies: Vec::new(),
        }
    }

    /// Sets the name that is shown.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Sets its id, a UUID; generated when left out.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// Makes it a project of the first version, whose values the server cannot open.
    #[must_use]
    pub fn legacy(mut self) -> Self {
        self.version = 1;
        self
    }

    /// Adds an environment.
    #[must_use]
    pub fn environment(mut self, environment: EnvironmentSeed) -> Self {
        self.environments.push(environment);
        self
    }

    /// Adds a folder with those above it.
    #[must_use]
    pub fn folder(mut self, environment: &str, path: &str) -> Self {
        self.folders.push((environment.to_owned(), path.to_owned()));
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, tag: TagSeed) -> Self {
        self.tags.push(tag);
        self
    }

    /// Adds a secret.
    #[must_use]
    pub fn secret(mut self, secret: SecretSeed) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Adds an import: of a folder, an environment and a path, another folder's secrets. Those of a folder come in the order in
    /// which they were added. Nothing is checked: circles and missing sources are allowed.
    #[must_use]
    pub fn import(mut self, into: (&str, &str), from: (&str, &str)) -> Self {
        let owned = |(environment, path): (&str, &str)| (environment.to_owned(), path.to_owned());
        self.imports.push(ImportSeed { into: owned(into), from: owned(from), id: None });
        self
    }

    /// Sets the id of the import that was added last.
    #[must_use]
    pub fn import_id(mut self, id: &str) -> Self {
        if let Some(import) = self.imports.last_mut() {
            import.id = Some(id.to_owned());
        }
        self
    }

    /// Gives an identity or a user, by its name, a role.
    #[must_use]
    pub fn member(mut self, name: &str, role: Role) -> Self {
        self.members.push((name.to_owned(), role));
        self
    }

    /// Requires an approval for changes in a folder. The servers of 2024 let identities pass.
    #[must_use]
    pub fn approval_policy(mut self, environment: &str, path: &str) -> Self {
        self.policies.push((environment.to_owned(), path.to_owned()));
        self
    }
}

/// The lifetimes and limits of an identity's tokens.
#[derive(Clone, Debug)]
pub(super) struct TokenLimits {
    pub(super) ttl: Duration,
    pub(super) max_ttl: Duration,
    pub(super) uses: u64,
    pub(super) addresses: Vec<String>,
}

/// 30 days.
const TTL: Duration = Duration::from_secs(2_592_000);

impl Default for TokenLimits {
    fn default() -> Self {
        TokenLimits { ttl: TTL, max_ttl: TTL, uses: 0, addresses: Vec::new() }
    }
}

/// A client secret of universal auth. `Debug` hides it.
#[derive(Clone)]
#[non_exhaustive]
pub struct ClientSecretSeed {
    pub(super) secret: String,
    pub(super) uses: u64,
    pub(super) ttl: Duration,
}

impl ClientSecretSeed {
    /// A client secret without limits.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        ClientSecretSeed { secret: secret.to_owned(), uses: 0, ttl: Duration::ZERO }
    }

    /// Limits how many logins it is good for.
    #[must_use]
    pub fn uses(mut self, uses: u64) -> Self {
        self.uses = uses;
        self
    }

    /// Limits how long it is good for, by the server's clock.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }
}

impl fmt::Debug for ClientSecretSeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientSecretSeed")
            .field("uses", &self.uses)
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}

/// A way of an identity to log in besides universal auth, and what it accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum LoginMethod {
    /// A signed request to AWS: accepted when its signed headers have an `Authorization`.
    Aws,
    /// An OIDC token.
    Oidc,
    /// A JWT.
    Jwt,
    /// The token of a Kubernetes service account.
    Kubernetes,
    /// A token of Google Cloud.
    Gcp,
    /// A token of Azure.
    Azure,
    /// A name and a password of LDAP, `name:password`.
    Ldap,
}

/// A machine identity. `Debug` hides its secrets.
#[derive(Clone)]
#[non_exhaustive]
pub struct IdentitySeed {
    pub(super) name: String,
    pub(super) id: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) secrets: Vec<ClientSecretSeed>,
    pub(super) limits: TokenLimits,
    pub(super) logins: Vec<(LoginMethod, String)>,
}

impl IdentitySeed {
    /// An identity by its name. Without client secrets of its own it has one, which [`InfisicalDevServer`] tells.
    ///
    /// [`InfisicalDevServer`]: super::InfisicalDevServer
    #[must_use]
    pub fn new(name: &str) -> Self {
        IdentitySeed {
            name: name.to_owned(),
            id: None,
            client_id: None,
            secrets: Vec::new(),
            limits: TokenLimits::default(),
            logins: Vec::new(),
        }
    }

    /// Sets its id, a UUID; generated when left out.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// Sets its client id, a UUID; generated when left out.
    #[must_use]
    pub fn client_id(mut self, id: &str) -> Self {
        self.client_id = Some(id.to_owned());
        self
    }

    /// Adds a client secret.
    #[must_use]
    pub fn client_secret(mut self, secret: ClientSecretSeed) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Sets how long a token lives; 30 days when left out, no limit of its own when 0.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.limits.ttl = ttl;
        self
    }

    /// Sets how long a token lives with all its renewals; 30 days when left out, without end when 0.
    #[must_use]
    pub fn max_ttl(mut self, ttl: Duration) -> Self {
        self.limits.max_ttl = ttl;
        self
    }

    /// Limits how many requests a token is good for.
    #[must_use]
    pub fn uses(mut self, uses: u64) -> Self {
        self.limits.uses = uses;
        self
    }

    /// Lets the identity in only from an address or a network, such as `10.0.0.0/8`. May be called more than once.
    #[must_use]
    pub fn trusted_address(mut self, address: &str) -> Self {
        self.limits.addresses.push(address.to_owned());
        self
    }

    /// Adds a way to log in, with the one credential that it accepts: a token, or `name:password` of LDAP; nothing is looked at
    /// for AWS.
    #[must_use]
    pub fn login(mut self, method: LoginMethod, credential: &str) -> Self {
        self.logins.push((method, credential.to_owned()));
        self
    }
}

impl fmt::Debug for IdentitySeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("IdentitySeed").field("name", &self.name).field("id", &self.id).finish_non_exhaustive()
    }
}

/// A service token: `st.<id>.<secret>.<key>`. `Debug` hides it.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServiceTokenSeed {
    pub(super) name: String,
    pub(super) project: String,
    pub(super) scopes: Vec<(String, String)>,
    pub(super) writes: bool,
    pub(super) expires_in: Option<Duration>,
    pub(super) id: Option<String>,
    pub(super) secret: Option<String>,
}

impl ServiceTokenSeed {
    /// A token that reads in a project, by its slug.
    #[must_use]
    pub fn new(name: &str, project: &str) -> Self {
        ServiceTokenSeed {
            name: name.to_owned(),
            project: project.to_owned(),
            scopes: Vec::new(),
            writes: false,
            expires_in: None,
            id: None,
            secret: None,
        }
    }

    /// Adds a scope: an environment and a path, with `*` and `**` for parts. A token with one scope and a plain path overrides
    /// what a request says.
    #[must_use]
    pub fn scope(mut self, environment: &str, path: &str) -> Self {
        self.scopes.push((environment.to_owned(), path.to_owned()));
        self
    }

    /// Lets it write as well.
    #[must_use]
    pub fn writes(mut self) -> Self {
        self.writes = true;
        self
    }

    /// Limits how long it is good for, by the server's clock.
    #[must_use]
    pub fn expires_in(mut self, time: Duration) -> Self {
        self.expires_in = Some(time);
        self
    }

    /// Sets its id and its secret; generated when left out.
    #[must_use]
    pub fn token(mut self, id: &str, secret: &str) -> Self {
        self.id = Some(id.to_owned());
        self.secret = Some(secret.to_owned());
        self
    }
}

impl fmt::Debug for ServiceTokenSeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ServiceTokenSeed").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Everything that a server starts with.
#[derive(Clone, Debug, Default)]
pub(super) struct Seed {
    pub(super) projects: Vec<ProjectSeed>,
    pub(super) identities: Vec<IdentitySeed>,
    pub(super) users: Vec<String>,
    pub(super) service_tokens: Vec<ServiceTokenSeed>,
}

impl Seed {
    /// A project with a few secrets and one identity that may do everything.
    pub(super) fn demo() -> Self {
        let project = ProjectSeed::new("demo")
            .member("ci", Role::Admin)
            .secret(SecretSeed::new("dev", "DATABASE_URL", "postgres://localhost/dev"))
            .secret(SecretSeed::new("dev", "GREETING", "hello"))
            .secret(SecretSeed::new("dev", "DB_PASSWORD", "dev-password").path("/app/db"))
            .secret(SecretSeed::new("prod", "DATABASE_URL", "postgres://db/prod"));
        Seed { projects: vec![project], identities: vec![IdentitySeed::new("ci")], ..Seed::default() }
    }
}
