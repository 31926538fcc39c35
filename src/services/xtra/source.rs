//! XtraSecurity as a source of secrets.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::credentials::PASSPHRASE_VARIABLE;
use super::envelope::Vault;
use super::local::LocalFile;
use super::operations::write::current_state::Spellings;
use super::protocol::{XtraProtocol, quota_scope_of};
use super::scope::{CheckedScope, MAIN, Place, ProjectIds, XtraScope};
use super::{convert, doubt, raw, scope};
use crate::core::{
    Elevation, ErrorKind, FileEntry, Hint, Identity, Quota, Reason, ScopeDescription, SecretValue, UnreadableReason,
    XtraError,
};
use crate::engine::{KeyWriter, Loaded, PreparedField, SecretSource, Traffic};
use crate::http::{CredentialProvider, TokenFuture, Transport};
use crate::references::refers;
use crate::services::traffic;

/// XtraSecurity. [`XtraClient`](crate::XtraClient) is the client over it.
pub struct Xtra {
    raw: raw::Client,
    root: String,
    ids: ProjectIds,
    defaults: Scopes,
    /// The default project and branch as the cache's keys have them.
    default_fields: DefaultFields,
    /// The project of the service account that asked last, once the service has told it.
    account: Mutex<Option<(Identity, String)>>,
    backing: Backing,
    vault: Vault,
    /// What holds for every write.
    pub(crate) rules: Rules,
    pub(super) spellings: Spellings,
}

/// What the builder says about writes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rules {
    /// Calls that change production must say so.
    pub(crate) protect_production: bool,
    /// Values are encrypted before they are sent.
    pub(crate) seal_writes: bool,
}

/// Where the secrets are.
enum Backing {
    Service,
    Memory(Loaded),
    File(LocalFile),
}

/// The environment of calls that name none, where every environment holds the same.
const ANY_ENVIRONMENT: &str = "local";

/// What requests use that name no project, branch or environment. Checked by whoever makes it.
#[derive(Default)]
pub(crate) struct Scopes {
    pub(crate) project: Option<String>,
    pub(crate) branch: Option<String>,
    pub(crate) environment: Option<String>,
}

/// Defaults as the cache's keys have them, prepared once: most keys have both.
struct DefaultFields {
    project: PreparedField,
    branch: PreparedField,
}

impl DefaultFields {
    fn of(defaults: &Scopes) -> Self {
        let project = defaults.project.clone().map(scope::compared_project).unwrap_or_default();
        Self {
            project: PreparedField::new(project),
            branch: PreparedField::new(defaults.branch.as_deref().unwrap_or(MAIN)),
        }
    }
}

impl Xtra {
    pub(crate) fn new(transport: Transport, defaults: Scopes) -> Self {
        let root = transport.base_url().to_owned();
        let raw = raw::Client::new_with_client(&root, transport.http().clone(), transport);
        let default_fields = DefaultFields::of(&defaults);
        Self {
            raw,
            ids: ProjectIds::of(&root),
            root,
            defaults,
            default_fields,
            account: Mutex::new(None),
            backing: Backing::Service,
            vault: Vault::default(),
            rules: Rules::default(),
            spellings: Spellings::default(),
        }
    }

    /// The same, which opens and seals values with `vault`.
    pub(crate) fn with_vault(mut self, vault: Vault) -> Self {
        self.vault = vault;
        self
    }

    /// The same, whose projects have ids of this form.
    pub(crate) fn with_ids(mut self, ids: ProjectIds) -> Self {
        self.ids = ids;
        self
    }

    /// A source that answers every read with `secrets` and sends nothing.
    pub(crate) fn in_memory(secrets: Loaded) -> Result<Self, XtraError> {
        Self::without_service(Backing::Memory(secrets), Scopes::default())
    }

    /// A source that answers every read with the secrets of `file` and sends nothing.
    pub(crate) fn in_file(file: LocalFile, defaults: Scopes) -> Result<Self, XtraError> {
        Self::without_service(Backing::File(file), defaults)
    }

