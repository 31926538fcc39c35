//! XtraSecurity as a source of secrets.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::convert;
use super::local::LocalFile;
use super::raw;
use super::scope::{self, CheckedScope, MAIN, XtraScope};
use crate::cache::{Budget, Identity, KeyWriter};
use crate::credentials::{CredentialProvider, TokenFuture};
use crate::error::{ErrorKind, XtraError};
use crate::secrets::SecretValue;
use crate::services::{Loaded, SecretSource, Traffic};
use crate::transport::{BaseUrl, Transport, TransportOptions};

/// Reads that change something: looking at a shared secret uses one of its views up.
pub(crate) const NEVER_RETRIED: &[&str] = &["secret_shares_view"];

/// XtraSecurity. [`XtraClient`](crate::XtraClient) is the client over it.
pub struct Xtra {
    raw: raw::Client,
    root: String,
    defaults: Scopes,
    /// The project of the service account that asked last, once the service has told it.
    account: Mutex<Option<(Identity, String)>>,
    backing: Backing,
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

impl Xtra {
    pub(crate) fn new(transport: Transport, defaults: Scopes) -> Self {
        let root = transport.base().to_owned();
        let raw = raw::Client::new_with_client(&root, transport.http().clone(), transport);
        Self { raw, root, defaults, account: Mutex::new(None), backing: Backing::Service }
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
        let base = BaseUrl::parse("http://127.0.0.1:9/api", false)?;
        let transport = Transport::new(&base, Arc::new(NoAccount::of(&backing)), TransportOptions::default())?;
        defaults.environment.get_or_insert_with(|| ANY_ENVIRONMENT.to_owned());
        Ok(Self { backing, ..Self::new(transport, defaults) })
    }

    pub(crate) fn raw(&self) -> &raw::Client {
        &self.raw
    }

    /// How long a call to the service may take.
    pub(crate) fn call_timeout(&self) -> Duration {
        self.raw.inner.call_timeout()
    }

    pub(crate) fn default_environment(&self) -> Option<&str> {
        self.defaults.environment.as_deref()
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

    async fn ask_for_project(&self) -> Result<String, XtraError> {
        let answer = self.raw.service_accounts_resolve().send().await.map_err(|error| {
            let error = convert::from_raw(error);
            // The service answers alike to a wrong token and to a user's token.
            if error.kind() == ErrorKind::Unauthorized { no_project() } else { error }
        })?;
        let project = answer.into_inner().project.and_then(|project| project.id);
        match project {
            Some(id) => scope::project_id(&id).map(str::to_owned),
            None => Err(no_project()),
        }
    }
}

fn no_project() -> XtraError {
    XtraError::new(
        ErrorKind::Config,
        "no project id was given, and the token is not that of a service account, which would know its project. Set \
         XTRA_PROJECT_ID, or pass project_id(..) to the builder or the call, or put \"project\" into .xtrarc; if the token \
         should be a service account's, it may be wrong or expired",
    )
}

fn no_environment() -> XtraError {
    XtraError::new(
        ErrorKind::Config,
        "no environment was named, and the client has none by default. Name one at the call, pass environment(..) to the \
         builder, or put \"env\" into .xtrarc",
    )
}

impl SecretSource for Xtra {
    type Scope<'a> = XtraScope<'a>;
    type Owned = CheckedScope;

    fn name(&self) -> &'static str {
        "xtrasecurity"
    }

    fn root(&self) -> &str {
        &self.root
    }

    fn identity(&self) -> Identity {
        self.raw.inner.identity()
    }

    fn write_key(&self, scope: &XtraScope<'_>, key: &mut KeyWriter) {
        let project = scope.project.as_deref().or(self.defaults.project.as_deref()).unwrap_or_default();
        let branch = scope.branch.as_deref().or(self.defaults.branch.as_deref()).unwrap_or(MAIN);
        key.field_any_case(project);
        key.field_any_case(scope.environment.as_deref().or(self.default_environment()).unwrap_or_default());
        key.field(branch);
    }

    fn prepare(&self, scope: &XtraScope<'_>) -> Result<CheckedScope, XtraError> {
        let project = match &scope.project {
            Some(id) => Some(scope::project_id(id)?.to_owned()),
            None => self.defaults.project.clone(),
        };
        let branch = match &scope.branch {
            Some(name) => scope::branch(name)?,
            None => self.defaults.branch.as_deref().unwrap_or(MAIN),
        };
        let environment = scope.environment.as_deref().or(self.default_environment()).ok_or_else(no_environment)?;
        Ok(CheckedScope { project, environment: scope::environment(environment)?, branch: branch.to_owned() })
    }

    async fn load(&self, scope: &CheckedScope) -> Result<Loaded, XtraError> {
        match &self.backing {
            Backing::Service => {}
            Backing::Memory(secrets) => return Ok(secrets.clone()),
            Backing::File(file) => return file.load(),
        }
        let project = self.project(scope.project.as_deref()).await?;
        // The flat form: only it says that values are masked, and only it leaves a trace in the audit log.
        let answer = self
            .raw
            .secrets_read()
            .project_id(project)
            .env(scope.environment.as_str())
            .branch(scope.branch.as_str())
            .send()
            .await
            .map_err(convert::from_raw)?;
        Ok(convert::secrets(answer))
    }

    fn budget(&self, scope: &CheckedScope) -> Option<Budget> {
        match &scope.project {
            Some(id) => self.raw.inner.budget(id),
            None => self.raw.inner.budget(&self.known_project(self.identity())?),
        }
    }

    fn lasting_token(&self) -> Option<SecretValue> {
        self.raw.inner.lasting_token().map(|token| token.secret())
    }

    fn has_timers(&self) -> bool {
        matches!(self.backing, Backing::Service)
    }

    fn traffic(&self) -> Traffic {
        let counters = self.raw.inner.counters();
        Traffic {
            budget_left: self.raw.inner.budget_left(),
            delayed: counters.delayed,
            withheld: counters.withheld,
            retries_withheld: counters.retries_withheld,
            ..Traffic::new(counters.requests, counters.retries)
        }
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
}

impl NoAccount {
    fn of(backing: &Backing) -> Self {
        match backing {
            Backing::File(file) => Self {
                identity: Identity::of(&format!("local file\n{}", file.path().display())),
                message: "this client is in local mode: it reads a file and has no service to call. Leave local mode (unset \
                          XTRA_LOCAL_MODE) for calls of the raw client",
            },
            Backing::Memory(_) | Backing::Service => Self {
                identity: Identity::of("in memory"),
                message: "this client is in memory and has no service to call. Use the dev server for calls of the raw client",
            },
        }
    }
}

impl CredentialProvider for NoAccount {
    fn identity(&self) -> Identity {
        self.identity
    }

    fn token(&self) -> TokenFuture<'_> {
        let message = self.message;
        Box::pin(async move { Err(XtraError::new(ErrorKind::Credentials, message)) })
    }
}