    fn without_service(backing: Backing, mut defaults: Scopes) -> Result<Self, XtraError> {
        // The discard port: should anything be sent after all, nobody is there.
        let transport = Transport::builder(XtraProtocol)
            .credentials(Arc::new(NoAccount::of(&backing)))
            .build("http://127.0.0.1:9/api")?;
        defaults.environment.get_or_insert_with(|| ANY_ENVIRONMENT.to_owned());
        Ok(Self { backing, ids: ProjectIds::Hexadecimal, ..Self::new(transport, defaults) })
    }

    pub(crate) fn raw(&self) -> &raw::Client {
        &self.raw
    }

    pub(crate) fn protects_production(&self) -> bool {
        self.rules.protect_production
    }

    /// Whether every value is [sealed](Self::seal) before it is sent.
    pub(crate) fn seals_writes(&self) -> bool {
        self.rules.seal_writes
    }

    /// `value` as it is stored in this project: encrypted under the passphrase's key.
    pub(crate) fn seal(&self, project: &str, value: &SecretValue) -> Result<SecretValue, XtraError> {
        self.vault.seal(project, value)
    }

    /// The value that a text, as the service sent it for a secret of this project, stands for.
    pub(crate) fn read_text(&self, project: &str, text: SecretValue) -> Result<SecretValue, UnreadableReason> {
        self.vault.read_text(project, text)
    }

    pub(crate) fn default_environment(&self) -> Option<&str> {
        self.defaults.environment.as_deref()
    }

    /// The id of a project, when it can be one of this service's.
    pub(crate) fn checked_project<'i>(&self, id: &'i str) -> Result<&'i str, XtraError> {
        self.ids.checked(id)
    }

    /// The project of a scope, checked.
    pub(crate) async fn project_of(&self, scope: &XtraScope<'_>) -> Result<String, XtraError> {
        let named = scope.project.as_deref().map(|id| self.ids.checked(id)).transpose()?;
        self.project(named.or(self.defaults.project.as_deref())).await
    }

    /// The place of a scope, checked, with the environment's name as it was given.
    pub(crate) async fn place(&self, scope: &XtraScope<'_>) -> Result<Place, XtraError> {
        let branch = self.branch_of(scope)?.to_owned();
        let environment = scope.environment.as_deref().or(self.default_environment()).ok_or_else(no_environment)?;
        let environment = scope::exact_environment(environment)?.to_owned();
        Ok(Place { project: self.project_of(scope).await?, environment, branch })
    }

    /// The branch of a scope, checked.
    pub(crate) fn branch_of<'s>(&'s self, scope: &'s XtraScope<'_>) -> Result<&'s str, XtraError> {
        match &scope.branch {
            Some(name) => scope::branch(name),
            None => Ok(self.defaults.branch.as_deref().unwrap_or(MAIN)),
        }
    }

    /// The project to ask: the one named, or else the one that the service account belongs to.
    async fn project(&self, named: Option<&str>) -> Result<String, XtraError> {
        if let Some(id) = named {
            return Ok(id.to_owned());
        }
        let identity = self.identity();
        if let Some(id) = self.known_project(identity) {
            return Ok(id);
        }
        let id = self.ask_for_project().await?;
        *self.account.lock().unwrap_or_else(PoisonError::into_inner) = Some((identity, id.clone()));
        Ok(id)
    }

    /// The project that a service account was told to belong to.
    fn known_project(&self, identity: Identity) -> Option<String> {
        let known = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|(asked, _)| *asked == identity).map(|(_, id)| id.clone())
    }

    /// Whether the token is a service account's, as far as that is known without asking: keys of accounts begin so, and who
    /// named no project was told that of its account.
    pub(super) fn has_token_of_account(&self) -> bool {
        let begins_so = |token: SecretValue| token.expose().starts_with("xtra_");
        self.known_project(self.identity()).is_some() || self.lasting_token().is_some_and(begins_so)
    }

    /// Asks the service for the secrets of a scope.
    async fn ask(&self, scope: &CheckedScope) -> Result<Loaded, XtraError> {
        let project = self.project(scope.project.as_deref()).await?;
        // The flat form: only it says that values are masked, and only it leaves a trace in the audit log.
        let begun = tokio::time::Instant::now();
        let answer = self
            .raw
            .read_pairs(&project, &scope.environment, &scope.branch)
            .await
            .map_err(|error| how_to_go_on(convert::from_raw(error), &project, &scope.environment))?;
        let names = || answer.names();
        if !doubt::is_doubtful(|header| answer.headers().contains_key(header), names()) {
            return Ok(convert::secrets(answer, &self.vault, &project));
        }
        // both are one call to whoever waits, and have its time together
        let left = self.call_timeout().saturating_sub(begun.elapsed());
        let request = self.raw.secrets_read().project_id(project.as_str()).env(scope.environment.as_str());
        let request = request.branch(scope.branch.as_str()).include_versions(true);
        let versions = tokio::time::timeout(left, request.send()).await;
        let is_confirmed =
            matches!(versions, Ok(Ok(versions)) if doubt::confirms(|name| versions.0.get(name), names()));
        let loaded = convert::secrets(answer, &self.vault, &project);
        Ok(if is_confirmed { loaded } else { loaded.doubted(doubt::unconfirmed()) })
    }

    async fn ask_for_project(&self) -> Result<String, XtraError> {
        let answer = self.raw.service_accounts_resolve().send().await.map_err(|error| {
            let error = convert::from_raw(error);
            // The service answers alike to a wrong token and to a user's token.
            if error.kind() == ErrorKind::Unauthorized && !error.is_foreign_refusal() { no_project() } else { error }
        })?;
        let project = answer.into_inner().project.and_then(|project| project.id);
        match project {
            Some(id) if self.ids.checked(&id).is_ok() => Ok(id),
            Some(_) => Err(XtraError::new(
                ErrorKind::Decode,
                "the service names a project of the service account by an id that is none",
            )
            .with_hint(Hint::check_base_url("is that of the service"))
            .with_hint(GIVE_PROJECT)),
            None => Err(no_project()),
        }
    }
}

fn no_project() -> XtraError {
    XtraError::new(
        ErrorKind::Config,
        "no project id was given, and the token is not that of a service account, which would know its project",
    )
    .with_hint(GIVE_PROJECT)
    .with_hint(Hint::advice("If the token should be a service account's, it may be wrong or expired"))
}

const GIVE_PROJECT: Hint = Hint::GiveProject {
    option: "project_id",
    variable: "XTRA_PROJECT_ID",
    entry: Some(FileEntry::new("project", ".xtrarc")),
};

/// Says what to do where an elevation is needed, or where the id may be at fault.
fn how_to_go_on(error: XtraError, project: &str, environment: &str) -> XtraError {
    match (error.kind(), error.reason()) {
        (_, Some(Reason::ElevationNeeded(_))) => error.with_reason(Reason::ElevationNeeded(Some(Elevation::new(project, environment)))),
        // what the vendor's service answers to any other id, wherever it runs
        (ErrorKind::Server, _) if error.status() == Some(500) && !scope::is_id(project) => error
            .with_note(format!(
                "Or the project id {} is at fault: a server that takes ids of 24 hexadecimal digits only fails like this",
                scope::quoted(project)
            ))
            .with_hint(Hint::advice("Give the id as the dashboard shows it, not the name")),
        _ => error,
    }
}

fn no_environment() -> XtraError {
    XtraError::new(ErrorKind::Config, "no environment was named, and the client has none by default")
        .with_hint(Hint::GiveEnvironment { entry: Some(FileEntry::new("env", ".xtrarc")) })
}

impl SecretSource for Xtra {
    type Scope<'a> = XtraScope<'a>;
    type Owned = CheckedScope;

    fn name(&self) -> &'static str {
        "xtrasecurity"
    }

    fn base_url(&self) -> &str {
        &self.root
    }

    #[inline]
    fn identity(&self) -> Identity {
        self.raw.inner.identity()
    }

    fn write_key(&self, scope: &XtraScope<'_>, key: &mut KeyWriter) {
        match &scope.project {
            Some(id) => scope::write_project(id, key),
            None => key.prepared(&self.default_fields.project),
        }
        key.field_any_case(scope.environment.as_deref().or(self.default_environment()).unwrap_or_default());
        match &scope.branch {
            Some(branch) => key.field(branch),
            None => key.prepared(&self.default_fields.branch),
        }
    }

    fn scope_name<'s>(&self, scope: &'s XtraScope<'_>) -> Cow<'s, str> {
        Cow::Borrowed(scope.environment.as_deref().unwrap_or_default())
    }

    fn show_scope(&self, scope: &XtraScope<'_>) -> String {
        scope::quoted(scope.environment.as_deref().or(self.default_environment()).unwrap_or_default())
    }

    fn describe(&self, scope: &CheckedScope) -> Option<ScopeDescription> {
        match &self.backing {
            Backing::Service => Some(scope.describe()),
            // every environment holds the same, so none is mistyped
            Backing::Memory(_) | Backing::File(_) => None,
        }
    }

    fn looks_like_a_token(text: &str) -> bool {
        scope::looks_like_a_token(text)
    }

    fn is_reference(&self, value: &str) -> bool {
        refers::<Self>(value)
    }

    fn read_method(&self) -> &'static str {
        "get_secrets"
    }

    fn passphrase_variable(&self) -> Option<&'static str> {
        Some(PASSPHRASE_VARIABLE)
    }

    fn call_timeout(&self) -> Duration {
        self.raw.inner.call_timeout()
    }

    fn prepare(&self, scope: &XtraScope<'_>) -> Result<CheckedScope, XtraError> {
        let project = match &scope.project {
            Some(id) => Some(self.ids.checked(id)?.to_owned()),
            None => self.defaults.project.clone(),
        };
        let branch = self.branch_of(scope)?;
        let environment = scope.environment.as_deref().or(self.default_environment()).ok_or_else(no_environment)?;
        Ok(CheckedScope { project, environment: scope::environment(environment)?, branch: branch.to_owned() })
    }

    async fn load(&self, scope: &CheckedScope) -> Result<Loaded, XtraError> {
        match &self.backing {
            Backing::Service => self.ask(scope).await.map_err(|error| {
                // a watch and a refresh have no call of their own around this
                error.in_call(format!("{}({})", self.read_method(), scope::quoted(&scope.environment)))
            }),
            Backing::Memory(secrets) => Ok(secrets.clone()),
            Backing::File(file) => file.load(),
        }
    }

    fn quota(&self, scope: &CheckedScope) -> Option<Quota> {
        match &scope.project {
            Some(id) => self.raw.inner.quota(&quota_scope_of(id)),
            None => self.raw.inner.quota(&quota_scope_of(&self.known_project(self.identity())?)),
        }
    }

    fn lasting_token(&self) -> Option<SecretValue> {
        self.raw.inner.lasting_token().map(|token| token.secret())
    }

    fn has_timers(&self) -> bool {
        matches!(self.backing, Backing::Service)
    }

    fn traffic(&self) -> Traffic {
        traffic::of(&self.raw.inner)
    }
}

impl fmt::Debug for Xtra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Xtra").field("project", &self.defaults.project).finish_non_exhaustive()
    }
}

/// The credentials of a client without a service: there are none, and the raw client is told so before anything is sent.
struct NoAccount {
    identity: Identity,
    message: &'static str,
    hint: Hint,
}

impl NoAccount {
    fn of(backing: &Backing) -> Self {
        match backing {
            Backing::File(file) => Self {
                identity: Identity::of(&format!("local file\n{}", file.path().display())),
                message: "this client is in local mode: it reads a file and has no service to call for writes and everything else \
                          but reading",
                hint: Hint::LeaveLocalMode { variable: "XTRA_LOCAL_MODE" },
            },
            Backing::Memory(_) | Backing::Service => Self {
                identity: Identity::of("in memory"),
                message: "this client is in memory and has no service to call for writes and everything else but reading",
                hint: Hint::advice("Use the dev server for those"),
            },
        }
    }
}

impl CredentialProvider for NoAccount {
    fn identity(&self) -> Identity {
        self.identity
    }

    fn token(&self) -> TokenFuture<'_> {
        let error = XtraError::new(ErrorKind::Credentials, self.message).with_hint(self.hint.clone());
        Box::pin(async move { Err(error) })
    }
}
